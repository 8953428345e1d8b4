//! Campaigns: one message to many users, or into many channels (chat §11.13, §11.14.16).
//!
//! Whom a campaign goes to is looked up when it runs. Each recipient is one commit, which notes how far the campaign came: a
//! killed worker's campaign goes on where it was, and nobody gets the message twice.

mod run;
mod templates;

use std::borrow::Cow;

use ids::{Timestamp, UserId};
use minicbor::{Decode, Encode};

use super::segments;
use crate::{
    Error, Result, Tx,
    filter::{Cursor, Field, Filter, Kind as FieldKind, Page, Row, Schema, Sort, Value, page},
    keyspace::CAMPAIGN,
    rows,
    tasks::{self, Kind},
    users,
};

pub use run::{begin, complete, deliver, open, pass_over, recipients};
pub use templates::Distinct;

/// The most campaigns of an app.
const CAMPAIGNS_MAX: usize = 1000;
/// The most users and segments that a campaign names.
const NAMED_MAX: usize = 1000;
/// The longest id, in bytes: ids of messages are made of it.
const ID_BYTES_MAX: usize = 64;
/// The longest name, in characters.
const NAME_CHARS_MAX: usize = 128;
/// The longest description, in characters.
const DESCRIPTION_CHARS_MAX: usize = 1024;
/// The most bytes of a template.
const TEMPLATE_BYTES_MAX: usize = 25 * 1024;

/// How a campaign stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(index_only)]
pub enum Status {
    /// Nobody started it.
    #[n(0)]
    Draft,
    /// It starts later.
    #[n(1)]
    Scheduled,
    /// It is being sent.
    #[n(2)]
    InProgress,
    /// Somebody stopped it, or its time was over.
    #[n(3)]
    Stopped,
    /// It was sent.
    #[n(4)]
    Completed,
}

impl Status {
    /// What the API calls it.
    pub fn name(self) -> &'static str {
        match self {
            Status::Draft => "draft",
            Status::Scheduled => "scheduled",
            Status::InProgress => "in_progress",
            Status::Stopped => "stopped",
            Status::Completed => "completed",
        }
    }
}

/// What a campaign is to do.
#[derive(Clone, PartialEq, Debug, Default, Encode, Decode)]
pub struct Plan {
    /// What people call it.
    #[n(0)]
    pub name: String,
    /// What it is for.
    #[n(1)]
    pub description: String,
    /// Who says it; nobody any more, if the user was erased.
    #[n(2)]
    pub sender: Option<UserId>,
    /// The segments that it goes to.
    #[n(3)]
    pub segments: Vec<String>,
    /// The users that it goes to.
    #[n(4)]
    pub users: Vec<UserId>,
    /// The text; `{{receiver.id}}`, `{{receiver.name}}`, `{{sender.id}}` and `{{sender.name}}` stand for what they say.
    #[n(5)]
    pub text: String,
    /// What hangs on the message: JSON objects in the classic shape.
    #[n(6)]
    pub attachments: Vec<String>,
    /// The poll that it shows; empty for none.
    #[n(7)]
    pub poll: String,
    /// The own fields of the message: a JSON object.
    #[n(8)]
    pub custom: String,
    /// Whether searches were to find it, as it was said.
    #[n(9)]
    pub searchable: Option<bool>,
    /// In which channels users get it: a JSON object, as it was sent; in that with the sender alone, if absent.
    #[n(10)]
    pub channel: Option<String>,
    /// Whether channels are made that are not there.
    #[n(11)]
    pub creates_channels: bool,
    /// Whether users see channels again that they hid.
    #[n(12)]
    pub shows_channels: bool,
    /// Whether nobody's devices are to be told.
    #[n(13)]
    pub skips_push: bool,
    /// Whether hooks were not to be told, as it was said.
    #[n(14)]
    pub skips_webhook: bool,
    /// How the sender takes part, as it was said.
    #[n(15)]
    pub sender_mode: String,
    /// Who sees the sender, as it was said.
    #[n(16)]
    pub sender_visibility: String,
}

/// What came of a campaign so far.
#[derive(Clone, PartialEq, Eq, Debug, Default, Encode, Decode)]
pub struct Outcome {
    /// The last recipient that was looked at.
    #[n(0)]
    pub last: Option<String>,
    /// How many recipients there are.
    #[n(1)]
    pub recipients: u32,
    /// How many were looked at.
    #[n(2)]
    pub looked_at: u32,
    /// How many messages were sent.
    #[n(3)]
    pub messages: u32,
    /// To how many users.
    #[n(4)]
    pub users: u32,
    /// How many channels were made.
    #[n(5)]
    pub channels: u32,
    /// When it began.
    #[n(6)]
    pub started_at: Option<Timestamp>,
    /// When it ended.
    #[n(7)]
    pub completed_at: Option<Timestamp>,
}

/// A campaign.
#[derive(Clone, PartialEq, Debug, Encode, Decode)]
pub struct Campaign {
    /// What it is to do.
    #[n(0)]
    pub plan: Plan,
    /// How it stands.
    #[n(1)]
    pub status: Status,
    /// When it starts.
    #[n(2)]
    pub scheduled_for: Option<Timestamp>,
    /// When it stops, sent or not.
    #[n(3)]
    pub stop_at: Option<Timestamp>,
    /// The task that sends it.
    #[n(4)]
    pub task: Option<String>,
    /// What came of it.
    #[n(5)]
    pub outcome: Outcome,
    /// Since when there is it.
    #[n(6)]
    pub created_at: Timestamp,
    /// When it was last changed.
    #[n(7)]
    pub updated_at: Timestamp,
}

impl Campaign {
    /// Forgets that it names `user`; whether it did.
    pub(crate) fn forget(&mut self, user: &UserId) -> bool {
        let Campaign { plan, outcome, status, .. } = self;
        let before = plan.users.len();
        plan.users.retain(|other| other != user);
        let is_sender = plan.sender.take_if(|sender| sender == user).is_some();
        let is_last = outcome.last.take_if(|last| *last == run::named(user)).is_some();
        // Nobody knows any more how far it came: it ends, so that nobody gets the message twice.
        if is_last && matches!(status, Status::InProgress | Status::Stopped) {
            *status = Status::Completed;
        }
        is_sender || is_last || plan.users.len() < before
    }
}

/// A campaign with its id.
#[derive(Clone, PartialEq, Debug)]
pub struct Known {
    /// Its id.
    pub id: String,
    /// The campaign.
    pub campaign: Campaign,
}

impl Row for Known {
    fn id(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.id)
    }

    fn value(&self, field: &str) -> Value<'_> {
        let Campaign { plan, status, scheduled_for, created_at, updated_at, .. } = &self.campaign;
        match field {
            "id" => Value::text(&self.id),
            "name" => Value::text(&plan.name),
            "status" => Value::text(status.name()),
            "sender_id" => Value::maybe_text(plan.sender.as_ref().map(UserId::as_str)),
            "scheduled_for" => Value::maybe_time(*scheduled_for),
            "created_at" => Value::Time(*created_at),
            "updated_at" => Value::Time(*updated_at),
            _ => Value::Null,
        }
    }
}

/// What a filter of campaigns may name.
pub const SCHEMA: Schema = Schema {
    fields: &[
        Field::new("id", FieldKind::Text),
        Field::new("name", FieldKind::Text),
        Field::new("status", FieldKind::Text),
        Field::new("sender_id", FieldKind::Text),
        Field::new("scheduled_for", FieldKind::Time),
        Field::new("created_at", FieldKind::Time),
        Field::new("updated_at", FieldKind::Time),
    ],
    has_custom: false,
};

/// The campaign `id`.
///
/// # Errors
/// [`Error::Absent`] when there is none.
pub async fn load(tx: &mut Tx, id: &str) -> Result<Campaign> {
    let tenant = tx.tenant();
    let campaign = CAMPAIGN.get(tx, tenant, &id.to_owned()).await?;
    campaign.ok_or_else(|| Error::Absent(format!("campaign with id '{id}' does not exist")))
}

/// Makes the campaign `id`, which nobody has started.
///
/// # Errors
/// [`Error::Absent`] when its sender or a segment is not there, [`Error::Unfit`] when there is such a campaign, there are too
/// many, or the plan is none.
pub async fn create(tx: &mut Tx, id: &str, plan: &Plan, now: Timestamp) -> Result<Campaign> {
    let tenant = tx.tenant();
    let fits = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    if id.is_empty() || id.len() > ID_BYTES_MAX || !id.chars().all(fits) {
        return Err(Error::Unfit(format!("id may hold up to {ID_BYTES_MAX} letters, digits, `_`, `-` and `.`")));
    }
    if CAMPAIGN.exists(tx, tenant, &id.to_owned()).await? {
        return Err(Error::Unfit(format!("campaign with id '{id}' already exists")));
    }
    if rows::list(tx, &CAMPAIGN, CAMPAIGN.range(tenant), CAMPAIGNS_MAX).await?.len() >= CAMPAIGNS_MAX {
        return Err(Error::Unfit(format!("an app has at most {CAMPAIGNS_MAX} campaigns")));
    }
    let campaign = Campaign {
        plan: plan.clone(),
        status: Status::Draft,
        scheduled_for: None,
        stop_at: None,
        task: None,
        outcome: Outcome::default(),
        created_at: now,
        updated_at: now,
    };
    check(tx, plan).await?;
    put(tx, id, &campaign);
    Ok(campaign)
}

async fn check(tx: &mut Tx, plan: &Plan) -> Result<()> {
    if plan.name.chars().count() > NAME_CHARS_MAX {
        return Err(Error::Unfit(format!("name has at most {NAME_CHARS_MAX} characters")));
    }
    if plan.description.chars().count() > DESCRIPTION_CHARS_MAX {
        return Err(Error::Unfit(format!("description has at most {DESCRIPTION_CHARS_MAX} characters")));
    }
    if plan.users.len() > NAMED_MAX || plan.segments.len() > NAMED_MAX {
        return Err(Error::Unfit(format!("a campaign names at most {NAMED_MAX} users and {NAMED_MAX} segments")));
    }
    let attachments: usize = plan.attachments.iter().map(String::len).sum();
    let bytes = plan.text.len() + attachments + plan.custom.len() + plan.channel.as_ref().map_or(0, String::len);
    if bytes > TEMPLATE_BYTES_MAX {
        return Err(Error::TooBig(format!("templates have at most {TEMPLATE_BYTES_MAX} bytes")));
    }
    if let Some(sender) = &plan.sender {
        users::load(tx, sender).await?;
    }
    for segment in &plan.segments {
        segments::load(tx, segment).await?;
    }
    if let Some(channel) = &plan.channel {
        templates::check(channel)?;
    }
    Ok(())
}

fn put(tx: &mut Tx, id: &str, campaign: &Campaign) {
    let tenant = tx.tenant();
    CAMPAIGN.put(tx, tenant, &id.to_owned(), campaign);
}

/// Gives the campaign `id` another plan.
///
/// # Errors
/// As [`create`]; [`Error::Unfit`] when it was started.
pub async fn update(tx: &mut Tx, id: &str, plan: &Plan, now: Timestamp) -> Result<Campaign> {
    let mut campaign = load(tx, id).await?;
    if !matches!(campaign.status, Status::Draft | Status::Scheduled) {
        return Err(Error::Unfit(format!("a campaign that is {} cannot be changed", campaign.status.name())));
    }
    check(tx, plan).await?;
    campaign.plan = plan.clone();
    campaign.updated_at = now;
    put(tx, id, &campaign);
    Ok(campaign)
}

/// Starts the campaign `id`, now or when it is `scheduled_for`; `task` sends it.
///
/// # Errors
/// [`Error::Absent`] when there is none, [`Error::Unfit`] when it was started, or it cannot be said whom it goes to.
pub async fn start(
    tx: &mut Tx,
    id: &str,
    scheduled_for: Option<Timestamp>,
    stop_at: Option<Timestamp>,
    task: &str,
    now: Timestamp,
) -> Result<Campaign> {
    let mut campaign = load(tx, id).await?;
    if !matches!(campaign.status, Status::Draft | Status::Scheduled | Status::Stopped) {
        return Err(Error::Unfit(format!("a campaign that is {} cannot be started", campaign.status.name())));
    }
    let at = scheduled_for.map_or(now, |at| at.max(now));
    if stop_at.is_some_and(|stop_at| stop_at <= at) {
        return Err(Error::Unfit("stop_at must be later than the start".to_owned()));
    }
    for id in &campaign.plan.segments {
        let segment = segments::load(tx, id).await?.segment;
        if segment.has_all_users || segment.has_all_sender_channels || segment.filter != "{}" {
            return Err(Error::Unfit(format!(
                "segment '{id}' names whom it means by a rule; in this version of Millpond campaigns go to the targets of segments"
            )));
        }
    }
    campaign.status = if at > now { Status::Scheduled } else { Status::InProgress };
    campaign.scheduled_for = scheduled_for;
    campaign.stop_at = stop_at;
    campaign.task = Some(task.to_owned());
    campaign.updated_at = now;
    put(tx, id, &campaign);
    tasks::plan(tx, task, Kind::RunCampaign(id.to_owned()), at);
    Ok(campaign)
}

/// Stops the campaign `id`: what was not sent is not sent.
///
/// # Errors
/// [`Error::Absent`] when there is none, [`Error::Unfit`] when it does not run and is not to.
pub async fn stop(tx: &mut Tx, id: &str, now: Timestamp) -> Result<Campaign> {
    let mut campaign = load(tx, id).await?;
    if !matches!(campaign.status, Status::Scheduled | Status::InProgress) {
        return Err(Error::Unfit(format!("a campaign that is {} cannot be stopped", campaign.status.name())));
    }
    campaign.status = Status::Stopped;
    campaign.updated_at = now;
    put(tx, id, &campaign);
    Ok(campaign)
}

/// Removes the campaign `id`; what was sent stays.
///
/// # Errors
/// [`Error::Absent`] when there is none.
pub async fn remove(tx: &mut Tx, id: &str) -> Result<()> {
    load(tx, id).await?;
    let tenant = tx.tenant();
    CAMPAIGN.delete(tx, tenant, &id.to_owned());
    Ok(())
}

/// A page of the campaigns that `filter` wants.
///
/// # Errors
/// When the store fails.
pub async fn query(
    tx: &mut Tx,
    filter: &Filter,
    sort: &Sort,
    cursor: Option<&Cursor>,
    limit: usize,
) -> Result<Page<Known>> {
    let range = CAMPAIGN.range(tx.tenant());
    let known = rows::list(tx, &CAMPAIGN, range, CAMPAIGNS_MAX).await?;
    let found = known.into_iter().map(|(id, campaign)| Known { id, campaign });
    Ok(page(found.filter(|known| filter.fits(known)).collect(), sort, cursor, limit))
}
