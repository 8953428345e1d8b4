//! Dumps: from one engine to another, and nothing but a whole one.

use std::fs;

use store::{DumpError, DumpSummary, OpenError, Stamp, Store};

use crate::support::*;

/// A store in memory with some megabytes, and its dump.
async fn dumped() -> (Pond, Vec<u8>, DumpSummary) {
    let pond = Kind::Memory.pond();
    for part in 0..20_u32 {
        let fill = |tx: &mut store::Transaction| {
            for row in 0..100_u32 {
                tx.put([&b"k"[..], &part.to_be_bytes(), &row.to_be_bytes()].concat(), vec![part as u8; 900]);
            }
            tx.append(b"log".to_vec(), vec![]);
        };
        commit(&pond, fill).await.unwrap();
    }
    let mut bytes = Vec::new();
    let mut heard = Vec::new();
    let summary = pond.dump(&mut bytes, &mut |rows| heard.push(rows)).unwrap();
    assert_eq!((summary.stamp, summary.rows), (Stamp(20), 2_020));
    assert!(heard.len() > 2 && heard.is_sorted() && heard.last() == Some(&2_020));
    (pond, bytes, summary)
}

fn restore(bytes: &[u8], dir: &std::path::Path) -> Result<DumpSummary, DumpError> {
    Store::restore(dir, &mut &*bytes, &options(), &mut |_| {})
}

#[tokio::test]
async fn a_dump_moves_a_store_to_another_engine() {
    let (pond, bytes, summary) = dumped().await;
    assert_eq!(Store::check_dump(&mut &*bytes).unwrap(), summary);
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(restore(&bytes, dir.path()).unwrap(), summary);
    let store = open(dir.path());
    assert_eq!(all(&store).await, all(&pond).await);
    assert_eq!(store.published(), Stamp(20));
    assert_eq!(put(&store, "new", "1").await, Stamp(21));
    let checked = store.check(&mut |_| {}).unwrap();
    assert_eq!((checked.stamp, checked.rows, checked.bytes), (Stamp(21), summary.rows + 1, summary.bytes + 4));
    let mut again = Vec::new();
    commit(&store, |tx| tx.delete(b"new".to_vec())).await.unwrap();
    assert_eq!(store.dump(&mut again, &mut |_| {}).unwrap().rows, summary.rows);
    assert_eq!(again[28..], bytes[28..]);
}

#[tokio::test]
async fn an_empty_store_has_a_dump() {
    let pond = Kind::Embedded.pond();
    let mut bytes = Vec::new();
    pond.dump(&mut bytes, &mut |_| {}).unwrap();
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(restore(&bytes, dir.path()).unwrap(), DumpSummary::default());
    assert_eq!(open(dir.path()).published(), Stamp(0));
}

#[tokio::test]
async fn a_cut_dump_is_refused() {
    let (_, bytes, _) = dumped().await;
    for length in [8, 20, 27, 28, 30, 40, 600_000, bytes.len() - 29, bytes.len() - 28, bytes.len() - 1] {
        let error = Store::check_dump(&mut &bytes[..length]).unwrap_err();
        assert!(matches!(error, DumpError::Truncated { .. }), "{length}: {error}");
    }
    assert!(matches!(Store::check_dump(&mut &bytes[..7]), Err(DumpError::NotADump)));
    let error = Store::check_dump(&mut &[&bytes[..], &[0]].concat()[..]).unwrap_err();
    assert!(matches!(error, DumpError::Damaged { rows: 2_020, .. }), "{error}");
}

#[tokio::test]
async fn a_flipped_byte_is_found_wherever_it_is() {
    let (_, bytes, _) = dumped().await;
    let length = bytes.len();
    for at in (0..64).chain((64..length - 64).step_by(39_989)).chain(length - 64..length) {
        let mut flipped = bytes.clone();
        flipped[at] ^= 0x10;
        let error = Store::check_dump(&mut &*flipped).unwrap_err();
        match at {
            0..8 => assert!(matches!(error, DumpError::NotADump), "{at}: {error}"),
            8..12 => assert!(matches!(error, DumpError::Newer { known: 1, .. }), "{at}: {error}"),
            _ => assert!(matches!(error, DumpError::Damaged { .. } | DumpError::Truncated { .. }), "{at}: {error}"),
        }
    }
}

#[tokio::test]
async fn blocks_cannot_change_places() {
    let (_, bytes, _) = dumped().await;
    let block =
        |start: usize| start..start + 12 + u32::from_be_bytes(bytes[start..start + 4].try_into().unwrap()) as usize;
    let first = block(28);
    let second = block(first.end);
    let swapped = [&bytes[..28], &bytes[second.clone()], &bytes[first], &bytes[second.end..]].concat();
    let error = Store::check_dump(&mut &*swapped).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the dump is damaged after 0 rows: a block's checksum is wrong; use another copy of it"
    );
}

#[tokio::test]
async fn a_restore_needs_an_empty_directory() {
    let (_, bytes, _) = dumped().await;
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("letter.txt"), "dear").unwrap();
    let error = restore(&bytes, dir.path()).unwrap_err();
    assert!(matches!(error, DumpError::Open(OpenError::NotEmpty { .. })), "{error}");
    let taken = Kind::Embedded.pond();
    let error = restore(&bytes, taken.dir.as_ref().unwrap().path()).unwrap_err();
    assert!(matches!(error, DumpError::Open(OpenError::NotEmpty { .. })), "{error}");
}

#[tokio::test]
async fn an_interrupted_restore_cannot_be_opened() {
    let (_, bytes, _) = dumped().await;
    let dir = tempfile::tempdir().unwrap();
    assert!(matches!(restore(&bytes[..700_000], dir.path()), Err(DumpError::Truncated { .. })));
    let error = Store::open(dir.path(), &options()).unwrap_err();
    assert!(matches!(error, OpenError::Unfinished { .. }), "{error}");
    assert!(error.to_string().contains("empty the directory and restore again"), "{error}");
}
