//! What an event names, read once, and how it is written.

use std::collections::BTreeMap;

use domain::{
    Tx,
    chat::{
        channels::Channel,
        drafts::Spot,
        events::{Event, Matter},
        messages::{self, Reacted, Shown},
        permissions::Who,
    },
    keyspace::{CHANNEL, Chat},
    polls::{self, Cast},
    users::{People, own, own::Own},
};
use ids::{AppId, Timestamp, UserId, json::Object};
use serde::Serialize;
use serde_json::value::RawValue;
use wire::chat::{
    dialect::{Dialect, Members, Time},
    events::{Event as WireEvent, MemberReader, More, Mute as WireMute, UnreadChannel},
    users::User,
};

use super::{rare, readers::Readers, tell::is_built_in};
use crate::{
    Server,
    apps::Tenant,
    chat::{
        channels::state::{self, Listed, Loaded, View},
        origin::request_info,
        to_wire::{
            self,
            channels::{self, Pen},
            messages::Frame,
        },
    },
    v3,
};

/// An event with all that it names.
pub(super) struct Scene {
    pub(super) event: Event,
    /// The event as it is told, if it is one of feeds v3: in one dialect, and the same to everybody.
    of_feeds: Option<String>,
    channel: Option<Channel>,
    /// The same with its numbers, in events that show it.
    shown: Option<Loaded>,
    message: Option<Shown>,
    /// What the message answers to, in events of a reply.
    parent: Option<Shown>,
    /// Who has not read what, for hooks.
    readers: Option<Readers>,
    /// What few events show, for hooks.
    rare: BTreeMap<&'static str, Box<RawValue>>,
    /// The poll with its votes as they are now, and the vote that the event is about.
    poll: Option<(polls::Shown, Option<Cast>)>,
    /// What the user has not read, in events that tell of it.
    unread: Vec<(Loaded, Vec<Shown>)>,
    /// What the user sees of itself, in events that say so.
    own: Option<Own>,
    people: People,
    more: Object,
    watcher_count: usize,
    pub(super) now: Timestamp,
}

impl Scene {
    /// Reads what `event` names.
    pub(super) async fn read(server: &Server, tx: &mut Tx, event: Event, now: Timestamp) -> domain::Result<Self> {
        let (tenant, app) = (tx.tenant(), AppId(tx.tenant()));
        let channel = match &event.channel {
            Some(id) => CHANNEL.get(tx, tenant, &Chat(id.clone())).await?,
            None => None,
        };
        let mut people = People::load(tx, &named(&event, channel.as_ref())).await?;
        // From this one another is made that shows the channel.
        let shown = match (&channel, &event.channel) {
            (Some(channel), Some(id)) if names_channel(&event.kind) || event.kind == "message.new" => {
                let view = View { who: Who::Server, viewer: None, now };
                state::with(tx, id, channel.clone(), view).await.ok()
            }
            _ => None,
        };
        let message = match event.message.as_deref() {
            Some(message) => messages::gather(tx, vec![message.clone()], None, &mut people).await?.pop(),
            None => None,
        };
        let parent = self::parent(tx, &event, &mut people).await?;
        let poll = poll(tx, &event, &mut people).await?;
        let unread = self::unread(tx, &event, &mut people, now).await?;
        let own = match (event.user.as_ref(), shows_me(&event.kind)) {
            (Some(user), true) => {
                let own = own::load(tx, user, now).await?;
                people.add(tx, own.named()).await?;
                Some(own)
            }
            _ => None,
        };
        for (id, person) in people.iter_mut() {
            person.is_online = server.hub.is_online(app, id);
        }
        let watcher_count = event.channel.as_ref().map_or(0, |channel| server.hub.watcher_count(app, channel));
        let more = Object::parse(&event.more).unwrap_or_default();
        let of_feeds = match &event.feeds {
            Some(subject) => Some(v3::write_event(tx, &event, subject, now).await?),
            None => None,
        };
        Ok(Scene {
            readers: None,
            rare: BTreeMap::new(),
            of_feeds,
            people,
            channel,
            shown,
            message,
            parent,
            poll,
            unread,
            own,
            watcher_count,
            more,
            now,
            event,
        })
    }

    /// Adds what hooks are told beside: who has not read what, and what few events show.
    pub(super) async fn add_for_hook(
        &mut self,
        (server, tenant): (&Server, &Tenant),
        tx: &mut Tx,
        dialect: Dialect,
    ) -> domain::Result<()> {
        self.readers = Some(Readers::read(tx, &self.event, &mut self.people, self.now).await?);
        self.rare = rare::read((server, tenant), &self.event, dialect, self.now).await?;
        Ok(())
    }

    /// The event called `kind`, as JSON.
    pub(super) fn write(&self, kind: &str, dialect: Dialect) -> String {
        if let Some(text) = &self.of_feeds {
            return text.clone();
        }
        let event = &self.event;
        let user = event.user.as_ref().and_then(|user| self.user(user, kind, dialect));
        let other = event.other.as_ref().and_then(|user| self.user(user, kind, dialect));
        let is_target = matches!(kind.split_once('.'), Some(("user", "muted" | "unmuted" | "flagged" | "unflagged")));
        let channel = names_channel(kind).then(|| self.channel(dialect)).flatten();
        let me = self.me(dialect);
        let message = self.message.as_ref().map(|shown| raw(&self.frame(dialect).message(shown)));
        let reaction = self.reaction(dialect);
        let member = self.member(dialect);
        let (draft, reminder) = (self.draft(dialect), self.reminder(dialect));
        let (poll, vote) = self.poll(dialect);
        let channels = self.unread(dialect);
        let more = More { fields: &self.more, is_custom: !is_built_in(kind), dialect };
        let in_channel = is_in_channel(kind).then_some(());
        let v2 = in_channel.and(dialect.v2_only(()));
        let custom = v2.and(self.channel.as_ref()).map(Channel::custom);
        let time = |at| Time { at, dialect };
        let mute = match event.matter.as_deref() {
            Some(Matter::Mute { mute }) => Some(WireMute {
                user: user.as_deref(),
                channel: channel.as_deref(),
                created_at: time(mute.created_at),
                updated_at: time(mute.updated_at),
                expires: mute.expires.map(time),
            }),
            _ => None,
        };
        let wire = WireEvent {
            cid: event.channel.as_ref().map(|channel| channel.as_str()),
            channel_id: event.channel.as_ref().map(|channel| channel.id()),
            channel_type: event.channel.as_ref().map(|channel| channel.kind()),
            team: self.channel.as_ref().map(|channel| channel.team.as_str()).filter(|team| !team.is_empty()),
            me: me.as_deref(),
            user: user.as_deref(),
            target_user: other.as_deref().filter(|_| is_target),
            created_by: other.as_deref().filter(|_| !is_target),
            channel: channel.as_deref(),
            member: member.as_deref(),
            message_id: event.message.as_ref().and_then(|message| dialect.v2_only(message.0.as_str())),
            message: message.as_deref(),
            reaction: reaction.as_deref(),
            poll: poll.as_deref(),
            poll_vote: vote.as_deref(),
            mute,
            draft: draft.as_deref(),
            channels: channels.as_deref(),
            reminder: reminder.as_deref(),
            watcher_count: counts_watchers(kind).then_some(self.watcher_count),
            channel_member_count: in_channel.and(self.shown.as_ref()).map(|shown| shown.member_count),
            channel_message_count: v2.and(self.shown.as_ref()).and_then(|shown| shown.message_count),
            channel_custom: custom.as_ref().map(Members),
            parent_author: self.parent.as_ref().and_then(|parent| parent.message.user.as_ref()).map(UserId::as_str),
            thread_participants: self.participants(kind, dialect),
            members: self.members(dialect),
            rare: self.rare.clone(),
            request_info: self.readers.as_ref().and(event.origin.as_deref()).map(request_info),
            ..WireEvent::new(kind, Time { at: event.at, dialect }, more)
        };
        serde_json::to_string(&wire).expect("wire types are JSON")
    }
}

/// What the message of the event answers to, if the event tells of a reply and its thread.
async fn parent(tx: &mut Tx, event: &Event, people: &mut People) -> domain::Result<Option<Shown>> {
    let tells = matches!(event.kind.as_str(), "message.new" | "notification.thread_message_new");
    let Some(id) = event.message.as_deref().filter(|_| tells).and_then(|(_, message)| message.parent.clone()) else {
        return Ok(None);
    };
    let Some(parent) = messages::get(tx, &id).await? else { return Ok(None) };
    Ok(messages::gather(tx, vec![(id, parent)], None, people).await?.pop())
}

/// The poll that the event is about, as nobody in particular sees it.
async fn poll(tx: &mut Tx, event: &Event, people: &mut People) -> domain::Result<Option<(polls::Shown, Option<Cast>)>> {
    let Some(Matter::Poll { id, poll, vote }) = event.matter.as_deref() else { return Ok(None) };
    let shown = polls::show(tx, id, poll.clone(), None).await?;
    let vote = vote.clone().map(|(id, vote)| Cast { id, vote });
    people.add(tx, shown.named().chain(vote.iter().map(|cast| &cast.vote.user))).await?;
    Ok(Some((shown, vote)))
}

/// The channels and messages that the event's user has not read, as far as they are still there.
async fn unread(
    tx: &mut Tx,
    event: &Event,
    people: &mut People,
    now: Timestamp,
) -> domain::Result<Vec<(Loaded, Vec<Shown>)>> {
    let Some(Matter::Unread { channels }) = event.matter.as_deref() else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for (id, messages) in channels {
        let view = View { who: Who::Server, viewer: None, now };
        let Ok(loaded) = state::load(tx, id, view).await else { continue };
        let mut said = Vec::new();
        for message in messages {
            let known = messages::get(tx, message).await?.filter(|message| message.deleted_at.is_none());
            said.extend(known.map(|known| (message.clone(), known)));
        }
        people.add(tx, loaded.named()).await?;
        found.push((loaded, messages::gather(tx, said, None, people).await?));
    }
    Ok(found)
}

/// The users in an event.
fn named(event: &Event, channel: Option<&Channel>) -> Vec<UserId> {
    let message = event.message.as_ref().map(|message| &message.1);
    let one = [
        event.user.as_ref(),
        event.other.as_ref(),
        event.reaction.as_ref().map(|(_, user, _)| user),
        event.member.as_ref().map(|(user, _)| user),
        message.and_then(|message| message.user.as_ref()),
        message.and_then(|message| message.pin.as_ref()).and_then(|pin| pin.by.as_ref()),
        channel.and_then(|channel| channel.created_by.as_ref()),
    ];
    let mentioned = message.into_iter().flat_map(|message| &message.mentioned);
    let drafted = match event.matter.as_deref() {
        Some(Matter::Draft { draft, .. }) => draft.mentioned.as_slice(),
        _ => &[],
    };
    let mut ids: Vec<UserId> = one.into_iter().flatten().chain(mentioned).chain(drafted).cloned().collect();
    ids.sort();
    ids.dedup();
    ids
}

/// Whether events of this kind show the whole channel.
fn names_channel(kind: &str) -> bool {
    matches!(kind.split_once('.'), Some(("channel" | "member" | "notification" | "reaction", _)))
}

/// Whether events of this kind show the user as it sees itself.
fn shows_me(kind: &str) -> bool {
    matches!(kind, "notification.mutes_updated" | "notification.channel_mutes_updated")
}

/// Whether events of this kind say what channel they are of, in v2 with its own fields (chat §10.2).
fn is_in_channel(kind: &str) -> bool {
    matches!(kind.split_once('.'), Some(("channel" | "member" | "message" | "reaction", _)))
        || matches!(kind, "notification.mark_unread" | "notification.thread_message_new")
        || matches!(kind, "user.banned" | "user.unbanned" | "user.messages.deleted")
}

/// Whether events of this kind say how many watch.
fn counts_watchers(kind: &str) -> bool {
    matches!(kind, "message.new" | "user.watching.start" | "user.watching.stop" | "notification.thread_message_new")
}

/// A user in the size in which events of this kind tell it (chat §10.2): those of the v2 dialect that hooks hear of have a
/// short one, and what sockets alone hear the whole.
fn sized<'a>(kind: &str, dialect: Dialect, user: User<'a>) -> User<'a> {
    let is_short = match kind.split_once('.') {
        Some(("channel" | "member" | "reaction" | "user_group", _)) => true,
        Some(("message", kind)) => !matches!(kind, "delivered" | "pending"),
        Some(("user", kind)) => !matches!(kind, "presence.changed" | "updated" | "watching.start" | "watching.stop"),
        _ => matches!(kind, "notification.mark_unread" | "notification.thread_message_new"),
    };
    match (dialect, kind) {
        (Dialect::V2, "user.updated") => user.private(),
        (Dialect::V2, _) if is_short => user.lite(),
        _ => user,
    }
}

fn raw(object: &impl Serialize) -> Box<RawValue> {
    serde_json::value::to_raw_value(object).expect("wire types are JSON")
}

// The shapes of other resources, as events embed them.
impl Scene {
    fn frame(&self, dialect: Dialect) -> Frame<'_> {
        Frame { dialect, people: &self.people, now: self.now, shows_deleted: false }
    }

    fn pen(&self, dialect: Dialect) -> Pen<'_> {
        Pen { dialect, people: &self.people, now: self.now }
    }

    fn channel(&self, dialect: Dialect) -> Option<Box<RawValue>> {
        Some(raw(&channels::channel(self.pen(dialect), self.shown.as_ref()?)))
    }

    fn reaction(&self, dialect: Dialect) -> Option<Box<RawValue>> {
        let (kind, user, reaction) = self.event.reaction.as_ref()?;
        let message = self.event.message.as_deref()?;
        let (user, kind, custom) = (user.clone(), kind.clone(), reaction.custom());
        let reacted = Reacted { user, kind, reaction: reaction.clone(), custom };
        Some(raw(&self.frame(dialect).reaction_to(message.0.as_str(), &reacted)))
    }

    fn member(&self, dialect: Dialect) -> Option<Box<RawValue>> {
        let (user, member) = self.event.member.as_ref()?;
        let channel = self.channel.as_ref()?;
        let listed = Listed::new(user.clone(), member.clone());
        Some(raw(&channels::member(self.pen(dialect), channel, &listed)))
    }

    fn poll(&self, dialect: Dialect) -> (Option<Box<RawValue>>, Option<Box<RawValue>>) {
        let Some((shown, vote)) = &self.poll else { return (None, None) };
        let frame = self.frame(dialect);
        (Some(raw(&frame.poll(shown))), vote.as_ref().map(|cast| raw(&frame.vote(shown, cast))))
    }

    fn unread(&self, dialect: Dialect) -> Option<Box<RawValue>> {
        if !matches!(self.event.matter.as_deref(), Some(Matter::Unread { .. })) {
            return None;
        }
        let (pen, frame) = (self.pen(dialect), self.frame(dialect));
        let told = self.unread.iter().map(|(loaded, messages)| {
            let messages = messages.iter().map(|shown| frame.message(shown)).collect();
            (loaded.id.as_str(), UnreadChannel { channel: channels::channel(pen, loaded), messages })
        });
        Some(raw(&told.collect::<BTreeMap<_, _>>()))
    }

    fn draft(&self, dialect: Dialect) -> Option<Box<RawValue>> {
        let Some(Matter::Draft { parent, draft }) = self.event.matter.as_deref() else { return None };
        let spot = Spot { channel: self.event.channel.clone()?, parent: parent.clone() };
        Some(raw(&self.frame(dialect).draft(&spot, draft)))
    }

    fn reminder(&self, dialect: Dialect) -> Option<Box<RawValue>> {
        let Some(Matter::Reminder { message, reminder }) = self.event.matter.as_deref() else { return None };
        Some(raw(&self.frame(dialect).reminder(self.event.user.as_ref()?, message.as_str(), reminder)))
    }

    fn me(&self, dialect: Dialect) -> Option<Box<RawValue>> {
        let person = self.people.get(self.event.user.as_ref()?)?;
        Some(raw(&to_wire::users::own(dialect, &self.people, person, self.own.as_ref()?, self.now)))
    }

    fn user(&self, id: &UserId, kind: &str, dialect: Dialect) -> Option<Box<RawValue>> {
        let user = sized(kind, dialect, to_wire::users::embedded(dialect, &self.people, id, self.now)?);
        Some(match &self.readers {
            Some(readers) => raw(&readers.reader(id, user, dialect)),
            None => raw(&user),
        })
    }

    fn participants(&self, kind: &str, dialect: Dialect) -> Option<Vec<User<'_>>> {
        let parent = self.parent.as_ref()?;
        let user = |id| Some(sized(kind, dialect, to_wire::users::embedded(dialect, &self.people, id, self.now)?));
        Some(parent.participants.iter().filter_map(user).collect())
    }

    fn members(&self, dialect: Dialect) -> Option<Vec<MemberReader<'_>>> {
        let (readers, channel) = (self.readers.as_ref()?, self.channel.as_ref()?);
        let member = |listed| {
            let mut member = channels::member(self.pen(dialect), channel, listed);
            let user = member.user.take().map(|user| readers.reader(&listed.user, user, dialect));
            MemberReader { member, user }
        };
        Some(readers.members.iter().map(member).collect::<Vec<_>>()).filter(|members| !members.is_empty())
    }
}
