//! Callbacks: a row written with the change that it tells of, signed when it is sent, and sent until it is taken.
//!
//! **Invariant:** the callbacks of one request to one address arrive in order.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::StreamExt as _;
use ids::Timestamp;
use minicbor::{Decode, Encode};
use store::{Direction, Limit, Transaction};

use super::{Record, Told, handed_in_as, results, submission::CALLBACKS_MAX};
use crate::{
    Connector, Result,
    connector::load_request,
    engine::due_key,
    error::failed,
    hooks::DeliveryState,
    keyspace::{self, CALLBACK, CALLBACK_DUE, HERE, OPENDSR},
    requests::Request,
};

/// A change of standing on its way to one address.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub(crate) struct Callback {
    #[n(0)]
    url: String,
    #[n(1)]
    told: Told,
    #[n(2)]
    results: u32,
    #[n(3)]
    pub(crate) state: DeliveryState,
    #[n(4)]
    attempts: u32,
    #[n(5)]
    next_at: Timestamp,
    #[n(6)]
    pub(crate) created_at: Timestamp,
    #[n(7)]
    last_status: Option<u16>,
}

/// Callbacks that are sent in one turn, and requests about which at the same time: a controller that does not answer holds up
/// no other for long.
const CALLBACKS_PER_TURN: usize = 64;
const CALLBACKS_AT_ONCE: usize = 16;

type Row = (String, u64);

/// Tells the controllers of a request how it stands now; `seq` is the entry of the audit log that tells the same.
pub(crate) async fn tell(tx: &mut Transaction, request: &Request, seq: u64, now: Timestamp) -> Result<()> {
    for id in handed_in_as(tx, &request.id).await? {
        if let Some(record) = OPENDSR.get(tx, HERE, &id).await? {
            notify(tx, &id, record, request, seq, now).await?;
        }
    }
    Ok(())
}

/// Stores a record, with a callback to each of its addresses if its standing is another one than was told.
pub(super) async fn notify(
    tx: &mut Transaction,
    id: &str,
    mut record: Record,
    request: &Request,
    seq: u64,
    now: Timestamp,
) -> Result<()> {
    let told = Told::of(request, record.is_ended);
    if told != record.told {
        let results = results(tx, request).await?;
        for (number, url) in record.callbacks.iter().enumerate() {
            let row = (id.to_owned(), seq * CALLBACKS_MAX as u64 + number as u64);
            let callback = Callback {
                url: url.clone(),
                told: told.clone(),
                results,
                state: DeliveryState::Pending,
                attempts: 0,
                next_at: now,
                created_at: now,
                last_status: None,
            };
            put(tx, &row, None, &callback);
        }
        record.told = told;
    }
    OPENDSR.put(tx, HERE, &id.to_owned(), &record);
    Ok(())
}

/// Writes a callback and when it is due; `before` is when it was.
fn put(tx: &mut Transaction, row: &Row, before: Option<Timestamp>, callback: &Callback) {
    if let Some(before) = before {
        CALLBACK_DUE.delete(tx, HERE, &(due_key(before), row.0.clone(), row.1));
    }
    if callback.state == DeliveryState::Pending {
        CALLBACK_DUE.put(tx, HERE, &(due_key(callback.next_at), row.0.clone(), row.1), &());
    }
    CALLBACK.put(tx, HERE, row, callback);
}

impl Connector {
    /// Sends the callbacks that are due; answers how many were sent. Without a key nothing is sent, and all waits.
    pub(crate) async fn call_back_due(&self) -> Result<usize> {
        if self.processor().is_none() {
            return Ok(0);
        }
        let range = CALLBACK_DUE.before(HERE, &(due_key(self.surroundings.now()) + 1, String::new(), 0));
        let due = Limit::rows(CALLBACKS_PER_TURN);
        let page = CALLBACK_DUE.scan(&mut self.store.read(), HERE, range, Direction::Forward, due).await?;
        let mut of = BTreeMap::<String, BTreeSet<u64>>::new();
        for ((_, id, number), ()) in page.rows {
            of.entry(id).or_default().insert(number);
        }
        let turns = of.into_iter().map(|(id, numbers)| self.call_back_about(id, numbers));
        let sent: Vec<Result<usize>> =
            futures_util::stream::iter(turns).buffer_unordered(CALLBACKS_AT_ONCE).collect().await;
        sent.into_iter().sum()
    }

    /// Sends the callbacks about one request of a controller that are due, one after the other.
    async fn call_back_about(&self, id: String, numbers: BTreeSet<u64>) -> Result<usize> {
        let mut count = 0;
        for number in numbers {
            count += usize::from(self.call_back_one((id.clone(), number)).await?);
        }
        Ok(count)
    }

    /// Sends a callback that is due, unless it waits for one before it; whether it did.
    async fn call_back_one(&self, row: Row) -> Result<bool> {
        let mut tx = self.store.read();
        let Some(callback) = CALLBACK.get(&mut tx, HERE, &row).await? else { return Ok(false) };
        let before = earlier(&mut tx, &row, &callback.url).await?;
        drop(tx);
        let sent = match before {
            Some(at) => {
                let now = self.surroundings.now();
                Callback { next_at: at.max(now).plus_micros(1), ..callback.clone() }
            }
            None => self.call_back(&row.0, &callback).await?,
        };
        let written = self.store.write(async |tx: &mut Transaction| {
            put(tx, &row, Some(callback.next_at), &sent);
            Ok(())
        });
        written.await.map_err(failed)?;
        Ok(before.is_none())
    }

    async fn call_back(&self, id: &str, callback: &Callback) -> Result<Callback> {
        let mut tx = self.store.read();
        let record = OPENDSR.get(&mut tx, HERE, &id.to_owned()).await?;
        let (Some(record), Some(processor)) = (record, self.processor()) else {
            return Ok(Callback { state: DeliveryState::Dead, ..callback.clone() });
        };
        let request = load_request(&mut tx, &record.request).await?;
        drop(tx);
        let mut body = self.standing(id, &record, &request, &callback.told, callback.results);
        body["status_callback_url"] = callback.url.as_str().into();
        let body = body.to_string();
        let signature = processor.sign(body.as_bytes());
        let [domain, signed] = header_names(record.version);
        let headers = [(domain, processor.domain()), (signed, signature.as_str())];
        let status = self.http.post_event(&callback.url, &headers, body).await;
        let (state, next_at) = self.after_sending(callback.attempts, callback.created_at, status);
        let attempts = callback.attempts + 1;
        Ok(Callback {
            state,
            attempts,
            last_status: status,
            next_at: next_at.unwrap_or(callback.next_at),
            ..callback.clone()
        })
    }
}

/// When an earlier callback to the same address is sent, if there is one.
async fn earlier(tx: &mut Transaction, row: &Row, url: &str) -> Result<Option<Timestamp>> {
    let mut range = CALLBACK.prefix(HERE, &(row.0.clone(),));
    range.end = CALLBACK.key(HERE, row);
    while range.start < range.end {
        let page = keyspace::page(tx, &CALLBACK, &mut range).await?;
        let mut waiting = page.into_iter().filter(|(_, one)| one.url == url && one.state == DeliveryState::Pending);
        if let Some((_, one)) = waiting.next() {
            return Ok(Some(one.next_at));
        }
    }
    Ok(None)
}

/// The names of the headers with the domain and the signature, as each version has them.
pub(crate) fn header_names(version: u8) -> [&'static str; 2] {
    match version {
        1 => ["x-opengdpr-processor-domain", "x-opengdpr-signature"],
        _ => ["x-opendsr-processor-domain", "x-opendsr-signature"],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{opendsr::Standing, trial};

    const ID: &str = "a7551968-d5d6-44b2-9831-815ac9017798";

    #[tokio::test]
    async fn check_45_a_callback_waits_for_the_one_before_it_however_much_was_told_before() {
        let dir = tempfile::tempdir().unwrap();
        let (connector, _) = trial::connector(dir.path()).await;
        let now = connector.surroundings.now();
        let last = 2 * store::Limit::PAGE.rows as u64;
        let written = connector.store.write(async |tx: &mut Transaction| {
            for number in 0..=last {
                let state = if number == last - 1 { DeliveryState::Pending } else { DeliveryState::Delivered };
                let callback = Callback {
                    url: "https://one.example".to_owned(),
                    told: Told { standing: Standing::InProgress, failure: None },
                    results: 0,
                    state,
                    attempts: 0,
                    next_at: now,
                    created_at: now,
                    last_status: None,
                };
                put(tx, &(ID.to_owned(), number), None, &callback);
            }
            Ok(())
        });
        written.await.map_err(failed).unwrap();
        let mut tx = connector.store.read();
        let row = (ID.to_owned(), last);
        assert_eq!(earlier(&mut tx, &row, "https://one.example").await.unwrap(), Some(now));
        assert_eq!(earlier(&mut tx, &row, "https://other.example").await.unwrap(), None);
        let before = (ID.to_owned(), last - 1);
        assert_eq!(earlier(&mut tx, &before, "https://one.example").await.unwrap(), None, "it waits for none");
    }
}
