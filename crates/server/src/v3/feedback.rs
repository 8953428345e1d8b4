//! `POST /activities/{id}/feedback`: what a user says of an activity to whoever ranks (feeds-v3 §3.3).

use domain::{
    moderation::flags::{self, Entity, Report},
    users::mutes,
    v3::{
        activities,
        feedback::{self, Change},
    },
};
use ids::json::Object;
use wire::v3::activities::Feedback;

use super::read::Actor;
use crate::{
    chat::{error::Result, fields::Fields, gate::Call},
    reply::Reply,
};

/// What moderation calls an activity.
const ACTIVITY: &str = "stream:feeds:v3:activity";

/// `POST /activities/{id}/feedback`. `report` with a `reason` reports the activity, `mute_user` mutes its author.
pub(super) async fn give(call: Call, mut sent: Fields) -> Result<Reply> {
    let actor = Actor::some(&call, &mut sent)?;
    let change =
        Change { hide: sent.flag("hide")?, show_more: sent.flag("show_more")?, show_less: sent.flag("show_less")? };
    let (reports, mutes_author) = (sent.flag("report")? == Some(true), sent.flag("mute_user")? == Some(true));
    let reason = sent.text("reason")?.unwrap_or_default();
    let (id, by, now, item) = (call.param("id"), call.user(), call.moment(), call.new_id());
    let run = call.tenant.app.write(async |tx| {
        actor.store(tx, now).await?;
        feedback::give(tx, by, id, &actor.id, change, now).await?;
        let (_, activity) = activities::load(tx, id).await?;
        if reports {
            let (custom, payload) = (Object::default(), Object::default());
            let report = Report { reason: reason.clone(), custom, creator: activity.user.clone(), payload };
            flags::add(tx, &actor.id, &Entity::new(ACTIVITY, id)?, &report, &item, now).await?;
        }
        if let Some(author) = activity.user.filter(|_| mutes_author) {
            mutes::add(tx, &actor.id, &[author], None, now).await?;
        }
        Ok(())
    });
    run.await?;
    call.answer(&Feedback { activity_id: id })
}
