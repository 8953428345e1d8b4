//! The typed layer: tables, stamped tables, counters and logs.

use store::{Corrupt, Counter, Direction, Error, Key, Limit, Log, Stamp, Stamped, StampedTable, Store, Table, split};

use crate::support::*;

#[derive(Debug, Clone, PartialEq, minicbor::Encode, minicbor::Decode)]
struct Follow {
    #[n(0)]
    since: u64,
    #[n(1)]
    note: String,
}

/// A key of the domain's own, written without cloning.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Feed {
    group: String,
    id: u32,
}

impl Key for Feed {
    fn write(&self, out: &mut Vec<u8>) {
        store::key::text(out, &self.group);
        self.id.write(out);
    }

    fn read(input: &mut &[u8]) -> Result<Self, Corrupt> {
        Ok(Feed { group: store::key::read_text(input)?, id: u32::read(input)? })
    }
}

const FOLLOWING: Table<(String, u32), Follow> = Table::new(1, "FOLLOWING");
const FEEDS: Table<Feed, ()> = Table::new(2, "FEEDS");
const POSTS: StampedTable<u32, Follow> = StampedTable::new(3, "POSTS");
const LIKES: Counter<(String, u32)> = Counter::new(4, "LIKES");
const EVENTS: Log<Follow> = Log::new(5, "EVENTS");

fn follow(since: u64) -> Follow {
    Follow { since, note: format!("n{since}") }
}

async fn follows(store: &Store, tenant: u32, names: &[&str]) {
    for (since, name) in names.iter().enumerate() {
        let key = ((*name).to_owned(), 7);
        commit(store, |tx| FOLLOWING.put(tx, tenant, &key, &follow(since as u64))).await.unwrap();
    }
}

#[tokio::test]
async fn a_table_is_a_range_of_its_tenant() {
    let pond = Kind::Memory.pond();
    follows(&pond, 1, &["amy", "bob", "bobby", "cat"]).await;
    follows(&pond, 2, &["dan"]).await;
    commit(&pond, |tx| FEEDS.put(tx, 1, &Feed { group: "user".into(), id: 3 }, &())).await.unwrap();
    let mut tx = pond.read();
    let bob = ("bob".to_owned(), 7);
    assert_eq!(FOLLOWING.get(&mut tx, 1, &bob).await.unwrap(), Some(follow(1)));
    assert_eq!(FOLLOWING.get(&mut tx, 2, &bob).await.unwrap(), None);
    assert!(FOLLOWING.exists(&mut tx, 1, &bob).await.unwrap());
    let many = FOLLOWING.get_many(&mut tx, 1, &[("x".to_owned(), 7), bob.clone()]).await.unwrap();
    assert_eq!(many, [None, Some(follow(1))]);
    let mut names = async |range, direction| {
        let rows = FOLLOWING.scan(&mut tx, 1, range, direction, Limit::PAGE).await.unwrap().rows;
        rows.into_iter().map(|((name, _), _)| name).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(names(FOLLOWING.range(1), Direction::Forward).await, "amy bob bobby cat");
    assert_eq!(names(store::tenant_range(1), Direction::Backward).await, "cat bobby bob amy");
    assert_eq!(names(vec![]..vec![0xff; 9], Direction::Forward).await, "amy bob bobby cat");
    assert_eq!(names(FOLLOWING.prefix(1, &("bob".to_owned(),)), Direction::Forward).await, "bob");
    assert_eq!(names(FOLLOWING.after(1, &bob), Direction::Forward).await, "bobby cat");
    assert_eq!(names(FOLLOWING.from(1, &bob), Direction::Forward).await, "bob bobby cat");
    assert_eq!(names(FOLLOWING.before(1, &bob), Direction::Backward).await, "amy");
    let feeds = FEEDS.scan(&mut pond.read(), 1, FEEDS.range(1), Direction::Forward, Limit::PAGE).await.unwrap();
    assert_eq!(feeds.rows, [(Feed { group: "user".into(), id: 3 }, ())]);
    let key = FEEDS.key(9, &Feed { group: "a".into(), id: 1 });
    assert_eq!(split(&key), Some((9, 2, &b"a\0\0\0\0\0\x01"[..])));
    assert_eq!(split(&key[..4]), None);
}

#[tokio::test]
async fn a_stamped_row_knows_its_commit() {
    let pond = Kind::Memory.pond();
    let stamp = commit(&pond, |tx| POSTS.put(tx, 1, &5, &follow(9))).await.unwrap();
    let found = POSTS.get(&mut pond.read(), 1, &5).await.unwrap();
    assert_eq!(found, Some(Stamped { value: follow(9), stamp }));
    commit(&pond, |tx| POSTS.delete(tx, 1, &5)).await.unwrap();
    assert!(!POSTS.exists(&mut pond.read(), 1, &5).await.unwrap());
}

#[tokio::test]
async fn counters_count() {
    let pond = Kind::Memory.pond();
    let key = |kind: &str| (kind.to_owned(), 1);
    for delta in [5, -7] {
        commit(&pond, |tx| LIKES.add(tx, 1, &key("like"), delta)).await.unwrap();
    }
    commit(&pond, |tx| LIKES.add(tx, 1, &key("wow"), 1)).await.unwrap();
    let mut tx = pond.read();
    assert_eq!(LIKES.get(&mut tx, 1, &key("like")).await.unwrap(), -2);
    assert_eq!(LIKES.get_many(&mut tx, 1, &[key("none"), key("wow")]).await.unwrap(), [0, 1]);
    let rows = LIKES.scan(&mut tx, 1, LIKES.range(1), Direction::Backward, Limit::PAGE).await.unwrap();
    assert_eq!(rows.rows, [(key("wow"), 1), (key("like"), -2)]);
    commit(&pond, |tx| LIKES.delete(tx, 1, &key("like"))).await.unwrap();
    assert_eq!(LIKES.get(&mut pond.read(), 1, &key("like")).await.unwrap(), 0);
}

#[tokio::test]
async fn a_log_is_read_in_commit_order_and_pruned() {
    let pond = Kind::Memory.pond();
    let mut stamps = Vec::new();
    for number in 0..4 {
        let append = |tx: &mut store::Transaction| {
            EVENTS.append(tx, 1, &follow(number * 10));
            EVENTS.append(tx, 2, &follow(99));
            EVENTS.append(tx, 1, &follow(number * 10 + 1));
        };
        stamps.push(commit(&pond, append).await.unwrap());
    }
    let since = async |store: &Store, after| {
        let rows = EVENTS.scan(&mut store.read(), 1, after, Limit::PAGE).await.unwrap().rows;
        rows.into_iter().map(|(_, event)| event.since).collect::<Vec<_>>()
    };
    assert_eq!(since(&pond, Stamp(0)).await, [0, 1, 10, 11, 20, 21, 30, 31]);
    assert_eq!(since(&pond, stamps[1]).await, [20, 21, 30, 31]);
    let first = EVENTS.scan(&mut pond.read(), 1, Stamp(0), Limit::rows(3)).await.unwrap();
    let place = first.rows[2].0;
    assert_eq!((place, first.more), ((stamps[1], 0), true));
    let rest = EVENTS.scan_from(&mut pond.read(), 1, place, Limit::PAGE).await.unwrap();
    assert_eq!(rest.rows[0], ((stamps[1], 2), follow(11)));
    commit(&pond, |tx| EVENTS.prune(tx, 1, stamps[2])).await.unwrap();
    assert_eq!(since(&pond, Stamp(0)).await, [30, 31]);
    assert_eq!(EVENTS.scan(&mut pond.read(), 2, Stamp(0), Limit::PAGE).await.unwrap().rows.len(), 4);
}

#[tokio::test]
async fn a_published_append_can_be_decoded() {
    let pond = Kind::Memory.pond();
    let seen = std::sync::Arc::new(parking_lot::Mutex::new(Vec::new()));
    let inside = seen.clone();
    pond.on_publish(Box::new(move |published| {
        inside.lock().extend(published.appended.iter().map(|(key, value)| EVENTS.decode(key, value).unwrap()));
    }));
    let stamp = commit(&pond, |tx| EVENTS.append(tx, 1, &follow(3))).await.unwrap();
    assert_eq!(*seen.lock(), [((stamp, 0), follow(3))]);
}

#[tokio::test]
async fn a_corrupt_row_names_its_table_and_key() {
    let pond = Kind::Memory.pond();
    let key = FOLLOWING.key(1, &("a".to_owned(), 7));
    commit(&pond, |tx| tx.put(key.clone(), b"\xff".to_vec())).await.unwrap();
    let error = FOLLOWING.get(&mut pond.read(), 1, &("a".to_owned(), 7)).await.unwrap_err();
    let said = error.to_string();
    assert!(said.starts_with("corrupt row in table `FOLLOWING`, key 000000010161000000000007: "), "{said}");
    commit(&pond, |tx| tx.put(POSTS.key(1, &1), b"short".to_vec())).await.unwrap();
    assert!(matches!(POSTS.get(&mut pond.read(), 1, &1).await, Err(Error::Corrupt(_))));
    let stray = FOLLOWING.decode_key(&FEEDS.key(1, &Feed { group: "a".into(), id: 7 })).unwrap_err().to_string();
    assert!(stray.ends_with("the key belongs to another table"), "{stray}");
    let long = [key, vec![0]].concat();
    assert!(FOLLOWING.decode_key(&long).unwrap_err().to_string().ends_with("the key goes on after its end"));
}
