//! The one place where commits happen: decide, write, sync, publish, wake; group by group.
//!
//! **Invariant:** a snapshot is published only after the batch that it shows is synced (or, where every commit of the
//! group asked for `Buffered`, handed to the system), and commits are published in the order of their stamps. A
//! failed write or sync is never retried: what the disk holds is then unknown, so the process stops.

use std::collections::VecDeque;
use std::sync::Arc;

use arc_swap::ArcSwap;
use bytes::Bytes;
use parking_lot::RwLock;
use tokio::sync::oneshot;

use crate::engine::{Engine, Snapshot};
use crate::error::Error;
use crate::group::Group;
use crate::limits::{COMMIT_GROUPS_KEPT, MAINTAIN_EVERY_GROUPS};
use crate::resolver::Resolver;
use crate::scan::{Direction, Limit};
use crate::stamp::Stamp;
use crate::system::{CommitId, GroupRow, group_key, group_stamp, groups_after};
use crate::transaction::Commit;
use crate::view::View;

/// Whether an acknowledgement waits for the disk.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Durability {
    /// The commit is synced before it is acknowledged, or shown to anyone.
    Synced,
    /// The commit may be lost in a power cut; only for what can be rebuilt.
    Buffered,
}

/// A commit that is about to become visible.
#[derive(Clone, Debug)]
pub struct Published {
    /// The commit's stamp.
    pub stamp: Stamp,
    /// The rows it appended to the commit-ordered log: full keys and values.
    pub appended: Vec<(Bytes, Bytes)>,
}

/// Called in commit order, before the snapshot that shows the commit is published.
pub(crate) type Hook = Box<dyn Fn(&Published) + Send + Sync>;

/// Called after commits have become readable, once for all that share a sync.
pub(crate) type ShownHook = Box<dyn Fn() + Send + Sync>;

/// Told when the engine failed and nothing may be acknowledged any more.
pub(crate) type OnFatal = Arc<dyn Fn(&str) + Send + Sync>;

/// What the committer shares with the store's callers.
pub(crate) struct Shared {
    pub(crate) published: ArcSwap<View>,
    pub(crate) hooks: RwLock<Vec<Hook>>,
    pub(crate) shown_hooks: RwLock<Vec<ShownHook>>,
    pub(crate) on_fatal: OnFatal,
}

/// A commit that waits for its outcome.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) commit: Commit,
    pub(crate) id: CommitId,
    pub(crate) durability: Durability,
    pub(crate) fault: EngineFault,
    pub(crate) reply: oneshot::Sender<Result<Stamp, Error>>,
}

/// What the test double of a disk does with the group of a commit.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum EngineFault {
    #[default]
    None,
    /// The write fails before it reaches the disk.
    WriteFails,
}

/// Owns the engine; whoever holds it makes the commits.
pub(crate) struct Committer {
    engine: Engine,
    resolver: Resolver,
    shared: Arc<Shared>,
    /// The keys of the groups whose commit ids are kept, oldest first; not looked for before the first write.
    groups: Option<VecDeque<Stamp>>,
    /// The last stamp given out.
    last: Stamp,
    synced: Stamp,
    group_count: u64,
    is_failed: bool,
}

/// A commit that its group has taken.
struct Admitted {
    published: Published,
    reply: oneshot::Sender<Result<Stamp, Error>>,
}

impl Committer {
    pub(crate) fn new(engine: Engine, shared: Arc<Shared>) -> Committer {
        let view = shared.published.load_full();
        let resolver = Resolver::new(&view);
        let last = view.stamp;
        Committer { engine, resolver, shared, groups: None, last, synced: last, group_count: 0, is_failed: false }
    }

    /// Decides and commits a group, then answers all its members.
    pub(crate) fn run(&mut self, requests: Vec<Request>) {
        if self.is_failed {
            return;
        }
        let is_synced = requests.iter().any(|request| request.durability == Durability::Synced);
        let is_failing = requests.iter().any(|request| request.fault == EngineFault::WriteFails);
        let mut group = Group::new(self.shared.published.load_full());
        let mut row = GroupRow { synced: self.synced, position: self.engine.position(), commits: Vec::new() };
        let mut admitted = Vec::with_capacity(requests.len());
        let mut refused = Vec::new();
        for request in requests {
            let Request { commit, id, reply, .. } = request;
            match self.admit(commit, &mut group) {
                Ok(Some(published)) => {
                    row.commits.push(id);
                    admitted.push(Admitted { published, reply });
                }
                Ok(None) => refused.push((reply, Ok(()))),
                Err(error) => refused.push((reply, Err(error))),
            }
        }
        if !admitted.is_empty() {
            let written = if is_failing {
                Err(Error::Engine("a simulated failure".into()))
            } else {
                self.write(group, row, is_synced)
            };
            if let Err(error) = written {
                return self.fail(&error);
            }
        }
        self.publish(admitted);
        for (reply, outcome) in refused {
            let _ = reply.send(outcome.map(|()| self.last));
        }
    }

    /// Gives a commit its stamp and takes it into the group; `None` if it writes nothing.
    fn admit(&mut self, commit: Commit, group: &mut Group) -> Result<Option<Published>, Error> {
        if commit.writes.is_empty() {
            return Ok(None);
        }
        self.resolver.check(&commit.reads, commit.view.stamp)?;
        let stamp = Stamp(self.last.0 + 1);
        let plan = group.plan(commit.writes, stamp)?;
        self.resolver.record(stamp, plan.changes.iter().map(|(key, _)| key.clone()).collect());
        group.apply(plan.changes);
        self.last = stamp;
        Ok(Some(Published { stamp, appended: plan.appended }))
    }

    /// Writes the group and the note about it in one batch.
    fn write(&mut self, mut group: Group, row: GroupRow, is_synced: bool) -> Result<(), Error> {
        let mut notes = vec![(Bytes::from(group_key(self.last)), Some(Bytes::from(row.encode())))];
        let groups = match &mut self.groups {
            Some(groups) => groups,
            None => self.groups.insert(kept_groups(&self.shared.published.load().snapshot)?),
        };
        groups.push_back(self.last);
        if groups.len() > COMMIT_GROUPS_KEPT
            && let Some(oldest) = groups.pop_front()
        {
            notes.push((Bytes::from(group_key(oldest)), None));
        }
        group.apply(notes);
        self.engine.write(group.into_batch(), is_synced)?;
        if is_synced {
            self.synced = self.last;
            self.engine.note_synced(self.last)?;
        }
        self.group_count += 1;
        if self.group_count.is_multiple_of(MAINTAIN_EVERY_GROUPS) {
            self.engine.maintain()?;
        }
        Ok(())
    }

    /// Calls the hooks, shows the new state, tells that it is shown, wakes the waiters.
    fn publish(&mut self, admitted: Vec<Admitted>) {
        if admitted.is_empty() {
            return;
        }
        let hooks = self.shared.hooks.read();
        for commit in &admitted {
            hooks.iter().for_each(|hook| hook(&commit.published));
        }
        drop(hooks);
        let view = Arc::new(View { stamp: self.last, snapshot: self.engine.snapshot() });
        self.shared.published.store(view.clone());
        self.shared.shown_hooks.read().iter().for_each(|hook| hook());
        self.resolver.publish(&view);
        for commit in admitted {
            let _ = commit.reply.send(Ok(commit.published.stamp));
        }
    }

    /// Whether a write failed, after which nothing is committed any more.
    pub(crate) fn is_failed(&self) -> bool {
        self.is_failed
    }

    /// Stops for good. The waiters' channels close without an answer: their outcome is unknown.
    fn fail(&mut self, error: &Error) {
        self.is_failed = true;
        (self.shared.on_fatal)(&error.to_string());
    }

    /// Syncs what was buffered, and lets go of the engine.
    pub(crate) fn close(mut self) {
        if !self.is_failed {
            let outcome = self.engine.write(Vec::new(), true).and_then(|()| self.engine.note_synced(self.last));
            match outcome.and_then(|()| self.engine.maintain()) {
                Ok(()) => self.engine.close(),
                Err(error) => self.fail(&error),
            }
        }
        // A hook may hold a clone of the store; without this the two would keep each other for ever.
        let hooks = std::mem::take(&mut *self.shared.hooks.write());
        let shown_hooks = std::mem::take(&mut *self.shared.shown_hooks.write());
        drop((hooks, shown_hooks));
        let stamp = self.shared.published.load().stamp;
        self.shared.published.store(Arc::new(View { stamp, snapshot: Snapshot::Closed }));
    }
}

/// The keys of all groups whose notes are there, oldest first.
fn kept_groups(snapshot: &Snapshot) -> Result<VecDeque<Stamp>, Error> {
    let all = Limit { rows: usize::MAX, bytes: usize::MAX };
    let slice = snapshot.scan(&groups_after(Stamp::default()), Direction::Forward, all)?;
    Ok(slice.rows.iter().filter_map(|(key, _)| group_stamp(key)).collect())
}
