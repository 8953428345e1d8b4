//! What moderation makes of what users say in feeds, in the transaction that stores it (feeds-v3 §1; v2 §6.4).
//!
//! The policies are those that there are for messages, by the keys `feeds:<group>`, `feeds` and `default`. What a moderator is to
//! look at stands in the review queue. Whatever is asked for that is harder refuses the call, so that nothing is stored: feeds hold
//! nothing that its author alone takes for said.

use ids::{Fid, Timestamp, UserId};

use super::{
    activities::{self, Activity, By},
    comments::Comment,
};
use crate::{
    Error, Result, Tx,
    moderation::{
        checks::{self, Content, Verdict},
        decisions,
        flags::{self, Entity, Found},
    },
};

/// What somebody says.
struct Said<'a> {
    /// What it is, as the review queue calls it.
    kind: &'static str,
    id: &'a str,
    author: &'a UserId,
    /// Where.
    feed: &'a Fid,
    text: &'a str,
}

/// Checks what an activity says that `by` added or changed. What the app's own server says is checked if it `is_forced`.
///
/// # Errors
/// [`Error::Moderated`] when a policy does not let it stand.
pub async fn activity(tx: &mut Tx, by: By<'_>, is_forced: bool, activity: &Activity, now: Timestamp) -> Result<()> {
    let Activity { id, user, feeds, content, .. } = activity;
    let (Some(author), Some(feed), Some(text)) = (user, feeds.first(), &content.text) else { return Ok(()) };
    let said = Said { kind: decisions::ACTIVITY, id, author, feed, text };
    check(tx, by.is_some() || is_forced, &said, now).await
}

/// The same of a comment; the policy is that of the first feed that holds its activity.
///
/// # Errors
/// As [`activity`].
pub async fn comment(
    tx: &mut Tx,
    by: By<'_>,
    is_forced: bool,
    (id, comment): (&str, &Comment),
    now: Timestamp,
) -> Result<()> {
    let (_, about) = activities::load(tx, &comment.activity).await?;
    let (Some(author), Some(feed)) = (&comment.user, about.feeds.first()) else { return Ok(()) };
    let said = Said { kind: decisions::COMMENT, id, author, feed, text: &comment.text };
    check(tx, by.is_some() || is_forced, &said, now).await
}

async fn check(tx: &mut Tx, is_wanted: bool, said: &Said<'_>, now: Timestamp) -> Result<()> {
    if !is_wanted || said.text.is_empty() || checks::is_bypassed(tx, said.author).await? {
        return Ok(());
    }
    let keys = checks::fallbacks(&format!("feeds:{}", said.feed.group()));
    let Some((key, policy)) = checks::find(tx, &keys, "").await? else { return Ok(()) };
    let content = Content { creator: said.author, id: said.id, texts: vec![said.text] };
    let outcome = checks::run(tx, &policy, &content, now).await?;
    match outcome.verdict() {
        Verdict::Keep => Ok(()),
        Verdict::Flag => {
            let found = Found { creator: Some(said.author.clone()), ..Found::of(&outcome, &key, now) };
            let entity = Entity::new(said.kind, said.id)?;
            let item = format!("{}:{}", said.kind, said.id);
            flags::add_found(tx, &entity, &found, &item, now).await.map(drop)
        }
        Verdict::Shadow | Verdict::Bounce | Verdict::Remove => {
            Err(Error::Moderated("the text was blocked by moderation policies".to_owned()))
        }
    }
}

#[cfg(test)]
mod tests;
