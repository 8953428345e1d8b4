//! `/moderation/mute` and `/moderation/unmute` (chat §11.8; v2 §6.1).

use domain::{
    Tx,
    users::{self, mutes},
};
use ids::UserId;
use wire::chat::moderation::{Muted, Unmuted};

use super::{Cast, check_app, expires};
use crate::{
    chat::{
        error::{Error, Result},
        fields::Fields,
        gate::Call,
        to_wire,
    },
    reply::Reply,
};

/// The most users of one call.
const TARGETS_MAX: usize = 100;

/// `POST /moderation/mute`: a user wants to hear of others no more.
pub(crate) async fn add(call: Call, mut sent: Fields) -> Result<Reply> {
    check_app(&call, "mute-user")?;
    let (user, targets, now) = (call.some_actor(&mut sent)?, targets(&mut sent)?, call.now());
    let expires = expires(&mut sent, now)?;
    let body = async |tx: &mut Tx| mutes::add(tx, &user, &targets, expires, now).await;
    let (made, missing) = call.app.write(body).await?;
    let own = users::own::load(&mut call.snapshot(), &user, now).await?;
    let named = made.iter().map(|(target, _)| target).chain(own.named()).chain([&user]);
    let cast = Cast::load(&call, named.collect()).await?;
    let shown = |(target, mute)| to_wire::users::mute(call.dialect, &cast.people, &user, target, mute, now);
    let all = || made.iter().map(|(target, mute)| shown((target, mute)));
    let own_user = cast.people.get(&user);
    call.answer(&Muted {
        mute: all().next().filter(|_| made.len() == 1),
        mutes: all().collect(),
        non_existing_users: missing.iter().map(UserId::as_str).collect(),
        own_user: own_user.map(|person| to_wire::users::own(call.dialect, &cast.people, person, &own, now)),
    })
}

/// `POST /moderation/unmute`: the user wants to hear of them again.
pub(crate) async fn remove(call: Call, mut sent: Fields) -> Result<Reply> {
    check_app(&call, "mute-user")?;
    let (user, targets, now) = (call.some_actor(&mut sent)?, targets(&mut sent)?, call.now());
    let missing = call.app.write(async |tx: &mut Tx| mutes::remove(tx, &user, &targets, now).await).await?;
    call.answer(&Unmuted { non_existing_users: missing.iter().map(UserId::as_str).collect() })
}

/// The users in `target_ids` and `target_id`, each once.
fn targets(sent: &mut Fields) -> Result<Vec<UserId>> {
    let mut targets = sent.users("target_ids")?.unwrap_or_default();
    targets.extend(sent.user("target_id")?);
    targets.sort();
    targets.dedup();
    match targets.len() {
        1..=TARGETS_MAX => Ok(targets),
        _ => Err(Error::field("target_ids", &format!("must hold 1 to {TARGETS_MAX} ids"))),
    }
}
