//! Every verb (§18): it is run here or named as run elsewhere, prints one JSON document, and stands for the calls of the
//! service; the help of each is a snapshot. All of it goes by the tree of commands as the binary tells it, so that a new
//! verb cannot be forgotten.

use std::{cell::RefCell, collections::BTreeSet};

use testing::upstream::{Fault, calls};

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
    ("POST /v1/tokens", "token create"),
    ("GET /v1/tokens", "token list"),
    ("DELETE /v1/tokens/{id}", "token revoke"),
];

/// Verbs that the walk leaves out: other tests of this file's neighbours run them, or the calls behind them are tested at
/// the service.
const ELSEWHERE: &[&str] = &[
    "audit export",
    "audit verify",
    "backup",
    "batch cancel",
    "batch pause",
    "batch report",
    "batch resume",
    "batch rows",
    "batch run",
    "batch status",
    "certificate fetch",
    "certificate verify",
    "doctor",
    "end",
    "integrations remove",
    "keys rotate",
    "replay-erasures",
    "restore",
    "serve",
    "webhooks add",
    "webhooks deliveries",
    "webhooks list",
    "webhooks redeliver",
    "webhooks remove",
    "webhooks rotate",
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
        self.ends(FAILED, "list --status nonsense");
        self.ends(NOT_FOUND, "list --integration Nobody");
    }

    fn decisions(&self) {
        let set = |settings: &str| self.ends(DONE, &format!("integrations set Stream {settings}"));
        set("--approval true");
        let bob = self.held("delete --user-id bob --yes --wait 5", "approval_required");
        self.prints(DONE, &format!("approve {bob}"), "Request");
        let cat = self.held("delete --user-id cat --yes --wait 5", "approval_required");
        self.prints(DONE, &format!("deny {cat}"), "Request");
        set("--approval false --require-verification true");
        let dan = self.held("access --user-id dan --wait 5", "verification_required");
        let verified = self.prints(DONE, &format!("verify {dan} --by portal --method email_link"), "Request");
        assert_eq!(verified["verification"]["verified_by"], "portal");
        self.prints(
            DONE,
            "access --email dan@example.com --verified-by desk --verification-method passport",
            "Request",
        );
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

#[tokio::test(flavor = "multi_thread")]
async fn check_50_every_verb_is_run_and_prints_json() {
    let walk = Walk::new().await;
    walk.place.people();
    walk.keys_and_connections();
    walk.an_access();
    walk.decisions();
    let left = walk.left.into_inner();
    let left: Vec<&String> = left.iter().filter(|verb| !ELSEWHERE.contains(&verb.as_str())).collect();
    assert!(left.is_empty(), "no test runs {left:?}");
}
