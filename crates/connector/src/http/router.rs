//! Every route, on one screen, with what it needs.

use std::sync::Arc;

use axum::{
    Extension, Router,
    body::Body,
    extract::{MatchedPath, Request, State},
    handler::Handler,
    http::{Method, StatusCode},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{MethodFilter, on},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{
    Caller, Problem, audit, batches, document, erasures, events, integrations, metrics, opendsr, problem, requests,
    results, retention, tokens, upkeep, webhooks,
};
use crate::{
    Connector,
    tokens::Need::{
        self, Administer, Decide, ReadAudit, ReadCertificates, ReadIntegrations, ReadPackages, ReadRequests,
        WriteIntegrations, WriteRequests,
    },
};

/// The largest body, in bytes.
pub(super) const BODY_BYTES_MAX: usize = 16 << 20;

/// A route, as the document tells it.
#[derive(Clone, Copy, Debug)]
pub struct Route {
    /// The method.
    pub method: &'static str,
    /// The path.
    pub path: &'static str,
    /// What the caller must be allowed.
    pub need: Need,
    /// What it does.
    pub about: &'static str,
}

struct Api {
    router: Router<Arc<Connector>>,
    routes: Vec<Route>,
}

impl Api {
    fn on<H, T>(mut self, method: &'static str, path: &'static str, need: Need, about: &'static str, handler: H) -> Self
    where
        H: Handler<T, Arc<Connector>>,
        T: 'static,
    {
        let filter = match method {
            "GET" => MethodFilter::GET,
            "POST" => MethodFilter::POST,
            "PATCH" => MethodFilter::PATCH,
            _ => MethodFilter::DELETE,
        };
        self.routes.push(Route { method, path, need, about });
        self.router = self.router.route(path, on(filter, handler));
        self
    }
}

#[rustfmt::skip]
fn api() -> Api {
    Api { router: Router::new(), routes: Vec::new() }
        .on("POST", "/v1/integrations", WriteIntegrations, "Test and save an integration", integrations::create)
        .on("GET", "/v1/integrations", ReadIntegrations, "List integrations", integrations::list)
        .on("GET", "/v1/integrations/{id}", ReadIntegrations, "Show an integration", integrations::get)
        .on("PATCH", "/v1/integrations/{id}", WriteIntegrations, "Change an integration", integrations::change)
        .on("DELETE", "/v1/integrations/{id}", WriteIntegrations, "Remove an integration", integrations::remove)
        .on("POST", "/v1/integrations/{id}/test", WriteIntegrations, "Test the connection", integrations::test)
        .on("POST", "/v1/integrations/{id}/credentials", WriteIntegrations, "Replace the credentials", integrations::rotate)
        .on("POST", "/v1/integrations/{id}/disable", WriteIntegrations, "Switch off", integrations::disable)
        .on("POST", "/v1/integrations/{id}/enable", WriteIntegrations, "Switch on", integrations::enable)
        .on("GET", "/v1/integrations/{id}/limits", ReadIntegrations, "Show what is known of its limits", integrations::limits)
        .on("POST", "/v1/requests", WriteRequests, "Make a request", requests::create)
        .on("GET", "/v1/requests", ReadRequests, "List requests", requests::list)
        .on("POST", "/v1/requests/preview", WriteRequests, "Look before a deletion", requests::preview)
        .on("POST", "/v1/requests/search", WriteRequests, "Find requests by identifier", requests::search)
        .on("GET", "/v1/requests/{id}", ReadRequests, "Show a request", requests::get)
        .on("POST", "/v1/requests/{id}/verify", WriteRequests, "Note who verified the person", requests::verify)
        .on("POST", "/v1/requests/{id}/approve", Decide, "Approve", requests::approve)
        .on("POST", "/v1/requests/{id}/deny", Decide, "Refuse", requests::deny)
        .on("POST", "/v1/requests/{id}/hold", Decide, "Stop", requests::hold)
        .on("POST", "/v1/requests/{id}/resume", Decide, "Let go on", requests::resume)
        .on("POST", "/v1/requests/{id}/select-targets", Decide, "Choose among matches", requests::select)
        .on("POST", "/v1/requests/{id}/retry", WriteRequests, "Do again what failed", requests::retry)
        .on("POST", "/v1/requests/{id}/extend", WriteRequests, "Extend the deadline", requests::extend)
        .on("POST", "/v1/requests/{id}/cancel", WriteRequests, "Withdraw", requests::cancel)
        .on("GET", "/v1/requests/{id}/package", ReadPackages, "Fetch the package", results::package)
        .on("POST", "/v1/requests/{id}/package", ReadPackages, "Fetch the package, encrypted for a recipient or with a passphrase", results::sealed_package)
        .on("GET", "/v1/requests/{id}/manifest", ReadPackages, "Fetch the package's manifest", results::manifest)
        .on("GET", "/v1/requests/{id}/certificate", ReadCertificates, "Fetch the certificate", results::certificate)
        .on("GET", "/v1/requests/{id}/events", ReadRequests, "Follow a request, as server-sent events", events::follow)
        .on("POST", "/v1/requests/{id}/link", ReadPackages, "Make a one-time link", results::link)
        .on("POST", "/v1/batches", WriteRequests, "Make many requests, from lines of JSON or CSV", batches::create)
        .on("GET", "/v1/batches/{id}", ReadRequests, "Show how far a batch is", batches::get)
        .on("GET", "/v1/batches/{id}/rows", ReadRequests, "List the rows of a batch with their results", batches::rows)
        .on("POST", "/v1/batches/{id}/pause", WriteRequests, "Stop a batch", batches::pause)
        .on("POST", "/v1/batches/{id}/resume", WriteRequests, "Let a batch go on", batches::resume)
        .on("POST", "/v1/batches/{id}/cancel", WriteRequests, "Withdraw a batch", batches::cancel)
        .on("GET", "/v1/batches/{id}/report.csv", ReadRequests, "Fetch the results as a table", batches::report)
        .on("POST", "/v1/erasures/replay", WriteRequests, "Delete again who came back with a backup", erasures::replay)
        .on("GET", "/v1/erasures/replay/{id}", ReadRequests, "Show how far a replay is", erasures::get)
        .on("GET", "/v1/audit", ReadAudit, "Read the audit log", audit::list)
        .on("GET", "/v1/audit/export", ReadAudit, "Fetch the audit log", audit::export)
        .on("POST", "/v1/audit/verify", ReadAudit, "Check the audit log", audit::verify)
        .on("POST", "/v1/webhooks", Administer, "Add a webhook", webhooks::create)
        .on("GET", "/v1/webhooks", Administer, "List webhooks", webhooks::list)
        .on("POST", "/v1/webhooks/{id}/rotate", Administer, "Give a webhook another secret", webhooks::rotate)
        .on("DELETE", "/v1/webhooks/{id}", Administer, "Remove a webhook", webhooks::remove)
        .on("GET", "/v1/webhooks/{id}/deliveries", Administer, "List what was sent", webhooks::deliveries)
        .on("POST", "/v1/webhooks/{id}/redeliver", Administer, "Send again what was given up", webhooks::redeliver)
        .on("POST", "/v1/doctor", Administer, "Look whether everything is in order", upkeep::doctor)
        .on("POST", "/v1/keys/verify", Administer, "Check that the key opens everything", upkeep::keys)
        .on("GET", "/v1/retention", Administer, "Show how long what is known of people is kept", retention::get)
        .on("PATCH", "/v1/retention", Administer, "Change how long what is known of people is kept", retention::change)
        .on("POST", "/v1/tokens", Administer, "Make a token", tokens::create)
        .on("GET", "/v1/tokens", Administer, "List tokens", tokens::list)
        .on("DELETE", "/v1/tokens/{id}", Administer, "End a token", tokens::revoke)
        .on("POST", "/v1/requests/{id}/end", Decide, "End a failed request as cancelled for its OpenDSR controllers", requests::end)
        .on("GET", "/opendsr/v1/discovery", ReadRequests, "OpenGDPR 1: what is understood", opendsr::discovery::<1>)
        .on("POST", "/opendsr/v1/requests", WriteRequests, "OpenGDPR 1: hand in a request", opendsr::submit::<1>)
        .on("GET", "/opendsr/v1/requests/{id}", ReadRequests, "OpenGDPR 1: how a request stands", opendsr::status::<1>)
        .on("DELETE", "/opendsr/v1/requests/{id}", WriteRequests, "OpenGDPR 1: withdraw a request", opendsr::cancel::<1>)
        .on("POST", "/opendsr/v1/opengdpr_requests", WriteRequests, "OpenGDPR 1: hand in a request", opendsr::submit::<1>)
        .on("GET", "/opendsr/v1/opengdpr_requests/{id}", ReadRequests, "OpenGDPR 1: how a request stands", opendsr::status::<1>)
        .on("DELETE", "/opendsr/v1/opengdpr_requests/{id}", WriteRequests, "OpenGDPR 1: withdraw a request", opendsr::cancel::<1>)
        .on("GET", "/opendsr/v2/discovery", ReadRequests, "OpenDSR 2: what is understood", opendsr::discovery::<2>)
        .on("POST", "/opendsr/v2/requests", WriteRequests, "OpenDSR 2: hand in a request", opendsr::submit::<2>)
        .on("GET", "/opendsr/v2/requests/{id}", ReadRequests, "OpenDSR 2: how a request stands", opendsr::status::<2>)
        .on("DELETE", "/opendsr/v2/requests/{id}", WriteRequests, "OpenDSR 2: withdraw a request", opendsr::cancel::<2>)
        .on("GET", "/opendsr/v3/discovery", ReadRequests, "OpenDSR 3: what is understood", opendsr::discovery::<3>)
        .on("POST", "/opendsr/v3/requests", WriteRequests, "OpenDSR 3: hand in a request", opendsr::submit::<3>)
        .on("GET", "/opendsr/v3/requests/{id}", ReadRequests, "OpenDSR 3: how a request stands", opendsr::status::<3>)
        .on("DELETE", "/opendsr/v3/requests/{id}", WriteRequests, "OpenDSR 3: withdraw a request", opendsr::cancel::<3>)
}

/// The routes that need a caller, for the document and for tests.
pub fn routes() -> Vec<Route> {
    api().routes
}

/// The service. A request that brings a [`Caller`] as an extension is taken at its word: the command line does so in
/// its own process; any other shows a token.
pub fn router(connector: Arc<Connector>) -> Router {
    served(connector.clone()).merge(metrics_of(connector))
}

/// The numbers of the service, for whoever may reach the address.
pub(super) fn metrics_of(connector: Arc<Connector>) -> Router {
    let identified = middleware::from_fn_with_state(connector.clone(), problem::identified);
    Router::new().route("/metrics", axum::routing::get(metrics::show)).layer(identified).with_state(connector)
}

/// The service without its numbers.
pub(super) fn served(connector: Arc<Connector>) -> Router {
    let gate = middleware::from_fn_with_state(connector.clone(), admit);
    api()
        .router
        .layer(gate)
        .route("/healthz", axum::routing::get(async || "ok\n"))
        .route("/openapi.json", axum::routing::get(async || axum::Json(document())))
        .route(&format!("{}/{{token}}", results::LINKS_PATH), axum::routing::get(results::linked))
        .route(opendsr::CERTIFICATE_PATH, axum::routing::get(opendsr::certificate))
        .fallback(async || Problem::new(StatusCode::NOT_FOUND, "not_found", "there is no such path"))
        .layer(axum::extract::DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(middleware::from_fn_with_state(connector.clone(), problem::identified))
        .with_state(connector)
}

/// Lets a caller through who may do what the route needs.
async fn admit(State(connector): State<Arc<Connector>>, mut request: Request<Body>, next: Next) -> Response {
    let asked = Asked::of(&request);
    let caller = asked.caller(&connector).await.and_then(|caller| within_limit(&connector, caller));
    match caller {
        Ok(caller) => {
            let name = caller.name.clone();
            request.extensions_mut().insert(caller);
            crate::audit::called_by(name, next.run(request)).await
        }
        Err(problem) => problem.into_response(),
    }
}

/// The caller, who does not call too often. Whoever has the directory is alone with it.
fn within_limit(connector: &Connector, caller: Caller) -> Result<Caller, Problem> {
    if caller.is_local {
        return Ok(caller);
    }
    connector.callers.count(&caller.name, connector.surroundings.now()).map_err(Problem::too_often)?;
    Ok(caller)
}

/// What the gate must know of a call; a body cannot be shared between threads, so it stays outside.
struct Asked {
    need: Option<Need>,
    known: Option<Caller>,
    token: Option<Shown>,
}

/// A token as it is shown; the Basic scheme, which OpenDSR knows, names its id too.
struct Shown {
    id: Option<String>,
    text: String,
}

impl Shown {
    fn read(header: &str) -> Option<Self> {
        if let Some(text) = header.strip_prefix("Bearer ") {
            return Some(Shown { id: None, text: text.to_owned() });
        }
        let pair = STANDARD.decode(header.strip_prefix("Basic ")?).ok()?;
        let (id, text) = std::str::from_utf8(&pair).ok()?.split_once(':')?;
        Some(Shown { id: Some(id.to_owned()), text: text.to_owned() })
    }
}

impl Asked {
    fn of(request: &Request<Body>) -> Self {
        let path = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str).unwrap_or_default();
        let method = if request.method() == Method::HEAD { "GET" } else { request.method().as_str() };
        let need = needs().iter().find(|route| route.path == path && route.method == method).map(|route| route.need);
        let known = request.extensions().get::<Caller>().cloned();
        let shown = request.headers().get("authorization").and_then(|value| value.to_str().ok());
        Asked { need, known, token: shown.and_then(Shown::read) }
    }

    async fn caller(self, connector: &Connector) -> Result<Caller, Problem> {
        let caller = match (self.known, self.token) {
            (Some(caller), _) => Some(caller),
            (None, Some(shown)) => {
                let token = connector.whose(&shown.text).await?;
                let token = token.filter(|token| shown.id.is_none_or(|id| id == token.id));
                token.map(|token| Caller { name: token.id, role: token.role, is_local: false })
            }
            (None, None) => None,
        };
        let detail = "show a token: `Authorization: Bearer …`; `millpond privacy token create` makes one";
        let caller = caller.ok_or_else(|| Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", detail))?;
        match self.need {
            Some(need) if !caller.role.may(need) => {
                let detail = format!("the role `{}` lacks the scope `{need}`", caller.role);
                Err(Problem::new(StatusCode::FORBIDDEN, "forbidden", detail))
            }
            _ => Ok(caller),
        }
    }
}

fn needs() -> &'static [Route] {
    static ROUTES: std::sync::OnceLock<Vec<Route>> = std::sync::OnceLock::new();
    ROUTES.get_or_init(routes)
}

/// What handlers take: the connector, and who calls.
pub(super) type Here = (State<Arc<Connector>>, Extension<Caller>);
