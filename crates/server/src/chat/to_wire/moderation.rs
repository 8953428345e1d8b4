//! Bans, flags, the review queue and what moderators did (chat §6.12; v2 §6.8).

use domain::moderation::{
    actions::Noted,
    bans::Banned,
    decisions::{ACTIVITY, COMMENT},
    flags::Flagged,
    review::Queued,
};
use ids::{ChannelId, UserId, json::Object};
use serde_json::value::RawValue;
use wire::chat::{
    dialect::{Dialect, Members},
    moderation::{
        ActionLog, Ban, BanInfo, EscalationMetadata, Flag, FlagReport, MessageFlag, ModerationFlag, ReviewItem,
    },
};

use crate::chat::moderation::Cast;

/// A ban.
pub(crate) fn ban<'a>(cast: &'a Cast, banned: &'a Banned) -> Ban<'a> {
    let Banned { user, channel, ban } = banned;
    Ban {
        user: cast.user(Some(user)),
        banned_by: cast.user(ban.by.as_ref()),
        channel: cast.channel(channel.as_ref()),
        reason: filled(&ban.reason),
        expires: ban.expires.map(|at| cast.time(at)),
        shadow: ban.is_shadow.then_some(true),
        created_at: cast.time(ban.created_at),
    }
}

/// The same, as the review queue tells it.
pub(crate) fn ban_info<'a>(cast: &'a Cast, banned: &'a Banned) -> BanInfo<'a> {
    let mut ban = ban(cast, banned);
    let channel_cid = banned.channel.as_ref().map(ChannelId::as_str);
    BanInfo { created_by: ban.banned_by.take(), ban, channel_cid }
}

/// A flag, for whoever made it.
pub(crate) fn flag<'a>(cast: &'a Cast, flagged: &'a Flagged, custom: &'a Object) -> Flag<'a> {
    let message = flagged.entity.message();
    Flag {
        user: cast.user(flagged.by.as_ref()),
        target_message: cast.message(message.as_ref()),
        target_message_id: message.is_some().then_some(flagged.entity.id.as_str()),
        target_user: cast.user(flagged.flag.creator.as_ref()),
        reason: filled(&flagged.flag.reason),
        created_by_automod: flagged.by.is_none(),
        custom: members(custom),
        created_at: cast.time(flagged.flag.created_at),
        updated_at: cast.time(flagged.flag.updated_at),
    }
}

/// A flag of a message, for moderators.
pub(crate) fn message_flag<'a>(cast: &'a Cast, flagged: &'a Flagged, custom: &'a Object) -> MessageFlag<'a> {
    let is_classic = cast.dialect == Dialect::Classic;
    let reviewed_at = flagged.reviewed_at.map(|at| cast.time(at));
    MessageFlag {
        created_by_automod: flagged.by.is_none(),
        user: cast.user(flagged.flag.creator.as_ref()),
        message: cast.message(flagged.entity.message().as_ref()),
        reason: filled(&flagged.flag.reason),
        custom: members(custom),
        created_at: cast.time(flagged.flag.created_at),
        updated_at: cast.time(flagged.flag.updated_at),
        reviewed_at: (is_classic || reviewed_at.is_some()).then_some(reviewed_at),
        reviewed_by: is_classic.then_some(None),
        approved_at: is_classic.then_some(None),
        rejected_at: is_classic.then_some(None),
    }
}

/// A flag of whatever.
pub(crate) fn moderation_flag<'a>(cast: &'a Cast, flagged: &'a Flagged, custom: &'a Object) -> ModerationFlag<'a> {
    let flag = &flagged.flag;
    ModerationFlag {
        id: None,
        entity_type: &flagged.entity.kind,
        entity_id: &flagged.entity.id,
        entity_creator_id: flag.creator.as_ref().map(UserId::as_str),
        user_id: Some(flagged.by.as_ref().map_or("", UserId::as_str)),
        user: cast.user(flagged.by.as_ref()),
        kind: &flagged.kind,
        reason: filled(&flag.reason),
        review_queue_item_id: Some(&flag.item),
        result: [],
        labels: &flagged.labels,
        custom: members(custom),
        created_at: cast.time(flag.created_at),
        updated_at: cast.time(flag.updated_at),
        review_status: None,
        reviewed_at: None,
    }
}

/// All flags of a message together.
pub(crate) fn flag_report<'a>(cast: &'a Cast, queued: &'a Queued, flags_count: usize) -> FlagReport<'a> {
    let item = &queued.item;
    FlagReport {
        id: &queued.id,
        message: cast.message(item.entity.message().as_ref()),
        flags_count,
        message_user_id: item.creator.as_ref().map_or("", UserId::as_str),
        channel_cid: item.channel.as_ref().map_or("", ChannelId::as_str),
        created_at: cast.time(item.created_at),
        updated_at: cast.time(item.updated_at),
        review_result: filled(&item.result),
        review_details: item.reviewed_at.map(|_| object(&item.details)),
        reviewed_at: item.reviewed_at.map(|at| cast.time(at)),
        reviewed_by: cast.user(item.reviewed_by.as_ref()),
    }
}

/// An item of the review queue, without its flags, actions and bans.
pub(crate) fn review_item<'a>(cast: &'a Cast, queued: &'a Queued) -> ReviewItem<'a> {
    let item = &queued.item;
    ReviewItem {
        id: &queued.id,
        entity_type: &item.entity.kind,
        entity_id: &item.entity.id,
        entity_creator_id: item.creator.as_ref().map(UserId::as_str),
        entity_creator: None,
        status: item.status(),
        recommended_action: &item.recommended,
        config_key: filled(&item.policy),
        ai_text_severity: "",
        severity: 0,
        escalated: item.escalation.is_some(),
        escalated_at: item.escalation.as_ref().map(|handed| cast.time(handed.at)),
        escalated_by: item.escalation.as_ref().and_then(|handed| Some(handed.by.as_ref()?.as_str())),
        escalation_metadata: item.escalation.as_ref().map(|handed| EscalationMetadata {
            reason: &handed.reason,
            notes: &handed.notes,
            priority: &handed.priority,
        }),
        assigned_to: item.lock.as_ref().filter(|lock| lock.until > cast.now).and_then(|lock| cast.user(Some(&lock.by))),
        appeal: None,
        flags_count: 0,
        latest_moderator_action: &item.action,
        reviewed_by: item.reviewed_by.as_ref().map_or("", UserId::as_str),
        reviewed_at: item.reviewed_at.map(|at| cast.time(at)),
        completed_at: item.reviewed_at.map(|at| cast.time(at)),
        flags: Vec::new(),
        actions: Vec::new(),
        bans: Vec::new(),
        languages: [],
        message: cast.message(item.entity.message().as_ref()),
        feeds_v3_activity: cast.of_feeds(ACTIVITY, &item.entity),
        feeds_v3_comment: cast.of_feeds(COMMENT, &item.entity),
        moderation_payload: Some(&item.payload).filter(|payload| *payload != "{}").map(|payload| object(payload)),
        created_at: cast.time(item.created_at),
        updated_at: cast.time(item.updated_at),
    }
}

/// What a moderator did.
pub(crate) fn action<'a>(cast: &'a Cast, noted: &'a Noted) -> ActionLog<'a> {
    let action = &noted.action;
    ActionLog {
        id: &noted.id,
        kind: &action.kind,
        reason: &action.reason,
        reporter_type: &action.reporter,
        user_id: Some(action.user.as_ref().map_or("", UserId::as_str)),
        user: cast.user(action.user.as_ref()),
        target_user_id: action.target.as_ref().map_or("", UserId::as_str),
        target_user: cast.user(action.target.as_ref()),
        ai_providers: [],
        custom: object(&action.custom),
        created_at: cast.time(action.at),
    }
}

fn filled(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

fn members(custom: &Object) -> Option<Members<'_>> {
    Some(Members(custom)).filter(|custom| !custom.0.is_empty())
}

fn object(json: &str) -> Box<RawValue> {
    RawValue::from_string(json.to_owned()).expect("objects were parsed before they were stored")
}
