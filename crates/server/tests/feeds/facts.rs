//! The facts that the suites of the official clients assert are proven by tests that are there: see `facts.txt`.

use std::{collections::BTreeMap, fs, path::Path};

/// The names of the tests of a module.
fn tests_of(module: &str) -> String {
    // As cargo names it when it runs this: checkouts that share a target directory share the binary.
    let folder = std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo runs the tests");
    let path = Path::new(&folder).join(format!("tests/feeds/{module}.rs"));
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn every_fact_names_tests_that_are_there() {
    let mut modules: BTreeMap<&str, String> = BTreeMap::new();
    let rows = include_str!("facts.txt").lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let mut missing = Vec::new();
    for row in rows {
        let [_, fact, tests] = row.split('|').map(str::trim).collect::<Vec<_>>()[..] else { panic!("odd row: {row}") };
        assert!(!tests.is_empty(), "nothing proves that {fact}");
        for test in tests.split_whitespace() {
            let (module, name) = test.split_once("::").unwrap_or_else(|| panic!("odd test: {test}"));
            let source = modules.entry(module).or_insert_with(|| tests_of(module));
            if !source.contains(&format!("fn {name}()")) {
                missing.push(test);
            }
        }
    }
    assert!(missing.is_empty(), "tests that are not there: {missing:?}");
}
