//! What users have seen, read and watched of feeds (feeds-v3 §5).
//!
//! A mark is a row of its user: of one activity or one group, or of all that there was by then. Groups and activities are
//! kept by a number that is made of their names, so that no row names another user.

use std::collections::HashMap;

use ids::{ActivityId, FeedId, Fid, Timestamp, UserId};

use store::{Direction, Limit};

use super::{
    activities::By,
    events::{self, Event},
    feeds, permit, updates,
};
use crate::{
    Error, Result, Tx,
    keyspace::{Feed as Stream, V3_MARK},
    rows,
};

/// Stands for all that there was.
pub const ALL: u64 = 0;
/// The most rows of one user in one feed that are looked at.
const ROWS_MAX: usize = 10_000;
/// The most activities and groups that one call marks.
pub const MARKED_MAX: usize = 100;

/// What is noted.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Kind {
    /// That it was shown.
    Seen = 0,
    /// That it was opened.
    Read = 1,
    /// That a story was watched.
    Watched = 2,
}

impl Kind {
    /// The kind that stands in keys as `code`.
    pub fn of(code: u8) -> Option<Self> {
        [Kind::Seen, Kind::Read, Kind::Watched].into_iter().find(|kind| *kind as u8 == code)
    }

    /// The name in the API.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Seen => "seen",
            Kind::Read => "read",
            Kind::Watched => "watched",
        }
    }
}

/// What a user noted of a feed.
#[derive(Clone, Debug, Default)]
pub struct Marks(HashMap<(u8, u64), Timestamp>);

impl Marks {
    /// Whether the activity or group called `name` was noted at `at` or later.
    pub fn cover(&self, kind: Kind, name: &str, at: Timestamp) -> bool {
        let marks = [ALL, ActivityId::group_mark(name)];
        marks.iter().any(|mark| self.0.get(&(kind as u8, *mark)).is_some_and(|noted| *noted >= at))
    }

    /// When something was last noted.
    pub fn last(&self, kind: Kind) -> Option<Timestamp> {
        self.0.iter().filter(|((known, _), _)| *known == kind as u8).map(|(_, at)| *at).max()
    }
}

/// What `user` noted of the feed with this stream.
///
/// # Errors
/// When the store fails.
pub async fn load(tx: &mut Tx, user: &UserId, stream: &FeedId) -> Result<Marks> {
    let range = V3_MARK.prefix(tx.tenant(), &(user.to_string(), Stream(stream.clone())));
    let rows = rows::list(tx, &V3_MARK, range, ROWS_MAX).await?;
    Ok(Marks(rows.into_iter().map(|((_, _, kind, mark), at)| ((kind, mark), at)).collect()))
}

/// What a call notes.
#[derive(Clone, Debug, Default)]
pub struct Marking {
    /// That all was read.
    pub all_read: bool,
    /// That all was seen.
    pub all_seen: bool,
    /// That these were read.
    pub read: Vec<String>,
    /// That these were seen.
    pub seen: Vec<String>,
    /// That these were watched.
    pub watched: Vec<String>,
}

/// Notes something of the feed `fid` for `user`; `more` is the same as the event tells it.
///
/// # Errors
/// [`Error::Absent`], [`Error::NotAllowed`]; [`Error::Unfit`] when it names too many.
pub async fn mark(
    tx: &mut Tx,
    by: By<'_>,
    fid: &Fid,
    user: &UserId,
    (marking, more): (&Marking, &str),
    now: Timestamp,
) -> Result<()> {
    let Marking { all_read, all_seen, read, seen, watched } = marking;
    if [read, seen, watched].iter().any(|names| names.len() > MARKED_MAX) {
        return Err(Error::Unfit(format!("mark_read, mark_seen and mark_watched hold at most {MARKED_MAX} ids")));
    }
    let feed = feeds::load(tx, fid).await?;
    permit::may_read(tx, fid, &feed, by).await?;
    let (tenant, stream) = (tx.tenant(), Stream(feed.stream.clone()));
    for (kind, is_all) in [(Kind::Read, *all_read), (Kind::Seen, *all_seen)] {
        if is_all {
            // What was noted of one is covered now; what is left of many goes another time.
            let range = V3_MARK.prefix(tenant, &(user.to_string(), stream.clone(), kind as u8));
            let covered = V3_MARK.scan(tx, tenant, range, Direction::Forward, Limit::PAGE).await?;
            for (key, _) in &covered.rows {
                V3_MARK.delete(tx, tenant, key);
            }
            V3_MARK.put(tx, tenant, &(user.to_string(), stream.clone(), kind as u8, ALL), &now);
        }
    }
    for (kind, names) in [(Kind::Read, read), (Kind::Seen, seen), (Kind::Watched, watched)] {
        for name in names {
            let key = (user.to_string(), stream.clone(), kind as u8, ActivityId::group_mark(name));
            V3_MARK.put(tx, tenant, &key, &now);
        }
    }
    let event = Event::in_feed("feeds.activity.marked", fid, now).by(Some(user));
    events::record(tx, event.with(more));
    updates::tell(tx, fid, Some(user), now).await
}

/// Forgets some of what `user` noted; whether that was all.
///
/// # Errors
/// When the store fails.
pub async fn forget(tx: &mut Tx, user: &UserId) -> Result<bool> {
    let tenant = tx.tenant();
    let range = V3_MARK.prefix(tenant, &user.to_string());
    let page = V3_MARK.scan(tx, tenant, range, Direction::Forward, Limit::PAGE).await?;
    for (key, _) in &page.rows {
        V3_MARK.delete(tx, tenant, key);
    }
    Ok(!page.more)
}
