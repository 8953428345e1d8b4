//! Votes and answers in polls (chat §6.14, §11.6).

use domain::{
    filter::Filter,
    polls::{self, Ballot, Done, VOTE_FIELDS},
    users::People,
};
use ids::UserId;
use wire::chat::polls::{Voted, Votes};

use super::{frame, look};
use crate::{
    chat::{
        error::{Error, Result},
        fields::Fields,
        gate::Call,
        messages::{Query, message_id},
    },
    reply::Reply,
};

/// `POST /messages/{id}/polls/{poll}/vote`: votes, or answers.
pub(crate) async fn cast(call: Call, mut sent: Fields) -> Result<Reply> {
    let (message, poll, now) = (message_id(&call)?, call.param("poll").to_owned(), call.moment());
    let user = call.some_actor(&mut sent)?;
    let mut vote = sent.object("vote")?.ok_or_else(|| Error::field("vote", "is a required field"))?;
    let ballot = match (vote.filled("option_id")?, vote.filled("answer_text")?) {
        (Some(option), None) => Ballot::Option(option),
        (None, Some(text)) => Ballot::Answer(text),
        _ => return Err(Error::field("vote", "must have either option_id or answer_text")),
    };
    let (caller, id) = (call.user().cloned(), call.new_id());
    let run = call
        .app
        .write(async |tx| polls::cast(tx, caller.as_ref(), &user, (&message, &poll), (&id, &ballot), now).await);
    let done = run.await?;
    voted(&call, &poll, done, Some(&user)).await
}

/// `DELETE /messages/{id}/polls/{poll}/vote/{vote}`: takes a vote back.
pub(crate) async fn take_back(call: Call, _: Fields) -> Result<Reply> {
    let (message, poll, now) = (message_id(&call)?, call.param("poll").to_owned(), call.moment());
    let user = call.actor(&mut call.query_fields()?)?;
    let (caller, vote) = (call.user().cloned(), call.param("vote").to_owned());
    let run = call
        .app
        .write(async |tx| polls::take_back(tx, caller.as_ref(), user.as_ref(), (&message, &poll), &vote, now).await);
    let done = run.await?;
    let voter = done.cast.vote.user.clone();
    voted(&call, &poll, done, Some(&voter)).await
}

async fn voted(call: &Call, id: &str, done: Done, viewer: Option<&UserId>) -> Result<Reply> {
    let (mut people, mut tx) = (People::default(), call.snapshot());
    let shown = look(&mut tx, id, done.poll, viewer, &mut people).await?;
    people.add(&mut tx, [&done.cast.vote.user]).await?;
    let frame = frame(call, &people);
    call.answer(&Voted { poll: frame.poll(&shown), vote: frame.vote(&shown, &done.cast) })
}

/// `POST /polls/{poll}/votes`: a page of votes.
pub(crate) async fn query(call: Call, mut sent: Fields) -> Result<Reply> {
    let viewer = call.actor(&mut sent)?;
    let asked = Query::read(&mut sent, &["-created_at"])?;
    let filter = Filter::parse(&asked.filter, VOTE_FIELDS)?;
    let (mut tx, id) = (call.snapshot(), call.param("poll"));
    let (who, what) = ((call.user(), viewer.as_ref()), (&filter, &asked.sort));
    let part = (asked.cursor.as_ref(), asked.limit);
    let (poll, page) = polls::query_votes(&mut tx, who, id, what, part, call.now()).await?;
    let mut people = People::default();
    let shown = look(&mut tx, id, poll, viewer.as_ref(), &mut people).await?;
    people.add(&mut tx, page.rows.iter().map(|cast| &cast.vote.user)).await?;
    let frame = frame(&call, &people);
    let votes = page.rows.iter().map(|cast| frame.vote(&shown, cast)).collect();
    call.answer(&Votes { votes, next: asked.place(page.next), prev: asked.place(page.prev) })
}
