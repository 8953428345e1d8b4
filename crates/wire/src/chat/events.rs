//! Events: frames of sockets, and the bodies of webhooks (chat §10).

use std::collections::BTreeMap;

use ids::json::Object;
use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::value::RawValue;

use super::{
    dialect::{Dialect, Members, Time},
    hooks::RequestInfo,
    members::Member,
    users::User,
};

/// Members of events that are times, wherever the application did not put them.
const TIMES: [&str; 8] = [
    "batch_created_at",
    "channel_last_message_at",
    "channel_last_read_at",
    "expiration",
    "finished_at",
    "last_delivered_at",
    "last_read_at",
    "started_at",
];

/// Members of events that are objects with times, wherever the application did not put them.
const OBJECTS: [&str; 1] = ["thread"];
/// Members of these objects that are times.
const TIMES_OF_OBJECTS: [&str; 4] = ["created_at", "deleted_at", "last_message_at", "updated_at"];

/// Something that happened. The objects in it are written already, in the same dialect.
#[derive(Serialize, Debug)]
pub struct Event<'a> {
    /// What happened.
    #[serde(rename = "type")]
    pub kind: &'a str,
    /// When.
    pub created_at: Time,
    /// The connection that it is told on, for health checks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connection_id: Option<&'a str>,
    /// The channel, `type:id`; `*` in health checks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cid: Option<&'a str>,
    /// The channel's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel_id: Option<&'a str>,
    /// The channel's type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel_type: Option<&'a str>,
    /// The channel's team.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team: Option<&'a str>,
    /// The user whose connection it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub me: Option<&'a RawValue>,
    /// Who did it, or to whom it happened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<&'a RawValue>,
    /// To whom it was done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_user: Option<&'a RawValue>,
    /// By whom it was done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_by: Option<&'a RawValue>,
    /// The channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<&'a RawValue>,
    /// The member.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub member: Option<&'a RawValue>,
    /// The message's id; v2 only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_id: Option<&'a str>,
    /// The message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<&'a RawValue>,
    /// The reaction.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reaction: Option<&'a RawValue>,
    /// The poll.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub poll: Option<&'a RawValue>,
    /// The vote.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub poll_vote: Option<&'a RawValue>,
    /// How the user muted the channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mute: Option<Mute<'a>>,
    /// What somebody has begun to write.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub draft: Option<&'a RawValue>,
    /// That somebody saved a message for later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reminder: Option<&'a RawValue>,
    /// Channels by cid, with messages of each that the user has not read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channels: Option<&'a RawValue>,
    /// How many connections watch the channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub watcher_count: Option<usize>,
    /// How many members the channel has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel_member_count: Option<i64>,
    /// How many messages, where they are counted; v2 only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel_message_count: Option<i64>,
    /// The application's own fields of the channel; v2 only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel_custom: Option<Members<'a>>,
    /// Who wrote the message that a thread hangs on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_author: Option<&'a str>,
    /// Who takes part in the thread.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thread_participants: Option<Vec<User<'a>>>,
    /// Members of the channel with what they have not read; for hooks alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub members: Option<Vec<MemberReader<'a>>>,
    /// How the call came that it happened by; for hooks alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_info: Option<RequestInfo<'a>>,
    /// Objects that few events have, by name.
    #[serde(flatten)]
    pub rare: BTreeMap<&'static str, Box<RawValue>>,
    /// Whatever else.
    #[serde(flatten)]
    pub more: More<'a>,
}

/// How a user muted a channel.
#[derive(Serialize, Debug)]
pub struct Mute<'a> {
    /// Who.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<&'a RawValue>,
    /// What.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<&'a RawValue>,
    /// Since when.
    pub created_at: Time,
    /// When it was last said again.
    pub updated_at: Time,
    /// Until when; for good, if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<Time>,
}

/// A user with what it has not read, as hooks are told it (chat §6.1).
#[derive(Serialize, Debug)]
pub struct Reader<'a> {
    /// The user.
    #[serde(flatten)]
    pub user: User<'a>,
    /// Messages of the event's channel that the user has not read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel_unread_count: Option<usize>,
    /// How far the user has read that channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel_last_read_at: Option<Time>,
    /// What the user has not read anywhere.
    #[serde(flatten)]
    pub totals: Option<Totals>,
}

/// What a user has not read anywhere.
#[derive(Serialize, Clone, Copy, Debug)]
pub struct Totals {
    /// Messages.
    pub total_unread_count: i64,
    /// The same number by its older name.
    pub unread_count: i64,
    /// Channels with such messages.
    pub unread_channels: i64,
    /// Threads with such replies.
    pub unread_threads: i64,
    /// These replies.
    pub unread_thread_messages: i64,
}

/// A member with what the user has not read.
#[derive(Serialize, Debug)]
pub struct MemberReader<'a> {
    /// The member, without the user.
    #[serde(flatten)]
    pub member: Member<'a>,
    /// The user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<Reader<'a>>,
}

/// Of a channel, what a user has not read.
#[derive(Serialize, Debug)]
pub struct UnreadChannel<'a> {
    /// The channel.
    pub channel: super::channels::Channel<'a>,
    /// Some of the messages, the oldest first.
    pub messages: Vec<super::messages::Message<'a>>,
}

impl<'a> Event<'a> {
    /// An event with nothing in it but `more`.
    pub fn new(kind: &'a str, created_at: Time, more: More<'a>) -> Self {
        Event {
            kind,
            created_at,
            connection_id: None,
            cid: None,
            channel_id: None,
            channel_type: None,
            team: None,
            me: None,
            user: None,
            target_user: None,
            created_by: None,
            channel: None,
            member: None,
            message_id: None,
            message: None,
            reaction: None,
            poll: None,
            poll_vote: None,
            mute: None,
            draft: None,
            channels: None,
            reminder: None,
            watcher_count: None,
            channel_member_count: None,
            channel_message_count: None,
            channel_custom: None,
            parent_author: None,
            thread_participants: None,
            members: None,
            request_info: None,
            rare: BTreeMap::new(),
            more,
        }
    }
}

/// More members of an event.
#[derive(Debug)]
pub struct More<'a> {
    /// The members, in the classic shape.
    pub fields: &'a Object,
    /// Whether they are the application's own: then v2 has them in `custom`.
    pub is_custom: bool,
    /// How they are written.
    pub dialect: Dialect,
}

impl Serialize for More<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match (self.dialect, self.is_custom) {
            (Dialect::V2, true) => map.serialize_entry("custom", &Members(self.fields))?,
            (Dialect::V2, false) => {
                for (name, value) in self.fields.iter() {
                    match (moment(name, value, &TIMES), object_of_times(name, value)) {
                        (Some(at), _) => map.serialize_entry(name, &Time { at, dialect: Dialect::V2 })?,
                        (None, Some(object)) => map.serialize_entry(name, &object)?,
                        (None, None) => map.serialize_entry(name, value)?,
                    }
                }
                if self.fields.get("custom").is_none() {
                    map.serialize_entry("custom", &Members(&Object::default()))?;
                }
            }
            (Dialect::Classic, _) => {
                for (name, value) in self.fields.iter() {
                    map.serialize_entry(name, value)?;
                }
            }
        }
        map.end()
    }
}

/// The time in `value`, if the member called `name` is one of `times`.
fn moment(name: &str, value: &RawValue, times: &[&str]) -> Option<ids::Timestamp> {
    let text: String = times.contains(&name).then(|| serde_json::from_str(value.get()).ok())??;
    ids::Timestamp::parse(&text).ok()
}

fn object_of_times(name: &str, value: &RawValue) -> Option<InV2> {
    OBJECTS.contains(&name).then(|| Object::parse(value.get()).ok())?.map(InV2)
}

/// An object of the server's in v2: its times are integers; what is deeper in it stays.
struct InV2(Object);

impl Serialize for InV2 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (name, value) in self.0.iter() {
            match moment(name, value, &TIMES_OF_OBJECTS) {
                Some(at) => map.serialize_entry(name, &Time { at, dialect: Dialect::V2 })?,
                None => map.serialize_entry(name, value)?,
            }
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use ids::Timestamp;

    use super::*;

    fn shown(dialect: Dialect, is_custom: bool) -> String {
        let fields = Object::parse(r#"{"last_read_at":"2024-01-01T00:00:00Z","n":1.0}"#).unwrap();
        let time = Time { at: Timestamp::parse("2024-01-01T00:00:00Z").unwrap(), dialect };
        let event =
            Event { cid: Some("messaging:a"), ..Event::new("x", time, More { fields: &fields, is_custom, dialect }) };
        serde_json::to_string(&event).unwrap()
    }

    #[test]
    fn members_of_the_server_have_times_in_the_dialect_and_those_of_the_application_stay_as_they_are() {
        let classic = r#"{"type":"x","created_at":"2024-01-01T00:00:00Z","cid":"messaging:a","last_read_at":"2024-01-01T00:00:00Z","n":1.0}"#;
        assert_eq!(shown(Dialect::Classic, false), classic);
        assert_eq!(shown(Dialect::Classic, true), classic);
        assert_eq!(
            shown(Dialect::V2, false),
            r#"{"type":"x","created_at":1704067200000000000,"cid":"messaging:a","last_read_at":1704067200000000000,"n":1.0,"custom":{}}"#
        );
        assert_eq!(
            shown(Dialect::V2, true),
            r#"{"type":"x","created_at":1704067200000000000,"cid":"messaging:a","custom":{"last_read_at":"2024-01-01T00:00:00Z","n":1.0}}"#
        );
    }

    #[test]
    fn a_thread_has_times_in_the_dialect_but_for_those_of_its_own_fields() {
        let told = r#"{"thread":{"title":"t","created_at":"2024-01-01T00:00:00Z","custom":{"created_at":"2024-01-01T00:00:00Z"}}}"#;
        let fields = Object::parse(told).unwrap();
        let written = |dialect| serde_json::to_string(&More { fields: &fields, is_custom: false, dialect }).unwrap();
        assert_eq!(written(Dialect::Classic), told);
        let v2 = r#"{"thread":{"title":"t","created_at":1704067200000000000,"custom":{"created_at":"2024-01-01T00:00:00Z"}},"custom":{}}"#;
        assert_eq!(written(Dialect::V2), v2);
    }
}
