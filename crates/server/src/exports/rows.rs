//! Rows of what is stored of a user as JSON, for files and for answers (v2 §2.7, §2.8).
//!
//! Others are named by their ids alone; who banned or reported the user is not told.

use std::collections::BTreeMap;

use domain::{
    chat::{drafts::Spot, members::Invite, messages::Shown},
    exports::subject::{Membership, UserRow},
    polls::Cast,
    users::People,
};
use ids::{MessageId, Timestamp, UserId};
use serde::Serialize;
use serde_json::{
    Value, json,
    value::{RawValue, to_raw_value},
};
use wire::chat::{
    dialect::{Dialect, Time},
    users::User,
};

use crate::chat::to_wire::{self, messages::Frame};

/// A JSON object, and members of it that are told as they were stored.
#[derive(Serialize)]
struct Row {
    #[serde(flatten)]
    fields: Value,
    #[serde(flatten)]
    stored: BTreeMap<&'static str, Box<RawValue>>,
}

/// A user, with what nobody else is told.
#[derive(Serialize)]
struct Profile<'a> {
    #[serde(flatten)]
    user: Option<User<'a>>,
    #[serde(skip_serializing_if = "str::is_empty")]
    ip_address: &'a str,
}

/// How rows about one user are told.
pub(crate) struct Teller<'a> {
    /// Whom they are about.
    pub(crate) user: &'a UserId,
    /// The dialect of times and messages.
    pub(crate) dialect: Dialect,
    /// Whose profiles stand in messages and reactions.
    pub(crate) people: &'a People,
    /// Now.
    pub(crate) now: Timestamp,
}

impl Teller<'_> {
    /// The row as a JSON object.
    pub(crate) fn told(&self, row: UserRow) -> Box<RawValue> {
        let frame = Frame { dialect: self.dialect, people: self.people, now: self.now, shows_deleted: true };
        match row {
            UserRow::User(user) => {
                let address = user.address.clone();
                let people = People::from_iter([(self.user.clone(), *user)]);
                let user = to_wire::users::embedded(self.dialect, &people, self.user, self.now);
                raw(&Profile { user, ip_address: &address })
            }
            UserRow::Message(id, message) => raw(&frame.message(&Shown::bare(id, *message))),
            UserRow::Reaction(to) => raw(&frame.reaction_to(&to.message, &to.reacted)),
            UserRow::Device(id, device) => raw(&to_wire::users::device(self.dialect, self.user, &id, &device)),
            UserRow::PushPreference(channel, preference) => raw(&json!({
                "cid": channel.as_ref().map_or("", |channel| channel.as_str()),
                "preference": to_wire::push::preference(self.dialect, &preference) })),
            UserRow::Member(membership) => raw(&self.membership(*membership)),
            UserRow::Block(block) => {
                raw(&json!({ "blocked_user_id": block.user.as_str(), "created_at": self.time(block.created_at) }))
            }
            UserRow::Mute(target, mute) => raw(&json!({ "target_id": target.as_str(),
                "created_at": self.time(mute.created_at), "updated_at": self.time(mute.updated_at),
                "expires": mute.expires.map(|at| self.time(at)) })),
            UserRow::ChannelMute(channel, mute) => raw(&json!({ "cid": channel.as_str(),
                "created_at": self.time(mute.created_at), "updated_at": self.time(mute.updated_at),
                "expires": mute.expires.map(|at| self.time(at)) })),
            UserRow::Ban { channel, is_future, ban } => raw(&json!({
                "channel_cid": channel.as_ref().map_or("", |channel| channel.as_str()), "future_channels": is_future,
                "ip_address": Some(&ban.address).filter(|address| !address.is_empty()), "reason": ban.reason, "shadow": ban.is_shadow, "created_at": self.time(ban.created_at),
                "expires": ban.expires.map(|at| self.time(at)) })),
            UserRow::Flag(entity, flag) => {
                let fields = json!({ "entity_type": entity.kind, "entity_id": entity.id, "reason": flag.reason,
                    "created_at": self.time(flag.created_at), "updated_at": self.time(flag.updated_at) });
                raw(&Row { fields, stored: BTreeMap::from([("custom", stored(flag.custom))]) })
            }
            UserRow::UserGroup(id, group, member) => raw(&json!({ "id": id, "name": group.name,
                "is_creator": group.created_by.as_ref() == Some(self.user),
                "is_admin": member.is_some_and(|member| member.is_admin),
                "member_since": member.map(|member| self.time(member.created_at)) })),
            UserRow::File(id, file) => raw(&json!({ "id": id, "name": file.name, "mime_type": file.mime_type,
                "size": file.bytes, "cid": file.channel.as_ref().map(|channel| channel.as_str()),
                "created_at": self.time(file.created_at) })),
            UserRow::Thread(parent, taking_part, own) => {
                let fields = json!({ "parent_message_id": parent, "created_at": self.time(taking_part.created_at),
                    "last_read": self.time(taking_part.last_read),
                    "last_thread_message_at": taking_part.last_reply.map(|at| self.time(at)),
                    "is_creator": own.is_some(), "title": own.as_ref().and_then(|thread| thread.title.clone()) });
                raw(&Row { fields, stored: own.map(|thread| ("custom", stored(thread.custom))).into_iter().collect() })
            }
            UserRow::Draft(channel, parent, draft) => {
                let spot = Spot { channel, parent: MessageId::parse(&parent).ok() };
                raw(&frame.draft(&spot, &draft))
            }
            UserRow::Reminder(message, reminder) => raw(&frame.reminder(self.user, &message, &reminder)),
            UserRow::Poll(id, poll) => {
                let fields = json!({ "id": id, "name": poll.name, "description": poll.description,
                    "options": poll.options.iter().map(|option| json!({ "id": option.id, "text": option.text })).collect::<Vec<_>>(),
                    "is_closed": poll.is_closed, "created_at": self.time(poll.created_at),
                    "updated_at": self.time(poll.updated_at) });
                raw(&Row { fields, stored: BTreeMap::from([("custom", stored(poll.custom))]) })
            }
            UserRow::PollOption(poll, option) => {
                let fields = json!({ "poll_id": poll, "option_id": option.id, "text": option.text });
                raw(&Row { fields, stored: BTreeMap::from([("custom", stored(option.custom))]) })
            }
            UserRow::Vote(poll, Cast { id, vote }) => {
                raw(&json!({ "id": id, "poll_id": poll, "option_id": vote.option,
                "answer_text": vote.answer, "created_at": self.time(vote.created_at),
                "updated_at": self.time(vote.updated_at) }))
            }
            UserRow::Version(message, at, version) => {
                let fields = json!({ "message_id": message, "text": version.text, "is_deleted": version.is_deleted,
                    "created_at": self.time(at) });
                let attachments = stored(format!("[{}]", version.attachments.join(",")));
                let more = [("attachments", attachments), ("custom", stored(version.custom))];
                raw(&Row { fields, stored: BTreeMap::from(more) })
            }
        }
    }

    fn membership(&self, membership: Membership) -> Row {
        let (member, read) = (membership.member, membership.read);
        let invite = member.invite.map(|invite| match invite {
            Invite::Pending => "pending",
            Invite::Accepted(_) => "accepted",
            Invite::Rejected(_) => "rejected",
        });
        let fields = json!({
            "cid": membership.channel.as_str(),
            "channel_role": member.channel_role,
            "created_at": self.time(member.created_at),
            "updated_at": self.time(member.updated_at),
            "invite": invite,
            "pinned_at": member.pinned_at.map(|at| self.time(at)),
            "archived_at": member.archived_at.map(|at| self.time(at)),
            "last_read": read.as_ref().map(|read| self.time(read.last_read)),
            "last_read_message_id": read.and_then(|read| read.last_read_message).map(|id| id.to_string()),
            "hidden_at": membership.hidden.map(|hidden| self.time(hidden.at)),
            "deleted_for_me": membership.deleted_for,
            "is_channel_creator": membership.made.is_some(),
        });
        let made = membership.made.map(|channel| ("channel_custom", stored(channel.custom)));
        Row { fields, stored: made.into_iter().chain([("custom", stored(member.custom))]).collect() }
    }

    fn time(&self, at: Timestamp) -> Value {
        serde_json::to_value(Time { at, dialect: self.dialect }).expect("a time is JSON")
    }
}

fn raw(row: &impl Serialize) -> Box<RawValue> {
    to_raw_value(row).expect("wire types are JSON")
}

/// JSON as it was stored, to the digit.
fn stored(json: String) -> Box<RawValue> {
    RawValue::from_string(json).expect("it was parsed before it was stored")
}
