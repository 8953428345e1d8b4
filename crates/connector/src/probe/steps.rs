//! The steps of the test, T1 to T8, and what each answer says about the connection.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Finding, Problem, Report, Step, StepStatus, missing};
use crate::{
    engine::query,
    integrations::Pair,
    surroundings::Surroundings,
    upstream::{Answer, Call, Endpoint, Http, Made, Meaning, Session},
};

const SECOND: i64 = 1_000_000;
/// The difference of clocks that is told, in seconds.
const SKEW_SECS: i64 = 30;

/// A call of the test.
struct Try {
    name: &'static str,
    what: &'static str,
    capability: Option<&'static str>,
    call: Call,
    passes: &'static [Meaning],
    must_be_empty: bool,
}

/// How the test is made.
pub(crate) struct Trial<'a> {
    pub(crate) session: &'a Session,
    pub(crate) http: &'a Http,
    pub(crate) pair: &'a Pair,
    pub(crate) email_field: &'a str,
    pub(crate) with_delete: bool,
}

impl Trial<'_> {
    async fn call(&self, step: &'static str, call: &Call, report: &mut Report, surroundings: &Surroundings) -> Answer {
        let answer = self.session.call(self.http, call, None, surroundings).await;
        report.calls.push((step, Made::call(&self.session.dialect, call, &answer, 1)));
        answer
    }
}

/// Makes the test.
pub(crate) async fn run(trial: &Trial<'_>, surroundings: &Surroundings) -> Report {
    let mut report = Report {
        tested_at: surroundings.now(),
        steps: Vec::new(),
        capabilities: BTreeMap::new(),
        note: None,
        calls: Vec::new(),
    };
    let finding = super::lint(trial.pair);
    let is_clean = finding.is_none();
    report.steps.push(step("T0", "key and secret", finding, StepStatus::Failed));
    if !is_clean {
        return report;
    }
    if trial.session.address.is_feeds() {
        report.steps.push(step("T2", "query users", Some(mismatch()), StepStatus::Failed));
        return report;
    }
    let probe = format!("millpond-probe-{}", surroundings.uuid());
    for (number, one) in tries(trial, &probe, surroundings).into_iter().enumerate() {
        let started = surroundings.now();
        if one.name == "T6" && !trial.with_delete {
            report.capabilities.insert("delete", false);
            report.steps.push(Step { status: StepStatus::Skipped, ..step(one.name, one.what, None, StepStatus::Ok) });
            continue;
        }
        let answer = trial.call(one.name, &one.call, &mut report, surroundings).await;
        let latency_ms = (surroundings.now().micros() - started.micros()) / 1000;
        if number == 0 {
            report.steps.push(reached(trial, &answer, latency_ms));
        }
        let finding = judge(trial, &one, &answer);
        let is_passed = finding.is_none();
        if let Some(capability) = one.capability {
            report.capabilities.insert(capability, is_passed);
        }
        let bad = if one.name == "T7" { StepStatus::Warning } else { StepStatus::Failed };
        let (http, code) = (answer.status, answer.code);
        report.steps.push(Step { latency_ms, http, code, ..step(one.name, one.what, finding, bad) });
        // Without the first call none of the others says anything; a missing right is another matter.
        if number == 0 && !is_passed && answer.meaning != Meaning::Forbidden {
            return report;
        }
    }
    try_feeds(trial, &probe, &mut report, surroundings).await;
    report
}

/// Looks whether feeds data has endpoints of its own there. A service without them is as good: it has no step then.
async fn try_feeds(trial: &Trial<'_>, probe: &str, report: &mut Report, surroundings: &Surroundings) {
    let started = surroundings.now();
    let call = Call::post_to(Endpoint::FeedsExport, probe, &Value::Null);
    let answer = trial.call("T9", &call, report, surroundings).await;
    let is_there = matches!(answer.meaning, Meaning::Ok | Meaning::NotFound);
    report.capabilities.insert("feeds", is_there);
    if is_there {
        let latency_ms = (surroundings.now().micros() - started.micros()) / 1000;
        let (http, code) = (answer.status, answer.code);
        report.steps.push(Step { latency_ms, http, code, ..step("T9", "feeds data", None, StepStatus::Ok) });
    }
}

fn step(name: &'static str, what: &'static str, finding: Option<Finding>, bad: StepStatus) -> Step {
    let status = if finding.is_some() { bad } else { StepStatus::Ok };
    Step { name, what, status, latency_ms: 0, http: None, code: None, finding }
}

fn tries(trial: &Trial<'_>, probe: &str, surroundings: &Surroundings) -> Vec<Try> {
    let parameter = trial.session.dialect.user_report_parameter.clone();
    let by_id = query(&json!({"id": {"$eq": probe}}));
    let by_email = query(&json!({trial.email_field: {"$in": ["probe@invalid.invalid"]}}));
    let found_or_not: &[Meaning] = &[Meaning::NotFound, Meaning::Ok];
    let one = |name, what, capability, call, passes| Try { name, what, capability, call, passes, must_be_empty: false };
    let only_ok: &[Meaning] = &[Meaning::Ok];
    vec![
        Try { must_be_empty: true, ..one("T2", "query users", Some("access"), by_id.clone(), only_ok) },
        one("T3", "export user", Some("export"), Call::get(Endpoint::ExportUser, probe), found_or_not),
        one(
            "T4",
            "moderation reports",
            Some("moderation"),
            Call::get(Endpoint::UserReport, probe).with(&parameter, probe),
            found_or_not,
        ),
        one(
            "T5",
            "read tasks",
            Some("tasks"),
            Call::get(Endpoint::GetTask, &surroundings.uuid()),
            &[Meaning::NotFound],
        ),
        one(
            "T6",
            "delete users",
            Some("delete"),
            Call::post(Endpoint::DeleteUsers, &json!({"user_ids": []})),
            &[Meaning::Rejected],
        ),
        Try { must_be_empty: true, ..one("T7", "search by e-mail", Some("email"), by_email, only_ok) },
        Try { must_be_empty: true, ..one("T8", "nothing was made", None, by_id, only_ok) },
    ]
}

/// T1, which the first call proves along with itself.
fn reached(trial: &Trial<'_>, answer: &Answer, latency_ms: i64) -> Step {
    let finding = (answer.status.is_none()).then(|| unreachable(trial, answer));
    Step { latency_ms, ..step("T1", "reach the server", finding, StepStatus::Failed) }
}

fn unreachable(trial: &Trial<'_>, answer: &Answer) -> Finding {
    let (host, cause) = (trial.session.address.host(), &answer.message);
    let lower = cause.to_lowercase();
    if ["certificate", "handshake", "tls", "corrupt message"].iter().any(|word| lower.contains(word)) {
        return Finding::new(Problem::TlsInvalid, format!("{host} cannot be trusted: {cause}."));
    }
    Finding::new(Problem::Unreachable, format!("{host} cannot be reached: {cause}."))
}

fn mismatch() -> Finding {
    let message = "This account or address does not offer the API this integration needs (REST API v2, users and \
                   moderation).";
    Finding::new(Problem::AccountTypeMismatch, message)
}

/// What is wrong with an answer.
fn judge(trial: &Trial<'_>, one: &Try, answer: &Answer) -> Option<Finding> {
    if one.passes.contains(&answer.meaning) {
        let holds_nobody = || answer.json().is_some_and(|body| body["users"].as_array().is_some_and(Vec::is_empty));
        let is_fine = answer.meaning != Meaning::Ok || !one.must_be_empty || holds_nobody();
        return (!is_fine).then(|| not_stream(trial));
    }
    let finding = |problem, message: String| Some(Finding::new(problem, message));
    let is_refused = matches!(answer.meaning, Meaning::KeyUnknown | Meaning::SecretWrong);
    if is_refused && trial.pair.key.expose().len() > trial.pair.secret.expose().len() {
        return finding(Problem::CredentialSwapped, "The API Key and API Secret look swapped.".to_owned());
    }
    match answer.meaning {
        Meaning::KeyUnknown => finding(
            Problem::ApiKeyInvalid,
            "Stream does not know this API Key. Keys are case-sensitive; check the app and region.".to_owned(),
        ),
        Meaning::SecretWrong => finding(
            Problem::ApiSecretWrong,
            "The API Key is known but the signature was refused: the API Secret does not belong to this key. Secrets \
             are case-sensitive."
                .to_owned(),
        ),
        Meaning::ClockRefused => {
            let skew = trial.session.offset() / SECOND;
            let told =
                if skew.abs() >= SKEW_SECS { format!("by {skew} s") } else { "(it refuses our times)".to_owned() };
            let message = format!("This machine's clock differs from the server's {told}. Fix the clock (NTP).");
            finding(Problem::ClockWrong, message)
        }
        Meaning::Forbidden => {
            let role = answer.json().and_then(|body| body["required_role"].as_str().map(|_| body["role"].clone()));
            match role {
                Some(role) => {
                    let role = role.as_str().unwrap_or("unknown").to_owned();
                    finding(Problem::RoleInsufficient, format!("The key's role is {role}; Admin is required."))
                }
                None => finding(Problem::PermissionMissing, missing(one.what)),
            }
        }
        Meaning::Suspended => finding(Problem::AppSuspended, "This app is suspended at Stream.".to_owned()),
        Meaning::EndpointMissing if one.name == "T2" => Some(mismatch()),
        Meaning::EndpointMissing => {
            let capability = one.capability.unwrap_or(one.what);
            let message = format!("{} does not exist on this server; {capability} will not work.", one.what);
            finding(Problem::EndpointMissing, message)
        }
        Meaning::RateLimited => {
            let until = answer.headers.reset_secs.map(|secs| ids::Timestamp::from_micros(secs.saturating_mul(SECOND)));
            let until = until.map_or_else(|| "later".to_owned(), |until| until.rfc3339_short().to_string());
            let message = format!("The app is at its rate limit until {until}; the test will be tried again.");
            finding(Problem::RateLimited, message)
        }
        Meaning::Unsent | Meaning::Lost => Some(unreachable(trial, answer)),
        Meaning::Redirected => {
            let host = trial.session.address.host();
            let message = format!("{host} points to another address, where the token must not go; enter that address.");
            finding(Problem::Redirected, message)
        }
        Meaning::Trouble | Meaning::Unavailable => {
            let status = answer.status.unwrap_or(0);
            finding(Problem::UpstreamTrouble, format!("The server is in trouble (status {status}); try again."))
        }
        Meaning::Ok | Meaning::NotFound | Meaning::Rejected | Meaning::TooLarge | Meaning::BadResponse => {
            if one.name == "T7" {
                let message =
                    format!("Users cannot be searched by `{}`: e-mail requests will not work.", trial.email_field);
                return finding(Problem::EndpointMissing, message);
            }
            Some(not_stream(trial))
        }
    }
}

fn not_stream(trial: &Trial<'_>) -> Finding {
    let message = format!("{} answers, but not as the API of Stream does.", trial.session.address.host());
    Finding::new(Problem::NotStream, message)
}
