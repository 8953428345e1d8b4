//! Work that is too long for one call: stored in the commit that starts it, done in steps, once (chat §14, v2 §3).
//!
//! A task stands in the queue of the system until nothing is left to do with it. Who takes it holds a lease; a step is one
//! transaction that asks for the lease, does some of the work and notes how far it came. So a killed worker's task is
//! taken over where it was, and what a step did is never done twice. What a step does is [`step`]'s business.

mod delete_users;
mod progress;
mod steps;

pub use delete_users::{Calls, DeleteUsers, Leaver};
pub use progress::Progress;
pub use steps::{skip, step};

use ids::{AppId, ChannelId, Timestamp, UserId};
use minicbor::{Decode, Encode};
use store::{Direction, Limit, Store};

use crate::{
    Error, Result, Tx,
    chat::{
        channels::batch::Batch,
        imports::{self, State},
        retention::Retain,
    },
    exports,
    keyspace::{At, SYSTEM, TASK, TASK_DUE},
    log::{self, Event},
};

/// How long a worker holds a task without a sign of life.
const LEASE_MICROS: i64 = 15 * 1_000_000;
/// How often in a row a task may be taken without a step coming of it, before it has failed.
const ATTEMPTS_MAX: u32 = 8;
/// How long the first failed attempt waits for the second; each further one waits twice as long.
const BACKOFF_MICROS: i64 = 500_000;
/// How long a finished task is kept.
const KEPT_MICROS: i64 = 90 * DAY_MICROS;
/// How long the file that a task wrote is kept.
const FILE_KEPT_MICROS: i64 = 60 * DAY_MICROS;
const DAY_MICROS: i64 = 24 * 3600 * 1_000_000;

/// A task of one app.
#[derive(Clone, PartialEq, Debug, Encode, Decode)]
pub struct Task {
    /// What is to be done.
    #[n(0)]
    pub kind: Kind,
    /// How it stands.
    #[n(1)]
    pub status: Status,
    /// When it was planned.
    #[n(2)]
    pub created_at: Timestamp,
    /// When it last came on.
    #[n(3)]
    pub updated_at: Timestamp,
    /// How far it came.
    #[n(4)]
    pub progress: Progress,
    /// When it is looked at next; its place in the queue.
    #[n(5)]
    due: Timestamp,
    /// How often it was taken since it last came on.
    #[n(6)]
    attempts: u32,
    /// Who holds it.
    #[n(7)]
    holder: Option<u64>,
}

/// What a task does.
#[derive(Clone, PartialEq, Debug, Encode, Decode)]
pub enum Kind {
    /// Removes channels, whose rows say already that they are deleted.
    #[n(0)]
    DeleteChannels {
        /// Which, and whether they were there.
        #[n(0)]
        channels: Vec<(ChannelId, bool)>,
        /// Whether nothing may be left of them.
        #[n(1)]
        is_hard: bool,
    },
    /// Removes what users said and had, as far as it is asked; the users are marked deleted already.
    #[n(1)]
    DeleteUsers(#[n(0)] Box<DeleteUsers>),
    /// Locks users out.
    #[n(2)]
    DeactivateUsers {
        /// Whom.
        #[n(0)]
        users: Vec<UserId>,
        /// Who says so.
        #[n(1)]
        by: Option<UserId>,
        /// Whether what they said is marked deleted.
        #[n(2)]
        marks_messages: bool,
        /// Whether their conversations are marked deleted: channels with one other member.
        #[n(3)]
        #[cbor(default)]
        marks_channels: bool,
    },
    /// Lets users in again.
    #[n(3)]
    ReactivateUsers {
        /// Whom.
        #[n(0)]
        users: Vec<UserId>,
        /// Who says so.
        #[n(1)]
        by: Option<UserId>,
        /// Whether messages that were marked deleted when they were locked out come back.
        #[n(2)]
        restores_messages: bool,
        /// Whether conversations that were marked deleted then come back.
        #[n(3)]
        #[cbor(default)]
        restores_channels: bool,
    },
    /// Writes a file with what is stored of users.
    #[n(4)]
    ExportUsers(#[n(0)] Vec<UserId>),
    /// Writes a file with what was said in channels.
    #[n(5)]
    ExportChannels(#[n(0)] Box<ExportChannels>),
    /// Writes a file with what a user has in feeds.
    #[n(6)]
    ExportFeeds(#[n(0)] UserId),
    /// Removes what a user has in feeds.
    #[n(7)]
    DeleteFeeds {
        /// Whose.
        #[n(0)]
        user: UserId,
        /// Whether nothing may be left of it.
        #[n(1)]
        is_hard: bool,
    },
    /// Changes channels, one after the other.
    #[n(30)]
    UpdateChannels(#[n(0)] Box<Batch>),
    /// Removes what is older than a retention policy says.
    #[n(31)]
    Retain(#[n(0)] Box<Retain>),
    /// Stores the rows of a file; the import has the task's id.
    #[n(32)]
    Import,
    /// Says that words were added to a blocklist.
    #[n(33)]
    ImportWords,
    /// Deletes what a user said.
    #[n(35)]
    DeleteMessages(#[n(0)] Box<DeleteMessages>),
    /// Sends a campaign.
    #[n(36)]
    RunCampaign(#[n(0)] String),
    /// Clears away what feeds v3 leave that are hidden already.
    #[n(20)]
    ClearFeeds(#[n(0)] Box<crate::v3::feeds::delete::Deletion>),
    /// Deletes the feeds of this group of feeds v3, which was deleted: for good, or softly.
    #[n(21)]
    ClearGroup(#[n(0)] String, #[n(1)] bool),
    /// Looks through the follows and the members of a feed of v3 that others may see now.
    #[n(22)]
    FitFeed(#[n(0)] Box<crate::v3::feeds::visibility::Change>),
}

impl Kind {
    /// Whether a file comes of it.
    pub fn is_export(&self) -> bool {
        matches!(self, Kind::ExportUsers(_) | Kind::ExportChannels(_) | Kind::ExportFeeds(_))
    }
}

/// What is deleted of what a user said, and how (chat §11.8).
#[derive(Clone, PartialEq, Debug, Encode, Decode)]
pub struct DeleteMessages {
    /// Who said it.
    #[n(0)]
    pub user: UserId,
    /// Where; everywhere, if absent.
    #[n(1)]
    pub channel: Option<ChannelId>,
    /// How.
    #[n(2)]
    pub mode: Mode,
}

/// What is written of channels, and how (chat §11.12).
#[derive(Clone, PartialEq, Debug, Encode, Decode)]
pub struct ExportChannels {
    /// Which, and of which part.
    #[n(0)]
    pub channels: Vec<ExportedChannel>,
    /// How the file is laid out.
    #[n(1)]
    pub layout: Layout,
    /// The members of a message that are written; all, if empty.
    #[n(2)]
    pub fields: Vec<String>,
    /// Whether what deleted messages said is left out.
    #[n(3)]
    pub clears_deleted: bool,
    /// Whether messages that a truncation hid are written, too.
    #[n(4)]
    pub with_truncated: bool,
    /// Whether channels that are marked deleted are written, too.
    #[n(5)]
    pub with_deleted: bool,
    /// Whether the users are written, too.
    #[n(6)]
    pub with_users: bool,
}

/// How a file of channels is laid out.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(index_only)]
pub enum Layout {
    /// One JSON document.
    #[n(0)]
    Document,
    /// A JSON object a line.
    #[n(1)]
    Lines,
    /// Comma separated values, a message a line.
    #[n(2)]
    Csv,
}

/// Which part of a channel is written.
#[derive(Clone, PartialEq, Debug, Encode, Decode)]
pub struct ExportedChannel {
    /// Which channel.
    #[n(0)]
    pub id: ChannelId,
    /// Messages from then on.
    #[n(1)]
    pub since: Option<Timestamp>,
    /// Messages up to then.
    #[n(2)]
    pub until: Option<Timestamp>,
}

/// How much of something is removed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Encode, Decode)]
#[cbor(index_only)]
pub enum Mode {
    /// It is marked deleted, and all of it is kept.
    #[n(0)]
    Soft,
    /// It is marked deleted, and what it says is gone.
    #[n(1)]
    Pruning,
    /// Nothing of it is left.
    #[n(2)]
    Hard,
}

/// How a task stands; it never goes back.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub enum Status {
    /// Nobody has looked at it.
    #[n(0)]
    Waiting,
    /// Somebody has taken it.
    #[n(1)]
    Pending,
    /// A step was done.
    #[n(2)]
    Running,
    /// All is done; of a batch, perhaps not with every item.
    #[n(3)]
    Completed,
    /// It was given up.
    #[n(4)]
    Failed {
        /// What kind of failure.
        #[n(0)]
        kind: String,
        /// What is wrong, in words without personal data.
        #[n(1)]
        description: String,
    },
}

/// Whether there is more to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// There is.
    More,
    /// Nothing.
    Done,
}

impl Task {
    /// Whether nothing more will come of it.
    pub fn is_finished(&self) -> bool {
        matches!(self.status, Status::Completed | Status::Failed { .. })
    }
}

/// Stores a task, which is begun as soon as this commits; `id` is new.
pub fn plan(tx: &mut Tx, id: &str, kind: Kind, now: Timestamp) {
    let task = Task {
        kind,
        status: Status::Waiting,
        created_at: now,
        updated_at: now,
        progress: Progress::default(),
        due: now,
        attempts: 0,
        holder: None,
    };
    put(tx, id, &task, None);
    log::record(tx, &Event::Planned { task: id.to_owned() });
}

/// The task `id`.
///
/// # Errors
/// [`Error::Absent`] when there is none.
pub async fn load(tx: &mut Tx, id: &str) -> Result<Task> {
    let tenant = tx.tenant();
    let task = TASK.get(tx, tenant, &id.to_owned()).await?;
    task.ok_or_else(|| Error::Absent(format!("task with id '{id}' does not exist")))
}

/// The first tasks of all apps to be looked at by `now`, at most `limit`.
///
/// # Errors
/// When the store fails.
pub async fn due(store: &Store, now: Timestamp, limit: usize) -> Result<Vec<(AppId, String)>> {
    let end = TASK_DUE.prefix(SYSTEM.0, &At(now)).end;
    let range = TASK_DUE.range(SYSTEM.0).start..end;
    let page = TASK_DUE.scan(&mut store.read(), SYSTEM.0, range, Direction::Forward, Limit::rows(limit)).await?;
    Ok(page.rows.into_iter().map(|((_, app, id), ())| (AppId(app), id)).collect())
}

/// Takes the task `id` for `holder`, unless somebody else has it or it is not its time; a finished one that was kept long
/// enough is removed, and one that was taken too often in vain has failed.
///
/// # Errors
/// When the store fails.
pub async fn take(tx: &mut Tx, id: &str, holder: u64, now: Timestamp) -> Result<Option<Task>> {
    let tenant = tx.tenant();
    let Some(mut task) = TASK.get(tx, tenant, &id.to_owned()).await? else { return Ok(None) };
    let before = task.due;
    if now < before {
        return Ok(None);
    }
    if task.is_finished() {
        if exports::discard(tx, id).await? {
            task.due = task.updated_at.plus_micros(KEPT_MICROS);
            put(tx, id, &task, Some(before));
            return Ok(None);
        }
        if task.kind == Kind::Import {
            imports::forget(tx, id).await?;
        }
        TASK.delete(tx, tenant, &id.to_owned());
        TASK_DUE.delete(tx, SYSTEM.0, &(At(before), tenant, id.to_owned()));
        return Ok(None);
    }
    if task.attempts >= ATTEMPTS_MAX {
        let description = format!("the task was given up after {ATTEMPTS_MAX} attempts");
        fail(tx, id, task, "internal_error", description, now).await?;
        return Ok(None);
    }
    task.attempts += 1;
    task.holder = Some(holder);
    task.due = now.plus_micros(LEASE_MICROS);
    if task.status == Status::Waiting {
        task.status = Status::Pending;
        task.updated_at = now;
    }
    put(tx, id, &task, Some(before));
    Ok(Some(task))
}

/// The task `id`, if `holder` still has it: a step begins with this.
///
/// # Errors
/// When the store fails.
pub async fn held(tx: &mut Tx, id: &str, holder: u64) -> Result<Option<Task>> {
    let tenant = tx.tenant();
    let task = TASK.get(tx, tenant, &id.to_owned()).await?;
    Ok(task.filter(|task| task.holder == Some(holder)))
}

/// Notes how far `task` came, with what the transaction did for it: a step ends with this.
pub fn keep(tx: &mut Tx, id: &str, mut task: Task, step: Step, now: Timestamp) {
    let before = task.due;
    match step {
        Step::More => {
            task.status = Status::Running;
            task.updated_at = now;
            task.attempts = 1;
            task.due = now.plus_micros(LEASE_MICROS);
        }
        Step::Done => finish(&mut task, Status::Completed, now),
    }
    put(tx, id, &task, Some(before));
}

/// Gives the task back, if there is more to do: others go first, and after a failure it waits a while.
///
/// # Errors
/// When the store fails.
pub async fn give_back(tx: &mut Tx, id: &str, holder: u64, has_failed: bool, now: Timestamp) -> Result<()> {
    let Some(mut task) = held(tx, id, holder).await? else { return Ok(()) };
    let before = task.due;
    task.holder = None;
    task.due = match has_failed {
        true => now.plus_micros(BACKOFF_MICROS << task.attempts.min(ATTEMPTS_MAX)),
        false => now,
    };
    if !has_failed {
        task.attempts = 0;
    }
    put(tx, id, &task, Some(before));
    Ok(())
}

/// Gives `task` up: nothing can come of it.
///
/// # Errors
/// When the store fails.
pub async fn fail(
    tx: &mut Tx,
    id: &str,
    mut task: Task,
    kind: &str,
    description: String,
    now: Timestamp,
) -> Result<()> {
    exports::discard(tx, id).await?;
    if task.kind == Kind::Import {
        imports::turn(tx, id, State::Failed, &task.progress, now).await?;
    }
    let before = task.due;
    finish(&mut task, Status::Failed { kind: kind.to_owned(), description }, now);
    put(tx, id, &task, Some(before));
    Ok(())
}

fn finish(task: &mut Task, status: Status, now: Timestamp) {
    let kept = if task.kind.is_export() { FILE_KEPT_MICROS } else { KEPT_MICROS };
    task.status = status;
    task.updated_at = now;
    task.holder = None;
    task.due = now.plus_micros(kept);
}

/// Writes the task and its place in the queue, where it stood at `before`.
fn put(tx: &mut Tx, id: &str, task: &Task, before: Option<Timestamp>) {
    let tenant = tx.tenant();
    if let Some(before) = before {
        TASK_DUE.delete(tx, SYSTEM.0, &(At(before), tenant, id.to_owned()));
    }
    TASK_DUE.put(tx, SYSTEM.0, &(At(task.due), tenant, id.to_owned()), &());
    TASK.put(tx, tenant, &id.to_owned(), task);
}

#[cfg(test)]
mod tests;
