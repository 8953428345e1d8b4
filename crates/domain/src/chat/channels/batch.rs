//! Changing many channels in one call: a task that takes one after the other (chat §11.3, `PUT /channels/batch`).
//!
//! A step is one channel. One that cannot be changed is noted with the reason, and the others go on.

use ids::{ChannelId, Timestamp, UserId, json::Object};
use minicbor::{Decode, Encode};
use serde_json::json;
use store::{Direction, Limit, key::after};

use super::{Change, Details, hide, patch, show, update};
use crate::{
    Result, Tx,
    chat::{
        events::{self, Event},
        members::{self, Newcomer, Patch, Terms},
    },
    custom::Edit,
    keyspace::{CHANNEL, Chat},
    tasks::{Progress, Step},
};

/// Channels that one batch may name.
pub const CHANNELS_MAX: usize = 500;
/// Channels whose failure is told with its reason; of more only the number is known.
const FAILED_MAX: usize = 500;
/// As what channels are counted that were changed.
const CHANGED: &str = "changed";
/// As what channels are counted that could not be.
const FAILED: &str = "failed";

/// What becomes of which channels.
#[derive(Clone, PartialEq, Debug, Encode, Decode)]
pub struct Batch {
    /// What is done.
    #[n(0)]
    pub operation: Operation,
    /// To which channels.
    #[n(1)]
    pub reach: Reach,
    /// With whom; of a change of data or tags, with nobody.
    #[n(2)]
    pub seats: Vec<Seat>,
    /// What is changed of the data.
    #[n(3)]
    pub data: Data,
    /// The filter tags that come or go.
    #[n(4)]
    #[cbor(default)]
    pub tags: Vec<String>,
}

/// What is done to each channel.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(index_only)]
pub enum Operation {
    /// Users become members.
    #[n(0)]
    AddMembers,
    /// Members go.
    #[n(1)]
    RemoveMembers,
    /// Users are invited.
    #[n(2)]
    InviteMembers,
    /// Members get roles.
    #[n(3)]
    AssignRoles,
    /// Users become moderators, and members if need be.
    #[n(4)]
    AddModerators,
    /// Moderators are plain members again.
    #[n(5)]
    DemoteModerators,
    /// Members do not see the channel until something is said.
    #[n(6)]
    Hide,
    /// They see it again.
    #[n(7)]
    Show,
    /// Members archive the channel.
    #[n(8)]
    Archive,
    /// They take that back.
    #[n(9)]
    Unarchive,
    /// The channel's data changes.
    #[n(10)]
    UpdateData,
    /// Filter tags come.
    #[n(11)]
    AddFilterTags,
    /// Filter tags go.
    #[n(12)]
    RemoveFilterTags,
}

impl Operation {
    /// Every operation.
    pub const ALL: [Operation; 13] = [
        Operation::AddMembers,
        Operation::RemoveMembers,
        Operation::InviteMembers,
        Operation::AssignRoles,
        Operation::AddModerators,
        Operation::DemoteModerators,
        Operation::Hide,
        Operation::Show,
        Operation::Archive,
        Operation::Unarchive,
        Operation::UpdateData,
        Operation::AddFilterTags,
        Operation::RemoveFilterTags,
    ];

    /// The API's name.
    pub fn name(self) -> &'static str {
        match self {
            Operation::AddMembers => "addMembers",
            Operation::RemoveMembers => "removeMembers",
            Operation::InviteMembers => "inviteMembers",
            Operation::AssignRoles => "assignRoles",
            Operation::AddModerators => "addModerators",
            Operation::DemoteModerators => "demoteModerators",
            Operation::Hide => "hide",
            Operation::Show => "show",
            Operation::Archive => "archive",
            Operation::Unarchive => "unarchive",
            Operation::UpdateData => "updateData",
            Operation::AddFilterTags => "addFilterTags",
            Operation::RemoveFilterTags => "removeFilterTags",
        }
    }

    /// Whether it is about filter tags.
    pub fn is_of_tags(self) -> bool {
        matches!(self, Operation::AddFilterTags | Operation::RemoveFilterTags)
    }

    /// Whether users who are no members come by it.
    pub fn brings_users(self) -> bool {
        matches!(self, Operation::AddMembers | Operation::InviteMembers | Operation::AddModerators)
    }
}

/// Which channels: those that every list that is given has.
#[derive(Clone, PartialEq, Debug, Default, Encode, Decode)]
pub struct Reach {
    /// These, in their order, none twice.
    #[n(0)]
    pub channels: Option<Vec<ChannelId>>,
    /// Those of these types, in their order, none twice.
    #[n(1)]
    pub kinds: Option<Vec<String>>,
    /// Those that have one of these filter tags.
    #[n(2)]
    pub tags: Option<Vec<String>>,
}

/// A user with whom something is done.
#[derive(Clone, PartialEq, Debug, Encode, Decode)]
pub struct Seat {
    /// Who.
    #[n(0)]
    pub user: UserId,
    /// The role in the channel.
    #[n(1)]
    pub channel_role: Option<String>,
}

/// What is changed of a channel's data; what is absent stays.
#[derive(Clone, PartialEq, Debug, Default, Encode, Decode)]
pub struct Data {
    /// See [`Details::team`].
    #[n(0)]
    pub team: Option<String>,
    /// See [`Details::is_frozen`].
    #[n(1)]
    pub is_frozen: Option<bool>,
    /// See [`Details::is_disabled`].
    #[n(2)]
    pub is_disabled: Option<bool>,
    /// See [`Details::is_auto_translated`].
    #[n(3)]
    pub is_auto_translated: Option<bool>,
    /// See [`Details::auto_translation_language`].
    #[n(4)]
    pub auto_translation_language: Option<String>,
    /// See [`Details::config_overrides`]: a JSON object.
    #[n(5)]
    pub config_overrides: Option<String>,
    /// The application's own fields that are set: a JSON object, or empty.
    #[n(6)]
    pub custom: String,
}

impl From<Details> for Data {
    fn from(details: Details) -> Self {
        Data {
            team: details.team,
            is_frozen: details.is_frozen,
            is_disabled: details.is_disabled,
            is_auto_translated: details.is_auto_translated,
            auto_translation_language: details.auto_translation_language,
            config_overrides: details.config_overrides.map(|overrides| overrides.to_string()),
            custom: details.custom.to_string(),
        }
    }
}

impl Data {
    fn details(&self) -> Details {
        let object = |json: &String| Object::parse(json).expect("it was an object before it was stored");
        Details {
            team: self.team.clone(),
            is_frozen: self.is_frozen,
            is_disabled: self.is_disabled,
            is_auto_translated: self.is_auto_translated,
            auto_translation_language: self.auto_translation_language.clone(),
            config_overrides: self.config_overrides.as_ref().map(object),
            ..Details::default()
        }
    }

    fn edit(&self) -> Edit {
        Edit { set: Object::parse(&self.custom).unwrap_or_default(), unset: Vec::new() }
    }
}

impl Batch {
    /// Checks what holds for every channel, so that nothing is begun that cannot end well.
    ///
    /// # Errors
    /// [`Error::Unfit`](crate::Error::Unfit) when overrides or a path are not what they must be.
    pub fn check(&self) -> Result<()> {
        self.data.details().check()?;
        self.data.edit().check()
    }

    fn newcomers(&self) -> Vec<Newcomer> {
        let newcomer =
            |seat: &Seat| Newcomer { channel_role: seat.channel_role.clone(), ..Newcomer::plain(seat.user.clone()) };
        self.seats.iter().map(newcomer).collect()
    }

    fn users(&self) -> Vec<UserId> {
        self.seats.iter().map(|seat| seat.user.clone()).collect()
    }

    /// What of it one [`Change`] says.
    fn change(&self) -> Change {
        let mut change = Change { terms: Terms::default(), ..Change::default() };
        match self.operation {
            Operation::AddMembers => change.add_members = self.newcomers(),
            Operation::RemoveMembers => change.remove_members = self.users(),
            Operation::InviteMembers => change.invites = self.newcomers(),
            Operation::AssignRoles => change.assign_roles = self.newcomers(),
            Operation::AddModerators => change.add_moderators = self.users(),
            Operation::DemoteModerators => change.demote_moderators = self.users(),
            Operation::AddFilterTags => change.add_filter_tags.clone_from(&self.tags),
            Operation::RemoveFilterTags => change.remove_filter_tags.clone_from(&self.tags),
            Operation::Hide | Operation::Show | Operation::Archive | Operation::Unarchive | Operation::UpdateData => {}
        }
        change
    }

    async fn apply(&self, tx: &mut Tx, id: &ChannelId, now: Timestamp) -> Result<()> {
        let archive = |is_archived| Patch { is_archived: Some(is_archived), ..Patch::default() };
        match self.operation {
            Operation::UpdateData => {
                return patch(tx, id, &self.data.details(), &self.data.edit(), None, now).await;
            }
            Operation::Hide | Operation::Show | Operation::Archive | Operation::Unarchive => {
                super::load(tx, id).await?;
            }
            _ => return update(tx, id, &self.change(), None, now).await,
        }
        for Seat { user, .. } in &self.seats {
            match self.operation {
                Operation::Hide => hide(tx, id, user, false, now).await?,
                Operation::Show => show(tx, id, user, now).await?,
                Operation::Archive => drop(members::patch(tx, id, user, &archive(true), now).await?),
                _ => drop(members::patch(tx, id, user, &archive(false), now).await?),
            }
        }
        Ok(())
    }
}

/// What comes next.
enum Next {
    /// This channel.
    Channel(ChannelId),
    /// Nothing up to this one; it is to be looked on.
    Later(ChannelId),
    /// Nothing.
    End,
}

/// Does a step of the task `id`: one channel.
///
/// # Errors
/// What is wrong with the channel at hand, which [`skip`] notes; or the store's failure.
pub async fn step(tx: &mut Tx, id: &str, batch: &Batch, progress: &mut Progress, times: Times) -> Result<Step> {
    if progress.cursor.is_empty() {
        told(tx, id, batch, progress, "started", times);
    }
    match next(tx, &batch.reach, &progress.cursor).await? {
        Next::Channel(channel) => {
            batch.apply(tx, &channel, times.now).await?;
            progress.count(CHANGED, 1);
            progress.cursor = channel.as_str().into();
            Ok(Step::More)
        }
        Next::Later(channel) => {
            progress.cursor = channel.as_str().into();
            Ok(Step::More)
        }
        Next::End => {
            told(tx, id, batch, progress, "completed", times);
            Ok(Step::Done)
        }
    }
}

/// When a batch was planned, and what time it is.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// When it was planned.
    pub planned_at: Timestamp,
    /// What time it is.
    pub now: Timestamp,
}

/// Goes on after the channel at hand, of which nothing can come because of `failure`.
///
/// # Errors
/// When the store fails.
pub async fn skip(tx: &mut Tx, batch: &Batch, progress: &mut Progress, failure: &str) -> Result<()> {
    if let Next::Channel(channel) = next(tx, &batch.reach, &progress.cursor).await? {
        progress.count(FAILED, 1);
        progress.cursor = channel.as_str().into();
        if progress.failed.len() < FAILED_MAX {
            progress.failed.push((channel.to_string(), failure.to_owned()));
        }
    }
    Ok(())
}

/// The first channel after the one that `cursor` names.
async fn next(tx: &mut Tx, reach: &Reach, cursor: &[u8]) -> Result<Next> {
    let done = std::str::from_utf8(cursor).ok().and_then(|cid| ChannelId::parse(cid).ok());
    let Some(channels) = &reach.channels else { return next_of_kinds(tx, reach, done.as_ref()).await };
    let rest = channels.iter().filter(|channel| done.as_ref().is_none_or(|done| *channel > done));
    for channel in rest.filter(|channel| is_of(reach, channel)) {
        if is_tagged(reach, super::get(tx, channel).await?.as_ref()) {
            return Ok(Next::Channel(channel.clone()));
        }
    }
    Ok(Next::End)
}

async fn next_of_kinds(tx: &mut Tx, reach: &Reach, done: Option<&ChannelId>) -> Result<Next> {
    let tenant = tx.tenant();
    let kinds = reach.kinds.as_deref().unwrap_or_default();
    for kind in kinds.iter().filter(|kind| done.is_none_or(|done| kind.as_str() >= done.kind())) {
        let mut range = CHANNEL.prefix(tenant, &(kind.clone(),));
        if let Some(done) = done.filter(|done| done.kind() == kind) {
            range.start = after(CHANNEL.key(tenant, &Chat(done.clone())));
        }
        let page = CHANNEL.scan(tx, tenant, range, Direction::Forward, Limit::PAGE).await?;
        let last = page.rows.last().map(|(Chat(id), _)| id.clone());
        let mut fitting = page.rows.into_iter().filter(|(_, row)| row.deleted_at.is_none());
        if let Some((Chat(id), _)) = fitting.find(|(_, row)| is_tagged(reach, Some(row))) {
            return Ok(Next::Channel(id));
        }
        if let Some(last) = last.filter(|_| page.more) {
            return Ok(Next::Later(last));
        }
    }
    Ok(Next::End)
}

fn is_of(reach: &Reach, channel: &ChannelId) -> bool {
    reach.kinds.as_ref().is_none_or(|kinds| kinds.iter().any(|kind| kind == channel.kind()))
}

/// Whether the channel has a tag that is asked for; one that is not there fails later, with its reason.
fn is_tagged(reach: &Reach, channel: Option<&super::Channel>) -> bool {
    match (&reach.tags, channel) {
        (Some(tags), Some(channel)) => channel.filter_tags.iter().any(|tag| tags.contains(tag)),
        (Some(_), None) => false,
        (None, _) => true,
    }
}

/// Tells of the batch, which is about no channel and by nobody: `channel_batch_update.started` and `.completed`.
fn told(tx: &mut Tx, id: &str, batch: &Batch, progress: &Progress, kind: &str, times: Times) {
    let finished_at = (kind == "completed").then_some(times.now);
    let more = outcome(id, batch, progress, kind, times.planned_at, finished_at);
    events::record(tx, Event::new(&format!("channel_batch_update.{kind}"), times.now, None).with(more.to_string()));
}

/// What came of the batch that the task `id` does, as events and the task tell it.
pub fn outcome(
    id: &str,
    batch: &Batch,
    progress: &Progress,
    status: &str,
    planned_at: Timestamp,
    finished_at: Option<Timestamp>,
) -> serde_json::Value {
    let count = |wanted: &str| progress.counts.iter().find(|(name, _)| name == wanted).map_or(0, |(_, count)| *count);
    let mut reasons: Vec<(&str, Vec<&str>)> = Vec::new();
    for (cid, reason) in &progress.failed {
        match reasons.iter_mut().find(|(known, _)| known == reason) {
            Some((_, cids)) => cids.push(cid),
            None => reasons.push((reason, vec![cid])),
        }
    }
    let failed: Vec<_> = reasons.iter().map(|(reason, cids)| json!({ "reason": reason, "cids": cids })).collect();
    json!({
        "task_id": id,
        "operation": batch.operation.name(),
        "status": status,
        "success_channels_count": count(CHANGED),
        "failed_channels": failed,
        "batch_created_at": planned_at.rfc3339_short().to_string(),
        "finished_at": finished_at.map(|at| at.rfc3339_short().to_string()),
    })
}

/// Makes the users who come by the batch, as calls of the app's own server do.
///
/// # Errors
/// [`Error::Unfit`](crate::Error::Unfit) for one who was deleted.
pub async fn ensure_users(tx: &mut Tx, batch: &Batch, now: Timestamp) -> Result<()> {
    if batch.operation.brings_users() {
        for seat in &batch.seats {
            crate::users::ensure(tx, &seat.user, now).await?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
