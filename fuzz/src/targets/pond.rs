//! A whole server in memory, that is asked without a network and whose time passes by itself.

use std::{cell::RefCell, net::SocketAddr};

use axum::{Router, body::Body};
use http::Request;
use serde_json::json;
use server::{
    Options,
    apps::NewApp,
    front::{self, RateLimitSetting},
    seal::Seal,
};
use store::Store;
use testing::{answer::Answer, token::sign};
use tokio::runtime::{Builder, Runtime};

const SECRET: &str = "pond-secret";
/// After so many requests there is a new server, so that what was stored does not pile up.
const REQUESTS_MAX: u32 = 2000;

/// A server, and how often it was asked.
pub(super) struct Pond {
    runtime: Runtime,
    routes: Router,
    asked: u32,
    /// A token that may do everything.
    pub(super) token: String,
}

impl Pond {
    /// Does something with the server of this thread.
    pub(super) fn with<T>(act: impl FnOnce(&mut Pond) -> T) -> T {
        thread_local!(static POND: RefCell<Option<Pond>> = RefCell::default());
        POND.with_borrow_mut(|pond| {
            let spent = pond.as_ref().is_some_and(|pond| pond.asked > REQUESTS_MAX);
            act(if spent { pond.insert(Pond::new()) } else { pond.get_or_insert_with(Pond::new) })
        })
    }

    fn new() -> Self {
        // Whoever waits has waited.
        let runtime = Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        let app = NewApp {
            id: Some(7),
            name: None,
            key: Some("pond-key".into()),
            secret: Some(SECRET.into()),
            is_for_sdk_suites: true,
        };
        let options = Options {
            front: front::Options { listen: vec![SocketAddr::from(([127, 0, 0, 1], 0))], ..Default::default() },
            rate_limits: RateLimitSetting::Off,
            app: Some(app),
            cache_bytes: 1 << 20,
            ..Options::new(Seal::ephemeral())
        };
        let running = runtime.block_on(server::start(Store::memory(), options)).unwrap();
        let token = sign(SECRET, &json!({ "resource": "*", "action": "*", "feed_id": "*", "server": true }));
        Pond { routes: running.routes(), runtime, asked: 0, token }
    }

    /// What is answered.
    pub(super) fn ask(&mut self, request: Request<Body>) -> Answer {
        self.asked += 1;
        self.runtime.block_on(Answer::of(&self.routes, request))
    }
}
