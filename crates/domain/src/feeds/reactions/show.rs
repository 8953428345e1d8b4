//! Reactions as readers see them: with who reacted, and with what was said to them (feeds-v1 §5.10).

use std::pin::Pin;

use ids::{ActivityId, UserId};
use store::{Direction, Limit};

use super::{
    About, DEPTH_MAX, Reaction,
    list::{Part, counts, list, newest},
    shown,
};
use crate::{
    Result, Tx,
    feeds::users::{self, Profile},
    keyspace::OWN_REACTIONS,
};

/// The newest reactions to a reaction that are shown with it, of all kinds together.
const CHILDREN_MAX: usize = 10;
/// The viewer's own reactions that are shown of each kind.
pub const OWN_MAX: usize = 5;
/// The newest of the viewer's own reactions to one thing that are looked at.
const OWN_LOOKED_AT_MAX: usize = 256;

/// What there is of each kind.
pub type Kinds<T> = Vec<(String, T)>;

/// A reaction with what belongs to it.
#[derive(Clone, Debug)]
pub struct Shown {
    /// Its id.
    pub id: String,
    /// The reaction.
    pub reaction: Reaction,
    /// Who reacted, if that user is known.
    pub user: Option<Profile>,
    /// The newest reactions to it.
    pub latest_children: Kinds<Vec<Shown>>,
    /// How many there are.
    pub children_counts: Kinds<i64>,
    /// The viewer's own, if they were asked for.
    pub own_children: Option<Kinds<Vec<Shown>>>,
}

/// Whose own reactions are meant.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Viewer {
    /// Everybody's: an application's own server that names no user.
    #[default]
    Anybody,
    /// This user's.
    User(UserId),
}

/// What of the reactions to reactions is wanted.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Who looks.
    pub viewer: Viewer,
    /// Whether the viewer's own are shown.
    pub own_children: bool,
    /// Of these kinds only, if any are named.
    pub own_children_kinds: Vec<String>,
}

/// The reaction with what belongs to it: a reaction shows those to it, at most [`DEPTH_MAX`] deep.
///
/// # Errors
/// When the store fails.
pub fn show<'a>(
    tx: &'a mut Tx,
    id: &'a str,
    reaction: Reaction,
    wanted: &'a Wanted,
) -> Pin<Box<dyn Future<Output = Result<Shown>> + Send + 'a>> {
    Box::pin(show_one(tx, id, reaction, wanted))
}

/// A reaction that was just made, with an id that nothing ever had: nobody can have reacted to it, so nobody looks.
///
/// # Errors
/// When the store fails.
pub async fn show_new(tx: &mut Tx, id: &str, reaction: Reaction, wanted: &Wanted) -> Result<Shown> {
    Ok(Shown {
        id: id.to_owned(),
        user: users::get(tx, &reaction.user).await?,
        latest_children: Vec::new(),
        children_counts: Vec::new(),
        own_children: wanted.own_children.then(Vec::new),
        reaction,
    })
}

async fn show_one(tx: &mut Tx, id: &str, reaction: Reaction, wanted: &Wanted) -> Result<Shown> {
    let mut shown = show_new(tx, id, reaction, wanted).await?;
    if shown.reaction.depth < DEPTH_MAX {
        let about = About::reaction(id, &shown.reaction);
        shown.children_counts = counts(tx, &about).await?;
        if !shown.children_counts.is_empty() {
            let kinds = shown.children_counts.iter().filter(|(_, count)| *count > 0).map(|(kind, _)| kind.clone());
            let children = newest(tx, &about, kinds.collect(), CHILDREN_MAX).await?;
            shown.latest_children = by_kind(show_all(tx, children, wanted).await?);
            if wanted.own_children {
                shown.own_children = Some(own(tx, &about, &wanted.own_children_kinds, OWN_MAX, wanted).await?);
            }
        }
    }
    Ok(shown)
}

/// Reactions with what belongs to them.
///
/// # Errors
/// When the store fails.
async fn show_all(tx: &mut Tx, reactions: Vec<(String, Reaction)>, wanted: &Wanted) -> Result<Vec<Shown>> {
    let mut all = Vec::with_capacity(reactions.len());
    for (id, reaction) in reactions {
        all.push(show(tx, &id, reaction, wanted).await?);
    }
    Ok(all)
}

/// Sorts reactions by kind, in their order.
fn by_kind(all: Vec<Shown>) -> Kinds<Vec<Shown>> {
    let mut kinds: Kinds<Vec<Shown>> = Vec::new();
    for one in all {
        match kinds.iter_mut().find(|(kind, _)| *kind == one.reaction.kind) {
            Some((_, list)) => list.push(one),
            None => kinds.push((one.reaction.kind.clone(), vec![one])),
        }
    }
    kinds
}

/// The newest `limit` reactions of each kind, or the oldest, and whether there are more.
///
/// # Errors
/// When the store fails.
pub async fn latest(
    tx: &mut Tx,
    activity: ActivityId,
    kinds: &[(String, i64)],
    part: &Part,
    wanted: &Wanted,
) -> Result<Kinds<(Vec<Shown>, bool)>> {
    let mut found = Vec::with_capacity(kinds.len());
    for (kind, _) in kinds.iter().filter(|(_, count)| *count > 0) {
        let page = list(tx, &About::Activity(activity), Some(kind), part).await?;
        if !page.reactions.is_empty() {
            found.push((kind.clone(), (show_all(tx, page.reactions, wanted).await?, page.more)));
        }
    }
    Ok(found)
}

/// The kinds of reactions to an activity with how many there are, only of `kinds` if any are named.
///
/// # Errors
/// When the store fails.
pub async fn on_activity(tx: &mut Tx, activity: ActivityId, kinds: &[String]) -> Result<Kinds<i64>> {
    let mut counted = counts(tx, &About::Activity(activity)).await?;
    counted.retain(|(kind, _)| kinds.is_empty() || kinds.contains(kind));
    Ok(counted)
}

/// The viewer's own reactions, the newest `limit` of each kind, only of `kinds` if any are named.
///
/// # Errors
/// When the store fails.
pub async fn own(
    tx: &mut Tx,
    about: &About,
    kinds: &[String],
    limit: usize,
    wanted: &Wanted,
) -> Result<Kinds<Vec<Shown>>> {
    let is_wanted = |kind: &String| kinds.is_empty() || kinds.contains(kind);
    let mut found: Kinds<Vec<(String, Reaction)>> = Vec::new();
    match &wanted.viewer {
        Viewer::Anybody => {
            for (kind, count) in counts(tx, about).await? {
                if count > 0 && is_wanted(&kind) {
                    let reactions = newest(tx, about, vec![kind.clone()], limit).await?;
                    found.push((kind, reactions));
                }
            }
        }
        Viewer::User(user) => {
            for (id, kind) in ids_by(tx, about, user).await? {
                let at = found.iter().position(|(known, _)| *known == kind);
                if !is_wanted(&kind) || at.is_some_and(|at| found[at].1.len() >= limit) {
                    continue;
                }
                let Some(reaction) = shown(tx, &id).await? else { continue };
                match at {
                    Some(at) => found[at].1.push((id, reaction)),
                    None => found.push((kind, vec![(id, reaction)])),
                }
            }
        }
    }
    let mut all = Vec::with_capacity(found.len());
    for (kind, reactions) in found.into_iter().filter(|(_, reactions)| !reactions.is_empty()) {
        all.push((kind, show_all(tx, reactions, wanted).await?));
    }
    Ok(all)
}

/// The newest reactions of `user`, with their kinds.
async fn ids_by(tx: &mut Tx, about: &About, user: &UserId) -> Result<Vec<(String, String)>> {
    let tenant = tx.tenant();
    let range = OWN_REACTIONS.prefix(tenant, &(about.clone(), user.to_string()));
    let rows = OWN_REACTIONS.scan(tx, tenant, range, Direction::Backward, Limit::rows(OWN_LOOKED_AT_MAX)).await?.rows;
    Ok(rows.into_iter().map(|((.., id), kind)| (id, kind)).collect())
}
