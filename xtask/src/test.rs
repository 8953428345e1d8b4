//! `cargo xtask test`: every check and test, in one go. A failed step does not keep the later ones from running.

mod go;
mod suites;
mod supply;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::{compatibility, idle, install, kill, memory, quickstart, replay, scale, shell, tidy};

const BUILD_MAX: Duration = Duration::from_secs(60 * 60);

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Run only this step (may be given several times)
    #[arg(long = "only", value_name = "STEP")]
    only: Vec<String>,
    /// Print the steps and what each does
    #[arg(long)]
    list: bool,
}

/// The steps, in the order in which they run: quick ones first, and the release build before what needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Format,
    Clippy,
    Tidy,
    Deny,
    Tests,
    Scale,
    Build,
    Javascript,
    Browser,
    Python,
    Go,
    Compatibility,
    Quickstarts,
    Replay,
    Kill,
    Idle,
    Memory,
}

impl Step {
    const ALL: [Self; 17] = [
        Self::Format,
        Self::Clippy,
        Self::Tidy,
        Self::Deny,
        Self::Tests,
        Self::Scale,
        Self::Build,
        Self::Javascript,
        Self::Browser,
        Self::Python,
        Self::Go,
        Self::Compatibility,
        Self::Quickstarts,
        Self::Replay,
        Self::Kill,
        Self::Idle,
        Self::Memory,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Format => "format",
            Self::Clippy => "clippy",
            Self::Tidy => "tidy",
            Self::Deny => "deny",
            Self::Tests => "tests",
            Self::Scale => "scale",
            Self::Build => "build",
            Self::Javascript => "e2e-js",
            Self::Browser => "e2e-browser",
            Self::Python => "e2e-python",
            Self::Go => "e2e-go",
            Self::Compatibility => "compatibility",
            Self::Quickstarts => "quickstarts",
            Self::Replay => "replay",
            Self::Kill => "kill",
            Self::Idle => "idle",
            Self::Memory => "memory",
        }
    }

    fn purpose(self) -> &'static str {
        match self {
            Self::Format => "the code is formatted",
            Self::Clippy => "the lints have nothing to say",
            Self::Tidy => "the house rules hold",
            Self::Deny => "dependencies: licences, bans, sources, and advisories if their database can be had",
            Self::Tests => "the Rust tests of the workspace",
            Self::Scale => "the checks of the privacy connector that have sizes, at the contract's sizes",
            Self::Build => "the release build of the server",
            Self::Javascript => "the official JavaScript client, and raw requests, against the server",
            Self::Browser => "a page of another origin, in Chromium, against the server",
            Self::Python => "the official Python client against the server",
            Self::Go => "the official Go clients' own live suites against the server",
            Self::Compatibility => "the page of what works of the official clients says what the suites saw",
            Self::Quickstarts => "the quickstart documents work as written",
            Self::Replay => "recorded commits, loaded and compared with a model that really copies",
            Self::Kill => "a server that is killed under load loses nothing and doubles nothing",
            Self::Idle => "10,000 silent sockets keep nobody from hearing every message, and a drain closes each",
            Self::Memory => "somebody with 100,000 messages is exported and erased in less than 200 MB",
        }
    }

    async fn run(self) -> Result<()> {
        match self {
            Self::Format => shell::run(shell::cargo().args(["fmt", "--all", "--check"]), BUILD_MAX).await,
            Self::Clippy => {
                let words = ["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"];
                shell::run(shell::cargo().args(words), BUILD_MAX).await
            }
            Self::Tidy => tidy::check(),
            Self::Deny => supply::check().await,
            Self::Tests => {
                // The tests of encrypted packages open ours with it, and theirs with ours; it asks on a terminal alone.
                install::debian("age", "age").await?;
                install::debian("script", "bsdutils").await?;
                shell::run(shell::cargo().args(["test", "--workspace", "--locked"]), BUILD_MAX).await
            }
            Self::Scale => scale::run(scale::Scale::Step).await,
            Self::Build => build().await,
            Self::Javascript => suites::javascript().await,
            Self::Browser => suites::browser().await,
            Self::Python => suites::python().await,
            Self::Go => go::suites().await,
            Self::Compatibility => compatibility::check(),
            Self::Quickstarts => quickstart::run_all(None).await,
            Self::Replay => replay::run_small().await,
            Self::Kill => kill::run(kill::Arguments::of_ci()).await,
            Self::Idle => idle::run(idle::Arguments::of_ci()).await,
            Self::Memory => memory::run(memory::Arguments::of_ci()).await,
        }
    }
}

async fn build() -> Result<()> {
    shell::run(shell::cargo().args(["build", "--release", "--locked", "--package", "millpond"]), BUILD_MAX).await
}

/// Runs the steps that were asked for. The code says whether all passed; the last line printed counts them.
pub(crate) async fn run(arguments: &Arguments) -> Result<ExitCode> {
    if arguments.list {
        for step in Step::ALL {
            println!("{:12} {}", step.name(), step.purpose());
        }
        return Ok(ExitCode::SUCCESS);
    }
    let outcomes = run_steps(&chosen(&arguments.only)?).await;
    Ok(summarise(&outcomes))
}

fn chosen(only: &[String]) -> Result<Vec<Step>> {
    let names = Step::ALL.map(Step::name);
    if let Some(unknown) = only.iter().find(|name| !names.contains(&name.as_str())) {
        bail!("no step `{unknown}`; the steps are {}", names.join(", "));
    }
    let is_chosen = |step: &Step| only.is_empty() || only.iter().any(|name| name == step.name());
    Ok(Step::ALL.into_iter().filter(is_chosen).collect())
}

struct Outcome {
    step: Step,
    took: Duration,
    failure: Option<anyhow::Error>,
}

async fn run_steps(steps: &[Step]) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    for step in steps {
        println!("\n=== {}: {}", step.name(), step.purpose());
        let started = Instant::now();
        let failure = step.run().await.err();
        if let Some(error) = &failure {
            println!("=== {} FAILED: {error:#}", step.name());
        }
        outcomes.push(Outcome { step: *step, took: started.elapsed(), failure });
    }
    outcomes
}

fn summarise(outcomes: &[Outcome]) -> ExitCode {
    println!("\n=== summary");
    for outcome in outcomes {
        let verdict = if outcome.failure.is_none() { "passed" } else { "FAILED" };
        println!("{verdict} {:12} {:6.1} s", outcome.step.name(), outcome.took.as_secs_f64());
    }
    let failed = outcomes.iter().filter(|outcome| outcome.failure.is_some()).count();
    println!("{} passed, {failed} failed", outcomes.len() - failed);
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_named_steps_run_in_their_usual_order() {
        let steps = chosen(&["kill".to_owned(), "format".to_owned()]).unwrap();
        assert_eq!(steps, [Step::Format, Step::Kill]);
    }

    #[test]
    fn an_unknown_step_is_refused_with_the_names_of_all() {
        let refusal = chosen(&["lint".to_owned()]).unwrap_err().to_string();
        assert!(refusal.contains("no step `lint`") && refusal.contains("clippy"), "{refusal}");
    }
}
