//! The page that says which test proves which acceptance check.

use std::{collections::BTreeSet, path::Path};

/// The acceptance checks of the contract.
const CHECKS: u32 = 50;

#[test]
fn the_page_of_the_acceptance_checks_has_every_number_and_names_tests_that_there_are() {
    // As cargo names it when it runs this: checkouts that share a target directory share the binary.
    let folder = std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo runs the tests");
    let root = Path::new(&folder).join("../..");
    let page = std::fs::read_to_string(root.join("docs/privacy-checks.md")).unwrap();
    let mut sources = String::new();
    for folder in ["crates/connector", "crates/cli"] {
        gather(&root.join(folder), &mut sources);
    }
    let mut named = 0;
    let mut numbers = BTreeSet::new();
    for row in page.lines().filter(|line| line.starts_with("| ")) {
        numbers.extend(row.split('|').nth(1).and_then(|cell| cell.trim().parse::<u32>().ok()));
        let proofs =
            row.split('`').skip(1).step_by(2).filter(|name| name.contains('_') && !name.contains(['.', '/', ' ']));
        for name in proofs {
            assert!(
                sources.contains(&format!("fn {name}(")),
                "docs/privacy-checks.md names `{name}`; no test is called so"
            );
            named += 1;
        }
    }
    assert_eq!(numbers, (1..=CHECKS).collect());
    assert!(named > 100, "{named}");
}

fn gather(folder: &Path, sources: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            gather(&path, sources);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            sources.push_str(&std::fs::read_to_string(&path).unwrap());
        }
    }
}
