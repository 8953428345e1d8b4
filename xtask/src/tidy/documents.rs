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
    let unknown = on_the_map
        .difference(in_the_folder)
        .map(|name| format!("ARCHITECTURE.md names crates/{name}, which is not there"));
    let unnamed =
        in_the_folder.difference(on_the_map).map(|name| format!("ARCHITECTURE.md does not name crates/{name}"));
    unknown.chain(unnamed).collect()
}

/// The crates that the map names, as `crates/<name>`.
fn on_the_map(text: &str) -> BTreeSet<String> {
    let is_of_a_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == '-';
    let names =
        text.split("crates/").skip(1).map(|rest| rest.chars().take_while(|letter| is_of_a_name(*letter)).collect());
    names.filter(|name: &String| !name.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_map_is_read_for_crates() {
        let names = on_the_map("`crates/ids` and [store](crates/store/src/lib.rs); all of `crates/`.");
        assert_eq!(names, BTreeSet::from(["ids".to_owned(), "store".to_owned()]));
    }
}
