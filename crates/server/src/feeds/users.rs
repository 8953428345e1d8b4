//! `user/`, `user/{id}/`, `users/` (feeds-v1 §5.12).

use bytes::Bytes;
use domain::{
    Tx,
    feeds::{
        follows,
        users::{self, Profile},
    },
};
use ids::{FeedId, UserId, json::Object};
use wire::{
    error::Code,
    feeds::users::{CreatedUsers, DeletedUsers, User, Users},
};

use crate::{
    error::{Error, Result},
    from_wire::{self, Members, missing},
    gate::Call,
    reply::{Reply, json_object},
    to_wire,
};

/// The most users of one call.
const USERS_MAX: usize = 1000;
/// Whose follows count, and of what: a user's timeline follows users (§4.9).
const FOLLOWER_GROUP: &str = "timeline";
const FOLLOWED_GROUP: &str = "user";

fn created(user: &User) -> Reply {
    Reply { status: 201, body: json_object(user) }
}

fn sent(members: &Members) -> Result<(UserId, String)> {
    let id = members.user("id")?.ok_or_else(|| missing("id"))?;
    Ok((id, data(members)?.unwrap_or_else(|| "{}".to_owned())))
}

fn data(members: &Members) -> Result<Option<String>> {
    Ok(members.object("data")?.map(|data| data.to_string()))
}

fn id(call: &Call) -> Result<UserId> {
    UserId::parse(call.param("id")).map_err(|error| Error::field("id", error.to_string()))
}

/// `POST user/`.
pub(crate) async fn create(call: Call, body: Bytes) -> Result<Reply> {
    let (id, data) = sent(&Members::read(&body)?)?;
    call.check_self(&id)?;
    let (app, now) = (&call.tenant.app, call.now());
    let profile = match call.query.flag("get_or_create")? {
        true => app.write(async |tx| users::ensure(tx, &id, &data, now).await).await?.0,
        false => app.write(async |tx| users::create(tx, &id, &data, now).await).await?,
    };
    Ok(created(&to_wire::user(&id, &profile)))
}

/// `GET user/{id}/`.
pub(crate) async fn get(call: Call) -> Result<Reply> {
    let (id, mut tx) = (id(&call)?, call.tenant.app.snapshot());
    let mut user = to_wire::user(&id, &users::load(&mut tx, &id).await?);
    if call.query.flag("with_follow_counts")? {
        let feed = |group| FeedId::new(group, id.as_str()).ok();
        let (followed, follower) = (feed(FOLLOWED_GROUP), feed(FOLLOWER_GROUP));
        user.followers_count = Some(match followed {
            Some(feed) => follows::count_followers(&mut tx, &feed, &[FOLLOWER_GROUP.to_owned()]).await?,
            None => 0,
        });
        user.following_count = Some(match follower {
            Some(feed) => follows::count_following(&mut tx, &feed, &[FOLLOWED_GROUP.to_owned()]).await?,
            None => 0,
        });
    }
    Ok(Reply::ok(&user))
}

/// `PUT user/{id}/`.
pub(crate) async fn update(call: Call, body: Bytes) -> Result<Reply> {
    let id = id(&call)?;
    call.check_self(&id)?;
    let (data, now) = (data(&Members::read(&body)?)?, call.now());
    let profile = call.tenant.app.write(async |tx| users::update(tx, &id, data.as_deref(), now).await).await?;
    Ok(created(&to_wire::user(&id, &profile)))
}

/// `DELETE user/{id}/`.
pub(crate) async fn remove(call: Call) -> Result<Reply> {
    let id = id(&call)?;
    call.check_self(&id)?;
    match call.tenant.app.write(async |tx| users::remove(tx, &id).await).await? {
        true => Ok(Reply::empty(200)),
        false => Err(Error::new(Code::DoesNotExist, format!("user `{id}` does not exist"))),
    }
}

/// `POST users/`: makes many users; those that are there stay, unless they are to be overridden.
pub(crate) async fn create_many(call: Call, body: Bytes) -> Result<Reply> {
    let members = Members::read(&body)?;
    let list = members.objects("users")?;
    from_wire::check_count("users", list.len(), USERS_MAX)?;
    let list: Vec<(UserId, String)> = list.iter().map(sent).collect::<Result<_>>()?;
    let overrides = members.flag("override")? || members.flag("override_existing")?;
    let now = call.now();
    let done = call.tenant.app.write_each(&list, async |tx, (id, data)| match overrides {
        true => Ok((users::upsert(tx, id, data, now).await?, true)),
        false => users::ensure(tx, id, data, now).await,
    });
    let done = done.await?;
    let made = list.iter().zip(&done).filter(|(_, (_, is_made))| *is_made);
    let created_users = made.map(|((id, _), (profile, _))| to_wire::user(id, profile)).collect();
    Ok(Reply { status: 201, body: json_object(&CreatedUsers { created_users }) })
}

fn ids(call: &Call) -> Result<Vec<UserId>> {
    let ids = call.query.list("ids");
    from_wire::check_count("ids", ids.len(), USERS_MAX)?;
    if ids.is_empty() {
        return Err(missing("ids"));
    }
    ids.into_iter().map(|id| UserId::parse(id).map_err(|error| Error::field("ids", error.to_string()))).collect()
}

/// `GET users/`.
pub(crate) async fn get_many(call: Call) -> Result<Reply> {
    let (ids, mut tx, mut found) = (ids(&call)?, call.tenant.app.snapshot(), Vec::new());
    for id in &ids {
        found.extend(get_one(&mut tx, id).await?.map(|profile| to_wire::user(id, &profile)));
    }
    Ok(Reply::ok(&Users { users: found }))
}

async fn get_one(tx: &mut Tx, id: &UserId) -> Result<Option<Profile>> {
    Ok(users::get(tx, id).await?)
}

/// `DELETE users/`: tells all ids that were sent, whether or not they were there.
pub(crate) async fn remove_many(call: Call) -> Result<Reply> {
    let ids = ids(&call)?;
    call.tenant.app.write_each(&ids, async |tx, id| users::remove(tx, id).await).await?;
    Ok(Reply::ok(&DeletedUsers { deleted_user_ids: ids.iter().map(UserId::as_str).collect() }))
}

impl Members {
    /// The list of objects `name`.
    ///
    /// # Errors
    /// 400 when it is anything else.
    fn objects(&self, name: &str) -> Result<Vec<Members>> {
        let wrong = || Error::field(name, "must be a list of objects");
        let raw = self.object_itself().get(name).ok_or_else(|| missing(name))?;
        let items: Vec<Object> = serde_json::from_str(raw.get()).map_err(|_| wrong())?;
        Ok(items.into_iter().map(Members::new).collect())
    }
}
