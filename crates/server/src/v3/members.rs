//! `/feed_groups/{group}/feeds/{feed}/members` (feeds-v3 §3.9).

use domain::{
    Tx,
    users::{self, People},
    v3::{
        feeds::{self, Feed},
        levels,
        members::{self, Member, Status, query::SCHEMA},
        permit,
        show::{self, ShownMember},
    },
};
use ids::{Fid, Timestamp, UserId, json::Object};
use wire::v3::members::{Changed, Members, OneMember};

use super::{
    read::{self, Actor, BATCH_MAX, Query},
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

/// A member as a caller asks for one; what is absent stays as it is.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    /// Who.
    pub(super) user: UserId,
    is_invited: bool,
    role: Option<String>,
    custom: Option<Object>,
    level: Option<String>,
}

impl Asked {
    /// What is known of the member, or of a new one, with what is asked.
    ///
    /// # Errors
    /// [`domain::Error::Unfit`] when there is no such membership level.
    pub(super) async fn apply(&self, tx: &mut Tx, known: Option<Member>, now: Timestamp) -> domain::Result<Member> {
        if let Some(level) = &self.level {
            levels::check(tx, level).await?;
        }
        let was_member = known.as_ref().is_some_and(|member| member.status == Status::Member);
        let mut member = known.unwrap_or_else(|| Member::new(now));
        member.role = self.role.clone().unwrap_or(member.role);
        member.level = self.level.clone().or(member.level);
        member.custom = self.custom.as_ref().map_or(member.custom, Object::to_string);
        // Who is a member already is not asked again; who once did not want to is, or is taken in.
        if self.is_invited && !was_member {
            member.status = Status::Pending;
        } else if member.status == Status::Rejected {
            member.status = Status::Member;
        }
        member.updated_at = now;
        Ok(member)
    }
}

/// A member in a body. A user's token gives neither roles nor levels.
pub(super) fn asked(call: &Call, mut sent: Fields) -> Result<Asked> {
    let user = sent.user("user_id")?.ok_or_else(|| Error::field("user_id", "is a required field"))?;
    let is_invited = sent.flag("invite")?.unwrap_or_default();
    let (role, level) = (sent.filled("role")?, sent.filled("membership_level")?);
    for (name, given) in [("role", &role), ("membership_level", &level)] {
        if given.is_some() {
            super::activities::for_servers(call, name)?;
        }
    }
    let custom = read::object(&mut sent, "custom")?;
    if custom.as_ref().is_some_and(|custom| custom.to_string().len() > feeds::CUSTOM_BYTES_MAX) {
        return Err(Error::field("custom", &format!("has at most {} bytes", feeds::CUSTOM_BYTES_MAX)));
    }
    Ok(Asked { user, is_invited, role, custom, level })
}

/// What becomes of the members.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Operation {
    Upsert,
    Remove,
    Set,
}

/// Who came, who changed, who went.
#[derive(Default)]
struct Outcome {
    added: Vec<(UserId, Member)>,
    updated: Vec<(UserId, Member)>,
    removed: Vec<UserId>,
}

/// `PATCH …/members`.
pub(super) async fn change(call: Call, mut sent: Fields) -> Result<Reply> {
    let fid = read::path(&call)?;
    let operation = match sent.filled("operation")?.as_deref() {
        Some("upsert") => Operation::Upsert,
        Some("remove") => Operation::Remove,
        Some("set") => Operation::Set,
        _ => return Err(Error::field("operation", "must be one of [upsert remove set]")),
    };
    let items = sent.objects("members")?.unwrap_or_default();
    if items.len() > BATCH_MAX {
        return Err(Error::field("members", &format!("must hold at most {BATCH_MAX} members")));
    }
    let asked: Vec<Asked> = items.into_iter().map(|item| asked(&call, item)).collect::<Result<_>>()?;
    let page = read::Place::read(&mut sent)?;
    if page.next.is_some() || page.prev.is_some() {
        return Err(Error::field("next", "is answered by no change of members: it tells all that changed"));
    }
    let (by, now) = (call.user().cloned(), call.moment());
    let outcome = call.tenant.app.write(async |tx| {
        let feed = feeds::load(tx, &fid).await?;
        permit::may(tx, &fid, &feed, by.as_ref(), "update-feed-members").await?;
        apply(tx, (&fid, &feed), operation, &asked, by.as_ref(), now).await
    });
    let Outcome { added, updated, removed } = outcome.await?;
    let (mut tx, mut people) = (call.snapshot(), People::default());
    let added = show::members(&mut tx, added, &mut people).await?;
    let updated = show::members(&mut tx, updated, &mut people).await?;
    call.note_online(&mut people);
    let pen = Pen { people: &people, now: call.now() };
    call.answer(&Changed {
        added: added.iter().map(|member| pen.member(member)).collect(),
        updated: updated.iter().map(|member| pen.member(member)).collect(),
        removed_ids: removed.iter().map(UserId::as_str).collect(),
    })
}

async fn apply(
    tx: &mut Tx,
    (fid, feed): (&Fid, &Feed),
    operation: Operation,
    asked: &[Asked],
    by: Option<&UserId>,
    now: Timestamp,
) -> domain::Result<Outcome> {
    let mut outcome = Outcome::default();
    let going: Vec<UserId> = match operation {
        Operation::Upsert => Vec::new(),
        Operation::Remove => asked.iter().map(|asked| asked.user.clone()).collect(),
        Operation::Set => {
            let all = members::list(tx, &feed.stream, members::LOOKED_AT_MAX).await?;
            let stays = |user: &UserId| asked.iter().any(|asked| asked.user == *user);
            all.into_iter().map(|(user, _)| user).filter(|user| !stays(user)).collect()
        }
    };
    for user in going {
        if members::leave(tx, fid, feed, &user, by, now).await? {
            outcome.removed.push(user);
        }
    }
    if operation == Operation::Remove {
        return Ok(outcome);
    }
    for asked in asked {
        users::ensure(tx, &asked.user, now).await?;
        let known = members::get(tx, &feed.stream, &asked.user).await?;
        let is_new = known.is_none();
        let member = asked.apply(tx, known, now).await?;
        members::store(tx, fid, feed, (&asked.user, &member), is_new, by, now).await?;
        let list = if is_new { &mut outcome.added } else { &mut outcome.updated };
        list.push((asked.user.clone(), member));
    }
    Ok(outcome)
}

/// `POST …/members/accept`: the acting user accepts an invitation.
pub(super) async fn accept(call: Call, sent: Fields) -> Result<Reply> {
    reply_to_invitation(call, sent, true).await
}

/// `POST …/members/reject`: the acting user does not.
pub(super) async fn reject(call: Call, sent: Fields) -> Result<Reply> {
    reply_to_invitation(call, sent, false).await
}

async fn reply_to_invitation(call: Call, mut sent: Fields, accepts: bool) -> Result<Reply> {
    let fid = read::path(&call)?;
    let (actor, now) = (Actor::some(&call, &mut sent)?, call.moment());
    let user = actor.id.clone();
    let answered = call.tenant.app.write(async |tx| {
        actor.store(tx, now).await?;
        let feed = feeds::load(tx, &fid).await?;
        members::answer(tx, &fid, &feed, &user, accepts, now).await
    });
    let member = answered.await?;
    answer(&call, vec![(user, member)], |pen, shown| call.answer(&OneMember { member: pen.member(&shown[0]) })).await
}

/// `POST …/members/query`.
pub(super) async fn query(call: Call, mut sent: Fields) -> Result<Reply> {
    let fid = read::path(&call)?;
    let Query { filter, sort, cursor, limit, question } = Query::read(&mut sent, SCHEMA)?;
    let mut tx = call.snapshot();
    let feed = feeds::load(&mut tx, &fid).await?;
    permit::may_query(&mut tx, &fid, &feed, call.user(), "query-feed-members").await?;
    let page = members::query::query(&mut tx, &feed.stream, (&filter, &sort), cursor.as_ref(), limit).await?;
    drop(tx);
    let pager = read::pager(question, &page);
    let found = page.rows.into_iter().map(|row| (row.user, row.member)).collect();
    answer(&call, found, |pen, shown| {
        call.answer(&Members { members: shown.iter().map(|member| pen.member(member)).collect(), pager })
    })
    .await
}

async fn answer(
    call: &Call,
    found: Vec<(UserId, Member)>,
    answer: impl FnOnce(Pen<'_>, &[ShownMember]) -> Result<Reply>,
) -> Result<Reply> {
    let mut people = People::default();
    let shown = show::members(&mut call.snapshot(), found, &mut people).await?;
    call.note_online(&mut people);
    answer(Pen { people: &people, now: call.now() }, &shown)
}
