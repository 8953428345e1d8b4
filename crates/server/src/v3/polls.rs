//! Votes in the polls of activities: `/activities/{id}/polls/{poll}/vote` (feeds-v3 §3.10).

use domain::{
    polls::{self as engine, Ballot, Done},
    users::People,
    v3::polls,
};
use ids::UserId;
use wire::chat::polls::Voted;

use super::{read::Actor, show::Pen};
use crate::{
    chat::{
        error::{Error, Result},
        fields::Fields,
        gate::Call,
    },
    reply::Reply,
};

/// `POST /activities/{id}/polls/{poll}/vote`: votes, or answers.
pub(super) async fn cast(call: Call, mut sent: Fields) -> Result<Reply> {
    let actor = Actor::some(&call, &mut sent)?;
    let mut vote = sent.object("vote")?.ok_or_else(|| Error::field("vote", "is a required field"))?;
    let ballot = match (vote.filled("option_id")?, vote.filled("answer_text")?) {
        (Some(option), None) => Ballot::Option(option),
        (None, Some(text)) => Ballot::Answer(text),
        _ => return Err(Error::field("vote", "must have either option_id or answer_text")),
    };
    let place = (call.param("id"), call.param("poll"));
    let (by, id, now) = (call.user(), call.new_id(), call.moment());
    let run = call.tenant.app.write(async |tx| {
        actor.store(tx, now).await?;
        polls::cast(tx, by, &actor.id, place, (&id, &ballot), now).await
    });
    let done = run.await?;
    voted(&call, done, &actor.id).await
}

/// `DELETE /activities/{id}/polls/{poll}/vote/{vote}`: takes a vote back.
pub(super) async fn take_back(call: Call, mut sent: Fields) -> Result<Reply> {
    let user = Actor::find(&call, &mut sent)?.map(|actor| actor.id);
    let (place, vote) = ((call.param("id"), call.param("poll")), call.param("vote"));
    let (by, now) = (call.user(), call.moment());
    let run = call.tenant.app.write(async |tx| polls::take_back(tx, by, user.as_ref(), place, vote, now).await);
    let done = run.await?;
    let voter = done.cast.vote.user.clone();
    voted(&call, done, &voter).await
}

async fn voted(call: &Call, done: Done, viewer: &UserId) -> Result<Reply> {
    let (mut tx, mut people) = (call.snapshot(), People::default());
    let shown = engine::show(&mut tx, call.param("poll"), done.poll, Some(viewer)).await?;
    people.add(&mut tx, shown.named().chain([&done.cast.vote.user])).await?;
    call.note_online(&mut people);
    let frame = Pen { people: &people, now: call.now() }.frame();
    call.answer(&Voted { poll: frame.poll(&shown), vote: frame.vote(&shown, &done.cast) })
}
