//! One HTTP call and its answer: size, time and compression have bounds, and nothing is followed anywhere.

use std::{io::Write, path::Path, time::Duration};

use ids::Timestamp;
use reqwest::{Method, Response, header::HeaderMap};
use serde_json::Value;
use tokio::time::Instant;

use super::{
    address::Address,
    body::{Body, encoding},
    cause::cause,
    dialect::{Dialect, Endpoint, Meaning},
    throttle::LimitHeaders,
};
use crate::{Error, Result, Secret, hooks::Guard, keys::sha256, redact::scrub};

/// How long things may take, and how large they may be.
#[derive(Clone, Debug)]
pub struct HttpOptions {
    /// To connect.
    pub connect: Duration,
    /// From the call to the head of the answer.
    pub head: Duration,
    /// The same for an export.
    pub export_head: Duration,
    /// For every kilobyte of a body, and for its end.
    pub idle: Duration,
    /// The largest export, in bytes.
    pub export_bytes_max: u64,
    /// A file of further trusted certificates.
    pub ca_file: Option<std::path::PathBuf>,
    /// Hosts inside to which webhooks may go.
    pub webhook_hosts: Vec<String>,
    /// Who finds the addresses of names; the system if it is left out.
    pub resolver: Option<Resolver>,
}

/// Who finds the addresses of names.
#[derive(Clone)]
pub struct Resolver(pub std::sync::Arc<dyn reqwest::dns::Resolve>);

impl std::fmt::Debug for Resolver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Resolver").finish_non_exhaustive()
    }
}

/// The largest body that is read into memory, in bytes.
const BODY_BYTES_MAX: u64 = 32 << 20;
/// What a body must bring in each [`HttpOptions::idle`]; else a byte a second would keep a call for years.
const PROGRESS_BYTES: usize = 1024;
/// How long a receiver of events may take.
const WEBHOOK_MAX: Duration = Duration::from_secs(10);
const USER_AGENT: &str = concat!("millpond/", env!("CARGO_PKG_VERSION"));

impl Default for HttpOptions {
    fn default() -> Self {
        HttpOptions {
            connect: Duration::from_secs(5),
            head: Duration::from_secs(30),
            export_head: Duration::from_secs(120),
            idle: Duration::from_secs(30),
            export_bytes_max: 1 << 30,
            ca_file: None,
            webhook_hosts: Vec::new(),
            resolver: None,
        }
    }
}

/// What makes calls.
#[derive(Clone, Debug)]
pub struct Http {
    client: reqwest::Client,
    /// For webhooks: it looks at every address that a name leads to.
    outside: reqwest::Client,
    guard: Guard,
    options: HttpOptions,
}

/// A call.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) endpoint: Endpoint,
    /// What `{id}` in the path stands for.
    pub(crate) id: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) body: Option<Vec<u8>>,
}

/// Who calls whom.
pub(super) struct Line<'a> {
    pub(super) address: &'a Address,
    pub(super) dialect: &'a Dialect,
    pub(super) key: &'a Secret,
    pub(super) token: &'a Secret,
    pub(super) request_id: &'a str,
}

/// An answer, or the lack of one.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) meaning: Meaning,
    pub(crate) status: Option<u16>,
    pub(crate) code: Option<i64>,
    /// What the other side said, scrubbed.
    pub(crate) message: String,
    pub(crate) headers: LimitHeaders,
    pub(crate) server_time: Option<Timestamp>,
    /// The body, unless it went into a file.
    pub(crate) body: Vec<u8>,
    pub(crate) bytes: u64,
    pub(crate) sha256: Option<String>,
    /// How often it was sent before, and refused for the time of its token.
    pub(crate) clock_refusals: u32,
}

impl Call {
    /// A call without a body.
    pub(crate) fn get(endpoint: Endpoint, id: &str) -> Self {
        Call { endpoint, id: id.to_owned(), query: Vec::new(), body: None }
    }

    /// A call with a JSON body.
    pub(crate) fn post(endpoint: Endpoint, body: &Value) -> Self {
        Call { endpoint, id: String::new(), query: Vec::new(), body: Some(body.to_string().into_bytes()) }
    }

    /// A call with a JSON body about something.
    pub(crate) fn post_to(endpoint: Endpoint, id: &str, body: &Value) -> Self {
        Call { id: id.to_owned(), ..Call::post(endpoint, body) }
    }

    /// With a parameter.
    pub(crate) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.query.push((name.to_owned(), value.into()));
        self
    }

    /// The job that it asks about.
    pub(crate) fn task_id(&self) -> Option<String> {
        (self.endpoint == Endpoint::GetTask).then(|| self.id.clone())
    }

    /// The hash of method, path and body: what the intent log keeps of a call.
    pub(crate) fn intent_hash(&self, dialect: &Dialect) -> String {
        let body = self.body.as_deref().unwrap_or_default();
        sha256(&[format!("POST {}\n", dialect.path(self.endpoint)).as_bytes(), body].concat())
    }
}

impl Answer {
    /// No answer.
    fn none(meaning: Meaning, message: String) -> Self {
        Answer {
            meaning,
            status: None,
            code: None,
            message,
            headers: LimitHeaders::default(),
            server_time: None,
            body: Vec::new(),
            bytes: 0,
            sha256: None,
            clock_refusals: 0,
        }
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }

    /// The same answer, found to be unreadable.
    pub(crate) fn unreadable(self, why: &str) -> Self {
        Answer { meaning: Meaning::BadResponse, message: why.to_owned(), ..self }
    }
}

/// A client that trusts the certificates of a file too.
pub(crate) fn trusting(mut builder: reqwest::ClientBuilder, ca_file: Option<&Path>) -> Result<reqwest::ClientBuilder> {
    let Some(path) = ca_file else { return Ok(builder) };
    let bytes = std::fs::read(path).map_err(crate::error::file(path))?;
    let certificates = reqwest::Certificate::from_pem_bundle(&bytes);
    for certificate in certificates.map_err(|error| Error::Outbound(error.to_string()))? {
        builder = builder.add_root_certificate(certificate);
    }
    Ok(builder)
}

impl Http {
    /// The one constructor of outbound calls: redirects are never followed, because they would carry the token along.
    ///
    /// # Errors
    /// [`Error::Outbound`] when the trusted certificates cannot be read.
    pub fn new(options: HttpOptions) -> Result<Self> {
        let mut builder = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(options.connect)
            .user_agent(USER_AGENT);
        if let Some(Resolver(resolver)) = &options.resolver {
            builder = builder.dns_resolver(resolver.clone());
        }
        let client = trusting(builder, options.ca_file.as_deref())?
            .build()
            .map_err(|error| Error::Outbound(error.to_string()))?;
        let guard = Guard::new(options.webhook_hosts.clone());
        let outside = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(WEBHOOK_MAX)
            .no_proxy()
            .dns_resolver(std::sync::Arc::new(guard.clone()))
            .user_agent(USER_AGENT);
        let outside = outside.build().map_err(|error| Error::Outbound(error.to_string()))?;
        Ok(Http { client, outside, guard, options })
    }

    /// Where webhooks may go.
    pub(crate) fn guard(&self) -> &Guard {
        &self.guard
    }

    /// Sends an event; answers the status, if there was an answer.
    pub(crate) async fn post_event(&self, url: &str, headers: &[(&'static str, &str)], body: String) -> Option<u16> {
        self.guard.check(url).ok()?;
        let mut request = self.outside.post(url).header("content-type", "application/json").body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Some(request.send().await.ok()?.status().as_u16())
    }

    /// Makes a call; a good answer's body goes to `sink` if there is one.
    pub(super) async fn call(&self, line: &Line<'_>, call: &Call, sink: Option<&mut (dyn Write + Send)>) -> Answer {
        let path = line.dialect.path(call.endpoint);
        let method = if call.body.is_some() { Method::POST } else { Method::GET };
        let mut url = line.address.join(path, &call.id);
        url.query_pairs_mut().append_pair("api_key", line.key.expose()).extend_pairs(&call.query);
        let mut request = self
            .client
            .request(method, url)
            .header("stream-auth-type", "jwt")
            .header("authorization", line.token.expose())
            .header("accept-encoding", "gzip, deflate")
            .header("x-client-request-id", line.request_id);
        if let Some(body) = &call.body {
            request = request.header("content-type", "application/json").body(body.clone());
        }
        let is_export = call.endpoint == Endpoint::ExportUser;
        let patience = if is_export { self.options.export_head } else { self.options.head };
        match tokio::time::timeout(patience, request.send()).await {
            Err(_) => Answer::none(Meaning::Lost, "no answer came in time".into()),
            Ok(Err(error)) if error.is_connect() || error.is_builder() => Answer::none(Meaning::Unsent, cause(&error)),
            Ok(Err(error)) => Answer::none(Meaning::Lost, cause(&error)),
            Ok(Ok(response)) => self.read(line, call, response, sink).await,
        }
    }

    /// The most bytes of an export.
    pub(crate) fn export_bytes_max(&self) -> u64 {
        self.options.export_bytes_max
    }

    /// Fetches a file of at most `most` bytes, without any credentials.
    pub(crate) async fn download(&self, url: &str, sink: &mut (dyn Write + Send), most: u64) -> Answer {
        let request = self.client.get(url).header("accept-encoding", "gzip, deflate");
        match tokio::time::timeout(self.options.export_head, request.send()).await {
            Err(_) => Answer::none(Meaning::Lost, "no answer came in time".into()),
            Ok(Err(error)) => Answer::none(Meaning::Unsent, cause(&error.without_url())),
            Ok(Ok(response)) if response.status().is_success() => {
                let status = response.status().as_u16();
                let mut answer = Answer { status: Some(status), ..Answer::none(Meaning::Ok, String::new()) };
                let body = Body::new(encoding(response.headers()), most, Some(sink));
                self.read_body(response, body, &mut answer).await;
                answer
            }
            Ok(Ok(response)) => {
                let status = response.status().as_u16();
                let meaning =
                    if matches!(status, 401 | 403 | 404 | 410) { Meaning::Forbidden } else { Meaning::Trouble };
                Answer { status: Some(status), ..Answer::none(meaning, format!("status {status}")) }
            }
        }
    }

    async fn read(
        &self,
        line: &Line<'_>,
        call: &Call,
        response: Response,
        sink: Option<&mut (dyn Write + Send)>,
    ) -> Answer {
        let status = response.status();
        let mut answer = Answer {
            status: Some(status.as_u16()),
            headers: limit_headers(response.headers()),
            server_time: server_time(response.headers()),
            ..Answer::none(Meaning::Ok, String::new())
        };
        let is_json = response
            .headers()
            .get("content-type")
            .and_then(|value| value.to_str().ok())
            .is_some_and(|kind| kind.to_ascii_lowercase().contains("json"));
        let sink = sink.filter(|_| status.is_success());
        let most = if sink.is_some() { self.options.export_bytes_max } else { BODY_BYTES_MAX };
        let body = Body::new(encoding(response.headers()), most, sink);
        self.read_body(response, body, &mut answer).await;
        if !status.is_success() {
            let envelope = answer.json();
            answer.code = envelope.as_ref().and_then(|body| body["code"].as_i64());
            let said = envelope.as_ref().and_then(|body| body["message"].as_str()).unwrap_or_default();
            answer.message = scrub(said, &[&call.id, line.key.expose()]);
            answer.meaning = line.dialect.meaning(status.as_u16(), answer.code);
        } else if answer.meaning == Meaning::Ok && !is_json {
            return answer.unreadable("the answer is not JSON");
        }
        answer
    }

    async fn read_body(&self, mut response: Response, mut body: Body<'_>, answer: &mut Answer) {
        let (mut deadline, mut brought) = (Instant::now() + self.options.idle, 0);
        let failed = loop {
            match tokio::time::timeout_at(deadline, response.chunk()).await {
                Err(_) => break Some("the answer came too slowly, or stopped coming".to_owned()),
                Ok(Err(error)) => break Some(cause(&error.without_url())),
                Ok(Ok(None)) => break None,
                Ok(Ok(Some(chunk))) => {
                    if let Err(error) = body.take(&chunk) {
                        break Some(error.to_string());
                    }
                    brought += chunk.len();
                }
            }
            if brought >= PROGRESS_BYTES {
                (deadline, brought) = (Instant::now() + self.options.idle, 0);
            }
        };
        let done = body.finish();
        (answer.bytes, answer.sha256) = (done.bytes, Some(crate::keys::hex(done.hash.finish().as_ref())));
        answer.body = done.memory;
        if let Some(why) = failed.or(done.failed) {
            answer.meaning = Meaning::BadResponse;
            answer.message = why;
        }
    }
}

fn limit_headers(headers: &HeaderMap) -> LimitHeaders {
    fn number<T: std::str::FromStr>(headers: &HeaderMap, name: &str) -> Option<T> {
        headers.get(name)?.to_str().ok()?.trim().parse().ok()
    }
    LimitHeaders {
        limit: number(headers, "x-ratelimit-limit"),
        remaining: number(headers, "x-ratelimit-remaining"),
        reset_secs: number(headers, "x-ratelimit-reset"),
        retry_after_secs: number(headers, "retry-after"),
    }
}

fn server_time(headers: &HeaderMap) -> Option<Timestamp> {
    let text = headers.get("date")?.to_str().ok()?;
    let moment = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
    Some(Timestamp::from_micros(moment.as_microsecond()))
}
