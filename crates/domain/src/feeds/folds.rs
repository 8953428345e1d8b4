//! Aggregated and notification feeds: the timeline of a feed, folded into groups (feeds-v1 §4.8, §7).
//!
//! Groups are derived, as timelines are: an activity belongs to the group that the template of the feed group names, and
//! counts, actors and times follow from the activities. What somebody has seen or read is the only record, and says up to
//! which commit: what arrived later is new again.

use std::{
    collections::{HashMap, HashSet},
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};

use ids::{ActivityId, FeedId, Timestamp};

use store::Stamp;

use super::{
    activities::Activity,
    follows::Arrival,
    groups::{Group, Kind},
    notes::{self, Notes},
    templates::Subject,
    timelines::{self, Gathered, Part, Row, Source},
    views::{Basis, Mark, Views},
};
use crate::{
    App, Error, Result, Tx,
    keyspace::{ACTIVITY, Id},
    log::Marked,
};

mod formats;
mod ranked;

use formats::Formats;
pub(super) use formats::mark;
pub use ranked::{Score, read_ranked};

/// The newest activities of a feed that are folded.
pub const ROWS_MAX: usize = 10_000;
/// The newest activities that a group shows (feeds-v1 §4.8).
pub const ACTIVITIES_MAX: usize = 15;
/// Activities that are read from the store at once.
const CHUNK: usize = 256;

/// A timeline in groups.
#[derive(Debug)]
pub struct Fold {
    /// What it was made from.
    pub(super) basis: Arc<Basis>,
    /// See [`mark`].
    pub(super) formats: u64,
    sources: Arc<[Source]>,
    /// Newest first.
    entries: Box<[Entry]>,
    /// The one with the newest activity first.
    groups: Box<[Folded]>,
}

/// One activity of a timeline.
#[derive(Clone, Copy, Debug)]
struct Entry {
    id: ActivityId,
    source: u32,
    group: u16,
    /// See [`Formats::at`].
    format: u8,
    actor: u64,
}

/// One group.
#[derive(Debug)]
struct Folded {
    name: Box<str>,
    /// Tells it from other groups of the feed.
    mark: u64,
    activities: u32,
    actors: u32,
    /// The newest of its entries, by their places.
    newest: Vec<u32>,
    oldest: ActivityId,
    arrived: Arrival,
}

impl Folded {
    fn id(&self) -> ActivityId {
        ActivityId::of_group(self.mark, self.oldest.time())
    }
}

/// A group as a reader sees it.
#[derive(Clone, PartialEq, Debug)]
pub struct Seen {
    /// Names it as long as it has activities.
    pub id: ActivityId,
    /// What the template says.
    pub name: String,
    /// The verb of its newest activity.
    pub verb: String,
    /// How many activities it has.
    pub activity_count: u32,
    /// Of how many actors.
    pub actor_count: u32,
    /// The newest activities.
    pub activities: Vec<Row>,
    /// When the oldest happened.
    pub created_at: Timestamp,
    /// When the newest happened.
    pub updated_at: Timestamp,
    /// Whether it was read.
    pub is_read: bool,
    /// Whether it was seen.
    pub is_seen: bool,
}

/// A page of groups.
#[derive(Debug)]
pub struct Page {
    /// The one with the newest activity first.
    pub groups: Vec<Seen>,
    /// Whether more follow.
    pub more: bool,
    /// Groups of the whole feed that were not read.
    pub unread: usize,
    /// Groups of the whole feed that were not seen.
    pub unseen: usize,
    /// What a kept page goes by.
    pub basis: Arc<Basis>,
    fold: Arc<Fold>,
}

/// What is noted of groups.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Noted {
    /// Nothing.
    Nothing,
    /// All of them.
    All,
    /// Those on the page that is read.
    Current,
    /// These.
    Groups(Vec<ActivityId>),
}

/// Reads a part of an aggregated or notification feed; `part` names groups by their ids.
///
/// # Errors
/// [`Error::BrokenFormat`]; [`Error::Unfit`] when the part begins at what is not a group.
pub async fn read(app: &App, feed: &FeedId, part: &Part) -> Result<Page> {
    let open = Open::new(app, feed).await?;
    let (start, end) = open.fold.bounds(part)?;
    let wanted = start.saturating_add(part.offset).min(end);
    let until = wanted.saturating_add(part.limit).min(end);
    let places: Vec<usize> = (wanted..until).collect();
    open.page(app, &places, until < end).await
}

/// A feed in groups, with what was noted of them.
struct Open {
    fold: Arc<Fold>,
    notes: Notes,
}

impl Open {
    async fn new(app: &App, feed: &FeedId) -> Result<Self> {
        let group = app.group(feed.group())?;
        let fold = app.views.fold(app, feed, group).await?;
        let notes = match group.kind {
            Kind::Notification => notes::load(&mut app.snapshot(), feed).await?,
            Kind::Flat | Kind::Aggregated => Notes::default(),
        };
        Ok(Open { fold, notes })
    }

    /// A page of the groups at `places`.
    async fn page(self, app: &App, places: &[usize], more: bool) -> Result<Page> {
        let Open { fold, notes } = self;
        let is_read = |group: &&Folded| notes.read.covers(group.mark, group.arrived);
        let is_seen = |group: &&Folded| notes.seen.covers(group.mark, group.arrived);
        let mut groups: Vec<Seen> = places.iter().map(|place| fold.seen(&fold.groups[*place], &notes)).collect();
        let newest: Vec<Id> = groups.iter().map(|group| Id(group.activities[0].id)).collect();
        let mut tx = app.snapshot();
        let tenant = tx.tenant();
        for (group, newest) in groups.iter_mut().zip(ACTIVITY.get_many(&mut tx, tenant, &newest).await?) {
            group.verb = newest.map(|activity| activity.verb).unwrap_or_default();
        }
        Ok(Page {
            groups,
            more,
            unread: fold.groups.iter().filter(|group| !is_read(group)).count(),
            unseen: fold.groups.iter().filter(|group| !is_seen(group)).count(),
            basis: fold.basis.clone(),
            fold,
        })
    }
}

/// Notes which groups of `feed` were read and which were seen, as far as `page` shows them.
///
/// # Errors
/// [`Error::Unfit`] when one of the ids is not that of a group.
pub async fn note(tx: &mut Tx, feed: &FeedId, page: &Page, read: &Noted, seen: &Noted) -> Result<()> {
    let as_of = page.fold.basis.as_of();
    let there: HashSet<u64> = page.fold.groups.iter().map(|group| group.mark).collect();
    let (read, seen) = (marked(page, &there, read)?, marked(page, &there, seen)?);
    for (what, marked) in [(notes::Kind::Read, &read), (notes::Kind::Seen, &seen)] {
        match marked {
            Marked::Nothing => {}
            Marked::All => notes::put_all(tx, feed, what, as_of),
            Marked::Groups(ids) => {
                notes::put(tx, feed, what, ids.iter().map(|id| id.tail()), &there, as_of).await?;
            }
        }
    }
    notes::tell(tx, feed, read, seen);
    Ok(())
}

/// The groups to mark: of those that are asked for the ones that are `there`.
fn marked(page: &Page, there: &HashSet<u64>, noted: &Noted) -> Result<Marked> {
    Ok(match noted {
        Noted::Nothing => Marked::Nothing,
        Noted::All => Marked::All,
        Noted::Current => Marked::Groups(page.groups.iter().map(|group| group.id).collect()),
        Noted::Groups(ids) => {
            ids.iter().try_for_each(|id| check_group(*id).map(drop))?;
            Marked::Groups(ids.iter().copied().filter(|id| there.contains(&id.tail())).collect())
        }
    })
}

fn check_group(id: ActivityId) -> Result<u64> {
    match id.is_of_group() {
        true => Ok(id.tail()),
        false => {
            Err(Error::Unfit(format!("`{id}` is not the id of a group; an activity's id does not name its group")))
        }
    }
}

/// The name of the group to which an activity belongs that was posted to `feed`, or to one that it follows, at `posted`;
/// `None` when the format is broken.
pub fn name(group: &Group, feed: &FeedId, id: ActivityId, activity: &Activity, posted: Stamp) -> Option<String> {
    let formats = Formats::parse(group).ok()?;
    let format = formats.get(formats.at(Arrival::posted(posted)));
    Some(format.render(&Subject { id, activity, feed }))
}

impl Fold {
    /// Roughly how much memory it takes.
    pub(super) fn bytes(&self) -> usize {
        let groups: usize = self.groups.iter().map(|group| size_of::<Folded>() + group.name.len() + 4 * 16).sum();
        size_of::<Self>() + self.basis.bytes() + size_of_val(&*self.entries) + groups + 80 * self.sources.len()
    }

    /// Between which groups the part lies.
    fn bounds(&self, part: &Part) -> Result<(usize, usize)> {
        let mut bounds = (0, self.groups.len());
        if part.below != ActivityId::MAX {
            bounds.0 = self.place(part.below, part.with_below)?;
        }
        if part.above != ActivityId::MIN {
            bounds.1 = self.place(part.above, !part.with_above)?.max(bounds.0);
        }
        Ok(bounds)
    }

    /// How many groups come before the group `id`, or with it.
    fn place(&self, id: ActivityId, before: bool) -> Result<usize> {
        let mark = check_group(id)?;
        match self.groups.iter().position(|group| group.mark == mark) {
            Some(place) => Ok(place + usize::from(!before)),
            // It has gone since: by its time it stood about here.
            None => Ok(self.groups.partition_point(|group| self.updated_at(group) > id.time())),
        }
    }

    fn updated_at(&self, group: &Folded) -> Timestamp {
        self.entries[group.newest[0] as usize].id.time()
    }

    fn seen(&self, group: &Folded, notes: &Notes) -> Seen {
        let row = |at: &u32| {
            let entry = &self.entries[*at as usize];
            timelines::row(&self.sources, entry.id, entry.source)
        };
        Seen {
            id: group.id(),
            name: group.name.to_string(),
            verb: String::new(),
            activity_count: group.activities,
            actor_count: group.actors,
            activities: group.newest.iter().map(row).collect(),
            created_at: group.oldest.time(),
            updated_at: self.updated_at(group),
            is_read: notes.read.covers(group.mark, group.arrived),
            is_seen: notes.seen.covers(group.mark, group.arrived),
        }
    }

    /// The actor of an activity and its group by `format`, if it says now what it said then.
    fn known(&self, views: &Views, app: &App, id: ActivityId, format: u8) -> Option<(u64, &str)> {
        let at = self.entries.binary_search_by(|entry| id.cmp(&entry.id)).ok()?;
        let entry = &self.entries[at];
        let is_true = entry.format == format && views.is_as_of(Mark::activity(app.id, id), self.basis.as_of());
        is_true.then(|| (entry.actor, &*self.groups[usize::from(entry.group)].name))
    }
}

/// Folds the timeline of `feed`, a feed of `group`; `before` is what it was, of which activities are taken over that did
/// not change.
pub(super) async fn build(app: &App, feed: &FeedId, group: &Group, before: Option<&Fold>) -> Result<Fold> {
    let (all, mark) = (Formats::parse(group)?, mark(group));
    let before = before.filter(|before| before.formats == mark);
    let known = |id, format| before.and_then(|before| before.known(&app.views, app, id, format));
    let Gathered { mut tx, mut marks, sources, rows } = timelines::gather(app, feed, ROWS_MAX).await?;
    marks.push(Mark::notes(app.id, feed));
    marks.extend(rows.iter().map(|(id, ..)| Mark::activity(app.id, *id)));
    let mut folding = Folding::default();
    for chunk in rows.chunks(CHUNK) {
        let unknown = chunk.iter().filter(|(id, arrival, _)| known(*id, all.at(*arrival)).is_none());
        let unknown: Vec<Id> = unknown.map(|(id, ..)| Id(*id)).collect();
        let tenant = tx.tenant();
        let found = ACTIVITY.get_many(&mut tx, tenant, &unknown).await?;
        let found: HashMap<ActivityId, Activity> =
            unknown.iter().zip(found).filter_map(|(id, activity)| Some((id.0, activity?))).collect();
        for (id, arrival, source) in chunk {
            let format = all.at(*arrival);
            let entry = |actor| Entry { id: *id, source: *source, group: 0, format, actor };
            if let Some(activity) = found.get(id) {
                let name = all.get(format).render(&Subject { id: *id, activity, feed });
                folding.add(entry(hash(&activity.actor)), *arrival, &name);
            } else if let Some((actor, name)) = known(*id, format) {
                folding.add(entry(actor), *arrival, name);
            }
        }
    }
    let (entries, groups) = folding.finish();
    Ok(Fold { basis: Basis::new(tx.stamp(), marks).into(), formats: mark, sources, entries, groups })
}

#[derive(Default)]
struct Folding {
    entries: Vec<Entry>,
    groups: Vec<Folded>,
    by_name: HashMap<Box<str>, u16>,
    actors: HashSet<(u16, u64)>,
}

impl Folding {
    /// Adds `entry` to the group called `name`.
    fn add(&mut self, entry: Entry, arrival: Arrival, name: &str) {
        let at = u32::try_from(self.entries.len()).expect("at most ROWS_MAX are folded");
        let next = u16::try_from(self.groups.len()).expect("there are no more groups than entries, and not so many");
        let place = *self.by_name.entry(name.into()).or_insert(next);
        if place == next {
            let name: Box<str> = name.into();
            self.groups.push(Folded {
                mark: ActivityId::group_mark(&name),
                name,
                activities: 0,
                actors: 0,
                newest: Vec::new(),
                oldest: entry.id,
                arrived: arrival,
            });
        }
        let group = &mut self.groups[usize::from(place)];
        group.activities += 1;
        group.actors += u32::from(self.actors.insert((place, entry.actor)));
        group.oldest = entry.id;
        group.arrived = group.arrived.max(arrival);
        if group.newest.len() < ACTIVITIES_MAX {
            group.newest.push(at);
        }
        self.entries.push(Entry { group: place, ..entry });
    }

    fn finish(self) -> (Box<[Entry]>, Box<[Folded]>) {
        (self.entries.into(), self.groups.into())
    }
}

fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests;
