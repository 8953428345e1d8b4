//! The documents that every reader starts from, and whether the map still shows the land.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result};

const DOCUMENTS: &[&str] = &["README.md", "CHANGELOG.md", "ARCHITECTURE.md"];

/// Names each document that is missing, and each crate that the map has too much or too little.
pub(super) fn check(root: &Path) -> Result<Vec<String>> {
    let missing = DOCUMENTS.iter().filter(|document| !root.join(document).is_file());
    let mut breaches: Vec<String> = missing.map(|document| format!("{document} is missing")).collect();
    let map = root.join("ARCHITECTURE.md");
    if map.is_file() {
        let text = std::fs::read_to_string(map).context("cannot read ARCHITECTURE.md")?;
        breaches.extend(compare(&on_the_map(&text), &super::crates(root)?.into_iter().collect()));
    }
    Ok(breaches)
}

fn compare(on_the_map: &BTreeSet<String>, in_the_folder: &BTreeSet<String>) -> Vec<String> {
    let gone = on_the_map.difference(in_the_folder);
    let new = in_the_folder.difference(on_the_map);
    let gone = gone.map(|name| format!("the code map of ARCHITECTURE.md has `{name}`, which is not in crates/"));
    let new = new.map(|name| format!("the code map of ARCHITECTURE.md lacks crates/{name}"));
    gone.chain(new).collect()
}

/// The crates of the code map: the first column of its table.
fn on_the_map(text: &str) -> BTreeSet<String> {
    let section = text.split("\n## ").find(|section| section.starts_with("Code map")).unwrap_or_default();
    let first_column = |line: &str| Some(line.strip_prefix("| `")?.split_once("` |")?.0.to_owned());
    section.lines().filter_map(first_column).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_map_is_read_for_crates() {
        let text = "# Map\n\n## Code map\n\n| crate | what |\n|---|---|\n| `ids` | x |\n| `store` | y |\n\n## Walk\n| `no` | z |\n";
        assert_eq!(on_the_map(text), BTreeSet::from(["ids".to_owned(), "store".to_owned()]));
    }

    #[test]
    fn what_the_map_lacks_or_has_too_much_is_named() {
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(compare(&set(&["ids", "old"]), &set(&["ids", "new"])).len(), 2);
    }
}
