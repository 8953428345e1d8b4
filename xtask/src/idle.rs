//! `cargo xtask idle`: ten thousand people who are connected and say nothing neither stop nor slow the others.
//!
//! The sockets are in this process and the server in another, for each end of a connection is an open file. While all of
//! them are open, two who watch a channel hear every message in order; then every socket still answers, and the drain of the
//! server closes each with a code that tells clients to come again. How fast that goes is a benchmark's matter.

mod socket;

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use jsonwebtoken::{EncodingKey, Header};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::json;

use self::socket::Socket;
use crate::api::{Api, App};
use crate::serve::{self, Data, Server};

/// Sockets that are open and silent.
const SOCKETS: usize = 10_000;
/// Sockets that are opened, asked or read at a time.
const AT_ONCE: usize = 64;
/// Messages that are said meanwhile.
const MESSAGES: usize = 200;
/// The channel in which they are said.
const CHANNEL: &str = "lobby";
/// Who hears them.
const WATCHERS: [&str; 2] = ["amy", "bob"];
/// Files that either process has open besides.
const OTHER_FILES: u64 = 500;
/// How long anything may take that must happen: only a failing run waits so long.
const PATIENCE: Duration = Duration::from_secs(120);

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// How many sockets are open
    #[arg(long, default_value_t = SOCKETS)]
    sockets: usize,
}

impl Arguments {
    /// What CI opens.
    pub(crate) fn of_ci() -> Self {
        Self { sockets: SOCKETS }
    }
}

/// Opens the sockets, talks beside them, and lets the server drain.
pub(crate) async fn run(arguments: Arguments) -> Result<()> {
    allow_files(arguments.sockets as u64 + OTHER_FILES)?;
    let app = serve::test_app();
    let server = Server::start(serve::command(&app, &Data::Ephemeral)?).await?;
    let house = House { address: server.url().trim_start_matches("http://").to_owned(), app };
    let opened = patiently("talking beside the sockets", house.fill(arguments.sockets));
    let sockets = opened.await.map_err(|failure| server.explain(&failure))?;
    let closing = patiently("closing the sockets", closed(sockets));
    let (closed, stopped) = tokio::join!(closing, server.stop());
    stopped?;
    println!("{} sockets were open to the end; the server closed each", closed?);
    Ok(())
}

/// Lets this process, and those that it starts, have so many files open.
fn allow_files(needed: u64) -> Result<()> {
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current >= needed) {
        return Ok(());
    }
    let most = limit.maximum.unwrap_or(u64::MAX);
    ensure!(most >= needed, "this machine allows {most} open files; {needed} are needed");
    setrlimit(Resource::Nofile, Rlimit { current: Some(needed), ..limit }).context("cannot have so many open files")
}

/// Where everybody connects.
struct House {
    address: String,
    app: App,
}

impl House {
    /// Opens so many sockets, and lets the watchers hear what is said beside them; all are still open then.
    async fn fill(&self, count: usize) -> Result<Vec<Socket>> {
        let api = Api::new(&format!("http://{}", self.address), &self.app)?;
        api.open_channel(CHANNEL).await?;
        api.add_members(CHANNEL, &WATCHERS).await?;
        let names = (0..count).map(|number| format!("idle-{number}"));
        let opening = stream::iter(names).map(|name| async move { self.enter(&name).await });
        let mut sockets: Vec<Socket> = opening.buffer_unordered(AT_ONCE).try_collect().await?;
        println!("{count} sockets are open");
        let (mut amy, mut bob) = (self.watch(WATCHERS[0]).await?, self.watch(WATCHERS[1]).await?);
        let talking = async {
            for number in 0..MESSAGES {
                api.say(CHANNEL, "skipper", &said(number)).await?;
            }
            Ok(())
        };
        tokio::try_join!(talking, heard(&mut amy), heard(&mut bob))?;
        println!("{MESSAGES} messages reached both who watch, in order");
        let pings = stream::iter(sockets.iter_mut()).map(Ok).try_for_each_concurrent(AT_ONCE, Socket::ping);
        pings.await.context("a silent socket was lost")?;
        sockets.extend([amy, bob]);
        Ok(sockets)
    }

    /// Connects as `user`.
    async fn enter(&self, user: &str) -> Result<Socket> {
        Socket::open(&self.address, &self.app.key, user, &self.token(user)?).await
    }

    /// Connects as `user` and watches the channel.
    async fn watch(&self, user: &str) -> Result<Socket> {
        let socket = self.enter(user).await?;
        let api = Api::of_user(&format!("http://{}", self.address), &self.app, self.token(user)?)?;
        api.watch_channel(CHANNEL, &socket.connection).await?;
        Ok(socket)
    }

    fn token(&self, user: &str) -> Result<String> {
        let key = EncodingKey::from_secret(self.app.secret.as_bytes());
        Ok(jsonwebtoken::encode(&Header::default(), &json!({ "user_id": user }), &key)?)
    }
}

fn said(number: usize) -> String {
    format!("message-{number:04}")
}

/// Takes every message that is said, each once and in order.
async fn heard(socket: &mut Socket) -> Result<()> {
    for number in 0..MESSAGES {
        let event = socket.find("message.new").await?;
        ensure!(event["message"]["id"] == said(number), "{} was to come, not {event}", said(number));
    }
    Ok(())
}

/// Waits until the server has closed all of them; how many that were.
async fn closed(sockets: Vec<Socket>) -> Result<usize> {
    let count = sockets.len();
    let mut codes = stream::iter(sockets).map(Socket::closed).buffer_unordered(count);
    while let Some(code) = codes.next().await {
        match code? {
            1001 | 1012 => {}
            code => bail!("a socket was closed with {code}, after which clients do not come again"),
        }
    }
    Ok(count)
}

async fn patiently<T>(what: &str, work: impl Future<Output = Result<T>>) -> Result<T> {
    let done = tokio::time::timeout(PATIENCE, work).await;
    done.unwrap_or_else(|_| bail!("{what} did not end within {PATIENCE:?}"))
}
