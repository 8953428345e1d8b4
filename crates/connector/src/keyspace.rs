//! Every table of the connector, on one screen. A tag is given once.
//!
//! What is of a person is sealed under the data key of a request, which goes when the retention ends (§4.5).

use std::ops::Range;

use store::{Direction, Key, Limit, Record, Table, Transaction};

use crate::{
    Result,
    audit::{Entry, Head},
    batches::{Batch, Fuse, Row},
    connector::Decision,
    executions::{Artifact, Attempt, Execution, SubTask, Target},
    fence::Instance,
    hooks::{Delivery, Webhook},
    integrations::{Credential, Integration},
    keys::{KekRecord, WrappedKey},
    leases::Claim,
    links::Link,
    opendsr,
    replays::Replay,
    requests::Request,
    retention::Retention,
    tokens::Token,
    upstream::LimitState,
};

/// The connector has one tenant: itself.
pub(crate) const HERE: u32 = 1;

/// key id → how the key-encryption key is known again.
pub(crate) const KEK: Table<String, KekRecord> = Table::new(1, "kek");
/// owner (integration, request, or a word) → its data key, wrapped.
pub(crate) const DATA_KEY: Table<String, WrappedKey> = Table::new(2, "data_key");
/// number → entry of the audit log.
pub(crate) const AUDIT: Table<u64, Entry> = Table::new(3, "audit");
/// the end of the audit log.
pub(crate) const AUDIT_HEAD: Table<(), Head> = Table::new(4, "audit_head");
/// the process that has the data directory: every commit demands that it is still the same.
pub(crate) const INSTANCE: Table<(), Instance> = Table::new(6, "instance");
/// integration → its settings and health.
pub(crate) const INTEGRATION: Table<String, Integration> = Table::new(10, "integration");
/// name → integration. Unique.
pub(crate) const INTEGRATION_NAME: Table<String, String> = Table::new(11, "integration_name");
/// integration, version → its key and secret, sealed.
pub(crate) const CREDENTIAL: Table<(String, u32), Credential> = Table::new(12, "credential");
/// integration, endpoint class → what is known of the limit there.
pub(crate) const LIMIT: Table<(String, String), LimitState> = Table::new(13, "limit");
/// request → the request.
pub(crate) const REQUEST: Table<String, Request> = Table::new(20, "request");
// 21 was `external`, which did not tell clients apart.
/// client, external id → request. Unique.
pub(crate) const EXTERNAL: Table<(String, String), String> = Table::new(25, "client_external");
// 22 was `idempotency`, which did not tell clients apart either.
/// client, idempotency key → when it was used, for which body, and the request.
pub(crate) const IDEMPOTENCY: Table<(String, String), (i64, String, String)> = Table::new(27, "client_idempotency");
/// hash of type, identifiers and integrations → the last request for them.
pub(crate) const DEDUPE: Table<String, String> = Table::new(23, "dedupe");
/// hash of an identifier, request → nothing.
pub(crate) const LOOKUP: Table<(String, String), ()> = Table::new(24, "lookup");
/// request, time in microseconds → why somebody decided something about it then.
pub(crate) const DECISION: Table<(String, u64), Decision> = Table::new(26, "decision");
/// execution → the execution.
pub(crate) const EXECUTION: Table<String, Execution> = Table::new(30, "execution");
/// due time in microseconds, execution → nothing. Mirror of `EXECUTION`.
pub(crate) const DUE: Table<(u64, String), ()> = Table::new(31, "due");
/// execution, number → a matched user, frozen.
pub(crate) const TARGET: Table<(String, u32), Target> = Table::new(32, "target");
/// execution, order → one call or local step.
pub(crate) const SUB_TASK: Table<(String, u32), SubTask> = Table::new(33, "sub_task");
/// execution, order, number → one try of a sub-task.
pub(crate) const ATTEMPT: Table<(String, u32, u32), Attempt> = Table::new(34, "attempt");
/// execution, name → a stored body.
pub(crate) const ARTIFACT: Table<(String, String), Artifact> = Table::new(35, "artifact");
/// execution → who is at work on it. A row ends with the step.
pub(crate) const LEASE: Table<String, Claim> = Table::new(36, "lease");
/// integration, hash of a user id → when the user was erased.
pub(crate) const ERASED: Table<(String, String), i64> = Table::new(40, "erased");
/// integration, hash of a user id → the id, sealed under the key of the integration. Beside `ERASED`, where that is wished.
pub(crate) const ERASED_ID: Table<(String, String), minicbor::bytes::ByteVec> = Table::new(43, "erased_id");
/// replay → how far a search for erased users who came back is.
pub(crate) const REPLAY: Table<String, Replay> = Table::new(41, "replay");
/// due time in microseconds, replay → nothing. Mirror of `REPLAY`.
pub(crate) const REPLAY_DUE: Table<(u64, String), ()> = Table::new(42, "replay_due");

/// SHA-256 of an API token → whose it is and what it may do.
pub(crate) const TOKEN: Table<String, Token> = Table::new(50, "token");
/// webhook → where events go.
pub(crate) const WEBHOOK: Table<String, Webhook> = Table::new(60, "webhook");
/// webhook, number → an event on its way, or sent.
pub(crate) const DELIVERY: Table<(String, u64), Delivery> = Table::new(61, "delivery");
/// webhook, number → nothing. Those of `DELIVERY` that nobody has taken.
pub(crate) const UNDELIVERED: Table<(String, u64), ()> = Table::new(62, "undelivered");

/// a controller's id of a request → what it handed in.
pub(crate) const OPENDSR: Table<String, opendsr::Record> = Table::new(70, "opendsr");
/// request, a controller's id of it → nothing. Mirror of `OPENDSR`.
pub(crate) const OPENDSR_OF: Table<(String, String), ()> = Table::new(71, "opendsr_of");
/// a controller's id of a request, number → a callback on its way, or sent.
pub(crate) const CALLBACK: Table<(String, u64), opendsr::Callback> = Table::new(72, "callback");
/// due time in microseconds, a controller's id, number → nothing. Mirror of `CALLBACK`: those that nobody has taken.
pub(crate) const CALLBACK_DUE: Table<(u64, String, u64), ()> = Table::new(73, "callback_due");

/// batch → a file of requests.
pub(crate) const BATCH: Table<String, Batch> = Table::new(80, "batch");
/// batch, number → a row of it.
pub(crate) const BATCH_ROW: Table<(String, u32), Row> = Table::new(81, "batch_row");
/// due time in microseconds, batch → nothing. Mirror of `BATCH`.
pub(crate) const BATCH_DUE: Table<(u64, String), ()> = Table::new(82, "batch_due");
/// the deletions of batches that began within the last hour.
pub(crate) const FUSE: Table<(), Fuse> = Table::new(83, "fuse");

/// number of an entry of the audit log → when it was signed as the end of the log.
pub(crate) const CHECKPOINT: Table<u64, i64> = Table::new(5, "checkpoint");
/// SHA-256 of a link's token → what it leads to.
pub(crate) const LINK: Table<String, Link> = Table::new(51, "link");

/// how long what is known of people is kept.
pub(crate) const RETENTION: Table<(), Retention> = Table::new(188, "retention");

/// The next rows of `range`, at most a page; the range begins behind them then, and is empty when they were the last.
///
/// # Errors
/// When the store fails.
pub(crate) async fn page<K: Key, V: Record>(
    tx: &mut Transaction,
    table: &Table<K, V>,
    range: &mut Range<Vec<u8>>,
) -> Result<Vec<(K, V)>> {
    let page = table.scan(tx, HERE, range.clone(), Direction::Forward, Limit::PAGE).await?;
    range.start = match page.rows.last().filter(|_| page.more) {
        Some((last, _)) => store::key::after(table.key(HERE, last)),
        None => range.end.clone(),
    };
    Ok(page.rows)
}

/// All rows of `range` in their order, however many pages they are.
///
/// # Errors
/// When the store fails.
pub(crate) async fn all<K: Key, V: Record>(
    tx: &mut Transaction,
    table: &Table<K, V>,
    mut range: Range<Vec<u8>>,
) -> Result<Vec<(K, V)>> {
    let mut rows = Vec::new();
    while range.start < range.end {
        rows.append(&mut page(tx, table, &mut range).await?);
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_given_once() {
        let mut tags = vec![
            KEK.tag(),
            DATA_KEY.tag(),
            AUDIT.tag(),
            AUDIT_HEAD.tag(),
            INTEGRATION.tag(),
            INTEGRATION_NAME.tag(),
            CREDENTIAL.tag(),
            LIMIT.tag(),
            REQUEST.tag(),
            EXTERNAL.tag(),
            IDEMPOTENCY.tag(),
            DEDUPE.tag(),
            LOOKUP.tag(),
            DECISION.tag(),
            EXECUTION.tag(),
            DUE.tag(),
            TARGET.tag(),
            SUB_TASK.tag(),
            ATTEMPT.tag(),
            ARTIFACT.tag(),
            LEASE.tag(),
            INSTANCE.tag(),
            ERASED.tag(),
            ERASED_ID.tag(),
            REPLAY.tag(),
            REPLAY_DUE.tag(),
            TOKEN.tag(),
            WEBHOOK.tag(),
            DELIVERY.tag(),
            UNDELIVERED.tag(),
            OPENDSR.tag(),
            OPENDSR_OF.tag(),
            CALLBACK.tag(),
            CALLBACK_DUE.tag(),
            BATCH.tag(),
            BATCH_ROW.tag(),
            BATCH_DUE.tag(),
            FUSE.tag(),
            CHECKPOINT.tag(),
            LINK.tag(),
            RETENTION.tag(),
        ];
        let all = tags.len();
        tags.sort_unstable();
        tags.dedup();
        assert_eq!(tags.len(), all);
    }
}
