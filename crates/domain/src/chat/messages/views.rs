//! Messages with everything that is shown with them: users, reactions, replies, quotes (chat §6.7).

use ids::{ChannelId, MessageId, Timestamp, UserId, json::Object};
use store::{Direction, Limit};

mod beside;

pub use beside::Beside;

use super::{Message, page::hidden};
use crate::{
    Result, Tx,
    chat::{
        members::{self, Member},
        reactions::Reaction,
    },
    keyspace::{
        At, CHANNEL_MUTE, Chat, MESSAGE, PARTICIPANT, REACTION, REACTION_GROUP, REACTION_ORDER, REACTIONS, REPLIES,
        SCORES,
    },
    users::{People, mutes::Mute},
};

/// How many of the latest reactions a message shows (chat §4.2).
const LATEST_MAX: usize = 10;
/// How many types of reactions a message shows.
const TYPES_MAX: usize = 100;
/// How many reactions of one user a message shows.
const OWN_MAX: usize = 100;
/// How many participants of a thread a message shows.
const PARTICIPANTS_MAX: usize = 100;

/// A message with what is shown with it.
#[derive(Clone, Debug)]
pub struct Shown {
    /// The id.
    pub id: MessageId,
    /// The message.
    pub message: Message,
    /// The application's own fields.
    pub custom: Object,
    /// Its reactions.
    pub reactions: Tally,
    /// The reactions of the reader.
    pub own: Vec<Reacted>,
    /// How many replies it has.
    pub replies: i64,
    /// How many of its replies were deleted.
    pub deleted_replies: i64,
    /// Who takes part in its thread.
    pub participants: Vec<UserId>,
    /// The message that it quotes, without what that one quotes.
    pub quoted: Option<Box<Shown>>,
    /// What its author is in the channel, if a member.
    pub author: Option<Author>,
    /// When the reader deleted it for themselves.
    pub hidden_at: Option<Timestamp>,
    /// What is kept beside it.
    pub beside: Beside,
}

impl Shown {
    /// The message alone, without what others said and did about it.
    pub fn bare(id: MessageId, message: Message) -> Self {
        Shown {
            custom: message.custom(),
            reactions: Tally::default(),
            own: Vec::new(),
            replies: 0,
            deleted_replies: 0,
            participants: Vec::new(),
            quoted: None,
            author: None,
            hidden_at: None,
            beside: Beside::default(),
            id,
            message,
        }
    }
}

/// What the author of a message is in its channel.
#[derive(Clone, Debug)]
pub struct Author {
    /// The role there.
    pub channel_role: String,
    /// That the author mutes the channel.
    pub mute: Option<Mute>,
    /// The member's own fields that are shown.
    pub shown: Object,
    /// All of them.
    custom: Object,
}

impl Author {
    /// The author as the app shows all.
    fn new(member: &Member, mute: Option<Mute>, shows_custom: bool) -> Self {
        let custom = member.custom();
        let shown = if shows_custom { custom.clone() } else { Object::default() };
        Author { channel_role: member.channel_role.clone(), mute, shown, custom }
    }

    fn include(&mut self, names: &[String]) {
        for name in names {
            if let Some(value) = self.custom.get(name) {
                self.shown.set(name, value.to_owned());
            }
        }
    }
}

/// Shows with `messages` the fields `names` of their authors' memberships (chat §5A.4).
pub fn include_member_custom(messages: &mut [Shown], names: &[String]) {
    for message in messages {
        let quoted = message.quoted.as_deref_mut().and_then(|quoted| quoted.author.as_mut());
        message.author.iter_mut().chain(quoted).for_each(|author| author.include(names));
    }
}

/// A reaction, with who and what.
#[derive(Clone, Debug)]
pub struct Reacted {
    /// Who.
    pub user: UserId,
    /// Which type.
    pub kind: String,
    /// The reaction.
    pub reaction: Reaction,
    /// The application's own fields.
    pub custom: Object,
}

/// The reactions to a message, counted.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// One for each type.
    pub groups: Vec<Group>,
    /// The newest, the newest first.
    pub latest: Vec<Reacted>,
}

/// The reactions of one type.
#[derive(Clone, Debug)]
pub struct Group {
    /// The type.
    pub kind: String,
    /// How many.
    pub count: i64,
    /// The sum of their scores.
    pub score: i64,
    /// When the first came.
    pub first: Timestamp,
    /// The newest: who and when, the newest first.
    pub latest: Vec<(UserId, Timestamp)>,
}

/// What is shown with `messages` to `viewer`, and all users who appear.
///
/// # Errors
/// When the store fails.
pub async fn gather(
    tx: &mut Tx,
    messages: Vec<(MessageId, Message)>,
    viewer: Option<&UserId>,
    people: &mut People,
) -> Result<Vec<Shown>> {
    let mut shown = Vec::with_capacity(messages.len());
    for (id, message) in messages {
        let quoted = match &message.quoted {
            Some(quoted) => quote(tx, quoted, viewer).await?,
            None => None,
        };
        let mut one = show(tx, id, message, viewer).await?;
        one.quoted = quoted.map(Box::new);
        shown.push(one);
    }
    beside::load(tx, &mut shown, viewer).await?;
    let all = shown.iter().flat_map(|one| named(one).chain(one.quoted.iter().flat_map(|quoted| named(quoted))));
    let all: Vec<UserId> = all.cloned().collect();
    people.add(tx, &all).await?;
    Ok(shown)
}

async fn quote(tx: &mut Tx, id: &MessageId, viewer: Option<&UserId>) -> Result<Option<Shown>> {
    let tenant = tx.tenant();
    let Some(message) = MESSAGE.get(tx, tenant, &id.to_string()).await? else { return Ok(None) };
    match viewer.is_none_or(|user| super::is_visible(&message, user)) {
        true => Ok(Some(show(tx, id.clone(), message, viewer).await?)),
        false => Ok(None),
    }
}

async fn show(tx: &mut Tx, id: MessageId, message: Message, viewer: Option<&UserId>) -> Result<Shown> {
    let (tenant, key) = (tx.tenant(), id.to_string());
    let reactions = tally(tx, &id).await?;
    let own = match viewer {
        Some(user) if !reactions.groups.is_empty() => own(tx, &id, user).await?,
        _ => Vec::new(),
    };
    let counts = match message.parent {
        None => REPLIES.get_many(tx, tenant, &[(key.clone(), false), (key, true)]).await?,
        Some(_) => vec![0, 0],
    };
    let participants = match counts.iter().sum::<i64>() {
        0 => Vec::new(),
        _ => participants(tx, &id).await?,
    };
    let author = match &message.user {
        Some(user) => author(tx, &message.channel, user).await?,
        None => None,
    };
    let hidden_at = match viewer {
        Some(user) => hidden(tx, &message.channel, user).await?.into_iter().find(|(known, _)| *known == id),
        None => None,
    };
    Ok(Shown {
        custom: message.custom(),
        reactions,
        own,
        replies: counts[0],
        deleted_replies: counts[1],
        participants,
        quoted: None,
        author,
        hidden_at: hidden_at.map(|(_, at)| at),
        beside: Beside::default(),
        id,
        message,
    })
}

async fn author(tx: &mut Tx, channel: &ChannelId, user: &UserId) -> Result<Option<Author>> {
    let Some(member) = members::get(tx, channel, user).await? else { return Ok(None) };
    let (tenant, key) = (tx.tenant(), (user.to_string(), Chat(channel.clone())));
    let mute = CHANNEL_MUTE.get(tx, tenant, &key).await?;
    let shows_custom = tx.app.settings.is_on("member_custom_on_messages_enabled");
    Ok(Some(Author::new(&member, mute, shows_custom)))
}

async fn tally(tx: &mut Tx, id: &MessageId) -> Result<Tally> {
    let (tenant, key) = (tx.tenant(), id.to_string());
    let range = REACTIONS.prefix(tenant, &(key.clone(),));
    let counts = REACTIONS.scan(tx, tenant, range, Direction::Forward, Limit::rows(TYPES_MAX)).await?.rows;
    let counts: Vec<_> = counts.into_iter().filter(|(_, count)| *count > 0).collect();
    if counts.is_empty() {
        return Ok(Tally::default());
    }
    let keys: Vec<_> = counts.iter().map(|(key, _)| key.clone()).collect();
    let scores = SCORES.get_many(tx, tenant, &keys).await?;
    let mut groups = Vec::with_capacity(counts.len());
    for (((_, kind), count), score) in counts.into_iter().zip(scores) {
        let range = REACTION_GROUP.prefix(tenant, &(key.clone(), kind.clone()));
        let first = REACTION_GROUP.scan(tx, tenant, range.clone(), Direction::Forward, Limit::rows(1)).await?.rows;
        let latest = REACTION_GROUP.scan(tx, tenant, range, Direction::Backward, Limit::rows(LATEST_MAX)).await?.rows;
        let Some(((_, _, At(first), _), ())) = first.into_iter().next() else { continue };
        let latest = latest.into_iter().filter_map(|((_, _, At(at), user), ())| Some((UserId::parse(&user).ok()?, at)));
        groups.push(Group { kind, count, score, first, latest: latest.collect() });
    }
    let range = REACTION_ORDER.prefix(tenant, &(key.clone(),));
    let order = REACTION_ORDER.scan(tx, tenant, range, Direction::Forward, Limit::rows(LATEST_MAX)).await?.rows;
    let keys: Vec<_> = order.into_iter().map(|((message, _, user, kind), ())| (message, user, kind)).collect();
    Ok(Tally { groups, latest: reacted(tx, keys).await? })
}

/// The reactions under these keys.
///
/// # Errors
/// When the store fails.
pub(in crate::chat) async fn reacted(tx: &mut Tx, keys: Vec<(String, String, String)>) -> Result<Vec<Reacted>> {
    let tenant = tx.tenant();
    let reactions = REACTION.get_many(tx, tenant, &keys).await?;
    let read = |((_, user, kind), reaction): ((String, String, String), Option<Reaction>)| {
        let (user, reaction) = (UserId::parse(&user).ok()?, reaction?);
        Some(Reacted { user, kind, custom: reaction.custom(), reaction })
    };
    Ok(keys.into_iter().zip(reactions).filter_map(read).collect())
}

async fn own(tx: &mut Tx, id: &MessageId, user: &UserId) -> Result<Vec<Reacted>> {
    let tenant = tx.tenant();
    let range = REACTION.prefix(tenant, &(id.to_string(), user.to_string()));
    let rows = REACTION.scan(tx, tenant, range, Direction::Forward, Limit::rows(OWN_MAX)).await?.rows;
    reacted(tx, rows.into_iter().map(|(key, _)| key).collect()).await
}

async fn participants(tx: &mut Tx, id: &MessageId) -> Result<Vec<UserId>> {
    let tenant = tx.tenant();
    let range = PARTICIPANT.prefix(tenant, &(id.to_string(),));
    let rows = PARTICIPANT.scan(tx, tenant, range, Direction::Forward, Limit::rows(PARTICIPANTS_MAX)).await?.rows;
    Ok(rows.into_iter().filter_map(|((_, user), _)| UserId::parse(&user).ok()).collect())
}

/// Every user whom a shown message names.
fn named(shown: &Shown) -> impl Iterator<Item = &UserId> {
    let message = &shown.message;
    let pinned_by = message.pin.as_ref().and_then(|pin| pin.by.as_ref());
    let reacted = shown.reactions.latest.iter().chain(&shown.own).map(|reacted| &reacted.user);
    let grouped = shown.reactions.groups.iter().flat_map(|group| group.latest.iter().map(|(user, _)| user));
    let named = message.user.iter().chain(&message.mentioned).chain(pinned_by).chain(&shown.participants);
    named.chain(reacted).chain(grouped).chain(shown.beside.named())
}
