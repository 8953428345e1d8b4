//! `cargo xtask compatibility`: the page that says what works of the official clients, made from what the suites saw.
//!
//! The suites of `e2e/` note each method that a test calls, and how the call ended. `e2e/methods.txt` lists the methods that
//! the clients have. The page in `docs/` is both, side by side; a page that says anything else fails the check.

mod calls;
mod methods;
mod page;

use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use crate::{serve, shell};

pub(crate) use calls::Suite;

const PAGE: &str = "docs/compatibility.md";

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Write the page as the last runs of the suites make it
    #[arg(long)]
    bless: bool,
}

/// Checks the page, or writes it.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    if !arguments.bless {
        return check();
    }
    std::fs::write(shell::root().join(PAGE), made()?).with_context(|| format!("cannot write {PAGE}"))
}

/// Fails unless the page is what the last runs of the suites make it.
pub(crate) fn check() -> Result<()> {
    let (made, path) = (made()?, shell::root().join(PAGE));
    let stored = std::fs::read_to_string(&path).with_context(|| format!("cannot read {PAGE}"))?;
    let Some((theirs, ours)) = first_difference(&stored, &made) else {
        println!("{PAGE} says what the suites saw");
        return Ok(());
    };
    bail!(
        "{PAGE} is not what the suites saw; write it anew: cargo xtask compatibility --bless\n page: {theirs}\n seen: {ours}"
    )
}

/// Where a suite notes its calls: a folder that is empty before it starts.
pub(crate) fn folder(suite: Suite) -> Result<PathBuf> {
    let folder = serve::target().join("e2e-calls").join(suite.name());
    if folder.exists() {
        std::fs::remove_dir_all(&folder).with_context(|| format!("cannot empty {}", folder.display()))?;
    }
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    Ok(folder)
}

fn made() -> Result<String> {
    let seen = calls::read(&serve::target().join("e2e-calls"))?;
    let list = std::fs::read_to_string(shell::root().join("e2e/methods.txt")).context("cannot read e2e/methods.txt")?;
    let listed = methods::parse(&list)?;
    methods::compare(&listed, &seen)?;
    let versions = page::Versions::read(shell::root())?;
    page::render(&listed, &seen, &versions)
}

fn first_difference<'a>(stored: &'a str, made: &'a str) -> Option<(&'a str, &'a str)> {
    if stored == made {
        return None;
    }
    let (mut left, mut right) = (stored.lines(), made.lines());
    loop {
        match (left.next(), right.next()) {
            (Some(one), Some(other)) if one == other => {}
            (one, other) => return Some((one.unwrap_or("(the end)"), other.unwrap_or("(the end)"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_that_differs_is_shown() {
        assert_eq!(first_difference("a\nb\n", "a\nb\n"), None);
        assert_eq!(first_difference("a\nb\n", "a\nc\n"), Some(("b", "c")));
        assert_eq!(first_difference("a\n", "a\nc\n"), Some(("(the end)", "c")));
    }
}
