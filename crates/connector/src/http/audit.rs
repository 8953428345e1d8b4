//! `/v1/audit`.

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::{Value, json, value::RawValue};

use super::{
    Problem,
    query::{self, Query},
    router::Here,
};
use crate::audit::{self, Draft, Head};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct After {
    #[serde(default)]
    after: u64,
    /// The same, as lists name it everywhere.
    cursor: Option<u64>,
    limit: Option<usize>,
}

pub(super) async fn list((State(connector), _): Here, Query(after): Query<After>) -> Result<Json<Value>, Problem> {
    let limit = query::limit(after.limit)?;
    let entries = audit::list(connector.store(), after.cursor.unwrap_or(after.after)).await?;
    let page = &entries[..entries.len().min(limit)];
    let end = audit::head(&mut connector.store().read()).await?.map_or(0, |head| head.seq);
    let next = page.last().map(|entry| entry.seq).filter(|seq| *seq < end);
    let shown = page.iter().filter_map(|entry| serde_json::from_str(&entry.to_json()).ok()).collect();
    Ok(Json(query::list(shown, next.map(Value::from))))
}

/// The log as lines, the last of which signs its end.
pub(super) async fn export((State(connector), _): Here) -> Result<Response, Problem> {
    connector.record(Draft::for_caller("audit.exported", "audit")).await?;
    let mut text = String::new();
    let mut after = 0;
    let mut head = None;
    loop {
        let entries = audit::list(connector.store(), after).await?;
        let Some(last) = entries.last() else { break };
        after = last.seq;
        head = Some(Head { seq: last.seq, hash: last.hash.clone() });
        for entry in &entries {
            text.push_str(&entry.to_json());
            text.push('\n');
        }
    }
    text.push_str(&audit::last_line(head.as_ref(), &connector.signer));
    text.push('\n');
    debug_assert!(text.lines().all(|line| serde_json::from_str::<&RawValue>(line).is_ok()));
    Ok(([("content-type", "application/x-ndjson")], text).into_response())
}

pub(super) async fn verify((State(connector), _): Here) -> Result<Json<Value>, Problem> {
    Ok(Json(match audit::verify(connector.store()).await? {
        Ok(entries) => json!({"ok": true, "entries": entries}),
        Err(broken) => json!({"ok": false, "first_bad_seq": broken.seq}),
    }))
}
