//! A ratchet on file lengths: no file may pass the limit, and those that already had may only shrink.
//!
//! Lines are counted up to the tests at the end of a file. Files that are tests as a whole are not counted.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use anyhow::{Context, Result};

/// Past this a file is probably several subjects.
const LINES_MAX: usize = 500;

/// The files that were longer when they were last looked at: `<lines> <file>` a line.
const RECORD: &str = "xtask/long-files.txt";

/// Names every file that is too long, or shorter than the record says.
pub(super) fn check(root: &Path) -> Result<Vec<String>> {
    let lengths = lengths(root)?;
    let record = record(root)?;
    let mut breaches = Vec::new();
    for (file, lines) in &lengths {
        let max = record.get(file).copied().unwrap_or(LINES_MAX);
        if *lines > max {
            breaches.push(format!("{file} has {lines} lines without its tests, more than {max}: cut it by subject"));
        }
    }
    for (file, recorded) in &record {
        if lengths.get(file).is_none_or(|lines| lines < recorded) {
            breaches.push(format!("{file} is shorter than {RECORD} says: run `cargo xtask tidy --bless`"));
        }
    }
    Ok(breaches)
}

/// Lowers the record to what the files have now; it never raises it.
pub(super) fn bless(root: &Path) -> Result<()> {
    let lengths = lengths(root)?;
    let mut text = String::new();
    for (file, recorded) in record(root)? {
        let lines = lengths.get(&file).copied().unwrap_or(0).min(recorded);
        if lines > LINES_MAX {
            writeln!(text, "{lines} {file}")?;
        }
    }
    std::fs::write(root.join(RECORD), text).with_context(|| format!("cannot write {RECORD}"))
}

fn lengths(root: &Path) -> Result<BTreeMap<String, usize>> {
    let mut lengths = BTreeMap::new();
    for file in super::rust_files(root)? {
        if file.components().any(|part| part.as_os_str() == "tests") || file.ends_with("tests.rs") {
            continue;
        }
        let text =
            std::fs::read_to_string(root.join(&file)).with_context(|| format!("cannot read {}", file.display()))?;
        lengths.insert(file.display().to_string(), lines_without_tests(&text));
    }
    Ok(lengths)
}

fn lines_without_tests(text: &str) -> usize {
    text.lines().take_while(|line| *line != "#[cfg(test)]").count()
}

fn record(root: &Path) -> Result<BTreeMap<String, usize>> {
    let text = std::fs::read_to_string(root.join(RECORD)).with_context(|| format!("cannot read {RECORD}"))?;
    let entry = |line: &str| {
        let (lines, file) =
            line.split_once(' ').with_context(|| format!("{RECORD}: `{line}` is not `<lines> <file>`"))?;
        Ok((file.to_owned(), lines.parse().with_context(|| format!("{RECORD}: `{lines}` is not a number"))?))
    };
    text.lines().map(entry).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_at_the_end_are_not_counted() {
        assert_eq!(lines_without_tests("one\ntwo\n#[cfg(test)]\nmod tests {}\n"), 2);
    }
}
