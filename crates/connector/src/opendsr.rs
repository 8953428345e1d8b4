//! OpenDSR, formerly OpenGDPR (§16.1): controllers hand in requests of persons, ask how they stand, and are called back.
//!
//! The protocol has no word for a failure: a request that failed stays `in_progress`, with the reason in the extension
//! of our domain, until an operator ends it as `cancelled`.
//!
//! **Invariant:** what failed is never reported as `completed`; whatever a controller is told is signed.

mod callbacks;
mod processor;
mod submission;

use ids::Timestamp;
use minicbor::{Decode, Encode};
use serde_json::{Value, json};
use store::Transaction;

use crate::{
    Asked, Connector, Error, Result,
    audit::{self, Draft},
    connector::load_request,
    error::failed,
    executions,
    keyspace::{self, HERE, OPENDSR, OPENDSR_OF},
    requests::{Kind, Request},
    status::{Reason, Status},
    words::words,
};

pub use processor::{ConfigError, Processor};

pub(crate) use callbacks::{Callback, header_names, tell};
pub(crate) use submission::Refused;

/// The most ids under which one open request is handed in: its changes are told to all of them in one commit.
const HANDED_IN_MAX: usize = 16;

words! {
    /// How a request stands, in the protocol's words.
    Standing {
        /// Received, and nothing was done yet.
        0 Pending = "pending",
        /// It is acted on.
        1 InProgress = "in_progress",
        /// It was fulfilled.
        2 Completed = "completed",
        /// It was withdrawn, or an operator ended it.
        3 Cancelled = "cancelled",
    }
}

/// What a controller handed in; the key is the controller's id of the request.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Record {
    /// The version of the protocol that was spoken.
    #[n(0)]
    pub(crate) version: u8,
    /// The token of the controller.
    #[n(1)]
    pub(crate) controller: String,
    /// Our request.
    #[n(2)]
    pub(crate) request: String,
    /// The keyed hash of the body.
    #[n(3)]
    pub(crate) body_hash: String,
    /// Who is called when the standing changes.
    #[n(4)]
    pub(crate) callbacks: Vec<String>,
    /// When it came.
    #[n(5)]
    pub(crate) received_at: Timestamp,
    /// The standing that was told last, and why it failed, if it did.
    #[n(6)]
    pub(crate) told: Told,
    /// Whether it was ended as cancelled apart from our request.
    #[n(7)]
    pub(crate) is_ended: bool,
}

/// A standing with the reason of a failure.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Told {
    #[n(0)]
    pub(crate) standing: Standing,
    #[n(1)]
    pub(crate) failure: Option<Reason>,
}

impl Told {
    /// How a request stands for its controller.
    fn of(request: &Request, is_ended: bool) -> Self {
        let standing = match request.state.status() {
            _ if is_ended => Standing::Cancelled,
            Status::Received | Status::Held | Status::Queued => Standing::Pending,
            Status::Processing | Status::Retrying | Status::Failed => Standing::InProgress,
            Status::Complete => Standing::Completed,
            Status::Canceled => Standing::Cancelled,
        };
        let has_failed = !is_ended && request.state.status() == Status::Failed;
        let failure = has_failed.then(|| request.state.reason().unwrap_or(Reason::Incomplete));
        Told { standing, failure }
    }

    /// The fields that say it, in an answer or a callback.
    fn fill(&self, body: &mut Value, domain: &str, request: &Request, results: u32) {
        body["request_status"] = self.standing.word().into();
        if self.standing == Standing::Completed {
            body["results_count"] = results.into();
            if request.kind == Kind::Access && results > 0 {
                body["results_url"] = format!("https://{domain}/v1/requests/{}/package", request.id).into();
            }
        }
        if let Some(failure) = self.failure {
            body["extensions"] = json!({domain: {"failure": failure.word()}});
        }
    }
}

/// How many users a request found.
async fn results(tx: &mut Transaction, request: &Request) -> Result<u32> {
    let mut count = 0;
    for id in &request.executions {
        count += executions::load(tx, id).await?.targets;
    }
    Ok(count)
}

/// The ids under which controllers handed a request in.
async fn handed_in_as(tx: &mut Transaction, request: &str) -> Result<Vec<String>> {
    let rows = keyspace::all(tx, &OPENDSR_OF, OPENDSR_OF.prefix(HERE, &(request.to_owned(),))).await?;
    Ok(rows.into_iter().map(|((_, id), ())| id).collect())
}

fn time(at: Timestamp) -> String {
    at.rfc3339_short().to_string()
}

fn api_version(version: u8) -> String {
    format!("{version}.0")
}

impl Connector {
    /// Speaks OpenDSR, as this processor.
    #[must_use]
    pub fn with_opendsr(mut self, processor: Processor) -> Self {
        self.opendsr = Some(processor);
        self
    }

    /// Who signs, if OpenDSR is spoken.
    pub(crate) fn processor(&self) -> Option<&Processor> {
        self.opendsr.as_ref()
    }

    /// Takes a request of a controller; the same one again is answered the same.
    pub(crate) async fn opendsr_submit(&self, version: u8, controller: &str, body: &[u8]) -> Result<Value, Refused> {
        let domain = self.processor().map(Processor::domain).unwrap_or_default();
        let submitted = submission::read(version, domain, body)?;
        for url in &submitted.callbacks {
            self.http.guard().check(url)?;
        }
        let body_hash = self.pepper.hash(body);
        let id = &submitted.id;
        let known = OPENDSR.get(&mut self.store.read(), HERE, id).await.map_err(Error::from)?;
        if let Some(record) = known {
            if (&record.body_hash, record.controller.as_str(), record.version) != (&body_hash, controller, version) {
                return Err(Refused::new("subject_request_id was used for another request"));
            }
            return Ok(self.receipt(id, &record, &self.request(&record.request).await?, body));
        }
        let mut new = submitted.request;
        new.integrations = self.named(&submitted.integrations).await?;
        new.external_id = Some(id.clone());
        controller.clone_into(&mut new.requested_by);
        let asked = self.ask(&new).await?;
        let is_foreign = matches!(&asked, Asked::Duplicate(found) if found.external_id.as_ref() == Some(id)
            && found.requested_by != controller);
        if is_foreign {
            return Err(Refused::new("subject_request_id was used for another request"));
        }
        let record = Record {
            version,
            controller: controller.to_owned(),
            request: asked.request().id.clone(),
            body_hash,
            callbacks: submitted.callbacks,
            received_at: self.surroundings.now(),
            told: Told { standing: Standing::Pending, failure: None },
            is_ended: false,
        };
        self.remember(id, &record).await?;
        Ok(self.receipt(id, &record, asked.request(), body))
    }

    /// Stores what was handed in. A crash before this leaves a request that the controller, who has no answer, hands
    /// in again.
    async fn remember(&self, id: &str, record: &Record) -> Result<()> {
        let now = self.surroundings.now();
        let written = self.store.write(async |tx: &mut Transaction| {
            let draft = Draft::by(&record.controller, "opendsr.received", id).of_request(&record.request);
            let seq = audit::record(tx, &draft.with("version", record.version), now).await?;
            let others = handed_in_as(tx, &record.request).await?;
            if others.len() >= HANDED_IN_MAX && others.iter().all(|other| other != id) {
                let told = format!("this person was asked for under {HANDED_IN_MAX} ids already; wait for the answer");
                return Err(Error::Conflict(told));
            }
            OPENDSR_OF.put(tx, HERE, &(record.request.clone(), id.to_owned()), &());
            OPENDSR.put(tx, HERE, &id.to_owned(), record);
            // The work may have begun in between.
            let request = load_request(tx, &record.request).await?;
            callbacks::notify(tx, id, record.clone(), &request, seq, now).await
        });
        written.await.map_err(failed)
    }

    fn receipt(&self, id: &str, record: &Record, request: &Request, body: &[u8]) -> Value {
        use base64::{Engine as _, engine::general_purpose::STANDARD};
        json!({
            "controller_id": record.controller,
            "expected_completion_time": time(request.due_at),
            "received_time": time(record.received_at),
            "encoded_request": STANDARD.encode(body),
            "subject_request_id": id,
            "api_version": api_version(record.version),
        })
    }

    /// The ids of integrations that are named by name or id.
    async fn named(&self, names: &[String]) -> Result<Vec<String>, Refused> {
        let all = self.integrations().await?;
        let id = |name: &String| {
            let found = all.iter().find(|one| one.id == *name || one.name == *name);
            found
                .map(|one| one.id.clone())
                .ok_or_else(|| Refused::new("extensions names an integration that is not here"))
        };
        names.iter().map(id).collect()
    }

    /// What a controller handed in under this id.
    async fn handed_in(&self, id: &str, controller: &str) -> Result<Record, Refused> {
        let record = OPENDSR.get(&mut self.store.read(), HERE, &id.to_owned()).await.map_err(Error::from)?;
        record.filter(|record| record.controller == controller).ok_or_else(|| Refused::new("there is no such request"))
    }

    /// How a request of a controller stands.
    pub(crate) async fn opendsr_status(&self, id: &str, controller: &str) -> Result<Value, Refused> {
        let record = self.handed_in(id, controller).await?;
        let request = self.request(&record.request).await?;
        let results = results(&mut self.store.read(), &request).await?;
        Ok(self.standing(id, &record, &request, &Told::of(&request, record.is_ended), results))
    }

    fn standing(&self, id: &str, record: &Record, request: &Request, told: &Told, results: u32) -> Value {
        let mut body = json!({
            "controller_id": record.controller,
            "expected_completion_time": time(request.due()),
            "subject_request_id": id,
            "api_version": api_version(record.version),
        });
        let domain = self.processor().map(Processor::domain).unwrap_or_default();
        told.fill(&mut body, domain, request, results);
        body
    }

    /// Withdraws a request of a controller, while it is pending. One that others ask for too goes on for them.
    pub(crate) async fn opendsr_cancel(&self, id: &str, controller: &str) -> Result<Value, Refused> {
        let record = self.handed_in(id, controller).await?;
        let request = self.request(&record.request).await?;
        if Told::of(&request, record.is_ended).standing != Standing::Pending {
            return Err(Refused::new("only a pending request can be cancelled"));
        }
        if self.is_the_last(id, &request).await? {
            self.cancel(&request.id, controller).await?;
        } else {
            self.end(&request.id, &[id.to_owned()], controller).await?;
        }
        Ok(json!({
            "controller_id": record.controller,
            "received_time": time(self.surroundings.now()),
            "subject_request_id": id,
            "api_version": api_version(record.version),
        }))
    }

    /// Whether nobody asks for a request any more once this id of it is withdrawn: a controller made it, and every other one
    /// has withdrawn.
    async fn is_the_last(&self, id: &str, request: &Request) -> Result<bool> {
        let mut tx = self.store.read();
        let ids = handed_in_as(&mut tx, &request.id).await?;
        if request.external_id.as_ref().is_none_or(|first| !ids.contains(first)) {
            return Ok(false);
        }
        for other in ids.iter().filter(|other| *other != id) {
            if OPENDSR.get(&mut tx, HERE, other).await?.is_some_and(|record| !record.is_ended) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Tells the controllers of a failed request that it was cancelled: the protocol has no other end for it.
    ///
    /// # Errors
    /// [`Error::Conflict`] when it did not fail, or no controller handed it in.
    pub async fn end_opendsr(&self, request: &str, actor: &str) -> Result<()> {
        if self.request(request).await?.state.status() != Status::Failed {
            return Err(Error::Conflict("only a failed request is ended this way; cancel it instead".to_owned()));
        }
        let ids = handed_in_as(&mut self.store.read(), request).await?;
        if ids.is_empty() {
            return Err(Error::Conflict("no OpenDSR controller handed this request in".to_owned()));
        }
        self.end(request, &ids, actor).await
    }

    async fn end(&self, request: &str, ids: &[String], actor: &str) -> Result<()> {
        let now = self.surroundings.now();
        let written = self.store.write(async |tx: &mut Transaction| {
            let record = load_request(tx, request).await?;
            for id in ids {
                let Some(mut handed) = OPENDSR.get(tx, HERE, id).await? else { continue };
                let draft = Draft::by(actor, "opendsr.ended", id).of_request(request);
                let seq = audit::record(tx, &draft, now).await?;
                handed.is_ended = true;
                callbacks::notify(tx, id, handed, &record, seq, now).await?;
            }
            Ok(())
        });
        written.await.map_err(failed)
    }
}
