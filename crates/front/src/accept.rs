//! The accept loop: several addresses, caps, one task per connection, and a drain at the end.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::routing::future::RouteFuture;
use http::{Request, Response};
use http_body::Body as _;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use pin_project_lite::pin_project;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until, timeout, timeout_at};
use tokio_rustls::rustls::ServerConfig;
use tokio_util::sync::CancellationToken;
use tower::Service as _;

use crate::caps::{Caps, Permit};
use crate::fast::{Fast, FastAnswer, FastLane};
use crate::pulse::{Deadlines, InFlight, Pulse, Wait, Watched};
use crate::request::Started;
use crate::stack::Answer;
use crate::{Front, Options, tls};

/// How long to rest after the process ran out of file descriptors or memory for sockets.
const EXHAUSTED_PAUSE: Duration = Duration::from_millis(100);
/// How often an HTTP/2 peer is asked whether it is still there.
const PING_INTERVAL: Duration = Duration::from_secs(20);

/// An address could not be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {source}; choose another address with --listen, or stop what uses this one")]
pub struct BindError {
    /// The address that was asked for.
    pub address: SocketAddr,
    /// What the system said.
    pub source: io::Error,
}

/// A front that holds its addresses, and does not accept yet.
#[derive(Debug)]
pub struct Bound {
    front: Front,
    listeners: Vec<TcpListener>,
    addresses: Vec<SocketAddr>,
}

/// How the end went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drained {
    /// Connections that were open at the shutdown signal and ended by themselves.
    pub finished: usize,
    /// Connections that were cut at the deadline.
    pub cut: usize,
}

/// Takes every address in the options.
pub(crate) fn bind(front: Front) -> Result<Bound, BindError> {
    let options = front.options();
    let mut listeners = Vec::with_capacity(options.listen.len());
    let mut addresses = Vec::with_capacity(options.listen.len());
    for &address in &options.listen {
        let named = |source| BindError { address, source };
        let listener = listen(address, options.backlog).map_err(named)?;
        addresses.push(listener.local_addr().map_err(named)?);
        listeners.push(listener);
    }
    Ok(Bound { front, listeners, addresses })
}

fn listen(address: SocketAddr, backlog: u32) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(backlog)
}

impl Bound {
    /// The addresses with their real ports, in the order of [`Options::listen`].
    #[must_use]
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// The shared part: readiness, metrics, options.
    #[must_use]
    pub fn front(&self) -> &Front {
        &self.front
    }

    /// Serves `router` until `shutdown` resolves, then drains.
    ///
    /// New connections are refused from the signal on (after [`Options::lame_duck`]), requests in flight may finish
    /// until [`Options::drain_deadline`], and what is left then is cut.
    pub async fn serve(self, router: Router, shutdown: impl Future<Output = ()>) -> Drained {
        self.serve_with(None, router, shutdown).await
    }

    /// As [`Bound::serve`], with endpoints that go past the router.
    pub async fn serve_with(
        self,
        fast: Option<Arc<dyn Fast>>,
        router: Router,
        shutdown: impl Future<Output = ()>,
    ) -> Drained {
        let hall = Hall::new(&self.front, fast, router);
        let mut loops = JoinSet::new();
        for listener in self.listeners {
            loops.spawn(accept_loop(Arc::clone(&hall), listener));
        }
        shutdown.await;
        self.front.readiness().set_draining();
        sleep(self.front.options().lame_duck).await;
        hall.drain(loops).await
    }
}

/// What all connections of one front share.
struct Hall {
    front: Front,
    fast: Option<FastLane>,
    router: Router,
    protocol: auto::Builder<TokioExecutor>,
    deadlines: Deadlines,
    caps: Arc<Caps>,
    closing: CancellationToken,
    /// Whether `closing` was cancelled; costs a read where asking the token costs a lock.
    is_closing: AtomicBool,
}

impl Hall {
    fn new(front: &Front, fast: Option<Arc<dyn Fast>>, router: Router) -> Arc<Self> {
        let options = front.options();
        Arc::new(Self {
            fast: fast.map(|fast| FastLane::new(front, fast)),
            router: front.layers(router),
            is_closing: AtomicBool::new(false),
            protocol: protocol(options),
            deadlines: Deadlines::from(options),
            caps: Caps::new(options, front.metrics().open_connections()),
            closing: CancellationToken::new(),
            front: front.clone(),
        })
    }

    fn answer(&self, mut request: Request<Body>, started: Started) -> Way {
        let chosen = self.fast.as_ref().and_then(|fast| Some((fast, fast.choose(&request)?)));
        match chosen {
            Some((fast, endpoint)) => Way::Fast { answer: fast.answer(endpoint, request, started) },
            None => {
                request.extensions_mut().insert(started);
                Way::Routed { answer: Box::pin(self.router.clone().call(request)) }
            }
        }
    }

    /// Ends every accept loop, waits for the connections, and cuts those that are left at the deadline.
    async fn drain(&self, mut loops: JoinSet<JoinSet<()>>) -> Drained {
        let deadline = Instant::now() + self.front.options().drain_deadline;
        let open = self.caps.open();
        self.is_closing.store(true, Ordering::Release);
        self.closing.cancel();
        let mut connections = Vec::new();
        while let Some(accepted) = loops.join_next().await {
            connections.extend(accepted);
        }
        // The sets must stay alive until here: dropping one cuts its connections.
        let cut = match timeout_at(deadline, self.caps.emptied()).await {
            Ok(()) => 0,
            Err(_) => self.caps.open(),
        };
        self.front.metrics().connections_cut(Cut::Drain, cut);
        drop(connections);
        Drained { finished: open.saturating_sub(cut), cut }
    }
}

fn protocol(options: &Options) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    // The deadlines of HTTP/1 are in `pulse.rs`: hyper's own would allocate a timer for every request.
    builder.http1().timer(TokioTimer::new()).header_read_timeout(None).max_buf_size(options.header_max_bytes.max(8192));
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(options.streams_max)
        .max_header_list_size(u32::try_from(options.header_max_bytes).unwrap_or(u32::MAX))
        .keep_alive_interval(PING_INTERVAL)
        .keep_alive_timeout(PING_INTERVAL);
    builder
}

/// Accepts until the hall closes; the listener is closed then, and the connections are handed back.
async fn accept_loop(hall: Arc<Hall>, listener: TcpListener) -> JoinSet<()> {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            biased;
            () = hall.closing.cancelled() => return connections,
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => admit(&hall, stream, peer, &mut connections),
                Err(error) => rest_after(&hall.front, &error).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn rest_after(front: &Front, error: &io::Error) {
    front.metrics().accept_failed();
    if let Some(pause) = pause_after(error) {
        tracing::warn!(%error, "cannot accept connections; raise the limit of open files (ulimit -n)");
        sleep(pause).await;
    }
}

/// How long to wait before accepting again: errors of one connection need no pause, exhaustion does.
fn pause_after(error: &io::Error) -> Option<Duration> {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    let is_of_one_connection =
        matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted);
    (!is_of_one_connection).then_some(EXHAUSTED_PAUSE)
}

fn admit(hall: &Arc<Hall>, stream: TcpStream, peer: SocketAddr, connections: &mut JoinSet<()>) {
    match hall.caps.admit(peer.ip()) {
        Ok(permit) => {
            hall.front.metrics().connection_accepted();
            // Without it small answers wait for the peer's acknowledgement; failing only costs latency.
            let _ = stream.set_nodelay(true);
            connections.spawn(connection(Arc::clone(hall), stream, peer, permit));
        }
        Err(refusal) => hall.front.metrics().connection_refused(refusal),
    }
}

/// Why this server ended a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    Waited(Wait),
    Drain,
}

async fn connection(hall: Arc<Hall>, stream: TcpStream, peer: SocketAddr, permit: Permit) {
    match hall.front.options().tls.clone() {
        None => serve_on(hall, stream, peer, permit).await,
        // On the heap, so that a connection without TLS is no larger for it.
        Some(config) => Box::pin(secured(hall, config, stream, peer, permit)).await,
    }
}

/// Shakes hands, for as long as a request head may take, and serves.
async fn secured(hall: Arc<Hall>, config: Arc<ServerConfig>, stream: TcpStream, peer: SocketAddr, permit: Permit) {
    let shaken = tokio::select! {
        shaken = timeout(hall.front.options().header_deadline, tls::handshake(config, stream)) => shaken,
        () = hall.closing.cancelled() => return,
    };
    match shaken {
        Ok(Ok(stream)) => serve_on(hall, stream, peer, permit).await,
        Ok(Err(error)) => tracing::debug!(%error, "no TLS with a peer"),
        Err(_) => hall.front.metrics().connections_cut(Cut::Waited(Wait::FirstByte), 1),
    }
}

async fn serve_on<S>(hall: Arc<Hall>, stream: S, peer: SocketAddr, permit: Permit)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let pulse = Pulse::new(hall.deadlines);
    let io = TokioIo::new(Watched::new(stream, Arc::clone(&pulse), permit));
    let requests = Requests { hall: Arc::clone(&hall), pulse: Arc::clone(&pulse), peer };
    let served = pin!(hall.protocol.serve_connection_with_upgrades(io, requests));
    let closing = pin!(hall.closing.cancelled());
    if let Some(wait) = watch(served, closing, &hall.is_closing, &pulse).await {
        tracing::debug!(?wait, "connection cut: it kept us waiting too long");
        hall.front.metrics().connections_cut(Cut::Waited(wait), 1);
    }
}

type Served<'a, S> = auto::UpgradeableConnection<'a, TokioIo<Watched<S>>, Requests, TokioExecutor>;

/// Drives a connection to its end; returns the wait that lasted too long, if that is what ended it.
async fn watch<S>(
    mut served: Pin<&mut Served<'_, S>>,
    mut closing: Pin<&mut impl Future<Output = ()>>,
    is_closing: &AtomicBool,
    pulse: &Pulse,
) -> Option<Wait>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let mut alarm = Alarm::new(pulse);
    let (mut is_listening, mut is_told) = (false, false);
    poll_fn(|cx| {
        // Polled once, the token wakes this task, whose waker never changes; after that the flag says why it woke.
        let is_cancelled =
            if is_listening { is_closing.load(Ordering::Acquire) } else { closing.as_mut().poll(cx).is_ready() };
        is_listening = true;
        if is_cancelled && !is_told {
            is_told = true;
            served.as_mut().graceful_shutdown();
        }
        match served.as_mut().poll(cx) {
            // An error here is the peer's: a broken connection or bytes that are not HTTP, already answered.
            Poll::Ready(_) => Poll::Ready(None),
            Poll::Pending => alarm.poll(cx, pulse).map(Some),
        }
    })
    .await
}

/// The one timer of a connection.
struct Alarm {
    sleep: Pin<Box<tokio::time::Sleep>>,
    /// Whether the timer wakes this task, whose waker never changes: until it has fired, there is nothing to ask of it then.
    is_armed: bool,
}

impl Alarm {
    /// When to look again at a connection that waits for nothing.
    const RECHECK: Duration = Duration::from_secs(60);

    fn new(pulse: &Pulse) -> Self {
        Self { sleep: Box::pin(sleep_until(Self::due(pulse))), is_armed: false }
    }

    fn due(pulse: &Pulse) -> Instant {
        pulse.deadline().map_or_else(|| Instant::now() + Self::RECHECK, |(_, due)| due.into())
    }

    fn poll(&mut self, cx: &mut Context<'_>, pulse: &Pulse) -> Poll<Wait> {
        // A deadline that moved away is found when the timer fires; only one that came nearer needs it set again.
        if let Some((_, due)) = pulse.deadline()
            && Instant::from(due) < self.sleep.deadline()
        {
            self.sleep.as_mut().reset(due.into());
            self.is_armed = false;
        }
        if self.is_armed && !self.sleep.is_elapsed() {
            return Poll::Pending;
        }
        while self.sleep.as_mut().poll(cx).is_ready() {
            match pulse.deadline() {
                Some((wait, due)) if Instant::from(due) <= Instant::now() => return Poll::Ready(wait),
                _ => self.sleep.as_mut().reset(Self::due(pulse)),
            }
        }
        self.is_armed = true;
        Poll::Pending
    }
}

/// Hands the requests of one connection to the router.
struct Requests {
    hall: Arc<Hall>,
    pulse: Arc<Pulse>,
    peer: SocketAddr,
}

impl hyper::service::Service<Request<Incoming>> for Requests {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Answering;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let in_flight = self.pulse.begin();
        // An empty body costs nothing; a boxed `Incoming` costs an allocation.
        let request = request.map(|body| if body.is_end_stream() { Body::empty() } else { Body::new(body) });
        let started = Started::now(&self.hall.front.shared.ids, request.headers(), Some(self.peer));
        Answering { answer: self.hall.answer(request, started), in_flight: Some(in_flight) }
    }
}

pin_project! {
    /// A request in flight; a streamed answer keeps it so until its last byte.
    struct Answering {
        #[pin]
        answer: Way,
        in_flight: Option<InFlight>,
    }
}

pin_project! {
    /// Past the router or through it; what comes through it is large, and on the heap.
    #[project = WayProjected]
    enum Way {
        Fast { #[pin] answer: Answer<FastAnswer> },
        Routed { answer: Pin<Box<RouteFuture<Infallible>>> },
    }
}

impl Future for Way {
    type Output = Result<Response<Body>, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project() {
            WayProjected::Fast { answer } => answer.poll(cx),
            WayProjected::Routed { answer } => answer.as_mut().poll(cx),
        }
    }
}

impl Future for Answering {
    type Output = Result<Response<Body>, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        this.answer.poll(cx).map_ok(|response| {
            let in_flight = this.in_flight.take();
            if response.body().size_hint().exact().is_some() {
                return response;
            }
            response.map(|body| Body::new(Streamed { body, _in_flight: in_flight }))
        })
    }
}

pin_project! {
    struct Streamed {
        #[pin]
        body: Body,
        _in_flight: Option<InFlight>,
    }
}

impl http_body::Body for Streamed {
    type Data = bytes::Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Self::Data>, Self::Error>>> {
        self.project().body.poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exhaustion_is_rested_after_and_a_broken_connection_is_not() {
        const EMFILE: i32 = 24;
        const ECONNABORTED: i32 = 103;
        assert_eq!(pause_after(&io::Error::from_raw_os_error(EMFILE)), Some(EXHAUSTED_PAUSE));
        assert_eq!(pause_after(&io::Error::from_raw_os_error(ECONNABORTED)), None);
    }
}
