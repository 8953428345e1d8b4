//! `millpond privacy`: the connector, in this process or as a service elsewhere; the same verbs and the same JSON.
//!
//! **Invariant:** secrets come from files, standard input or the environment, never from the command line.

mod args;
mod asking;
mod batches;
mod checking;
mod files;
mod here;
mod keys;
mod managing;
mod print;
mod results;
mod serving;
mod settings;
mod upkeep;
mod webhooks;

use std::process::ExitCode;

use anyhow::{Context as _, Result};
use serde_json::json;

pub(crate) use args::Privacy;
use args::{Audit, Certificate, Output, Packages, Verb};
use here::{Here, Refused};

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
    /// What was asked cannot be asked so.
    Usage = 2,
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

/// What was asked cannot be asked so.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Wrong(String);

/// An error that ends the command as one of usage.
fn wrong(told: impl Into<String>) -> anyhow::Error {
    Wrong(told.into()).into()
}

/// Whether what was asked is wrong, and nothing went wrong with it.
fn is_usage(error: &anyhow::Error) -> bool {
    let is_invalid = matches!(error.downcast_ref::<connector::Error>(), Some(connector::Error::Invalid { .. }));
    is_invalid || error.is::<Wrong>()
}

/// Runs a verb.
pub(crate) async fn run(privacy: Privacy) -> Result<ExitCode> {
    let form = privacy.output;
    let ended = match carry_out(privacy).await {
        Ok(ended) => ended,
        Err(error) => {
            let is_usage = is_usage(&error);
            // Whoever reads JSON finds the reason there too; `main` tells it to people.
            if form == Output::Json {
                let code = if is_usage { "usage" } else { "failed" };
                crate::output::json(&json!({"code": code, "detail": format!("{error:#}")}))?;
            }
            if !is_usage {
                return Err(error);
            }
            eprintln!("error: {error:#}");
            Ended::Usage
        }
    };
    Ok(ExitCode::from(ended as u8))
}

async fn carry_out(privacy: Privacy) -> Result<Ended> {
    connector::keep_no_core_dumps().context("cannot switch core dumps off")?;
    let Privacy { place, output, verb } = privacy;
    match verb {
        Verb::Serve(serve) => serving::run(&place, &serve, output).await,
        Verb::Init(init) => upkeep::init(&place, &init, output).await,
        Verb::Backup(command) => upkeep::back_up(&place, &command, output).await,
        Verb::Restore(command) => upkeep::restore(&place, &command, output),
        Verb::Keys { command } => keys::run(&place, command, output).await,
        // What is checked needs no connector: whoever got a package or a certificate can do it.
        Verb::Packages { command: Packages::Verify { file } } => checking::package(&file, output),
        Verb::Certificate { command: Certificate::Verify { file, signature } } => {
            checking::certificate(&file, signature.as_deref(), output)
        }
        Verb::Audit { command: Audit::Verify { file: Some(file), mirror } } => {
            checking::exported(&file, mirror, output)
        }
        verb => {
            let here = Here::open(&place, output).await?;
            here.beside_its_worker(async |here| match ask(here, verb).await {
                Err(error) => match error.downcast::<Refused>() {
                    Ok(Refused(reply)) => here.refused(&reply),
                    Err(error) => Err(error),
                },
                ended => ended,
            })
            .await
        }
    }
}

/// Runs a verb that asks a service.
async fn ask(here: &Here, verb: Verb) -> Result<Ended> {
    match verb {
        Verb::Integrations { command } => managing::integrations(here, command).await,
        Verb::Retention { command } => upkeep::retention(here, &command).await,
        Verb::Token { command } => managing::tokens(here, command).await,
        Verb::Access(access) => asking::access(here, &access).await,
        Verb::Delete(delete) => asking::delete(here, &delete).await,
        Verb::Audit { command } => checking::audit(here, &command).await,
        Verb::Packages { command } => results::packages(here, command).await,
        Verb::Certificate { command } => results::certificate(here, command).await,
        Verb::Batch { command } => batches::run(here, command).await,
        Verb::Webhooks { command } => webhooks::run(here, command).await,
        Verb::Doctor => upkeep::doctor(here).await,
        Verb::ReplayErasures(command) => upkeep::replay(here, &command).await,
        other => asking::about(here, other).await,
    }
}
