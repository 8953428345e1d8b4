//! `/metrics`: numbers for Prometheus, of what is stored and of what was counted since the start; no identifier is a
//! label.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::{Display, Write as _},
    sync::Arc,
};

use axum::extract::State;

use super::Problem;
use crate::{
    Connector, Filter, Result, connector::Backlog, counters::Timed, integrations::Health, requests::Request,
    status::Outcome,
};

const PAGE: usize = 200;

/// The text, with the type of each metric once.
#[derive(Default)]
struct Text {
    text: String,
    typed: BTreeSet<&'static str>,
}

impl Text {
    fn put(&mut self, kind: &str, name: &'static str, labels: &str, value: impl Display) {
        let labels = if labels.is_empty() { String::new() } else { format!("{{{labels}}}") };
        // Writing to a string cannot fail.
        if self.typed.insert(name) {
            let _ = writeln!(self.text, "# TYPE {name} {kind}");
        }
        let _ = writeln!(self.text, "{name}{labels} {value}");
    }

    fn gauge(&mut self, name: &'static str, labels: &str, value: impl Display) {
        self.put("gauge", name, labels, value);
    }

    fn counter(&mut self, name: &'static str, labels: &str, value: impl Display) {
        self.put("counter", name, labels, value);
    }

    /// A summary without quantiles.
    fn summary(&mut self, name: &'static str, labels: &str, timed: Timed) {
        if self.typed.insert(name) {
            let _ = writeln!(self.text, "# TYPE {name} summary");
        }
        let labels = if labels.is_empty() { String::new() } else { format!("{{{labels}}}") };
        let _ = writeln!(self.text, "{name}_sum{labels} {}", seconds(timed.micros));
        let _ = writeln!(self.text, "{name}_count{labels} {}", timed.count);
    }
}

fn seconds(micros: i64) -> f64 {
    micros as f64 / 1_000_000.0
}

/// What is counted of the requests that are stored.
#[derive(Default)]
struct Requests {
    by_status: BTreeMap<&'static str, u64>,
    by_outcome: BTreeMap<(&'static str, &'static str), u64>,
    took: BTreeMap<&'static str, Timed>,
    overdue: u64,
}

impl Requests {
    async fn counted(connector: &Connector) -> Result<Self> {
        let mut counted = Requests::default();
        let mut after = None::<String>;
        loop {
            let page = connector.requests(&Filter::default(), after.as_deref(), PAGE).await?;
            for request in &page.requests {
                counted.count(request, connector);
            }
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(counted),
            }
        }
    }

    fn count(&mut self, request: &Request, connector: &Connector) {
        let (kind, status) = (request.kind.word(), request.state.status());
        if !status.is_final() {
            *self.by_status.entry(status.word()).or_default() += 1;
            self.overdue += u64::from(request.due() < connector.now());
            return;
        }
        let outcome = request.state.outcome().map_or(status.word(), Outcome::word);
        *self.by_outcome.entry((kind, outcome)).or_default() += 1;
        let took = self.took.entry(kind).or_default();
        took.count += 1;
        took.micros += request.finished_at.map_or(0, |at| at.micros() - request.created_at.micros());
    }

    fn show(self, text: &mut Text) {
        for ((kind, outcome), count) in self.by_outcome {
            text.counter("mp_requests_total", &format!("type=\"{kind}\",outcome=\"{outcome}\""), count);
        }
        for (status, count) in self.by_status {
            text.gauge("mp_requests_open", &format!("status=\"{status}\""), count);
        }
        for (kind, took) in self.took {
            text.summary("mp_request_seconds", &format!("type=\"{kind}\""), took);
        }
        text.gauge("mp_requests_overdue", "", self.overdue);
    }
}

pub(super) async fn show(State(connector): State<Arc<Connector>>) -> Result<String, Problem> {
    let mut text = Text::default();
    Requests::counted(&connector).await?.show(&mut text);
    show_calls(&connector, &mut text);
    show_integrations(&connector, &mut text).await?;
    let Backlog { tasks, events, audit_seq } = connector.backlog().await?;
    text.gauge("mp_tasks_waiting", "", tasks);
    text.gauge("mp_webhook_pending", "", events);
    text.gauge("mp_audit_seq", "", audit_seq);
    Ok(text.text)
}

fn show_calls(connector: &Connector, text: &mut Text) {
    let counted = connector.counters.now();
    for ((endpoint, status), count) in &counted.calls {
        let status = status.map_or_else(|| "none".to_owned(), |status| status.to_string());
        text.counter("mp_upstream_calls_total", &format!("class=\"{endpoint}\",status=\"{status}\""), count);
    }
    for (endpoint, timed) in &counted.seconds {
        text.summary("mp_upstream_seconds", &format!("class=\"{endpoint}\""), *timed);
    }
    for ((endpoint, _), count) in counted.calls.iter().filter(|((_, status), _)| *status == Some(429)) {
        text.counter("mp_429_total", &format!("class=\"{endpoint}\""), count);
    }
    for (reason, count) in &counted.retries {
        text.counter("mp_retries_total", &format!("reason=\"{reason}\""), count);
    }
    text.summary("mp_throttle_wait_seconds", "", counted.throttled);
    text.gauge("mp_poll_lag_seconds", "", seconds(counted.poll_lag));
    text.counter("mp_verify_failures_total", "", counted.verify_failures);
}

async fn show_integrations(connector: &Connector, text: &mut Text) -> Result<()> {
    let integrations = connector.integrations().await?;
    for one in &integrations {
        let is_up = matches!(one.health, Health::Connected | Health::Degraded);
        text.gauge("mp_integration_up", &format!("integration=\"{}\"", one.id), u64::from(is_up));
        text.gauge("mp_clock_skew_seconds", &format!("integration=\"{}\"", one.id), seconds(connector.skew(&one.id)));
    }
    for one in &integrations {
        for (endpoint, limit) in connector.limits(&one.id).await? {
            let labels = format!("integration=\"{}\",class=\"{endpoint}\"", one.id);
            text.gauge("mp_rate_limit", &labels, limit.limit);
            text.gauge("mp_rate_utilisation", &labels, limit.utilisation().unwrap_or(0.0));
        }
    }
    Ok(())
}
