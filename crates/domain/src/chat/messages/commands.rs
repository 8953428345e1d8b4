//! Slash commands that do something, and what their senders are told (chat §12.13).

use ids::{MessageId, Timestamp, UserId};

use super::{Kind, Message, Scene};
use crate::{
    Error, Result, Tx,
    moderation::{
        bans::{self, Scope},
        flags::{self, Entity, Report},
    },
    users::{Ban, mutes},
};

/// Does what the message's command says, if it is one of those that every app has; answers what its sender is told.
///
/// # Errors
/// When the store fails. What the sender may not do, it is told.
pub(super) async fn run(
    tx: &mut Tx,
    scene: &Scene,
    id: &MessageId,
    mut message: Message,
    now: Timestamp,
) -> Result<Message> {
    let Some((name, args)) = message.command.clone() else { return Ok(message) };
    let done = match name.as_str() {
        "ban" | "unban" | "flag" | "mute" | "unmute" => {
            moderate(tx, scene, (id, &name), message.user.as_ref(), &args, now).await
        }
        _ => return Ok(message),
    };
    (message.kind, message.text) = match done {
        Ok(text) => (Kind::Ephemeral, text),
        Err(Error::Absent(reason) | Error::Unfit(reason) | Error::NotAllowed(reason)) => (Kind::Error, reason),
        Err(error) => return Err(error),
    };
    // What is told is the app's answer, and no message of the sender's any more.
    (message.html, message.pin, message.pending) = (None, None, None);
    Ok(message)
}

async fn moderate(
    tx: &mut Tx,
    scene: &Scene,
    (id, name): (&MessageId, &str),
    by: Option<&UserId>,
    args: &str,
    now: Timestamp,
) -> Result<String> {
    let by = by.ok_or_else(|| Error::Unfit(format!("/{name} needs a user who sends it")))?;
    let (target, reason) = target(name, args)?;
    let targets = std::slice::from_ref(&target);
    let scope = Scope { channel: Some(scene.id.clone()), has_later_channels: false, has_address: false };
    match name {
        "ban" => {
            scene.check("ban-channel-member", None)?;
            let ban = Ban {
                by: Some(by.clone()),
                reason,
                expires: None,
                is_shadow: false,
                created_at: now,
                address: String::new(),
            };
            bans::add(tx, &target, &scope, &ban, id.as_str()).await?;
            Ok(format!("@{target} was banned"))
        }
        "unban" => {
            scene.check("ban-channel-member", None)?;
            bans::remove(tx, &target, &scope, Some(by), id.as_str(), now).await?;
            Ok(format!("@{target} was unbanned"))
        }
        "flag" => {
            scene.check("flag-message", None)?;
            let report = Report { reason, ..Report::default() };
            flags::add(tx, by, &Entity::new(flags::USER, target.as_str())?, &report, id.as_str(), now).await?;
            Ok(format!("@{target} was flagged"))
        }
        "mute" => {
            mutes::add(tx, by, targets, None, now).await?;
            Ok(format!("@{target} was muted"))
        }
        _ => {
            mutes::remove(tx, by, targets, now).await?;
            Ok(format!("@{target} was unmuted"))
        }
    }
}

/// Whom a command is about, the first word after its name, and the words after that.
fn target(name: &str, args: &str) -> Result<(UserId, String)> {
    let (word, reason) = args.split_once(char::is_whitespace).unwrap_or((args, ""));
    let id = UserId::parse(word.strip_prefix('@').unwrap_or(word));
    let id = id.map_err(|_| Error::Unfit(format!("/{name} needs the id of a user, such as /{name} @amy")))?;
    Ok((id, reason.trim().to_owned()))
}
