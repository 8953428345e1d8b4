//! `/users/block` and `/users/unblock` (chat §11.7).

use domain::users::{self, People, blocks};
use wire::chat::{
    dialect::Time,
    users::{Block, Blocked, Blocks},
};

use super::{
    error::{Error, Result},
    fields::Fields,
    gate::Call,
    to_wire,
};
use crate::reply::Reply;

/// `POST /users/block`: hides the conversation with another user.
pub(crate) async fn add(call: Call, mut sent: Fields) -> Result<Reply> {
    let (other, user, now) = (other(&mut sent)?, call.some_actor(&mut sent)?, call.now());
    let at = call.app.write(async |tx| blocks::add(tx, &user, &other, now).await).await?;
    call.answer(&Blocked {
        blocked_by_user_id: user.as_str(),
        blocked_user_id: other.as_str(),
        created_at: Time { at, dialect: call.dialect },
    })
}

/// `POST /users/unblock`: shows it again.
pub(crate) async fn remove(call: Call, mut sent: Fields) -> Result<Reply> {
    let (other, user) = (other(&mut sent)?, call.some_actor(&mut sent)?);
    call.app.write(async |tx| blocks::remove(tx, &user, &other).await).await?;
    call.done()
}

/// `GET /users/block`: whom the user blocks.
pub(crate) async fn list(call: Call, mut sent: Fields) -> Result<Reply> {
    let user = call.some_actor(&mut sent)?;
    let mut tx = call.snapshot();
    let blocked = users::load(&mut tx, &user).await?.blocked;
    let people = People::load(&mut tx, blocked.iter().map(|block| &block.user).chain([&user])).await?;
    let embedded = |id| to_wire::users::embedded(call.dialect, &people, id, call.now());
    let shown = blocked.iter().map(|block| Block {
        user_id: user.as_str(),
        user: embedded(&user),
        blocked_user_id: block.user.as_str(),
        blocked_user: embedded(&block.user),
        created_at: Time { at: block.created_at, dialect: call.dialect },
    });
    call.answer(&Blocks { blocks: shown.collect() })
}

fn other(sent: &mut Fields) -> Result<ids::UserId> {
    sent.user("blocked_user_id")?.ok_or_else(|| Error::field("blocked_user_id", "is a required field"))
}
