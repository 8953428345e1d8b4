//! Power cuts and flipped bits on the embedded engine.
//!
//! A crash image is made from copies of the directory: one taken right after a commit was acknowledged, when all of
//! its journal was synced, and one taken some commits later. Whatever a sector held in either is what a disk may hold
//! when the power fails in between. A copy alone is the image of a killed process.

use std::fs;
use std::path::{Path, PathBuf};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::TestRng;
use store::{Durability, OpenError, Options, Stamp, Store};

use crate::support::*;

/// The unit that a disk writes whole.
const SECTOR: usize = 512;

/// Copies a data directory as it is now; the journals without the zeros reserved at their ends.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            let mut bytes = fs::read(&path).unwrap();
            if path.extension().is_some_and(|extension| extension == "jnl") {
                while bytes.ends_with(&[0; 4_096]) {
                    bytes.truncate(bytes.len() - 4_096);
                }
                let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
                bytes.truncate(end);
            }
            fs::write(target, bytes).unwrap();
        }
    }
}

/// The one journal of a small directory.
fn journal(dir: &Path) -> PathBuf {
    let entries = fs::read_dir(dir.join("engine")).unwrap().map(|entry| entry.unwrap().path());
    let mut journals: Vec<_> = entries.filter(|path| path.extension().is_some_and(|ext| ext == "jnl")).collect();
    assert_eq!(journals.len(), 1);
    journals.remove(0)
}

/// Each commit writes these rows: all there or none.
async fn write(store: &Store, commit: u32, size: usize, durability: Durability) -> Stamp {
    let mut tx = store.begin();
    for part in 0..3_u32 {
        tx.put([commit.to_be_bytes(), part.to_be_bytes()].concat(), vec![commit as u8; size]);
    }
    tx.add(b"total".to_vec(), 1);
    store.commit(tx, durability).await.unwrap()
}

/// Opens an image and returns which commits it holds: a prefix, none in part.
async fn commits(dir: &Path) -> Result<u32, OpenError> {
    let store = Store::open(dir, &options())?;
    let rows = all(&store).await;
    let held = rows.len().saturating_sub(1) / 3;
    assert_eq!(rows.len(), if held == 0 { 0 } else { held * 3 + 1 }, "a commit is there in part");
    for (index, (key, _)) in rows.iter().take(held * 3).enumerate() {
        assert_eq!(key[..4], (index as u32 / 3).to_be_bytes());
    }
    if held > 0 {
        assert_eq!(count(&store, "total").await, held as i64);
    }
    assert_eq!(store.published(), Stamp(held as u64));
    store.check(&mut |_| {}).unwrap();
    let next = write(&store, held as u32, 10, Durability::Synced).await;
    assert_eq!(next, Stamp(held as u64 + 1));
    Ok(held as u32)
}

/// What became of one sector that was being written.
#[derive(Clone, Copy, Debug)]
enum Sector {
    Old,
    New,
    Garbage,
}

fn sector() -> impl Strategy<Value = Sector> {
    prop_oneof![Just(Sector::Old), Just(Sector::New), Just(Sector::Garbage)]
}

/// Mixes the journal of `late` over that of `early`, sector by sector; garbage only where the two differ.
fn tear(early: &[u8], late: &[u8], fates: &[Sector], cut: Option<usize>, rng: &mut TestRng) -> Vec<u8> {
    let synced = early.len();
    let mut torn = late.to_vec();
    for (number, start) in (synced / SECTOR * SECTOR..late.len()).step_by(SECTOR).enumerate() {
        let unsynced = start.max(synced)..(start + SECTOR).min(late.len());
        match fates[number % fates.len()] {
            Sector::Old => torn[unsynced].fill(0),
            Sector::New => {}
            Sector::Garbage => rng.fill_bytes(&mut torn[unsynced]),
        }
    }
    if let Some(cut) = cut {
        torn.truncate(synced + cut % (late.len() - synced + 1));
    }
    torn
}

struct Scene {
    early: tempfile::TempDir,
    late: tempfile::TempDir,
    acknowledged: u32,
}

/// Commits `before`, takes a copy, commits what is not yet acknowledged in that copy, takes another.
async fn scene(before: &[usize], after: &[(usize, bool)]) -> Scene {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    for (commit, size) in before.iter().enumerate() {
        write(&store, commit as u32, *size, Durability::Synced).await;
    }
    let (early, late) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    copy(dir.path(), early.path());
    for (index, (size, is_last)) in after.iter().enumerate() {
        let durability = if *is_last { Durability::Synced } else { Durability::Buffered };
        write(&store, (before.len() + index) as u32, *size, durability).await;
        if *is_last {
            break;
        }
    }
    copy(dir.path(), late.path());
    store.close();
    Scene { early, late, acknowledged: before.len() as u32 }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    /// The mark is that of the early copy: a mark is never ahead of a sync. It may be lost as well.
    #[test]
    fn a_power_cut_loses_nothing_acknowledged(
        before in vec(0..3_000_usize, 0..5),
        after in vec((0..9_000_usize, any::<bool>()), 1..4),
        fates in vec(sector(), 1..24),
        cut in proptest::option::of(any::<usize>()),
        is_mark_lost in any::<bool>(),
        mut rng in any::<u64>().prop_perturb(|_, rng| rng),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let scene = scene(&before, &after).await;
            let (early, late) = (journal(scene.early.path()), journal(scene.late.path()));
            let torn = tear(&fs::read(&early).unwrap(), &fs::read(&late).unwrap(), &fates, cut, &mut rng);
            fs::write(&early, torn).unwrap();
            if is_mark_lost {
                fs::write(scene.early.path().join("SYNCED"), b"").unwrap();
            }
            let held = commits(scene.early.path()).await.unwrap();
            assert!(held >= scene.acknowledged, "{held} of {}", scene.acknowledged);
        });
    }
}

#[tokio::test]
async fn a_killed_process_loses_nothing() {
    let scene = scene(&[10, 5_000, 0], &[(100, false), (100, false)]).await;
    assert_eq!(commits(scene.late.path()).await.unwrap(), 5);
    assert_eq!(commits(scene.early.path()).await.unwrap(), 3);
}

#[tokio::test]
async fn a_torn_tail_is_put_aside() {
    let scene = scene(&[10], &[(9_000, true)]).await;
    let (early, late) = (fs::read(journal(scene.early.path())).unwrap(), fs::read(journal(scene.late.path())).unwrap());
    let mut torn = late.clone();
    let middle = (early.len() + late.len()) / 2;
    torn[middle..middle + SECTOR].fill(0);
    fs::write(journal(scene.early.path()), &torn).unwrap();
    assert_eq!(commits(scene.early.path()).await.unwrap(), 1);
    assert_eq!(fs::read(scene.early.path().join("CUT")).unwrap(), torn[early.len()..]);
}

/// A flipped byte anywhere in what was synced: refused, or harmless; never a commit less.
#[tokio::test]
async fn a_flipped_byte_is_refused_or_harmless() {
    let scene = scene(&[3, 0], &[(5, true)]).await;
    let bytes = fs::read(journal(scene.late.path())).unwrap();
    let (mut refused, mut harmless) = (0, 0);
    for at in (0..bytes.len()).step_by(2) {
        let image = tempfile::tempdir().unwrap();
        copy(scene.late.path(), image.path());
        let mut flipped = bytes.clone();
        flipped[at] ^= 1 << (at % 8);
        fs::write(journal(image.path()), &flipped).unwrap();
        match commits(image.path()).await {
            Ok(held) => {
                assert_eq!(held, 3, "byte {at}");
                harmless += 1;
            }
            Err(OpenError::Damaged { .. }) => {
                assert!(fs::read(journal(image.path())).unwrap() == flipped, "byte {at}: a refusal changes nothing");
                refused += 1;
            }
            Err(error) => panic!("byte {at}: {error}"),
        }
    }
    assert!(refused > harmless, "{refused} refused, {harmless} harmless");
}

/// Even when a power cut also lost the mark, the notes of later groups tell what was synced.
#[tokio::test]
async fn a_flipped_byte_before_the_last_group_is_found_without_the_mark() {
    let scene = scene(&[3, 0], &[(5, true)]).await;
    let early = fs::read(journal(scene.early.path())).unwrap().len();
    let bytes = fs::read(journal(scene.late.path())).unwrap();
    for at in (0..early).step_by(3) {
        let image = tempfile::tempdir().unwrap();
        copy(scene.late.path(), image.path());
        fs::remove_file(image.path().join("SYNCED")).unwrap();
        let mut flipped = bytes.clone();
        flipped[at] ^= 0x80 >> (at % 8);
        fs::write(journal(image.path()), &flipped).unwrap();
        match commits(image.path()).await {
            Ok(held) => assert_eq!(held, 3, "byte {at}"),
            Err(error) => assert!(matches!(error, OpenError::Damaged { .. }), "byte {at}: {error}"),
        }
    }
}

#[tokio::test]
async fn a_shortened_journal_is_refused() {
    let scene = scene(&[3, 40], &[(5, true)]).await;
    let bytes = fs::read(journal(scene.late.path())).unwrap();
    for length in [0, 1, 50, bytes.len() / 2, bytes.len() - 1] {
        let image = tempfile::tempdir().unwrap();
        copy(scene.late.path(), image.path());
        fs::write(journal(image.path()), &bytes[..length]).unwrap();
        let error = commits(image.path()).await.unwrap_err();
        assert!(matches!(error, OpenError::Damaged { .. }), "{length}: {error}");
        assert!(error.to_string().contains("restore a backup into an empty directory"), "{error}");
    }
}

/// Only the last journal can have a torn tail: the others were synced whole before the next was made.
#[tokio::test]
async fn a_torn_journal_before_the_last_is_refused() {
    let scene = scene(&[3], &[(5, false)]).await;
    let path = journal(scene.early.path());
    let late = fs::read(journal(scene.late.path())).unwrap();
    fs::write(&path, &late[..late.len() - 1]).unwrap();
    fs::write(path.with_file_name("7.jnl"), b"").unwrap();
    let error = Store::open(scene.early.path(), &options()).unwrap_err();
    assert!(error.to_string().contains("a batch is unreadable, and later journals follow"), "{error}");
}

/// Copies taken at any moment while tables are written and journals change: each holds what was acknowledged before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_while_tables_are_written_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), &Options { write_buffer_bytes: 1 << 20, ..options() }).unwrap();
    let mut images = Vec::new();
    for commit in 0..120_u32 {
        write(&store, commit, 20_000, Durability::Synced).await;
        if commit % 12 == 11 {
            let image = tempfile::tempdir().unwrap();
            copy_while_running(dir.path(), image.path());
            images.push((commit + 1, image));
        }
    }
    store.close();
    for (acknowledged, image) in images {
        assert_eq!(commits(image.path()).await.unwrap(), acknowledged);
    }
    assert_eq!(commits(dir.path()).await.unwrap(), 120);
}

/// A copy is not taken at one moment, so a file may go between listing and reading: then the copy is taken again.
fn copy_while_running(from: &Path, to: &Path) {
    let names = |dir: &Path| {
        let mut found = Vec::new();
        let mut folders = vec![dir.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path.clone());
                }
                let length = fs::metadata(&path).map_or(0, |data| data.len());
                found.push((path, length));
            }
        }
        found.sort();
        found
    };
    loop {
        let before = names(from);
        if std::panic::catch_unwind(|| copy(from, to)).is_ok() && names(from) == before {
            return;
        }
        fs::remove_dir_all(to).unwrap();
    }
}

/// A byte flipped in a table on disk is found when the table is read: at the start, or by `check`.
#[tokio::test]
async fn a_flipped_byte_in_a_table_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), &Options { write_buffer_bytes: 1 << 20, ..options() }).unwrap();
    for commit in 0..60 {
        write(&store, commit, 20_000, Durability::Synced).await;
    }
    store.close();
    drop(store);
    let expected = all(&open(dir.path())).await;
    let mut tables = Vec::new();
    let mut folders = vec![dir.path().join("engine/keyspaces")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() { folders.push(entry) } else { tables.push(entry) }
        }
    }
    let table = tables.into_iter().max_by_key(|path| fs::metadata(path).unwrap().len()).unwrap();
    let bytes = fs::read(&table).unwrap();
    assert!(bytes.len() > 500_000);
    let mut found = 0;
    for at in (0..bytes.len()).step_by(bytes.len() / 23) {
        let mut flipped = bytes.clone();
        flipped[at] ^= 4;
        fs::write(&table, &flipped).unwrap();
        if let Ok(store) = Store::open(dir.path(), &options()) {
            match store.check(&mut |_| {}) {
                Ok(_) => assert!(all(&store).await == expected, "byte {at}"),
                Err(_) => found += 1,
            }
        } else {
            found += 1;
        }
    }
    assert!(found > 15, "{found}");
}
