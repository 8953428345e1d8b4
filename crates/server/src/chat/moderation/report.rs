//! `GET /moderation/user_report`: what moderation knows of a user, for whoever must answer them (v2 §2.9).

use std::collections::BTreeMap;

use domain::{
    filter::{Filter, Sort},
    moderation::{
        actions,
        appeals::{self, Submitted},
        bans::{self, Banned},
        flags::{self, Flagged},
        review,
    },
    users::{self, mutes},
};
use ids::{UserId, json::Object};
use wire::chat::moderation::{ModerationFlag, ReportedBan, ReportedBlock, ReportedMute, UserReport};

use super::Cast;
use crate::{
    chat::{
        error::{Error, Result},
        fields::{self, Fields},
        gate::Call,
        to_wire::moderation as shape,
    },
    reply::Reply,
};

/// How many rows each list has if nobody says.
const LIMIT: usize = 100;
/// The most rows of each list.
const LIMIT_MAX: usize = 500;
/// The most pages.
const OFFSET_MAX: usize = 1_000_000;

/// `GET /moderation/user_report?user_id=`.
pub(crate) async fn get(call: Call, _: Fields) -> Result<Reply> {
    let named = ["user_id", "user", "target_user_id", "id"].into_iter().find_map(|name| call.query.get(name));
    let id = fields::user(named.ok_or_else(|| Error::field("user_id", "is a required parameter"))?)?;
    let page = Page {
        limit: call
            .query
            .number("limit", LIMIT, 1..=LIMIT_MAX)
            .map_err(|error| Error::field("limit", &error.detail))?,
        offset: call
            .query
            .number("next", 0, 0..=OFFSET_MAX)
            .map_err(|_| Error::field("next", "takes what an earlier page answered"))?,
    };
    let facts = Facts::read(&call, &id).await?;
    let cast = Cast::load(&call, vec![&id]).await?;
    let user = cast.user(Some(&id)).ok_or_else(|| domain::Error::Absent(format!("user '{id}' does not exist")))?;
    let bans = facts.bans.iter().map(|Banned { channel, ban, .. }| ReportedBan {
        channel_cid: channel.as_ref().map_or("", |channel| channel.as_str()),
        reason: &ban.reason,
        shadow: ban.is_shadow,
        expires: ban.expires.map(|at| cast.time(at)),
        created_at: cast.time(ban.created_at),
    });
    let mutes = facts.mutes.iter().map(|(target, mute)| ReportedMute {
        target_id: target.as_str(),
        expires: mute.expires.map(|at| cast.time(at)),
        created_at: cast.time(mute.created_at),
    });
    let blocks = facts
        .blocks
        .iter()
        .map(|block| ReportedBlock { blocked_user_id: block.user.as_str(), created_at: cast.time(block.created_at) });
    let received = || page.of(facts.received.iter().map(|told| withheld(&cast, told)));
    let report = UserReport {
        user_id: id.as_str(),
        user,
        summary: facts.summary(),
        flags_received: received(),
        flags: received(),
        flags_made: page.of(facts.made.iter().map(|told| withheld(&cast, told))),
        bans: page.of(bans),
        mutes: page.of(mutes),
        blocks: page.of(blocks),
        actions: page.of(facts.actions.iter().map(|noted| {
            let shown = shape::action(&cast, noted);
            wire::chat::moderation::ActionLog { user_id: None, user: None, ..shown }
        })),
        appeals: page.of(facts.appeals.iter().map(|submitted| super::appeals::shown(&cast, submitted))),
        next: page.next(facts.longest()),
    };
    call.answer(&report)
}

/// Which rows of each list are wanted.
struct Page {
    limit: usize,
    offset: usize,
}

impl Page {
    fn of<T>(&self, rows: impl Iterator<Item = T>) -> Vec<T> {
        rows.skip(self.offset).take(self.limit).collect()
    }

    fn next(&self, longest: usize) -> Option<String> {
        let end = self.offset + self.limit;
        (longest > end).then(|| end.to_string())
    }
}

/// A flag without who made it.
fn withheld<'a>(cast: &'a Cast, (flag, custom, id): &'a Told) -> ModerationFlag<'a> {
    ModerationFlag {
        id: Some(id),
        user_id: None,
        user: None,
        review_status: Some(if flag.reviewed_at.is_some() { "reviewed" } else { "pending" }),
        reviewed_at: flag.reviewed_at.map(|at| cast.time(at)),
        ..shape::moderation_flag(cast, flag, custom)
    }
}

/// A flag, what the application added to it, and an id that tells nothing of who made it.
type Told = (Flagged, Object, String);

/// All that is reported.
struct Facts {
    received: Vec<Told>,
    made: Vec<Told>,
    bans: Vec<Banned>,
    bans_made: usize,
    mutes: Vec<(UserId, mutes::Mute)>,
    muted_by: usize,
    blocks: Vec<users::blocks::Block>,
    blocked_by: usize,
    actions: Vec<actions::Noted>,
    appeals: Vec<Submitted>,
}

impl Facts {
    async fn read(call: &Call, id: &UserId) -> Result<Self> {
        let (mut tx, now) = (call.snapshot(), call.now());
        let user = users::get(&mut tx, id).await?;
        let user = user.ok_or_else(|| domain::Error::Absent(format!("user '{id}' does not exist")))?;
        let one = |field: &str| serde_json::json!({ field: id.as_str() }).to_string();
        let newest = Sort::by(bans::SORT);
        let bans_made = Filter::parse(&one("banned_by_id"), bans::SCHEMA)?;
        let bans = Filter::parse(&one("user_id"), bans::SCHEMA)?;
        let about = Filter::parse(&one("target_user_id"), actions::SCHEMA)?;
        let blocked_by = users::blocks::count_of_target(&mut tx, id).await?;
        let mut received = flags::against(&mut tx, id).await?;
        let mut made = flags::made_by(&mut tx, id).await?;
        for flag in received.iter_mut().chain(&mut made) {
            let item = review::get(&mut tx, &flag.flag.item).await?;
            flag.reviewed_at = item.and_then(|item| item.reviewed_at);
        }
        let told = |flags: Vec<Flagged>| -> Vec<Told> {
            let read = |flag: Flagged| {
                let by = flag.by.as_ref().map_or("", UserId::as_str);
                let key = format!("flag\n{}\n{}\n{}", flag.entity.kind, flag.entity.id, by);
                (flag.flag.custom(), call.tenant.sign_link(&key), flag)
            };
            flags.into_iter().map(read).map(|(custom, id, flag)| (flag, custom, id)).collect()
        };
        Ok(Facts {
            received: told(received),
            made: told(made),
            bans: bans::query(&mut tx, &bans, &newest).await?,
            bans_made: bans::query(&mut tx, &bans_made, &newest).await?.len(),
            mutes: mutes::list(&mut tx, id, now).await?,
            muted_by: mutes::list_of_target(&mut tx, id, now).await?.len(),
            blocks: user.blocked,
            blocked_by,
            actions: actions::query(&mut tx, &about, &newest).await?,
            appeals: appeals::query(&mut tx, Some(id), &Filter::parse("{}", appeals::SCHEMA)?, &newest).await?,
        })
    }

    fn summary(&self) -> BTreeMap<&'static str, usize> {
        BTreeMap::from([
            ("flags_received", self.received.len()),
            ("flags_made", self.made.len()),
            ("bans_received", self.bans.len()),
            ("bans_made", self.bans_made),
            ("mutes_received", self.muted_by),
            ("mutes_made", self.mutes.len()),
            ("blocks_received", self.blocked_by),
            ("blocks_made", self.blocks.len()),
            ("actions", self.actions.len()),
            ("reviewed", self.received.iter().filter(|(flag, ..)| flag.reviewed_at.is_some()).count()),
        ])
    }

    fn longest(&self) -> usize {
        let lengths = [
            self.received.len(),
            self.made.len(),
            self.bans.len(),
            self.mutes.len(),
            self.blocks.len(),
            self.actions.len(),
            self.appeals.len(),
        ];
        lengths.into_iter().max().unwrap_or_default()
    }
}
