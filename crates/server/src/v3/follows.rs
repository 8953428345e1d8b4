//! `/follows` and `/unfollow` (feeds-v3 §3.8).

use domain::{
    Error as Broken,
    feeds::activities::Moment,
    users::{self, People},
    v3::{
        feeds,
        follows::{self, COPY_LIMIT_MAX, Draft, Edge, Patch, Status, query::SCHEMA},
        notifications, permit,
        show::{self, ShownEdge},
    },
};
use ids::{Fid, UserId};
use wire::{
    chat::error::Code,
    v3::{
        Pager,
        follows::{Follow, Follows, OneFollow},
    },
};

use super::{
    activities::for_servers,
    notices::Noting,
    own::OwnFields,
    read::{self, Query},
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

/// A follow in a body.
fn draft(call: &Call, sent: &mut Fields) -> Result<Draft> {
    let (source, target) = ends(sent)?;
    let copy_limit = copy_limit(sent)?;
    Ok(Draft {
        source,
        target,
        copy_limit,
        pushes_all: pushes(sent)?,
        status: status(call, sent)?,
        custom: read::object(sent, "custom")?,
    })
}

fn copy_limit(sent: &mut Fields) -> Result<Option<usize>> {
    let Some(limit) = sent.number("activity_copy_limit")? else { return Ok(None) };
    let rule = || Error::field("activity_copy_limit", &format!("must be between 0 and {COPY_LIMIT_MAX}"));
    let limit = usize::try_from(limit).ok().filter(|limit| *limit <= COPY_LIMIT_MAX);
    limit.map(Some).ok_or_else(rule)
}

fn ends(sent: &mut Fields) -> Result<(Fid, Fid)> {
    Ok((read::some_fid(sent, "source")?, read::some_fid(sent, "target")?))
}

fn pushes(sent: &mut Fields) -> Result<Option<bool>> {
    match sent.filled("push_preference")?.as_deref() {
        None => Ok(None),
        Some("all") => Ok(Some(true)),
        Some("none") => Ok(Some(false)),
        Some(_) => Err(Error::field("push_preference", "must be one of [all none]")),
    }
}

fn status(call: &Call, sent: &mut Fields) -> Result<Option<Status>> {
    let Some(name) = sent.filled("status")? else { return Ok(None) };
    for_servers(call, "status")?;
    let known = Status::named(&name);
    known.map(Some).ok_or_else(|| Error::field("status", "must be one of [accepted pending rejected]"))
}

/// Makes the users whose ids the feeds have, if the app's own server asks for it.
struct Making(bool);

impl Making {
    fn read(call: &Call, sent: &mut Fields) -> Result<Self> {
        Ok(Making(sent.flag("create_users")?.unwrap_or_default() && call.is_server()))
    }

    async fn users(&self, tx: &mut domain::Tx, draft: &Draft, now: ids::Timestamp) -> domain::Result<()> {
        for fid in [&draft.source, &draft.target].into_iter().filter(|_| self.0) {
            if let Ok(user) = UserId::parse(fid.id())
                && feeds::get(tx, fid).await?.is_none()
            {
                users::ensure(tx, &user, now).await?;
            }
        }
        Ok(())
    }
}

/// `POST /follows`: following twice is an error.
pub(super) async fn add(call: Call, mut sent: Fields) -> Result<Reply> {
    let own = OwnFields::of_caller(&call, &mut sent)?;
    let (added, told) = start(&call, &mut sent, true).await?;
    one(&call, Some(added.edge), &own, Outcome { told, ..Outcome::default() }).await
}

/// `POST /follows/upsert`: follows, if it does not already.
pub(super) async fn ensure(call: Call, mut sent: Fields) -> Result<Reply> {
    let own = OwnFields::of_caller(&call, &mut sent)?;
    let (added, told) = start(&call, &mut sent, false).await?;
    one(&call, Some(added.edge), &own, Outcome { created: Some(added.is_new), deleted: None, told }).await
}

async fn start(call: &Call, sent: &mut Fields, must_be_new: bool) -> Result<(follows::Added, Option<bool>)> {
    let (making, noting) = (Making::read(call, sent)?, Noting::read(sent)?);
    let draft = draft(call, sent)?;
    let (by, moment) = (call.user().cloned(), read::moment(call));
    let added = call.tenant.app.write(async |tx| {
        making.users(tx, &draft, moment.now).await?;
        let added = follows::add(tx, by.as_ref(), &draft, moment).await?;
        match must_be_new && !added.is_new {
            true => Err(Broken::Taken(format!("feed '{}' already follows '{}'", draft.source, draft.target))),
            false => {
                let told = tell(tx, &added, noting, moment).await?;
                Ok((added, told))
            }
        }
    });
    Ok(added.await?)
}

/// Notifies of a new follow if that is wanted: whether somebody was told.
async fn tell(
    tx: &mut domain::Tx,
    added: &follows::Added,
    noting: Noting,
    moment: Moment,
) -> domain::Result<Option<bool>> {
    match (noting.is_wanted, added.is_new) {
        (false, _) => Ok(None),
        (true, false) => Ok(Some(false)),
        (true, true) => notifications::follow(tx, &added.edge, noting.copies, false, moment).await.map(Some),
    }
}

/// What came of a call, beside the follow.
#[derive(Clone, Copy, Default)]
struct Outcome {
    created: Option<bool>,
    deleted: Option<bool>,
    told: Option<bool>,
}

/// `POST /follows/batch` and `POST /follows/batch/upsert`: several at once, all or none.
pub(super) async fn add_many(call: Call, mut sent: Fields) -> Result<Reply> {
    let making = Making::read(&call, &mut sent)?;
    let own = OwnFields::of_caller(&call, &mut sent)?;
    let mut drafts = Vec::new();
    for mut item in read::batch(&mut sent, "follows")? {
        if let Some(name) = ["create_users", "enrich_own_fields"].into_iter().find(|name| item.has(name)) {
            return Err(Error::field("follows", &format!("take {name} beside the list, not in an item")));
        }
        drafts.push((draft(&call, &mut item)?, Noting::read(&mut item)?, read::moment(&call)));
    }
    let by = call.user().cloned();
    let added = call.tenant.app.write_each(&drafts, async |tx, (draft, noting, moment)| {
        making.users(tx, draft, moment.now).await?;
        let added = follows::add(tx, by.as_ref(), draft, *moment).await?;
        tell(tx, &added, *noting, *moment).await?;
        Ok(added)
    });
    let added = added.await?;
    let is_new: Vec<bool> = added.iter().map(|added| added.is_new).collect();
    let edges = added.into_iter().map(|added| added.edge).collect();
    answer(&call, edges, &own, |pen, shown| {
        let all: Vec<Follow<'_>> = shown.iter().map(|edge| pen.follow(edge)).collect();
        let created = all.iter().zip(&is_new).filter(|(_, is_new)| **is_new).map(|(follow, _)| follow.clone());
        call.answer(&Follows { created: Some(created.collect()), follows: all, pager: Pager::default() })
    })
    .await
}

/// `PATCH /follows`.
pub(super) async fn update(call: Call, mut sent: Fields) -> Result<Reply> {
    let (source, target) = ends(&mut sent)?;
    let noting = Noting::read(&mut sent)?;
    let own = OwnFields::of_caller(&call, &mut sent)?;
    let patch = Patch {
        copy_limit: copy_limit(&mut sent)?,
        pushes_all: pushes(&mut sent)?,
        status: status(&call, &mut sent)?,
        role: role(&call, &mut sent)?,
        custom: read::object(&mut sent, "custom")?,
    };
    let (by, moment) = (call.user().cloned(), read::moment(&call));
    let run = call.tenant.app.write(async |tx| {
        let edge = follows::patch(tx, by.as_ref(), (&source, &target), &patch, moment.now).await?;
        if noting.is_wanted {
            notifications::follow(tx, &edge, noting.copies, true, moment).await?;
        }
        Ok(edge)
    });
    let edge = run.await?;
    one(&call, Some(edge), &own, Outcome::default()).await
}

fn role(call: &Call, sent: &mut Fields) -> Result<Option<String>> {
    let role = sent.filled("follower_role")?;
    if role.is_some() {
        for_servers(call, "follower_role")?;
    }
    Ok(role)
}

/// `POST /follows/accept`.
pub(super) async fn accept(call: Call, mut sent: Fields) -> Result<Reply> {
    let (source, target) = ends(&mut sent)?;
    let role = role(&call, &mut sent)?;
    let (by, now) = (call.user().cloned(), call.moment());
    let accepted = call
        .tenant
        .app
        .write(async |tx| follows::accept(tx, by.as_ref(), (&source, &target), role.as_deref(), now).await);
    let edge = accepted.await?;
    one(&call, Some(edge), &OwnFields::default(), Outcome::default()).await
}

/// `POST /follows/reject`.
pub(super) async fn reject(call: Call, mut sent: Fields) -> Result<Reply> {
    let (source, target) = ends(&mut sent)?;
    let (by, now) = (call.user().cloned(), call.moment());
    let app = &call.tenant.app;
    let edge = app.write(async |tx| follows::reject(tx, by.as_ref(), (&source, &target), now).await).await?;
    one(&call, Some(edge), &OwnFields::default(), Outcome::default()).await
}

/// `DELETE /follows/{source}/{target}`.
pub(super) async fn remove(call: Call, mut sent: Fields) -> Result<Reply> {
    let own = OwnFields::of_caller(&call, &mut sent)?;
    let (source, target) = (read::fid("source", call.param("source"))?, read::fid("target", call.param("target"))?);
    let (keeps_history, takes_back) = (call.flag("keep_history")?, call.flag("delete_notification_activity")?);
    let ended = end(&call, vec![Pair { source, target, keeps_history }], (true, takes_back)).await?;
    one(&call, ended.into_iter().next(), &own, Outcome::default()).await
}

/// `POST /unfollow/upsert`: ends a follow, if there is one.
pub(super) async fn ensure_none(call: Call, mut sent: Fields) -> Result<Reply> {
    let own = OwnFields::of_caller(&call, &mut sent)?;
    let (pair, takes_back) = (pair(&mut sent)?, takes_back(&mut sent)?);
    let ended = end(&call, vec![pair], (false, takes_back)).await?.into_iter().next();
    let deleted = Some(ended.is_some());
    one(&call, ended, &own, Outcome { deleted, ..Outcome::default() }).await
}

/// `POST /unfollow/batch`: ends several, all or none.
pub(super) async fn remove_many(call: Call, mut sent: Fields) -> Result<Reply> {
    end_many(&call, &mut sent, true).await
}

/// `POST /unfollow/batch/upsert`: ends those that are there.
pub(super) async fn ensure_none_of_many(call: Call, mut sent: Fields) -> Result<Reply> {
    end_many(&call, &mut sent, false).await
}

struct Pair {
    source: Fid,
    target: Fid,
    keeps_history: bool,
}

fn pair(sent: &mut Fields) -> Result<Pair> {
    let (source, target) = ends(sent)?;
    Ok(Pair { source, target, keeps_history: sent.flag("keep_history")?.unwrap_or_default() })
}

async fn end_many(call: &Call, sent: &mut Fields, must_be_there: bool) -> Result<Reply> {
    let own = OwnFields::of_caller(call, sent)?;
    let takes_back = takes_back(sent)?;
    let pairs = read::batch(sent, "follows")?.into_iter().map(|mut item| pair(&mut item)).collect::<Result<_>>()?;
    let ended = end(call, pairs, (must_be_there, takes_back)).await?;
    answer(call, ended, &own, |pen, shown| {
        let follows = shown.iter().map(|edge| pen.follow(edge)).collect();
        call.answer(&Follows { created: None, follows, pager: Pager::default() })
    })
    .await
}

fn takes_back(sent: &mut Fields) -> Result<bool> {
    Ok(sent.flag("delete_notification_activity")?.unwrap_or_default())
}

async fn end(call: &Call, pairs: Vec<Pair>, (must_be_there, takes_back): (bool, bool)) -> Result<Vec<Edge>> {
    let (by, now) = (call.user().cloned(), call.moment());
    let ended = call.tenant.app.write_each(&pairs, async |tx, pair| {
        let ends = (&pair.source, &pair.target);
        match follows::remove(tx, by.as_ref(), ends, pair.keeps_history, now).await? {
            None if must_be_there => Err(follows::absent(&pair.source, &pair.target)),
            Some(edge) if takes_back => {
                notifications::forget_follow(tx, &edge, now).await?;
                Ok(Some(edge))
            }
            ended => Ok(ended),
        }
    });
    Ok(ended.await?.into_iter().flatten().collect())
}

/// `POST /follows/query`. A user's token sees the follows of feeds that the user may read.
pub(super) async fn query(call: Call, mut sent: Fields) -> Result<Reply> {
    let Query { filter, sort, cursor, limit, question } = Query::read(&mut sent, SCHEMA)?;
    if let Some(user) = call.user() {
        let named: Vec<&str> =
            ["source_feed", "target_feed"].iter().filter_map(|name| filter.only(name)).flatten().collect();
        if named.is_empty() {
            let rule = "a user's token queries the follows of a source_feed or a target_feed";
            return Err(Error::new(Code::NotAllowed, rule));
        }
        let mut tx = call.snapshot();
        for fid in named.into_iter().filter_map(|fid| Fid::parse(fid).ok()) {
            if let Some(feed) = feeds::get(&mut tx, &fid).await? {
                permit::may_query(&mut tx, &fid, &feed, Some(user), "query-follows").await?;
            }
        }
    }
    let page = follows::query::query(&mut call.snapshot(), &filter, &sort, cursor.as_ref(), limit).await?;
    let pager = read::pager(question, &page);
    let edges = page.rows.into_iter().map(|row| row.edge).collect();
    answer(&call, edges, &OwnFields::default(), |pen, shown| {
        let follows = shown.iter().map(|edge| pen.follow(edge)).collect();
        call.answer(&Follows { created: None, follows, pager })
    })
    .await
}

async fn one(
    call: &Call,
    edge: Option<Edge>,
    own: &OwnFields,
    Outcome { created, deleted, told }: Outcome,
) -> Result<Reply> {
    answer(call, edge.into_iter().collect(), own, |pen, shown| {
        let follow = shown.first().map(|edge| pen.follow(edge));
        call.answer(&OneFollow { created, deleted, follow, notification_created: told })
    })
    .await
}

async fn answer(
    call: &Call,
    edges: Vec<Edge>,
    own: &OwnFields,
    answer: impl FnOnce(Pen<'_>, &[ShownEdge]) -> Result<Reply>,
) -> Result<Reply> {
    let (mut tx, mut people) = (call.snapshot(), People::default());
    let mut shown = show::edges(&mut tx, edges, &mut people).await?;
    own.add_to_ends(&mut tx, &mut shown, &mut people).await?;
    call.note_online(&mut people);
    answer(Pen { people: &people, now: call.now() }, &shown)
}
