//! `GET /activities/{id}/shares` (feeds-v3 §3.3).

use domain::{
    filter::Question,
    users::People,
    v3::{activities, engagement::Share, permit, shares},
};
use ids::ActivityId;
use wire::v3::{Pager, activities::Shares};

use super::{
    read::{Actor, Place},
    show::Pen,
};
use crate::{
    chat::{
        error::{Error, Result},
        fields::Fields,
        gate::Call,
    },
    reply::Reply,
};

/// `GET /activities/{id}/shares`: the newest first. There is no way back to an earlier page.
pub(super) async fn list(call: Call, _: Fields) -> Result<Reply> {
    let mut sent = call.query_fields()?;
    let viewer = Actor::find(&call, &mut sent)?.map(|actor| actor.id);
    let place = Place::read(&mut sent)?;
    if place.prev.is_some() {
        return Err(Error::field("prev", "is answered by no page of shares"));
    }
    let id = call.param("id");
    let question = Question::of(&[id]);
    let rule = |_| Error::field("next", "takes what an earlier page answered");
    let below = match &place.next {
        Some(text) => Some(ActivityId::parse(question.open(text)?).map_err(rule)?),
        None => None,
    };
    let mut tx = call.snapshot();
    let (inner, activity) = activities::load(&mut tx, id).await?;
    permit::may_see(&mut tx, &activity, call.user()).await?;
    let (found, has_more) = shares::list(&mut tx, inner, viewer.as_ref(), below, place.limit).await?;
    let next = found.last().filter(|_| has_more).map(|(id, _)| question.seal(&id.to_string()));
    let shown: Vec<Share> = found.into_iter().map(|(_, activity)| Share::of(activity)).collect();
    let mut people = People::load(&mut tx, shown.iter().filter_map(|share| share.user.as_ref())).await?;
    call.note_online(&mut people);
    let pen = Pen { people: &people, now: call.now() };
    call.answer(&Shares {
        shares: shown.iter().map(|share| pen.share(share)).collect(),
        pager: Pager { next, prev: None },
    })
}
