//! Sending a campaign, one recipient after the other.

use std::collections::BTreeSet;

use ids::{ChannelId, MessageId, Timestamp, UserId};

use super::{
    Campaign, Plan, Status, load, put,
    templates::{Distinct, Parties},
};
use crate::{
    Error, Result, Tx,
    chat::{
        channels, messages,
        segments::{self, Kind},
    },
    users::{self, User},
};

/// Before the ids of users in the order of recipients; cids of channels have no space.
const USER: &str = "user ";

/// How a user stands among recipients.
pub(super) fn named(user: &UserId) -> String {
    format!("{USER}{user}")
}

/// Begins, or goes on with, the campaign `id` that `task` sends; whom it goes to, after whoever was looked at already. Nothing
/// when the task has nothing to do with it any more.
///
/// # Errors
/// When the store fails.
pub async fn begin(tx: &mut Tx, id: &str, task: &str, now: Timestamp) -> Result<Option<Vec<String>>> {
    let mut campaign = match load(tx, id).await {
        Err(Error::Absent(_)) => return Ok(None),
        campaign => campaign?,
    };
    let is_its = campaign.task.as_deref() == Some(task);
    if !is_its || !matches!(campaign.status, Status::Scheduled | Status::InProgress) {
        return Ok(None);
    }
    let all = recipients(tx, &campaign.plan).await?;
    let outcome = &mut campaign.outcome;
    outcome.recipients = u32::try_from(all.len()).unwrap_or(u32::MAX);
    outcome.started_at.get_or_insert(now);
    let last = outcome.last.clone().unwrap_or_default();
    campaign.status = Status::InProgress;
    put(tx, id, &campaign);
    Ok(Some(all.into_iter().filter(|recipient| *recipient > last).collect()))
}

/// Whom a campaign goes to, in the order in which they are looked at.
///
/// # Errors
/// When the store fails.
pub async fn recipients(tx: &mut Tx, plan: &Plan) -> Result<BTreeSet<String>> {
    let mut all: BTreeSet<String> = plan.users.iter().map(named).collect();
    for id in &plan.segments {
        let kind = match segments::load(tx, id).await {
            Err(Error::Absent(_)) => continue,
            segment => segment?.segment.kind,
        };
        for listed in segments::targets(tx, id).await? {
            all.insert(match kind {
                Kind::User => format!("{USER}{}", listed.id),
                Kind::Channel => listed.id,
            });
        }
    }
    Ok(all)
}

/// Who says it, and who gets it; nobody in particular, if it goes into a channel.
async fn parties(tx: &mut Tx, plan: &Plan, recipient: &str) -> Result<((UserId, User), Option<(UserId, User)>)> {
    let sender = plan.sender.clone().ok_or_else(|| Error::Unfit("its sender was erased".to_owned()))?;
    let profile = users::load(tx, &sender).await?;
    let receiver = match recipient.strip_prefix(USER) {
        None => None,
        Some(user) => {
            let user = UserId::parse(user).map_err(|error| Error::Unfit(error.to_string()))?;
            let known = users::load(tx, &user).await?;
            Some((user, known))
        }
    };
    Ok(((sender, profile), receiver))
}

/// The channel in which `recipient` gets the campaign `id`, made if it is not there; nothing when the campaign is over.
///
/// # Errors
/// What is wrong with this recipient, of whom nothing is kept then; or the store's failure.
pub async fn open(
    tx: &mut Tx,
    id: &str,
    recipient: &str,
    distinct: &Distinct,
    now: Timestamp,
) -> Result<Option<ChannelId>> {
    let Some(mut campaign) = running(tx, id, now).await? else { return Ok(None) };
    let (sender, receiver) = parties(tx, &campaign.plan, recipient).await?;
    let Some((user, profile)) = &receiver else {
        return ChannelId::parse(recipient).map(Some).map_err(|error| Error::Unfit(error.to_string()));
    };
    let parties = Parties { sender: (&sender.0, &sender.1), receiver: Some((user, profile)) };
    let (channel, draft) = parties.channel(&campaign.plan, distinct)?;
    if channels::get(tx, &channel).await?.is_none() {
        if !campaign.plan.creates_channels {
            return Err(Error::Absent(format!("channel {channel} does not exist")));
        }
        channels::get_or_create(tx, &channel, &draft, now).await?;
        campaign.outcome.channels += 1;
        put(tx, id, &campaign);
    }
    Ok(Some(channel))
}

/// Says in `channel` to `recipient` what the campaign `id` says; whether it goes on after that.
///
/// # Errors
/// As [`open`].
pub async fn deliver(tx: &mut Tx, id: &str, recipient: &str, channel: &ChannelId, now: Timestamp) -> Result<bool> {
    let Some(mut campaign) = running(tx, id, now).await? else { return Ok(false) };
    let (sender, receiver) = parties(tx, &campaign.plan, recipient).await?;
    let receiver = receiver.as_ref().map(|(user, profile)| (user, profile));
    let message = Parties { sender: (&sender.0, &sender.1), receiver }.message(&campaign.plan);
    let message_id = MessageId::parse(&format!("campaign-{id}-{}", campaign.outcome.looked_at))
        .map_err(|error| Error::Unfit(error.to_string()))?;
    messages::send(tx, None, channel, &message_id, &message, now).await?;
    campaign.outcome.messages += 1;
    campaign.outcome.users += u32::from(receiver.is_some());
    looked_at(tx, id, campaign, recipient);
    Ok(true)
}

/// Notes that nothing can come of `recipient`; whether the campaign goes on after that.
///
/// # Errors
/// When the store fails.
pub async fn pass_over(tx: &mut Tx, id: &str, recipient: &str, now: Timestamp) -> Result<bool> {
    let Some(campaign) = running(tx, id, now).await? else { return Ok(false) };
    looked_at(tx, id, campaign, recipient);
    Ok(true)
}

fn looked_at(tx: &mut Tx, id: &str, mut campaign: Campaign, recipient: &str) {
    campaign.outcome.looked_at += 1;
    campaign.outcome.last = Some(recipient.to_owned());
    put(tx, id, &campaign);
}

/// The campaign, if it is being sent; its time may be over.
async fn running(tx: &mut Tx, id: &str, now: Timestamp) -> Result<Option<Campaign>> {
    let mut campaign = match load(tx, id).await {
        Err(Error::Absent(_)) => return Ok(None),
        campaign => campaign?,
    };
    if campaign.status != Status::InProgress {
        return Ok(None);
    }
    if campaign.stop_at.is_some_and(|stop_at| stop_at <= now) {
        campaign.status = Status::Stopped;
        campaign.updated_at = now;
        put(tx, id, &campaign);
        return Ok(None);
    }
    Ok(Some(campaign))
}

/// Notes that everybody was looked at.
///
/// # Errors
/// When the store fails.
pub async fn complete(tx: &mut Tx, id: &str, now: Timestamp) -> Result<()> {
    if let Some(mut campaign) = running(tx, id, now).await? {
        campaign.status = Status::Completed;
        campaign.outcome.completed_at = Some(now);
        campaign.updated_at = now;
        put(tx, id, &campaign);
    }
    Ok(())
}
