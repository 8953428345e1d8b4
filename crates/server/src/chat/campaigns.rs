//! `/campaigns` (chat §11.13, §11.14.16).

use std::collections::BTreeMap;

use domain::{
    chat::{
        campaigns::{self, Campaign, Plan, SCHEMA, Status},
        segments::{self, Measured},
    },
    filter::Filter,
    users::People,
};
use ids::{Timestamp, UserId};
use serde_json::value::RawValue;
use wire::chat::{
    campaigns::{Campaign as WireCampaign, Campaigns, MessageTemplate, OneCampaign, Pager, Stats},
    dialect::Time,
};

use super::{
    attachments,
    error::{Error, Result},
    fields::Fields,
    gate::Call,
    messages::Query,
    segments::to_wire as segment_to_wire,
    to_wire::users::embedded,
};
use crate::reply::Reply;

/// `POST /campaigns`: makes a campaign, which nobody has started.
pub(crate) async fn create(call: Call, sent: Fields) -> Result<Reply> {
    let mut sent = unwrapped(sent)?;
    let id = sent.filled("id")?.unwrap_or_else(|| call.new_id());
    let (plan, now) = (plan(&mut sent)?, call.now());
    let made = call.app.write(async |tx| campaigns::create(tx, &id, &plan, now).await).await?;
    one(&call, &id, &made).await
}

/// `GET /campaigns/{id}`.
pub(crate) async fn get(call: Call, _: Fields) -> Result<Reply> {
    let campaign = campaigns::load(&mut call.snapshot(), call.param("id")).await?;
    one(&call, call.param("id"), &campaign).await
}

/// `PUT /campaigns/{id}`: another plan.
pub(crate) async fn update(call: Call, sent: Fields) -> Result<Reply> {
    let (id, plan, now) = (call.param("id"), plan(&mut unwrapped(sent)?)?, call.now());
    let campaign = call.app.write(async |tx| campaigns::update(tx, id, &plan, now).await).await?;
    flat(&call, id, &campaign).await
}

/// `POST /campaigns/{id}/start`: sends it, now or later.
pub(crate) async fn start(call: Call, mut sent: Fields) -> Result<Reply> {
    let (at, stop_at) = (sent.time("scheduled_for")?, sent.time("stop_at")?);
    let (id, task, now) = (call.param("id"), call.new_id(), call.now());
    let started = call.app.write(async |tx| campaigns::start(tx, id, at, stop_at, &task, now).await).await?;
    one(&call, id, &started).await
}

/// `POST /campaigns/{id}/stop`: what was not sent is not sent.
pub(crate) async fn stop(call: Call, _: Fields) -> Result<Reply> {
    let (id, now) = (call.param("id"), call.now());
    let stopped = call.app.write(async |tx| campaigns::stop(tx, id, now).await).await?;
    flat(&call, id, &stopped).await
}

/// `DELETE /campaigns/{id}`.
pub(crate) async fn remove(call: Call, _: Fields) -> Result<Reply> {
    call.app.write(async |tx| campaigns::remove(tx, call.param("id")).await).await?;
    call.done()
}

/// `POST /campaigns/query`.
pub(crate) async fn query(call: Call, mut sent: Fields) -> Result<Reply> {
    let asked = Query::read(&mut sent, &["-created_at"])?;
    let filter = Filter::parse(&asked.filter, SCHEMA)?;
    let mut tx = call.snapshot();
    let page = campaigns::query(&mut tx, &filter, &asked.sort, asked.cursor.as_ref(), asked.limit).await?;
    let stage = Stage::load(&call, page.rows.iter().map(|known| &known.campaign)).await?;
    let campaigns = page.rows.iter().map(|known| stage.show(&call, &known.id, &known.campaign)).collect();
    call.answer(&Campaigns { campaigns, next: asked.place(page.next), prev: asked.place(page.prev) })
}

/// What is said of a campaign; an older client wraps it.
fn unwrapped(mut sent: Fields) -> Result<Fields> {
    Ok(sent.object("campaign")?.unwrap_or(sent))
}

fn plan(sent: &mut Fields) -> Result<Plan> {
    let required = |name: &str| Error::field(name, "is a required field");
    let mut message = sent.object("message_template")?.ok_or_else(|| required("message_template"))?;
    let attached = message.objects("attachments")?.unwrap_or_default();
    let custom = message.object("custom")?.map(|custom| custom.rest().to_string());
    Ok(Plan {
        name: sent.text("name")?.unwrap_or_default(),
        description: sent.text("description")?.unwrap_or_default(),
        sender: Some(sent.user("sender_id")?.ok_or_else(|| required("sender_id"))?),
        segments: sent.texts("segment_ids")?.unwrap_or_default(),
        users: sent.users("user_ids")?.unwrap_or_default(),
        text: message.text("text")?.unwrap_or_default(),
        attachments: attached.into_iter().map(attachments::read).collect::<Result<_>>()?,
        poll: message.text("poll_id")?.unwrap_or_default(),
        custom: custom.unwrap_or_else(|| "{}".to_owned()),
        searchable: message.flag("searchable")?,
        channel: sent.object("channel_template")?.map(|template| template.rest().to_string()),
        creates_channels: sent.flag("create_channels")?.unwrap_or_default(),
        shows_channels: sent.flag("show_channels")?.unwrap_or_default(),
        skips_push: sent.flag("skip_push")?.unwrap_or_default(),
        skips_webhook: sent.flag("skip_webhook")?.unwrap_or_default(),
        sender_mode: sent.text("sender_mode")?.unwrap_or_default(),
        sender_visibility: sent.text("sender_visibility")?.unwrap_or_default(),
    })
}

async fn one(call: &Call, id: &str, campaign: &Campaign) -> Result<Reply> {
    let stage = Stage::load(call, std::iter::once(campaign)).await?;
    call.answer(&OneCampaign { campaign: stage.show(call, id, campaign), users: Pager::default() })
}

async fn flat(call: &Call, id: &str, campaign: &Campaign) -> Result<Reply> {
    let stage = Stage::load(call, std::iter::once(campaign)).await?;
    call.answer(&stage.show(call, id, campaign))
}

/// The users and segments that campaigns name.
struct Stage {
    people: People,
    segments: BTreeMap<String, Measured>,
}

impl Stage {
    async fn load(call: &Call, campaigns: impl Iterator<Item = &Campaign> + Clone) -> Result<Self> {
        let mut tx = call.snapshot();
        let named = campaigns.clone().flat_map(|campaign| campaign.plan.users.iter().chain(&campaign.plan.sender));
        let named: Vec<UserId> = named.cloned().collect();
        let people = People::load(&mut tx, &named).await?;
        let mut known = BTreeMap::new();
        for id in campaigns.flat_map(|campaign| &campaign.plan.segments) {
            match segments::load(&mut tx, id).await {
                Ok(segment) => drop(known.insert(id.clone(), segment)),
                Err(domain::Error::Absent(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(Stage { people, segments: known })
    }

    fn show<'a>(&'a self, call: &Call, id: &'a str, campaign: &'a Campaign) -> WireCampaign<'a> {
        let (plan, dialect, now) = (&campaign.plan, call.dialect, call.now());
        let time = |at: Timestamp| Time { at, dialect };
        let user = |id: &'a UserId| embedded(dialect, &self.people, id, now);
        WireCampaign {
            id,
            name: &plan.name,
            description: &plan.description,
            status: campaign.status.name(),
            sender_id: plan.sender.as_ref().map_or("", UserId::as_str),
            sender: plan.sender.as_ref().and_then(user),
            sender_mode: &plan.sender_mode,
            sender_visibility: &plan.sender_visibility,
            segment_ids: &plan.segments,
            segments: plan
                .segments
                .iter()
                .filter_map(|id| self.segments.get(id))
                .map(|segment| segment_to_wire(dialect, segment))
                .collect(),
            user_ids: plan.users.iter().map(UserId::as_str).collect(),
            users: plan.users.iter().filter_map(user).collect(),
            message_template: MessageTemplate {
                text: &plan.text,
                attachments: attachments::shown(&plan.attachments, dialect),
                poll_id: &plan.poll,
                searchable: plan.searchable,
                custom: raw(&plan.custom),
            },
            channel_template: plan.channel.as_deref().map(raw),
            create_channels: plan.creates_channels,
            show_channels: plan.shows_channels,
            skip_push: plan.skips_push,
            skip_webhook: plan.skips_webhook,
            scheduled_for: campaign.scheduled_for.map(time),
            stop_at: campaign.stop_at.map(time),
            stats: Stats {
                progress: progress(campaign),
                stats_users_sent: campaign.outcome.users,
                stats_users_read: 0,
                stats_messages_sent: campaign.outcome.messages,
                stats_channels_created: campaign.outcome.channels,
                stats_started_at: campaign.outcome.started_at.map(time),
                stats_completed_at: campaign.outcome.completed_at.map(time),
            },
            created_at: time(campaign.created_at),
            updated_at: time(campaign.updated_at),
        }
    }
}

/// How much of it was sent, from 0 to 100.
fn progress(campaign: &Campaign) -> f64 {
    let outcome = &campaign.outcome;
    match (campaign.status, outcome.recipients) {
        (Status::Completed, _) => 100.0,
        (_, 0) => 0.0,
        (_, all) => f64::from(outcome.looked_at) * 100.0 / f64::from(all),
    }
}

fn raw(json: &str) -> Box<RawValue> {
    RawValue::from_string(json.to_owned()).expect("it was parsed before it was stored")
}
