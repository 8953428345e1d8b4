//! Webhooks (§17): an event is a row written with the change that it tells of, and sent until somebody takes it.
//!
//! **Invariant:** an event names a request and how it stands, and nobody. Events of one request arrive in order.

mod guard;
mod queue;
mod secrets;
mod sending;

use ids::Timestamp;
use minicbor::{Decode, Encode};
use serde_json::{Value, json};
use store::{Direction, Limit, Transaction};

use crate::{
    Connector, Error, Result, Secret,
    audit::{self, Draft},
    error::failed,
    keys::{sha256, shred},
    keyspace::{self, DELIVERY, HERE, UNDELIVERED, WEBHOOK},
    requests::Request,
    status::{Outcome, Reason, Status},
    words::words,
};

pub(crate) use guard::Guard;
pub(crate) use queue::Queues;
pub use secrets::{OVERLAP_SECS, OVERLAP_SECS_MAX};

/// What the id of a webhook begins with.
pub(crate) const PREFIX_OF_IDS: &str = "whk_";
/// The most webhooks.
const HOOKS_MAX: usize = 20;
/// Numbers of events that one entry of the audit log may bring.
const EVENTS_PER_ENTRY: u64 = 4;

words! {
    /// Where a delivery stands.
    DeliveryState {
        /// Not taken yet.
        0 Pending = "pending",
        /// Taken.
        1 Delivered = "delivered",
        /// Given up.
        2 Dead = "dead",
    }
}

/// A receiver.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Webhook {
    /// `whk_` and a ULID.
    #[n(0)]
    pub id: String,
    /// Where events go.
    #[n(1)]
    pub url: String,
    #[cbor(n(2), with = "minicbor::bytes")]
    sealed_secret: Vec<u8>,
    /// When it was made.
    #[n(3)]
    pub created_at: Timestamp,
    /// Whether the receiver said that it is gone.
    #[n(4)]
    pub is_disabled: bool,
    /// The secret before, as long as it signs too.
    #[cbor(n(5), default)]
    old: Option<secrets::Old>,
}

/// An event on its way to one receiver.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Delivery {
    /// The id of the event.
    #[n(0)]
    pub event: String,
    /// What it tells.
    #[n(1)]
    pub kind: String,
    /// The request that it is about.
    #[n(2)]
    pub request: String,
    #[n(3)]
    body: String,
    /// Where it stands.
    #[n(4)]
    pub state: DeliveryState,
    /// How often it was sent.
    #[n(5)]
    pub attempts: u32,
    /// When it is sent next.
    #[n(6)]
    pub next_at: Timestamp,
    /// When it happened.
    #[n(7)]
    pub created_at: Timestamp,
    /// What the receiver answered last.
    #[n(8)]
    pub last_status: Option<u16>,
}

/// The receivers, in order.
async fn hooks(tx: &mut Transaction) -> Result<Vec<Webhook>> {
    let rows = keyspace::all(tx, &WEBHOOK, WEBHOOK.range(HERE)).await?;
    Ok(rows.into_iter().map(|(_, hook)| hook).collect())
}

/// An event before it has its receivers.
struct Event<'a> {
    kind: &'a str,
    /// What it is about: its events arrive in order.
    subject: &'a str,
    data: &'a Value,
    /// The entry of the audit log that tells the same, and the number of the event among those of the entry.
    place: (u64, u64),
}

/// Stores an event for a receiver.
fn put_event(tx: &mut Transaction, hook: &Webhook, told: &Event<'_>, now: Timestamp) {
    let (seq, number) = told.place;
    let event = format!("evt_{}", &sha256(format!("{}/{seq}/{number}", hook.id).as_bytes())[..26]);
    let body = json!({
        "id": event,
        "type": told.kind,
        "created_at": now.rfc3339_short().to_string(),
        "data": told.data,
    });
    let delivery = Delivery {
        event,
        kind: told.kind.to_owned(),
        request: told.subject.to_owned(),
        body: body.to_string(),
        state: DeliveryState::Pending,
        attempts: 0,
        next_at: now,
        created_at: now,
        last_status: None,
    };
    let key = (hook.id.clone(), seq * EVENTS_PER_ENTRY + number);
    DELIVERY.put(tx, HERE, &key, &delivery);
    UNDELIVERED.put(tx, HERE, &key, &());
}

/// Tells every receiver what `data` says of `subject`; `seq` is the entry of the audit log that tells the same. The
/// caller leaves out whatever names a person.
pub(crate) async fn announce(
    tx: &mut Transaction,
    kind: &str,
    subject: &str,
    data: &Value,
    seq: u64,
    now: Timestamp,
) -> Result<()> {
    for hook in hooks(tx).await?.iter().filter(|hook| !hook.is_disabled) {
        put_event(tx, hook, &Event { kind, subject, data, place: (seq, 0) }, now);
    }
    Ok(())
}

/// Tells every receiver how a request stands now; `seq` is the entry of the audit log that tells the same.
pub(crate) async fn tell(tx: &mut Transaction, request: &Request, seq: u64, now: Timestamp) -> Result<()> {
    let hooks = hooks(tx).await?;
    let data = json!({
        "request_id": request.id,
        "external_id": request.external_id,
        "type": request.kind.word(),
        "status": request.state.status().word(),
        "outcome": request.state.outcome().map(Outcome::word),
        "reason": request.state.reason().map(Reason::word),
    });
    let more = match request.state.status() {
        Status::Complete => Some("request.completed"),
        Status::Failed => Some("request.failed"),
        Status::Held => Some("request.held"),
        _ => None,
    };
    for hook in hooks.iter().filter(|hook| !hook.is_disabled) {
        for (number, kind) in (0..EVENTS_PER_ENTRY).zip(std::iter::once("request.status_changed").chain(more)) {
            let event = Event { kind, subject: &request.id, data: &data, place: (seq, number) };
            put_event(tx, hook, &event, now);
        }
    }
    Ok(())
}

impl Connector {
    /// Adds a receiver; its secret is shown this once.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an address that is not https, or is inside; [`Error::Conflict`] beyond the limit.
    pub async fn add_webhook(&self, url: &str) -> Result<(Webhook, Secret)> {
        self.http.guard().check(url)?;
        let bytes = zeroize::Zeroizing::new(self.surroundings.bytes());
        let secret = self.new_hook_secret();
        let (id, now) = (self.surroundings.id(PREFIX_OF_IDS), self.surroundings.now());
        let written = self.store.write(async |tx: &mut Transaction| {
            if hooks(tx).await?.len() >= HOOKS_MAX {
                return Err(Error::Conflict(format!("there are {HOOKS_MAX} webhooks; remove one first")));
            }
            let key = self.ring.make(tx, &id, &bytes);
            let sealed_secret = key.seal(secrets::place(&id), &secret[..]);
            let (id, url) = (id.clone(), url.to_owned());
            let hook = Webhook { id, url, sealed_secret, created_at: now, is_disabled: false, old: None };
            WEBHOOK.put(tx, HERE, &hook.id, &hook);
            audit::record(tx, &Draft::for_caller("webhook.added", &hook.id), now).await?;
            Ok(hook)
        });
        let hook = written.await.map_err(failed)?;
        Ok((hook, secrets::shown(&secret)))
    }

    /// The receivers.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn webhooks(&self) -> Result<Vec<Webhook>> {
        hooks(&mut self.store.read()).await
    }

    /// Removes a receiver with everything that was to be sent to it.
    ///
    /// # Errors
    /// [`Error::Missing`].
    pub async fn remove_webhook(&self, id: &str) -> Result<()> {
        let now = self.surroundings.now();
        let written = self.store.write(async |tx: &mut Transaction| {
            if !WEBHOOK.exists(tx, HERE, &id.to_owned()).await? {
                return Err(Error::missing("webhook", id));
            }
            WEBHOOK.delete(tx, HERE, &id.to_owned());
            shred(tx, id);
            audit::record(tx, &Draft::for_caller("webhook.removed", id), now).await?;
            Ok(())
        });
        written.await.map_err(failed)?;
        self.queues.forget(id);
        let owner = (id.to_owned(),);
        self.store.clear(DELIVERY.prefix(HERE, &owner)).await?;
        self.store.clear(UNDELIVERED.prefix(HERE, &owner)).await?;
        Ok(())
    }

    /// What was sent to a receiver, or is to be, the newest first: at most `limit` that stand as `state` says, from before
    /// the number `before`, and the number before which the next page begins.
    ///
    /// # Errors
    /// [`Error::Missing`].
    pub async fn deliveries(
        &self,
        hook: &str,
        state: Option<DeliveryState>,
        before: Option<u64>,
        limit: usize,
    ) -> Result<(Vec<Delivery>, Option<u64>)> {
        let mut tx = self.store.read();
        if !WEBHOOK.exists(&mut tx, HERE, &hook.to_owned()).await? {
            return Err(Error::missing("webhook", hook));
        }
        let mut range = DELIVERY.prefix(HERE, &(hook.to_owned(),));
        if let Some(before) = before {
            range.end = DELIVERY.key(HERE, &(hook.to_owned(), before));
        }
        let (mut found, mut last) = (Vec::new(), None);
        loop {
            let page = DELIVERY.scan(&mut tx, HERE, range.clone(), Direction::Backward, Limit::PAGE).await?;
            if let Some((row, _)) = page.rows.last() {
                range.end = DELIVERY.key(HERE, row);
            }
            for ((_, number), delivery) in page.rows {
                if state.is_some_and(|state| state != delivery.state) {
                    continue;
                }
                if found.len() == limit {
                    return Ok((found, last));
                }
                last = Some(number);
                found.push(delivery);
            }
            if !page.more {
                return Ok((found, None));
            }
        }
    }

    /// Sends again what was given up, and lets a receiver that was gone take events again.
    ///
    /// # Errors
    /// [`Error::Missing`].
    pub async fn redeliver(&self, hook: &str) -> Result<u64> {
        let now = self.surroundings.now();
        let mut range = DELIVERY.prefix(HERE, &(hook.to_owned(),));
        let mut count = 0;
        loop {
            let from = &range;
            let written = self.store.write(async |tx: &mut Transaction| {
                let record = WEBHOOK.get(tx, HERE, &hook.to_owned()).await?;
                let record = record.ok_or_else(|| Error::missing("webhook", hook))?;
                let page = DELIVERY.scan(tx, HERE, from.clone(), Direction::Forward, Limit::PAGE).await?;
                let last = page.rows.last().map(|(row, _)| row.clone()).filter(|_| page.more);
                let mut count = 0;
                for (key, delivery) in page.rows.into_iter().filter(|(_, one)| one.state == DeliveryState::Dead) {
                    let again = Delivery { state: DeliveryState::Pending, next_at: now, created_at: now, ..delivery };
                    DELIVERY.put(tx, HERE, &key, &again);
                    UNDELIVERED.put(tx, HERE, &key, &());
                    count += 1;
                }
                // A receiver that was gone is sent nothing until all of them are on their way.
                if last.is_none() {
                    WEBHOOK.put(tx, HERE, &record.id, &Webhook { is_disabled: false, ..record.clone() });
                }
                let draft = Draft::for_caller("webhook.redelivered", hook).with("events", count);
                audit::record(tx, &draft, now).await?;
                Ok((last, count))
            });
            let (last, more) = written.await.map_err(failed)?;
            count += more;
            match last {
                Some(row) => range.start = store::key::after(DELIVERY.key(HERE, &row)),
                None => break,
            }
        }
        // What is on its way again stands before what was read.
        self.queues.forget(hook);
        self.outbox.notify_one();
        Ok(count)
    }
}
