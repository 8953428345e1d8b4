//! ejabberd as a peer: a server of the run's own with a room that everybody may enter, over its WebSockets (RFC 7395).
//!
//! It gets the benefit of the doubt: nobody needs a password, nothing is stored, no shaper slows anybody, and nobody is told who
//! comes and goes.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::bench::Bench;
use crate::child::{Running, free_address};
use crate::install::{self, Missing};

/// How long the first connection may take: the Erlang machine takes its time where others work.
const START_MAX: Duration = Duration::from_secs(120);
/// How long one answer of the stream may take.
const ANSWER_MAX: Duration = Duration::from_secs(30);
/// Where libraries of Debian's packages are, below a folder for the machine's kind.
const LIBRARIES: &str = "/usr/lib";
const ROOM: &str = "arena@conference.localhost";
const OPEN: &str = r#"<open xmlns="urn:ietf:params:xml:ns:xmpp-framing" to="localhost" version="1.0"/>"#;
const AUTH: &str = r#"<auth xmlns="urn:ietf:params:xml:ns:xmpp-sasl" mechanism="ANONYMOUS"/>"#;
const BIND: &str =
    r#"<iq xmlns="jabber:client" type="set" id="bind"><bind xmlns="urn:ietf:params:xml:ns:xmpp-bind"/></iq>"#;

/// What everybody in the room is sent for a message begins with this, whatever the order of attributes before it.
pub(crate) const BODY: &[u8] = b"<body>m";

/// A running ejabberd.
pub(crate) struct Server {
    address: SocketAddr,
    /// Kept for as long as it is asked.
    _running: Running,
}

impl Server {
    /// Starts one on a new directory in `name`; the inner error says why there is none.
    pub(crate) async fn start(bench: &Bench, name: &str) -> Result<Result<Self, Missing>> {
        let code = match install::find("ejabberd", "ejabberd", &debian, bench.may_install, &bench.progress) {
            Ok(code) => code,
            Err(missing) => return Ok(Err(missing)),
        };
        let folder = std::path::absolute(bench.folder(name)?)?;
        let address = free_address()?;
        let config = folder.join("ejabberd.yml");
        std::fs::write(&config, configuration(address))?;
        let mut running = Running::start("ejabberd", erlang(&code, &config, &folder), &bench.cores, bench.root())?;
        let since = Instant::now();
        while TcpStream::connect(address).await.is_err() {
            ensure!(running.is_alive()?, "ejabberd ended: {}", running.last_words());
            ensure!(since.elapsed() < START_MAX, "ejabberd did not listen within {START_MAX:?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(Ok(Self { address, _running: running }))
    }

    /// Connects somebody without a name, who enters the room as `nick`.
    pub(crate) async fn enter(&self, nick: &str) -> Result<WebSocketStream<TcpStream>> {
        let stream = TcpStream::connect(self.address).await.context("connecting to ejabberd")?;
        stream.set_nodelay(true)?;
        let mut request = format!("ws://{}/ws", self.address).into_client_request()?;
        request.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static("xmpp"));
        let (mut socket, _) = client_async(request, stream).await?;
        for (said, answered) in [(OPEN, "features"), (AUTH, "<success"), (OPEN, "features"), (BIND, "<jid>")] {
            say(&mut socket, said, answered).await?;
        }
        socket.send(Message::text(r#"<presence xmlns="jabber:client"/>"#)).await?;
        let enter = format!(
            r#"<presence xmlns="jabber:client" to="{ROOM}/{nick}"><x xmlns="http://jabber.org/protocol/muc"/></presence>"#
        );
        // The subject comes last, when all else was told of the room.
        say(&mut socket, &enter, "<subject").await?;
        Ok(socket)
    }
}

/// The stanza that says `text` to the room.
pub(crate) fn stanza(text: &str) -> Message {
    Message::text(format!(
        r#"<message xmlns="jabber:client" to="{ROOM}" type="groupchat"><body>m{text}</body></message>"#
    ))
}

/// Says something, and reads until what is `answered`.
async fn say(socket: &mut WebSocketStream<TcpStream>, said: &str, answered: &str) -> Result<()> {
    socket.send(Message::text(said)).await?;
    let heard = async {
        loop {
            let Some(frame) = socket.next().await else { bail!("the connection ended after {said}") };
            if frame?.to_text()?.contains(answered) {
                return Ok(());
            }
        }
    };
    tokio::time::timeout(ANSWER_MAX, heard).await.with_context(|| format!("no {answered} after {said}"))?
}

/// The Erlang machine with ejabberd's code; it ends with this process, however that ends.
fn erlang(code: &Path, config: &Path, folder: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "--", "erl", "-noinput", "-pa"]).arg(code);
    command.args(["-mnesia", "dir"]).arg(format!("{:?}", folder.join("spool").display().to_string()));
    command.args(["-s", "ejabberd"]);
    command.env("HOME", folder).env("EJABBERD_CONFIG_PATH", config);
    command.env("EJABBERD_LOG_PATH", folder.join("ejabberd.log")).env("ERL_CRASH_DUMP", folder.join("crash"));
    command
}

fn configuration(address: SocketAddr) -> String {
    let (ip, port) = (address.ip(), address.port());
    format!(
        r#"hosts: [localhost]
loglevel: warning
auth_method: [anonymous]
anonymous_protocol: sasl_anon
listen:
  - port: {port}
    ip: "{ip}"
    module: ejabberd_http
    backlog: 1024
    request_handlers: {{/ws: ejabberd_http_ws}}
access_rules:
  everybody: [{{allow: all}}]
modules:
  mod_muc:
    access: everybody
    access_create: everybody
    history_size: 0
    max_users: 5000
    default_room_options: {{max_users: 5000, presence_broadcast: []}}
"#
    )
}

/// Where Debian puts ejabberd's code, whatever its version and the machine's kind.
fn debian(program: &str) -> Option<PathBuf> {
    let folders = |folder: &Path| {
        let entries = std::fs::read_dir(folder).into_iter().flatten();
        entries.filter_map(|entry| Some(entry.ok()?.path())).collect::<Vec<_>>()
    };
    let is_version = |folder: &PathBuf| {
        let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        name.strip_prefix(program).is_some_and(|rest| rest.starts_with('-'))
    };
    let versions = folders(Path::new(LIBRARIES)).into_iter().flat_map(|library| folders(&library)).filter(is_version);
    let code = versions.map(|folder| folder.join("ebin"));
    code.filter(|code| code.join(format!("{program}.beam")).is_file()).max()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ejabberd_listens_where_it_is_asked_to() {
        let configuration = configuration("127.0.0.1:5280".parse().unwrap());
        assert!(configuration.contains("port: 5280\n    ip: \"127.0.0.1\"\n"), "{configuration}");
    }

    #[test]
    fn what_is_said_is_what_receivers_look_for() {
        let said = stanza("x");
        assert!(memchr::memmem::find(said.to_text().unwrap().as_bytes(), BODY).is_some());
    }
}
