//! Channels, their state, and their members (chat §6.3, §6.4, §6.6, §6.10).

use domain::{
    chat::{
        channels::Channel,
        members::{self, Invite, Member},
        messages::Shown,
    },
    users::People,
};
use ids::{ChannelId, Timestamp, UserId, json::Object};
use wire::chat::{
    channels::{Channel as WireChannel, ChannelState, Pending, Read as WireRead},
    dialect::{Custom, Dialect, Time},
    members::Member as WireMember,
};

use super::{
    messages::Frame,
    push::preference,
    threads::thread,
    types::{command, config},
    users::embedded,
};
use crate::chat::channels::state::{Listed, Loaded, ReadBy};

/// What an answer is written with.
#[derive(Clone, Copy)]
pub(crate) struct Pen<'a> {
    /// How.
    pub(crate) dialect: Dialect,
    /// Who is who.
    pub(crate) people: &'a People,
    /// What time it is.
    pub(crate) now: Timestamp,
}

impl Pen<'_> {
    fn time(self, at: Timestamp) -> Time {
        Time { at, dialect: self.dialect }
    }
}

/// A channel as `loaded` found it.
pub(crate) fn channel<'a>(pen: Pen<'a>, loaded: &'a Loaded) -> WireChannel<'a> {
    let bare = bare(pen, (&loaded.id, &loaded.channel, &loaded.custom), loaded.member_count);
    let commands = loaded.commands.iter().map(|(name, known)| command(pen.dialect, name, known));
    WireChannel {
        last_message_at: loaded.last_message_at.map(|at| pen.time(at)),
        hidden: loaded.is_hidden.then_some(true),
        hide_messages_before: loaded.hides_before().map(|at| pen.time(at)),
        muted: loaded.mute.is_some().then_some(true),
        blocked: loaded.is_blocked.then_some(true),
        mute_expires_at: loaded.mute.as_ref().and_then(|mute| mute.expires).map(|at| pen.time(at)),
        message_count: loaded.message_count,
        own_capabilities: loaded.capabilities.clone(),
        config: Some(config(pen.dialect, &loaded.kind, &loaded.config, commands.collect())),
        ..bare
    }
}

/// A channel by its record and the number of its members alone.
pub(crate) fn bare<'a>(
    pen: Pen<'a>,
    (id, channel, custom): (&'a ChannelId, &'a Channel, &'a Object),
    member_count: i64,
) -> WireChannel<'a> {
    let person = |id: &Option<UserId>| embedded(pen.dialect, pen.people, id.as_ref()?, pen.now);
    let language = channel.auto_translation_language.as_str();
    WireChannel {
        id: id.id(),
        kind: id.kind(),
        cid: id.as_str(),
        created_at: pen.time(channel.created_at),
        updated_at: pen.time(channel.updated_at),
        last_message_at: None,
        created_by: person(&channel.created_by),
        frozen: channel.is_frozen,
        disabled: channel.is_disabled,
        hidden: None,
        hide_messages_before: None,
        muted: None,
        blocked: None,
        mute_expires_at: None,
        member_count,
        message_count: None,
        team: Some(channel.team.as_str()).filter(|team| !team.is_empty()),
        cooldown: Some(channel.cooldown_seconds).filter(|seconds| *seconds > 0),
        truncated_at: channel.truncated_at.map(|at| pen.time(at)),
        truncated_by: person(&channel.truncated_by),
        deleted_at: channel.deleted_at.map(|at| pen.time(at)),
        auto_translation_enabled: channel.is_auto_translated.then_some(true),
        auto_translation_language: Some(language).filter(|language| !language.is_empty()),
        filter_tags: &channel.filter_tags,
        members: None,
        own_capabilities: None,
        config: None,
        custom: Custom { fields: custom, dialect: pen.dialect },
    }
}

/// A channel with what is in it.
pub(crate) fn state<'a>(pen: Pen<'a>, loaded: &'a Loaded) -> ChannelState<'a> {
    let frame = Frame { dialect: pen.dialect, people: pen.people, now: pen.now, shows_deleted: false };
    let messages = |shown: &'a [Shown]| shown.iter().map(|shown| frame.message(shown)).collect();
    ChannelState {
        channel: channel(pen, loaded),
        messages: messages(&loaded.messages),
        pinned_messages: messages(&loaded.pinned),
        pending_messages: loaded.pending.iter().map(|shown| pending(frame, shown)).collect(),
        members: members(pen, loaded),
        membership: loaded.membership.as_ref().map(|listed| member(pen, &loaded.channel, listed)),
        read: loaded
            .reads
            .iter()
            .filter(|read| tells(pen, loaded, read))
            .filter_map(|read| read_by(pen, read))
            .collect(),
        watchers: loaded.watchers.iter().filter_map(|id| embedded(pen.dialect, pen.people, id, pen.now)).collect(),
        watcher_count: loaded.watcher_count,
        hidden: loaded.is_hidden.then_some(true),
        hide_messages_before: loaded.hides_before().map(|at| pen.time(at)),
        active_live_locations: loaded
            .live
            .iter()
            .filter_map(|(id, message)| frame.location(id.as_str(), message))
            .collect(),
        draft: loaded.draft.as_ref().map(|found| frame.draft(&found.spot, &found.draft)),
        push_preferences: loaded.push.as_ref().map(|push| preference(pen.dialect, push)),
        threads: loaded.threads.iter().map(|told| thread(frame, told, true, true)).collect(),
    }
}

fn pending<'a>(frame: Frame<'a>, shown: &'a Shown) -> Pending<'a> {
    let metadata = shown.message.pending.iter().flatten().map(|(name, value)| (name.as_str(), value.as_str()));
    Pending { message: frame.message(shown), metadata: metadata.collect() }
}

/// Whether the viewer is shown how far this member has read: some tell nobody (chat §12.1).
fn tells(pen: Pen<'_>, loaded: &Loaded, read: &ReadBy) -> bool {
    let is_own = loaded.membership.as_ref().is_some_and(|own| own.user == read.user);
    let privacy = pen.people.get(&read.user).and_then(|(_, person)| person.user.privacy);
    loaded.capabilities.is_none() || is_own || privacy.and_then(|privacy| privacy.read_receipts) != Some(false)
}

/// The members that `loaded` lists.
pub(crate) fn members<'a>(pen: Pen<'a>, loaded: &'a Loaded) -> Vec<WireMember<'a>> {
    loaded.members.iter().map(|listed| member(pen, &loaded.channel, listed)).collect()
}

/// A member of `channel`.
pub(crate) fn member<'a>(pen: Pen<'a>, channel: &Channel, listed: &'a Listed) -> WireMember<'a> {
    let Listed { user, member, custom, is_muted } = listed;
    let is_admin = pen.people.get(user).is_some_and(|(_, person)| person.user.role == "admin");
    let (is_moderator, is_owner) =
        (member.channel_role == members::MODERATOR, channel.created_by.as_ref() == Some(user));
    let ban = member.ban.as_ref().filter(|ban| ban.holds(pen.now));
    WireMember {
        user_id: user.as_str(),
        user: embedded(pen.dialect, pen.people, user, pen.now),
        role: match (is_moderator, is_owner, is_admin) {
            (true, ..) => "moderator",
            (_, true, _) => "owner",
            (.., true) => "admin",
            _ => "member",
        },
        channel_role: &member.channel_role,
        is_moderator,
        status: status(member),
        invited: member.invite.is_some(),
        invite_accepted_at: match member.invite {
            Some(Invite::Accepted(at)) => Some(pen.time(at)),
            _ => None,
        },
        invite_rejected_at: match member.invite {
            Some(Invite::Rejected(at)) => Some(pen.time(at)),
            _ => None,
        },
        created_at: pen.time(member.created_at),
        updated_at: pen.time(member.updated_at),
        banned: ban.is_some_and(|ban| !ban.is_shadow),
        ban_expires: ban.and_then(|ban| ban.expires).map(|at| pen.time(at)),
        shadow_banned: ban.is_some_and(|ban| ban.is_shadow),
        notifications_muted: *is_muted,
        pinned_at: member.pinned_at.map(|at| pen.time(at)),
        archived_at: member.archived_at.map(|at| pen.time(at)),
        custom: Custom { fields: custom, dialect: pen.dialect },
    }
}

fn status(member: &Member) -> &'static str {
    match member.invite {
        None => "member",
        Some(Invite::Pending) => "pending",
        Some(Invite::Accepted(_)) => "accepted",
        Some(Invite::Rejected(_)) => "rejected",
    }
}

fn read_by<'a>(pen: Pen<'a>, read: &'a ReadBy) -> Option<WireRead<'a>> {
    let ReadBy { user, read, unread } = read;
    Some(WireRead {
        user: embedded(pen.dialect, pen.people, user, pen.now)?,
        last_read: pen.time(read.last_read),
        unread_messages: *unread,
        last_read_message_id: read.last_read_message.as_ref().map(ids::MessageId::as_str),
        last_delivered_at: read.last_delivered.map(|at| pen.time(at)),
        last_delivered_message_id: read.last_delivered_message.as_ref().map(ids::MessageId::as_str),
    })
}
