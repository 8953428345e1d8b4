//! Sending (chat §11.4, §12): a constant number of rows, none of which two senders share.

use ids::{ChannelId, MessageId, Timestamp, UserId};

use super::{Draft, Kind, Listed, Message, Moderation, Pin, Scene, commands, get, pending};
use crate::{
    Error, Result, Tx,
    chat::{
        blocklists, channels,
        drafts::{self, Spot},
        events::{self, Event},
        locations,
        reads::Read,
        search,
        threads::{self, Thread},
        types, unread_reminders, user_groups,
    },
    keyspace::{
        AUTHORED, At, CHANNEL_MESSAGE, Chat, Latest, MESSAGE, MESSAGES, PACE, PARTICIPANT, PENDING, PINNED, READ,
        REPLIES, REPLY, THREAD,
    },
    moderation::{
        bans,
        checks::{self, Content, Outcome, Verdict},
        flags::{self, Entity, Found},
    },
    polls, users,
};

/// What stands in the place of a text that a blocklist refuses.
const BLOCKED: &str = "Message was blocked by moderation policies";
/// The most participants of a thread who are told of a reply one by one.
const TOLD_MAX: usize = 100;

/// Says `draft` in `channel`, on behalf of `caller`; none is the app's own server. `now` is later than the time of every
/// message before.
///
/// # Errors
/// Whatever breaks a rule of chat §11.4, in its order.
pub async fn send(
    tx: &mut Tx,
    caller: Option<&UserId>,
    channel: &ChannelId,
    id: &MessageId,
    draft: &Draft,
    now: Timestamp,
) -> Result<Message> {
    let scene = Scene::load(tx, channel, caller, now).await?;
    check_sender(tx, &scene, draft, now).await?;
    check_pace(tx, &scene, now).await?;
    draft.check(&scene)?;
    let parent = check_place(tx, &scene, draft).await?;
    check_content(&scene, draft)?;
    if let Some(poll) = &draft.poll {
        polls::check_attachable(tx, &scene, poll, now).await?;
    }
    if let Some(location) = &draft.location {
        locations::check(tx, &scene, location, now)?;
    }
    if get(tx, id).await?.is_some() {
        return Err(Error::Unfit(format!("a message with ID {id} already exists")));
    }
    check_mentioned(tx, &draft.mentioned).await?;
    check_groups(tx, &draft.mentioned_groups).await?;
    let mut message = compose(tx, &scene, draft, now).await?;
    let found =
        moderated(tx, &scene, draft.user.as_ref().filter(|_| draft.forces_moderation), (id, &draft.text), now).await?;
    match found.outcome.verdict() {
        Verdict::Bounce | Verdict::Remove => return Ok(refused(message, &found.outcome)),
        Verdict::Shadow => message.is_shadowed = true,
        Verdict::Keep | Verdict::Flag => {}
    }
    let message = commands::run(tx, &scene, id, message, now).await?;
    if message.kind == Kind::Error {
        return Ok(message);
    }
    store(tx, &scene, id, &message, draft, now).await?;
    if message.kind != Kind::Ephemeral {
        queue(tx, id, &found, now).await?;
    }
    end_draft(tx, &message, now).await?;
    if message.pending.is_some() {
        pending::pass_on(tx, id, &message, now).await?;
    }
    if message.pending.is_none() && message.kind != Kind::Ephemeral {
        publish(tx, id, &message, parent.as_ref(), now).await?;
        unread_reminders::plan(tx, &scene.config, &message, now);
        if !draft.keeps_hidden && is_in_channel(&message) && !message.is_shadowed {
            channels::wake(tx, channel, now).await?;
        }
    }
    Ok(message)
}

/// What is answered for a message that moderation refuses.
fn refused(message: Message, outcome: &Outcome) -> Message {
    let moderation = Moderation {
        action: outcome.verdict().name().to_owned(),
        original_text: message.text.clone(),
        blocklists: outcome.blocklists().map(str::to_owned).collect(),
    };
    Message { kind: Kind::Error, text: BLOCKED.to_owned(), html: None, moderation: Some(moderation), ..message }
}

/// What moderation found in a message, and by which policy.
#[derive(Debug, Default)]
pub(super) struct Checked {
    pub(super) outcome: Outcome,
    policy: String,
}

/// Puts a message in which something was found into the review queue, if a moderator is to look at it.
pub(super) async fn queue(tx: &mut Tx, id: &MessageId, checked: &Checked, now: Timestamp) -> Result<()> {
    if checked.outcome.verdict() == Verdict::Keep {
        return Ok(());
    }
    let entity = Entity::new(flags::MESSAGE, id.as_str())?;
    let found = Found::of(&checked.outcome, &checked.policy, now);
    flags::add_found(tx, &entity, &found, id.as_str(), now).await.map(drop)
}

/// What moderation finds in such a text: by the blocklists of the channel, and by the policy for it (chat §12.14; v2 §6.4).
/// What the app's own server says is checked only for `forced`, its author.
pub(super) async fn moderated(
    tx: &mut Tx,
    scene: &Scene,
    forced: Option<&UserId>,
    (id, text): (&MessageId, &str),
    now: Timestamp,
) -> Result<Checked> {
    let author = match &scene.caller {
        Some((user, _)) if !scene.may("skip-message-moderation") => Some(user),
        Some(_) => None,
        None => forced,
    };
    let Some(author) = author else { return Ok(Checked::default()) };
    let bypasses = match &scene.caller {
        Some((_, profile)) => profile.bypasses_moderation,
        None => checks::is_bypassed(tx, author).await?,
    };
    if bypasses {
        return Ok(Checked::default());
    }
    let mut checked =
        Checked { outcome: Outcome { hits: blocklists::hits(tx, &scene.config, text).await? }, policy: String::new() };
    if let Some((key, policy)) = checks::find(tx, &checks::keys_of(&scene.id), &scene.channel.team).await? {
        let content = Content { creator: author, id: id.as_str(), texts: vec![text] };
        checked.outcome.hits.extend(checks::run(tx, &policy, &content, now).await?.hits);
        checked.policy = key;
    }
    Ok(checked)
}

/// Whether the caller may say anything here.
async fn check_sender(tx: &mut Tx, scene: &Scene, draft: &Draft, now: Timestamp) -> Result<()> {
    // No role of the default grants may `create-reply`: who may write may reply, too (chat §8.4).
    let allowed = scene.check("create-message", None);
    match draft.parent.is_some() && scene.may("create-reply") {
        true => {}
        false => allowed?,
    }
    if let Some((user, _)) = &scene.caller
        && bans::standing(tx, user, Some((&scene.id, &scene.channel)), now).await?.is_banned
    {
        return Err(Error::NotAllowed("the user is banned from writing here".to_owned()));
    }
    scene.check_not_frozen()?;
    scene.check_enabled()
}

/// Slow mode (chat §12.4).
async fn check_pace(tx: &mut Tx, scene: &Scene, now: Timestamp) -> Result<()> {
    let seconds = scene.channel.cooldown_seconds;
    let Some((user, _)) = scene.caller.as_ref().filter(|_| seconds > 0) else { return Ok(()) };
    if scene.may("skip-channel-cooldown") {
        return Ok(());
    }
    let (tenant, key) = (tx.tenant(), (Chat(scene.id.clone()), user.to_string()));
    let last = PACE.get(tx, tenant, &key).await?;
    PACE.put(tx, tenant, &key, &now);
    let free = last.map(|last| last.plus_micros(i64::from(seconds) * 1_000_000));
    match free.filter(|free| now < *free) {
        Some(free) => {
            let left = (free.micros() - now.micros()).div_euclid(1_000_000) + 1;
            Err(Error::Cooldown { seconds: u32::try_from(left).unwrap_or(seconds) })
        }
        None => Ok(()),
    }
}

/// Where in the channel it stands: what it replies to, what it quotes.
async fn check_place(tx: &mut Tx, scene: &Scene, draft: &Draft) -> Result<Option<(MessageId, Message)>> {
    if let Some(quoted) = &draft.quoted {
        scene.check_feature("quotes", scene.config.quotes)?;
        load_here(tx, scene, quoted).await?;
    }
    let Some(parent) = &draft.parent else { return Ok(None) };
    scene.check_feature("replies", scene.config.replies)?;
    let message = load_here(tx, scene, parent).await?;
    match message.parent.is_some() {
        true => Err(Error::NestedReply),
        false => Ok(Some((parent.clone(), message))),
    }
}

/// The message `id` of this channel.
pub(super) async fn load_here(tx: &mut Tx, scene: &Scene, id: &MessageId) -> Result<Message> {
    let message = super::load(tx, id).await?;
    match message.channel == scene.id && !super::is_private(&message) {
        true => Ok(message),
        false => Err(Error::Absent(format!("Message with id {id} doesn't exist in channel {}", scene.id))),
    }
}

/// Whether the caller may say such a thing.
pub(super) fn check_content(scene: &Scene, draft: &Draft) -> Result<()> {
    let asked = [
        (has_link(&draft.text), "add-links"),
        (!draft.attachments.is_empty(), "create-attachment"),
        (draft.mentions_anybody(), "create-mention"),
        (draft.kind == Kind::System, "create-system-message"),
        (!draft.visible_to.is_empty(), "create-restricted-visibility-message"),
        (draft.is_pinned, "pin-message"),
    ];
    check_pin(draft)?;
    for (_, permission) in asked.into_iter().filter(|(is_asked, _)| *is_asked) {
        scene.check(permission, None)?;
    }
    Ok(())
}

/// Whether it may be pinned: what only some see is not (chat §12.10).
pub(super) fn check_pin(draft: &Draft) -> Result<()> {
    match draft.is_pinned && !draft.visible_to.is_empty() {
        true => Err(Error::Unfit("pinned: a message with restricted_visibility cannot be pinned".to_owned())),
        false => Ok(()),
    }
}

fn has_link(text: &str) -> bool {
    ["http://", "https://", "www."].iter().any(|start| text.to_ascii_lowercase().contains(start))
}

/// Whether all who are named exist.
pub(super) async fn check_mentioned(tx: &mut Tx, mentioned: &[UserId]) -> Result<()> {
    let known = users::get_many(tx, mentioned).await?;
    match mentioned.iter().zip(known).find(|(_, user)| user.is_none()) {
        Some((id, _)) => Err(Error::Unfit(format!("mentioned_users: user '{id}' does not exist"))),
        None => Ok(()),
    }
}

/// Whether all groups of users that are named exist.
pub(super) async fn check_groups(tx: &mut Tx, groups: &[String]) -> Result<()> {
    let known = user_groups::named(tx, groups).await?;
    match groups.iter().find(|id| !known.iter().any(|(known, _)| known == *id)) {
        Some(id) => Err(Error::Unfit(format!("mentioned_group_ids: user group '{id}' does not exist"))),
        None => Ok(()),
    }
}

async fn compose(tx: &mut Tx, scene: &Scene, draft: &Draft, now: Timestamp) -> Result<Message> {
    let mut is_shadowed = false;
    if let Some(id) = &draft.user {
        users::ensure(tx, id, now).await?;
        is_shadowed = bans::standing(tx, id, Some((&scene.id, &scene.channel)), now).await?.is_shadow_banned;
    }
    let is_answered = draft.command.is_some();
    let command = draft.command.clone().or_else(|| command(scene, draft));
    let is_giphy = !is_answered && command.as_ref().is_some_and(|(name, _)| name == "giphy");
    let is_ephemeral = is_giphy || draft.kind == Kind::Ephemeral;
    let waits = draft.is_pending.unwrap_or(scene.config.mark_messages_pending);
    let kind = match (is_ephemeral, draft.kind, &draft.parent) {
        (true, ..) => Kind::Ephemeral,
        (_, Kind::System, _) => Kind::System,
        (_, _, Some(_)) => Kind::Reply,
        (_, kind, None) => kind,
    };
    let mut draft = draft.clone();
    if let (true, Some((_, args))) = (is_giphy, &command) {
        draft.attachments.push(giphy(args, true));
    }
    let pin = draft.is_pinned.then(|| Pin { at: now, by: draft.user.clone(), expires: draft.pin_expires });
    let pending = waits.then(|| draft.metadata.clone());
    let (poll, location) = (draft.poll.clone(), draft.location.clone());
    Ok(Message { pin, kind, is_shadowed, command, pending, poll, location, ..draft.message(scene.id.clone(), now) })
}

/// The slash command at the start of the text, if the channel has it (chat §12.13).
fn command(scene: &Scene, draft: &Draft) -> Option<(String, String)> {
    let rest = draft.text.strip_prefix('/')?;
    let (name, args) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    scene.config.commands.iter().any(|known| known == name).then(|| (name.to_owned(), args.trim().to_owned()))
}

/// What stands for a picture, as long as nobody looks for one (chat §12.13).
pub(super) fn giphy(args: &str, has_actions: bool) -> String {
    let button = |value: &str, text: &str, style: &str| serde_json::json!({ "name": "image_action", "text": text, "style": style, "type": "button", "value": value });
    let mut attachment = serde_json::json!({ "type": "giphy", "title": args });
    if has_actions {
        let buttons = [
            button("send", "Send", "primary"),
            button("shuffle", "Shuffle", "default"),
            button("cancel", "Cancel", "default"),
        ];
        attachment["actions"] = serde_json::Value::from(buttons.to_vec());
    }
    attachment.to_string()
}

async fn store(
    tx: &mut Tx,
    scene: &Scene,
    id: &MessageId,
    message: &Message,
    draft: &Draft,
    now: Timestamp,
) -> Result<()> {
    let (tenant, key) = (tx.tenant(), id.to_string());
    MESSAGE.assert_absent(tx, tenant, &key);
    MESSAGE.put(tx, tenant, &key, message);
    if let Some(poll) = &message.poll {
        polls::attach(tx, poll, id);
    }
    locations::list(tx, id, message);
    if let Some(author) = &message.user {
        AUTHORED.put(tx, tenant, &(author.to_string(), At(message.created_at), key.clone()), &());
    }
    if message.pin.is_some() {
        PINNED.put(tx, tenant, &(Chat(scene.id.clone()), Latest(now), key.clone()), &());
    }
    if let (Some(_), Some(user)) = (&message.pending, &draft.user) {
        PENDING.put(tx, tenant, &(Chat(scene.id.clone()), user.to_string(), At(now), key), &());
    }
    Ok(())
}

/// What is said is no draft any more.
async fn end_draft(tx: &mut Tx, message: &Message, now: Timestamp) -> Result<()> {
    let Some(author) = &message.user else { return Ok(()) };
    let spot = Spot { channel: message.channel.clone(), parent: message.parent.clone() };
    drafts::delete(tx, author, &spot, now).await
}

/// Shows a stored message to the others: lists it, counts it, marks it read for its author, tells of it.
pub(super) async fn publish(
    tx: &mut Tx,
    id: &MessageId,
    message: &Message,
    parent: Option<&(MessageId, Message)>,
    now: Timestamp,
) -> Result<()> {
    let (tenant, channel, text) = (tx.tenant(), Chat(message.channel.clone()), id.to_string());
    let listed = listed(tx, message).await?;
    search::index(tx, id, None, message);
    if is_in_channel(message) {
        CHANNEL_MESSAGE.put(tx, tenant, &(channel.clone(), At(message.created_at), text.clone()), &listed);
        MESSAGES.add(tx, tenant, &channel, counted(message));
        read_by_author(tx, id, message, now).await?;
    }
    events::record(
        tx,
        Event::new("message.new", now, Some(&message.channel)).by(message.user.as_ref()).about(id, message),
    );
    if let Some((parent, above)) = parent {
        REPLY.put(tx, tenant, &(parent.to_string(), At(message.created_at), text), &listed);
        REPLIES.add(tx, tenant, &(parent.to_string(), false), 1);
        grow_thread(tx, (parent, above), (id, message), now).await?;
    }
    Ok(())
}

/// How a message stands in lists. A system message is the last of no channel whose type says so (chat §12.2).
///
/// # Errors
/// When the store fails.
pub(super) async fn listed(tx: &mut Tx, message: &Message) -> Result<Listed> {
    let visible_to = match (&message.user, message.is_shadowed) {
        (Some(author), true) => vec![author.clone()],
        _ => message.visible_to.clone(),
    };
    let is_told = !message.is_shadowed && message.deleted_at.is_none();
    let is_last = is_told && (message.kind != Kind::System || moves_channel(tx, &message.channel).await?);
    Ok(Listed { user: message.user.clone(), counts: is_told && !message.is_silent, is_last, visible_to })
}

/// Whether system messages count as the last of this channel.
async fn moves_channel(tx: &mut Tx, id: &ChannelId) -> Result<bool> {
    let Some(channel) = channels::get(tx, id).await? else { return Ok(true) };
    let kind = types::load(tx, id.kind()).await?;
    Ok(!types::config(&kind, &channel).skip_last_msg_update_for_system_msgs)
}

/// Whether it shows in the channel, and not in its thread alone.
pub(super) fn is_in_channel(message: &Message) -> bool {
    message.parent.is_none() || message.shows_in_channel
}

/// What it adds to the number of messages.
pub(super) fn counted(message: &Message) -> i64 {
    i64::from(matches!(message.kind, Kind::Regular | Kind::Reply))
}

/// Who writes has read what came before (chat §12.1).
async fn read_by_author(tx: &mut Tx, id: &MessageId, message: &Message, now: Timestamp) -> Result<()> {
    let Some(author) = &message.user else { return Ok(()) };
    if crate::chat::members::get(tx, &message.channel, author).await?.is_none() {
        return Ok(());
    }
    let (tenant, key) = (tx.tenant(), (Chat(message.channel.clone()), author.to_string()));
    let known = match READ.get(tx, tenant, &key).await {
        // Who becomes a member by the same commit has got nothing yet.
        Err(store::Error::Unreadable { .. }) => None,
        known => known?.map(|mark| mark.value),
    };
    let mark = Read {
        last_read: now,
        last_read_message: Some(id.clone()),
        until: None,
        last_delivered: known.as_ref().and_then(|mark| mark.last_delivered),
        last_delivered_message: known.and_then(|mark| mark.last_delivered_message),
    };
    READ.put(tx, tenant, &key, &mark);
    Ok(())
}

/// Begins the thread with its first reply, or joins it, and tells those who take part (chat §6.13, §12.8).
async fn grow_thread(
    tx: &mut Tx,
    (parent, above): (&MessageId, &Message),
    (id, message): (&MessageId, &Message),
    now: Timestamp,
) -> Result<()> {
    let (tenant, mut answered) = (tx.tenant(), None);
    if threads::get(tx, parent).await?.is_none() {
        let thread = Thread {
            channel: message.channel.clone(),
            created_by: message.user.clone(),
            created_at: message.created_at,
            updated_at: message.created_at,
            title: None,
            custom: "{}".to_owned(),
        };
        THREAD.put(tx, tenant, &parent.to_string(), &thread);
        answered = above.user.clone().filter(|user| message.user.as_ref() != Some(user));
        if let Some(author) = &above.user {
            // The first reply is news to whom it answers.
            threads::join(tx, parent, author, None, now.plus_micros(-1)).await?;
        }
    }
    if let Some(author) = &message.user {
        threads::join(tx, parent, author, Some(id), now).await?;
    }
    let mut told = participants(tx, parent, message.user.as_ref()).await?;
    told.extend(answered);
    let event = |kind: &str| Event::new(kind, now, Some(&message.channel)).by(message.user.as_ref());
    if !told.is_empty() {
        let more = serde_json::json!({ "thread_id": parent.as_str() }).to_string();
        events::record(tx, event("notification.thread_message_new").about(id, message).with(more).only_for(told));
    }
    events::record(tx, event("message.updated").about(parent, above));
    Ok(())
}

/// Who took part before, but for `author`. It is read beside the transaction: who joins at this moment need not be told.
async fn participants(tx: &mut Tx, parent: &MessageId, author: Option<&UserId>) -> Result<Vec<UserId>> {
    let (tenant, mut beside) = (tx.tenant(), tx.snapshot());
    let range = PARTICIPANT.prefix(tenant, &(parent.to_string(),));
    let limit = store::Limit::rows(TOLD_MAX);
    let rows = PARTICIPANT.scan(&mut beside, tenant, range, store::Direction::Forward, limit).await?.rows;
    let users = rows.into_iter().filter_map(|((_, user), _)| UserId::parse(&user).ok());
    Ok(users.filter(|user| Some(user) != author).collect())
}
