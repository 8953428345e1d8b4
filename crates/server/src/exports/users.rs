//! What is stored of users: a JSON object a line (v2 §2.8).

use domain::{
    Tx,
    chat::messages::Shown,
    exports::subject::{self, ReactedTo},
    users::{self, People},
};
use ids::{Timestamp, UserId};
use serde::Serialize;
use serde_json::{Value, json};
use wire::chat::dialect::Dialect;

use super::{Error, Result, Sheet};
use crate::chat::to_wire::{self, messages::Frame};

/// The most messages of one user.
pub(crate) const MESSAGES_MAX: usize = 10_000;
/// The most reactions of one user.
pub(crate) const REACTIONS_MAX: usize = 10_000;

/// A line of the file.
#[derive(Serialize)]
struct Line<'a, T> {
    #[serde(rename = "type")]
    kind: &'static str,
    user_id: &'a str,
    data: T,
}

/// Writes what is stored of `users`.
pub(super) async fn write(sheet: &mut Sheet<'_>, users: &[UserId]) -> Result<()> {
    let mut is_any = false;
    for user in users {
        is_any |= one(sheet, user).await?;
    }
    if is_any { Ok(()) } else { Err(Error::Hopeless("none of the users exists".to_owned())) }
}

/// Writes what is stored of `user`; whether there is such a user.
async fn one(sheet: &mut Sheet<'_>, id: &UserId) -> Result<bool> {
    let Some(user) = users::get(&mut sheet.tx, id).await? else { return Ok(false) };
    let now = Timestamp::from_micros(sheet.server.clock.now_micros());
    let people = People::from_iter([(id.clone(), user)]);
    let profile = to_wire::users::embedded(Dialect::Classic, &people, id, now);
    sheet.line(&Line { kind: "user", user_id: id.as_str(), data: profile }).await?;
    for (kind, data) in belongings(&mut sheet.tx, id, now).await? {
        sheet.line(&Line { kind, user_id: id.as_str(), data }).await?;
    }
    // Nobody else's profile stands in a file about this user.
    let nobody = People::default();
    let frame = Frame { dialect: Dialect::Classic, people: &nobody, now, shows_deleted: true };
    let (mut walk, mut count) = (subject::Walk::default(), 0);
    while let Some(messages) = subject::messages(&mut sheet.tx, id, &mut walk).await? {
        count += messages.len();
        if count > MESSAGES_MAX {
            return Err(Error::Hopeless(format!(
                "a user has more than {MESSAGES_MAX} messages; export their channels"
            )));
        }
        for (message_id, message) in messages {
            let shown = Shown::bare(message_id, message);
            sheet.line(&Line { kind: "message", user_id: id.as_str(), data: frame.message(&shown) }).await?;
        }
    }
    let (mut walk, mut count) = (subject::Walk::default(), 0);
    while let Some(reactions) = subject::reactions(&mut sheet.tx, id, &mut walk).await? {
        count += reactions.len();
        if count > REACTIONS_MAX {
            return Err(Error::Hopeless(format!("a user has more than {REACTIONS_MAX} reactions")));
        }
        for ReactedTo { message, reacted } in reactions {
            let data = frame.reaction_to(&message, &reacted);
            sheet.line(&Line { kind: "reaction", user_id: id.as_str(), data }).await?;
        }
    }
    Ok(true)
}

/// What hangs on the user beside what was said.
pub(crate) async fn belongings(tx: &mut Tx, id: &UserId, now: Timestamp) -> domain::Result<Vec<(&'static str, Value)>> {
    let belongings = subject::belongings(tx, id, now).await?;
    let time = |at: Timestamp| at.rfc3339().to_string();
    let mut all = Vec::new();
    all.extend(belongings.memberships.iter().map(|(channel, member)| {
        let custom: Value = serde_json::from_str(&member.custom).unwrap_or_default();
        let data = json!({ "cid": channel.to_string(), "channel_role": member.channel_role, "custom": custom,
            "created_at": time(member.created_at), "updated_at": time(member.updated_at) });
        ("member", data)
    }));
    all.extend(
        belongings
            .devices
            .iter()
            .map(|(device, created_at)| ("device", json!({ "id": device, "created_at": time(*created_at) }))),
    );
    all.extend(
        belongings
            .blocks
            .iter()
            .map(|(other, at)| ("block", json!({ "blocked_user_id": other.as_str(), "created_at": time(*at) }))),
    );
    all.extend(
        belongings
            .mutes
            .iter()
            .map(|(other, at)| ("mute", json!({ "target_id": other.as_str(), "created_at": time(*at) }))),
    );
    Ok(all)
}
