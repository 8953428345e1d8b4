//! `millpond privacy` as its users see it (check 50): every verb, the exit codes of §18, and JSON that is what the
//! service's own document says. The binary is run against a fake of the API that it connects to.

#![expect(clippy::unwrap_used, reason = "in a test, and in what serves tests, a failure is a panic")]

#[path = "privacy/files.rs"]
mod files;
#[path = "privacy/settings.rs"]
mod settings;
#[path = "privacy/verbs.rs"]
mod verbs;

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
};

use connector::surroundings::{Clock as _, WallClock};
use serde_json::Value;
use tempfile::TempDir;
use testing::{clock::HandClock, schema, upstream::Upstream};

const KEY: &str = "commandkey";
const SECRET: &str = "a-secret-that-is-long-enough-for-hs256";

const DONE: i32 = 0;
const FAILED: i32 = 1;
const USAGE: i32 = 2;
const NOT_ALLOWED: i32 = 3;
const NOT_FOUND: i32 = 4;
const NEEDS_DECISION: i32 = 5;
const PROCESSING: i32 = 6;
const TEST_FAILED: i32 = 7;
const NOT_INTACT: i32 = 8;

/// A directory, the API beside it, and nothing else in the environment.
struct Place {
    dir: TempDir,
    upstream: Upstream,
    clock: HandClock,
    document: Value,
}

/// A service that is killed when the test ends.
struct Served(Child);

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Place {
    async fn new() -> Self {
        let clock = HandClock::at(WallClock.now().micros());
        let upstream = Upstream::start(KEY, SECRET, &clock).await;
        let dir = tempfile::tempdir().unwrap();
        let place = Place { dir, upstream, clock, document: connector::http::document() };
        place.write("key", KEY.as_bytes());
        place.write("secret", SECRET.as_bytes());
        place.write("wrong", b"another-secret-that-is-long-enough");
        place
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.dir.path().join(name), bytes).unwrap();
    }

    fn command(&self, line: &str) -> Command {
        // The fake tells the time of this machine, which is what the binary goes by.
        self.clock.set(WallClock.now().micros());
        let mut command = Command::new(env!("CARGO_BIN_EXE_millpond"));
        command.arg("privacy").args(line.split_whitespace()).current_dir(self.dir.path()).env_clear();
        command.env("MILLPOND_PRIVACY_KEK_FILE", "privacy.kek").stdin(Stdio::null());
        command
    }

    /// A service that runs, and where.
    fn served(&self, flags: &str) -> (Served, String) {
        let mut child = self.command(&format!("serve {flags}")).stdout(Stdio::piped()).spawn().unwrap();
        let mut ready = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut ready).unwrap();
        (Served(child), ready.trim().strip_prefix("ready ").unwrap().to_owned())
    }

    /// Runs a verb, which must end with `code`; answers what it printed.
    #[track_caller]
    fn ends(&self, code: i32, line: &str) -> Value {
        let output = self.command(&format!("--output json {line}")).output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        let printed = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(code), "`{line}` printed {printed} and told {told}");
        for secret in [KEY, SECRET] {
            assert!(!printed.contains(secret) && !told.contains(secret), "`{line}` shows a secret");
        }
        // What the command line itself refuses has no document.
        if code == USAGE && printed.is_empty() {
            return Value::Null;
        }
        // The log is a document for each entry; anything else is one.
        let mut documents = printed.lines().map(|line| serde_json::from_str(line).unwrap());
        let last = documents.next_back().unwrap_or_else(|| panic!("`{line}` prints nothing"));
        assert!(documents.count() == 0 || line == "audit export", "`{line}` prints more than one document");
        last
    }

    /// The same, where what is printed must fit the schema.
    #[track_caller]
    fn prints(&self, code: i32, line: &str, name: &str) -> Value {
        let value = self.ends(code, line);
        let faults = schema::faults(&self.document, name, &value);
        assert!(faults.is_empty(), "`{line}` prints no {name}: {faults:?} in {value}");
        value
    }

    fn add(&self, name: &str, more: &str) -> String {
        let url = self.upstream.url();
        format!("integrations add --name {name} --key-file key --base-url {url} {more}")
    }

    /// One with a directory, a connection, and people.
    async fn connected() -> Self {
        let place = Self::new().await;
        place.ends(DONE, "init");
        place.people();
        place.prints(DONE, &place.add("Stream", "--secret-file secret"), "Integration");
        place
    }

    fn people(&self) {
        self.upstream.set(|world| {
            ["amy", "bob", "cat", "dan"].iter().for_each(|id| world.add(id, &format!("{id}@example.com")));
            ["twin-1", "twin-2"].iter().for_each(|id| world.add(id, "twins@example.com"));
        });
    }
}

fn id(value: &Value) -> &str {
    value["id"].as_str().unwrap_or_else(|| panic!("no id: {value}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn check_50_keys_tokens_and_the_directory() {
    let place = Place::new().await;
    assert_eq!(place.command("nonsense").output().unwrap().status.code(), Some(USAGE));
    place.ends(FAILED, "keys status");
    let made = place.ends(DONE, "init");
    assert!(made["token"].as_str().unwrap().starts_with("mpp_"));
    place.ends(FAILED, "init");
    assert_eq!(place.ends(DONE, "keys status")["kek_id"], made["kek_id"]);
    place.prints(DONE, "keys verify", "KeyCheck");
    place.ends(DONE, "keys init --kek-file new.kek");
    place.ends(FAILED, "keys init --kek-file new.kek");
    place.ends(FAILED, "keys verify --kek-file new.kek");
    let token = place.prints(DONE, "token create --name portal --role viewer", "Token");
    assert_eq!(place.prints(DONE, "token list", "Tokens")["data"].as_array().unwrap().len(), 2);
    place.ends(DONE, &format!("token revoke {}", id(&token)));
    place.prints(DONE, "audit verify", "AuditCheck");
    let log = place.command("audit export").output().unwrap();
    for line in String::from_utf8(log.stdout).unwrap().lines().filter(|line| line.contains("\"prev_hash\"")) {
        let entry = serde_json::from_str(line).unwrap();
        assert_eq!(schema::faults(&place.document, "AuditEntry", &entry), Vec::<String>::new());
    }
    let rotated = place.ends(DONE, "keys rotate --new-kek-file new.kek");
    assert_ne!(rotated["kek_id"], made["kek_id"]);
    place.ends(FAILED, "keys status");
    place.ends(DONE, "keys status --kek-file new.kek");
}

#[tokio::test(flavor = "multi_thread")]
async fn check_50_a_passphrase_opens_the_directory() {
    let place = Place::new().await;
    place.write("passphrase", b"still water runs deep\n");
    place.write("another", b"still water runs dry\n");
    let run = |line: &str| place.command(line).env_remove("MILLPOND_PRIVACY_KEK_FILE").output().unwrap().status.code();
    assert_eq!(run("init --kek-passphrase-file passphrase"), Some(FAILED), "there is no recipe");
    assert_eq!(run("keys init --kek-passphrase-file passphrase"), Some(DONE));
    assert_eq!(run("init --kek-passphrase-file passphrase"), Some(DONE));
    assert_eq!(run("keys verify --kek-passphrase-file passphrase"), Some(DONE));
    assert_eq!(run("keys verify --kek-passphrase-file another"), Some(FAILED));
}

#[tokio::test(flavor = "multi_thread")]
async fn check_50_integrations() {
    let place = Place::connected().await;
    place.ends(TEST_FAILED, &place.add("Other", "--secret-file wrong"));
    assert_eq!(place.prints(DONE, "integrations list", "Integrations")["data"].as_array().unwrap().len(), 1);
    place.prints(DONE, "integrations show Stream", "Integration");
    place.ends(NOT_FOUND, "integrations show Nobody");
    place.prints(DONE, "integrations test Stream", "TestReport");
    place.prints(DONE, "integrations limits Stream", "Limits");
    place.prints(DONE, "integrations disable Stream", "Integration");
    place.prints(DONE, "integrations enable Stream", "TestReport");
    place.ends(TEST_FAILED, "integrations rotate Stream --key-file key --secret-file wrong");
    place.prints(DONE, "integrations rotate Stream --key-file key --secret-file secret", "TestReport");
    place.upstream.set(|world| world.secret = "changed-over-there".to_owned());
    place.prints(TEST_FAILED, "integrations test Stream", "TestReport");
    place.prints(FAILED, "doctor", "Examination");
    place.upstream.set(|world| world.secret = SECRET.to_owned());
    place.prints(DONE, "doctor", "Examination");
    place.ends(DONE, "integrations remove Stream --force");
    place.ends(NOT_FOUND, "integrations show Stream");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_access_that_finds_nobody_says_so_and_writes_no_file() {
    let place = Place::connected().await;
    let output = place.command("access --email nobody@example.com --out nobody.zip").output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(DONE), "{told}");
    assert!(told.contains("Nobody was found"), "{told}");
    assert!(!place.dir.path().join("nobody.zip").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn check_50_requests() {
    let place = Place::connected().await;
    let access = place.prints(DONE, "access --email amy@example.com --out amy.zip", "Request");
    place.ends(DONE, "packages verify amy.zip");
    let mut bytes = std::fs::read(place.dir.path().join("amy.zip")).unwrap();
    // Into the content of the first file: after its header, its name and what else stands there.
    let length = |at: usize| usize::from(u16::from_le_bytes([bytes[at], bytes[at + 1]]));
    let content = 30 + length(26) + length(28);
    bytes[content + 4] ^= 1;
    place.write("changed.zip", &bytes);
    place.ends(NOT_INTACT, "packages verify changed.zip");
    place.write("certificate.json", b"{\"public_key\":\"\"}");
    place.write("certificate.json.sig", b"none");
    place.ends(NOT_INTACT, "certificate verify certificate.json");
    place.ends(NOT_FOUND, "access --email amy@example.com --integration Nobody");
    place.prints(DONE, &format!("status {}", id(&access)), "Request");
    place.prints(DONE, &format!("show {}", id(&access)), "Request");
    place.prints(DONE, &format!("watch {} --wait 5", id(&access)), "Request");
    place.ends(NOT_FOUND, "status dsr_nobody");
    place.ends(FAILED, &format!("retry {}", id(&access)));
    place.prints(DONE, "list --type access", "Requests");

    place.prints(DONE, "delete --user-id bob --dry-run", "Request");
    place.ends(NEEDS_DECISION, "delete --user-id bob");
    assert!(place.upstream.deletions().is_empty(), "nobody said yes");
    place.prints(PROCESSING, "delete --user-id bob --yes --wait 1", "Request");
    assert_eq!(place.upstream.deletions(), [["bob"]]);

    let twins = place.prints(NEEDS_DECISION, "delete --email twins@example.com --yes --wait 5", "Request");
    place.prints(DONE, &format!("extend {} --reason many", id(&twins)), "Request");
    place.prints(DONE, &format!("cancel {}", id(&twins)), "Request");
    place.ends(FAILED, &format!("cancel {}", id(&twins)));
    let again =
        place.prints(NEEDS_DECISION, "delete --email twins@example.com --external-id T2 --yes --wait 5", "Request");
    place.prints(DONE, &format!("select {} 1", id(&again)), "Request");
    for verb in ["approve", "deny", "resume", "hold"] {
        place.ends(NOT_FOUND, &format!("{verb} dsr_nobody"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn check_50_a_deletion_that_is_done_when_it_is_submitted() {
    let place = Place::connected().await;
    let fast = place.add("Fast", "--secret-file secret --async-deletion-behavior complete_on_submit");
    place.prints(DONE, &fast, "Integration");
    let deleted = place.prints(DONE, "delete --user-id cat --integration Fast --yes --wait 30", "Request");
    assert_eq!((&deleted["status"], &deleted["outcome"]), (&"complete".into(), &"submitted".into()));
    place.prints(DONE, "replay-erasures --integration Stream --wait 30", "Replays");
}

#[tokio::test(flavor = "multi_thread")]
async fn check_50_a_service_answers_the_same_and_refuses_by_role() {
    let place = Place::connected().await;
    place.prints(DONE, "access --user-id amy", "Request");
    let here = place.prints(DONE, "list", "Requests");
    let viewer = place.ends(DONE, "token create --name looker --role viewer");
    place.write("viewer", viewer["token"].as_str().unwrap().as_bytes());
    let mut child = place.command("serve --listen 127.0.0.1:0").stdout(Stdio::piped()).spawn().unwrap();
    let out = BufReader::new(child.stdout.take().unwrap());
    let mut served = Served(child);
    let ready = out.lines().next().unwrap().unwrap();
    let server = format!("--server {} --token-file viewer", ready.strip_prefix("ready ").unwrap());
    assert_eq!(place.prints(DONE, &format!("{server} list"), "Requests"), here);
    place.ends(NOT_ALLOWED, &format!("{server} token list"));
    place.write("nobody", b"mpp_nobody");
    place.ends(NOT_ALLOWED, &format!("{} list", server.replace("viewer", "nobody")));

    // Check 27: whoever comes second is refused, also while the first one stands still.
    let pid = served.0.id().to_string();
    let signal = |name: &str| assert!(Command::new("kill").args([name, &pid]).status().unwrap().success());
    signal("-STOP");
    place.ends(FAILED, "list");
    signal("-CONT");
    place.prints(DONE, &format!("{server} list"), "Requests");
    signal("-TERM");
    assert_eq!(served.0.wait().unwrap().code(), Some(DONE));
    place.prints(DONE, "list", "Requests");
}

#[tokio::test(flavor = "multi_thread")]
async fn check_50_a_backup_is_restored_elsewhere() {
    let place = Place::connected().await;
    let access = place.prints(DONE, "access --user-id amy", "Request");
    let written = place.ends(DONE, "backup privacy.backup");
    place.ends(FAILED, "backup privacy.backup");
    let restored = place.ends(DONE, "restore privacy.backup --data-dir elsewhere");
    assert_eq!(restored["rows"], written["rows"]);
    place.ends(FAILED, "restore privacy.backup");
    place.prints(DONE, &format!("status {} --data-dir elsewhere", id(&access)), "Request");
}
