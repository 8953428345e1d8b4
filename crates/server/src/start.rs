//! Starting a server on a store.
//!
//! What others call is boxed: an `async fn` would be compiled again, with all that it awaits, in every crate that does.

use std::{net::SocketAddr, sync::Arc};

use axum::Router;
use domain::feeds::views::Views;
use futures_util::future::BoxFuture;
use ipnet::IpNet;
use store::Store;
use tokio::task::JoinSet;

use wire::admin::{feed_groups::FeedGroup, feed_webhooks::FeedWebhook};

use crate::{
    Server, WebhookOptions, admin,
    apps::{NewApp, Registry, Tenant},
    blobs::Blobs,
    chat,
    compaction::AfterErasure,
    error::Result,
    fast::Frequent,
    feeds::{faye, fragments::Fragments, pages::Pages},
    files,
    front::{Bound, Clock, Drained, Front, Options as FrontOptions, RateLimitSetting, RateLimits, SystemClock, refuse},
    imports,
    outbound::Outbound,
    realtime::{self, Hub},
    router::{self, Route},
    seal::{self, Seal},
    translation::{Bureau, Translator},
    workers,
};

/// Everything that a server can be told.
pub struct Options {
    /// Sockets, deadlines, sizes.
    pub front: FrontOptions,
    /// Health checks, queues and deadlines of WebSockets.
    pub realtime: realtime::Options,
    /// Time-outs and attempts of webhooks.
    pub webhooks: WebhookOptions,
    /// Networks that apps may have their hooks in beside the public Internet.
    pub outbound_allowed: Vec<IpNet>,
    /// Who translates messages, if anybody does.
    pub translator: Option<Translator>,
    /// How strict the rate limits are.
    pub rate_limits: RateLimitSetting,
    /// Seals the apps' secrets.
    pub seal: Seal,
    /// An app that is made if it is not there. Without one, a server with no app at all makes itself a first one.
    pub app: Option<NewApp>,
    /// Feed groups and feed webhooks that this app, or the first one, has from the start on.
    pub feeds: Feeds,
    /// Bytes for what is derived and kept in memory: half for views, a quarter each for fragments and pages.
    pub cache_bytes: u64,
    /// Where files beside the store are.
    pub blobs: Blobs,
    /// How clients reach the server: what links begin with. Without it, they begin with what the asking client called.
    pub public_url: Option<String>,
    /// Whether what was erased is made unreadable in the store's files as soon as it is erased, whatever that costs.
    pub compacts_after_erasure: bool,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
}

impl Options {
    /// The defaults, on `seal`.
    pub fn new(seal: Seal) -> Self {
        Options {
            front: FrontOptions::default(),
            realtime: realtime::Options::default(),
            webhooks: WebhookOptions::default(),
            outbound_allowed: Vec::new(),
            translator: None,
            rate_limits: RateLimitSetting::Default,
            seal,
            app: None,
            feeds: Feeds::default(),
            cache_bytes: 512 << 20,
            blobs: Blobs::memory(),
            public_url: None,
            compacts_after_erasure: false,
            clock: Arc::new(SystemClock),
        }
    }
}

/// What feeds of an app are, and who is told of them, in the words of the administrator's calls.
#[derive(Debug, Clone, Default)]
pub struct Feeds {
    /// Each replaces the one of its name.
    pub groups: Vec<FeedGroup>,
    /// Each replaces the one with its id. Nobody is asked whose the address is.
    pub webhooks: Vec<FeedWebhook>,
}

/// A server that has its sockets and answers as soon as [`Running::serve`] runs.
pub struct Running {
    bound: Bound,
    server: Arc<Server>,
    store: Store,
    outbound: Outbound,
    first: Arc<Tenant>,
}

/// The tasks of all apps.
#[derive(Clone)]
pub struct Tasks(Arc<Server>);

impl Tasks {
    /// Does all that are due, and what follows from them, to their end, and tells the reminders that are due.
    ///
    /// # Errors
    /// When the store fails.
    pub fn run(&self) -> BoxFuture<'_, anyhow::Result<()>> {
        Box::pin(async {
            workers::remind_due(&self.0).await?;
            workers::plan_retention(&self.0).await?;
            Ok(workers::run_due(&self.0).await?)
        })
    }
}

/// Prepares a server on `store`: loads the apps, makes the first, takes the sockets.
///
/// # Errors
/// When the store fails, a secret does not open, the app cannot be made, or an address cannot be taken.
pub fn start(store: Store, options: Options) -> BoxFuture<'static, anyhow::Result<Running>> {
    Box::pin(prepare(store, options))
}

async fn prepare(store: Store, options: Options) -> anyhow::Result<Running> {
    let Options { mut front, realtime, webhooks, outbound_allowed, rate_limits, seal, app, .. } = options;
    let Options { cache_bytes, blobs, public_url, compacts_after_erasure, clock, feeds, translator, .. } = options;
    let views = Views::new(&store, cache_bytes / 2);
    let feed = realtime::Feed::new(&store);
    let faye = faye::Hub::new(&store);
    let tasks = workers::Wake::new(&store);
    let apps = Registry::load(store.clone(), views, seal, clock.clone()).await?;
    let first = first_app(&apps, app).await?;
    let outbound = Outbound::new(outbound_allowed);
    let server = Arc::new(Server {
        apps,
        fragments: Fragments::new(cache_bytes / 4),
        pages: Pages::new(cache_bytes / 4),
        faye,
        rates: RateLimits::new(rate_limits),
        hub: Hub::new(realtime, feed),
        tasks,
        breakers: chat::Breakers::default(),
        moments: chat::Moments::default(),
        outbound: outbound.clone(),
        translations: translator.map(Bureau::new),
        blobs,
        uploading: imports::Uploading::default(),
        public_url,
        webhooks,
        compaction: AfterErasure::new(&store, compacts_after_erasure),
        clock,
        admin_token: hex(seal::random::<32>()),
    });
    front.rewrite = chat::rewrite;
    front.refuse = refuse;
    front.cross_origin = true;
    front.credentialed_routes = router::FAYE.to_vec();
    let first = set_up(&server, first, feeds).await.map_err(|error| anyhow::anyhow!("feeds: {}", error.detail))?;
    front.route_body_max_bytes.extend(files::form_routes());
    front.route_body_max_bytes.push((imports::ROUTE.to_owned(), imports::FILE_BYTES_MAX));
    front.route_body_max_bytes.extend(faye::body_limits());
    Ok(Running { bound: Front::bind(front).await?, server, store, outbound, first })
}

async fn first_app(apps: &Registry, asked: Option<NewApp>) -> anyhow::Result<Arc<Tenant>> {
    let made = match (asked, apps.all().first()) {
        (Some(app), _) => apps.ensure(app).await,
        (None, Some(first)) => return Ok(first.clone()),
        (None, None) => apps.create(NewApp::default()).await,
    };
    made.map_err(|error| anyhow::anyhow!("the app cannot be made: {}", error.detail))
}

/// The app with the feed groups and feed webhooks that it shall have.
async fn set_up(server: &Arc<Server>, app: Arc<Tenant>, feeds: Feeds) -> Result<Arc<Tenant>> {
    let Feeds { groups, webhooks } = feeds;
    let mut app = app;
    for group in groups {
        admin::feed_groups::store(&app, &group.name.clone(), group).await?;
    }
    // A webhook can name a group that is new.
    app = server.apps.changed(&app.key.clone()).await?;
    for webhook in webhooks {
        let webhook = FeedWebhook { verify: false, ..webhook };
        admin::feed_webhooks::store(server, &app, &webhook.id.clone(), webhook).await?;
    }
    server.apps.changed(&app.key.clone()).await
}

fn hex(bytes: [u8; 32]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Running {
    /// Where it listens.
    pub fn addresses(&self) -> &[SocketAddr] {
        self.bound.addresses()
    }

    /// The sockets' side: readiness, metrics.
    pub fn front(&self) -> &Front {
        self.bound.front()
    }

    /// The app that was asked for, or the first one.
    pub fn app(&self) -> &Tenant {
        &self.first
    }

    /// What opens `/admin/…`.
    pub fn admin_token(&self) -> &str {
        &self.server.admin_token
    }

    /// All routes with the whole stack around them, for whoever calls without a socket.
    pub fn routes(&self) -> Router {
        let front = self.bound.front();
        front.layers(router::routes(&self.server).merge(front.probes()))
    }

    /// The routes of the chat API, for who wants to see them all.
    pub fn chat_routes(&self) -> Vec<chat::Declared> {
        chat::router::declared(&self.server)
    }

    /// The routes of feeds, for who wants to see them all.
    pub fn feed_routes(&self) -> Vec<Route> {
        router::of_feeds(&self.server)
    }

    /// The administrator's routes, for who wants to see them all.
    pub fn admin_routes(&self) -> Vec<Route> {
        router::of_the_administrator(&self.server)
    }

    /// The tasks, for who does not call [`Running::serve`].
    pub fn tasks(&self) -> Tasks {
        Tasks(self.server.clone())
    }

    /// Tells who subscribed to feeds what is committed, for who does not call [`Running::serve`]; runs on.
    pub fn tell_subscribers(&self) -> BoxFuture<'static, ()> {
        Box::pin(faye::follow(self.server.clone(), self.store.clone()))
    }

    /// Answers requests until `shutdown`, then drains.
    pub fn serve<'s>(self, shutdown: impl Future<Output = ()> + Send + 's) -> BoxFuture<'s, Drained> {
        let shutdown: BoxFuture<'s, ()> = Box::pin(shutdown);
        Box::pin(self.serve_until(shutdown))
    }

    async fn serve_until(self, shutdown: BoxFuture<'_, ()>) -> Drained {
        let mut workers = JoinSet::new();
        workers.spawn(workers::retain(self.server.clone()));
        workers.spawn(workers::prune_log(self.server.clone()));
        workers.spawn(workers::sweep_files(self.server.clone()));
        workers.spawn(workers::work(self.server.clone()));
        workers.spawn(workers::remind(self.server.clone()));
        workers.spawn(workers::expire(self.server.clone()));
        workers.spawn(faye::follow(self.server.clone(), self.store.clone()));
        workers.spawn(faye::sweep(self.server.clone()));
        workers.spawn(realtime::follow(self.server.clone(), self.store.clone()));
        workers.spawn(workers::webhooks(self.server.clone(), self.store, self.outbound));
        let routes = router::routes(&self.server).merge(self.bound.front().probes());
        let fast = Arc::new(Frequent::new(self.server.clone()));
        let shutdown = async {
            shutdown.await;
            self.server.hub.close();
            self.server.faye.close();
        };
        // The workers end when the set is dropped.
        self.bound.serve_with(Some(fast), routes, shutdown).await
    }
}
