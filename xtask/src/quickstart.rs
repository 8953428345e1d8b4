//! `cargo xtask quickstart`: runs the code blocks of `docs/quickstart/*.md` as they stand, against a fresh server.
//!
//! What the fences mean:
//!
//! - `sh`: run, in order, in one shell. The block that starts the server is run with the release build.
//! - `js feed.mjs`, `python feed.py`: saved under that name before the shell runs.
//! - `text`: what the `sh` block above it prints. `…` stands for anything.
//!
//! `millpond` is the release build.
//!
//! Only the port is changed, since the documented one may be taken on this machine.

mod document;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::process::Command;

use crate::serve::{self, Server};
use crate::{install, shell};
use document::{Document, Step};

const SCRIPT_MAX: Duration = Duration::from_secs(300);

/// The port that the documents name: the server's default.
const DOCUMENTED_PORT: &str = "8800";

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Only this document, such as `python`; all by default
    name: Option<String>,
}

/// Runs the documents, one after another.
pub(crate) async fn run(arguments: &Arguments) -> Result<()> {
    run_all(arguments.name.as_deref()).await
}

/// Runs every quickstart, or the one called `only`.
pub(crate) async fn run_all(only: Option<&str>) -> Result<()> {
    install::debian("curl", "curl").await?;
    install::debian("openssl", "openssl").await?;
    install::debian("npm", "npm").await?;
    let python = install::python_environment().await?;
    let documents = documents(only)?;
    for path in &documents {
        try_out(path, &python).await.with_context(|| format!("{} does not work as written", path.display()))?;
        println!("{} works as written", path.file_name().unwrap_or_default().display());
    }
    Ok(())
}

fn documents(only: Option<&str>) -> Result<Vec<PathBuf>> {
    let folder = shell::root().join("docs/quickstart");
    let mut documents = Vec::new();
    for entry in std::fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let path = entry?.path();
        let is_wanted = only.is_none_or(|name| path.file_stem().is_some_and(|stem| stem == name));
        if is_wanted && path.extension().is_some_and(|extension| extension == "md") {
            documents.push(path);
        }
    }
    if documents.is_empty() {
        bail!("no quickstart {}in {}", only.map(|name| format!("`{name}` ")).unwrap_or_default(), folder.display());
    }
    documents.sort_unstable();
    Ok(documents)
}

async fn try_out(path: &Path, python: &Path) -> Result<()> {
    let port = serve::free_port()?.to_string();
    let text = std::fs::read_to_string(path)?.replace(DOCUMENTED_PORT, &port);
    let document = Document::parse(&text)?;
    let place = tempfile::tempdir()?;
    for (name, code) in &document.files {
        std::fs::write(place.path().join(name), code)?;
    }
    let server = start(&document.serve, &port, place.path()).await?;
    let printed = run_steps(&document.steps, place.path(), python).await?;
    compare(&document.steps, &printed)?;
    server.stop().await
}

async fn start(words: &[String], port: &str, place: &Path) -> Result<Server> {
    let mut command = serve::bare(&serve::binary())?;
    command.args(words).args(["--listen", &format!("127.0.0.1:{port}")]).current_dir(place);
    Server::start(command).await
}

/// Runs the steps in one shell, and returns what each printed.
async fn run_steps(steps: &[Step], place: &Path, python: &Path) -> Result<Vec<String>> {
    const MARK: &str = "=== next step ===";
    let mark = format!("\necho; echo '{MARK}'\n");
    let script = steps.iter().map(|step| step.script.as_str()).collect::<Vec<_>>().join(&mark);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let binary = serve::binary();
    let built = binary.parent().map(Path::to_owned);
    let folders = built.into_iter().chain([python.to_owned()]).chain(std::env::split_paths(&path));
    let mut command = Command::new("bash");
    command.args(["-euo", "pipefail", "-c", &script]).current_dir(place);
    command.env("PATH", std::env::join_paths(folders)?).env_remove("LOCAL").env_remove("STREAM_URL");
    let printed = shell::output(&mut command, SCRIPT_MAX).await?;
    Ok(printed.split(&format!("{MARK}\n")).map(|part| part.trim().to_owned()).collect())
}

fn compare(steps: &[Step], printed: &[String]) -> Result<()> {
    for (step, printed) in steps.iter().zip(printed) {
        let Some(promised) = &step.prints else { continue };
        if !document::matches(promised.trim(), printed) {
            bail!("`{}` should print\n{promised}\nbut printed\n{printed}", step.script.trim());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_quickstart_starts_the_server_and_promises_an_output() {
        for path in documents(None).unwrap() {
            let document = Document::parse(&std::fs::read_to_string(&path).unwrap()).unwrap();
            assert!(document.steps.iter().any(|step| step.prints.is_some()), "{}", path.display());
        }
    }
}
