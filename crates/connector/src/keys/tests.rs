use store::{Limit, Store};

use super::*;
use crate::fence::Fenced;

const PLACE: Place<'_> = Place { table: "credential", row: "int_1", field: "secret" };

fn kek(byte: u8) -> Kek {
    Kek::new(&[byte; KEY_BYTES]).unwrap()
}

async fn opened(store: &Store, byte: u8) -> Result<Keyring> {
    Keyring::open(store, kek(byte), &Surroundings::system()).await
}

async fn key(store: &Store, ring: &Keyring, owner: &str) -> DataKey {
    ring.load_or_make(store, owner, &Surroundings::system()).await.unwrap()
}

#[tokio::test]
async fn a23_43_a_ciphertext_that_was_moved_does_not_open() {
    let store = Store::memory();
    let ring = opened(&store, 1).await.unwrap();
    let key_of_1 = key(&store, &ring, "int_1").await;
    let sealed = key_of_1.seal(PLACE, b"top-secret");
    assert_eq!(key_of_1.open(PLACE, &sealed).unwrap().as_slice(), b"top-secret");
    for place in [Place { table: "request", ..PLACE }, Place { row: "int_2", ..PLACE }, Place { field: "key", ..PLACE }]
    {
        assert!(key_of_1.open(place, &sealed).is_err(), "{place:?}");
    }
    assert!(key(&store, &ring, "int_2").await.open(PLACE, &sealed).is_err());
}

#[tokio::test]
async fn a23_43_a_wrapped_key_that_was_moved_does_not_open() {
    let store = Store::memory();
    let ring = opened(&store, 1).await.unwrap();
    key(&store, &ring, "int_1").await;
    let moved = store.write(async |tx: &mut Transaction| {
        let wrapped = DATA_KEY.get(tx, HERE, &"int_1".to_owned()).await?.unwrap();
        DATA_KEY.put(tx, HERE, &"int_2".to_owned(), &wrapped);
        Ok::<_, crate::Error>(())
    });
    moved.await.unwrap();
    assert!(ring.load(&mut store.read(), "int_2").await.is_err());
}

#[tokio::test]
async fn a23_43_a_wrong_key_is_refused_before_any_work() {
    let store = Store::memory();
    opened(&store, 1).await.unwrap();
    opened(&store, 1).await.unwrap();
    let refused = opened(&store, 2).await.err().unwrap().to_string();
    assert_eq!(refused, format!("This key does not open this database (expected key id {})", kek(1).id()));
}

#[tokio::test]
async fn a23_43_a_rotation_can_be_interrupted_and_resumed() {
    let store = Store::memory();
    let machine = Surroundings::system();
    let ring = opened(&store, 1).await.unwrap();
    let mut sealed = Vec::new();
    for number in 0..250 {
        let owner = format!("int_{number}");
        sealed.push((key(&store, &ring, &owner).await.seal(PLACE, b"x"), owner));
    }
    let fenced = Fenced::take_over(&store, &machine).await.unwrap();
    rotation::begin(&fenced, &ring, Arc::new(kek(2)), &machine).await.unwrap();
    assert_eq!(rotation::rewrap(&fenced, &ring).await.unwrap(), 100);
    for (sealed, owner) in &sealed {
        assert!(ring.load(&mut store.read(), owner).await.unwrap().open(PLACE, sealed).is_ok());
    }
    // The process dies here; the next one opens with the old key and rotates again.
    let ring = opened(&store, 1).await.unwrap();
    assert_eq!(rotate(&fenced, &ring, kek(2), &machine).await.unwrap(), 150);
    assert!(opened(&store, 1).await.is_err());
    let ring = opened(&store, 2).await.unwrap();
    for (sealed, owner) in &sealed {
        assert!(ring.load(&mut store.read(), owner).await.unwrap().open(PLACE, sealed).is_ok());
    }
}

#[tokio::test]
async fn a23_43_the_key_that_opens_is_named_however_many_there_were() {
    let store = Store::memory();
    let at = Surroundings::system().now();
    let written = store.write(async |tx: &mut Transaction| {
        for number in 0..=Limit::PAGE.rows {
            let is_current = number == Limit::PAGE.rows;
            KEK.put(tx, HERE, &format!("{number:06}"), &KekRecord { check: "x".to_owned(), added_at: at, is_current });
        }
        Ok::<_, crate::Error>(())
    });
    written.await.unwrap();
    let refused = opened(&store, 1).await.err().unwrap().to_string();
    assert!(refused.contains(&format!("{:06}", Limit::PAGE.rows)), "{refused}");
}

#[tokio::test]
async fn what_was_shredded_never_opens_again() {
    let store = Store::memory();
    let ring = opened(&store, 1).await.unwrap();
    key(&store, &ring, "dsr_1").await;
    let gone = store.write(async |tx: &mut Transaction| {
        shred(tx, "dsr_1");
        Ok::<_, crate::Error>(())
    });
    gone.await.unwrap();
    let error = ring.load(&mut store.read(), "dsr_1").await.err().unwrap();
    assert!(matches!(error, crate::Error::Keys(Error::Shredded)));
    let mut tx = store.read();
    let left = DATA_KEY.scan(&mut tx, HERE, DATA_KEY.range(HERE), store::Direction::Forward, Limit::PAGE);
    assert!(left.await.unwrap().rows.is_empty());
}

#[test]
fn the_first_source_that_is_there_gives_the_key_and_none_is_made_silently() {
    let dir = tempfile::tempdir().unwrap();
    assert!(matches!(Source::default().read(), Err(Error::NoKey)));
    let path = dir.path().join("kek");
    let made = Source::init(&path, &Surroundings::system()).unwrap();
    let from_file = Source { file: Some(path.clone()), env: Some(Zeroizing::new("bad".into())), ..Source::default() };
    assert_eq!(from_file.read().unwrap().id(), made.id());
    assert!(Source::init(&path, &Surroundings::system()).is_err(), "a key is never overwritten");
    let command = Source { command: Some(format!("cat {}", path.display())), ..Source::default() };
    assert_eq!(command.read().unwrap().id(), made.id());
    let env = Source { env: Some(Zeroizing::new("bad".into())), ..Source::default() };
    assert!(matches!(env.read(), Err(Error::BadKey)));
}

#[cfg(unix)]
#[test]
fn a_key_file_that_others_can_read_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("kek");
    Source::init(&path, &Surroundings::system()).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    let source = Source { file: Some(path), ..Source::default() };
    assert!(matches!(source.read(), Err(Error::Readable(_))));
}
