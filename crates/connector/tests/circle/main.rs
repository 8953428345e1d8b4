//! The full circle against a real Millpond on a socket (checks 2, 6, 7, 15 and 48).
//!
//! The server runs on its own clock; the connector's is moved on to whatever is due next, so nobody waits.

#![expect(clippy::unwrap_used, reason = "in a test, and in what serves tests, a failure is a panic")]

mod feeds_v3;
mod life;
#[path = "../shared/start.rs"]
mod start;

use connector::{
    Connector, NewRequest,
    integrations::{Behavior, Health},
    probe::StepStatus,
    requests::{Category, GivenIdentifier, Kind, Request},
    status::{Outcome, Status},
    surroundings::{Clock as _, WallClock},
};
use ids::Timestamp;
use testing::{
    clock::HandClock,
    pond::{KEY, Pond, SECRET},
};

/// More steps than any flow here has.
const STEPS_MAX: usize = 2_000;

/// A connector beside a server.
struct Place {
    connector: Connector,
    clock: HandClock,
    pond: Pond,
    integration: String,
    _dir: tempfile::TempDir,
}

impl Place {
    /// One that is connected (check 2).
    async fn new() -> Self {
        let pond = Pond::start().await;
        let clock = HandClock::at(WallClock.now().micros());
        let dir = tempfile::tempdir().unwrap();
        let connector = start::open(dir.path(), &clock, store::Options::default()).await;
        let connected = start::connect(&connector, pond.url(), "millpond", (KEY, SECRET)).await;
        let passed = connected.report.steps.iter().filter(|step| step.status == StepStatus::Ok);
        let passed: Vec<&str> = passed.map(|step| step.name).collect();
        assert!((0..=8).all(|number| passed.contains(&format!("T{number}").as_str())), "{passed:?}");
        assert_eq!(connected.integration.health, Health::Connected, "{:?}", connected.report);
        assert_eq!(connected.integration.async_deletion_behavior, Behavior::WaitForCompletion);
        let integration = connected.integration.id;
        Place { connector, clock, pond, integration, _dir: dir }
    }

    async fn ask(&self, kind: Kind, category: Category, value: &str) -> Request {
        let new = NewRequest::new(kind, vec![GivenIdentifier::new(category, value).unwrap()]);
        let asked = self.connector.ask(&new).await.unwrap().request().id.clone();
        self.finish(&asked).await
    }

    /// Runs until the request waits for nobody but people; the server does its tasks meanwhile.
    async fn finish(&self, id: &str) -> Request {
        for _ in 0..STEPS_MAX {
            self.pond.run_tasks().await;
            self.connector.run_due().await.unwrap();
            let request = self.connector.request(id).await.unwrap();
            if request.state.status().is_final() || request.state.status() == Status::Held {
                return request;
            }
            if let Some(at) = self.connector.next_due().await.unwrap() {
                self.clock.set(at.micros().max(self.clock.micros()));
            }
        }
        panic!("more than {STEPS_MAX} steps: {:?}", self.connector.details(id).await.unwrap());
    }

    async fn file(&self, request: &Request, name: &str) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.connector.artifact(&request.executions[0], name, &mut bytes).await.unwrap();
        bytes
    }

    /// The texts of the files of the package of an access request, one after another.
    async fn package(&self, request: &Request) -> String {
        let bytes = self.file(request, "package.zip").await;
        connector::package::verify(std::io::Cursor::new(&bytes)).unwrap();
        let mut zip = zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
        let mut all = String::new();
        for index in 0..zip.len() {
            std::io::Read::read_to_string(&mut zip.by_index(index).unwrap(), &mut all).unwrap();
        }
        all
    }

    /// The paths of the calls of a request, in order.
    async fn calls(&self, request: &Request) -> Vec<String> {
        let details = self.connector.details(&request.id).await.unwrap();
        let attempts = details[0].tasks.iter().flat_map(|(_, attempts)| attempts);
        attempts.map(|attempt| attempt.path.clone()).collect()
    }

    async fn certificate(&self, request: &Request) -> serde_json::Value {
        let text = self.file(request, "erasure-certificate.json").await;
        let signature = String::from_utf8(self.file(request, "erasure-certificate.json.sig").await).unwrap();
        assert!(connector::signing::verify(&text, &signature, &self.connector.public_key()));
        serde_json::from_slice(&text).unwrap()
    }
}

const FOUND: (Status, Option<Outcome>) = (Status::Complete, Some(Outcome::RecordsFound));
const ERASED: (Status, Option<Outcome>) = (Status::Complete, Some(Outcome::Erased));

fn state(request: &Request) -> (Status, Option<Outcome>) {
    (request.state.status(), request.state.outcome())
}

#[tokio::test(flavor = "multi_thread")]
async fn check_06_an_access_makes_three_calls_in_order_and_brings_everything() {
    let place = Place::new().await;
    let said = life::live(&place.pond, "amy").await;
    let request = place.ask(Kind::Access, Category::UserId, "amy").await;
    assert_eq!(state(&request), FOUND);
    let calls = place.calls(&request).await;
    assert_eq!(calls[..3], ["/users", "/users/{id}/export", "/moderation/user_report"]);
    let package = place.package(&request).await;
    for text in &said.texts {
        assert!(package.contains(text.as_str()), "{text} is not in the package");
    }
    for theirs in [life::ANOTHERS, feeds_v3::ANOTHERS] {
        assert!(!package.contains(theirs), "what others said stays theirs");
    }
    place.pond.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn check_07_an_access_by_mixed_case_email_finds_a_deactivated_user() {
    let place = Place::new().await;
    life::live(&place.pond, "amy").await;
    let deactivated = place.pond.chat(reqwest::Method::POST, "users/amy/deactivate", &serde_json::json!({})).await;
    deactivated.ok();
    let request = place.ask(Kind::Access, Category::Email, "Amy@Example.COM").await;
    assert_eq!(state(&request), FOUND);
    let nobody = place.ask(Kind::Access, Category::Email, "nobody@example.com").await;
    assert_eq!(state(&nobody), (Status::Complete, Some(Outcome::NoRecordsFound)));
    place.pond.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn check_48_a_person_is_shown_deleted_and_after_a_restore_deleted_again() {
    let place = Place::new().await;
    let said = life::live(&place.pond, "amy").await;
    let backup = place.pond.backup();

    // Check 15: gone, seen to be gone, and certified.
    let deleted = place.ask(Kind::Deletion, Category::UserId, "amy").await;
    assert_eq!(state(&deleted), ERASED, "{:?}", place.connector.details(&deleted.id).await.unwrap());
    let certificate = place.certificate(&deleted).await;
    let options = serde_json::json!({
        "user": "hard", "messages": "hard", "conversations": "hard", "calls": "hard", "files": "hard",
        "new_channel_owner_id": null,
    });
    assert_eq!(certificate["options"], options);
    assert!(certificate["task_id"].is_string());
    life::is_gone(&place.pond, &said).await;

    // The backup brings her back; the ledger of erasures knows her by a hash.
    let Place { connector, clock, pond, integration, _dir } = place;
    let pond = pond.restored(&backup).await;
    let place = Place { connector, clock, pond, integration, _dir };
    let back = place.ask(Kind::Access, Category::UserId, "amy").await;
    assert_eq!(state(&back), FOUND, "the backup has her");
    let begun = place.connector.replay_erasures(&[], Timestamp::from_micros(0), "operator").await.unwrap();
    place.connector.run_due().await.unwrap();
    let replay = place.connector.replay(&begun[0].id).await.unwrap();
    assert_eq!((replay.status(), replay.resurrected, replay.re_registered), ("complete", 1, 0));
    assert_eq!(replay.integration, place.integration);
    let filter = connector::Filter { batch: Some(replay.id), ..connector::Filter::default() };
    let again = place.connector.requests(&filter, None, 10).await.unwrap().requests;
    assert_eq!(again.len(), 1);
    assert_eq!(state(&place.finish(&again[0].id).await), ERASED);
    life::is_gone(&place.pond, &said).await;

    // Bob, who was never erased, is there as before.
    assert_eq!(state(&place.ask(Kind::Access, Category::UserId, "bob").await), FOUND);
    place.pond.stop().await;
}
