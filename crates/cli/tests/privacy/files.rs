//! What is fetched into files: packages in the clear and encrypted, whole or not at all.

use std::path::Path;

use connector::http::{Service, Trust};

use super::*;

/// More than a process may grow by that holds no package in memory.
const FILE_BYTES: usize = 40 << 20;
const OPENDSR_DOMAIN: &str = "privacy.example.com";

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Breaks every stored body, in the middle.
fn break_bodies(dir: &Path) {
    for folder in std::fs::read_dir(dir.join("millpond-privacy/blobs")).unwrap() {
        for blob in std::fs::read_dir(folder.unwrap().path()).unwrap() {
            let path = blob.unwrap().path();
            let mut bytes = std::fs::read(&path).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            std::fs::write(&path, bytes).unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_package_is_told_with_its_hash_and_only_its_owner_may_read_it() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::connected().await;
    let access = place.prints(DONE, "access --user-id amy --out amy.zip", "Request");
    let path = place.dir.path().join("amy.zip");
    let mut hash = connector::signing::Fingerprint::default();
    hash.update(&std::fs::read(&path).unwrap());
    assert_eq!(access["package"]["sha256"], hash.finish());
    assert_eq!(access["package"]["bytes"], path.metadata().unwrap().len());
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_package_that_breaks_off_leaves_nothing_and_what_was_there_before_stays() {
    let place = Place::connected().await;
    place.upstream.set(|world| {
        world.large_exports.insert("amy".to_owned(), 100);
    });
    let access = place.prints(DONE, "access --user-id amy", "Request");
    place.write("amy.zip", b"what was there before");
    break_bodies(place.dir.path());
    let before = names(place.dir.path());
    let refused = place.ends(FAILED, &format!("packages fetch {} --out amy.zip", id(&access)));
    assert!(refused["detail"].as_str().unwrap().contains("cannot write amy.zip"), "{refused}");
    assert_eq!(names(place.dir.path()), before, "no file is left over");
    assert_eq!(std::fs::read(place.dir.path().join("amy.zip")).unwrap(), b"what was there before");
    place.ends(FAILED, &format!("packages fetch {} --out no/such/folder/amy.zip", id(&access)));
}

#[tokio::test(flavor = "multi_thread")]
async fn check_13_a_package_is_not_held_in_memory_while_it_is_written() {
    let place = Place::connected().await;
    place.ends(DONE, "integrations set Stream --include-files true");
    // A file that does not shrink in the archive.
    let mut state = 1_u64;
    let noise = std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    });
    let noise: Vec<u8> = noise.take(FILE_BYTES).collect();
    let url = format!("{}/files/film", place.upstream.url());
    place.upstream.set(|world| {
        world.files.insert("/files/film".to_owned(), noise);
        let message = serde_json::json!({"id": "1", "attachments": [{"asset_url": url}]});
        world.exports.insert("amy".to_owned(), serde_json::json!({"messages": [message]}));
    });
    let access = place.prints(DONE, "access --user-id amy --wait 5m", "Request");
    let peak = |line: &str| {
        let child = place.command(line).stdout(Stdio::null()).spawn().unwrap();
        peak_kib(child)
    };
    let (idle, fetching) = (peak("list"), peak(&format!("packages fetch {} --out amy.zip", id(&access))));
    let size = place.dir.path().join("amy.zip").metadata().unwrap().len();
    assert!(size > FILE_BYTES as u64, "the file is in the package: {size}");
    assert!(fetching < idle + 16 * 1024, "{fetching} KiB at the peak, {idle} without");
}

/// The most memory that a process had until it ended, in KiB.
fn peak_kib(mut child: Child) -> u64 {
    let path = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    while child.try_wait().unwrap().is_none() {
        let status = std::fs::read_to_string(&path).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
        peak = peak.max(kib.unwrap_or(0));
        std::thread::yield_now();
    }
    peak
}

#[tokio::test(flavor = "multi_thread")]
async fn a_package_is_encrypted_for_a_key_or_with_a_passphrase_and_age_opens_both() {
    let place = Place::connected().await;
    let age = |program: &str, words: &[&str]| {
        let output = Command::new(program).args(words).current_dir(place.dir.path()).output();
        let output =
            output.unwrap_or_else(|error| panic!("`{program}`, of Debian's package age, must be there: {error}"));
        assert!(output.status.success(), "{program} {words:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    age("age-keygen", &["-o", "identity"]);
    let recipient = age("age-keygen", &["-y", "identity"]);
    place.write("passphrase", b"still water runs deep\n");
    place.write("short", b"water\n");
    let sealed = format!("access --user-id amy --out amy.zip.age --recipient {recipient}");
    let access = place.prints(DONE, sealed.trim(), "Request");
    age("age", &["--decrypt", "-i", "identity", "-o", "amy.zip", "amy.zip.age"]);
    place.ends(DONE, "packages verify amy.zip");
    place.ends(DONE, &format!("packages fetch {} --out word.age --passphrase-file passphrase", id(&access)));
    let words = ["--quiet", "--return", "--command", "age --decrypt -o word.zip word.age", "/dev/null"];
    let mut script = Command::new("script");
    script.args(words).current_dir(place.dir.path()).stdin(Stdio::piped()).stdout(Stdio::null());
    let mut script = script.spawn().unwrap();
    std::io::Write::write_all(&mut script.stdin.take().unwrap(), b"still water runs deep\n").unwrap();
    assert!(script.wait().unwrap().success());
    place.ends(DONE, "packages verify word.zip");
    let refused = place.ends(USAGE, "access --user-id amy --out short.age --passphrase-file short");
    assert!(refused["detail"].as_str().unwrap().contains("at least 12 characters"), "{refused}");
    place.ends(USAGE, "access --user-id amy --out wrong.age --recipient age1wrong");
    place.ends(USAGE, "access --user-id amy --passphrase-file passphrase");
    place.ends(USAGE, &format!("{} --passphrase-file passphrase", sealed.trim()));
    assert!(!place.dir.path().join("short.age").exists());
}

/// A file of the connector's own tests.
fn shared(name: &str) -> Vec<u8> {
    // As cargo names it when it runs this: checkouts that share a target directory share the binary.
    let folder = std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo runs the tests");
    let path = Path::new(&folder).join("../connector/tests/checks").join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[tokio::test(flavor = "multi_thread")]
async fn check_50_opendsr_is_spoken_with_a_key_and_a_certificate_of_the_domain() {
    let place = Place::connected().await;
    place.write("dsr.key", &shared("opendsr/key.pem"));
    place.write("dsr.pem", &shared("opendsr/certificate.pem"));
    place.ends(USAGE, "serve --opendsr-domain privacy.example.com");
    place.ends(USAGE, "serve --opendsr-key-file dsr.key");
    let flags = "--opendsr-key-file dsr.key --opendsr-certificate-file dsr.pem";
    let wrong = place.ends(FAILED, &format!("serve --listen 127.0.0.1:0 --opendsr-domain other.example.com {flags}"));
    assert!(wrong["detail"].as_str().unwrap().contains("other.example.com"), "{wrong}");
    place.write("empty", b"");
    place.ends(
        FAILED,
        &format!("serve --listen 127.0.0.1:0 --opendsr-domain {OPENDSR_DOMAIN} {}", flags.replace("dsr.key", "empty")),
    );
    let outside = place.ends(FAILED, "serve --listen 0.0.0.0:0");
    assert!(outside["detail"].as_str().unwrap().contains("--behind-proxy"), "{outside}");

    let token = place.ends(DONE, "token create --name controller --role request_operator");
    let admin = place.ends(DONE, "token create --name admin --role super_admin");
    place.write("admin", admin["token"].as_str().unwrap().as_bytes());
    let (_served, base) = place.served(&format!("--listen 127.0.0.1:0 --opendsr-domain {OPENDSR_DOMAIN} {flags}"));
    let token = connector::Secret::new(token["token"].as_str().unwrap().to_owned());
    let service = Service::remote(&base, token, Trust::default()).unwrap();
    let discovery = service.call("GET", "/opendsr/v3/discovery", None, None).await.unwrap();
    assert_eq!(discovery.status, 200);
    assert_eq!(discovery.json()["processor_certificate"], format!("https://{OPENDSR_DOMAIN}/opendsr/certificate.pem"));
    // A request that fails stays open for its controller until an operator ends it.
    place.upstream.fail(testing::upstream::calls::REPORT, usize::MAX, testing::upstream::Fault::Status(403, 17));
    let subject = "a7551968-d5d6-44b2-9831-815ac9017798";
    let submission = serde_json::json!({
        "regulation": "gdpr", "subject_request_id": subject, "subject_request_type": "access",
        "submitted_time": "2026-01-01T00:00:00Z", "api_version": "3.0",
        "subject_identities": {"controller_customer_id": {"value": "amy", "encoding": "raw"}},
    });
    let handed_in = service.call("POST", "/opendsr/v3/requests", Some(&submission), None).await.unwrap();
    assert_eq!(handed_in.status, 201, "{}", handed_in.json());
    let server = format!("--server {base} --token-file admin");
    let found = place.prints(DONE, &format!("{server} list --external-id {subject}"), "Requests");
    let request = id(&found["data"][0]).to_owned();
    place.prints(FAILED, &format!("{server} watch {request} --wait 30"), "Request");
    let path = format!("/opendsr/v3/requests/{subject}");
    let status = async || service.call("GET", &path, None, None).await.unwrap().json()["request_status"].clone();
    assert_eq!(status().await, "in_progress");
    place.prints(DONE, &format!("{server} end {request}"), "Request");
    assert_eq!(status().await, "cancelled");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_speaks_tls_is_reached_from_outside_and_asked_with_its_authority() {
    let place = Place::connected().await;
    for name in ["good.pem", "key.pem", "other-key.pem", "authority.pem", "client.pem", "client-authority.pem"] {
        place.write(name, &shared(&format!("tls/{name}")));
    }
    place.ends(USAGE, "serve --tls-cert good.pem");
    place.ends(USAGE, "serve --tls-client-ca client-authority.pem");
    let flags = "--tls-cert good.pem --tls-client-ca client-authority.pem";
    let wrong = place.ends(FAILED, &format!("serve --listen 127.0.0.1:0 --tls-key other-key.pem {flags}"));
    let words = "the key in other-key.pem does not belong to the certificate in good.pem";
    assert_eq!(wrong["detail"], words);
    let token = place.ends(DONE, "token create --name admin --role super_admin");
    place.write("admin", token["token"].as_str().unwrap().as_bytes());
    // All addresses of this machine: without TLS that is refused.
    let (_served, base) = place.served(&format!("--listen 0.0.0.0:0 --tls-key key.pem {flags}"));
    let port = base.strip_prefix("https://0.0.0.0:").unwrap();
    let server = format!("--server https://localhost:{port} --token-file admin --ca-file authority.pem");
    place.ends(FAILED, &format!("{server} list"));
    place.ends(USAGE, &format!("{server} --client-cert client.pem list"));
    let shown = "--client-cert client.pem --client-key key.pem";
    place.prints(DONE, &format!("{server} {shown} list"), "Requests");
    place.prints(DONE, &format!("{server} {shown} access --user-id amy"), "Request");
}

/// The dialect of Stream under another name, and with paths of its own.
fn dialect() -> String {
    let text = include_str!("../../../connector/src/upstream/dialects/stream_v2.json");
    text.replacen("stream_v2", "house", 1).replace("\": \"/", "\": \"/v2/")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dialect_from_a_file_is_spoken_at_every_start() {
    let place = Place::new().await;
    place.people();
    place.ends(DONE, "init");
    place.write("house.json", dialect().as_bytes());
    let url = format!("{}/api", place.upstream.url());
    let add =
        format!("integrations add --name House --key-file key --secret-file secret --base-url {url} --dialect house");
    let refused = place.ends(USAGE, &add);
    let detail = refused["detail"].as_str().unwrap();
    assert!(detail.contains("stream_v2, millpond"), "the known ones are named: {detail}");
    let spoken = "--dialect-file house.json";
    assert_eq!(place.prints(DONE, &format!("{add} {spoken}"), "Integration")["dialect"], "house");
    let access = place.prints(DONE, &format!("access --user-id amy {spoken}"), "Request");
    assert_eq!(access["outcome"], "records_found");
    let paths: Vec<String> = place.upstream.seen().into_iter().map(|seen| seen.path).collect();
    assert!(paths.iter().all(|path| path.starts_with("/api/v2/")), "{paths:?}");
    let shown = place.prints(DONE, &format!("status {} {spoken}", id(&access)), "Request");
    assert_eq!(shown["executions"][0]["sub_tasks"][0]["attempts"][0]["path"], "/v2/users");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dialect_file_that_is_none_is_told_with_what_is_wrong() {
    let place = Place::new().await;
    place.ends(DONE, "init");
    for (text, told) in [
        (dialect().replace("\"get_task\"", "\"got_task\""), "has no path for `get_task`"),
        (dialect().replace("\"rate_limited\"", "\"tired\""), "no meaning `tired`"),
        ("nonsense".to_owned(), "expected"),
    ] {
        place.write("house.json", text.as_bytes());
        let refused = place.ends(FAILED, "list --dialect-file house.json");
        let detail = refused["detail"].as_str().unwrap();
        assert!(detail.contains("house.json is no dialect") && detail.contains(told), "{detail}");
    }
    let refused = place.ends(FAILED, "list --dialect-file nowhere.json");
    assert!(refused["detail"].as_str().unwrap().contains("cannot read nowhere.json"), "{refused}");
}
