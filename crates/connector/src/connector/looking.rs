//! What operators look at: requests by page, people masked, limits, and what is under way.

use ids::Timestamp;
use store::{Direction, Limit, Table, Transaction};

use super::Connector;
use crate::{
    Result, audit,
    executions::{self, Phase},
    integrations::{self, Integration},
    keyspace::{self, CALLBACK_DUE, DUE, HERE, LIMIT, REQUEST, UNDELIVERED},
    requests::{Category, Kind, Request},
    status::Status,
    upstream::{Endpoint, LimitState},
};

/// Which requests are wanted.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Those of this status.
    pub status: Option<Status>,
    /// Those of this kind.
    pub kind: Option<Kind>,
    /// The one with this external id.
    pub external_id: Option<String>,
    /// Those that are due before.
    pub due_before: Option<Timestamp>,
    /// Those of this batch.
    pub batch: Option<String>,
    /// Those that ask at this integration.
    pub integration: Option<String>,
}

/// A page of requests, oldest first.
#[derive(Clone, Debug)]
pub struct Page {
    /// The requests.
    pub requests: Vec<Request>,
    /// Where the next page begins.
    pub next: Option<String>,
}

/// What waits.
pub(crate) struct Backlog {
    /// Jobs of the other side that are awaited.
    pub(crate) tasks: u64,
    /// Events and callbacks that nobody has taken.
    pub(crate) events: u64,
    /// The last entry of the audit log.
    pub(crate) audit_seq: u64,
}

/// The keys of a table.
async fn keys<K: store::Key, V: store::Record>(tx: &mut Transaction, table: &Table<K, V>) -> Result<Vec<K>> {
    let rows = keyspace::all(tx, table, table.range(HERE)).await?;
    Ok(rows.into_iter().map(|(key, _)| key).collect())
}

impl Filter {
    fn takes(&self, request: &Request) -> bool {
        self.status.is_none_or(|status| request.state.status() == status)
            && self.kind.is_none_or(|kind| request.kind == kind)
            && self.external_id.as_ref().is_none_or(|id| request.external_id.as_ref() == Some(id))
            && self.due_before.is_none_or(|before| request.due() < before)
            && self.batch.as_ref().is_none_or(|batch| request.batch.as_ref() == Some(batch))
    }

    /// Whether the request asks at the integration, if one is named.
    async fn is_there(&self, tx: &mut Transaction, request: &Request) -> Result<bool> {
        let Some(integration) = &self.integration else { return Ok(true) };
        for execution in &request.executions {
            if executions::load(tx, execution).await?.integration == *integration {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl Connector {
    /// A page of at most `limit` requests after the one named `after`.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn requests(&self, filter: &Filter, after: Option<&str>, limit: usize) -> Result<Page> {
        let mut tx = self.store.read();
        let mut range = REQUEST.range(HERE);
        if let Some(after) = after {
            range.start = store::key::after(REQUEST.key(HERE, &after.to_owned()));
        }
        let mut requests: Vec<Request> = Vec::new();
        loop {
            let page = REQUEST.scan(&mut tx, HERE, range.clone(), Direction::Forward, Limit::PAGE).await?;
            let last = page.rows.last().map(|(id, _)| id.clone());
            for (_, request) in page.rows {
                if !filter.takes(&request) || !filter.is_there(&mut tx, &request).await? {
                    continue;
                }
                if requests.len() == limit {
                    return Ok(Page { next: requests.last().map(|last| last.id.clone()), requests });
                }
                requests.push(request);
            }
            match last.filter(|_| page.more) {
                Some(last) => range.start = store::key::after(REQUEST.key(HERE, &last)),
                None => return Ok(Page { requests, next: None }),
            }
        }
    }

    /// The identifiers of a request as operators see them; nothing when they were destroyed.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn masked(&self, request: &Request) -> Result<Vec<(Category, Option<String>)>> {
        let key = self.ring.load(&mut self.store.read(), &request.id).await.ok();
        let opened = key.map(|key| request.open(&key)).transpose()?;
        let shown = |(number, one): (usize, &crate::requests::Identifier)| {
            (one.category, opened.as_ref().map(|opened| opened[number].masked()))
        };
        Ok(request.identifiers.iter().enumerate().map(shown).collect())
    }

    /// How many users a request found, everywhere together.
    pub(crate) async fn found(&self, request: &Request) -> Result<u32> {
        let mut tx = self.store.read();
        let mut found = 0;
        for id in &request.executions {
            found += executions::load(&mut tx, id).await?.targets;
        }
        Ok(found)
    }

    /// The integration.
    ///
    /// # Errors
    /// [`Error::Missing`](crate::Error::Missing).
    pub async fn integration(&self, id: &str) -> Result<Integration> {
        integrations::load(&mut self.store.read(), id).await
    }

    /// What is known of the limits of an integration.
    ///
    /// # Errors
    /// [`Error::Missing`](crate::Error::Missing).
    pub async fn limits(&self, id: &str) -> Result<Vec<(Endpoint, LimitState)>> {
        let mut tx = self.store.read();
        integrations::load(&mut tx, id).await?;
        let mut limits = Vec::new();
        for endpoint in Endpoint::ALL {
            let limit = LIMIT.get(&mut tx, HERE, &(id.to_owned(), endpoint.word().to_owned())).await?;
            limits.extend(limit.map(|limit| (*endpoint, limit)));
        }
        Ok(limits)
    }

    /// What waits, for `/metrics`.
    pub(crate) async fn backlog(&self) -> Result<Backlog> {
        let mut tx = self.store.read();
        let mut tasks = 0;
        for (_, id) in keys(&mut tx, &DUE).await? {
            let execution = executions::load(&mut tx, &id).await?;
            tasks += u64::from(execution.phase == Phase::Poll);
        }
        let events = keys(&mut tx, &UNDELIVERED).await?.len() + keys(&mut tx, &CALLBACK_DUE).await?.len();
        let audit_seq = audit::head(&mut tx).await?.map_or(0, |head| head.seq);
        Ok(Backlog { tasks, events: events as u64, audit_seq })
    }

    /// The moment, as the connector sees it.
    pub fn now(&self) -> Timestamp {
        self.surroundings.now()
    }
}
