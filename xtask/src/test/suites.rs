//! The suites in `e2e/`: official client libraries against a real server, each suite on a fresh one.

use std::time::Duration;

use anyhow::Result;
use tokio::process::Command;

use crate::compatibility::{self, Suite};
use crate::serve::{self, Data, Server};
use crate::{install, shell};

/// Names the folder in which a suite notes what it calls.
const CALLS: &str = "MILLPOND_E2E_CALLS";
const SUITE_MAX: Duration = Duration::from_secs(10 * 60);

/// The tests of `e2e/js`, with node's own runner.
pub(super) async fn javascript() -> Result<()> {
    install::node_modules().await?;
    let suite = shell::root().join("e2e/js");
    let mut command = Command::new("npm");
    command.args(["test", "--silent"]).current_dir(suite).env(CALLS, compatibility::folder(Suite::Javascript)?);
    against_a_server(command).await
}

/// The page of `e2e/js/browser` in Chromium.
pub(super) async fn browser() -> Result<()> {
    install::debian("chromium", "chromium").await?;
    install::node_modules().await?;
    let mut command = Command::new("npm");
    command.args(["run", "browser", "--silent"]).current_dir(shell::root().join("e2e/js"));
    against_a_server(command).await
}

/// The tests of `e2e/python`, with pytest.
pub(super) async fn python() -> Result<()> {
    let python = install::python_environment().await?;
    let suite = shell::root().join("e2e/python");
    let mut command = Command::new(python.join("python"));
    command.args(["-B", "-m", "pytest", "-q", "-p", "no:cacheprovider"]).current_dir(suite);
    command.env(CALLS, compatibility::folder(Suite::Python)?);
    against_a_server(command).await
}

async fn against_a_server(mut suite: Command) -> Result<()> {
    let app = serve::test_app();
    let server = Server::start(serve::command(&app, &Data::Ephemeral)?).await?;
    for misleading in ["LOCAL", "LOCAL_FAYE", "STREAM_URL", "STREAM_API_URL", "STREAM_REGION"] {
        suite.env_remove(misleading);
    }
    suite
        .env("MILLPOND_URL", server.url())
        .env("STREAM_BASE_URL", format!("{}/api/", server.url()))
        .env("STREAM_API_KEY", &app.key)
        .env("STREAM_API_SECRET", &app.secret)
        .env("STREAM_APP_ID", &app.id);
    shell::run(&mut suite, SUITE_MAX).await.map_err(|failure| server.explain(&failure))?;
    server.stop().await
}
