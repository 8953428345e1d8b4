//! Lists of reactions, page by page. A list of all kinds is put together from those of each kind.

use std::{collections::VecDeque, ops::Range};

use store::{Direction, Limit};

use super::{About, MIXED, Parent, Reaction, shown};
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
/// The most kinds that one list is put together from.
pub const KINDS_LISTED_MAX: usize = if cfg!(test) { 5 } else { 1000 };
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
/// [`Error::Unfit`] when the page begins at a reaction that is not there, or there are more than [`KINDS_LISTED_MAX`] kinds to
/// choose from.
pub async fn list(tx: &mut Tx, about: &About, kind: Option<&str>, part: &Part) -> Result<Page> {
    let kinds = match kind {
        Some(kind) => vec![kind.to_owned()],
        None => kinds(tx, about).await?,
    };
    list_of(tx, about, kinds, part).await
}

/// The reactions of `about` of any of `kinds`.
async fn list_of(tx: &mut Tx, about: &About, kinds: Vec<String>, part: &Part) -> Result<Page> {
    let from = match &part.from {
        Some((id, is_included)) => Some((place(tx, id).await?, *is_included)),
        None => None,
    };
    let direction = if part.is_ascending { Direction::Forward } else { Direction::Backward };
    let of_kind = |kind| OfKind::new(tx.tenant(), about, kind, from.as_ref(), direction);
    let mut lists: Vec<OfKind> = kinds.into_iter().map(of_kind).collect();
    let (mut page, mut passed) = (Page::default(), 0);
    while passed < PASSED_MAX {
        for list in &mut lists {
            list.fill(tx, part.limit + 1).await?;
        }
        lists.retain(|list| !list.rows.is_empty());
        let next = match direction {
            Direction::Forward => lists.iter_mut().min_by(|one, other| one.rows[0].cmp(&other.rows[0])),
            Direction::Backward => lists.iter_mut().max_by(|one, other| one.rows[0].cmp(&other.rows[0])),
        };
        let Some((_, id)) = next.and_then(|list| list.rows.pop_front()) else { break };
        let Some(reaction) = shown(tx, &id).await? else {
            passed += 1;
            continue;
        };
        if page.reactions.len() == part.limit {
            page.more = true;
            break;
        }
        page.reactions.push((id, reaction));
    }
    Ok(page)
}

/// Where the reaction `id` stands in every list that shows it.
async fn place(tx: &mut Tx, id: &str) -> Result<Row> {
    let tenant = tx.tenant();
    match FEED_REACTION.get(tx, tenant, &id.to_owned()).await? {
        Some(reaction) => Ok((At(reaction.created_at), id.to_owned())),
        None => Err(Error::Unfit(format!("reaction `{id}` does not exist, so no page begins there"))),
    }
}

/// The kinds of reactions that `about` shows: one look for each, however many there are of it.
async fn kinds(tx: &mut Tx, about: &About) -> Result<Vec<String>> {
    let tenant = tx.tenant();
    let mut kinds = Vec::new();
    let mut range = FEED_REACTIONS.prefix(tenant, about);
    range.start = end_of_kind(tenant, about, MIXED);
    while range.start < range.end {
        let first =
            FEED_REACTIONS.scan(tx, tenant, range.clone(), Direction::Forward, Limit::rows(1)).await?.rows.pop();
        let Some(((_, kind, ..), ())) = first else { break };
        if kinds.len() == KINDS_LISTED_MAX {
            return Err(Error::Unfit(format!(
                "kind: there are more than {KINDS_LISTED_MAX} kinds; ask for one of them"
            )));
        }
        range.start = end_of_kind(tenant, about, &kind);
        kinds.push(kind);
    }
    Ok(kinds)
}

fn end_of_kind(tenant: u32, about: &About, kind: &str) -> Vec<u8> {
    FEED_REACTIONS.prefix(tenant, &(about.clone(), kind.to_owned())).end
}

/// Where a reaction stands in a list: when it was made, and its id.
type Row = (At, String);

/// The rows of one kind that a list has not shown yet.
struct OfKind {
    range: Range<Vec<u8>>,
    direction: Direction,
    /// The next ones, read already.
    rows: VecDeque<Row>,
    /// Whether there may be more in `range`.
    more: bool,
}

impl OfKind {
    fn new(tenant: u32, about: &About, kind: String, from: Option<&(Row, bool)>, direction: Direction) -> Self {
        let mut range = FEED_REACTIONS.prefix(tenant, &(about.clone(), kind.clone()));
        if let Some(((at, id), is_included)) = from {
            let key = FEED_REACTIONS.key(tenant, &(about.clone(), kind, *at, id.clone()));
            match (direction, is_included) {
                (Direction::Forward, true) => range.start = key,
                (Direction::Forward, false) => range.start = store::key::after(key),
                (Direction::Backward, true) => range.end = store::key::after(key),
                (Direction::Backward, false) => range.end = key,
            }
        }
        OfKind { range, direction, rows: VecDeque::new(), more: true }
    }

    /// Reads on when all that was read was shown.
    async fn fill(&mut self, tx: &mut Tx, limit: usize) -> Result<()> {
        if !self.rows.is_empty() || !self.more {
            return Ok(());
        }
        let (tenant, range) = (tx.tenant(), self.range.clone());
        let page = FEED_REACTIONS.scan(tx, tenant, range, self.direction, Limit::rows(limit)).await?;
        if let Some((last, ())) = page.rows.last() {
            let last = FEED_REACTIONS.key(tenant, last);
            match self.direction {
                Direction::Forward => self.range.start = store::key::after(last),
                Direction::Backward => self.range.end = last,
            }
        }
        self.more = page.more;
        self.rows = page.rows.into_iter().map(|((_, _, at, id), ())| (at, id)).collect();
        Ok(())
    }
}

/// The newest `limit` reactions of `about` of any of `kinds`.
pub(super) async fn newest(
    tx: &mut Tx,
    about: &About,
    kinds: Vec<String>,
    limit: usize,
) -> Result<Vec<(String, Reaction)>> {
    Ok(list_of(tx, about, kinds, &Part { limit, ..Part::default() }).await?.reactions)
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
