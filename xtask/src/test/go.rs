//! The live suites of the official Go clients, as they are in the module cache, each against a fresh server.
//!
//! What they do not pass is listed with its reason in `e2e/go/exceptions.txt`, and that list is right in both directions.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Command;
use tokio::task::JoinHandle;

use crate::api::App;
use crate::serve::{self, Data, Server};
use crate::{install, shell};

/// A Go module with tests, below `github.com/GetStream/`.
const SUITES: [&str; 3] = ["stream-chat-go/v8", "stream-chat-go/v7", "getstream-go"];
const SUITE_MAX: Duration = Duration::from_secs(10 * 60);
/// How long what is sent to the server takes.
const DISTANCE: Duration = Duration::from_millis(3);

/// Runs every suite, and compares what did not pass with what is known not to.
pub(super) async fn suites() -> Result<()> {
    install::debian("go", "golang-go").await?;
    let listed =
        std::fs::read_to_string(shell::root().join("e2e/go/exceptions.txt")).context("e2e/go/exceptions.txt")?;
    for suite in SUITES {
        let printed = against_a_server(suite).await?;
        let outcome = Outcome::read(&printed);
        println!("{suite}: {} tests passed, {} did not", outcome.passed, outcome.others.len());
        let surprises = outcome.surprises(&exceptions(&listed, suite)?);
        if !surprises.is_empty() {
            bail!("{suite} and e2e/go/exceptions.txt disagree:\n{}", surprises.join("\n"));
        }
    }
    Ok(())
}

/// What `go test` prints of a suite; that tests fail is no error here.
async fn against_a_server(suite: &str) -> Result<String> {
    let app = serve::test_app();
    let server = Server::start(serve::command(&app, &Data::Ephemeral)?).await?;
    let (url, far) = at_a_distance(server.url()).await?;
    let printed = shell::output(&mut command(suite, &app, &url), SUITE_MAX).await;
    far.abort();
    let printed = printed.map_err(|failure| server.explain(&failure))?;
    server.stop().await?;
    Ok(printed)
}

/// An address from which what is sent takes a while to the server at `url`, as if it were far away: a test of the suites counts
/// on it that no answer comes within a millisecond.
async fn at_a_distance(url: &str) -> Result<(String, JoinHandle<()>)> {
    let server = url.strip_prefix("http://").context("the server's address is an http URL")?.to_owned();
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let near = format!("http://{}", listener.local_addr()?);
    let carrying = tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let server = server.clone();
            // A connection that breaks on one side is closed on the other.
            tokio::spawn(async move { connect(client, &server).await.unwrap_or_default() });
        }
    });
    Ok((near, carrying))
}

async fn connect(client: TcpStream, server: &str) -> io::Result<()> {
    let server = TcpStream::connect(server).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let ((from_client, mut to_client), (mut from_server, to_server)) = (client.into_split(), server.into_split());
    let back = async { tokio::io::copy(&mut from_server, &mut to_client).await.map(|_| ()) };
    tokio::select! {
        sent = carry(from_client, to_server) => sent,
        received = back => received,
    }
}

async fn carry(mut from: OwnedReadHalf, mut to: OwnedWriteHalf) -> io::Result<()> {
    let mut some = vec![0; 64 << 10];
    loop {
        let length = from.read(&mut some).await?;
        tokio::time::sleep(DISTANCE).await;
        match length {
            0 => return to.shutdown().await,
            length => to.write_all(&some[..length]).await?,
        }
    }
}

fn command(suite: &str, app: &App, url: &str) -> Command {
    // `go test` ends with 1 when a test fails, and with 2 when nothing could be run.
    let script = r#"go test -count=1 -json "$1" || [ $? -eq 1 ]"#;
    let mut command = Command::new("sh");
    command.args(["-c", script, "sh"]).arg(format!("github.com/GetStream/{suite}"));
    command.current_dir(shell::root().join("e2e/go")).env("GOFLAGS", "-mod=readonly").env_remove("CI");
    for (names, value) in [
        (["STREAM_KEY", "STREAM_API_KEY"], &*app.key),
        (["STREAM_SECRET", "STREAM_API_SECRET"], &*app.secret),
        (["STREAM_CHAT_URL", "STREAM_BASE_URL"], url),
    ] {
        command.envs(names.map(|name| (name, value)));
    }
    command.env("STREAM_HOST", url);
    command
}

/// A line of `go test -json`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Event {
    action: String,
    test: Option<String>,
    output: Option<String>,
}

/// What a suite came to.
#[derive(Default)]
struct Outcome {
    passed: usize,
    /// What became of each test that did not pass, and what it printed.
    others: BTreeMap<String, (String, String)>,
}

impl Outcome {
    fn read(printed: &str) -> Self {
        let (mut outcome, mut said) = (Self::default(), BTreeMap::<String, String>::new());
        for event in printed.lines().filter_map(|line| serde_json::from_str::<Event>(line).ok()) {
            let Some(test) = event.test else { continue };
            match event.action.as_str() {
                "output" => said.entry(test).or_default().push_str(&event.output.unwrap_or_default()),
                "pass" => outcome.passed += 1,
                action @ ("fail" | "skip") => {
                    let said = said.remove(&test).unwrap_or_default();
                    outcome.others.insert(test, (action.to_owned(), said));
                }
                _ => {}
            }
        }
        outcome
    }

    /// In what it differs from the exceptions.
    fn surprises(&self, exceptions: &BTreeSet<(&str, &str)>) -> Vec<String> {
        // Most of a suite passes, or it did not run.
        if self.passed <= self.others.len() {
            return vec![format!("{} tests passed and {} did not", self.passed, self.others.len())];
        }
        let is_known = |test: &str, action: &str| exceptions.contains(&(test, action));
        let unknown = self.others.iter().filter(|(test, (action, _))| !is_known(test, action));
        let unknown = unknown.map(|(test, (action, said))| format!("{test}: {action}\n{said}"));
        let is_so = |test: &str, action: &str| self.others.get(test).is_some_and(|(found, _)| found == action);
        let mended = exceptions.iter().filter(|(test, action)| !is_so(test, action));
        unknown.chain(mended.map(|(test, action)| format!("{test}: is listed as {action}, and is not so"))).collect()
    }
}

/// The tests of a suite that do not pass, each with how.
///
/// # Errors
/// When a line is not suite, outcome, test and reason, or names another suite.
fn exceptions<'l>(listed: &'l str, suite: &str) -> Result<BTreeSet<(&'l str, &'l str)>> {
    let mut exceptions = BTreeSet::new();
    for line in listed.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let mut words = line.split_whitespace();
        let (Some(of), Some(action @ ("fail" | "skip")), Some(test), Some(_)) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            bail!("e2e/go/exceptions.txt: not suite, outcome, test and reason: {line}");
        };
        if !SUITES.contains(&of) {
            bail!("e2e/go/exceptions.txt: no such suite: {of}");
        }
        if of == suite && !exceptions.insert((test, action)) {
            bail!("e2e/go/exceptions.txt: twice: {line}");
        }
    }
    Ok(exceptions)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRINTED: &str = r#"
{"Action":"output","Test":"TestOdd","Output":"1 is even\n"}
{"Action":"fail","Test":"TestOdd"}
{"Action":"skip","Test":"TestSlow"}
{"Action":"pass","Test":"TestEven"}
{"Action":"pass","Test":"TestEven/two"}
{"Action":"pass","Test":"TestEven/four"}
{"Action":"fail","Package":"numbers"}
"#;

    #[test]
    fn what_is_listed_may_fail_and_nothing_else() {
        let outcome = Outcome::read(PRINTED);
        assert!(outcome.surprises(&[("TestOdd", "fail"), ("TestSlow", "skip")].into()).is_empty());
        assert_eq!(outcome.surprises(&[("TestSlow", "skip")].into()), ["TestOdd: fail\n1 is even\n"]);
        assert_eq!(outcome.surprises(&[("TestOdd", "skip"), ("TestSlow", "skip")].into()).len(), 2);
    }

    #[test]
    fn what_is_listed_and_passes_is_told() {
        let outcome = Outcome::read(PRINTED);
        let listed = [("TestEven", "fail"), ("TestOdd", "fail"), ("TestSlow", "skip")].into();
        assert_eq!(outcome.surprises(&listed), ["TestEven: is listed as fail, and is not so"]);
    }

    #[test]
    fn a_suite_that_did_not_run_is_no_success() {
        assert_eq!(Outcome::read("").surprises(&BTreeSet::new()).len(), 1);
        assert_eq!(Outcome::read(r#"{"Action":"fail","Package":"numbers"}"#).surprises(&BTreeSet::new()).len(), 1);
    }

    #[test]
    fn the_list_has_suite_outcome_test_and_reason() {
        let listed =
            "# a word before\n\ngetstream-go fail TestOdd it is even\nstream-chat-go/v8 skip TestSlow it is slow\n";
        assert_eq!(exceptions(listed, "getstream-go").unwrap(), [("TestOdd", "fail")].into());
        for wrong in ["getstream-go fail TestOdd", "getstream-go pass TestOdd why", "other fail TestOdd why"] {
            assert!(exceptions(wrong, "getstream-go").is_err(), "{wrong}");
        }
        let listed = std::fs::read_to_string(shell::root().join("e2e/go/exceptions.txt")).unwrap();
        assert!(SUITES.iter().all(|suite| exceptions(&listed, suite).is_ok()));
    }
}
