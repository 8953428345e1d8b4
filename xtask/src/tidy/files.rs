//! File names, and the sentence that each file opens with.

use std::path::Path;

use anyhow::{Context, Result};

/// Names every `mod.rs`, and every source file that does not say what lives in it (tests of a module need not).
pub(super) fn check(root: &Path) -> Result<Vec<String>> {
    let mut breaches = Vec::new();
    for file in super::rust_files(root)? {
        let shown = file.display();
        if file.ends_with("mod.rs") {
            breaches.push(format!("{shown}: a module `x` lives in `x.rs`, not in `x/mod.rs`"));
        }
        let text = std::fs::read_to_string(root.join(&file)).with_context(|| format!("cannot read {shown}"))?;
        if !file.ends_with("tests.rs") && !text.starts_with("//!") {
            breaches.push(format!("{shown}: the first line must be a `//!` that says what lives here"));
        }
    }
    Ok(breaches)
}
