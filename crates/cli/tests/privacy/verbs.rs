//! Every verb (§18): it is run here, prints one JSON document, and stands for the calls of the service; the help of each
//! is a snapshot. All of it goes by the tree of commands as the binary tells it, so that a new verb cannot be forgotten.

use std::{
    cell::RefCell,
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicU16, Ordering},
    },
};

use testing::upstream::{Fault, calls};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

use super::*;

/// Which verb makes a call of the service, by the call.
const VERBS: &[(&str, &str)] = &[
    ("POST /v1/integrations", "integrations add"),
    ("GET /v1/integrations", "integrations list"),
    ("GET /v1/integrations/{id}", "integrations show"),
    ("PATCH /v1/integrations/{id}", "integrations set"),
    ("DELETE /v1/integrations/{id}", "integrations remove"),
    ("POST /v1/integrations/{id}/test", "integrations test"),
    ("POST /v1/integrations/{id}/credentials", "integrations rotate"),
    ("POST /v1/integrations/{id}/disable", "integrations disable"),
    ("POST /v1/integrations/{id}/enable", "integrations enable"),
    ("GET /v1/integrations/{id}/limits", "integrations limits"),
    ("POST /v1/requests", "access"),
    ("GET /v1/requests", "list"),
    ("POST /v1/requests/preview", "delete"),
    ("POST /v1/requests/search", "search"),
    ("GET /v1/requests/{id}", "status"),
    ("POST /v1/requests/{id}/verify", "verify"),
    ("POST /v1/requests/{id}/approve", "approve"),
    ("POST /v1/requests/{id}/deny", "deny"),
    ("POST /v1/requests/{id}/hold", "hold"),
    ("POST /v1/requests/{id}/resume", "resume"),
    ("POST /v1/requests/{id}/select-targets", "select"),
    ("POST /v1/requests/{id}/retry", "retry"),
    ("POST /v1/requests/{id}/extend", "extend"),
    ("POST /v1/requests/{id}/cancel", "cancel"),
    ("POST /v1/requests/{id}/end", "end"),
    ("GET /v1/requests/{id}/package", "packages fetch"),
    ("POST /v1/requests/{id}/package", "packages fetch"),
    ("GET /v1/requests/{id}/manifest", "packages manifest"),
    ("POST /v1/requests/{id}/link", "packages link"),
    ("GET /v1/requests/{id}/certificate", "certificate fetch"),
    ("GET /v1/requests/{id}/events", "watch"),
    ("POST /v1/batches", "batch run"),
    ("GET /v1/batches/{id}", "batch status"),
    ("GET /v1/batches/{id}/rows", "batch rows"),
    ("POST /v1/batches/{id}/pause", "batch pause"),
    ("POST /v1/batches/{id}/resume", "batch resume"),
    ("POST /v1/batches/{id}/cancel", "batch cancel"),
    ("GET /v1/batches/{id}/report.csv", "batch report"),
    ("POST /v1/erasures/replay", "replay-erasures"),
    ("GET /v1/erasures/replay/{id}", "replay-erasures"),
    ("GET /v1/audit", "audit export"),
    ("GET /v1/audit/export", "audit export"),
    ("POST /v1/audit/verify", "audit verify"),
    ("POST /v1/webhooks", "webhooks add"),
    ("GET /v1/webhooks", "webhooks list"),
    ("POST /v1/webhooks/{id}/rotate", "webhooks rotate"),
    ("DELETE /v1/webhooks/{id}", "webhooks remove"),
    ("GET /v1/webhooks/{id}/deliveries", "webhooks deliveries"),
    ("POST /v1/webhooks/{id}/redeliver", "webhooks redeliver"),
    ("POST /v1/doctor", "doctor"),
    ("POST /v1/keys/verify", "keys verify"),
    ("GET /v1/retention", "retention show"),
    ("PATCH /v1/retention", "retention set"),
    ("POST /v1/tokens", "token create"),
    ("GET /v1/tokens", "token list"),
    ("DELETE /v1/tokens/{id}", "token revoke"),
];

/// The help of `millpond privacy` and these words.
fn help(words: &str) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_millpond"));
    let output = command.arg("privacy").args(words.split_whitespace()).arg("--help").env_clear().output().unwrap();
    assert!(output.status.success(), "{words}");
    String::from_utf8(output.stdout).unwrap()
}

/// Every verb that has none below it, as the help tells them.
fn verbs(words: &str) -> Vec<String> {
    let text = help(words);
    let Some((_, below)) = text.split_once("\nCommands:\n") else { return vec![words.trim().to_owned()] };
    let below = below.lines().take_while(|line| !line.is_empty());
    let names = below.filter_map(|line| line.strip_prefix("  ")).filter(|line| !line.starts_with(' '));
    let names = names.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help");
    names.flat_map(|name| verbs(&format!("{words} {name}"))).collect()
}

#[test]
fn check_50_every_help_page_is_a_snapshot() {
    let mut pages = String::new();
    for verb in verbs("") {
        let text = help(&verb);
        assert!(text.contains("Example: millpond privacy "), "`{verb} --help` has no example");
        // What every verb takes is told once, on the page of all of them.
        let own = text.split("\nWhere the connector is:\n").next().unwrap();
        pages.push_str(&format!("=== {verb}\n{}\n\n", own.trim_end()));
    }
    insta::assert_snapshot!("privacy", help(""));
    insta::assert_snapshot!("privacy_verbs", pages);
}

#[test]
fn check_50_every_call_of_the_service_has_a_verb() {
    let verbs = verbs("");
    for route in connector::http::routes().iter().filter(|route| !route.path.starts_with("/opendsr")) {
        let call = format!("{} {}", route.method, route.path);
        let verb = VERBS.iter().find(|(known, _)| *known == call).map(|(_, verb)| *verb);
        let verb = verb.unwrap_or_else(|| panic!("no verb makes `{call}`"));
        assert!(verbs.iter().any(|known| known == verb), "there is no verb `{verb}`");
    }
}

/// Runs verbs, and remembers which.
struct Walk {
    place: Place,
    left: RefCell<BTreeSet<String>>,
}

impl Walk {
    async fn new() -> Self {
        Walk { place: Place::new().await, left: RefCell::new(verbs("").into_iter().collect()) }
    }

    fn note(&self, line: &str) {
        let is_run = |verb: &String| line == verb || line.starts_with(&format!("{verb} "));
        self.left.borrow_mut().retain(|verb| !is_run(verb));
    }

    #[track_caller]
    fn ends(&self, code: i32, line: &str) -> Value {
        self.note(line);
        self.place.ends(code, line)
    }

    #[track_caller]
    fn prints(&self, code: i32, line: &str, name: &str) -> Value {
        self.note(line);
        self.place.prints(code, line, name)
    }

    /// A request that waits for somebody.
    #[track_caller]
    fn held(&self, line: &str, reason: &str) -> String {
        let held = self.prints(NEEDS_DECISION, line, "Request");
        assert_eq!(held["executions"][0]["reason"], reason, "{held}");
        id(&held).to_owned()
    }

    fn keys_and_connections(&self) {
        self.ends(DONE, "init");
        self.ends(DONE, "keys init --kek-file other.kek");
        self.ends(DONE, "keys status");
        self.prints(DONE, "keys verify", "KeyCheck");
        self.prints(DONE, &self.place.add("Stream", "--secret-file secret"), "Integration");
        self.prints(DONE, "integrations list", "Integrations");
        self.prints(DONE, "integrations show Stream", "Integration");
        self.prints(DONE, "integrations set Stream --throttle 0.8", "Integration");
        self.prints(DONE, "integrations test Stream", "TestReport");
        self.prints(DONE, "integrations limits Stream", "Limits");
        self.prints(DONE, "integrations rotate Stream --key-file key --secret-file secret", "TestReport");
        self.prints(DONE, "integrations disable Stream", "Integration");
        self.prints(DONE, "integrations enable Stream", "TestReport");
        let token = self.prints(DONE, "token create --name t --role viewer --expires-at 2100-01-01T00:00:00Z", "Token");
        assert_eq!(token["expires_at"], "2100-01-01T00:00:00Z");
        self.prints(DONE, "token list", "Tokens");
        self.ends(DONE, &format!("token revoke {}", id(&token)));
    }

    fn an_access(&self) {
        let access = self.prints(DONE, "access --user-id amy --out amy.zip", "Request");
        let access = id(&access);
        self.prints(DONE, &format!("status {access}"), "Request");
        self.prints(DONE, &format!("watch {access}"), "Request");
        let found = self.prints(DONE, "search --user-id amy --email nobody@example.com", "Requests");
        assert_eq!(found["data"][0]["id"], *access);
        assert_eq!(found["data"].as_array().unwrap().len(), 1);
        self.ends(DONE, &format!("packages fetch {access} --out again.zip"));
        let read = |name: &str| std::fs::read(self.place.dir.path().join(name)).unwrap();
        assert_eq!(read("amy.zip"), read("again.zip"));
        self.ends(DONE, "packages verify again.zip");
        assert_eq!(self.ends(DONE, &format!("packages manifest {access}"))["request_id"], *access);
        let link = self.ends(DONE, &format!("packages link {access} --expires-in 1h --downloads 2"));
        assert_eq!(link["downloads"], 2);
        self.ends(NOT_FOUND, "packages fetch dsr_nobody --out nothing.zip");
        self.prints(DONE, "list --integration Stream --type access --due-before 2100-01-01T00:00:00Z", "Requests");
        self.ends(USAGE, "list --status nonsense");
        self.ends(NOT_FOUND, "list --integration Nobody");
    }

    fn decisions(&self) {
        let set = |settings: &str| self.ends(DONE, &format!("integrations set Stream {settings}"));
        set("--approval true");
        let bob = self.held("delete --user-id bob --yes --wait 5", "approval_required");
        self.prints(DONE, &format!("approve {bob}"), "Request");
        let cat = self.held("delete --user-id cat --yes --wait 5", "approval_required");
        let denied = self.prints(DONE, &format!("deny {cat} --reason not-hers"), "Request");
        assert_eq!(
            (&denied["decisions"][0]["action"], &denied["decisions"][0]["reason"]),
            (&"deny".into(), &"not-hers".into())
        );
        set("--approval false --require-verification true");
        let dan = self.held("access --user-id dan --wait 5", "verification_required");
        let verified =
            self.prints(DONE, &format!("verify {dan} --by portal --method email_link --evidence-ref T-7"), "Request");
        assert_eq!(verified["verification"]["verified_by"], "portal");
        assert_eq!(verified["verification"]["evidence_ref"], "T-7");
        let by_desk = "--verified-by desk --verification-method passport --evidence-ref T-8";
        let asked = self.prints(DONE, &format!("access --email dan@example.com {by_desk}"), "Request");
        assert_eq!(asked["verification"]["evidence_ref"], "T-8");
        set("--require-verification false");
        let twins = self.held("delete --email twins@example.com --yes --wait 5", "multiple_matches");
        self.prints(DONE, &format!("extend {twins} --reason many"), "Request");
        self.prints(DONE, &format!("select {twins} 1"), "Request");
        self.place.upstream.fail(calls::QUERY, usize::MAX, Fault::Status(503, -1));
        let eve = self.prints(PROCESSING, "access --user-id eve --wait 1", "Request");
        self.prints(DONE, &format!("hold {}", id(&eve)), "Request");
        self.prints(DONE, &format!("resume {}", id(&eve)), "Request");
        self.prints(DONE, &format!("cancel {}", id(&eve)), "Request");
        self.place.upstream.heal();
        self.place.upstream.fail(calls::REPORT, usize::MAX, Fault::Status(403, 17));
        let failed = self.prints(FAILED, "access --user-id amy --external-id again", "Request");
        self.place.upstream.heal();
        // The refusal was noted as the health of the connection.
        self.prints(DONE, "integrations test Stream", "TestReport");
        self.prints(DONE, &format!("retry {}", id(&failed)), "Request");
    }
}

/// More looks than an event takes to arrive.
const LOOKS_MAX: usize = 100;

/// A receiver of events, which answers with the status that it is told.
async fn receiver() -> (String, Arc<AtomicU16>) {
    let status = Arc::new(AtomicU16::new(200));
    let answer = status.clone();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let answer = answer.clone();
            tokio::spawn(async move {
                let mut head = [0; 4096];
                while socket.read(&mut head).await.is_ok_and(|bytes| bytes > 0) {
                    let text = format!("HTTP/1.1 {} x\r\ncontent-length: 0\r\n\r\n", answer.load(Ordering::SeqCst));
                    // Whoever hangs up has what they wanted.
                    let _ = socket.write_all(text.as_bytes()).await;
                }
            });
        }
    });
    (url, status)
}

impl Walk {
    /// A batch with a wrong row, and one that is stopped.
    fn batches(&self) {
        let row = |id: &str| format!("{{\"identifiers\":[{{\"category\":\"user_id\",\"value\":\"{id}\"}}]}}\n");
        self.place.write("good.jsonl", (row("amy") + &row("nobody")).as_bytes());
        self.place.write("wrong.csv", b"type,email\naccess,amy@example.com\naccess,not an address\n");
        let good = self.prints(DONE, "batch run good.jsonl --type access --wait 60", "Batch");
        assert_eq!((&good["progress"]["complete"], &good["progress"]["no_records"]), (&1.into(), &1.into()));
        let wrong = self.prints(FAILED, "batch run wrong.csv --wait 60", "Batch");
        let wrong = id(&wrong);
        self.prints(FAILED, &format!("batch status {wrong}"), "Batch");
        let rows = self.prints(DONE, &format!("batch rows {wrong} --status invalid"), "BatchRows");
        assert_eq!((&rows["data"][0]["row"], rows["data"].as_array().unwrap().len()), (&2.into(), 1));
        self.prints(DONE, &format!("batch report {wrong}"), "BatchRows");
        self.ends(DONE, &format!("batch report {wrong} --out report.csv"));
        let report = std::fs::read_to_string(self.place.dir.path().join("report.csv")).unwrap();
        assert_eq!(report.lines().count(), 3, "{report}");
        self.ends(NOT_FOUND, "batch report bat_nobody");
        self.place.upstream.fail(calls::QUERY, usize::MAX, Fault::Later(900));
        self.place.write("slow.jsonl", row("slow").as_bytes());
        let slow = self.prints(PROCESSING, "batch run slow.jsonl --type access --wait 1", "Batch");
        let slow = id(&slow);
        self.prints(DONE, &format!("batch pause {slow}"), "Batch");
        assert_eq!(self.prints(NEEDS_DECISION, &format!("batch status {slow}"), "Batch")["state"], "paused");
        self.prints(DONE, &format!("batch resume {slow}"), "Batch");
        self.prints(DONE, &format!("batch cancel {slow}"), "Batch");
        self.place.upstream.heal();
    }

    /// A receiver that takes an event, and one that is gone.
    async fn webhooks(&self) {
        let (url, status) = receiver().await;
        self.ends(USAGE, &format!("webhooks add {url}"));
        let hook = self.prints(DONE, &format!("webhooks add {url} --webhook-host 127.0.0.1"), "Webhook");
        assert!(hook["secret"].as_str().unwrap().starts_with("whsec_"));
        let hook = id(&hook);
        assert_eq!(self.prints(DONE, "webhooks list", "Webhooks")["data"][0]["id"], *hook);
        self.prints(DONE, &format!("webhooks rotate {hook} --overlap 1h"), "Webhook");
        self.prints(DONE, "access --user-id amy --external-id told --webhook-host 127.0.0.1", "Request");
        let states = |wanted: &str| {
            let line = format!("webhooks deliveries {hook} --webhook-host 127.0.0.1");
            let sent = self.prints(DONE, &line, "Deliveries");
            let sent = sent["data"].as_array().unwrap().clone();
            !sent.is_empty() && sent.iter().all(|one| one["state"] == wanted)
        };
        assert!((0..LOOKS_MAX).any(|_| states("delivered")), "nobody took the events");
        status.store(410, Ordering::SeqCst);
        self.prints(DONE, "access --user-id amy --external-id untold --webhook-host 127.0.0.1", "Request");
        let is_disabled =
            || self.prints(DONE, "webhooks list --webhook-host 127.0.0.1", "Webhooks")["data"][0]["disabled"] == true;
        assert!((0..LOOKS_MAX).any(|_| is_disabled()), "nobody heard that it is gone");
        status.store(200, Ordering::SeqCst);
        self.prints(DONE, &format!("webhooks redeliver {hook} --webhook-host 127.0.0.1"), "Redelivered");
        assert!((0..LOOKS_MAX).any(|_| states("delivered")), "nobody took what was sent again");
        self.ends(DONE, &format!("webhooks remove {hook}"));
        self.ends(NOT_FOUND, &format!("webhooks deliveries {hook}"));
    }

    /// The certificate of a deletion, fetched and checked.
    fn a_certificate(&self) {
        self.ends(DONE, "integrations set Stream --poll-first 1 --poll-most 1 --poll-spread 0");
        let deleted = self.prints(DONE, "delete --user-id gil --yes --wait 2m", "Request");
        assert_eq!(deleted["outcome"], "erased");
        let deleted = id(&deleted);
        self.ends(DONE, &format!("certificate fetch {deleted} --out erasure.json"));
        self.ends(DONE, "certificate verify erasure.json");
        let text = std::fs::read(self.place.dir.path().join("erasure.json")).unwrap();
        let faults = schema::faults(&self.place.document, "Certificate", &serde_json::from_slice(&text).unwrap());
        assert_eq!(faults, Vec::<String>::new());
        self.ends(DONE, &format!("certificate fetch {deleted} --out erasure.html --html"));
        self.ends(DONE, "certificate verify erasure.html");
        self.place.write("erasure.json", &[&text[..], b" "].concat());
        self.ends(NOT_INTACT, "certificate verify erasure.json");
        self.ends(NOT_FOUND, "certificate fetch dsr_nobody --out none.json");
        self.prints(DONE, "replay-erasures --integration Stream --wait 30", "Replays");
    }

    /// The log, here and away from home.
    fn audit(&self) {
        self.prints(DONE, "audit verify", "AuditCheck");
        self.ends(DONE, "audit export");
        let log = self.place.command("audit export").output().unwrap().stdout;
        self.place.write("audit.jsonl", &log);
        assert_eq!(self.ends(DONE, "audit verify audit.jsonl")["ok"], true);
        let text = String::from_utf8(log).unwrap();
        let forged = text.replacen("\"actor\":\"local\"", "\"actor\":\"nobody\"", 1);
        assert_ne!(forged, text);
        self.place.write("forged.jsonl", forged.as_bytes());
        assert_eq!(self.ends(NOT_INTACT, "audit verify forged.jsonl")["ok"], false);
        // What `serve --audit-mirror` writes has no last line.
        let unsigned = text.trim_end().rsplit_once('\n').unwrap().0;
        self.place.write("mirror.jsonl", unsigned.as_bytes());
        assert_eq!(self.ends(NOT_INTACT, "audit verify mirror.jsonl")["ok"], false);
        let mirror = self.ends(DONE, "audit verify --mirror mirror.jsonl");
        assert_eq!((&mirror["ok"], &mirror["public_key"]), (&true.into(), &Value::Null));
        assert!(unsigned.ends_with(&format!("{}\"}}", mirror["hash"].as_str().unwrap())));
    }

    fn upkeep(&self) {
        self.prints(DONE, "doctor", "Examination");
        self.audit();
        assert_eq!(self.prints(DONE, "retention show", "Retention")["packages_days"], 7);
        let kept = self.prints(DONE, "retention set --identifiers 60d", "Retention");
        assert_eq!((&kept["packages_days"], &kept["identifiers_days"]), (&7.into(), &60.into()));
        self.ends(USAGE, "retention set --packages 36h");
        self.ends(USAGE, "retention set");
        self.ends(DONE, "backup privacy.backup");
        self.ends(DONE, "restore privacy.backup --data-dir elsewhere");
        let refused = self.ends(FAILED, "restore privacy.backup --data-dir elsewhere");
        let why = "there is a connector in it already; restore into a directory of its own";
        assert_eq!(refused["detail"], format!("cannot restore privacy.backup into elsewhere: {why}"));
        let missing = self.ends(FAILED, "restore nowhere.backup --data-dir another");
        assert_eq!(missing["detail"], "cannot read nowhere.backup: No such file or directory (os error 2)");
        let access = self.prints(DONE, "access --user-id amy --external-id unended", "Request");
        self.ends(FAILED, &format!("end {}", id(&access)));
        self.note("serve");
        self.ends(FAILED, "serve --listen 0.0.0.0:0");
        self.ends(DONE, "keys rotate --new-kek-file rotated.kek");
        self.ends(DONE, "integrations remove Stream --force --kek-file rotated.kek");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn check_50_every_verb_is_run_and_prints_json() {
    let walk = Walk::new().await;
    walk.place.people();
    walk.place.upstream.set(|world| {
        world.add("gil", "gil@example.com");
        world.task_words = vec!["completed".to_owned()];
    });
    walk.keys_and_connections();
    walk.an_access();
    walk.decisions();
    walk.batches();
    walk.webhooks().await;
    walk.a_certificate();
    walk.upkeep();
    assert_eq!(walk.left.into_inner(), BTreeSet::new(), "nothing runs these");
}

#[tokio::test(flavor = "multi_thread")]
async fn check_50_retry_and_watch_wait_for_no_attempt_that_is_far_away() {
    let place = Place::connected().await;
    place.upstream.fail(calls::QUERY, usize::MAX, Fault::Later(900));
    let access = place.prints(PROCESSING, "access --user-id amy --wait 1", "Request");
    let access = id(&access);
    place.upstream.heal();
    let told = place.command(&format!("watch {access} --wait 4")).output().unwrap();
    assert_eq!(told.status.code(), Some(PROCESSING));
    let told = String::from_utf8(told.stderr).unwrap();
    assert!(told.contains("retrying · resolve · upstream_trouble · next check 20"), "{told}");
    place.prints(DONE, &format!("retry {access}"), "Request");
    assert_eq!(place.prints(DONE, &format!("watch {access} --wait 60"), "Request")["outcome"], "records_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn check_50_a_service_whose_worker_fails_ends() {
    let place = Place::connected().await;
    let token = place.ends(DONE, "token create --name portal --role request_operator");
    place.write("token", token["token"].as_str().unwrap().as_bytes());
    let mut child = place.command("serve --listen 127.0.0.1:0").stdout(Stdio::piped()).spawn().unwrap();
    let out = BufReader::new(child.stdout.take().unwrap());
    let mut served = Served(child);
    let ready = out.lines().next().unwrap().unwrap();
    // Nothing can be written where bodies are kept.
    let blobs = place.dir.path().join("millpond-privacy/blobs");
    std::fs::remove_dir_all(&blobs).unwrap();
    std::fs::write(&blobs, b"").unwrap();
    let server = format!("--server {} --token-file token", ready.strip_prefix("ready ").unwrap());
    // The call may be answered or cut off, as the service is quick to end.
    let _ = place.command(&format!("{server} access --user-id amy --wait 0")).output().unwrap();
    assert_eq!(served.0.wait().unwrap().code(), Some(FAILED));
}

#[tokio::test(flavor = "multi_thread")]
async fn check_50_an_id_that_is_none_is_not_found_whatever_is_in_it() {
    let place = Place::connected().await;
    for id in ["nobody", "<x>", "a/b", "a?b", "../tokens", "\u{e9}%zz"] {
        for verb in ["status", "cancel", "packages manifest", "batch status", "token revoke", "webhooks remove"] {
            place.ends(NOT_FOUND, &format!("{verb} {id}"));
        }
    }
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn check_42_a_service_that_breaks_down_leaves_no_image_of_its_memory() {
    let place = Place::connected().await;
    let (served, _) = place.served("--listen 127.0.0.1:0");
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", served.0.id())).unwrap();
    let core = limits.lines().find_map(|line| line.strip_prefix("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().next(), Some("0"), "{limits}");
}
