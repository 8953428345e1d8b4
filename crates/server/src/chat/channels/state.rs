//! The state of a channel: all that an answer says of it, loaded in one place (chat §6.4).

use domain::{
    Tx,
    chat::{
        channels::{self, Channel},
        members::{self, Member},
        permissions::{self, Place, Who},
        reads::{self, Read, Reader},
        types,
    },
    users::{People, mutes::Mute},
};
use ids::{ChannelId, Timestamp, UserId, json::Object};
use serde_json::value::RawValue;

use crate::chat::error::{Error, Result};

/// How much of a channel's state is wanted.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    /// Whether messages, members and marks are wanted at all.
    pub(crate) state: bool,
    /// The most members.
    pub(crate) members: usize,
    /// After how many.
    pub(crate) members_offset: usize,
}

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
#[derive(Clone, Debug)]
pub(crate) struct Loaded {
    /// Which channel.
    pub(crate) id: ChannelId,
    /// The channel.
    pub(crate) channel: Channel,
    /// The application's own fields of it.
    pub(crate) custom: Object,
    /// The settings of its type, with what differs in it.
    pub(crate) config: Option<Box<RawValue>>,
    /// What the asking user can do.
    pub(crate) capabilities: Option<Vec<&'static str>>,
    /// How many members there are.
    pub(crate) member_count: i64,
    /// How many messages there are, where they are counted.
    pub(crate) message_count: Option<i64>,
    /// When something was last said.
    pub(crate) last_message_at: Option<Timestamp>,
    /// Whether the asking user hid it.
    pub(crate) is_hidden: bool,
    /// How the asking user muted it.
    pub(crate) mute: Option<Mute>,
    /// The members that were wanted.
    pub(crate) members: Vec<Listed>,
    /// The asking user as a member.
    pub(crate) membership: Option<Listed>,
    /// How far they have read.
    pub(crate) reads: Vec<ReadBy>,
    /// What was said, as JSON.
    pub(crate) messages: Vec<Box<RawValue>>,
    /// What is pinned.
    pub(crate) pinned: Vec<Box<RawValue>>,
    /// What waits to be committed.
    pub(crate) pending: Vec<Box<RawValue>>,
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
        self.channel.created_by.iter().chain(&self.channel.truncated_by).chain(members).chain(reads)
    }
}

/// Loads `id` for `viewer`, who may read it.
///
/// # Errors
/// 16 when there is no such channel, 17 when the viewer may not read it.
pub(crate) async fn load(
    tx: &mut Tx,
    id: &ChannelId,
    who: Who<'_>,
    viewer: Option<&UserId>,
    wanted: &Wanted,
    now: Timestamp,
) -> Result<Loaded> {
    let channel = channels::load(tx, id).await?;
    let kind = types::load(tx, id.kind()).await?;
    let own = match viewer {
        Some(user) => members::get(tx, id, user).await?.map(|member| Listed::new(user.clone(), member)),
        None => None,
    };
    let place = Place { kind: &kind, channel: Some(&channel), member: own.as_ref().map(|listed| &listed.member) };
    permissions::check(who, place, "read-channel", None)?;
    check_enabled(who, place, &channel)?;
    let config = types::config(&kind, &channel);
    let capabilities = match who {
        Who::Server => None,
        Who::User(..) | Who::Anonymous => Some(permissions::capabilities(who, place, &config)),
    };
    let mut loaded = brief(tx, id, channel.clone(), viewer, now).await?;
    loaded.capabilities = capabilities;
    loaded.membership = own.map(|own| Listed { is_muted: loaded.mute.is_some(), ..own });
    if wanted.state {
        let listed = members::list(tx, id, wanted.members, wanted.members_offset).await?;
        loaded.members = listed.into_iter().map(|(user, member)| Listed::new(user, member)).collect();
        loaded.reads = read_states(tx, &loaded).await?;
    }
    Ok(loaded)
}

/// A disabled channel is for the app's own server, and for who may read it nevertheless (chat §12.4).
fn check_enabled(who: Who<'_>, place: Place<'_>, channel: &Channel) -> Result<()> {
    match channel.is_disabled {
        true => Ok(permissions::check(who, place, "read-disabled-channel", None)?),
        false => Ok(()),
    }
}

/// A channel without what is in it.
///
/// # Errors
/// When the store fails.
pub(crate) async fn brief(
    tx: &mut Tx,
    id: &ChannelId,
    channel: Channel,
    viewer: Option<&UserId>,
    now: Timestamp,
) -> Result<Loaded> {
    let is_hidden = match viewer {
        Some(user) => channels::are_hidden(tx, std::slice::from_ref(id), user).await?[0],
        None => false,
    };
    let mute = match viewer {
        Some(user) => channels::mutes(tx, user, std::slice::from_ref(id), now).await?.remove(0),
        None => None,
    };
    Ok(Loaded {
        id: id.clone(),
        custom: channel.custom(),
        config: None,
        capabilities: None,
        member_count: members::count(tx, id).await?,
        message_count: None,
        last_message_at: reads::last_message_at(&tx.app, id, &channel).await?,
        is_hidden,
        mute,
        members: Vec::new(),
        membership: None,
        reads: Vec::new(),
        messages: Vec::new(),
        pinned: Vec::new(),
        pending: Vec::new(),
        channel,
    })
}

/// How far the listed members and the viewer have read.
async fn read_states(tx: &mut Tx, loaded: &Loaded) -> Result<Vec<ReadBy>> {
    let is_new = |own: &&Listed| loaded.members.iter().all(|listed| listed.user != own.user);
    let readers: Vec<&Listed> = loaded.members.iter().chain(loaded.membership.as_ref().filter(is_new)).collect();
    let users: Vec<UserId> = readers.iter().map(|listed| listed.user.clone()).collect();
    let marks = reads::get_many(tx, &loaded.id, &users).await?;
    let mut states = Vec::with_capacity(readers.len());
    for (listed, mark) in readers.into_iter().zip(marks) {
        let Some(read) = mark else { continue };
        let Listed { user, member, is_muted, .. } = listed;
        let reader = Reader { user, member, read: &read };
        let unread = match is_muted {
            true => 0,
            false => reads::unread(&tx.app, &loaded.id, &loaded.channel, reader).await?,
        };
        states.push(ReadBy { user: user.clone(), read: read.value, unread });
    }
    Ok(states)
}

/// Everybody whom `loaded` names.
///
/// # Errors
/// When the store fails.
pub(crate) async fn people(tx: &mut Tx, loaded: &[Loaded]) -> Result<People> {
    People::load(tx, loaded.iter().flat_map(Loaded::named)).await.map_err(Error::from)
}
