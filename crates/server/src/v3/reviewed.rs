//! Activities and comments as the review queue of moderation shows them, also deleted ones (v2 §6.8).

use domain::{
    Tx,
    users::People,
    v3::{activities, comments, show},
};
use ids::Timestamp;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use super::show::Pen;

/// The activity `id`, as nobody in particular sees it; `None` when it is gone.
///
/// # Errors
/// When the store fails.
pub(crate) async fn activity(tx: &mut Tx, id: &str, now: Timestamp) -> domain::Result<Option<Box<RawValue>>> {
    let Some(found) = activities::get_any(tx, id).await? else { return Ok(None) };
    let mut people = People::default();
    let shown = show::activities(tx, vec![found], None, &mut people).await?;
    Ok(shown.first().map(|shown| raw(&Pen { people: &people, now }.activity(shown))))
}

/// The comment `id`, as nobody in particular sees it; `None` when it is gone.
///
/// # Errors
/// When the store fails.
pub(crate) async fn comment(tx: &mut Tx, id: &str, now: Timestamp) -> domain::Result<Option<Box<RawValue>>> {
    let Some(found) = comments::get(tx, id).await? else { return Ok(None) };
    let shown = comments::gather(tx, vec![(id.to_owned(), found)], None).await?;
    let mut people = People::default();
    people.add(tx, shown.iter().flat_map(comments::Shown::users)).await?;
    Ok(shown.first().map(|shown| raw(&Pen { people: &people, now }.comment(shown))))
}

fn raw(object: &impl Serialize) -> Box<RawValue> {
    to_raw_value(object).expect("wire types are JSON")
}
