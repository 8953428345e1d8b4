//! What an app's own servers say of a message before it is stored: the before-send hook and the handler of custom slash
//! commands (chat §12.13, §13).
//!
//! Both are told the message as it would be stored, in the classic dialect: a rehearsal of the sending, whose transaction is
//! thrown away, checks everything first. So nobody is asked about what would be refused.

use std::time::Duration;

use domain::{
    Tx,
    chat::{
        commands,
        messages::{self, Draft, Kind, Message},
    },
    users::People,
};
use http::{HeaderMap, HeaderValue, header};
use ids::{ChannelId, MessageId, Timestamp, json::Object};
use serde_json::value::{RawValue, to_raw_value};
use wire::chat::{dialect::Dialect, error::Code, hooks::Asking};

use super::{READ_ONLY, place};
use crate::{
    chat::{
        attachments,
        error::{Error, Result},
        fields::Fields,
        gate::Call,
        origin::request_info,
        to_wire::{
            channels::{Pen, channel as shown_channel},
            messages::Frame,
            users::embedded,
        },
    },
    outbound,
};

/// How long an app's server may think, if the app does not say; and within which bounds it can say.
const TIMEOUT_MILLIS: u64 = 1_000;
const TIMEOUT_MILLIS_MIN: u64 = 50;
const TIMEOUT_MILLIS_MAX: u64 = 5_000;
/// What the sender of a message reads that was refused without a word.
const REFUSED: &str = "Message was rejected by the before message send hook";
/// Members of a message that an answer repeats and cannot change.
const FIXED: &[&str] = &[
    "html",
    "id",
    "mentioned_channel",
    "mentioned_here",
    "mentioned_users",
    "mml",
    "parent_id",
    "pin_expires",
    "pinned",
    "poll_id",
    "quoted_message_id",
    "restricted_visibility",
    "shared_location",
    "user",
    "user_id",
];

/// What becomes of a message.
pub(super) enum Asked {
    /// It is sent like this.
    Goes(Box<Draft>),
    /// It is not stored; its sender is shown this.
    Ends(Box<Message>),
}

/// A message that is about to be sent.
#[derive(Clone, Copy)]
pub(super) struct About<'a> {
    /// Where.
    pub(super) channel: &'a ChannelId,
    /// Its id.
    pub(super) id: &'a MessageId,
    /// When.
    pub(super) now: Timestamp,
}

/// Asks whom the app's settings name, if anybody.
///
/// # Errors
/// Whatever sending would answer; 44 and 45 for a custom command that nobody handles.
pub(super) async fn ask(call: &Call, about: About<'_>, draft: Draft) -> Result<Asked> {
    let before = call.tenant.app.settings.text("before_message_send_hook_url");
    if before.is_empty() && !draft.text.starts_with('/') {
        return Ok(Asked::Goes(Box::new(draft)));
    }
    let (mut message, mut told) = rehearse(call, about, &draft).await?;
    let mut draft = Box::new(draft);
    if !before.is_empty()
        && message.kind != Kind::Error
        && let Some(reply) = asked_before(call, &before, &told).await
    {
        match rewritten(reply, &draft)? {
            Rewritten::Error(text) => return Ok(ends(message, text)),
            Rewritten::Draft(other) => {
                (message, told) = rehearse(call, about, &other).await?;
                draft = other;
            }
        }
    }
    let command = message.command.clone().filter(|(name, _)| is_custom(name));
    let Some(command) = command.filter(|_| message.kind != Kind::Error) else { return Ok(Asked::Goes(draft)) };
    match rewritten(handled(call, &command.0, told).await?, &draft)? {
        Rewritten::Error(text) => Ok(ends(message, text)),
        Rewritten::Draft(other) => Ok(Asked::Goes(Box::new(Draft { command: Some(command), ..*other }))),
    }
}

/// What became of a button of an ephemeral message of a custom command: its handler is asked with the form. `None` when the
/// message is of no such command.
///
/// # Errors
/// 44 and 45 as for the command itself; whatever the answer breaks.
pub(super) async fn act(
    call: &Call,
    (id, message): (&MessageId, &Message),
    form: &Object,
    now: Timestamp,
) -> Result<Option<Message>> {
    let command = message.command.clone().filter(|(name, _)| is_custom(name) && message.kind == Kind::Ephemeral);
    let Some((name, _)) = command else { return Ok(None) };
    let form = RawValue::from_string(form.to_string()).expect("an object is JSON");
    let told = asking(call, &mut call.snapshot(), id, message).await?;
    let reply = handled(call, &name, Asking { form_data: Some(form), ..told }).await?;
    let draft = Draft { kind: Kind::Ephemeral, ..Draft::of(message, now) };
    match rewritten(reply, &draft)? {
        Rewritten::Error(text) => match ends(message.clone(), text) {
            Asked::Ends(message) => Ok(Some(*message)),
            Asked::Goes(_) => Ok(None),
        },
        Rewritten::Draft(draft) => {
            let caller = call.user();
            let run = call.app.write(async |tx| messages::answer(tx, caller, id, &draft, now).await);
            Ok(Some(run.await?))
        }
    }
}

fn ends(message: Message, text: String) -> Asked {
    let text = if text.is_empty() { REFUSED.to_owned() } else { text };
    Asked::Ends(Box::new(Message { kind: Kind::Error, text, html: None, pin: None, pending: None, ..message }))
}

fn is_custom(command: &str) -> bool {
    commands::BUILT_IN.iter().all(|known| known.name != command)
}

/// The message as it would be stored, and what a hook is asked about it. The transaction is thrown away before anybody is.
async fn rehearse<'c>(call: &'c Call, about: About<'_>, draft: &Draft) -> Result<(Message, Asking<'c>)> {
    let mut tx = call.snapshot();
    let message = messages::send(&mut tx, call.user(), about.channel, about.id, draft, about.now).await?;
    let asking = asking(call, &mut tx, about.id, &message).await?;
    Ok((message, asking))
}

/// What an app's server is told of a message.
async fn asking<'c>(call: &'c Call, tx: &mut Tx, id: &MessageId, message: &Message) -> Result<Asking<'c>> {
    let (mut people, dialect, now) = (People::default(), Dialect::Classic, call.now());
    let loaded = place(call, tx, &message.channel, &mut people).await?;
    let told = vec![(id.clone(), message.clone())];
    let shown = messages::gather(tx, told, call.user(), &mut people).await?;
    let frame = Frame { dialect, people: &people, now, shows_deleted: false };
    let pen = Pen { dialect, people: &people, now };
    Ok(Asking {
        message: raw(&frame.message(&shown[0])),
        user: message.user.as_ref().and_then(|user| embedded(dialect, &people, user, now)).map(|user| raw(&user)),
        channel: loaded.as_ref().map(|loaded| raw(&shown_channel(pen, loaded))),
        request_info: call.app.origin.as_deref().map(request_info),
        form_data: None,
    })
}

fn raw(value: &impl serde::Serialize) -> Box<RawValue> {
    to_raw_value(value).expect("wire types are JSON")
}

/// Asks the before-send hook. An app's server that cannot be reached, refuses or answers nonsense does not hold a message
/// up; one that failed often is left alone for a while.
async fn asked_before(call: &Call, url: &str, asking: &Asking<'_>) -> Option<Fields> {
    let (app, now) = (call.tenant.app.id, call.now());
    if call.server.breakers.is_open(app, now) {
        return None;
    }
    let settings = &call.tenant.app.settings;
    let said = settings.other("before_message_send_hook_attempt_timeout_ms");
    let millis =
        said.and_then(|said| said.get().parse::<u64>().ok()).filter(|millis| *millis > 0).unwrap_or(TIMEOUT_MILLIS);
    let timeout = Duration::from_millis(millis.clamp(TIMEOUT_MILLIS_MIN, TIMEOUT_MILLIS_MAX));
    let answer = post(call, url, asking, timeout).await;
    call.server.breakers.note(app, answer.is_ok(), now);
    match answer {
        Ok((200..300, body)) => message_in(&body),
        Ok((status, _)) => {
            tracing::debug!(status, app = app.0, "the before-send hook refused; the message goes on");
            None
        }
        Err(error) => {
            tracing::debug!(%error, app = app.0, "the before-send hook could not be asked; the message goes on");
            None
        }
    }
}

/// Has a custom command handled.
///
/// # Errors
/// 44 when the app names nobody who does, 45 when it is not answered with a message.
async fn handled(call: &Call, name: &str, asking: Asking<'_>) -> Result<Fields> {
    let url = call.tenant.app.settings.text("custom_action_handler_url");
    if url.is_empty() {
        return Err(Error::new(Code::CommandMissing, format!("no custom_action_handler_url is set to handle /{name}")));
    }
    let name: String = form_urlencoded::byte_serialize(name.as_bytes()).collect();
    let empty = || RawValue::from_string("{}".to_owned()).expect("it is JSON");
    let asking = Asking { form_data: Some(asking.form_data.unwrap_or_else(empty)), ..asking };
    let answer = post(call, &url.replace("{type}", &name), &asking, Duration::from_millis(TIMEOUT_MILLIS)).await;
    let failed = |reason: String| Error::new(Code::CommandFailed, format!("the handler of /{name} {reason}"));
    match answer {
        Ok((200..300, body)) => message_in(&body).ok_or_else(|| failed("did not answer with a message".to_owned())),
        Ok((status, _)) => Err(failed(format!("answered with status {status}"))),
        Err(_) => Err(failed("could not be asked".to_owned())),
    }
}

/// The member `message` of an answer, if it is an object with one.
fn message_in(body: &[u8]) -> Option<Fields> {
    let text = std::str::from_utf8(body).ok()?;
    Fields::parse(text, Dialect::Classic).ok()?.object("message").ok()?
}

/// Posts a signed body; the status and what was answered.
async fn post(
    call: &Call,
    url: &str,
    asking: &Asking<'_>,
    timeout: Duration,
) -> std::result::Result<(u16, Vec<u8>), outbound::Error> {
    let body = serde_json::to_vec(asking).expect("wire types are JSON");
    let value = |text: &str| HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(""));
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert("x-api-key", value(&call.tenant.key));
    headers.insert("x-signature", value(&call.tenant.sign(&body)));
    call.server.outbound.ask(url, headers, body, timeout).await
}

/// A message as an app's server wants it.
enum Rewritten {
    /// Not at all; what its sender is told.
    Error(String),
    /// Like this.
    Draft(Box<Draft>),
}

/// The draft with what `reply` says of it.
///
/// # Errors
/// 45 when a member is not what the contract says.
fn rewritten(mut reply: Fields, draft: &Draft) -> Result<Rewritten> {
    let mut draft = Box::new(draft.clone());
    let wrong = |error: Error| Error::new(Code::CommandFailed, format!("the app's server answered: {}", error.reason));
    let text = reply.text("text").map_err(wrong)?;
    match reply.filled("type").map_err(wrong)?.as_deref() {
        Some("error") => return Ok(Rewritten::Error(text.unwrap_or_default())),
        Some("system") => draft.kind = Kind::System,
        Some("ephemeral") => draft.kind = Kind::Ephemeral,
        Some("regular" | "reply") if draft.kind == Kind::Ephemeral => draft.kind = Kind::Regular,
        Some("regular" | "reply") | None => {}
        Some(_) => return Err(wrong(Error::field("type", "must be one of [regular system ephemeral error]"))),
    }
    if let Some(text) = text {
        draft.html = draft.html.filter(|_| draft.text == text);
        draft.text = text;
    }
    if let Some(attachments) = reply.objects("attachments").map_err(wrong)? {
        draft.attachments = attachments.into_iter().map(attachments::read).collect::<Result<_>>().map_err(wrong)?;
    }
    draft.is_silent = reply.flag("silent").map_err(wrong)?.unwrap_or(draft.is_silent);
    draft.shows_in_channel = reply.flag("show_in_channel").map_err(wrong)?.unwrap_or(draft.shows_in_channel);
    if let Some(languages) = reply.object("i18n").map_err(wrong)? {
        draft.translations = translations(&languages.rest()).map_err(wrong)?;
    }
    reply.skip(READ_ONLY);
    reply.skip(FIXED);
    let mut custom = Object::parse(&draft.custom).unwrap_or_default();
    for (name, value) in reply.custom().map_err(wrong)?.iter() {
        custom.set(name, value.to_owned());
    }
    draft.custom = custom.to_string();
    Ok(Rewritten::Draft(draft))
}

fn translations(languages: &Object) -> Result<Vec<(String, String)>> {
    let read = |(name, value): (&str, &RawValue)| {
        let text = serde_json::from_str(value.get()).map_err(|_| Error::field("i18n", "must hold strings"))?;
        Ok((name.to_owned(), text))
    };
    languages.iter().map(read).collect()
}
