//! New requests: checked, told apart from those that are there, and stored with their executions (§4.4).

use ids::Timestamp;
use store::Transaction;
use zeroize::Zeroizing;

use super::{Connector, load_request};
use crate::{
    Error, Result,
    audit::{self, Draft},
    deadlines::{self, Regulation},
    engine,
    error::failed,
    executions::{Execution, SubTask, TaskKind},
    integrations::{self, Health, Integration},
    keyspace::{DEDUPE, EXTERNAL, HERE, IDEMPOTENCY, LOOKUP, REQUEST, SUB_TASK},
    requests::{GivenIdentifier, IDENTIFIERS_MAX, Kind, PREFIX_OF_IDS, Request, Verification},
    status::{Change, Facts, Reason, State},
};

const SECOND: i64 = 1_000_000;
/// How long an idempotency key stands for its request.
pub(super) const IDEMPOTENCY_KEPT: i64 = 24 * 3600 * SECOND;

/// A request as it is made.
#[derive(Clone, Debug)]
pub struct NewRequest {
    /// What is asked.
    pub kind: Kind,
    /// About whom.
    pub identifiers: Vec<GivenIdentifier>,
    /// Where; everywhere when there is none.
    pub integrations: Vec<String>,
    /// Which law sets the deadline.
    pub regulation: Regulation,
    /// The days of the deadline, where no law sets them.
    pub days: Option<i64>,
    /// When the person asked; now when there is none.
    pub received_at: Option<Timestamp>,
    /// The id of whoever passes it on.
    pub external_id: Option<String>,
    /// How it was verified who asks.
    pub verification: Option<Verification>,
    /// Who passes it on.
    pub requested_by: String,
    /// Whether it only looks.
    pub is_dry_run: bool,
    /// The key under which a repeated call of the same client is known.
    pub idempotency_key: Option<String>,
    /// What a dry run allowed: see [`Connector::confirm_token`].
    pub confirm_token: Option<String>,
    /// The batch that it comes with.
    pub batch: Option<String>,
}

/// What became of asking.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Asked {
    /// A new request.
    Created(Request),
    /// One that was there before.
    Duplicate(Request),
}

impl Asked {
    /// The request, new or not.
    pub fn request(&self) -> &Request {
        match self {
            Asked::Created(request) | Asked::Duplicate(request) => request,
        }
    }
}

impl NewRequest {
    /// One with everything as it is by default.
    pub fn new(kind: Kind, identifiers: Vec<GivenIdentifier>) -> Self {
        NewRequest {
            kind,
            identifiers,
            integrations: Vec::new(),
            regulation: Regulation::Gdpr,
            days: None,
            received_at: None,
            external_id: None,
            verification: None,
            requested_by: "operator".to_owned(),
            is_dry_run: false,
            idempotency_key: None,
            confirm_token: None,
            batch: None,
        }
    }

    /// What two calls with one idempotency key must have in common.
    fn body(&self, pepper: &crate::keys::DataKey) -> String {
        let identifiers: Vec<String> = self.identifiers.iter().map(GivenIdentifier::normal).collect();
        let (kind, dry) = (self.kind, self.is_dry_run);
        let parts = format!("{kind}|{identifiers:?}|{:?}|{:?}|{dry}", self.integrations, self.external_id);
        // When it was verified may be the moment of the call.
        let verified = self.verification.as_ref().map(|one| (&one.method, &one.verified_by, &one.evidence_ref));
        let terms = format!("{}|{:?}|{:?}|{verified:?}", self.regulation, self.days, self.received_at);
        pepper.hash(format!("{parts}|{terms}|{:?}", self.confirm_token).as_bytes())
    }

    /// The keyed hashes of the persons, in order.
    fn lookups(&self, pepper: &crate::keys::DataKey) -> Vec<String> {
        let hash = |one: &GivenIdentifier| pepper.hash(one.normal().as_bytes());
        let mut lookups: Vec<String> = self.identifiers.iter().map(hash).collect();
        lookups.sort_unstable();
        lookups
    }

    /// The hash of type, persons and places.
    fn dedupe_key(&self, integrations: &[Integration], pepper: &crate::keys::DataKey) -> String {
        let mut identifiers: Vec<String> = self.identifiers.iter().map(GivenIdentifier::normal).collect();
        identifiers.sort_unstable();
        identifiers.dedup();
        let places: Vec<&str> = integrations.iter().map(|integration| integration.id.as_str()).collect();
        pepper.hash(format!("{}|{identifiers:?}|{places:?}|{}", self.kind, self.is_dry_run).as_bytes())
    }
}

/// The reason for which a new execution waits for a person.
fn first_hold(request: &Request, integration: &Integration) -> Option<Reason> {
    let policies = &integration.policies;
    let deletes = request.kind == Kind::Deletion && !request.is_dry_run;
    if policies.needs_verification && request.verification.is_none() {
        return Some(Reason::VerificationRequired);
    }
    (deletes && policies.needs_approval).then_some(Reason::ApprovalRequired)
}

impl Connector {
    /// Takes a request.
    ///
    /// # Errors
    /// [`Error::Invalid`]; [`Error::Conflict`] when an idempotency key or an external id stands for another one.
    pub async fn ask(&self, new: &NewRequest) -> Result<Asked> {
        let now = self.surroundings.now();
        if new.identifiers.is_empty() || new.identifiers.len() > IDENTIFIERS_MAX {
            return Err(Error::invalid("identifiers", format!("must be 1 to {IDENTIFIERS_MAX}")));
        }
        let received_at = new.received_at.unwrap_or(now);
        if received_at > now {
            return Err(Error::invalid("received_at", "lies in the future"));
        }
        let id = self.surroundings.id(PREFIX_OF_IDS);
        let bytes = Zeroizing::new(self.surroundings.bytes());
        let body = new.body(&self.pepper);
        let lookups = new.lookups(&self.pepper);
        let places =
            if new.integrations.is_empty() { self.integrations().await?.len() } else { new.integrations.len() };
        let execution_ids: Vec<String> = (0..places).map(|_| self.surroundings.id("exe_")).collect();
        let written = self.store.write(async |tx: &mut Transaction| {
            if let Some(known) = known(tx, new, (&body, &lookups), now).await? {
                return Ok(Asked::Duplicate(known));
            }
            let integrations = meant(tx, &new.integrations).await?;
            if let Some(idle) =
                integrations.iter().find(|one| matches!(one.health, Health::Untested | Health::Disabled))
            {
                let message = format!("the integration `{}` is {}; test or enable it first", idle.name, idle.health);
                return Err(Error::Conflict(message));
            }
            if integrations.len() > execution_ids.len() {
                return Err(Error::Conflict("an integration was added meanwhile; ask again".to_owned()));
            }
            let dedupe_key = new.dedupe_key(&integrations, &self.pepper);
            if let Some(last) = DEDUPE.get(tx, HERE, &dedupe_key).await? {
                let last = load_request(tx, &last).await?;
                if !last.state.status().is_final() {
                    return Ok(Asked::Duplicate(last));
                }
            }
            let key = self.ring.make(tx, &id, &bytes);
            let seal = |(number, one): (usize, &GivenIdentifier)| one.seal(&id, number, &key, &self.pepper);
            let mut request = Request {
                id: id.clone(),
                external_id: new.external_id.clone(),
                kind: new.kind,
                identifiers: new.identifiers.iter().enumerate().map(seal).collect(),
                regulation: new.regulation,
                received_at,
                due_at: deadlines::due_at(new.regulation, received_at, new.days),
                extended_due_at: None,
                verification: new.verification.clone(),
                requested_by: new.requested_by.clone(),
                state: State::received(),
                is_dry_run: new.is_dry_run,
                dedupe_key,
                created_at: now,
                finished_at: None,
                executions: Vec::new(),
                is_shredded: false,
                batch: new.batch.clone(),
                warned_percent: 0,
            };
            for (integration, execution_id) in integrations.iter().zip(&execution_ids) {
                let mut execution = Execution::new(execution_id.clone(), &id, &integration.id, new.kind, now);
                execution.confirmed.clone_from(&new.confirm_token);
                let hold = first_hold(&request, integration);
                begin(&mut execution, hold, now)?;
                for number in 0..request.identifiers.len() {
                    let mut task = SubTask::new(TaskKind::Resolve, 0);
                    task.identifier = u32::try_from(number).ok();
                    SUB_TASK.put(tx, HERE, &(execution_id.clone(), execution.sub_tasks), &task);
                    execution.sub_tasks += 1;
                }
                engine::put(tx, &execution).await?;
                request.executions.push(execution_id.clone());
            }
            store_request(tx, &request, new, &body, now).await?;
            Ok(Asked::Created(engine::roll_up(tx, &id, now).await?))
        });
        let asked = written.await.map_err(failed)?;
        self.tell_due(now);
        Ok(asked)
    }
}

/// Lets an execution run, or holds it.
fn begin(execution: &mut Execution, hold: Option<Reason>, now: Timestamp) -> Result<()> {
    if let Some(reason) = hold {
        execution.state.apply(Change::Hold(reason), Facts::default())?;
        return Ok(());
    }
    execution.state.apply(Change::Queue, Facts::default())?;
    execution.next_run_at = Some(now);
    Ok(())
}

/// The request that this idempotency key or external id stands for.
async fn known(
    tx: &mut Transaction,
    new: &NewRequest,
    (body, lookups): (&str, &[String]),
    now: Timestamp,
) -> Result<Option<Request>> {
    if let Some(key) = &new.idempotency_key
        && let Some((at, stored, id)) = IDEMPOTENCY.get(tx, HERE, &(new.requested_by.clone(), key.clone())).await?
        && now.micros() - at < IDEMPOTENCY_KEPT
    {
        if stored != body {
            return Err(Error::Conflict("this idempotency key was used for another request".to_owned()));
        }
        return Ok(Some(load_request(tx, &id).await?));
    }
    let Some(external_id) = &new.external_id else { return Ok(None) };
    let row = (new.requested_by.clone(), external_id.clone());
    let Some(id) = EXTERNAL.get(tx, HERE, &row).await? else { return Ok(None) };
    let request = load_request(tx, &id).await?;
    let mut persons: Vec<&str> = request.identifiers.iter().map(|one| one.lookup.as_str()).collect();
    persons.sort_unstable();
    if request.kind != new.kind || persons != *lookups {
        return Err(Error::Conflict("this external id stands for another request".to_owned()));
    }
    Ok(Some(request))
}

/// The integrations that are meant, in order.
async fn meant(tx: &mut Transaction, ids: &[String]) -> Result<Vec<Integration>> {
    if ids.is_empty() {
        let all = integrations::list(tx).await?;
        return if all.is_empty() {
            Err(Error::invalid("integrations", "name none, because there are none yet; connect one first"))
        } else {
            Ok(all)
        };
    }
    let mut ids = ids.to_vec();
    ids.sort_unstable();
    ids.dedup();
    let mut found = Vec::new();
    for id in &ids {
        found.push(integrations::load(tx, id).await?);
    }
    Ok(found)
}

async fn store_request(
    tx: &mut Transaction,
    request: &Request,
    new: &NewRequest,
    body: &str,
    now: Timestamp,
) -> Result<()> {
    let id = &request.id;
    REQUEST.put(tx, HERE, id, request);
    DEDUPE.put(tx, HERE, &request.dedupe_key, id);
    for identifier in &request.identifiers {
        LOOKUP.put(tx, HERE, &(identifier.lookup.clone(), id.clone()), &());
    }
    if let Some(external_id) = &request.external_id {
        EXTERNAL.put(tx, HERE, &(new.requested_by.clone(), external_id.clone()), id);
    }
    if let Some(key) = &new.idempotency_key {
        IDEMPOTENCY.put(
            tx,
            HERE,
            &(new.requested_by.clone(), key.clone()),
            &(now.micros(), body.to_owned(), id.clone()),
        );
    }
    let lookups: Vec<&str> = request.identifiers.iter().map(|one| one.lookup.as_str()).collect();
    let draft = Draft::by(&request.requested_by, "request.created", id).of_request(id).about(&lookups);
    audit::record(tx, &draft.with("type", request.kind).with("dry_run", request.is_dry_run), now).await?;
    Ok(())
}
