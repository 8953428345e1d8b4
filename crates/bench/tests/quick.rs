//! The bench itself, quick, against the stand-in: every row of feeds runs and finds figures; a wrong page ends the run.
//!
//! No figure is asserted: a timing is a benchmark, never a test.

#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail as the test does")]

use std::process::{Command, Output};

use serde_json::Value;

/// Runs the stand-in's `bench` with data in a folder of its own.
fn bench(arguments: &[&str], is_wrong: bool) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_fake-pond"));
    command.args(["bench", "--quick", "--no-install", "--no-pin", "--connections", "4", "--scale", "2000"]);
    command.args(arguments).arg("--dir").arg(folder.path());
    if is_wrong {
        command.env("FAKE_POND_IS_WRONG", "true");
    }
    let output = command.output().unwrap();
    assert!(folder.path().read_dir().unwrap().next().is_none(), "the run leaves nothing behind");
    output
}

fn report(arguments: &[&str]) -> Value {
    let output = bench(arguments, false);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn every_row_of_feeds_runs_and_finds_figures() {
    // The stand-in has no chat, no groups and no reactions.
    let report = report(&["--json", "--rounds", "2", "--rows", "1,2,3,4,10,11,13,14"]);
    let lines = report["lines"].as_array().unwrap();
    for row in [1, 2, 3, 4, 10, 11, 13, 14] {
        let of_row: Vec<&Value> = lines.iter().filter(|line| line["row"] == row).collect();
        assert!(!of_row.is_empty(), "row {row}");
        for line in of_row {
            assert!(line["subject"]["median"].is_number(), "{line}");
            let has_no_peer = line["verdict"] == "peer_missing" || row == 11 || row == 13;
            assert!(line["ratio"]["median"].is_number() || has_no_peer, "{line}");
        }
    }
    assert!(report["environment"]["kernel"].is_string());
}

#[test]
fn a_missing_peer_is_said_and_no_row_is_skipped() {
    let report = report(&["--json", "--rows", "1,4", "--rounds", "1", "--redis-bin", "/nowhere/redis-server"]);
    let verdicts: Vec<&str> =
        report["lines"].as_array().unwrap().iter().map(|line| line["verdict"].as_str().unwrap()).collect();
    assert_eq!(verdicts.iter().filter(|verdict| **verdict == "peer_missing").count(), 3);
    assert_eq!(report["lines"][1]["other_missing"], "/nowhere/redis-server is not a file");
}

#[test]
fn the_table_is_markdown() {
    let output = bench(&["--rows", "2", "--rounds", "1", "--redis-bin", "/nowhere/redis-server"], false);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("\n| # | metric | Millpond |"), "{text}");
    assert!(text.contains("\n| 2 | feed page p99 at "), "{text}");
}

#[test]
fn an_unknown_row_is_an_error() {
    let output = bench(&["--rows", "99"], false);
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("no row 99"));
}

#[test]
fn a_wrong_page_ends_the_run() {
    let output = bench(&["--rows", "1", "--rounds", "1", "--redis-bin", "/nowhere/redis-server"], true);
    assert!(!output.status.success());
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(error.contains("a wrong body") && error.contains("dusk"), "{error}");
    assert!(output.stdout.is_empty());
}
