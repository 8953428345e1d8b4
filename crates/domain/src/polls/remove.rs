//! Removing polls and options with their votes, which may be more than one transaction removes.
//!
//! What goes is first hidden, then loses its votes step by step, then its row. If a step is the last before a crash, the
//! same call again goes on.

use ids::{Timestamp, UserId};
use store::{Direction, Limit};

use super::{Cast, options, permit, put, shown::tell, votes};
use crate::{
    App, Result, Tx,
    keyspace::{POLL, POLL_SHOWN, POLLED, V3_POLL_SHOWN, VOTE, VOTE_ORDER, VOTES},
};

/// Votes that one transaction removes: four rows each.
const STEP: usize = 200;

/// Removes the poll `id` with its votes. Messages and activities that show it stay.
///
/// # Errors
/// [`crate::Error::Absent`] when there is none, [`crate::Error::NotAllowed`] when the caller may not.
pub async fn delete(app: &App, caller: Option<&UserId>, id: &str, by: Option<&UserId>, now: Timestamp) -> Result<()> {
    app.write(async |tx| {
        let tenant = tx.tenant();
        if let Some(poll) = POLL.get(tx, tenant, &id.to_owned()).await?.filter(|poll| poll.is_going) {
            return permit::check_change(tx, caller, id, &poll).await;
        }
        let mut poll = permit::load_to_change(tx, caller, id).await?;
        tell(tx, "poll.deleted", (id, &poll), (by, None), now).await?;
        poll.is_going = true;
        put(tx, id, &poll);
        Ok(())
    })
    .await?;
    while !app.write(async |tx| Ok(clear(tx, id, Limit::rows(STEP)).await?.1)).await? {}
    Ok(())
}

/// Removes votes of the poll `id`, at most `limit`, and after the last the poll; how many votes, and whether all is done.
///
/// # Errors
/// When the store fails.
pub(super) async fn clear(tx: &mut Tx, id: &str, limit: Limit) -> Result<(usize, bool)> {
    let (tenant, key) = (tx.tenant(), id.to_owned());
    let Some(mut poll) = POLL.get(tx, tenant, &key).await? else { return Ok((0, true)) };
    let page = VOTE.scan(tx, tenant, VOTE.prefix(tenant, &(key.clone(),)), Direction::Forward, limit).await?;
    for ((_, vote_id), vote) in &page.rows {
        votes::remove(tx, id, &Cast { id: vote_id.clone(), vote: vote.clone() });
    }
    if page.more {
        if !poll.is_going {
            poll.is_going = true;
            put(tx, id, &poll);
        }
        return Ok((page.rows.len(), false));
    }
    POLL.delete(tx, tenant, &key);
    tx.delete_range(VOTES.prefix(tenant, &(key.clone(),)));
    tx.delete_range(POLL_SHOWN.prefix(tenant, &(key.clone(),)));
    tx.delete_range(V3_POLL_SHOWN.prefix(tenant, &(key.clone(),)));
    if let Some(maker) = &poll.created_by {
        POLLED.delete(tx, tenant, &(maker.to_string(), key, String::new()));
    }
    for option in &poll.options {
        forget_suggestion(tx, id, option);
    }
    Ok((page.rows.len(), true))
}

fn forget_suggestion(tx: &mut Tx, id: &str, option: &super::PollOption) {
    if let Some(user) = &option.by {
        let tenant = tx.tenant();
        POLLED.delete(tx, tenant, &options::mark(user, id, &option.id));
    }
}

/// Does a step of removing the options of the poll `id` that are on their way out; whether none is left.
///
/// # Errors
/// When the store fails.
pub(super) async fn sweep_options(tx: &mut Tx, id: &str) -> Result<bool> {
    let tenant = tx.tenant();
    let Some(mut poll) = POLL.get(tx, tenant, &id.to_owned()).await? else { return Ok(true) };
    let Some(gone) = poll.options.iter().position(|option| option.is_going) else { return Ok(true) };
    if !clear_option(tx, id, &poll.options[gone].id, Limit::rows(STEP)).await?.1 {
        return Ok(false);
    }
    let option = poll.options.remove(gone);
    forget_suggestion(tx, id, &option);
    put(tx, id, &poll);
    Ok(poll.options.iter().all(|option| !option.is_going))
}

/// Removes votes for the option, at most `limit`; how many, and whether those were all.
pub(super) async fn clear_option(tx: &mut Tx, id: &str, option: &str, limit: Limit) -> Result<(usize, bool)> {
    let (tenant, under) = (tx.tenant(), (id.to_owned(), option.to_owned()));
    let page = VOTE_ORDER.scan(tx, tenant, VOTE_ORDER.prefix(tenant, &under), Direction::Forward, limit).await?;
    for (key, ()) in &page.rows {
        let vote_key = (key.0.clone(), key.3.clone());
        match VOTE.get(tx, tenant, &vote_key).await? {
            Some(vote) => votes::remove(tx, id, &Cast { id: vote_key.1, vote }),
            None => VOTE_ORDER.delete(tx, tenant, key),
        }
    }
    if !page.more {
        VOTES.delete(tx, tenant, &under);
    }
    Ok((page.rows.len(), !page.more))
}
