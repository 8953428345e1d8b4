//! The state of a channel: all that an answer says of it, loaded in one place (chat §6.4).

use domain::{
    Tx,
    chat::{
        channels::{self, Channel},
        commands::{self, Command},
        drafts::{self, Spot},
        locations,
        members::{self, Member},
        messages::{self, Message, Shown, Viewer},
        permissions::{self, Place, Who},
        push::preferences::{self, Preference},
        reads::{self, Read, Reader},
        types::{self, ChannelType, Config},
    },
    users::{self, People, mutes::Mute},
};
use ids::{ChannelId, MessageId, Timestamp, UserId, json::Object};

use super::wanted::{Slice, Wanted};
use crate::chat::{error::Result, gate::Call, threads::Told};

/// The most pinned messages of a state.
const PINNED_MAX: usize = 10;

/// A member as answers list it.
#[derive(Clone, Debug)]
pub(crate) struct Listed {
    /// Who.
    pub(crate) user: UserId,
    /// The member.
    pub(crate) member: Member,
    /// The application's own fields of it.
    pub(crate) custom: Object,
    /// Whether the member muted the channel.
    pub(crate) is_muted: bool,
}

impl Listed {
    /// A member who muted nothing.
    pub(crate) fn new(user: UserId, member: Member) -> Self {
        Listed { custom: member.custom(), user, member, is_muted: false }
    }
}

/// How far a member has read.
#[derive(Clone, Debug)]
pub(crate) struct ReadBy {
    /// Who.
    pub(crate) user: UserId,
    /// How far.
    pub(crate) read: Read,
    /// How many messages came after that.
    pub(crate) unread: usize,
}

/// A channel, and what of its state was wanted.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// Which channel.
    pub(crate) id: ChannelId,
    /// The channel.
    pub(crate) channel: Channel,
    /// The application's own fields of it.
    pub(crate) custom: Object,
    /// Its type.
    pub(crate) kind: ChannelType,
    /// The settings of its type, with what differs in it.
    pub(crate) config: Config,
    /// Its slash commands.
    pub(crate) commands: Vec<(String, Command)>,
    /// What the asking user can do; nobody asks that of the app's own server.
    pub(crate) capabilities: Option<Vec<&'static str>>,
    /// How many members there are.
    pub(crate) member_count: i64,
    /// How many messages there are, where they are counted.
    pub(crate) message_count: Option<i64>,
    /// When something was last said.
    pub(crate) last_message_at: Option<Timestamp>,
    /// Whether the asking user hid it.
    pub(crate) is_hidden: bool,
    /// Whether the asking user blocks the only other member.
    pub(crate) is_blocked: bool,
    /// Of what of it the asking user wants to be told.
    pub(crate) push: Option<Preference>,
    /// How the asking user muted it.
    pub(crate) mute: Option<Mute>,
    /// The members that were wanted.
    pub(crate) members: Vec<Listed>,
    /// The asking user as a member.
    pub(crate) membership: Option<Listed>,
    /// How far they have read.
    pub(crate) reads: Vec<ReadBy>,
    /// What was said.
    pub(crate) messages: Vec<Shown>,
    /// What is pinned.
    pub(crate) pinned: Vec<Shown>,
    /// What waits to be committed.
    pub(crate) pending: Vec<Shown>,
    /// What the asking user has begun to write.
    pub(crate) draft: Option<drafts::Found>,
    /// Threads in which the asking user has something to read.
    pub(crate) threads: Vec<Told>,
    /// Messages that tell where somebody is, live.
    pub(crate) live: Vec<(MessageId, Message)>,
    /// How many watch.
    pub(crate) watcher_count: Option<usize>,
    /// The watchers that were wanted.
    pub(crate) watchers: Vec<UserId>,
}

impl Loaded {
    /// Up to when messages are hidden from the asking user.
    pub(crate) fn hides_before(&self) -> Option<Timestamp> {
        self.membership.as_ref().and_then(|listed| listed.member.hides_before)
    }

    /// Every user that it names.
    pub(crate) fn named(&self) -> impl Iterator<Item = &UserId> {
        let members = self.members.iter().chain(&self.membership).map(|listed| &listed.user);
        let reads = self.reads.iter().map(|read| &read.user);
        let makers = self.channel.created_by.iter().chain(&self.channel.truncated_by);
        let drafted = self.draft.iter().flat_map(|found| &found.draft.mentioned);
        makers.chain(members).chain(reads).chain(&self.watchers).chain(drafted)
    }

    /// Where the asking user is.
    fn place(&self) -> Place<'_> {
        let member = self.membership.as_ref().map(|listed| &listed.member);
        Place { kind: &self.kind, channel: Some(&self.channel), member }
    }

    /// Checks that `who` may read it; a disabled one is for the app's own server, and for who may read it nevertheless
    /// (chat §12.4).
    ///
    /// # Errors
    /// 17 otherwise.
    pub(crate) fn check_readable(&self, who: Who<'_>) -> Result<()> {
        permissions::check(who, self.place(), "read-channel", None)?;
        match self.channel.is_disabled {
            true => Ok(permissions::check(who, self.place(), "read-disabled-channel", None)?),
            false => Ok(()),
        }
    }
}

/// Who looks, and when.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    /// Who asks.
    pub(crate) who: Who<'a>,
    /// Who is looked for: the asking user, or whom the app's own server names.
    pub(crate) viewer: Option<&'a UserId>,
    /// What time it is.
    pub(crate) now: Timestamp,
}

impl<'a> View<'a> {
    /// As `viewer`, in this call.
    pub(crate) fn of(call: &'a Call, viewer: Option<&'a UserId>) -> Self {
        View { who: call.who(), viewer, now: call.now() }
    }
}

/// Loads `id` without what is in it.
///
/// # Errors
/// 16 when there is no such channel.
pub(crate) async fn load(tx: &mut Tx, id: &ChannelId, view: View<'_>) -> Result<Loaded> {
    let channel = channels::load(tx, id).await?;
    with(tx, id, channel, view).await
}

/// The same with a channel that was loaded, or was just deleted.
///
/// # Errors
/// When the store fails.
pub(crate) async fn with(tx: &mut Tx, id: &ChannelId, channel: Channel, view: View<'_>) -> Result<Loaded> {
    let kind = types::load(tx, id.kind()).await?;
    let config = types::config(&kind, &channel);
    let (mut membership, mut is_hidden, mut is_blocked, mut mute, mut push) = (None, false, false, None, None);
    if let Some(user) = view.viewer {
        is_hidden = channels::are_hidden(tx, std::slice::from_ref(id), user).await?[0];
        mute = channels::mutes(tx, user, std::slice::from_ref(id), view.now).await?.remove(0);
        if let Some(profile) = users::get(tx, user).await? {
            is_blocked = channels::is_blocked(tx, id, &profile).await?;
        }
        push = preferences::get(tx, user, Some(id)).await?;
        membership = members::get(tx, id, user).await?.map(|member| Listed::new(user.clone(), member));
    }
    let membership = membership.map(|own| Listed { is_muted: mute.is_some(), ..own });
    let place = Place { kind: &kind, channel: Some(&channel), member: membership.as_ref().map(|own| &own.member) };
    let capabilities = match view.who {
        Who::Server => None,
        who @ (Who::User(..) | Who::Anonymous) => Some(permissions::capabilities(who, place, &config)),
    };
    let message_count = match config.count_messages {
        true => Some(channels::message_count(tx, id).await?),
        false => None,
    };
    Ok(Loaded {
        id: id.clone(),
        custom: channel.custom(),
        member_count: members::count(tx, id).await?,
        message_count,
        last_message_at: reads::last_message_at(&tx.app, id, &channel).await?,
        commands: commands::named(tx, &config.commands).await?,
        kind,
        config,
        capabilities,
        is_hidden,
        is_blocked,
        mute,
        push,
        membership,
        members: Vec::new(),
        reads: Vec::new(),
        messages: Vec::new(),
        pinned: Vec::new(),
        pending: Vec::new(),
        draft: None,
        threads: Vec::new(),
        live: Vec::new(),
        watcher_count: None,
        watchers: Vec::new(),
        channel,
    })
}

/// Loads what is in the channel, as far as it is wanted; who is named by messages comes into `people`.
///
/// # Errors
/// 16 when a message that bounds the page is not there.
pub(crate) async fn fill(
    tx: &mut Tx,
    loaded: &mut Loaded,
    view: View<'_>,
    wanted: &Wanted,
    people: &mut People,
) -> Result<()> {
    if !wanted.state {
        return Ok(());
    }
    list_members(tx, loaded, wanted.members).await?;
    if loaded.config.read_events {
        loaded.reads = read_states(tx, loaded).await?;
    }
    let reader = Viewer {
        user: view.viewer.filter(|_| !matches!(view.who, Who::Server)).cloned(),
        hidden_until: loaded.channel.truncated_at.max(loaded.hides_before()),
    };
    let page = messages::page(tx, &loaded.id, &wanted.messages, &reader).await?;
    loaded.messages = messages::gather(tx, page, view.viewer, people).await?;
    let pinned = messages::pinned(tx, &loaded.id, &reader, PINNED_MAX, view.now).await?;
    loaded.pinned = messages::gather(tx, pinned, view.viewer, people).await?;
    messages::include_member_custom(&mut loaded.messages, &wanted.member_custom);
    messages::include_member_custom(&mut loaded.pinned, &wanted.member_custom);
    if loaded.config.shared_locations {
        let live = locations::of_channel(tx, &loaded.id, view.now).await?;
        let is_seen = |message: &Message| reader.user.as_ref().is_none_or(|user| messages::is_visible(message, user));
        loaded.live = live.into_iter().filter(|(_, message)| is_seen(message)).collect();
    }
    if let Some(user) = view.viewer {
        let pending = channels::pending(tx, &loaded.id, user).await?;
        loaded.pending = messages::gather(tx, pending, view.viewer, people).await?;
        messages::include_member_custom(&mut loaded.pending, &wanted.member_custom);
        let spot = Spot { channel: loaded.id.clone(), parent: None };
        let draft = drafts::get(tx, user, &spot).await?;
        loaded.draft = draft.map(|draft| drafts::Found { spot, draft });
    }
    Ok(())
}

/// Loads these members.
///
/// # Errors
/// When the store fails.
pub(crate) async fn list_members(tx: &mut Tx, loaded: &mut Loaded, part: Slice) -> Result<()> {
    let listed = members::list(tx, &loaded.id, part.limit, part.offset).await?;
    loaded.members = listed.into_iter().map(|(user, member)| Listed::new(user, member)).collect();
    Ok(())
}

/// Notes who watches, if that is wanted.
pub(crate) fn watched(call: &Call, loaded: &mut Loaded, wanted: &Wanted) {
    if let Some(part) = wanted.watchers {
        let watchers = call.server.hub.watchers(call.tenant.app.id, &loaded.id);
        loaded.watcher_count = Some(call.server.hub.watcher_count(call.tenant.app.id, &loaded.id));
        loaded.watchers = watchers.into_iter().skip(part.offset).take(part.limit).collect();
    }
}

/// How far the listed members and the viewer have read.
async fn read_states(tx: &mut Tx, loaded: &Loaded) -> Result<Vec<ReadBy>> {
    let is_new = |own: &&Listed| loaded.members.iter().all(|listed| listed.user != own.user);
    let readers: Vec<&Listed> = loaded.members.iter().chain(loaded.membership.as_ref().filter(is_new)).collect();
    let users: Vec<UserId> = readers.iter().map(|listed| listed.user.clone()).collect();
    let marks = reads::get_many(tx, &loaded.id, &users).await?;
    let own = loaded.membership.as_ref().filter(|own| own.is_muted).map(|own| &own.user);
    let mut states = Vec::with_capacity(readers.len());
    for (listed, mark) in readers.into_iter().zip(marks) {
        let Some(read) = mark else { continue };
        let Listed { user, member, .. } = listed;
        let reader = Reader { user, member, read: &read };
        let unread = match own == Some(user) {
            true => 0,
            false => reads::unread(&tx.app, &loaded.id, &loaded.channel, reader).await?,
        };
        states.push(ReadBy { user: user.clone(), read: read.value, unread });
    }
    Ok(states)
}

/// Loads everybody whom `loaded` names, and who of them is connected.
///
/// # Errors
/// When the store fails.
pub(crate) async fn meet(call: &Call, tx: &mut Tx, loaded: &[Loaded], people: &mut People) -> Result<()> {
    people.add(tx, loaded.iter().flat_map(Loaded::named)).await?;
    for (id, person) in people.iter_mut() {
        person.is_online = call.server.hub.is_online(call.tenant.app.id, id);
    }
    Ok(())
}
