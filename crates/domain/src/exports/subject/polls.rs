//! What a user did with polls.

use ids::UserId;
use store::Limit;

use super::{UserRow, Walk};
use crate::{
    Result, Tx,
    keyspace::{POLL, POLLED, VOTE},
    polls::Cast,
};

/// Rows of the index that are read at a time, each with the row that it leads to.
const LED_MAX: usize = 50;

/// The next polls that `user` made, and options that `user` suggested; `None` after the last.
pub(super) async fn made(tx: &mut Tx, user: &UserId, walk: &mut Walk) -> Result<Option<Vec<UserRow>>> {
    let Some(rows) = next(tx, user, walk).await? else { return Ok(None) };
    let (tenant, mut found) = (tx.tenant(), Vec::new());
    for (id, what) in rows {
        let option = what.strip_prefix('+');
        if option.is_none() && !what.is_empty() {
            continue;
        }
        let Some(poll) = POLL.get(tx, tenant, &id).await? else { continue };
        match option {
            None => found.push(UserRow::Poll(id, Box::new(poll))),
            Some(option) => {
                let option = poll.options.into_iter().find(|known| known.id == option);
                found.extend(option.map(|option| UserRow::PollOption(id, Box::new(option))));
            }
        }
    }
    Ok(Some(found))
}

/// The next votes and answers of `user`; `None` after the last.
pub(super) async fn votes(tx: &mut Tx, user: &UserId, walk: &mut Walk) -> Result<Option<Vec<UserRow>>> {
    let Some(rows) = next(tx, user, walk).await? else { return Ok(None) };
    let is_vote = |(_, what): &(String, String)| !what.is_empty() && !what.starts_with('+');
    let keys: Vec<_> = rows.into_iter().filter(is_vote).collect();
    let tenant = tx.tenant();
    let votes = VOTE.get_many(tx, tenant, &keys).await?;
    let row = |((poll, id), vote): ((String, String), Option<_>)| Some(UserRow::Vote(poll, Cast { id, vote: vote? }));
    Ok(Some(keys.into_iter().zip(votes).filter_map(row).collect()))
}

async fn next(tx: &mut Tx, user: &UserId, walk: &mut Walk) -> Result<Option<Vec<(String, String)>>> {
    let range = POLLED.prefix(tx.tenant(), &(user.to_string(),));
    let rows = walk.next(tx, &POLLED, range, Limit::rows(LED_MAX)).await?;
    Ok(rows.map(|rows| rows.into_iter().map(|((_, poll, what), ())| (poll, what)).collect()))
}
