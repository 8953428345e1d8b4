//! A scriptable fake of the API that privacy requests are fulfilled at: real HTTP on a real socket, a world that the
//! test sets up, faults that it orders, and a record of everything that was asked.
//!
//! **Invariant:** its time is the clock that it was given; it never waits unless a fault says so.

mod answers;
mod tokens;
mod wire;
mod world;

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc, time::Duration};

use parking_lot::Mutex;
use serde_json::Value;

use crate::clock::HandClock;

pub use world::{Task, World};

/// The calls that it knows, as its log and its faults name them.
pub mod calls {
    /// `GET /users`.
    pub const QUERY: &str = "QueryUsers";
    /// `GET /users/{id}/export`.
    pub const EXPORT: &str = "ExportUser";
    /// `GET /moderation/user_report`.
    pub const REPORT: &str = "UserReport";
    /// `POST /users/delete`.
    pub const DELETE: &str = "DeleteUsers";
    /// `GET /tasks/{id}`.
    pub const TASK: &str = "GetTask";
    /// `POST /export/users`.
    pub const EXPORT_USERS: &str = "ExportUsers";
    /// `POST /feeds/users/{id}/export`.
    pub const FEEDS_EXPORT: &str = "FeedsExport";
    /// `POST /feeds/users/{id}/delete`.
    pub const FEEDS_DELETE: &str = "FeedsDelete";
    /// A file that a job made.
    pub const FILE: &str = "File";
}

/// What goes wrong.
#[derive(Clone, Debug)]
pub enum Fault {
    /// This status, with this code in the envelope; nothing is executed.
    Status(u16, i64),
    /// This status without an envelope; nothing is executed.
    Bare(u16),
    /// 503, with how many seconds to stay away; nothing is executed.
    Later(u32),
    /// An answer that points elsewhere.
    Redirect(String),
    /// The connection is closed before anything is executed.
    Refuse,
    /// The call is executed and its answer is lost.
    LoseAnswer,
    /// The body ends in the middle.
    Truncate,
    /// A body that is no JSON.
    Garbage,
    /// A body that says to be JSON, and is half of a document.
    Half,
    /// The head of the answer never comes.
    Hang,
    /// The body comes byte by byte, each after this time, until the client has had enough.
    Trickle(Duration),
    /// The body is this one.
    Body(Value),
}

/// A fault, for some calls.
#[derive(Clone, Debug)]
struct Order {
    call: &'static str,
    times: usize,
    fault: Fault,
}

/// A call as it was seen.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Which: one of [`calls`], or `?`.
    pub call: &'static str,
    /// The method.
    pub method: String,
    /// The path, as it was sent.
    pub path: String,
    /// The parameters.
    pub query: BTreeMap<String, String>,
    /// The headers, in lower case.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: Vec<u8>,
    /// When, in microseconds.
    pub at: i64,
    /// The status that was answered; 0 when nothing was.
    pub status: u16,
}

/// A fake that runs.
#[derive(Clone)]
pub struct Upstream {
    state: Arc<State>,
    address: SocketAddr,
}

/// Faults that come by chance, the same in every run.
struct Weather {
    state: u64,
    percent: u64,
    faults: Vec<Fault>,
}

impl Weather {
    /// A number below `end` (xorshift64*, its upper half).
    fn below(&mut self, end: u64) -> u64 {
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        ((self.state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32) * end) >> 32
    }

    fn fault(&mut self) -> Option<Fault> {
        let hits = self.below(100) < self.percent;
        let which = self.below(self.faults.len() as u64);
        hits.then(|| self.faults[usize::try_from(which).unwrap()].clone())
    }
}

struct State {
    world: Mutex<World>,
    orders: Mutex<Vec<Order>>,
    weather: Mutex<Option<Weather>>,
    seen: Mutex<Vec<Seen>>,
    clock: HandClock,
}

impl Upstream {
    /// Starts one that knows an app.
    pub async fn start(key: &str, secret: &str, clock: &HandClock) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let world = Mutex::new(World::new(key, secret, address));
        let state = Arc::new(State {
            world,
            orders: Mutex::default(),
            weather: Mutex::default(),
            seen: Mutex::default(),
            clock: clock.clone(),
        });
        let served = state.clone();
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(wire::serve(socket, served.clone()));
            }
        });
        Upstream { state, address }
    }

    /// The base URL, without a path.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Changes the world.
    pub fn set<T>(&self, change: impl FnOnce(&mut World) -> T) -> T {
        change(&mut self.state.world.lock())
    }

    /// Orders a fault for the next `times` calls of a kind. Faults of one call come in the order they were made.
    pub fn fail(&self, call: &'static str, times: usize, fault: Fault) {
        self.state.orders.lock().push(Order { call, times, fault });
    }

    /// Lets `percent` of all calls meet one of `faults`, by chance that `seed`, which is not 0, makes the same in every run.
    pub fn rain(&self, seed: u64, percent: u64, faults: Vec<Fault>) {
        *self.state.weather.lock() = Some(Weather { state: seed, percent, faults });
    }

    /// Takes back every fault that has not come.
    pub fn heal(&self) {
        *self.state.weather.lock() = None;
        self.state.orders.lock().clear();
    }

    /// Everything that was asked.
    pub fn seen(&self) -> Vec<Seen> {
        self.state.seen.lock().clone()
    }

    /// How often a call was asked.
    pub fn count(&self, call: &str) -> usize {
        self.state.seen.lock().iter().filter(|seen| seen.call == call).count()
    }

    /// The names of the calls, in order.
    pub fn calls(&self) -> Vec<&'static str> {
        self.state.seen.lock().iter().map(|seen| seen.call).collect()
    }

    /// Forgets what was asked.
    pub fn forget(&self) {
        self.state.seen.lock().clear();
    }

    /// The deletions that were executed: the ids of each.
    pub fn deletions(&self) -> Vec<Vec<String>> {
        self.state.world.lock().deletions.clone()
    }
}
