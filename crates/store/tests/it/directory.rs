//! Data directories: one owner, one format, clear refusals.

use std::fs;
use std::path::Path;

use store::{OpenError, Store};

use crate::support::*;

fn refusal(dir: &Path) -> OpenError {
    Store::open(dir, &options()).unwrap_err()
}

#[tokio::test]
async fn a_directory_is_made_and_found_again() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("new/data");
    let store = open(&path);
    let stamp = put(&store, "a", "1").await;
    store.close();
    let store = open(&path);
    assert_eq!((store.published(), get(&store, "a").await.as_deref()), (stamp, Some(&b"1"[..])));
    assert!(put(&store, "b", "1").await > stamp);
    drop(store);
    assert_eq!(fs::read_to_string(path.join("FORMAT")).unwrap(), "1\n");
}

#[test]
fn a_directory_has_one_owner() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let error = refusal(dir.path());
    assert!(matches!(error, OpenError::Locked { pid: Some(pid), .. } if pid == std::process::id()));
    let said = error.to_string();
    assert!(said.starts_with("another Millpond (process "), "{said}");
    assert!(said.contains("stop it, or choose another data directory"), "{said}");
    drop(store);
    open(dir.path()).close();
}

#[test]
fn a_newer_format_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    open(dir.path()).close();
    fs::write(dir.path().join("FORMAT"), "2\n").unwrap();
    let error = refusal(dir.path());
    assert!(matches!(error, OpenError::Newer { found: 2, known: 1, .. }));
    assert!(error.to_string().contains("has format 2, this Millpond reads up to 1; use a newer Millpond"));
}

#[test]
fn a_garbled_format_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    open(dir.path()).close();
    for garbled in ["", "1", "0\n", "one\n", "99999999999999\n", "\u{0}\n"] {
        fs::write(dir.path().join("FORMAT"), garbled).unwrap();
        let error = refusal(dir.path());
        assert!(matches!(error, OpenError::Format { .. }), "{garbled:?}: {error}");
    }
}

#[test]
fn a_foreign_directory_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("letter.txt"), "dear").unwrap();
    assert!(matches!(refusal(dir.path()), OpenError::Foreign { .. }));
    let file = dir.path().join("letter.txt");
    assert!(matches!(refusal(&file), OpenError::Io { .. }));
}

#[tokio::test]
async fn an_interrupted_making_is_begun_again() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("LOCK"), "1\n").unwrap();
    fs::write(dir.path().join("FORMAT.new"), "").unwrap();
    open(dir.path()).close();
    fs::remove_file(dir.path().join("engine/version")).unwrap();
    let store = open(dir.path());
    put(&store, "a", "1").await;
    store.close();
    fs::remove_file(dir.path().join("engine/version")).unwrap();
    let error = refusal(dir.path());
    assert!(matches!(error, OpenError::Damaged { .. }), "{error}");
    assert!(error.to_string().contains("commit 1 had been acknowledged"), "{error}");
}

#[tokio::test]
async fn buffered_commits_survive_a_close() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let mut tx = store.begin();
    tx.put(b"a".to_vec(), b"1".to_vec());
    let stamp = store.commit(tx, store::Durability::Buffered).await.unwrap();
    assert_eq!(get(&store, "a").await.as_deref(), Some(&b"1"[..]));
    drop(store);
    let store = open(dir.path());
    assert_eq!((store.published(), get(&store, "a").await.as_deref()), (stamp, Some(&b"1"[..])));
}

/// Bytes of all journals.
fn journal_bytes(dir: &Path) -> u64 {
    let files = fs::read_dir(dir.join("engine")).unwrap().map(|file| file.unwrap());
    let journals = files.filter(|file| file.path().extension().is_some_and(|name| name == "jnl"));
    journals.map(|file| file.metadata().unwrap().len()).sum()
}

#[tokio::test]
async fn a_store_that_was_closed_leaves_no_journal_to_replay_and_counts_on() {
    let dir = tempfile::tempdir().unwrap();
    let mut last = store::Stamp::default();
    for round in 0..4 {
        let store = open(dir.path());
        assert_eq!(store.published(), last, "round {round}");
        for number in 0..20 {
            let (key, value) = (format!("{number:02}"), format!("{round}"));
            let stamp = put(&store, &key, &value).await;
            assert!(stamp > last);
            last = stamp;
        }
        assert!(journal_bytes(dir.path()) > 0);
        store.close();
        drop(store);
        assert_eq!(journal_bytes(dir.path()), 0, "round {round}");
    }
    let store = open(dir.path());
    for number in 0..20 {
        assert_eq!(get(&store, &format!("{number:02}")).await.as_deref(), Some(&b"3"[..]));
    }
}

/// Files below `dir` that hold `text`.
fn holding(dir: &Path, text: &str, found: &mut Vec<String>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            holding(&path, text, found);
        } else if fs::read(&path).unwrap().windows(text.len()).any(|window| window == text.as_bytes()) {
            found.push(path.display().to_string());
        }
    }
}

#[tokio::test]
async fn what_was_deleted_or_overwritten_cannot_be_read_from_the_files_after_a_compaction_and_a_close() {
    let dir = tempfile::tempdir().unwrap();
    let found = || {
        let mut found = Vec::new();
        holding(dir.path(), "needle7f3c", &mut found);
        found
    };
    let store = open(dir.path());
    for n in 0..100 {
        put(&store, &format!("needle7f3c-{n}"), "x").await;
        put(&store, &format!("other-{n}"), "needle7f3c").await;
    }
    // A part is in tables, a part in the journal.
    store.close();
    drop(store);
    let store = open(dir.path());
    put(&store, "late", "needle7f3c").await;
    assert!(found().len() > 1, "{:?}", found());
    for n in 0..100 {
        commit(&store, |tx| tx.delete(format!("needle7f3c-{n}").into_bytes())).await.unwrap();
        put(&store, &format!("other-{n}"), "y").await;
    }
    commit(&store, |tx| tx.delete(b"late".to_vec())).await.unwrap();
    put(&store, "last", "z").await;
    store.compact().unwrap();
    put(&store, "last", "zz").await;
    store.settle().unwrap();
    let in_tables: Vec<_> = found().into_iter().filter(|path| !path.ends_with(".jnl")).collect();
    assert_eq!(in_tables, Vec::<String>::new());
    store.close();
    drop(store);
    assert_eq!(found(), Vec::<String>::new());
    assert_eq!(get(&open(dir.path()), "other-7").await.as_deref(), Some(&b"y"[..]));
}
