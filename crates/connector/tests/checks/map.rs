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
    let mut named = BTreeSet::new();
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
            named.insert(name.to_owned());
        }
    }
    assert_eq!(numbers, (1..=CHECKS).collect());
    // And a test that says to be a proof is on the page.
    let tests = sources.lines().filter_map(|line| line.split_once("fn ")?.1.split_once('('));
    let proofs = tests.map(|(name, _)| name).filter(|name| is_numbered(name));
    let missing: Vec<&str> = proofs.filter(|name| !named.contains(*name)).collect();
    assert_eq!(missing, Vec::<&str>::new(), "these are not in docs/privacy-checks.md");
}

/// Whether a name is that of a test for a number: `check_07_…`, `a23_07_…`.
fn is_numbered(name: &str) -> bool {
    let rest = name.strip_prefix("check_").or_else(|| name.strip_prefix("a23_"));
    rest.is_some_and(|rest| rest.len() > 3 && rest.bytes().take(2).all(|byte| byte.is_ascii_digit()))
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
