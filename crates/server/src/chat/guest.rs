//! `/guest`: users who bring no token (chat §2.4, §11.7).

use domain::users::{self, People, Profile};
use ids::UserId;
use wire::chat::{error::Code, users::Guest};

use super::{
    error::{Error, Result},
    fields::Fields,
    gate::Call,
    to_wire,
    users::profile,
};
use crate::reply::Reply;

/// The role of guests.
const ROLE: &str = "guest";

/// `POST /guest`: makes a user with a fresh id that ends in the one that was asked for, and a token of it.
pub(crate) async fn create(call: Call, mut sent: Fields) -> Result<Reply> {
    let settings = &call.tenant.app.settings;
    if settings.is_on("guest_user_creation_disabled") || settings.rules().has_teams {
        return Err(Error::new(Code::NotAllowed, "guests are not enabled in this app"));
    }
    let user = sent.object("user")?.ok_or_else(|| Error::field("user", "is a required field"))?;
    let (asked, profile) = profile(user)?;
    let id = UserId::parse(&format!("guest-{}-{asked}", call.new_id()));
    let id = id.map_err(|_| Error::field("user.id", "is too long for a guest"))?;
    let (profile, now) =
        (Profile { role: Some(ROLE.to_owned()), teams: None, teams_role: None, ..profile }, call.now());
    let user = call.app.write(async |tx| users::upsert(tx, &id, &profile, now).await).await?;
    let people = People::from_iter([(id.clone(), user)]);
    let user = to_wire::users::embedded(call.dialect, &people, &id, now).expect("it was put in");
    call.answer(&Guest { user, access_token: call.tenant.token(Some(id.as_str()), None) })
}
