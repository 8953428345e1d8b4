//! What the front counts, and how it is written for Prometheus.
//!
//! Every series is a few atomics found once per route, so that counting costs nanoseconds and no memory grows with
//! traffic. **Invariant:** labels come from closed sets (matched routes, known methods, status classes, reasons).

use std::collections::BTreeMap;
use std::fmt::{self, Debug, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use http::{Method, StatusCode};
use parking_lot::Mutex;

use crate::accept::Cut;
use crate::caps::Full;
use crate::inbound::Fault;
use crate::pulse::Wait;

/// The upper bounds of the duration buckets, in microseconds.
const BOUNDS_MICROS: [u64; 15] = [
    100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000,
    10_000_000,
];
const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];
const CUTS: [&str; 5] = ["silent", "slow_header", "idle", "peer_not_reading", "drain"];
const REFUSALS: [&str; 2] = ["process_cap", "peer_cap"];
const FAULTS: [&str; 3] = ["too_large", "too_slow", "malformed_encoding"];

/// A part of the server that writes its own metrics, as Prometheus text, at each scrape.
type Source = Box<dyn Fn(&mut String) + Send + Sync>;

/// The series by route and method.
type AllSeries = BTreeMap<(Arc<str>, &'static str), Arc<Series>>;

/// The metrics of one front.
#[derive(Default)]
pub struct Metrics {
    series: Mutex<AllSeries>,
    in_flight: AtomicU64,
    panics: AtomicU64,
    faults: [AtomicU64; FAULTS.len()],
    open: Arc<AtomicUsize>,
    accepted: AtomicU64,
    accept_failures: AtomicU64,
    refused: [AtomicU64; REFUSALS.len()],
    cut: [AtomicU64; CUTS.len()],
    sources: Mutex<Vec<Source>>,
}

impl Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

/// The requests of one route and method.
#[derive(Debug)]
pub(crate) struct Series {
    pub(crate) route: Arc<str>,
    pub(crate) method: &'static str,
    classes: [AtomicU64; CLASSES.len()],
    abandoned: AtomicU64,
    buckets: [AtomicU64; BOUNDS_MICROS.len()],
    beyond: AtomicU64,
    sum_micros: AtomicU64,
    response_bytes: AtomicU64,
}

impl Series {
    fn new(route: Arc<str>, method: &'static str) -> Self {
        Self {
            route,
            method,
            classes: Default::default(),
            abandoned: AtomicU64::default(),
            buckets: Default::default(),
            beyond: AtomicU64::default(),
            sum_micros: AtomicU64::default(),
            response_bytes: AtomicU64::default(),
        }
    }

    /// Counts an answered request.
    pub(crate) fn answered(&self, status: StatusCode, took: Duration, bytes: u64) {
        let class = usize::from(status.as_u16() / 100).clamp(1, CLASSES.len()) - 1;
        self.classes[class].fetch_add(1, Relaxed);
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let bucket = BOUNDS_MICROS.partition_point(|bound| *bound < micros);
        self.buckets.get(bucket).unwrap_or(&self.beyond).fetch_add(1, Relaxed);
        self.sum_micros.fetch_add(micros, Relaxed);
        self.response_bytes.fetch_add(bytes, Relaxed);
    }

    /// Counts a request whose client went away before the answer.
    pub(crate) fn abandoned(&self) {
        self.abandoned.fetch_add(1, Relaxed);
    }
}

/// The method as a label; whatever is not known is one label.
pub(crate) fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        _ => "OTHER",
    }
}

impl Metrics {
    /// Lets another part write its own lines at each scrape.
    pub fn add_source(&self, source: impl Fn(&mut String) + Send + Sync + 'static) {
        self.sources.lock().push(Box::new(source));
    }

    /// The series of `route` and `method`, made when first asked for.
    pub(crate) fn series(&self, route: &str, method: &'static str) -> Arc<Series> {
        let route: Arc<str> = route.into();
        let mut series = self.series.lock();
        let found = series.entry((Arc::clone(&route), method)).or_insert_with(|| Arc::new(Series::new(route, method)));
        Arc::clone(found)
    }

    pub(crate) fn request_begins(&self) {
        self.in_flight.fetch_add(1, Relaxed);
    }

    pub(crate) fn request_ends(&self) {
        self.in_flight.fetch_sub(1, Relaxed);
    }

    pub(crate) fn panicked(&self) {
        self.panics.fetch_add(1, Relaxed);
    }

    pub(crate) fn body_fault(&self, fault: Fault) {
        let index = match fault {
            Fault::TooLarge => 0,
            Fault::TooSlow => 1,
            Fault::Malformed => 2,
        };
        self.faults[index].fetch_add(1, Relaxed);
    }

    /// The gauge of open connections, for whoever opens and closes them.
    pub(crate) fn open_connections(&self) -> Arc<AtomicUsize> {
        Arc::clone(&self.open)
    }

    pub(crate) fn connection_accepted(&self) {
        self.accepted.fetch_add(1, Relaxed);
    }

    pub(crate) fn accept_failed(&self) {
        self.accept_failures.fetch_add(1, Relaxed);
    }

    pub(crate) fn connection_refused(&self, full: Full) {
        let index = match full {
            Full::Process => 0,
            Full::Peer => 1,
        };
        self.refused[index].fetch_add(1, Relaxed);
    }

    pub(crate) fn connections_cut(&self, cut: Cut, count: usize) {
        let index = match cut {
            Cut::Waited(Wait::FirstByte) => 0,
            Cut::Waited(Wait::Header) => 1,
            Cut::Waited(Wait::NextRequest) => 2,
            Cut::Waited(Wait::PeerReads) => 3,
            Cut::Drain => 4,
        };
        self.cut[index].fetch_add(count as u64, Relaxed);
    }

    /// Everything, in the Prometheus text format.
    #[must_use]
    pub fn render(&self) -> String {
        let mut out = String::with_capacity(16 * 1024);
        self.write_requests(&mut out);
        self.write_connections(&mut out);
        for source in self.sources.lock().iter() {
            source(&mut out);
        }
        out
    }

    fn write_requests(&self, out: &mut String) {
        let series: Vec<_> = self.series.lock().values().cloned().collect();
        head(out, "millpond_http_requests_total", "counter", "Requests answered, by route, method and status class.");
        for one in &series {
            write_classes(out, one);
        }
        head(out, "millpond_http_request_duration_seconds", "histogram", "From the request head to the response head.");
        for one in &series {
            write_durations(out, one);
        }
        head(out, "millpond_http_response_bytes_total", "counter", "Body bytes of known size, before compression.");
        for one in &series {
            let bytes = one.response_bytes.load(Relaxed);
            line(out, "millpond_http_response_bytes_total", &one.labels(), bytes);
        }
        single(out, "millpond_http_requests_in_flight", "gauge", "Requests being answered.", &self.in_flight);
        single(out, "millpond_http_panics_total", "counter", "Requests that ended in a panic.", &self.panics);
        head(out, "millpond_http_bodies_refused_total", "counter", "Request bodies refused, by reason.");
        by_reason(out, "millpond_http_bodies_refused_total", &FAULTS, &self.faults);
    }

    fn write_connections(&self, out: &mut String) {
        head(out, "millpond_http_connections", "gauge", "Open connections.");
        line(out, "millpond_http_connections", "", self.open.load(Relaxed) as u64);
        single(out, "millpond_http_connections_total", "counter", "Connections accepted.", &self.accepted);
        let help = "Failures to accept a connection.";
        single(out, "millpond_http_accept_failures_total", "counter", help, &self.accept_failures);
        head(out, "millpond_http_connections_refused_total", "counter", "Connections beyond a cap.");
        by_reason(out, "millpond_http_connections_refused_total", &REFUSALS, &self.refused);
        head(out, "millpond_http_connections_cut_total", "counter", "Connections ended by this server, by reason.");
        by_reason(out, "millpond_http_connections_cut_total", &CUTS, &self.cut);
    }
}

impl Series {
    fn labels(&self) -> String {
        format!("route=\"{}\",method=\"{}\"", escaped(&self.route), self.method)
    }
}

fn write_classes(out: &mut String, series: &Series) {
    let labels = series.labels();
    for (class, count) in CLASSES.iter().zip(&series.classes) {
        let count = count.load(Relaxed);
        if count > 0 {
            line(out, "millpond_http_requests_total", &format!("{labels},status=\"{class}\""), count);
        }
    }
    let abandoned = series.abandoned.load(Relaxed);
    if abandoned > 0 {
        line(out, "millpond_http_requests_total", &format!("{labels},status=\"abandoned\""), abandoned);
    }
}

fn write_durations(out: &mut String, series: &Series) {
    const NAME: &str = "millpond_http_request_duration_seconds";
    let labels = series.labels();
    let mut count = 0;
    for (bound, bucket) in BOUNDS_MICROS.iter().zip(&series.buckets) {
        count += bucket.load(Relaxed);
        let _ = writeln!(out, "{NAME}_bucket{{{labels},le=\"{}\"}} {count}", seconds(*bound));
    }
    count += series.beyond.load(Relaxed);
    let _ = writeln!(out, "{NAME}_bucket{{{labels},le=\"+Inf\"}} {count}");
    let _ = writeln!(out, "{NAME}_sum{{{labels}}} {}", seconds(series.sum_micros.load(Relaxed)));
    let _ = writeln!(out, "{NAME}_count{{{labels}}} {count}");
}

// Writing to a `String` cannot fail, so the results below are dropped.

fn head(out: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

fn line(out: &mut String, name: &str, labels: &str, value: u64) {
    let _ =
        if labels.is_empty() { writeln!(out, "{name} {value}") } else { writeln!(out, "{name}{{{labels}}} {value}") };
}

fn single(out: &mut String, name: &str, kind: &str, help: &str, value: &AtomicU64) {
    head(out, name, kind, help);
    line(out, name, "", value.load(Relaxed));
}

fn by_reason(out: &mut String, name: &str, reasons: &[&str], counts: &[AtomicU64]) {
    for (reason, count) in reasons.iter().zip(counts) {
        line(out, name, &format!("reason=\"{reason}\""), count.load(Relaxed));
    }
}

#[expect(clippy::cast_precision_loss, reason = "a metric needs no more than 53 bits")]
fn seconds(micros: u64) -> f64 {
    micros as f64 / 1e6
}

fn escaped(label: &str) -> String {
    label.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_counted_in_its_class_and_bucket() {
        let metrics = Metrics::default();
        let series = metrics.series("/feed/{group}", "GET");
        series.answered(StatusCode::OK, Duration::from_micros(400), 7);
        series.answered(StatusCode::NOT_FOUND, Duration::from_secs(60), 0);
        let text = metrics.render();
        let labels = r#"route="/feed/{group}",method="GET""#;
        for expected in [
            format!("millpond_http_requests_total{{{labels},status=\"2xx\"}} 1\n"),
            format!("millpond_http_requests_total{{{labels},status=\"4xx\"}} 1\n"),
            format!("millpond_http_request_duration_seconds_bucket{{{labels},le=\"0.00025\"}} 0\n"),
            format!("millpond_http_request_duration_seconds_bucket{{{labels},le=\"0.0005\"}} 1\n"),
            format!("millpond_http_request_duration_seconds_bucket{{{labels},le=\"+Inf\"}} 2\n"),
            format!("millpond_http_request_duration_seconds_count{{{labels}}} 2\n"),
            format!("millpond_http_response_bytes_total{{{labels}}} 7\n"),
        ] {
            assert!(text.contains(&expected), "{expected} is not in\n{text}");
        }
    }

    #[test]
    fn one_route_and_method_is_one_series() {
        let metrics = Metrics::default();
        assert!(Arc::ptr_eq(&metrics.series("/a", "GET"), &metrics.series("/a", "GET")));
        assert!(!Arc::ptr_eq(&metrics.series("/a", "GET"), &metrics.series("/a", "PUT")));
    }

    #[test]
    fn other_parts_add_their_own_lines() {
        let metrics = Metrics::default();
        metrics.add_source(|out| out.push_str("millpond_store_commits_total 3\n"));
        assert!(metrics.render().ends_with("millpond_store_commits_total 3\n"));
    }
}
