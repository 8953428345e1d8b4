//! `/metrics`: numbers for Prometheus, counted when they are asked for; no identifier is a label.

use std::{collections::BTreeMap, fmt::Write as _, sync::Arc};

use axum::extract::State;

use super::Problem;
use crate::{Connector, Filter, integrations::Health};

const PAGE: usize = 200;

pub(super) async fn show(State(connector): State<Arc<Connector>>) -> Result<String, Problem> {
    let now = connector.now();
    let mut by_status: BTreeMap<&str, u64> = BTreeMap::new();
    let mut by_outcome: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    let (mut overdue, mut after) = (0_u64, None::<String>);
    loop {
        let page = connector.requests(&Filter::default(), after.as_deref(), PAGE).await?;
        for request in &page.requests {
            let status = request.state.status();
            if status.is_final() {
                let outcome = request.state.outcome().map_or(status.word(), crate::status::Outcome::word);
                *by_outcome.entry((request.kind.word(), outcome)).or_default() += 1;
            } else {
                *by_status.entry(status.word()).or_default() += 1;
                overdue += u64::from(request.due() < now);
            }
        }
        match page.next {
            Some(next) => after = Some(next),
            None => break,
        }
    }
    let mut text = String::new();
    for ((kind, outcome), count) in by_outcome {
        put(&mut text, "mp_requests_total", &format!("type=\"{kind}\",outcome=\"{outcome}\""), count);
    }
    for (status, count) in by_status {
        put(&mut text, "mp_requests_open", &format!("status=\"{status}\""), count);
    }
    put(&mut text, "mp_requests_overdue", "", overdue);
    for integration in connector.integrations().await? {
        let labels = format!("integration=\"{}\"", integration.id);
        let is_up = matches!(integration.health, Health::Connected | Health::Degraded);
        put(&mut text, "mp_integration_up", &labels, u64::from(is_up));
        for (endpoint, limit) in connector.limits(&integration.id).await? {
            put(&mut text, "mp_rate_limit", &format!("{labels},class=\"{endpoint}\""), limit.limit);
        }
    }
    Ok(text)
}

fn put(text: &mut String, name: &str, labels: &str, value: u64) {
    let labels = if labels.is_empty() { String::new() } else { format!("{{{labels}}}") };
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{name}{labels} {value}");
}
