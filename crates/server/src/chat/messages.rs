//! Messages: sending and reading (chat §11.4, §11.14.3).

mod change;
pub(crate) mod draft;
mod extras;
mod hooks;
mod lists;
mod moments;
mod pinned;

use extras::Extras;

pub(crate) use change::{act, bare_path, commit, delete, patch, translate, undelete, update};
pub(crate) use lists::{Query, history, part, replies};
pub(crate) use moments::Moments;
pub(crate) use pinned::pinned;

use domain::{
    Tx,
    chat::{
        channels,
        messages::{self, Message, Shown},
    },
    users::People,
};
use ids::{ChannelId, MessageId, UserId};
use wire::chat::messages::{Messages, OneMessage};

use super::{
    channels::state::{self, Loaded, View},
    error::{Error, Result},
    fields::Fields,
    gate::Call,
    og,
    to_wire::messages::Frame,
};
use crate::reply::Reply;

/// Members that the server sets, and that clients echo (chat §5.4).
pub(super) const READ_ONLY: &[&str] = &[
    "args",
    "before_message_send_failed",
    "channel",
    "cid",
    "command",
    "command_info",
    "created_at",
    "deleted_at",
    "deleted_for_me",
    "deleted_reply_count",
    "draft",
    "i18n",
    "image_labels",
    "latest_reactions",
    "member",
    "mentioned_groups",
    "message_text_updated_at",
    "moderation",
    "own_reactions",
    "pending",
    "pending_message_metadata",
    "pinned_at",
    "pinned_by",
    "poll",
    "quoted_message",
    "reaction_counts",
    "reaction_groups",
    "reaction_scores",
    "reminder",
    "reply_count",
    "shadowed",
    "thread_participants",
    "updated_at",
];

/// The most own fields of memberships that a call names, and their longest name (chat §4.2).
const MEMBER_CUSTOM_MAX: usize = 8;
const MEMBER_CUSTOM_CHARS_MAX: usize = 64;

/// Which own fields of their authors' memberships messages are shown with: `member_custom_include`.
///
/// # Errors
/// 4 when they are too many, or one is too long.
pub(super) fn member_custom<'n>(names: impl IntoIterator<Item = &'n str>) -> Result<Vec<String>> {
    let names: Vec<String> = names.into_iter().filter(|name| !name.is_empty()).map(str::to_owned).collect();
    match names.len() > MEMBER_CUSTOM_MAX || names.iter().any(|name| name.chars().count() > MEMBER_CUSTOM_CHARS_MAX) {
        true => {
            let rule = format!("holds at most {MEMBER_CUSTOM_MAX} names of {MEMBER_CUSTOM_CHARS_MAX} characters");
            Err(Error::field("member_custom_include", &rule))
        }
        false => Ok(names),
    }
}

/// The same in a body.
///
/// # Errors
/// 4 when it is something else.
pub(super) fn read_member_custom(sent: &mut Fields) -> Result<Vec<String>> {
    let names = sent.texts("member_custom_include")?.unwrap_or_default();
    member_custom(names.iter().map(String::as_str))
}

/// The most messages that one call names.
const IDS_MAX: usize = 100;

/// `POST /channels/{type}/{id}/message`: says something.
pub(crate) async fn send(call: Call, mut sent: Fields) -> Result<Reply> {
    let channel = channel(&call)?;
    let skips_preview = sent.flag("skip_enrich_url")?.unwrap_or_default();
    let extras = Extras::read(&mut sent)?;
    let (id, draft) = draft::read(&call, &mut sent)?;
    if draft.user.is_none() {
        return Err(Error::input("either user or user_id must be provided when using server side auth."));
    }
    let id = id.unwrap_or_else(|| MessageId::parse(&call.new_id()).expect("a UUID is a message id"));
    let (caller, now) = (call.user().cloned(), call.moment());
    extras.check(&call, &channel).await?;
    let about = hooks::About { channel: &channel, id: &id, now };
    let draft = match hooks::ask(&call, about, draft).await? {
        hooks::Asked::Goes(draft) => draft,
        hooks::Asked::Ends(message) => return one(&call, id, *message).await,
    };
    let message =
        call.app.write(async |tx| messages::send(tx, caller.as_ref(), &channel, &id, &draft, now).await).await?;
    if !skips_preview {
        og::enrich(call.server.clone(), call.tenant.clone(), id.clone(), message.clone(), now);
    }
    extras.answer(&call, id, message).await
}

/// `GET /messages/{id}`: one message, for whoever may read it.
pub(crate) async fn get(call: Call, _: Fields) -> Result<Reply> {
    let id = message_id(&call)?;
    let shows_deleted = call.is_server() && call.query.flag("show_deleted_message").unwrap_or_default();
    let mut tx = call.snapshot();
    let message = messages::read(&mut tx, call.user(), &id, call.now()).await?;
    let metadata = message.pending.clone();
    let mut people = People::default();
    let place = place(&call, &mut tx, &message.channel, &mut people).await?;
    let shown = messages::gather(&mut tx, vec![(id, message)], call.user(), &mut people).await?;
    let frame = Frame { dialect: call.dialect, people: &people, now: call.now(), shows_deleted };
    let message = frame.in_channel(&shown[0], place.as_ref());
    call.answer(&OneMessage { message, pending_message_metadata: metadata.map(|pairs| pairs.into_iter().collect()) })
}

/// `GET /channels/{type}/{id}/messages?ids=`: those of them that are there, in their order.
pub(crate) async fn get_many(call: Call, _: Fields) -> Result<Reply> {
    let channel = channel(&call)?;
    let ids = call.query.list("ids").into_iter().filter(|id| !id.is_empty());
    let ids = ids.map(|id| MessageId::parse(id).map_err(|error| Error::field("ids", &error.to_string())));
    let ids = ids.collect::<Result<Vec<_>>>()?;
    if ids.is_empty() || ids.len() > IDS_MAX {
        return Err(Error::field("ids", &format!("must hold 1 to {IDS_MAX} ids")));
    }
    let names = member_custom(call.query.list("member_custom_include"))?;
    let mut tx = call.snapshot();
    let found = messages::read_many(&mut tx, call.user(), &channel, &ids, call.now()).await?;
    some(&call, found, &names).await
}

/// The channel that an answer shows with a message, unless it was deleted.
pub(super) async fn place(call: &Call, tx: &mut Tx, id: &ChannelId, people: &mut People) -> Result<Option<Loaded>> {
    let Some(channel) = channels::get(tx, id).await? else { return Ok(None) };
    let loaded = state::with(tx, id, channel, View::of(call, call.user())).await?;
    people.add(tx, loaded.named()).await?;
    Ok(Some(loaded))
}

/// The channel of the path.
pub(super) fn channel(call: &Call) -> Result<ChannelId> {
    ChannelId::new(call.param("type"), call.param("id")).map_err(|error| Error::input(error.to_string()))
}

/// The message of the path.
pub(super) fn message_id(call: &Call) -> Result<MessageId> {
    MessageId::parse(call.param("id")).map_err(|error| Error::field("id", &error.to_string()))
}

/// The message `id` with all that is shown with it, as it is now.
///
/// # Errors
/// When the store fails.
pub(super) async fn look(call: &Call, id: MessageId, message: Message) -> Result<(People, Shown)> {
    let (people, mut shown) = shown(call, call.user(), vec![(id, message)]).await?;
    Ok((people, shown.remove(0)))
}

/// The answer with one message, as it is now but for what the call itself did to it.
pub(super) async fn one(call: &Call, id: MessageId, message: Message) -> Result<Reply> {
    one_for(call, call.user(), id, message).await
}

/// The same as `viewer` sees it.
async fn one_for(call: &Call, viewer: Option<&UserId>, id: MessageId, message: Message) -> Result<Reply> {
    let metadata = message.pending.clone();
    let (people, shown) = shown(call, viewer, vec![(id, message)]).await?;
    let frame = Frame { dialect: call.dialect, people: &people, now: call.now(), shows_deleted: false };
    let message = frame.message(&shown[0]);
    call.answer(&OneMessage { message, pending_message_metadata: metadata.map(|pairs| pairs.into_iter().collect()) })
}

/// The answer with these messages, and these own fields of their authors' memberships.
pub(super) async fn some(call: &Call, messages: messages::Page, member_custom: &[String]) -> Result<Reply> {
    let (people, mut shown) = shown(call, call.user(), messages).await?;
    messages::include_member_custom(&mut shown, member_custom);
    let frame = Frame { dialect: call.dialect, people: &people, now: call.now(), shows_deleted: false };
    call.answer(&Messages { messages: shown.iter().map(|shown| frame.message(shown)).collect() })
}

async fn shown(call: &Call, viewer: Option<&UserId>, messages: messages::Page) -> Result<(People, Vec<Shown>)> {
    let mut people = People::default();
    let shown = messages::gather(&mut call.snapshot(), messages, viewer, &mut people).await?;
    Ok((people, shown))
}
