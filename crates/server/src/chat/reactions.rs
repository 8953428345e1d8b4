//! Reactions to messages (chat §6.9, §11.5, §11.14.4).

use domain::{
    chat::{
        messages::{self, Message, Reacted},
        reactions::{self, Draft, REACTIONS},
    },
    filter::Filter,
    users::People,
};
use ids::{MessageId, UserId};
use wire::chat::messages::{Reacted as WireReacted, Reactions};

use super::{
    error::{Error, Result},
    fields::{self, Fields},
    gate::Call,
    messages::{Query, look, message_id},
    to_wire::messages::Frame,
};
use crate::reply::Reply;

/// How many reactions are answered where nobody says, and the most.
const LIMIT: usize = 10;
const LIMIT_MAX: usize = 300;
/// How far in a reader can page.
const OFFSET_MAX: usize = 1000;
/// Members that the server sets, and that clients echo.
const READ_ONLY: &[&str] = &["created_at", "message_id", "updated_at"];

/// `POST /messages/{id}/reaction`: reacts.
pub(crate) async fn send(call: Call, mut sent: Fields) -> Result<Reply> {
    let id = message_id(&call)?;
    let mut reaction = sent.object("reaction")?.ok_or_else(|| Error::field("reaction", "is a required field"))?;
    let user = call.some_actor(&mut reaction)?;
    let kind = reaction.filled("type")?.ok_or_else(|| Error::field("reaction.type", "is a required field"))?;
    let score = reaction.number("score")?.filter(|score| *score != 0).unwrap_or(1);
    let is_only = sent.flag("enforce_unique")?.unwrap_or_default();
    reaction.skip(READ_ONLY);
    let draft = Draft { user, kind, score, is_only, custom: reaction.custom()?.to_string() };
    let (caller, now) = (call.user().cloned(), call.moment());
    let run = call.app.write(async |tx| reactions::send(tx, caller.as_ref(), &id, &draft, now).await);
    let (message, reaction) = run.await?;
    let reacted = Reacted { user: draft.user, kind: draft.kind, custom: reaction.custom(), reaction };
    answer(&call, id, message, reacted).await
}

/// `DELETE /messages/{id}/reaction/{type}`: takes a reaction back.
pub(crate) async fn delete(call: Call, _: Fields) -> Result<Reply> {
    let (id, kind) = (message_id(&call)?, call.param("kind").to_owned());
    let user = user(&call)?;
    let (caller, now) = (call.user().cloned(), call.moment());
    let run = call.app.write(async |tx| reactions::delete(tx, caller.as_ref(), &id, &kind, &user, now).await);
    let (message, reaction) = run.await?;
    answer(&call, id, message, Reacted { user, kind, custom: reaction.custom(), reaction }).await
}

/// Whose reaction it is: the query says, or the token.
fn user(call: &Call) -> Result<UserId> {
    let named = call.query.get("user_id").filter(|id| !id.is_empty()).map(fields::user).transpose()?;
    let user = named.or_else(|| call.user().cloned());
    user.ok_or_else(|| Error::input("either user or user_id must be provided when using server side auth."))
}

async fn answer(call: &Call, id: MessageId, message: Message, mut reacted: Reacted) -> Result<Reply> {
    let (mut people, shown) = look(call, id, message).await?;
    people.add(&mut call.snapshot(), std::slice::from_ref(&reacted.user)).await?;
    if let Some(known) = shown.reactions.latest.iter().find(|known| is_same(known, &reacted)) {
        reacted = known.clone();
    }
    let frame = Frame { dialect: call.dialect, people: &people, now: call.now(), shows_deleted: false };
    call.answer(&WireReacted { message: frame.message(&shown), reaction: frame.reaction(&shown, &reacted) })
}

fn is_same(one: &Reacted, other: &Reacted) -> bool {
    (&one.user, &one.kind) == (&other.user, &other.kind)
}

/// `GET /messages/{id}/reactions`: the newest first.
pub(crate) async fn list(call: Call, _: Fields) -> Result<Reply> {
    let id = message_id(&call)?;
    let number = |name: &str, default: usize, max: usize| match call.query.get(name).filter(|text| !text.is_empty()) {
        None => Ok(default),
        Some(text) => text
            .parse()
            .ok()
            .filter(|number| *number <= max)
            .ok_or(())
            .map_err(|()| Error::field(name, &format!("must be a number between 0 and {max}"))),
    };
    let (limit, offset) = (number("limit", LIMIT, LIMIT_MAX)?, number("offset", 0, OFFSET_MAX)?);
    let mut tx = call.snapshot();
    messages::read(&mut tx, call.user(), &id, call.now()).await?;
    let list = reactions::list(&mut tx, &id, limit, offset).await?;
    page(&call, &id, &list, (None, None)).await
}

/// `POST /messages/{id}/reactions`: those that fit a filter.
pub(crate) async fn query(call: Call, mut sent: Fields) -> Result<Reply> {
    let id = message_id(&call)?;
    let asked = Query::read(&mut sent, &["-created_at"])?;
    let filter = Filter::parse(&asked.filter, REACTIONS)?;
    let mut tx = call.snapshot();
    messages::read(&mut tx, call.user(), &id, call.now()).await?;
    let found = reactions::query(&mut tx, &id, &filter, &asked.sort, asked.cursor.as_ref(), asked.limit).await?;
    page(&call, &id, &found.rows, (asked.place(found.next), asked.place(found.prev))).await
}

async fn page(call: &Call, id: &MessageId, list: &[Reacted], ends: (Option<String>, Option<String>)) -> Result<Reply> {
    let users: Vec<UserId> = list.iter().map(|reacted| reacted.user.clone()).collect();
    let people = People::load(&mut call.snapshot(), &users).await?;
    let frame = Frame { dialect: call.dialect, people: &people, now: call.now(), shows_deleted: false };
    let reactions = list.iter().map(|reacted| frame.reaction_to(id.as_str(), reacted)).collect();
    call.answer(&Reactions { reactions, next: ends.0, prev: ends.1 })
}
