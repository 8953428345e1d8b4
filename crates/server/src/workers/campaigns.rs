//! Sending campaigns: a commit for each recipient (chat §11.13).

use std::sync::Arc;

use domain::{
    Error,
    chat::campaigns,
    tasks::{self, Step},
};
use ids::{ChannelId, Timestamp, UserId};

use super::Failed;
use crate::{Server, apps::Tenant, chat::channels::distinct};

/// Sends the campaign `campaign`, as far as the task `id` is held.
///
/// # Errors
/// When the store fails; what is wrong with one recipient ends nothing.
pub(super) async fn run(server: &Server, tenant: &Arc<Tenant>, id: &str, campaign: &str) -> Result<(), Failed> {
    let (app, holder) = (&tenant.app, server.tasks.holder());
    let now = moment(server);
    let begun = app.write(async |tx| match tasks::held(tx, id, holder).await? {
        Some(_) => campaigns::begin(tx, campaign, id, now).await,
        None => Ok(None),
    });
    for recipient in begun.await?.unwrap_or_default() {
        let goes_on = match send(server, tenant, (id, campaign), &recipient).await {
            Err(Error::Store(error)) => return Err(Error::Store(error).into()),
            // Who was deleted, a channel that is not there, a poll that is closed: the others get it all the same.
            Err(_) => {
                let now = moment(server);
                app.write(async |tx| campaigns::pass_over(tx, campaign, &recipient, now).await).await?
            }
            Ok(goes_on) => goes_on,
        };
        if !goes_on {
            break;
        }
    }
    let now = moment(server);
    let ended = app.write(async |tx| {
        let Some(task) = tasks::held(tx, id, holder).await? else { return Ok(()) };
        campaigns::complete(tx, campaign, now).await?;
        tasks::keep(tx, id, task, Step::Done, now);
        Ok(())
    });
    Ok(ended.await?)
}

/// Sends it to one recipient; whether it goes on after that.
async fn send(server: &Server, tenant: &Tenant, (id, campaign): (&str, &str), recipient: &str) -> domain::Result<bool> {
    let (app, holder, now) = (&tenant.app, server.tasks.holder(), moment(server));
    let opened = app.write(async |tx| match tasks::held(tx, id, holder).await? {
        Some(_) => campaigns::open(tx, campaign, recipient, &channel_of, now).await,
        None => Ok(None),
    });
    let Some(channel) = opened.await? else { return Ok(false) };
    let now = moment(server);
    let sent = app.write(async |tx| {
        let Some(task) = tasks::held(tx, id, holder).await? else { return Ok(false) };
        let goes_on = campaigns::deliver(tx, campaign, recipient, &channel, now).await?;
        tasks::keep(tx, id, task, Step::More, now);
        Ok(goes_on)
    });
    sent.await
}

/// The channel of these members.
fn channel_of(kind: &str, members: &[UserId]) -> domain::Result<ChannelId> {
    let named = distinct(kind, members.iter());
    named.map_err(|_| Error::Unfit(format!("channel_template.type: '{kind}' is no channel type")))
}

/// Now, but later than any moment before.
fn moment(server: &Server) -> Timestamp {
    server.moments.next(Timestamp::from_micros(server.clock.now_micros()))
}
