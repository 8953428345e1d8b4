//! A message as clients send it (chat §11.4).

use domain::chat::messages::{Draft, Kind};
use ids::{MessageId, Timestamp, UserId};

use super::{
    super::{
        attachments,
        error::{Error, Result},
        fields::Fields,
        gate::Call,
        locations,
    },
    READ_ONLY,
};

/// The message in a body, with the id that its sender chose.
///
/// # Errors
/// 4 when a member is not what the contract says, 17 when a user's token names another user.
pub(in crate::chat) fn read(call: &Call, sent: &mut Fields) -> Result<(Option<MessageId>, Draft)> {
    let mut message = sent.object("message")?.ok_or_else(|| Error::field("message", "is a required field"))?;
    let id = message.message("id")?;
    let user = call.actor(&mut message)?;
    let mut draft = content(&mut message, user, call.now())?;
    // What is shown as it is sent must come from whom the app trusts.
    draft.html = draft.html.filter(|_| call.is_server());
    draft.is_pending = sent.flag("pending")?.or(sent.flag("is_pending_message")?);
    draft.metadata = metadata(sent)?;
    draft.keeps_hidden = sent.flag("keep_channel_hidden")?.unwrap_or_default();
    draft.forces_moderation = sent.flag("force_moderation")?.unwrap_or_default() && call.is_server();
    check_pending(call, &draft)?;
    message.skip(READ_ONLY);
    draft.custom = message.custom()?.to_string();
    Ok((id, draft))
}

/// What a message says, but for the application's own fields.
///
/// # Errors
/// 4 when a member is not what the contract says.
pub(in crate::chat) fn content(message: &mut Fields, user: Option<UserId>, now: Timestamp) -> Result<Draft> {
    let draft = Draft::text(user, message.text("text")?.unwrap_or_default());
    let attachments = message.objects("attachments")?.unwrap_or_default();
    Ok(Draft {
        kind: kind(message)?,
        html: message.filled("html")?,
        mml: message.filled("mml")?,
        attachments: attachments.into_iter().map(attachments::read).collect::<Result<_>>()?,
        mentioned: message.users("mentioned_users")?.or(message.users("mentioned_user_ids")?).unwrap_or_default(),
        mentions_channel: message.flag("mentioned_channel")?.unwrap_or_default(),
        mentions_here: message.flag("mentioned_here")?.unwrap_or_default(),
        mentioned_roles: names(message, "mentioned_roles")?.unwrap_or_default(),
        mentioned_groups: names(message, "mentioned_group_ids")?.unwrap_or_default(),
        parent: message.message("parent_id")?,
        shows_in_channel: message.flag("show_in_channel")?.unwrap_or_default(),
        quoted: message.message("quoted_message_id")?,
        is_silent: message.flag("silent")?.unwrap_or_default(),
        is_pinned: message.flag("pinned")?.unwrap_or_default(),
        pin_expires: message.time("pin_expires")?,
        visible_to: message.users("restricted_visibility")?.unwrap_or_default(),
        poll: message.filled("poll_id")?,
        location: message.object("shared_location")?.map(|sent| locations::read(sent, now)).transpose()?,
        ..draft
    })
}

/// Names of roles or groups; who comes twice counts once.
///
/// # Errors
/// 4 when they are something else.
pub(super) fn names(message: &mut Fields, field: &str) -> Result<Option<Vec<String>>> {
    let Some(names) = message.texts(field)? else { return Ok(None) };
    let mut known: Vec<String> = Vec::with_capacity(names.len());
    for name in names.into_iter().filter(|name| !name.is_empty()) {
        if !known.contains(&name) {
            known.push(name);
        }
    }
    Ok(Some(known))
}

/// A message of a file, which others sent elsewhere.
///
/// # Errors
/// 4 when a member is not what the contract says.
pub(crate) fn imported(mut message: Fields, user: UserId, now: Timestamp) -> Result<Draft> {
    let mut draft = content(&mut message, Some(user), now)?;
    draft.translations = match message.object("i18n")? {
        Some(texts) => pairs(texts, "i18n")?,
        None => Vec::new(),
    };
    message.skip(READ_ONLY);
    draft.custom = message.custom()?.to_string();
    Ok(draft)
}

/// Callers ask for plain messages and, some, for notes of the application; what else a client echoes is not theirs to set.
fn kind(message: &mut Fields) -> Result<Kind> {
    match message.filled("type")?.as_deref() {
        None | Some("regular" | "reply") => Ok(Kind::Regular),
        Some("system") => Ok(Kind::System),
        Some(_) => Err(Error::field("message.type", "must be one of [regular system]")),
    }
}

fn metadata(sent: &mut Fields) -> Result<Vec<(String, String)>> {
    let given = sent.object("pending_message_metadata")?;
    given.map_or_else(|| Ok(Vec::new()), |given| pairs(given, "pending_message_metadata"))
}

/// The members of `given`, which are texts.
fn pairs(given: Fields, field: &str) -> Result<Vec<(String, String)>> {
    let read = |(name, value): (&str, &serde_json::value::RawValue)| {
        let value = serde_json::from_str(value.get());
        Ok((name.to_owned(), value.map_err(|_| Error::field(field, "must hold strings"))?))
    };
    given.rest().iter().map(read).collect()
}

fn check_pending(call: &Call, draft: &Draft) -> Result<()> {
    match draft.is_pending == Some(true) && !call.is_server() {
        true => Err(Error::new(wire::chat::error::Code::NotAllowed, "pending is for server-side calls")),
        false => Ok(()),
    }
}
