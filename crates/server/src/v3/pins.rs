//! Pinned activities: `…/activities/{activity}/pin` and `…/pinned_activities/query` (feeds-v3 §3.3).

use domain::{
    Tx,
    users::People,
    v3::{
        feeds, permit,
        pins::{self, Pin, Pinned, SCHEMA},
        show::{self, Shown},
    },
};
use ids::{Fid, UserId};
use wire::v3::activities::{Pin as WirePin, Pinned as WirePinned, Pins, Unpinned};

use super::{
    own::OwnFields,
    read::{self, Actor, Query},
    show::Pen,
};
use crate::{
    chat::{error::Result, fields::Fields, gate::Call},
    reply::Reply,
};

/// `POST …/activities/{activity}/pin`.
pub(super) async fn add(call: Call, mut sent: Fields) -> Result<Reply> {
    let (fid, actor) = (read::path(&call)?, Actor::some(&call, &mut sent)?);
    let own = OwnFields::read(&call, &mut sent, Some(&actor.id))?;
    let (id, by, now) = (call.param("activity"), call.user().cloned(), call.moment());
    let pinned = call.tenant.app.write(async |tx| {
        actor.store(tx, now).await?;
        pins::add(tx, by.as_ref(), &fid, id, &actor.id, now).await
    });
    let pinned = pinned.await?;
    answer(&call, vec![pinned], Some(&actor.id), &own, |pen, shown| {
        let (activity, pin) = &shown[0];
        call.answer(&WirePinned {
            feed: fid.as_str(),
            user_id: actor.id.as_str(),
            created_at: pen.time(pin.created_at),
            activity: pen.activity(activity),
        })
    })
    .await
}

/// `DELETE …/activities/{activity}/pin`.
pub(super) async fn remove(call: Call, mut sent: Fields) -> Result<Reply> {
    let (fid, actor) = (read::path(&call)?, Actor::some(&call, &mut sent)?);
    let own = OwnFields::read(&call, &mut sent, Some(&actor.id))?;
    let (id, by, now) = (call.param("activity"), call.user().cloned(), call.moment());
    let app = &call.tenant.app;
    let unpinned = app.write(async |tx| pins::remove(tx, by.as_ref(), &fid, id, &actor.id, now).await).await?;
    answer(&call, vec![unpinned], Some(&actor.id), &own, |pen, shown| {
        let activity = pen.activity(&shown[0].0);
        call.answer(&Unpinned { feed: fid.as_str(), user_id: actor.id.as_str(), activity })
    })
    .await
}

/// `POST …/pinned_activities/query`.
pub(super) async fn query(call: Call, mut sent: Fields) -> Result<Reply> {
    let fid = read::path(&call)?;
    let own = OwnFields::of_caller(&call, &mut sent)?;
    let Query { filter, sort, cursor, limit, question } = Query::read(&mut sent, SCHEMA)?;
    let mut tx = call.snapshot();
    let feed = feeds::load(&mut tx, &fid).await?;
    permit::may_read(&mut tx, &fid, &feed, call.user()).await?;
    let page = pins::query(&mut tx, &feed.stream, (&filter, &sort), cursor.as_ref(), limit).await?;
    drop(tx);
    let pager = read::pager(question, &page);
    answer(&call, page.rows, call.user(), &own, |pen, shown| {
        call.answer(&Pins { pinned_activities: wire(pen, &fid, shown), pager })
    })
    .await
}

/// Pins as answers list them.
pub(super) fn wire<'a>(pen: Pen<'a>, fid: &'a Fid, shown: &'a [(Shown, Pin)]) -> Vec<WirePin<'a>> {
    let one = |(activity, pin): &'a (Shown, Pin)| WirePin {
        feed: fid.as_str(),
        activity: pen.activity(activity),
        user: pen.user(pin.by.as_ref()),
        created_at: pen.time(pin.created_at),
        updated_at: pen.time(pin.updated_at),
    };
    shown.iter().map(one).collect()
}

/// Loads what stands around pinned activities.
pub(super) async fn load(
    tx: &mut Tx,
    pinned: Vec<Pinned>,
    viewer: Option<&UserId>,
    people: &mut People,
) -> domain::Result<Vec<(Shown, Pin)>> {
    let by: Vec<UserId> = pinned.iter().filter_map(|pinned| pinned.pin.by.clone()).collect();
    people.add(tx, &by).await?;
    let pins: Vec<Pin> = pinned.iter().map(|pinned| pinned.pin.clone()).collect();
    let found = pinned.into_iter().map(|pinned| (pinned.id, pinned.activity)).collect();
    Ok(show::activities(tx, found, viewer, people).await?.into_iter().zip(pins).collect())
}

async fn answer(
    call: &Call,
    pinned: Vec<Pinned>,
    viewer: Option<&UserId>,
    own: &OwnFields,
    answer: impl FnOnce(Pen<'_>, &[(Shown, Pin)]) -> Result<Reply>,
) -> Result<Reply> {
    let (mut tx, mut people) = (call.snapshot(), People::default());
    let mut shown = load(&mut tx, pinned, viewer, &mut people).await?;
    let activities = shown.iter_mut().map(|(activity, _)| activity).collect();
    own.add_to_current(&mut tx, activities, &mut people).await?;
    call.note_online(&mut people);
    answer(Pen { people: &people, now: call.now() }, &shown)
}
