//! An erasure that is killed goes on where the last commit stands (v2 §8 no. 22).

use std::{
    fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use store::{
    Options, Store,
    fault::{Fault, Faults},
};

use super::*;
use crate::chat::messages::{self, Message};

/// At how many places it is killed.
const KILLS: u64 = 100;
/// Messages of amy in each of her channels.
const MESSAGES: usize = 300;

/// What a server's process has, on a directory that outlives it.
struct Life {
    pond: Pond,
    commits: Arc<AtomicU64>,
}

impl Life {
    /// Begins on `dir`; the write of the commit of number `dies_at` fails, which ends a process.
    fn begin(dir: &Path, dies_at: Option<u64>) -> Life {
        let commits = Arc::new(AtomicU64::new(0));
        let counted = commits.clone();
        let faults: Faults = Arc::new(move |number| {
            counted.store(number + 1, Ordering::Relaxed);
            if Some(number) == dies_at { Fault::WriteFails } else { Fault::None }
        });
        let options =
            Options { cache_bytes: 1 << 20, faults: Some(faults), on_fatal: Arc::new(|_| {}), ..Options::default() };
        Life { pond: Pond::on(Store::open(dir, &options).unwrap()), commits }
    }

    /// Works on the task until it is done or this life ends; whether it is done.
    async fn work(&self, holder: u64, max_steps: u64) -> bool {
        let app = &self.pond.app;
        // The lease of who died has ended.
        let now = Pond::at(1 + 15 * i64::try_from(holder).unwrap());
        let Ok(Some(_)) = app.write(async |tx| tasks::take(tx, "t", holder, now).await).await else { return false };
        for _ in 0..max_steps {
            let step = app.write(async |tx| {
                let mut task = tasks::held(tx, "t", holder).await?.unwrap();
                let step = super::super::super::step(tx, &task.kind, &mut task.progress, task.created_at, now).await?;
                tasks::keep(tx, "t", task, step, now);
                Ok(step)
            });
            match step.await {
                Ok(Step::Done) => return true,
                Ok(Step::More) => {}
                Err(_) => return false,
            }
        }
        false
    }

    fn end(self) -> u64 {
        self.pond.app.store.close();
        self.commits.load(Ordering::Relaxed)
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), &to).unwrap();
        }
    }
}

/// Something that amy says.
fn message(channel: &str, n: usize) -> Message {
    Message {
        channel: cid(channel),
        user: Some(super::id(AMY)),
        kind: messages::Kind::Regular,
        text: format!("word{n}"),
        html: None,
        mml: None,
        attachments: Vec::new(),
        mentioned: Vec::new(),
        parent: None,
        shows_in_channel: false,
        quoted: None,
        is_silent: false,
        is_shadowed: false,
        pin: None,
        visible_to: Vec::new(),
        translations: Vec::new(),
        command: None,
        created_at: Pond::at(0),
        updated_at: Pond::at(0),
        text_updated_at: None,
        deleted_at: None,
        pending: None,
        poll: None,
        location: None,
        moderation: None,
        custom: "{}".into(),
        mentions_channel: false,
        mentions_here: false,
        mentioned_roles: Vec::new(),
        mentioned_groups: Vec::new(),
        edited_by: None,
    }
}

/// Amy says much, and does much in feeds of either version.
async fn plant_much(pond: &Pond) {
    plant(pond).await;
    let now = Pond::at(0);
    for channel in ["messaging:two", "messaging:three"] {
        let said = pond.app.write(async |tx| {
            let tenant = tx.tenant();
            for n in 0..MESSAGES {
                let id = format!("{}-{n}", channel.len());
                let listed = Listed { user: Some(super::id(AMY)), counts: true, is_last: true, visible_to: Vec::new() };
                MESSAGE.put(tx, tenant, &id, &message(channel, n));
                CHANNEL_MESSAGE.put(tx, tenant, &(Chat(cid(channel)), At(now), id.clone()), &listed);
                AUTHORED.put(tx, tenant, &(AMY.into(), At(now), id), &());
            }
            Ok(())
        });
        said.await.unwrap();
    }
    for n in 0..30 {
        let draft = crate::feeds::activities::Draft { actor: AMY.into(), ..Pond::draft(&format!("verb{n}")) };
        pond.add_draft("user:amy", &draft).await;
        pond.add("user:amy", "visits").await;
    }
    pond.follow("timeline:bob", "user:amy").await;
    pond.follow("timeline:amy", "user:bob").await;
    plant_feeds_v3(pond).await;
}

/// Everything but the log, the task, and when the heir was made: with a kill it is later.
async fn kept(pond: &Pond) -> Vec<(Vec<u8>, Vec<u8>)> {
    let heir = USER.key(1, &"delete-user-x".to_owned());
    let of = |(key, value)| if key == heir { (key, Vec::new()) } else { (key, value) };
    rows(pond).await.into_iter().map(of).collect()
}

#[tokio::test]
async fn an_erasure_killed_at_a_hundred_random_commits_ends_as_one_that_was_left_alone() {
    let (planted, calm) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let life = Life::begin(planted.path(), None);
    plant_much(&life.pond).await;
    let planned = life.pond.app.write(async |tx| {
        tasks::plan(tx, "t", hard(), Pond::at(1));
        Ok(())
    });
    planned.await.unwrap();
    life.end();
    copy(planted.path(), calm.path());
    let life = Life::begin(calm.path(), None);
    assert!(life.work(1, u64::MAX).await);
    let expected = kept(&life.pond).await;
    assert_eq!(left_of(&life.pond, AMY).await, Vec::<&str>::new());
    let commits = life.end();
    assert!(commits > 20, "{commits} commits are too few to be killed among");

    let mut dice: u64 = 0x9e37_79b9_7f4a_7c15;
    for kill in 0..KILLS {
        dice ^= dice << 13;
        dice ^= dice >> 7;
        dice ^= dice << 17;
        let dir = tempfile::tempdir().unwrap();
        copy(planted.path(), dir.path());
        // It dies in the write of a commit, or right after one, when nobody knows that it was made.
        let (dies_at, steps) = match kill % 2 {
            0 => (Some(dice % commits), u64::MAX),
            _ => (None, dice % (commits - 1)),
        };
        let life = Life::begin(dir.path(), dies_at);
        assert!(!life.work(1, steps).await, "kill {kill} came too late");
        life.end();
        let life = Life::begin(dir.path(), None);
        assert!(life.work(2, u64::MAX).await, "kill {kill}");
        let found = kept(&life.pond).await;
        assert!(found == expected, "kill {kill}, dies at {dies_at:?} or after {steps} steps: another end");
        life.end();
    }
}
