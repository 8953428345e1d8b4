//! What becomes of what a user did with polls when the user goes (v2 §5.5).

use ids::UserId;
use store::{Direction, Limit, Rows, key::after};

use super::{
    Cast, Vote,
    options::SUGGESTED,
    put, remove,
    shown::{in_activities, in_messages},
    votes,
};
use crate::{
    Result, Tx,
    keyspace::{POLL, POLLED, VOTE},
};

/// Things that one step looks at.
const STEP: usize = 50;
/// Votes of others that one step removes.
const STEP_VOTES: usize = 150;

/// Does a step of removing what `user` did with polls, from `cursor` on; whether that were all.
///
/// For good, votes and answers go and are counted no more, and so do suggested options and polls of the user's with all
/// their votes. Otherwise votes stay, and what the user wrote in answers and options is blanked.
///
/// # Errors
/// When the store fails.
pub(crate) async fn leave(tx: &mut Tx, user: &UserId, is_hard: bool, cursor: &mut Vec<u8>) -> Result<bool> {
    let (tenant, page) = (tx.tenant(), done_by(tx, user, cursor).await?);
    for (key, ()) in page.rows {
        let (_, poll, what) = &key;
        let is_whole = match (what.strip_prefix(SUGGESTED), what.as_str(), is_hard) {
            (Some(option), ..) => drop_option(tx, user, poll, option, is_hard).await?,
            (None, "", true) => remove::clear(tx, poll, Limit::rows(STEP_VOTES)).await?.1,
            (None, "", false) => true,
            (None, vote, _) => drop_vote(tx, poll, vote, is_hard).await?,
        };
        if !is_whole {
            return Ok(false);
        }
        if is_hard {
            POLLED.delete(tx, tenant, &key);
        }
        *cursor = POLLED.key(tenant, &key);
        // What takes votes of others along is enough for one step.
        if is_hard && (what.is_empty() || what.starts_with(SUGGESTED)) {
            return Ok(false);
        }
    }
    Ok(!page.more)
}

/// Does a step of removing votes and answers of `user` in polls that activities show and no message, from `cursor` on: they
/// are counted no more. Whether those were all.
///
/// # Errors
/// When the store fails.
pub(crate) async fn leave_activities(tx: &mut Tx, user: &UserId, cursor: &mut Vec<u8>) -> Result<bool> {
    let (tenant, page) = (tx.tenant(), done_by(tx, user, cursor).await?);
    for (key, ()) in page.rows {
        let (_, poll, what) = &key;
        let is_vote = !what.is_empty() && !what.starts_with(SUGGESTED);
        if is_vote && in_messages(tx, poll).await?.is_empty() && !in_activities(tx, poll).await?.is_empty() {
            drop_vote(tx, poll, what, true).await?;
            POLLED.delete(tx, tenant, &key);
        }
        *cursor = POLLED.key(tenant, &key);
    }
    Ok(!page.more)
}

/// What `user` did with polls, from `cursor` on, as much as one step looks at.
async fn done_by(tx: &mut Tx, user: &UserId, cursor: &[u8]) -> Result<Rows<(String, String, String), ()>> {
    let tenant = tx.tenant();
    let mut range = POLLED.prefix(tenant, &(user.to_string(),));
    if !cursor.is_empty() {
        range.start = after(cursor.to_vec());
    }
    Ok(POLLED.scan(tx, tenant, range, Direction::Forward, Limit::rows(STEP)).await?)
}

async fn drop_vote(tx: &mut Tx, poll: &str, id: &str, is_hard: bool) -> Result<bool> {
    let (tenant, key) = (tx.tenant(), (poll.to_owned(), id.to_owned()));
    let Some(vote) = VOTE.get(tx, tenant, &key).await? else { return Ok(true) };
    match is_hard {
        true => votes::remove(tx, poll, &Cast { id: key.1, vote }),
        false if vote.answer.is_some() => {
            VOTE.put(tx, tenant, &key, &Vote { answer: Some(String::new()), ..vote });
        }
        false => {}
    }
    Ok(true)
}

async fn drop_option(tx: &mut Tx, user: &UserId, id: &str, option: &str, is_hard: bool) -> Result<bool> {
    let tenant = tx.tenant();
    let Some(mut poll) = POLL.get(tx, tenant, &id.to_owned()).await? else { return Ok(true) };
    let Some(at) = poll.options.iter().position(|known| known.id == option && known.by.as_ref() == Some(user)) else {
        return Ok(true);
    };
    if !is_hard {
        poll.options[at].text.clear();
        poll.options[at].custom = "{}".to_owned();
        put(tx, id, &poll);
        return Ok(true);
    }
    if !remove::clear_option(tx, id, option, Limit::rows(STEP_VOTES)).await?.1 {
        return Ok(false);
    }
    poll.options.remove(at);
    put(tx, id, &poll);
    Ok(true)
}
