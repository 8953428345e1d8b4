//! Messages and reactions as chat clients read them (chat §6.7, §6.9).

use std::collections::BTreeMap;

use domain::{
    chat::messages::{Author, Group, Kind, Pin, Reacted, Shown},
    users::People,
};
use ids::{Timestamp, UserId};
use wire::chat::{
    dialect::{Custom, Dialect, Time},
    messages::{MemberBrief, Message, Moderation, Reaction, ReactionBy, ReactionGroup},
    search::InChannel,
    users::User,
};

use super::{
    super::{attachments, channels::state::Loaded, markdown},
    channels::{self, Pen},
    user_groups::user_group,
};

/// How a message is shown.
#[derive(Clone, Copy)]
pub(crate) struct Frame<'a> {
    /// In which dialect.
    pub(crate) dialect: Dialect,
    /// With whom.
    pub(crate) people: &'a People,
    /// When.
    pub(crate) now: Timestamp,
    /// Whether what a deleted message said is shown.
    pub(crate) shows_deleted: bool,
}

impl<'a> Frame<'a> {
    /// A time.
    pub(super) fn time(self, at: Timestamp) -> Time {
        Time { at, dialect: self.dialect }
    }

    /// A user of whom the message tells.
    pub(super) fn user(self, id: &UserId) -> Option<User<'a>> {
        super::users::embedded(self.dialect, self.people, id, self.now)
    }

    pub(super) fn users<'u>(self, ids: impl IntoIterator<Item = &'u UserId>) -> Vec<User<'a>> {
        ids.into_iter().filter_map(|id| self.user(id)).collect()
    }

    /// A message.
    pub(crate) fn message(self, shown: &'a Shown) -> Message<'a> {
        let message = &shown.message;
        let is_deleted = message.deleted_at.is_some() || shown.hidden_at.is_some();
        let is_blank = is_deleted && !self.shows_deleted;
        let text = if is_blank { "" } else { &message.text };
        let pin = message.pin.as_ref().filter(|pin| pin.holds(self.now) && !is_deleted);
        let command = message.command.as_ref();
        Message {
            id: shown.id.as_str(),
            cid: message.channel.as_str(),
            kind: if is_deleted { "deleted" } else { kind(message.kind) },
            text,
            html: message.html.clone().filter(|_| !is_blank).unwrap_or_else(|| markdown::html(text)),
            mml: message.mml.as_deref().filter(|_| !is_blank),
            user: message.user.as_ref().and_then(|user| self.user(user)),
            member: shown.author.as_ref().map(|author| self.author(author)),
            attachments: if is_blank { Vec::new() } else { attachments::shown(&message.attachments, self.dialect) },
            mentioned_users: self.users(&message.mentioned),
            mentioned_roles: message.mentioned_roles.iter().map(String::as_str).collect(),
            mentioned_group_ids: message.mentioned_groups.iter().map(String::as_str).collect(),
            mentioned_groups: shown
                .beside
                .groups
                .iter()
                .map(|(id, group)| user_group(self.dialect, id, group))
                .collect(),
            mentioned_channel: self.always_in_v2(message.mentions_channel),
            mentioned_here: self.always_in_v2(message.mentions_here),
            latest_reactions: shown.reactions.latest.iter().map(|reacted| self.reaction(shown, reacted)).collect(),
            own_reactions: shown.own.iter().map(|reacted| self.reaction(shown, reacted)).collect(),
            reaction_counts: shown.reactions.groups.iter().map(|group| (group.kind.as_str(), group.count)).collect(),
            reaction_scores: shown.reactions.groups.iter().map(|group| (group.kind.as_str(), group.score)).collect(),
            reaction_groups: self.groups(&shown.reactions.groups),
            parent_id: message.parent.as_ref().map(|parent| parent.as_str()),
            show_in_channel: message.parent.as_ref().map(|_| message.shows_in_channel),
            reply_count: shown.replies,
            deleted_reply_count: shown.deleted_replies,
            thread_participants: self.users(&shown.participants),
            quoted_message_id: message.quoted.as_ref().map(|quoted| quoted.as_str()),
            quoted_message: shown.quoted.as_deref().map(|quoted| Box::new(self.message(quoted))),
            command: command.map(|(name, _)| name.as_str()),
            args: command.map(|(_, args)| args.as_str()),
            poll_id: message.poll.as_deref(),
            poll: shown.beside.poll.as_ref().map(|poll| Box::new(self.poll(poll))),
            shared_location: if is_blank { None } else { self.location(shown.id.as_str(), message) },
            reminder: shown.beside.reminder.as_ref().map(|(user, it)| self.reminder(user, shown.id.as_str(), it)),
            draft: shown.beside.draft.as_ref().map(|found| self.draft(&found.spot, &found.draft)),
            moderation: message.moderation.as_ref().map(|why| Moderation {
                action: &why.action,
                original_text: &why.original_text,
                blocklist_matched: why.blocklists.first().map(String::as_str),
                blocklists_matched: &why.blocklists,
            }),
            silent: message.is_silent,
            shadowed: message.is_shadowed,
            restricted_visibility: message.visible_to.iter().map(UserId::as_str).collect(),
            pinned: pin.is_some(),
            pinned_at: self.null_in_classic(pin.map(|pin| self.time(pin.at))),
            pinned_by: self.null_in_classic(pin.and_then(|pin| self.user(pin.by.as_ref()?))),
            pin_expires: self.null_in_classic(pin.and_then(|pin: &Pin| pin.expires).map(|at| self.time(at))),
            i18n: translations(&message.translations),
            created_at: self.time(message.created_at),
            updated_at: self.time(message.updated_at),
            message_text_updated_at: message.text_updated_at.map(|at| self.time(at)),
            deleted_at: message.deleted_at.or(shown.hidden_at).map(|at| self.time(at)),
            deleted_for_me: shown.hidden_at.map(|_| true),
            custom: Custom { fields: &shown.custom, dialect: self.dialect },
        }
    }

    /// What the author of a message is in the channel.
    fn author(self, author: &'a Author) -> MemberBrief<'a> {
        let is_muted = author.mute.as_ref().is_some_and(|mute| mute.expires.is_none_or(|expires| self.now < expires));
        let custom = Custom { fields: &author.shown, dialect: self.dialect };
        MemberBrief {
            channel_role: &author.channel_role,
            notifications_muted: self.dialect.v2_only(is_muted),
            custom: (!author.shown.is_empty()).then_some(custom),
        }
    }

    /// A message with its channel.
    pub(crate) fn in_channel(self, shown: &'a Shown, place: Option<&'a Loaded>) -> InChannel<'a> {
        let pen = Pen { dialect: self.dialect, people: self.people, now: self.now };
        InChannel { message: self.message(shown), channel: place.map(|place| channels::channel(pen, place)) }
    }

    /// A reaction to the message `shown`.
    pub(crate) fn reaction<'r>(self, shown: &'r Shown, reacted: &'r Reacted) -> Reaction<'r>
    where
        'a: 'r,
    {
        self.reaction_to(shown.id.as_str(), reacted)
    }

    /// A reaction to the message `id`.
    pub(crate) fn reaction_to<'r>(self, id: &'r str, reacted: &'r Reacted) -> Reaction<'r>
    where
        'a: 'r,
    {
        Reaction {
            message_id: id,
            user_id: reacted.user.as_str(),
            user: self.user(&reacted.user),
            kind: &reacted.kind,
            score: reacted.reaction.score,
            created_at: self.time(reacted.reaction.created_at),
            updated_at: self.time(reacted.reaction.updated_at),
            custom: Custom { fields: &reacted.custom, dialect: self.dialect },
        }
    }

    fn groups(self, groups: &'a [Group]) -> BTreeMap<&'a str, ReactionGroup<'a>> {
        let shown = |group: &'a Group| ReactionGroup {
            count: group.count,
            sum_scores: group.score,
            first_reaction_at: self.time(group.first),
            last_reaction_at: self.time(group.latest.first().map_or(group.first, |(_, at)| *at)),
            latest_reactions_by: self.dialect.v2_only(group.latest.iter().map(|by| self.reacted_by(by)).collect()),
        };
        groups.iter().map(|group| (group.kind.as_str(), shown(group))).collect()
    }

    fn reacted_by(self, (user, at): &'a (UserId, Timestamp)) -> ReactionBy<'a> {
        ReactionBy { created_at: self.time(*at), user_id: user.as_str(), user: self.user(user) }
    }

    fn always_in_v2(self, flag: bool) -> Option<bool> {
        self.dialect.v2_only(flag).or(flag.then_some(true))
    }

    fn null_in_classic<T>(self, value: Option<T>) -> Option<Option<T>> {
        match self.dialect {
            Dialect::Classic => Some(value),
            Dialect::V2 => value.map(Some),
        }
    }
}

/// The name of a kind of message.
pub(super) fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Regular => "regular",
        Kind::Reply => "reply",
        Kind::System => "system",
        Kind::Ephemeral => "ephemeral",
        Kind::Error => "error",
    }
}

/// A text in other languages, as `i18n` has it.
pub(crate) fn translations(pairs: &[(String, String)]) -> Option<BTreeMap<&str, &str>> {
    let known: BTreeMap<_, _> = pairs.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    Some(known).filter(|known| !known.is_empty())
}
