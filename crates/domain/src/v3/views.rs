//! Feed views: other selectors, ranking and aggregation for one read, whatever the feed's group (feeds-v3 §3.1).

use ids::Timestamp;
use minicbor::{Decode, Encode};

use super::{
    groups::{Group, Selector},
    recipes::Recipe,
};
use crate::{
    Error, Result, Tx,
    keyspace::{V3_VIEW, V3_VIEW_USED},
    rows,
};

/// The most views of an app.
pub const VIEWS_MAX: usize = 1000;
/// How much younger the time of the last read becomes at least when it is written: reads do not queue for one row.
const USED_EVERY_MICROS: i64 = 60_000_000;

/// A feed view. What is absent was not set.
#[derive(Clone, PartialEq, Debug, Default, Encode, Decode)]
pub struct View {
    /// What is shown.
    #[n(0)]
    pub selectors: Vec<Selector>,
    /// `aggregation`: a JSON object.
    #[n(1)]
    pub aggregation: Option<String>,
    /// `ranking`: a JSON object.
    #[n(2)]
    pub ranking: Option<String>,
}

impl View {
    /// `group` as this view shows it.
    pub fn over(&self, group: &Group) -> Group {
        Group {
            selectors: Some(self.selectors.clone()),
            aggregation: self.aggregation.clone(),
            ranking: self.ranking.clone(),
            ..group.clone()
        }
    }

    fn check(&self) -> Result<()> {
        Recipe::of(&self.over(&Group::default()), Timestamp::from_micros(0)).map(|_| ())
    }
}

/// The view `name`.
///
/// # Errors
/// [`Error::Absent`] when there is none.
pub async fn load(tx: &mut Tx, name: &str) -> Result<View> {
    let tenant = tx.tenant();
    V3_VIEW.get(tx, tenant, &name.to_owned()).await?.ok_or_else(|| absent(name))
}

fn absent(name: &str) -> Error {
    Error::Absent(format!("feed view '{name}' not found"))
}

/// All views, by name, each with when it was last used.
///
/// # Errors
/// When the store fails.
pub async fn list(tx: &mut Tx) -> Result<Vec<(String, View, Option<Timestamp>)>> {
    let tenant = tx.tenant();
    let views = rows::list(tx, &V3_VIEW, V3_VIEW.range(tenant), VIEWS_MAX).await?;
    let mut known = Vec::with_capacity(views.len());
    for (name, view) in views {
        let used = used_at(tx, &name).await?;
        known.push((name, view, used));
    }
    Ok(known)
}

/// When the view was last used to read a feed.
///
/// # Errors
/// When the store fails.
pub async fn used_at(tx: &mut Tx, name: &str) -> Result<Option<Timestamp>> {
    let tenant = tx.tenant();
    Ok(V3_VIEW_USED.get(tx, tenant, &name.to_owned()).await?)
}

/// Whether a read at `now` is worth noting after one at `used`.
pub fn is_news(used: Option<Timestamp>, now: Timestamp) -> bool {
    used.is_none_or(|used| now.micros() - used.micros() >= USED_EVERY_MICROS)
}

/// Notes that the view was used.
pub fn touch(tx: &mut Tx, name: &str, now: Timestamp) {
    let tenant = tx.tenant();
    V3_VIEW_USED.put(tx, tenant, &name.to_owned(), &now);
}

/// Makes the view `name`.
///
/// # Errors
/// [`Error::Taken`] when there is one; [`Error::Unfit`], [`Error::Ranking`] when its settings make no sense.
pub async fn add(tx: &mut Tx, name: &str, view: &View) -> Result<()> {
    view.check()?;
    let tenant = tx.tenant();
    if V3_VIEW.exists(tx, tenant, &name.to_owned()).await? {
        return Err(Error::Taken(format!("feed view '{name}' already exists")));
    }
    V3_VIEW.put(tx, tenant, &name.to_owned(), view);
    Ok(())
}

/// The view `name`, made if there is none; whether it was made.
///
/// # Errors
/// As [`add`].
pub async fn ensure(tx: &mut Tx, name: &str, view: &View) -> Result<(View, bool)> {
    let tenant = tx.tenant();
    match V3_VIEW.get(tx, tenant, &name.to_owned()).await? {
        Some(known) => Ok((known, false)),
        None => add(tx, name, view).await.map(|()| (view.clone(), true)),
    }
}

/// Replaces the view `name`: what is absent is cleared.
///
/// # Errors
/// [`Error::Absent`]; as [`add`].
pub async fn replace(tx: &mut Tx, name: &str, view: &View) -> Result<()> {
    load(tx, name).await?;
    view.check()?;
    let tenant = tx.tenant();
    V3_VIEW.put(tx, tenant, &name.to_owned(), view);
    Ok(())
}

/// Removes the view `name`.
///
/// # Errors
/// [`Error::Absent`].
pub async fn remove(tx: &mut Tx, name: &str) -> Result<()> {
    load(tx, name).await?;
    let tenant = tx.tenant();
    V3_VIEW.delete(tx, tenant, &name.to_owned());
    V3_VIEW_USED.delete(tx, tenant, &name.to_owned());
    Ok(())
}
