//! Drafts: what a user has begun to write in a channel or a thread, and not sent (chat §6.15, §11.6).
//!
//! There is one for each user, channel and thread. Sending there ends it.

mod list;

pub use list::{DRAFTS, Found, of_channel, query};

use ids::{ChannelId, MessageId, Timestamp, UserId};
use minicbor::{Decode, Encode};
use store::{Direction, Limit};

use super::{
    events::{self, Event, Matter},
    messages::{self, Draft as Message, Kind, Scene},
};
use crate::{
    Error, Result, Tx,
    keyspace::{Chat, DRAFT, DRAFTED},
    users,
};

/// What a user has begun to write.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Draft {
    /// The id that the message may have one day; it stays while the draft is written on.
    #[n(0)]
    pub id: MessageId,
    /// When it was last written on.
    #[n(1)]
    pub created_at: Timestamp,
    /// See [`messages::Message::kind`].
    #[n(2)]
    pub kind: Kind,
    /// See [`messages::Message::text`].
    #[n(3)]
    pub text: String,
    /// See [`messages::Message::html`].
    #[n(4)]
    pub html: Option<String>,
    /// See [`messages::Message::mml`].
    #[n(5)]
    pub mml: Option<String>,
    /// See [`messages::Message::attachments`].
    #[n(6)]
    pub attachments: Vec<String>,
    /// See [`messages::Message::mentioned`].
    #[n(7)]
    pub mentioned: Vec<UserId>,
    /// See [`messages::Message::quoted`].
    #[n(8)]
    pub quoted: Option<MessageId>,
    /// See [`messages::Message::shows_in_channel`].
    #[n(9)]
    pub shows_in_channel: bool,
    /// See [`messages::Message::is_silent`].
    #[n(10)]
    pub is_silent: bool,
    /// See [`messages::Message::poll`].
    #[n(11)]
    pub poll: Option<String>,
    /// The application's own fields: a JSON object.
    #[n(12)]
    pub custom: String,
}

/// Where a draft is: in a channel, or in the thread on one of its messages.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Spot {
    /// The channel.
    pub channel: ChannelId,
    /// What it would reply to.
    pub parent: Option<MessageId>,
}

impl Spot {
    fn key(&self, user: &UserId) -> (String, Chat, String) {
        (user.to_string(), Chat(self.channel.clone()), self.thread())
    }

    fn mirror(&self, user: &UserId) -> (Chat, String, String) {
        (Chat(self.channel.clone()), user.to_string(), self.thread())
    }

    fn thread(&self) -> String {
        self.parent.as_ref().map(MessageId::to_string).unwrap_or_default()
    }
}

/// Keeps what `user` has written so far at `spot`, in the place of what was there; a first draft gets `id`.
///
/// # Errors
/// [`Error::Absent`] when there is no such channel or parent, [`Error::NotAllowed`] when the caller may not write there,
/// [`Error::NestedReply`] when the parent is a reply, and whatever is past a limit of messages.
pub async fn put(
    tx: &mut Tx,
    caller: Option<&UserId>,
    (user, spot): (&UserId, &Spot),
    (id, message): (&MessageId, &Message),
    now: Timestamp,
) -> Result<Draft> {
    let scene = Scene::load(tx, &spot.channel, caller, now).await?;
    match spot.parent.is_some() && scene.may("create-reply") {
        true => {}
        false => scene.check("create-message", None)?,
    }
    message.check_limits(&scene)?;
    if message.is_pinned || !message.visible_to.is_empty() || message.location.is_some() {
        let rule = "message: a draft has no pinned, restricted_visibility or shared_location";
        return Err(Error::Unfit(rule.to_owned()));
    }
    if let Some(parent) = &spot.parent {
        check_parent(tx, spot, parent).await?;
    }
    users::ensure(tx, user, now).await?;
    let (tenant, key) = (tx.tenant(), spot.key(user));
    let known = DRAFT.get(tx, tenant, &key).await?;
    let draft = of_message(known.map_or_else(|| id.clone(), |known| known.id), message.clone(), now);
    DRAFT.put(tx, tenant, &key, &draft);
    DRAFTED.put(tx, tenant, &spot.mirror(user), &());
    tell(tx, "draft.updated", (user, spot), &draft, now);
    Ok(draft)
}

fn of_message(id: MessageId, message: Message, now: Timestamp) -> Draft {
    Draft {
        id,
        created_at: now,
        kind: message.kind,
        text: message.text,
        html: message.html,
        mml: message.mml,
        attachments: message.attachments,
        mentioned: message.mentioned,
        quoted: message.quoted,
        shows_in_channel: message.shows_in_channel,
        is_silent: message.is_silent,
        poll: message.poll,
        custom: message.custom,
    }
}

async fn check_parent(tx: &mut Tx, spot: &Spot, parent: &MessageId) -> Result<()> {
    let message = messages::load(tx, parent).await?;
    if message.channel != spot.channel || messages::is_private(&message) {
        return Err(Error::Absent(format!("Message with id {parent} doesn't exist in channel {}", spot.channel)));
    }
    match message.parent.is_some() {
        true => Err(Error::NestedReply),
        false => Ok(()),
    }
}

/// What `user` has begun to write at `spot`.
///
/// # Errors
/// When the store fails.
pub async fn get(tx: &mut Tx, user: &UserId, spot: &Spot) -> Result<Option<Draft>> {
    let tenant = tx.tenant();
    Ok(DRAFT.get(tx, tenant, &spot.key(user)).await?)
}

/// What `user` has begun to write at `spot`, for `caller`.
///
/// # Errors
/// [`Error::Absent`] when there is nothing, [`Error::NotAllowed`] when the caller may not read the channel.
pub async fn read(tx: &mut Tx, caller: Option<&UserId>, user: &UserId, spot: &Spot, now: Timestamp) -> Result<Draft> {
    Scene::load(tx, &spot.channel, caller, now).await?.check_reading()?;
    let none = || Error::Absent(format!("user '{user}' has no draft in {}", spot.channel));
    get(tx, user, spot).await?.ok_or_else(none)
}

/// Throws away what `user` has begun to write at `spot`; nothing happens if there is nothing.
///
/// # Errors
/// When the store fails.
pub async fn delete(tx: &mut Tx, user: &UserId, spot: &Spot, now: Timestamp) -> Result<()> {
    let Some(draft) = get(tx, user, spot).await? else { return Ok(()) };
    let tenant = tx.tenant();
    DRAFT.delete(tx, tenant, &spot.key(user));
    DRAFTED.delete(tx, tenant, &spot.mirror(user));
    tell(tx, "draft.deleted", (user, spot), &draft, now);
    Ok(())
}

fn tell(tx: &mut Tx, kind: &str, (user, spot): (&UserId, &Spot), draft: &Draft, now: Timestamp) {
    let event = Event::new(kind, now, Some(&spot.channel)).by(Some(user)).only_for([user.clone()]);
    let more = spot.parent.as_ref().map(|parent| serde_json::json!({ "parent_id": parent.as_str() }).to_string());
    let matter = Matter::Draft { parent: spot.parent.clone(), draft: draft.clone() };
    events::record(tx, event.with(more.unwrap_or_else(|| "{}".to_owned())).on(matter));
}

/// Removes drafts of `user`, at most `limit`, without telling of it; how many, and whether those were all.
///
/// # Errors
/// When the store fails.
pub(crate) async fn forget_user(tx: &mut Tx, user: &UserId, limit: Limit) -> Result<(usize, bool)> {
    let tenant = tx.tenant();
    let page = DRAFT.scan(tx, tenant, DRAFT.prefix(tenant, &user.to_string()), Direction::Forward, limit).await?;
    for (key, _) in &page.rows {
        DRAFT.delete(tx, tenant, key);
        DRAFTED.delete(tx, tenant, &(key.1.clone(), key.0.clone(), key.2.clone()));
    }
    Ok((page.rows.len(), !page.more))
}

/// The same for what anybody has begun to write in `channel`.
///
/// # Errors
/// When the store fails.
pub(crate) async fn forget_channel(tx: &mut Tx, channel: &Chat, limit: Limit) -> Result<(usize, bool)> {
    let tenant = tx.tenant();
    let page = DRAFTED.scan(tx, tenant, DRAFTED.prefix(tenant, channel), Direction::Forward, limit).await?;
    for (key, ()) in &page.rows {
        DRAFT.delete(tx, tenant, &(key.1.clone(), key.0.clone(), key.2.clone()));
        DRAFTED.delete(tx, tenant, key);
    }
    Ok((page.rows.len(), !page.more))
}

#[cfg(test)]
mod tests;
