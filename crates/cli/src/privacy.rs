//! `millpond privacy`: the connector, in this process or as a service elsewhere; the same verbs and the same JSON.
//!
//! **Invariant:** secrets come from files, standard input or the environment, never from the command line.

mod args;
mod asking;
mod batches;
mod checking;
mod here;
mod keys;
mod managing;
mod print;
mod serving;
mod upkeep;

use std::process::ExitCode;

use anyhow::Result;

pub(crate) use args::Privacy;
use args::{Certificate, Verb};
use here::Here;

/// What `millpond privacy --help` ends with.
pub(crate) const EXAMPLES: &str = "\
Examples:
  millpond privacy init --kek-file privacy.kek
  millpond privacy --kek-file privacy.kek integrations add --key-file key --secret-file secret
  millpond privacy --kek-file privacy.kek access --email amy@example.com --out amy.zip
  millpond privacy --kek-file privacy.kek delete --user-id amy --yes --wait 1h

Exit codes: 0 done, 1 failed, 2 usage, 3 not allowed, 4 not found, 5 needs a decision,
6 still processing, 7 connection test failed, 8 integrity check failed.";

/// How a call of the command ended, as its exit code says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Ended {
    /// Done.
    Done = 0,
    /// Failed.
    Failed = 1,
    /// The role may not.
    NotAllowed = 3,
    /// There is no such thing.
    NotFound = 4,
    /// A person must decide.
    NeedsDecision = 5,
    /// It goes on.
    Processing = 6,
    /// The connection does not work.
    TestFailed = 7,
    /// Something was changed.
    NotIntact = 8,
}

/// Runs a verb.
pub(crate) async fn run(privacy: Privacy) -> Result<ExitCode> {
    let Privacy { place, output, verb } = privacy;
    let ended = match verb {
        Verb::Serve(serve) => serving::run(&place, &serve).await?,
        Verb::Init(init) => upkeep::init(&place, &init, output).await?,
        Verb::Backup(command) => upkeep::back_up(&place, &command, output).await?,
        Verb::Restore(command) => upkeep::restore(&place, &command, output)?,
        Verb::Keys { command } => keys::run(&place, command, output).await?,
        Verb::Packages { command } => checking::package(&command, output)?,
        Verb::Certificate { command: Certificate::Verify { file, signature } } => {
            checking::certificate(&file, signature.as_deref(), output)?
        }
        verb => {
            let here = Here::open(&place, output).await?;
            let ended = match verb {
                Verb::Integrations { command } => managing::integrations(&here, command).await,
                Verb::Token { command } => managing::tokens(&here, command).await,
                Verb::Access(access) => asking::access(&here, &access).await,
                Verb::Delete(delete) => asking::delete(&here, &delete).await,
                Verb::Audit { command } => checking::audit(&here, &command).await,
                Verb::Certificate { command } => checking::fetch_certificate(&here, &command).await,
                Verb::Batch { command } => batches::run(&here, command).await,
                Verb::Doctor => upkeep::doctor(&here).await,
                Verb::ReplayErasures(command) => upkeep::replay(&here, &command).await,
                other => asking::about(&here, other).await,
            };
            here.close().await;
            ended?
        }
    };
    Ok(ExitCode::from(ended as u8))
}
