//! The middleware of every request, in one pass: id, timing, limits, panics, compression, CORS, metrics, log.
//!
//! One hand-written service instead of a layer for each: a layer costs an allocation per request, and the order in
//! which these things happen is easier to read as a list of statements.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use axum::body::Body;
use axum::extract::MatchedPath;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, Method, Request, StatusCode, header};
use http_body::Body as _;
use parking_lot::RwLock;
use pin_project_lite::pin_project;
use tower::{Layer, Service};

use super::encoding::{self, Encoding};
use super::inbound::{self, Fault, Refused, Report};
use super::metrics::{Series, method_label};
use super::request::{REQUEST_ID, RequestId, STREAM_CLIENT, Started};
use super::{Front, cors, error, panics};

/// The route label of requests that match no route.
const UNMATCHED: &str = "unmatched";

/// Puts a [`Stack`] around each endpoint of a router.
#[derive(Debug, Clone)]
pub(super) struct StackLayer {
    front: Front,
}

impl StackLayer {
    pub(super) fn new(front: Front) -> Self {
        Self { front }
    }
}

impl<S> Layer<S> for StackLayer {
    type Service = Stack<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Stack { inner, front: self.front.clone(), endpoint: Arc::default() }
    }
}

/// The middleware around one endpoint.
#[derive(Debug, Clone)]
pub(super) struct Stack<S> {
    inner: S,
    front: Front,
    endpoint: Arc<Endpoint>,
}

/// What is looked up once per endpoint: almost every request of one endpoint has the same route and method.
#[derive(Debug, Default)]
struct Endpoint {
    last: RwLock<Option<Known>>,
}

#[derive(Debug, Clone)]
struct Known {
    series: Arc<Series>,
    body_max_bytes: u64,
}

impl Endpoint {
    fn of(&self, front: &Front, route: &str, method: &'static str) -> Known {
        if let Some(known) = &*self.last.read()
            && *known.series.route == *route
            && known.series.method == method
        {
            return known.clone();
        }
        let series = front.metrics().series(route, method);
        let known = Known { series, body_max_bytes: front.body_max_bytes(route) };
        *self.last.write() = Some(known.clone());
        known
    }
}

impl<S> Service<Request<Body>> for Stack<S>
where
    S: Service<Request<Body>, Error = Infallible>,
    S::Response: IntoResponse,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Answer<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let about = self.about(&request);
        if request.method() == Method::OPTIONS {
            return Answer::given(about, cors::preflight());
        }
        match inbound::guard(&mut request, self.front.options(), about.body_max_bytes) {
            Ok(report) => {
                let extensions = request.extensions_mut();
                extensions.insert(Started(about.started));
                extensions.insert(about.id.clone());
                Answer { step: Step::Working { work: self.inner.call(request), report }, about: Some(about) }
            }
            Err(Refused::Fault(fault)) => {
                let response = about.refuse(fault);
                Answer::given(about, response)
            }
            Err(Refused::UnknownEncoding) => Answer::given(about, error::unsupported_encoding()),
        }
    }
}

impl<S> Stack<S> {
    /// Notes what the answer needs to know of the request.
    fn about(&self, request: &Request<Body>) -> About {
        let started = Instant::now();
        let headers = request.headers();
        let route = request.extensions().get::<MatchedPath>().map_or(UNMATCHED, MatchedPath::as_str);
        let known = self.endpoint.of(&self.front, route, method_label(request.method()));
        self.front.metrics().request_begins();
        let is_head = request.method() == Method::HEAD;
        About {
            started,
            id: self.front.shared.ids.of(headers),
            client: headers.get(STREAM_CLIENT).cloned(),
            has_origin: headers.contains_key(header::ORIGIN),
            encoding: if is_head { None } else { encoding::asked(headers) },
            series: known.series,
            front: self.front.clone(),
            body_max_bytes: known.body_max_bytes,
            is_answered: false,
        }
    }
}

/// What is remembered of a request until it is answered.
struct About {
    started: Instant,
    id: RequestId,
    client: Option<HeaderValue>,
    has_origin: bool,
    encoding: Option<Encoding>,
    series: Arc<Series>,
    front: Front,
    body_max_bytes: u64,
    is_answered: bool,
}

impl Drop for About {
    fn drop(&mut self) {
        self.front.metrics().request_ends();
        if !self.is_answered {
            self.series.abandoned();
        }
    }
}

impl About {
    /// Everything that happens to a response on its way out.
    fn finish(mut self, response: Response) -> Response {
        self.is_answered = true;
        let mut response = worded(response);
        // The size before compression; unknown for what is streamed.
        let bytes = response.body().size_hint().exact().unwrap_or(0);
        self.count(response.status(), bytes);
        if let Some(encoding) = self.encoding {
            response = encoding::compressed(response, encoding, self.front.options().compress_min_bytes);
        }
        let headers = response.headers_mut();
        if self.has_origin {
            cors::allow(headers);
        }
        headers.insert(REQUEST_ID, self.id.0.clone());
        response
    }

    fn count(&self, status: StatusCode, bytes: u64) {
        let took = self.started.elapsed();
        self.series.answered(status, took, bytes);
        if status.is_server_error() && status != StatusCode::SERVICE_UNAVAILABLE {
            tracing::error!(
                target: "millpond::access",
                method = self.series.method, route = &*self.series.route, status = status.as_u16(),
                duration_ms = took.as_secs_f64() * 1e3, bytes, request_id = self.id.as_str(), client = self.client(),
                "request failed"
            );
        } else {
            tracing::debug!(
                target: "millpond::access",
                method = self.series.method, route = &*self.series.route, status = status.as_u16(),
                duration_ms = took.as_secs_f64() * 1e3, bytes, request_id = self.id.as_str(), client = self.client(),
                "request"
            );
        }
    }

    /// How the client library names itself, cut to a sane length.
    fn client(&self) -> &str {
        const LENGTH_MAX: usize = 80;
        let name = self.client.as_ref().and_then(|value| value.to_str().ok()).unwrap_or("-");
        name.get(..LENGTH_MAX).unwrap_or(name)
    }

    /// The answer to a body at fault.
    fn refuse(&self, fault: Fault) -> Response {
        self.front.metrics().body_fault(fault);
        fault.response(self.body_max_bytes)
    }

    fn panicked(&self, caught: &panics::Caught) -> Response {
        self.front.metrics().panicked();
        tracing::error!(
            method = self.series.method,
            route = &*self.series.route,
            request_id = self.id.as_str(),
            panic = caught.message,
            place = caught.place,
            "a request panicked"
        );
        error::internal()
    }
}

/// Gives the router's own wordless refusals the shape of the API.
fn worded(response: Response) -> Response {
    let is_wordless =
        response.body().size_hint().exact() == Some(0) && !response.headers().contains_key(header::CONTENT_TYPE);
    match response.status() {
        StatusCode::NOT_FOUND if is_wordless => error::unknown_path(),
        StatusCode::METHOD_NOT_ALLOWED if is_wordless => {
            let mut answer = error::wrong_method();
            if let Some(allowed) = response.headers().get(header::ALLOW) {
                answer.headers_mut().insert(header::ALLOW, allowed.clone());
            }
            answer
        }
        _ => response,
    }
}

pin_project! {
    /// The answer to one request.
    pub(super) struct Answer<F> {
        #[pin]
        step: Step<F>,
        about: Option<About>,
    }
}

pin_project! {
    #[project = StepProjected]
    enum Step<F> {
        Working { #[pin] work: F, report: Option<Arc<Report>> },
        Given { response: Option<Response> },
    }
}

impl<F> Answer<F> {
    fn given(about: About, response: Response) -> Self {
        Self { step: Step::Given { response: Some(response) }, about: Some(about) }
    }
}

impl<F, R> Future for Answer<F>
where
    F: Future<Output = Result<R, Infallible>>,
    R: IntoResponse,
{
    type Output = Result<Response, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let about = this.about.as_ref().expect("an answer is not polled after it was given");
        let response = match this.step.project() {
            StepProjected::Given { response } => response.take().expect("an answer is given once"),
            StepProjected::Working { work, report } => match panics::catch(|| work.poll(cx)) {
                Ok(polled) => {
                    let Ok(response) = ready!(polled);
                    let fault = report.as_ref().and_then(|report| report.fault());
                    // A body at fault decides the answer, whatever the handler made of the error it was given.
                    fault.map_or_else(|| response.into_response(), |fault| about.refuse(fault))
                }
                Err(caught) => about.panicked(&caught),
            },
        };
        let about = this.about.take().expect("it was there above");
        Poll::Ready(Ok(about.finish(response)))
    }
}
