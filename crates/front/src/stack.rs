//! The middleware of every request, in one pass: id, timing, limits, panics, compression, CORS, metrics, log.
//!
//! One hand-written service instead of a layer for each: a layer costs an allocation per request, and the order in
//! which these things happen is easier to read as a list of statements.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};
use std::time::Instant;

use axum::body::Body;
use axum::extract::MatchedPath;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, Method, Request, StatusCode, header};
use http_body::Body as _;
use pin_project_lite::pin_project;
use tower::{Layer, Service};

use crate::encoding::{self, Encoding};
use crate::inbound::{self, Fault, Refused, Report};
use crate::metrics::{Series, method_label};
use crate::request::{REQUEST_ID, RequestId, STREAM_CLIENT, Started};
use crate::rest::{self, Rest};
use crate::{Front, Refusal, cors, panics};

/// The route label of requests that match no route.
const UNMATCHED: &str = "unmatched";

/// Puts a [`Stack`] around each endpoint of a router.
#[derive(Debug, Clone)]
pub(crate) struct StackLayer {
    front: Front,
}

impl StackLayer {
    pub(crate) fn new(front: Front) -> Self {
        Self { front }
    }
}

impl<S> Layer<S> for StackLayer {
    type Service = Stack<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Stack { inner, front: self.front.clone(), seen: Arc::default() }
    }
}

/// The middleware around one endpoint of the router.
#[derive(Debug, Clone)]
pub(crate) struct Stack<S> {
    inner: S,
    front: Front,
    /// The endpoint as the first request met it: almost every other has the same route and method.
    seen: Arc<OnceLock<Arc<Endpoint>>>,
}

impl<S> Stack<S> {
    fn endpoint(&self, request: &Request<Body>) -> Arc<Endpoint> {
        let route = request.extensions().get::<MatchedPath>().map_or(UNMATCHED, MatchedPath::as_str);
        let method = method_label(request.method());
        let seen = self.seen.get_or_init(|| Endpoint::new(&self.front, route, method));
        if *seen.series.route == *route && seen.series.method == method {
            Arc::clone(seen)
        } else {
            Endpoint::new(&self.front, route, method)
        }
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
        let endpoint = self.endpoint(&request);
        // Without a socket nobody has noted yet when it started.
        let noted = request.extensions().get::<Started>().cloned();
        let started = noted.unwrap_or_else(|| {
            let started = Started::now(&self.front.shared.ids, request.headers(), None);
            request.extensions_mut().insert(started.clone());
            started
        });
        around(endpoint, started, request, |request| self.inner.call(request))
    }
}

/// What is known of a route and method before any request.
#[derive(Debug)]
pub(crate) struct Endpoint {
    front: Front,
    series: Arc<Series>,
    body_max_bytes: u64,
    /// Whether pages ask it with credentials.
    is_credentialed: bool,
}

impl Endpoint {
    pub(crate) fn new(front: &Front, route: &str, method: &'static str) -> Arc<Self> {
        let series = front.metrics().series(route, method);
        let is_credentialed = front.options().credentialed_routes.contains(&route);
        Arc::new(Self { series, body_max_bytes: front.body_max_bytes(route), is_credentialed, front: front.clone() })
    }

    /// The refusal in the service's own words.
    fn refused(&self, refusal: Refusal) -> Response {
        (self.front.options().refuse)(refusal)
    }
}

/// Answers `request` with `call`, and does all that is done around every request.
pub(crate) fn around<F>(
    endpoint: Arc<Endpoint>,
    started: Started,
    mut request: Request<Body>,
    call: impl FnOnce(Request<Body>) -> F,
) -> Answer<F> {
    let about = About::new(endpoint, started, &request);
    let Endpoint { front, body_max_bytes, .. } = &*about.endpoint;
    if request.method() == Method::OPTIONS && front.options().cross_origin {
        return Answer::given(about, cors::preflight());
    }
    let rest = Rest::of(&request, front.options().body_progress_deadline);
    match inbound::guard(&mut request, front.options(), *body_max_bytes) {
        Ok(report) => match panics::catch(|| call(request)) {
            Ok(work) => Answer { step: Step::Working { work, report, rest }, about: Some(about) },
            Err(caught) => {
                let response = about.panicked(&caught);
                Answer::given(about, response)
            }
        },
        Err(Refused::Fault(fault)) => {
            let response = about.refuse(fault);
            Answer::refused(about, response, rest)
        }
        Err(Refused::UnknownEncoding) => {
            let response = about.endpoint.refused(Refusal::UnsupportedEncoding);
            Answer::refused(about, response, rest)
        }
    }
}

/// What is remembered of a request until it is answered.
struct About {
    endpoint: Arc<Endpoint>,
    started: Instant,
    id: RequestId,
    client: Option<HeaderValue>,
    /// The origin of the page that asks, if it may read the answer.
    origin: Option<HeaderValue>,
    encoding: Option<Encoding>,
    is_answered: bool,
}

impl Drop for About {
    fn drop(&mut self) {
        self.endpoint.front.metrics().request_ends();
        if !self.is_answered {
            self.endpoint.series.abandoned();
        }
    }
}

impl About {
    /// Notes what the answer needs to know of `request`.
    fn new(endpoint: Arc<Endpoint>, Started(started, id, _): Started, request: &Request<Body>) -> Self {
        endpoint.front.metrics().request_begins();
        let headers = request.headers();
        Self {
            started,
            id,
            client: headers.get(STREAM_CLIENT).cloned(),
            origin: headers.get(header::ORIGIN).filter(|_| endpoint.front.options().cross_origin).cloned(),
            encoding: if request.method() == Method::HEAD { None } else { encoding::asked(headers) },
            endpoint,
            is_answered: false,
        }
    }

    /// Everything that happens to a response on its way out.
    fn finish(mut self, response: Response) -> Response {
        self.is_answered = true;
        let mut response = self.worded(response);
        // The size before compression; unknown for what is streamed.
        let bytes = response.body().size_hint().exact().unwrap_or(0);
        self.count(response.status(), bytes);
        if let Some(encoding) = self.encoding {
            response = encoding::compressed(response, encoding, self.endpoint.front.options().compress_min_bytes);
        }
        let headers = response.headers_mut();
        if let Some(origin) = self.origin.take() {
            cors::allow(headers, self.endpoint.is_credentialed.then_some(origin));
        }
        headers.insert(REQUEST_ID, self.id.to_header());
        response
    }

    fn count(&self, status: StatusCode, bytes: u64) {
        let took = self.started.elapsed();
        self.endpoint.series.answered(status, took, bytes);
        // What is not built (501) or not now (503) is said on purpose.
        if status == StatusCode::INTERNAL_SERVER_ERROR {
            tracing::error!(
                target: "millpond::access",
                method = self.endpoint.series.method, route = &*self.endpoint.series.route, status = status.as_u16(),
                duration_ms = took.as_secs_f64() * 1e3, bytes, request_id = self.id.as_str(), client = self.client(),
                "request failed"
            );
        } else {
            tracing::debug!(
                target: "millpond::access",
                method = self.endpoint.series.method, route = &*self.endpoint.series.route, status = status.as_u16(),
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

    /// Gives the router's own wordless refusals the shape of the API.
    fn worded(&self, response: Response) -> Response {
        let is_wordless =
            response.body().size_hint().exact() == Some(0) && !response.headers().contains_key(header::CONTENT_TYPE);
        match response.status() {
            StatusCode::NOT_FOUND if is_wordless => self.endpoint.refused(Refusal::UnknownPath),
            StatusCode::METHOD_NOT_ALLOWED if is_wordless => {
                let mut answer = self.endpoint.refused(Refusal::WrongMethod);
                if let Some(allowed) = response.headers().get(header::ALLOW) {
                    answer.headers_mut().insert(header::ALLOW, allowed.clone());
                }
                answer
            }
            _ => response,
        }
    }

    /// The answer to a body at fault.
    fn refuse(&self, fault: Fault) -> Response {
        self.endpoint.front.metrics().body_fault(fault);
        self.endpoint.refused(fault.refusal(self.endpoint.body_max_bytes))
    }

    fn panicked(&self, caught: &panics::Caught) -> Response {
        self.endpoint.front.metrics().panicked();
        tracing::error!(
            method = self.endpoint.series.method,
            route = &*self.endpoint.series.route,
            request_id = self.id.as_str(),
            panic = caught.message,
            place = caught.place,
            "a request panicked"
        );
        self.endpoint.refused(Refusal::Panicked)
    }
}

pin_project! {
    /// The answer to one request.
    pub(crate) struct Answer<F> {
        #[pin]
        step: Step<F>,
        about: Option<About>,
    }
}

pin_project! {
    #[project = StepProjected]
    enum Step<F> {
        Working { #[pin] work: F, report: Option<Arc<Report>>, rest: Rest },
        Reading { rest: Pin<Box<dyn Future<Output = bool> + Send>>, response: Option<Response> },
        Given { response: Option<Response>, is_last: bool },
    }
}

impl<F> Answer<F> {
    fn given(about: About, response: Response) -> Self {
        Self { step: Step::Given { response: Some(response), is_last: false }, about: Some(about) }
    }

    /// The answer to a request whose body nobody is going to read.
    fn refused(about: About, response: Response, rest: Rest) -> Self {
        let is_last = rest != Rest::Left;
        Self { step: Step::Given { response: Some(response), is_last }, about: Some(about) }
    }
}

impl<F, R> Future for Answer<F>
where
    F: Future<Output = Result<R, Infallible>>,
    R: IntoResponse,
{
    type Output = Result<Response, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let about = this.about.as_ref().expect("an answer is not polled after it was given");
        let (response, is_last) = loop {
            let (response, rest, unread) = match this.step.as_mut().project() {
                StepProjected::Given { response, is_last } => {
                    break (response.take().expect("an answer is given once"), *is_last);
                }
                StepProjected::Reading { rest, response } => {
                    let is_last = !ready!(rest.as_mut().poll(cx));
                    break (response.take().expect("an answer is given once"), is_last);
                }
                StepProjected::Working { work, report, rest } => {
                    let response = match panics::catch(|| work.poll(cx)) {
                        Ok(polled) => {
                            let Ok(response) = ready!(polled);
                            let fault = report.as_ref().and_then(|report| report.fault());
                            // A body at fault decides the answer, whatever the handler made of the error it was given.
                            fault.map_or_else(|| response.into_response(), |fault| about.refuse(fault))
                        }
                        Err(caught) => about.panicked(&caught),
                    };
                    (response, *rest, report.as_ref().and_then(|report| report.rest()))
                }
            };
            match unread {
                None => break (response, false),
                Some(unread) => {
                    let rest = Box::pin(rest.dealt_with(unread));
                    this.step.set(Step::Reading { rest, response: Some(response) });
                }
            }
        };
        let about = this.about.take().expect("it was there above");
        let mut response = about.finish(response);
        if is_last {
            rest::close(&mut response);
        }
        Poll::Ready(Ok(response))
    }
}
