//! Reactions to activities, and to other reactions (feeds-v1 §5.10).
//!
//! A reaction is one record, and a row in each list that shows it. Counts are counters, so many may react to one activity
//! at once and nobody waits. What is posted for a reaction to other feeds is an activity like any other.

use ids::{ActivityId, FeedId, Timestamp, UserId, json::Object};
use minicbor::{Decode, Encode};
use serde_json::value::RawValue;
use store::{Corrupt, Key, key};

use super::activities::{self, Moment};
use crate::{
    Error, Result, Tx,
    keyspace::{At, FEED_REACTION, FEED_REACTIONS, Id, OWN_REACTIONS, REACTION_COUNT},
    log::{self, Event, Reacting},
};

mod erase;
mod list;
mod show;

pub(crate) use erase::{clear, erase};
pub use list::{KINDS_LISTED_MAX, KINDS_MAX, LIMIT, LIMIT_MAX, Page, Part, list};
pub use show::{Kinds, OWN_MAX, Shown, Viewer, Wanted, latest, on_activity, own, show, show_new};

/// How deep reactions nest: one to an activity, one to that, and one to that (feeds-v1 §14, 3).
pub const DEPTH_MAX: u8 = 3;
/// The most feeds that a reaction is posted to.
pub const TARGET_FEEDS_MAX: usize = 20;
/// The kind under which an earlier version listed the reactions of all kinds once more: read by nobody, removed with the rest.
const MIXED: &str = "";
/// The longest kind and the longest id of a reaction, in bytes.
pub const NAME_BYTES_MAX: usize = 255;

/// A reaction.
#[derive(Clone, PartialEq, Debug, Encode, Decode)]
pub struct Reaction {
    /// Such as `like`.
    #[n(0)]
    pub kind: String,
    /// The activity, also of a reaction to a reaction.
    #[n(1)]
    pub activity: ActivityId,
    /// Who reacted.
    #[n(2)]
    pub user: UserId,
    /// The application's own fields: a JSON object, as it was sent.
    #[n(3)]
    pub data: String,
    /// Feeds that it was posted to.
    #[n(4)]
    pub target_feeds: Vec<FeedId>,
    /// More fields of what was posted there: a JSON object.
    #[n(5)]
    pub target_feeds_extra: String,
    /// The reaction that it is about, if it is not about the activity.
    #[n(6)]
    pub parent: Option<Parent>,
    /// 1 for a reaction to an activity.
    #[n(7)]
    pub depth: u8,
    /// Since when.
    #[n(8)]
    pub created_at: Timestamp,
    /// When it was last changed.
    #[n(9)]
    pub updated_at: Timestamp,
    /// Since when it is gone but can be restored.
    #[n(10)]
    pub deleted_at: Option<Timestamp>,
}

/// The reaction that another one is about. An id can be given again after a deletion: the time tells which was meant.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Encode, Decode)]
pub struct Parent {
    /// Its id.
    #[n(0)]
    pub id: String,
    /// When it was made.
    #[n(1)]
    pub created_at: Timestamp,
}

/// What a list of reactions is about.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum About {
    /// An activity.
    Activity(ActivityId),
    /// A reaction.
    Reaction(Parent),
    /// Whoever reacted, whatever to.
    User(UserId),
}

impl Key for About {
    fn write(&self, out: &mut Vec<u8>) {
        match self {
            About::Activity(id) => (0_u8, Id(*id)).write(out),
            About::Reaction(Parent { id, created_at }) => {
                out.push(1);
                key::text(out, id);
                At(*created_at).write(out);
            }
            About::User(id) => {
                out.push(2);
                key::text(out, id.as_str());
            }
        }
    }

    fn read(input: &mut &[u8]) -> std::result::Result<Self, Corrupt> {
        match u8::read(input)? {
            0 => Ok(About::Activity(Id::read(input)?.0)),
            1 => Ok(About::Reaction(Parent { id: String::read(input)?, created_at: At::read(input)?.0 })),
            2 => {
                let id = UserId::parse(&String::read(input)?).map_err(|error| Corrupt::new(error.to_string()))?;
                Ok(About::User(id))
            }
            _ => Err(Corrupt::new("a list of reactions is about nothing known")),
        }
    }
}

impl Reaction {
    /// What it is about.
    fn about(&self) -> About {
        match &self.parent {
            Some(parent) => About::Reaction(parent.clone()),
            None => About::Activity(self.activity),
        }
    }

    /// How other reactions name it.
    fn as_parent(&self, id: &str) -> Parent {
        Parent { id: id.to_owned(), created_at: self.created_at }
    }
}

/// A reaction as a caller asks for it.
#[derive(Clone, Debug)]
pub struct Draft {
    /// Its id.
    pub id: String,
    /// Whether the id was made for it at random: then nothing else can have it, and nobody looks.
    pub has_own_id: bool,
    /// See [`Reaction::kind`].
    pub kind: String,
    /// The activity, or the reaction, that it is about.
    pub to: To,
    /// See [`Reaction::user`].
    pub user: UserId,
    /// See [`Reaction::data`].
    pub data: Object,
    /// Where it is posted to.
    pub targets: Targets,
}

/// What a new reaction is about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum To {
    /// An activity, which need not be there.
    Activity(ActivityId),
    /// A reaction.
    Reaction(String),
}

/// Where a reaction is posted to, and with which more fields.
#[derive(Clone, Debug, Default)]
pub struct Targets {
    /// See [`Reaction::target_feeds`].
    pub feeds: Vec<FeedId>,
    /// See [`Reaction::target_feeds_extra`].
    pub extra: Object,
}

/// Adds a reaction.
///
/// # Errors
/// [`Error::Taken`]; [`Error::Unfit`] when the reaction that it is about is not there, or too deep already.
pub async fn add(tx: &mut Tx, draft: &Draft, now: Timestamp) -> Result<Reaction> {
    if !draft.has_own_id && get(tx, &draft.id).await?.is_some() {
        return Err(Error::Taken(format!("reaction `{}` exists already", draft.id)));
    }
    let (activity, parent, depth) = match &draft.to {
        To::Activity(id) => (*id, None, 1),
        To::Reaction(id) => {
            let parent = shown(tx, id).await?;
            let parent = parent.ok_or_else(|| Error::Unfit(format!("parent: reaction `{id}` does not exist")))?;
            (parent.activity, Some(parent.as_parent(id)), parent.depth + 1)
        }
    };
    if depth > DEPTH_MAX {
        return Err(Error::Unfit(format!("parent: reactions nest at most {DEPTH_MAX} deep")));
    }
    let reaction = Reaction {
        kind: draft.kind.clone(),
        activity,
        user: draft.user.clone(),
        data: draft.data.to_string(),
        target_feeds: draft.targets.feeds.clone(),
        target_feeds_extra: draft.targets.extra.to_string(),
        parent,
        depth,
        created_at: now,
        updated_at: now,
        deleted_at: None,
    };
    put(tx, &draft.id, &reaction);
    enlist(tx, &draft.id, &reaction, 1);
    post(tx, &draft.id, &reaction).await?;
    tell(tx, &draft.id, &reaction, Reacting::New);
    Ok(reaction)
}

/// The reaction `id`, also if it was deleted and can be restored.
///
/// # Errors
/// When the store fails.
pub async fn get(tx: &mut Tx, id: &str) -> Result<Option<Reaction>> {
    let tenant = tx.tenant();
    Ok(FEED_REACTION.get(tx, tenant, &id.to_owned()).await?)
}

/// The reaction `id`, unless it or one that it is about was deleted.
///
/// # Errors
/// When the store fails.
pub async fn shown(tx: &mut Tx, id: &str) -> Result<Option<Reaction>> {
    let Some(reaction) = get(tx, id).await? else { return Ok(None) };
    let mut child = reaction.clone();
    loop {
        if child.deleted_at.is_some() {
            return Ok(None);
        }
        let Some(parent) = child.parent else { return Ok(Some(reaction)) };
        match get(tx, &parent.id).await? {
            Some(found) if found.created_at == parent.created_at => child = found,
            _ => return Ok(None),
        }
    }
}

/// The reaction `id`.
///
/// # Errors
/// [`Error::Absent`] when it is not there, or was deleted.
pub async fn load(tx: &mut Tx, id: &str) -> Result<Reaction> {
    shown(tx, id).await?.ok_or_else(|| absent(id))
}

fn absent(id: &str) -> Error {
    Error::Absent(format!("reaction `{id}` does not exist"))
}

/// The reaction `id`, for a change; `by` a user only if it is the user's.
async fn load_own(tx: &mut Tx, id: &str, by: Option<&UserId>) -> Result<Reaction> {
    let reaction = load(tx, id).await?;
    check_own(&reaction, by)?;
    Ok(reaction)
}

fn check_own(reaction: &Reaction, by: Option<&UserId>) -> Result<()> {
    match by {
        Some(user) if reaction.user != *user => Err(Error::NotAllowed("the reaction is somebody else's".to_owned())),
        _ => Ok(()),
    }
}

/// Replaces data, if any are given, and where the reaction is posted to.
///
/// # Errors
/// [`Error::Absent`]; [`Error::NotAllowed`] when it is another user's.
pub async fn update(
    tx: &mut Tx,
    id: &str,
    data: Option<&Object>,
    targets: &Targets,
    by: Option<&UserId>,
    now: Timestamp,
) -> Result<Reaction> {
    let stored = load_own(tx, id, by).await?;
    let reaction = Reaction {
        data: data.map_or(stored.data.clone(), Object::to_string),
        target_feeds: targets.feeds.clone(),
        target_feeds_extra: targets.extra.to_string(),
        updated_at: now,
        ..stored.clone()
    };
    put(tx, id, &reaction);
    let gone: Vec<FeedId> =
        stored.target_feeds.iter().filter(|feed| !reaction.target_feeds.contains(feed)).cloned().collect();
    unpost(tx, id, &stored, &gone).await?;
    post(tx, id, &reaction).await?;
    tell(tx, id, &reaction, Reacting::Updated);
    Ok(reaction)
}

/// Deletes a reaction; softly, and it can be restored.
///
/// # Errors
/// [`Error::Absent`]; [`Error::NotAllowed`] when it is another user's.
pub async fn remove(tx: &mut Tx, id: &str, is_soft: bool, by: Option<&UserId>, now: Timestamp) -> Result<Reaction> {
    let stored = load_own(tx, id, by).await?;
    enlist(tx, id, &stored, -1);
    unpost(tx, id, &stored, &stored.target_feeds).await?;
    if is_soft {
        put(tx, id, &Reaction { deleted_at: Some(now), ..stored.clone() });
    } else {
        let tenant = tx.tenant();
        FEED_REACTION.delete(tx, tenant, &id.to_owned());
    }
    tell(tx, id, &stored, Reacting::Deleted);
    Ok(stored)
}

/// Brings back a reaction that was softly deleted.
///
/// # Errors
/// [`Error::Absent`] when it was not; [`Error::NotAllowed`] when it is another user's.
pub async fn restore(tx: &mut Tx, id: &str, by: Option<&UserId>, now: Timestamp) -> Result<Reaction> {
    let deleted = get(tx, id).await?.filter(|reaction| reaction.deleted_at.is_some());
    let deleted = deleted.ok_or_else(|| absent(id))?;
    check_own(&deleted, by)?;
    let reaction = Reaction { deleted_at: None, updated_at: now, ..deleted };
    put(tx, id, &reaction);
    enlist(tx, id, &reaction, 1);
    post(tx, id, &reaction).await?;
    tell(tx, id, &reaction, Reacting::New);
    Ok(reaction)
}

/// Tells the hooks of the app what happens: nobody else listens, so without a hook nothing is written.
fn tell(tx: &mut Tx, id: &str, reaction: &Reaction, change: Reacting) {
    if tx.app.settings.feed_hooks.is_empty() {
        return;
    }
    let Reaction { activity, kind, .. } = reaction;
    log::record(tx, &Event::Reacted { reaction: id.to_owned(), activity: *activity, kind: kind.clone(), change });
}

fn put(tx: &mut Tx, id: &str, reaction: &Reaction) {
    let tenant = tx.tenant();
    FEED_REACTION.put(tx, tenant, &id.to_owned(), reaction);
}

/// Puts the reaction into the lists that show it, and counts it; with -1 takes it out of them.
fn enlist(tx: &mut Tx, id: &str, reaction: &Reaction, delta: i64) {
    let tenant = tx.tenant();
    let (about, at) = (reaction.about(), At(reaction.created_at));
    let by_user = About::User(reaction.user.clone());
    for list in [&about, &by_user] {
        let row = |kind: &str| (list.clone(), kind.to_owned(), at, id.to_owned());
        match delta > 0 {
            true => FEED_REACTIONS.put(tx, tenant, &row(&reaction.kind), &()),
            false => {
                FEED_REACTIONS.delete(tx, tenant, &row(&reaction.kind));
                FEED_REACTIONS.delete(tx, tenant, &row(MIXED));
            }
        }
    }
    let own = (about.clone(), reaction.user.to_string(), at, id.to_owned());
    match delta > 0 {
        true => OWN_REACTIONS.put(tx, tenant, &own, &reaction.kind),
        false => OWN_REACTIONS.delete(tx, tenant, &own),
    }
    REACTION_COUNT.add(tx, tenant, &(about, reaction.kind.clone()), delta);
}

/// Posts the reaction to its target feeds, as an activity.
async fn post(tx: &mut Tx, id: &str, reaction: &Reaction) -> Result<()> {
    if reaction.target_feeds.is_empty() {
        return Ok(());
    }
    // It has a foreign id and a time, so the moment counts for nothing.
    let moment = Moment { now: reaction.created_at, seed: 0 };
    activities::add_to(tx, &reaction.target_feeds, &activity(id, reaction), moment).await
}

fn activity(id: &str, reaction: &Reaction) -> activities::Draft {
    let mut custom = Object::parse(&reaction.target_feeds_extra).expect("an object was stored");
    let reference = serde_json::to_string(&format!("SR:{id}")).expect("a text is JSON");
    custom.set("reaction", RawValue::from_string(reference).expect("it was just made"));
    activities::Draft {
        actor: format!("SU:{}", reaction.user),
        verb: reaction.kind.clone(),
        object: format!("SA:{}", reaction.activity),
        foreign_id: foreign_id(id),
        time: Some(reaction.created_at),
        custom,
        ..activities::Draft::default()
    }
}

fn foreign_id(id: &str) -> String {
    format!("reaction:{id}")
}

async fn unpost(tx: &mut Tx, id: &str, reaction: &Reaction, feeds: &[FeedId]) -> Result<()> {
    let reference = activities::Reference::Foreign(foreign_id(id), reaction.created_at);
    let Some((activity, _)) = activities::get(tx, &reference).await? else { return Ok(()) };
    for feed in feeds {
        activities::remove(tx, feed, activity).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
