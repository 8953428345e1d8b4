//! `cargo xtask tidy`: the house rules that neither the compiler nor clippy can hold.

mod arrows;
mod documents;
mod files;
mod lengths;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::shell;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Write down the lengths of files that have become shorter
    #[arg(long)]
    bless: bool,
}

/// Checks the rules, after lowering the record of lengths if that was asked for.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    if arguments.bless {
        lengths::bless(shell::root())?;
    }
    check()
}

/// Checks all rules and names every breach.
pub(crate) fn check() -> Result<()> {
    let root = shell::root();
    let mut breaches = arrows::check(root)?;
    breaches.extend(files::check(root)?);
    breaches.extend(lengths::check(root)?);
    breaches.extend(documents::check(root)?);
    for breach in &breaches {
        println!("- {breach}");
    }
    if !breaches.is_empty() {
        bail!("{} house rules are broken", breaches.len());
    }
    println!("the house is tidy");
    Ok(())
}

/// The crates under `crates/`, by folder name, in order.
fn crates(root: &Path) -> Result<Vec<String>> {
    let folder = root.join("crates");
    let mut names = Vec::new();
    for entry in std::fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let entry = entry?;
        if entry.path().join("Cargo.toml").is_file() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// Every Rust file of the project, relative to `root`, in order.
fn rust_files(root: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders = vec![root.join("crates"), root.join("xtask")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))? {
            let path = entry?.path();
            if path.is_dir() && !path.ends_with("target") {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path.strip_prefix(root)?.to_owned());
            }
        }
    }
    files.sort_unstable();
    Ok(files)
}
