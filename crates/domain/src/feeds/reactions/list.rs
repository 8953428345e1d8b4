//! Lists of reactions, page by page.

use store::{Direction, Limit};

use super::{About, Parent, Reaction, shown};
use crate::{
    Error, Result, Tx,
    keyspace::{At, FEED_REACTION, FEED_REACTIONS, REACTION_COUNT},
};

/// Reactions of a page when nothing is asked (feeds-v1 §11).
pub const LIMIT: usize = 10;
/// The most reactions of a page.
pub const LIMIT_MAX: usize = 25;
/// The most kinds of reactions to one thing that are looked at.
pub const KINDS_MAX: usize = 100;
/// The most reactions that are passed over for one page because what they are about was deleted.
const PASSED_MAX: usize = 1000;

/// Which part of a list is wanted.
#[derive(Clone, Debug, Default)]
pub struct Part {
    /// At most so many.
    pub limit: usize,
    /// The reaction where the page begins, and whether it belongs to it.
    pub from: Option<(String, bool)>,
    /// Whether the oldest come first.
    pub is_ascending: bool,
}

/// A page of a list.
#[derive(Debug, Default)]
pub struct Page {
    /// Ids and reactions.
    pub reactions: Vec<(String, Reaction)>,
    /// Whether more follow.
    pub more: bool,
}

/// The reactions of `about`, of `kind` if one is given, without deleted ones.
///
/// # Errors
/// [`Error::Unfit`] when the page begins at a reaction that is not there.
pub async fn list(tx: &mut Tx, about: &About, kind: Option<&str>, part: &Part) -> Result<Page> {
    let (tenant, kind) = (tx.tenant(), kind.unwrap_or_default().to_owned());
    let mut range = FEED_REACTIONS.prefix(tenant, &(about.clone(), kind.clone()));
    if let Some((id, is_included)) = &part.from {
        let at = match FEED_REACTION.get(tx, tenant, id).await? {
            Some(reaction) => At(reaction.created_at),
            None => return Err(Error::Unfit(format!("reaction `{id}` does not exist, so no page begins there"))),
        };
        let key = FEED_REACTIONS.key(tenant, &(about.clone(), kind, at, id.clone()));
        match (part.is_ascending, is_included) {
            (true, true) => range.start = key,
            (true, false) => range.start = store::key::after(key),
            (false, true) => range.end = store::key::after(key),
            (false, false) => range.end = key,
        }
    }
    let direction = if part.is_ascending { Direction::Forward } else { Direction::Backward };
    let (mut page, mut passed) = (Page::default(), 0);
    loop {
        let limit = Limit::rows(part.limit + 1);
        let rows = FEED_REACTIONS.scan(tx, tenant, range.clone(), direction, limit).await?;
        for (key, ()) in &rows.rows {
            let id = &key.3;
            let Some(reaction) = shown(tx, id).await? else {
                passed += 1;
                continue;
            };
            if page.reactions.len() == part.limit {
                page.more = true;
                return Ok(page);
            }
            page.reactions.push((id.clone(), reaction));
        }
        let Some((last, ())) = rows.rows.last().filter(|_| rows.more && passed < PASSED_MAX) else { return Ok(page) };
        let last = FEED_REACTIONS.key(tenant, last);
        match direction {
            Direction::Forward => range.start = store::key::after(last),
            Direction::Backward => range.end = last,
        }
    }
}

/// The newest `limit` reactions of `about`, of `kind` if one is given.
pub(super) async fn newest(
    tx: &mut Tx,
    about: &About,
    kind: Option<&str>,
    limit: usize,
) -> Result<Vec<(String, Reaction)>> {
    Ok(list(tx, about, kind, &Part { limit, ..Part::default() }).await?.reactions)
}

/// How many reactions of each kind there are; a kind that had some stays, with 0.
pub(super) async fn counts(tx: &mut Tx, about: &About) -> Result<Vec<(String, i64)>> {
    let tenant = tx.tenant();
    let range = REACTION_COUNT.prefix(tenant, about);
    let rows = REACTION_COUNT.scan(tx, tenant, range, Direction::Forward, Limit::rows(KINDS_MAX)).await?;
    Ok(rows.rows.into_iter().map(|((_, kind), count)| (kind, count)).collect())
}

impl About {
    /// The reactions to the reaction `id`.
    pub fn reaction(id: &str, reaction: &Reaction) -> Self {
        About::Reaction(Parent { id: id.to_owned(), created_at: reaction.created_at })
    }
}
