//! `cargo xtask memory`: what somebody who said a lot costs the server in memory, while it tells what is stored of them and
//! while it erases them (v2 §8 no. 53).
//!
//! The kernel's own account is asked, of the release build as a process: by how much its peak, set back before, goes beyond
//! what was resident then, such as its caches. Memory is a bound and not a timing, so it is asserted.

use std::fs;

use anyhow::{Context, Result, bail, ensure};
use futures_util::future::try_join_all;
use serde_json::{Value, json};

use crate::api::Api;
use crate::serve::{self, Data, Server};

/// Messages of the one who is told and erased.
const MESSAGES: usize = 100_000;
/// Channels in which they stand.
const CHANNELS: usize = 10;
/// Messages on their way at a time.
const SPEAKERS: usize = 64;
/// By how much what the server has resident may grow in the course of one of them, in KiB.
const GROWTH_MAX_KIB: u64 = 200 * 1024;
/// Who said it all.
const TALKER: &str = "talker";

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// How many messages the person has said
    #[arg(long, default_value_t = MESSAGES)]
    messages: usize,
}

impl Arguments {
    /// What CI measures.
    pub(crate) fn of_ci() -> Self {
        Arguments { messages: MESSAGES }
    }
}

/// Loads the messages, exports and erases, and looks at what the server had resident meanwhile.
pub(crate) async fn run(arguments: Arguments) -> Result<()> {
    let (app, directory) = (serve::test_app(), tempfile::tempdir().context("no directory for the data")?);
    let server = Server::start(serve::command(&app, &Data::Kept(directory.path()))?).await?;
    let api = Api::new(server.url(), &app)?;
    let measured = measure(&api, &server, arguments.messages).await;
    measured.map_err(|failure| server.explain(&failure))?;
    server.stop().await
}

async fn measure(api: &Api, server: &Server, messages: usize) -> Result<()> {
    let process = server.id()?;
    api.make_user(TALKER).await?;
    for channel in 0..CHANNELS {
        api.open_channel(&name(channel)).await?;
    }
    try_join_all((0..SPEAKERS).map(|speaker| speak(api, speaker, messages))).await?;
    println!("{messages} messages loaded; {} KiB resident", resident(process, "VmRSS")?);

    // More than ten thousand messages of a user are not in one file (v2 §2.7); their channels' files have them all.
    watched(process, "an export of the user", async {
        let task = api.done("export/users", &json!({ "user_ids": [TALKER] })).await?;
        let expected = if messages > 10_000 { "failed" } else { "completed" };
        ensure!(task.status == expected, "the export of the user ended as {task:?}");
        Ok(())
    })
    .await?;
    watched(process, "an export of the channels", async {
        let channels: Vec<Value> =
            (0..CHANNELS).map(|channel| json!({ "type": "messaging", "id": name(channel) })).collect();
        let task = api.done("export_channels", &json!({ "channels": channels })).await?;
        ensure!(task.result["url"].is_string(), "the export of the channels ended as {task:?}");
        Ok(())
    })
    .await?;
    watched(process, "an erasure", async {
        let hard = json!({ "user_ids": [TALKER], "user": "hard", "messages": "hard", "conversations": "hard" });
        let task = api.done("users/delete", &hard).await?;
        ensure!(task.result[TALKER]["status"] == "ok", "the erasure ended as {task:?}");
        let left = api.whole_channel(&name(0)).await?;
        ensure!(left.is_empty(), "{} messages are left", left.len());
        Ok(())
    })
    .await
}

/// Says every [`SPEAKERS`]th message, one after the other.
async fn speak(api: &Api, speaker: usize, messages: usize) -> Result<()> {
    for number in (speaker..messages).step_by(SPEAKERS) {
        let message = format!("message-{number:06}-{}", "word ".repeat(20).trim_end().replace(' ', "-"));
        api.say(&name(number % CHANNELS), TALKER, &message).await?;
    }
    Ok(())
}

fn name(channel: usize) -> String {
    format!("room-{channel}")
}

/// Does `work`, and checks what `process` had resident at most meanwhile.
async fn watched(process: u32, what: &str, work: impl Future<Output = Result<()>>) -> Result<()> {
    // Five means: the peak is what is resident now (proc(5)).
    fs::write(format!("/proc/{process}/clear_refs"), "5").context("the kernel does not set the peak back")?;
    let before = resident(process, "VmRSS")?;
    work.await?;
    let peak = resident(process, "VmHWM")?;
    let growth = peak.saturating_sub(before);
    println!("{what}: at most {peak} KiB resident, {growth} KiB more than before");
    ensure!(growth <= GROWTH_MAX_KIB, "{what} took {growth} KiB; {GROWTH_MAX_KIB} are allowed");
    Ok(())
}

/// A line of the kernel's account of `process`, in KiB.
fn resident(process: u32, line: &str) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).context("the kernel gives no account")?;
    let Some(value) = status.lines().find_map(|found| found.strip_prefix(line)?.strip_prefix(':')) else {
        bail!("the kernel's account has no {line}");
    };
    value.trim().trim_end_matches(" kB").parse().with_context(|| format!("{line} is {value}"))
}
