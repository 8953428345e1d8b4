//! Imports: files of users, channels and what was said in them (chat §11.12, v2 §7.7).
//!
//! A file is uploaded to a place that was made for it, looked at as a whole, and then stored in passes, so that its rows may
//! come in any order: whom a row refers to was stored by a pass before. A step stores some rows and how far it came in one
//! transaction, so each row has its effect once. The file goes when the import ends.
//!
//! Nothing here names anybody: what is wrong with a row is told by its number and its field.

mod records;

pub use records::{Failure, Import, Mode, State, Turn, Upload, file};

use ids::{Timestamp, json::Object};
use store::{Direction, Limit, key::after};

use super::{channels, members, messages, reactions};
use crate::{
    Error, Result, Tx, exports,
    keyspace::{IMPORT, IMPORT_ORDER, IMPORT_UPLOAD, Latest},
    rows,
    tasks::{self, Kind, Progress, Task},
    users,
};

/// Files that wait for their import at a time.
pub const UPLOADS_MAX: usize = 100;
/// How long a place for a file is kept.
pub const UPLOAD_MICROS: i64 = 24 * 3600 * 1_000_000;
/// The longest name of a file, in bytes.
pub const NAME_BYTES_MAX: usize = 255;
/// Failures that are told one by one; the others are counted.
pub const FAILURES_MAX: usize = 100;
/// Imports that are listed in one page.
pub const LIST_MAX: usize = 100;
/// How far in a reader can page.
pub const OFFSET_MAX: usize = 1000;
/// How many passes store a file.
pub const PASSES: u8 = 6;

/// How rows are stored that are known already.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Terms {
    /// Whether a row takes the place of what is known; else what is known stays.
    pub replaces: bool,
    /// Whether own fields that the row does not name stay.
    pub merges_custom: bool,
}

impl Terms {
    /// The own fields of a row that takes the place of one with the fields `before`.
    pub(crate) fn custom(self, before: Object, given: &Object) -> Object {
        let mut custom = if self.merges_custom { before } else { Object::default() };
        for (name, value) in given.iter() {
            custom.set(name, value.to_owned());
        }
        custom
    }
}

/// What became of a row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// It is new.
    Inserted,
    /// It took the place of what was known.
    Updated,
    /// What was known stayed.
    Skipped,
}

impl Outcome {
    /// As what it is counted.
    fn name(self) -> &'static str {
        match self {
            Outcome::Inserted => "inserted",
            Outcome::Updated => "updated",
            Outcome::Skipped => "skipped",
        }
    }
}

/// A row of a file.
#[derive(Clone, Debug)]
pub enum Item {
    /// A user.
    User(Box<users::import::Imported>),
    /// A device of a user.
    Device(ids::UserId, String, users::devices::Device),
    /// A channel.
    Channel(Box<channels::import::Imported>),
    /// A member of a channel.
    Member(Box<members::import::Imported>),
    /// A message.
    Message(Box<messages::import::Imported>),
    /// A reaction.
    Reaction(Box<reactions::import::Imported>),
}

impl Item {
    /// Its type, as files say it.
    pub fn kind(&self) -> &'static str {
        match self {
            Item::User(_) => "user",
            Item::Device(..) => "device",
            Item::Channel(_) => "channel",
            Item::Member(_) => "member",
            Item::Message(_) => "message",
            Item::Reaction(_) => "reaction",
        }
    }

    /// The pass that stores it, after all that it refers to.
    pub fn pass(&self) -> u8 {
        match self {
            Item::User(_) => 0,
            Item::Channel(_) => 1,
            Item::Member(_) => 2,
            Item::Message(message) if message.draft.parent.is_none() => 3,
            Item::Message(_) => 4,
            Item::Reaction(_) | Item::Device(..) => 5,
        }
    }

    /// Whether the pass number `pass` has something to do with it.
    pub fn is_of(&self, pass: u8) -> bool {
        let has_mutes = matches!(self, Item::User(user) if user.has_mutes() || user.is_push_disabled.is_some());
        self.pass() == pass || (has_mutes && pass + 1 == PASSES)
    }

    /// Stores it, or what of it the pass stores; nothing is told of what a second look at a row did.
    async fn store(&self, tx: &mut Tx, pass: u8, terms: Terms, now: Timestamp) -> Result<Option<Outcome>> {
        let outcome = match self {
            Item::User(user) if pass != self.pass() => {
                return users::import::import_mutes(tx, user, now).await.map(|()| None);
            }
            Item::User(user) => users::import::import(tx, user, terms, now).await,
            Item::Device(user, id, device) => users::import::import_device(tx, user, id, device).await,
            Item::Channel(channel) => channels::import::import(tx, channel, terms, now).await,
            Item::Member(member) => members::import::import(tx, member, terms, now).await,
            Item::Message(message) => messages::import::import(tx, message, terms, now).await,
            Item::Reaction(reaction) => reactions::import::import(tx, reaction, terms).await,
        };
        outcome.map(Some)
    }
}

/// That what a row refers to is not there.
pub(crate) fn absent(field: &str, what: &str) -> Error {
    Error::Unfit(format!("{field}: there is no such {what}"))
}

/// Makes a place for a file called `name`, for a while. Places that nobody used in time go.
///
/// # Errors
/// [`Error::Unfit`] for a name that is none, and when too many files wait.
pub async fn add_upload(tx: &mut Tx, id: &str, name: &str, now: Timestamp) -> Result<()> {
    if name.is_empty() || name.len() > NAME_BYTES_MAX || name.contains(['/', '\\']) || name.contains(char::is_control) {
        return Err(Error::Unfit(format!("filename must be a name of 1 to {NAME_BYTES_MAX} bytes, without a path")));
    }
    let tenant = tx.tenant();
    let mut waiting = 0;
    for (known, upload) in rows::list(tx, &IMPORT_UPLOAD, IMPORT_UPLOAD.range(tenant), UPLOADS_MAX).await? {
        match upload.is_over(now) {
            true => discard(tx, &known),
            false => waiting += 1,
        }
    }
    if waiting >= UPLOADS_MAX {
        return Err(Error::Unfit(format!("at most {UPLOADS_MAX} files wait for their import at a time")));
    }
    IMPORT_UPLOAD.put(tx, tenant, &id.to_owned(), &Upload { name: name.to_owned(), created_at: now, bytes: None });
    Ok(())
}

/// The place `id` for a file, while it is kept.
///
/// # Errors
/// When the store fails.
pub async fn get_upload(tx: &mut Tx, id: &str, now: Timestamp) -> Result<Option<Upload>> {
    let tenant = tx.tenant();
    Ok(IMPORT_UPLOAD.get(tx, tenant, &id.to_owned()).await?.filter(|upload| !upload.is_over(now)))
}

/// Notes that the file is there, and how large it is.
///
/// # Errors
/// [`Error::Absent`] when the place went.
pub async fn note_upload(tx: &mut Tx, id: &str, bytes: u64, now: Timestamp) -> Result<()> {
    let upload = get_upload(tx, id, now).await?.ok_or_else(|| Error::Absent("there is no such upload".to_owned()))?;
    let tenant = tx.tenant();
    IMPORT_UPLOAD.put(tx, tenant, &id.to_owned(), &Upload { bytes: Some(bytes), ..upload });
    Ok(())
}

fn discard(tx: &mut Tx, id: &str) {
    let tenant = tx.tenant();
    IMPORT_UPLOAD.delete(tx, tenant, &id.to_owned());
    exports::discard_file(tx, &file(tenant, id));
}

/// Plans the import `id` of the file that was uploaded to `upload`; nobody can import it twice.
///
/// # Errors
/// [`Error::Unfit`] when there is no such file.
pub async fn plan(
    tx: &mut Tx,
    id: &str,
    upload: &str,
    mode: Mode,
    merges_custom: bool,
    now: Timestamp,
) -> Result<Import> {
    let given = get_upload(tx, upload, now).await?;
    let Some((place, bytes)) = given.and_then(|place| Some((place.bytes?, place)).map(|(bytes, place)| (place, bytes)))
    else {
        return Err(Error::Unfit(
            "path: there is no such file, or it was imported already; upload it first".to_owned(),
        ));
    };
    let tenant = tx.tenant();
    let import = Import {
        upload: upload.to_owned(),
        name: place.name,
        bytes,
        mode,
        merges_custom,
        state: State::Uploaded,
        history: Vec::new(),
        created_at: now,
        updated_at: now,
        counts: Vec::new(),
        failures: Vec::new(),
        failure_count: 0,
    };
    // The file is the import's from now on, and goes with it.
    IMPORT_UPLOAD.delete(tx, tenant, &upload.to_owned());
    IMPORT.put(tx, tenant, &id.to_owned(), &import);
    IMPORT_ORDER.put(tx, tenant, &(Latest(now), id.to_owned()), &());
    tasks::plan(tx, id, Kind::Import, now);
    Ok(import)
}

/// The import `id`.
///
/// # Errors
/// [`Error::Absent`] when there is none.
pub async fn load(tx: &mut Tx, id: &str) -> Result<Import> {
    let tenant = tx.tenant();
    let import = IMPORT.get(tx, tenant, &id.to_owned()).await?;
    import.ok_or_else(|| Error::Absent(format!("import with id '{id}' does not exist")))
}

/// Forgets an import whose task is forgotten.
///
/// # Errors
/// When the store fails.
pub(crate) async fn forget(tx: &mut Tx, id: &str) -> Result<()> {
    let tenant = tx.tenant();
    if let Some(import) = IMPORT.get(tx, tenant, &id.to_owned()).await? {
        IMPORT_ORDER.delete(tx, tenant, &(Latest(import.created_at), id.to_owned()));
        IMPORT.delete(tx, tenant, &id.to_owned());
    }
    Ok(())
}

/// Imports, the newest first.
///
/// # Errors
/// When the store fails.
pub async fn list(tx: &mut Tx, offset: usize, limit: usize) -> Result<Vec<(String, Import)>> {
    let tenant = tx.tenant();
    let mut range = IMPORT_ORDER.range(tenant);
    let (mut passed, mut found) = (0, Vec::new());
    while found.len() < limit {
        let page = IMPORT_ORDER.scan(tx, tenant, range.clone(), Direction::Forward, Limit::PAGE).await?;
        let Some((last, ())) = page.rows.last().cloned() else { break };
        for ((_, id), ()) in page.rows {
            passed += 1;
            if passed > offset && found.len() < limit {
                found.push((id.clone(), load(tx, &id).await?));
            }
        }
        if !page.more {
            break;
        }
        range.start = after(IMPORT_ORDER.key(tenant, &last));
    }
    Ok(found)
}

/// Turns the import to `state`; with the end its file goes, and what came of it is kept with it.
///
/// # Errors
/// When the store fails.
pub async fn turn(tx: &mut Tx, id: &str, state: State, progress: &Progress, now: Timestamp) -> Result<()> {
    let tenant = tx.tenant();
    let Some(mut import) = IMPORT.get(tx, tenant, &id.to_owned()).await? else { return Ok(()) };
    import.turn(state, now);
    import.note(progress);
    if state.is_final() {
        exports::discard_file(tx, &import.file(tenant));
    }
    IMPORT.put(tx, tenant, &id.to_owned(), &import);
    Ok(())
}

/// A row of a file: its number, and what is in it.
pub type Row = (u64, Item);

/// Stores rows of one pass, as many as one transaction takes; answers how many it were. What cannot be stored is noted.
///
/// # Errors
/// When the store fails.
pub async fn store(tx: &mut Tx, task: &mut Task, rows: &[Row], terms: Terms, now: Timestamp) -> Result<usize> {
    let pass = task.progress.stage;
    for (n, (number, item)) in rows.iter().enumerate() {
        if n > 0 && tx.is_full() {
            return Ok(n);
        }
        match item.store(tx, pass, terms, now).await {
            Ok(Some(outcome)) => task.progress.count(&format!("{} {}", item.kind(), outcome.name()), 1),
            Ok(None) => {}
            Err(error @ Error::Store(_)) => return Err(error),
            Err(error) => fail(&mut task.progress, *number, item.kind(), &reason(&error)),
        }
    }
    Ok(rows.len())
}

/// Notes that nothing comes of a row.
pub fn fail(progress: &mut Progress, number: u64, kind: &str, reason: &str) {
    progress.count(records::FAILED, 1);
    if progress.failed.len() < FAILURES_MAX {
        progress.failed.push((format!("{number} {kind}"), reason.to_owned()));
    }
}

/// What is wrong with a row, in words that name nobody.
fn reason(error: &Error) -> String {
    match error {
        Error::NameTaken(_) => "name: another user is called so".to_owned(),
        error => error.to_string(),
    }
}

#[cfg(test)]
mod tests;
