//! Who of those that watch a feed of v3 hears what happens in it: who may see it then, not only when it was asked for.

use std::sync::Arc;

use domain::{
    Error, Tx,
    v3::{activities::Audience, events::Subject, feeds, levels, permit},
};

use super::hub::Connection;

/// Those of `receivers` who may hear of `subject`.
///
/// # Errors
/// When the store fails.
pub(super) async fn who_may_hear(
    tx: &mut Tx,
    subject: &Subject,
    mut receivers: Vec<Arc<Connection>>,
) -> domain::Result<Vec<Arc<Connection>>> {
    let activity = match subject.activity(tx).await {
        Ok(activity) => activity,
        // Nobody knows any more who was to see it.
        Err(Error::Absent(_)) => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    if let Some((_, activity)) = &activity
        && activity.content.audience != Audience::Public
    {
        let mut open = Vec::with_capacity(receivers.len());
        for connection in receivers {
            let user = &connection.identity.user;
            // What is shown to some as a preview is told to those alone who see all of it.
            let is_tagged = matches!(activity.content.audience, Audience::Tag(_));
            if activity.is_of(user) || (is_tagged && levels::opens(tx, activity, user).await?) {
                open.push(connection);
            }
        }
        receivers = open;
    }
    let feed = match &subject.fid {
        Some(fid) => feeds::get(tx, fid).await?,
        None => None,
    };
    // That a feed is gone says nothing that its watchers did not know.
    let Some(feed) = feed else { return Ok(receivers) };
    let readers = permit::Readers::of(tx, &feed).await?;
    if readers.are_all() {
        return Ok(receivers);
    }
    let mut hearing = Vec::with_capacity(receivers.len());
    for connection in receivers {
        if readers.include(tx, &connection.identity.user).await? {
            hearing.push(connection);
        }
    }
    Ok(hearing)
}
