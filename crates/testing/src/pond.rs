//! A whole Millpond with a data directory and a socket, and calls of it as an app's own server makes them.

use std::{net::SocketAddr, path::Path};

use reqwest::Method;
use serde_json::{Value, json};
use server::{
    Options, Tasks,
    apps::NewApp,
    front::{self, RateLimitSetting},
    seal::Seal,
};
use store::Store;
use tempfile::TempDir;
use tokio::{sync::oneshot, task::JoinHandle};

use crate::token::sign;

/// The app's key.
pub const KEY: &str = "pond-key";
/// The app's secret.
pub const SECRET: &str = "pond-secret-that-is-long-enough";
const BOUNDARY: &str = "frontier";

/// A running server.
pub struct Pond {
    // What is stored goes before its directory does.
    store: Store,
    tasks: Tasks,
    served: JoinHandle<()>,
    stop: oneshot::Sender<()>,
    address: SocketAddr,
    http: reqwest::Client,
    dir: TempDir,
}

/// What was answered.
#[derive(Debug)]
pub struct Answered {
    /// The status.
    pub status: u16,
    /// The body.
    pub text: String,
}

impl Answered {
    /// The body of a success.
    #[track_caller]
    pub fn ok(&self) -> Value {
        assert!(self.status < 300, "{self:?}");
        serde_json::from_str(&self.text).unwrap()
    }
}

impl Pond {
    /// One on an empty directory.
    pub async fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("store"), &store::Options::default()).unwrap();
        Self::on(dir, store, SocketAddr::from(([127, 0, 0, 1], 0))).await
    }

    async fn on(dir: TempDir, store: Store, listen: SocketAddr) -> Self {
        let app = NewApp {
            id: Some(7),
            name: None,
            key: Some(KEY.into()),
            secret: Some(SECRET.into()),
            is_for_sdk_suites: true,
        };
        let options = Options {
            front: front::Options { listen: vec![listen], ..Default::default() },
            rate_limits: RateLimitSetting::Off,
            app: Some(app),
            blobs: server::blobs::Blobs::folder(dir.path().join("blobs")),
            ..Options::new(Seal::from_dir(dir.path()).unwrap())
        };
        let running = server::start(store.clone(), options).await.unwrap();
        let (address, tasks) = (running.addresses()[0], running.tasks());
        let (stop, stopped) = oneshot::channel::<()>();
        let served = tokio::spawn(async move {
            running.serve(async { stopped.await.unwrap_or_default() }).await;
        });
        let http = reqwest::Client::builder().build().unwrap();
        Pond { store, tasks, served, stop, address, http, dir }
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What is stored, as `millpond backup` writes it.
    pub fn backup(&self) -> Vec<u8> {
        let mut backup = Vec::new();
        self.store.dump(&mut backup, &mut |_| {}).unwrap();
        backup
    }

    /// The same server on the same address, after a restore of a backup.
    pub async fn restored(self, backup: &[u8]) -> Self {
        let Pond { store, tasks, served, stop, address, dir, .. } = self;
        stop.send(()).unwrap();
        served.await.unwrap();
        drop(tasks);
        store.close();
        drop(store);
        let place = dir.path().join("restored");
        let (mut input, options) = (backup, store::Options::default());
        Store::restore(&place, &mut input, &options, &mut |_| {}).unwrap();
        let store = Store::open(&place, &options).unwrap();
        Self::on(dir, store, address).await
    }

    /// Stops it, before its directory goes.
    pub async fn stop(self) {
        self.stop.send(()).unwrap();
        self.served.await.unwrap();
    }

    /// Does all tasks that are due, to their end.
    pub async fn run_tasks(&self) {
        self.tasks.run().await.unwrap();
    }

    /// Tables and how many of their rows still name the user.
    pub async fn residue(&self, user: &str) -> Vec<String> {
        let user = ids::UserId::parse(user).unwrap();
        let wanted = domain::erasure::residue::Wanted { user, needles: Vec::new(), app: None };
        let found = domain::erasure::residue::residue(&self.store, &wanted, &mut |_| {}).await.unwrap().residue;
        found.into_iter().map(|residue| format!("{}: {}", residue.table, residue.rows)).collect()
    }

    /// The folder with everything.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Calls chat, v2.
    pub async fn chat(&self, method: Method, path: &str, body: &Value) -> Answered {
        self.call(method, &format!("/api/v2/{path}"), &json!({"server": true}), Some(body)).await
    }

    /// Calls feeds v1.0.
    pub async fn feeds(&self, method: Method, path: &str, body: &Value) -> Answered {
        let claims = json!({"resource": "*", "action": "*", "feed_id": "*"});
        self.call(method, &format!("/api/v1.0/{path}"), &claims, Some(body)).await
    }

    /// Fetches what a URL of the server leads to.
    pub async fn fetch(&self, url: &str) -> u16 {
        self.http.get(url).send().await.unwrap().status().as_u16()
    }

    async fn call(&self, method: Method, path: &str, claims: &Value, body: Option<&Value>) -> Answered {
        let mark = if path.contains('?') { '&' } else { '?' };
        let mut request = self.http.request(method.clone(), format!("{}{path}{mark}api_key={KEY}", self.url()));
        request = request.header("stream-auth-type", "jwt").header("authorization", sign(SECRET, claims));
        if let Some(body) = body.filter(|_| method != Method::GET) {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        answered(request).await
    }

    /// Uploads a file of the user to a channel; answers its URL.
    pub async fn upload(&self, channel: &str, user: &str, content: &str) -> String {
        let user = json!({"id": user});
        let part = |about: &str, content: &str| {
            format!("--{BOUNDARY}\r\nContent-Disposition: form-data; {about}\r\n\r\n{content}\r\n")
        };
        let (who, file) =
            (part("name=\"user\"", &user.to_string()), part("name=\"file\"; filename=\"a.txt\"", content));
        let url = format!("{}/api/v2/chat/channels/{channel}/file?api_key={KEY}", self.url());
        let request = self.http.post(url).header("stream-auth-type", "jwt");
        let request = request.header("authorization", sign(SECRET, &json!({"server": true})));
        let request = request.header("content-type", format!("multipart/form-data; boundary={BOUNDARY}"));
        let answer = answered(request.body(format!("{who}{file}--{BOUNDARY}--\r\n"))).await;
        answer.ok()["file"].as_str().unwrap().to_owned()
    }
}

async fn answered(request: reqwest::RequestBuilder) -> Answered {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    Answered { status, text: response.text().await.unwrap() }
}
