//! Changing messages (chat §11.4, §12.10, §12.15).

use ids::{MessageId, Timestamp, UserId};

use super::{Draft, Kind, Message, Pin, Scene, Version, page::relist, send};
use crate::{
    Error, Result, Tx,
    chat::{
        events::{self, Event},
        search, unread_reminders,
    },
    custom::Edit,
    keyspace::{At, Chat, Latest, MESSAGE, PENDING, PINNED, VERSION},
    moderation::checks::Verdict,
    polls,
};

/// What becomes of a message.
#[derive(Clone, Debug)]
pub enum Change {
    /// It says this now; what is absent goes.
    Whole(Box<Draft>),
    /// These fields change; what is absent stays.
    Part(Box<Patch>),
}

/// Fields of a message that change.
#[derive(Clone, Debug, Default)]
pub struct Patch {
    /// See [`Message::text`].
    pub text: Option<String>,
    /// See [`Message::html`].
    pub html: Option<String>,
    /// See [`Message::mml`].
    pub mml: Option<Option<String>>,
    /// See [`Message::attachments`].
    pub attachments: Option<Vec<String>>,
    /// See [`Message::mentioned`].
    pub mentioned: Option<Vec<UserId>>,
    /// See [`Message::mentions_channel`].
    pub mentions_channel: Option<bool>,
    /// See [`Message::mentions_here`].
    pub mentions_here: Option<bool>,
    /// See [`Message::mentioned_roles`].
    pub mentioned_roles: Option<Vec<String>>,
    /// See [`Message::mentioned_groups`].
    pub mentioned_groups: Option<Vec<String>>,
    /// See [`Message::quoted`].
    pub quoted: Option<Option<MessageId>>,
    /// See [`Message::is_silent`].
    pub is_silent: Option<bool>,
    /// Whether it is pinned.
    pub is_pinned: Option<bool>,
    /// Until when, if it is pinned.
    pub pin_expires: Option<Option<Timestamp>>,
    /// See [`Message::visible_to`].
    pub visible_to: Option<Vec<UserId>>,
    /// The application's own fields.
    pub custom: Edit,
}

impl Draft {
    /// What `message` says, as if it were sent again at `now`.
    pub fn of(message: &Message, now: Timestamp) -> Self {
        let mut known = message.clone();
        known.pin = known.pin.filter(|pin| pin.holds(now));
        Draft {
            kind: known.kind,
            html: known.html,
            mml: known.mml,
            attachments: known.attachments,
            mentioned: known.mentioned,
            mentions_channel: known.mentions_channel,
            mentions_here: known.mentions_here,
            mentioned_roles: known.mentioned_roles,
            mentioned_groups: known.mentioned_groups,
            parent: known.parent,
            shows_in_channel: known.shows_in_channel,
            quoted: known.quoted,
            is_silent: known.is_silent,
            is_pinned: known.pin.is_some(),
            pin_expires: known.pin.and_then(|pin| pin.expires),
            visible_to: known.visible_to,
            poll: known.poll,
            location: known.location,
            custom: known.custom,
            ..Draft::text(known.user, known.text)
        }
    }

    fn patched(mut self, patch: &Patch) -> Result<Self> {
        let patch = patch.clone();
        if let Some(text) = patch.text {
            self.html = None;
            self.text = text;
        }
        self.html = patch.html.or(self.html);
        self.mml = patch.mml.unwrap_or(self.mml);
        self.attachments = patch.attachments.unwrap_or(self.attachments);
        self.mentioned = patch.mentioned.unwrap_or(self.mentioned);
        self.mentions_channel = patch.mentions_channel.unwrap_or(self.mentions_channel);
        self.mentions_here = patch.mentions_here.unwrap_or(self.mentions_here);
        self.mentioned_roles = patch.mentioned_roles.unwrap_or(self.mentioned_roles);
        self.mentioned_groups = patch.mentioned_groups.unwrap_or(self.mentioned_groups);
        self.quoted = patch.quoted.unwrap_or(self.quoted);
        self.is_silent = patch.is_silent.unwrap_or(self.is_silent);
        self.is_pinned = patch.is_pinned.unwrap_or(self.is_pinned);
        self.pin_expires = patch.pin_expires.unwrap_or(self.pin_expires);
        self.visible_to = patch.visible_to.unwrap_or(self.visible_to);
        let mut custom = ids::json::Object::parse(&self.custom).unwrap_or_default();
        patch.custom.apply(&mut custom)?;
        self.custom = custom.to_string();
        Ok(self)
    }
}

/// Changes the message `id` on behalf of `caller`; `editor` is who wrote the change.
///
/// # Errors
/// [`Error::Absent`] when there is no such message, [`Error::NotAllowed`] when the caller may not change it,
/// [`Error::Unfit`] when it was deleted or waits to be committed, and whatever breaks a rule of sending.
pub async fn update(
    tx: &mut Tx,
    caller: Option<&UserId>,
    id: &MessageId,
    editor: Option<&UserId>,
    change: &Change,
    now: Timestamp,
) -> Result<Message> {
    let old = super::read(tx, caller, id, now).await?;
    let scene = Scene::load(tx, &old.channel, caller, now).await?;
    check_changeable(id, &old)?;
    let draft = match change {
        // A call that names nobody shows nobody what was not for them.
        Change::Whole(draft) if draft.visible_to.is_empty() => {
            Draft { visible_to: old.visible_to.clone(), ..Draft::clone(draft) }
        }
        Change::Whole(draft) => Draft::clone(draft),
        Change::Part(patch) => Draft::of(&old, now).patched(patch)?,
    };
    let new = changed(&old, draft, editor, now);
    let checked = check(tx, &scene, id, (&old, &new)).await?;
    show_poll(tx, &scene, id, (&old, &new)).await?;
    if has_other_content(&old, &new) {
        note_version(tx, id, &old);
    }
    repin(tx, id, old.pin.as_ref(), &new);
    search::index(tx, id, Some(&old), &new);
    let tenant = tx.tenant();
    MESSAGE.put(tx, tenant, &id.to_string(), &new);
    if old.visible_to != new.visible_to {
        recount(tx, id, &new).await?;
    }
    if new.kind != Kind::Ephemeral {
        send::queue(tx, id, &checked, now).await?;
        let event = Event::new("message.updated", now, Some(&new.channel)).by(editor.or(new.user.as_ref()));
        events::record(tx, event.about(id, &new).with(told(&old, &new)));
    }
    Ok(new)
}

/// What hooks are told of a change: the text that was there before, if it is another now, and what is another (chat §10.1).
fn told(old: &Message, new: &Message) -> String {
    let is_other_text = old.text != new.text;
    let mut update = serde_json::json!({
        "change_set": {
            "attachments": old.attachments != new.attachments,
            "custom": old.custom != new.custom,
            "html": old.html != new.html,
            "mentioned_user_ids": old.mentioned != new.mentioned,
            "mml": old.mml != new.mml,
            "pin": old.pin != new.pin,
            "quoted_message_id": old.quoted != new.quoted,
            "silent": old.is_silent != new.is_silent,
            "text": is_other_text,
        },
    });
    if is_other_text {
        update["old_text"] = old.text.as_str().into();
    }
    serde_json::json!({ "message_update": update }).to_string()
}

/// Shows the poll that the message names now, and no longer the one that it named before.
async fn show_poll(tx: &mut Tx, scene: &Scene, id: &MessageId, (old, new): (&Message, &Message)) -> Result<()> {
    if old.poll == new.poll {
        return Ok(());
    }
    if let Some(poll) = &new.poll {
        polls::check_attachable(tx, scene, poll, new.updated_at).await?;
        polls::attach(tx, poll, id);
    }
    if let Some(poll) = &old.poll {
        polls::detach(tx, poll, id);
    }
    Ok(())
}

fn check_changeable(id: &MessageId, message: &Message) -> Result<()> {
    match (message.deleted_at, &message.pending) {
        (Some(_), _) => Err(Error::Unfit(format!("message {id} was deleted"))),
        (_, Some(_)) => Err(Error::Unfit(format!("message {id} is pending; commit it first"))),
        _ => Ok(()),
    }
}

/// The message as it will be. Who said it, where and when stays.
fn changed(old: &Message, draft: Draft, editor: Option<&UserId>, now: Timestamp) -> Message {
    let is_other_text = old.text != draft.text;
    let pin = match (&old.pin, draft.is_pinned) {
        (_, false) => None,
        (Some(pin), true) if pin.holds(now) => Some(Pin { expires: draft.pin_expires, ..pin.clone() }),
        (_, true) => Some(Pin { at: now, by: editor.or(old.user.as_ref()).cloned(), expires: draft.pin_expires }),
    };
    let mut new = Message {
        text: draft.text,
        html: draft.html,
        mml: draft.mml,
        attachments: draft.attachments,
        mentioned: draft.mentioned,
        mentions_channel: draft.mentions_channel,
        mentions_here: draft.mentions_here,
        mentioned_roles: draft.mentioned_roles,
        mentioned_groups: draft.mentioned_groups,
        quoted: draft.quoted,
        is_silent: draft.is_silent,
        pin,
        visible_to: draft.visible_to,
        poll: draft.poll.or(old.poll.clone()),
        custom: draft.custom,
        updated_at: now,
        text_updated_at: if is_other_text { Some(now) } else { old.text_updated_at },
        translations: if is_other_text { Vec::new() } else { old.translations.clone() },
        ..old.clone()
    };
    if has_other_content(old, &new) {
        new.edited_by = editor.or(old.edited_by.as_ref()).cloned();
    }
    new
}

/// What the history of a message keeps.
fn has_other_content(old: &Message, new: &Message) -> bool {
    old.text != new.text || old.attachments != new.attachments || old.custom != new.custom
}

/// Checks the change; whether a blocklist wants it to be looked at.
async fn check(tx: &mut Tx, scene: &Scene, id: &MessageId, (old, new): (&Message, &Message)) -> Result<send::Checked> {
    let is_only_pin =
        old.pin != new.pin && Message { pin: old.pin.clone(), updated_at: old.updated_at, ..new.clone() } == *old;
    if is_only_pin {
        scene.check("pin-message", None)?;
    } else {
        scene.check("update-message", old.user.as_ref())?;
    }
    scene.check_enabled()?;
    let draft = Draft::of(new, new.updated_at);
    draft.check(scene)?;
    send::check_pin(&draft)?;
    if !is_only_pin {
        let fresh = Draft {
            kind: Kind::Regular,
            visible_to: if old.visible_to == new.visible_to { Vec::new() } else { new.visible_to.clone() },
            poll: None,
            location: None,
            is_pinned: draft.is_pinned && old.pin.is_none(),
            ..draft
        };
        send::check_content(scene, &fresh)?;
    }
    let checked = match old.text != new.text {
        true => send::moderated(tx, scene, None, (id, &new.text), new.updated_at).await?,
        false => send::Checked::default(),
    };
    if checked.outcome.verdict() > Verdict::Flag {
        let list = checked.outcome.blocklists().next();
        let why =
            if list.is_some() { "a blocklist has one of its words" } else { "it is refused by a moderation policy" };
        return Err(Error::Unfit(format!("message.text: {why}")));
    }
    let unknown: Vec<UserId> = new.mentioned.iter().filter(|user| !old.mentioned.contains(user)).cloned().collect();
    send::check_mentioned(tx, &unknown).await?;
    let unknown: Vec<String> =
        new.mentioned_groups.iter().filter(|group| !old.mentioned_groups.contains(group)).cloned().collect();
    send::check_groups(tx, &unknown).await?;
    match &new.quoted {
        Some(quoted) if old.quoted.as_ref() != Some(quoted) => {
            scene.check_feature("quotes", scene.config.quotes)?;
            send::load_here(tx, scene, quoted).await?;
        }
        _ => {}
    }
    Ok(checked)
}

/// Keeps what the message said (chat §6.15).
fn note_version(tx: &mut Tx, id: &MessageId, old: &Message) {
    let version = Version {
        by: old.edited_by.clone().or(old.user.clone()),
        text: old.text.clone(),
        attachments: old.attachments.clone(),
        custom: old.custom.clone(),
        is_deleted: old.deleted_at.is_some(),
    };
    let tenant = tx.tenant();
    VERSION.put(tx, tenant, &(id.to_string(), At(old.updated_at)), &version);
}

/// Keeps the list of what is pinned true.
pub(super) fn repin(tx: &mut Tx, id: &MessageId, old: Option<&Pin>, new: &Message) {
    let (tenant, channel) = (tx.tenant(), Chat(new.channel.clone()));
    if let Some(pin) = old {
        PINNED.delete(tx, tenant, &(channel.clone(), Latest(pin.at), id.to_string()));
    }
    if let Some(pin) = &new.pin {
        PINNED.put(tx, tenant, &(channel, Latest(pin.at), id.to_string()), &());
    }
}

/// Shows a message that waited to the others (chat §12.15).
///
/// # Errors
/// [`Error::Absent`] when there is no such message, [`Error::Unfit`] when it does not wait.
pub async fn commit(tx: &mut Tx, id: &MessageId, now: Timestamp) -> Result<Message> {
    let mut message = super::load(tx, id).await?;
    if message.pending.take().is_none() {
        return Err(Error::Unfit(format!("message {id} is not pending")));
    }
    let (tenant, key) = (tx.tenant(), id.to_string());
    if let Some(user) = &message.user {
        let row = (Chat(message.channel.clone()), user.to_string(), At(message.created_at), key.clone());
        PENDING.delete(tx, tenant, &row);
    }
    MESSAGE.put(tx, tenant, &key, &message);
    let parent = match &message.parent {
        Some(parent) => Some((parent.clone(), super::load(tx, parent).await?)),
        None => None,
    };
    send::publish(tx, id, &message, parent.as_ref(), now).await?;
    unread_reminders::plan_in(tx, &message, now).await?;
    Ok(message)
}

/// Takes an ephemeral message out of its author's eyes and shows it to all (chat §12.13).
///
/// # Errors
/// [`Error::Absent`] when the caller sees no such message, [`Error::NotAllowed`] when they may not,
/// [`Error::Unfit`] when it is not ephemeral.
pub async fn release(tx: &mut Tx, caller: Option<&UserId>, id: &MessageId, now: Timestamp) -> Result<Message> {
    let (_, mut message) = ephemeral(tx, caller, id, now).await?;
    message.attachments = match &message.command {
        Some((name, args)) if name == "giphy" => vec![send::giphy(args, false)],
        _ => message.attachments.iter().map(|attachment| without_actions(attachment)).collect(),
    };
    show(tx, id, message, now).await
}

/// Makes of an ephemeral message what the application answered to one of its buttons: it is shown to all, unless the answer
/// is for its author alone, too (chat §12.13).
///
/// # Errors
/// As [`release`], and whatever breaks a limit of messages.
pub async fn answer(
    tx: &mut Tx,
    caller: Option<&UserId>,
    id: &MessageId,
    draft: &Draft,
    now: Timestamp,
) -> Result<Message> {
    let (scene, message) = ephemeral(tx, caller, id, now).await?;
    draft.check(&scene)?;
    let message = Message {
        text: draft.text.clone(),
        html: draft.html.clone(),
        attachments: draft.attachments.clone(),
        is_silent: draft.is_silent,
        shows_in_channel: draft.shows_in_channel,
        translations: draft.translations.clone(),
        custom: draft.custom.clone(),
        updated_at: now,
        ..message
    };
    if draft.kind == Kind::Ephemeral {
        let tenant = tx.tenant();
        MESSAGE.put(tx, tenant, &id.to_string(), &message);
        return Ok(message);
    }
    show(tx, id, message, now).await
}

/// The ephemeral message `id`, on whose buttons the caller may press.
async fn ephemeral(tx: &mut Tx, caller: Option<&UserId>, id: &MessageId, now: Timestamp) -> Result<(Scene, Message)> {
    let message = super::read(tx, caller, id, now).await?;
    let scene = Scene::load(tx, &message.channel, caller, now).await?;
    scene.check("run-message-action", message.user.as_ref())?;
    match message.kind == Kind::Ephemeral {
        true => Ok((scene, message)),
        false => Err(Error::Unfit(format!("message {id} is not ephemeral"))),
    }
}

/// An attachment whose buttons were pressed.
fn without_actions(attachment: &str) -> String {
    let mut members: serde_json::Value = serde_json::from_str(attachment).unwrap_or_default();
    members.as_object_mut().map(|members| members.remove("actions"));
    members.to_string()
}

/// Shows to all what its author alone saw.
async fn show(tx: &mut Tx, id: &MessageId, mut message: Message, now: Timestamp) -> Result<Message> {
    message.kind = if message.parent.is_some() { Kind::Reply } else { Kind::Regular };
    message.created_at = now;
    message.updated_at = now;
    let tenant = tx.tenant();
    MESSAGE.put(tx, tenant, &id.to_string(), &message);
    let parent = match &message.parent {
        Some(parent) => Some((parent.clone(), super::load(tx, parent).await?)),
        None => None,
    };
    send::publish(tx, id, &message, parent.as_ref(), now).await?;
    unread_reminders::plan_in(tx, &message, now).await?;
    Ok(message)
}

/// Marks in the lists whether a message counts, without making it newer.
pub(super) async fn recount(tx: &mut Tx, id: &MessageId, message: &Message) -> Result<()> {
    let listed = send::listed(tx, message).await?;
    relist(tx, id, message, &listed).await
}
