//! Which crate may depend on which: the picture in `ARCHITECTURE.md` as a table.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};
use toml::Table;

/// Each crate, by folder, with those that it may depend on. A new arrow is a decision: change the picture with it.
const ARROWS: &[(&str, &[&str])] = &[
    ("ids", &[]),
    ("images", &[]),
    ("wire", &["ids"]),
    ("store", &[]),
    ("domain", &["ids", "store"]),
    ("front", &[]),
    ("server", &["domain", "front", "ids", "images", "store", "wire"]),
    ("client", &["ids", "wire"]),
    ("connector", &["client", "front", "ids", "store", "wire"]),
    // It starts the binary as a child, and measures it from outside.
    ("bench", &[]),
    // `store` for what works on a data directory without a server: backup, restore, check.
    ("cli", &["bench", "client", "connector", "ids", "server", "store", "wire"]),
    ("testing", &["client", "domain", "ids", "server", "store", "wire"]),
];

/// Crates whose own tests may use `testing`: those above the domain. The lower ones are tested on their own.
const TESTED_WITH_A_POND: &[&str] = &["bench", "cli", "client", "connector", "server"];

/// Names every arrow that is not in the table.
pub(super) fn check(root: &Path) -> Result<Vec<String>> {
    let crates = super::crates(root)?;
    let mut breaches = Vec::new();
    let packages = packages(root, &crates)?;
    for name in &crates {
        let Some((_, allowed)) = ARROWS.iter().find(|(known, _)| known == name) else {
            breaches.push(format!(
                "crates/{name} is not in the table of who may depend on whom (xtask/src/tidy/arrows.rs)"
            ));
            continue;
        };
        let manifest = manifest(root, name)?;
        for (section, dependency) in ours(&manifest, &packages) {
            let is_for_tests = section == "dev-dependencies" && dependency == "testing";
            let is_allowed =
                allowed.contains(&dependency.as_str()) || (is_for_tests && TESTED_WITH_A_POND.contains(&name.as_str()));
            if !is_allowed {
                breaches.push(format!("crates/{name} may not depend on crates/{dependency} ({section})"));
            }
        }
    }
    Ok(breaches)
}

fn manifest(root: &Path, name: &str) -> Result<Table> {
    let path = root.join("crates").join(name).join("Cargo.toml");
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    text.parse().with_context(|| format!("cannot parse {}", path.display()))
}

/// The folder of each package of ours, by package name.
fn packages(root: &Path, crates: &[String]) -> Result<BTreeMap<String, String>> {
    let package = |folder: &String| {
        let manifest = manifest(root, folder)?;
        let name = manifest.get("package").and_then(|package| package.get("name")).and_then(toml::Value::as_str);
        Ok((name.context("a manifest without a package name")?.to_owned(), folder.clone()))
    };
    crates.iter().map(package).collect()
}

/// The dependencies of a manifest that are crates of ours, each with its section.
fn ours(manifest: &Table, packages: &BTreeMap<String, String>) -> Vec<(&'static str, String)> {
    let sections = ["dependencies", "dev-dependencies", "build-dependencies"];
    let in_section = |section: &'static str| {
        let names = manifest.get(section).and_then(toml::Value::as_table).into_iter().flat_map(Table::keys);
        names.filter_map(move |name| packages.get(name).map(|folder| (section, folder.clone())))
    };
    sections.into_iter().flat_map(in_section).collect()
}
