//! Callbacks: a row written with the change that it tells of, signed when it is sent, and sent until it is taken.
//!
//! **Invariant:** the callbacks of one request to one address arrive in order.

use ids::Timestamp;
use minicbor::{Decode, Encode};
use store::{Direction, Limit, Transaction};

use super::{Record, Told, results, submission::CALLBACKS_MAX};
use crate::{
    Connector, Result,
    connector::load_request,
    engine::due_key,
    error::failed,
    hooks::DeliveryState,
    keyspace::{CALLBACK, CALLBACK_DUE, HERE, OPENDSR, OPENDSR_OF},
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
    created_at: Timestamp,
    #[n(7)]
    last_status: Option<u16>,
}

type Row = (String, u64);

/// Tells the controllers of a request how it stands now; `seq` is the entry of the audit log that tells the same.
pub(crate) async fn tell(tx: &mut Transaction, request: &Request, seq: u64, now: Timestamp) -> Result<()> {
    let range = OPENDSR_OF.prefix(HERE, &(request.id.clone(),));
    let page = OPENDSR_OF.scan(tx, HERE, range, Direction::Forward, Limit::PAGE).await?;
    for ((_, id), ()) in page.rows {
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
        let now = self.surroundings.now();
        let range = CALLBACK_DUE.before(HERE, &(due_key(now) + 1, String::new(), 0));
        let page = CALLBACK_DUE.scan(&mut self.store.read(), HERE, range, Direction::Forward, Limit::PAGE).await?;
        let mut count = 0;
        for ((_, id, number), ()) in page.rows {
            let row = (id, number);
            let mut tx = self.store.read();
            let Some(callback) = CALLBACK.get(&mut tx, HERE, &row).await? else { continue };
            let sent = match earlier(&mut tx, &row, &callback.url).await? {
                // It waits for the one before it.
                Some(at) => Callback { next_at: at.max(now).plus_micros(1), ..callback.clone() },
                None => {
                    count += 1;
                    self.call_back(&row.0, &callback).await?
                }
            };
            let written = self.store.write(async |tx: &mut Transaction| {
                put(tx, &row, Some(callback.next_at), &sent);
                Ok(())
            });
            written.await.map_err(failed)?;
        }
        Ok(count)
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
    let range = CALLBACK.prefix(HERE, &(row.0.clone(),));
    let page = CALLBACK.scan(tx, HERE, range, Direction::Forward, Limit::PAGE).await?;
    let mut before = page.rows.into_iter().take_while(|((_, number), _)| *number < row.1);
    let waiting = before.find(|(_, one)| one.url == url && one.state == DeliveryState::Pending);
    Ok(waiting.map(|(_, one)| one.next_at))
}

/// The names of the headers with the domain and the signature, as each version has them.
pub(crate) fn header_names(version: u8) -> [&'static str; 2] {
    match version {
        1 => ["x-opengdpr-processor-domain", "x-opengdpr-signature"],
        _ => ["x-opendsr-processor-domain", "x-opendsr-signature"],
    }
}
