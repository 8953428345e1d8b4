//! `cargo deny`: licences, bans and sources always; advisories when their database can be had.

use std::time::Duration;

use anyhow::Result;

use crate::{install, shell};

const VERSION: &str = "0.20.2";
const CHECK_MAX: Duration = Duration::from_secs(10 * 60);
const FETCH_MAX: Duration = Duration::from_secs(60);

pub(super) async fn check() -> Result<()> {
    install::cargo_tool("cargo-deny", VERSION).await?;
    let offline = ["deny", "--workspace", "check", "--hide-inclusion-graph", "bans", "licenses", "sources"];
    shell::run(shell::cargo().args(offline), CHECK_MAX).await?;
    if let Err(error) = shell::output(shell::cargo().args(["deny", "fetch", "db"]), FETCH_MAX).await {
        let reason = error.to_string();
        let last = reason.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
        println!(
            "NOT CHECKED: advisories. Their database is a git repository that cannot be reached from here: {last}"
        );
        return Ok(());
    }
    shell::run(shell::cargo().args(["deny", "--workspace", "check", "advisories"]), CHECK_MAX).await
}
