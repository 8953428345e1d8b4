//! `/feed_groups/{group}/feeds/{feed}` and `/feeds`: making, reading, changing and deleting feeds (feeds-v3 §3.2).

mod asked;
mod gathered;
mod page;

use domain::{
    Tx, tasks,
    users::People,
    v3::{
        feeds::{
            self, Feed, Input, Visibility,
            delete::{Deletion, mark},
            query::SCHEMA,
            visibility::{Pending, change},
        },
        permit,
        show::{self, ShownFeed},
    },
};
use ids::{Fid, UserId};
use wire::{
    chat::tasks::Started,
    v3::{
        Pager,
        feeds::{Feeds, OneFeed, OwnBatch},
    },
};

pub(super) use page::get_or_create;

use super::{
    activities::for_servers,
    own::OwnFields,
    read::{self, Actor, BATCH_MAX, Query},
    show::Pen,
    watching::Watching,
};
use crate::{
    chat::{
        error::{Error, Result},
        fields::Fields,
        gate::Call,
    },
    reply::Reply,
};

/// What a caller says of a feed.
fn input(sent: &mut Fields) -> Result<Input> {
    let visibility = match sent.filled("visibility")? {
        None => None,
        Some(name) => Some(visibility(&name)?),
    };
    Ok(Input {
        name: sent.text("name")?,
        description: sent.text("description")?,
        visibility,
        filter_tags: sent.texts("filter_tags")?,
        custom: read::object(sent, "custom")?,
        location: read::location(sent)?.map(Some),
        created_by: None,
    })
}

/// The visibility called `name`.
pub(super) fn visibility(name: &str) -> Result<Visibility> {
    let rule = "must be one of [visible public followers members private]";
    Visibility::named(name).ok_or_else(|| Error::field("visibility", rule))
}

/// `PUT /feed_groups/{group}/feeds/{feed}`.
pub(super) async fn update(call: Call, mut sent: Fields) -> Result<Reply> {
    let fid = read::path(&call)?;
    sent.skip(&["visibility"]);
    let mut input = input(&mut sent)?;
    if sent.flag("clear_location")?.unwrap_or_default() {
        input.location = Some(None);
    }
    input.created_by = sent.user("created_by_id")?;
    if input.created_by.is_some() {
        for_servers(&call, "created_by_id")?;
    }
    let own = OwnFields::of_caller(&call, &mut sent)?;
    let (by, now) = (call.user().cloned(), call.moment());
    let updated = call.tenant.app.write(async |tx| {
        let feed = feeds::load(tx, &fid).await?;
        permit::may(tx, &fid, &feed, by.as_ref(), "update-feed").await?;
        feeds::update(tx, &fid, &input, by.as_ref(), now).await
    });
    let feed = updated.await?;
    let answer = |pen: Pen<'_>, shown: &[ShownFeed]| call.answer(&OneFeed { feed: pen.feed(&shown[0]) });
    answer_feeds(&call, vec![(fid, feed)], own.user(), answer).await
}

/// `DELETE /feed_groups/{group}/feeds/{feed}`: hides the feed, and plans the task that clears it away.
pub(super) async fn delete(call: Call, _: Fields) -> Result<Reply> {
    let fid = read::path(&call)?;
    let (is_hard, purges) = (call.flag("hard_delete")?, call.flag("purge_user_activities")?);
    start_deletion(&call, vec![fid], is_hard, purges).await
}

/// `POST /feeds/delete`: the same for several, all or none.
pub(super) async fn delete_many(call: Call, mut sent: Fields) -> Result<Reply> {
    let fids = read::fids(&mut sent, "feeds")?.unwrap_or_default();
    if fids.is_empty() || fids.len() > BATCH_MAX {
        return Err(Error::field("feeds", &format!("must hold 1 to {BATCH_MAX} feeds")));
    }
    let is_hard = sent.flag("hard_delete")?.unwrap_or_default();
    let purges = sent.flag("purge_user_activities")?.unwrap_or_default();
    start_deletion(&call, fids, is_hard, purges).await
}

async fn start_deletion(call: &Call, fids: Vec<Fid>, is_hard: bool, purges: bool) -> Result<Reply> {
    if purges && !is_hard {
        return Err(Error::field("purge_user_activities", "needs hard_delete"));
    }
    if is_hard {
        for_servers(call, "hard_delete")?;
    }
    let (id, by, now) = (call.new_id(), call.user().cloned(), call.now());
    let planned = call.tenant.app.write(async |tx| {
        let mut leaving = Vec::with_capacity(fids.len());
        for fid in &fids {
            let feed = feeds::load(tx, fid).await?;
            permit::may(tx, fid, &feed, by.as_ref(), "delete-feed").await?;
            leaving.push(mark(tx, fid, is_hard, by.as_ref(), now).await?);
        }
        let deletion = Deletion { feeds: leaving, is_hard, purges };
        tasks::plan(tx, &id, tasks::Kind::ClearFeeds(Box::new(deletion)), now);
        Ok(())
    });
    planned.await?;
    call.answer(&Started { task_id: &id })
}

/// `POST …/change_visibility`: follows and members that the new level does not allow go by a task.
pub(super) async fn change_visibility(call: Call, mut sent: Fields) -> Result<Reply> {
    let fid = read::path(&call)?;
    let name = sent.filled("visibility")?.ok_or_else(|| Error::field("visibility", "is a required field"))?;
    let to = visibility(&name)?;
    let pending = match sent.filled("pending_follows_action")?.as_deref() {
        None | Some("auto_approve") => Pending::Accept,
        Some("reject") => Pending::Reject,
        Some(_) => return Err(Error::field("pending_follows_action", "must be one of [auto_approve reject]")),
    };
    let (id, by, now) = (call.new_id(), call.user().cloned(), call.moment());
    let changed = call.tenant.app.write(async |tx| {
        let (feed, fitting) = change(tx, by.as_ref(), &fid, (to, pending), now).await?;
        tasks::plan(tx, &id, tasks::Kind::FitFeed(Box::new(fitting)), now);
        Ok(feed)
    });
    let feed = changed.await?;
    let answer = |pen: Pen<'_>, shown: &[ShownFeed]| call.answer(&OneFeed { feed: pen.feed(&shown[0]) });
    answer_feeds(&call, vec![(fid, feed)], None, answer).await
}

/// `POST /feeds/query`.
pub(super) async fn query(call: Call, mut sent: Fields) -> Result<Reply> {
    let own = OwnFields::of_caller(&call, &mut sent)?;
    let watching = Watching::read(&call, &mut sent)?;
    let Query { filter, sort, cursor, limit, question } = Query::read(&mut sent, SCHEMA)?;
    let (mut tx, by) = (call.snapshot(), call.user());
    let page = feeds::query::query(&mut tx, by, (&filter, &sort), cursor.as_ref(), limit).await?;
    drop(tx);
    let pager = read::pager(question, &page);
    let found: Vec<(Fid, Feed)> = page.rows.into_iter().map(|row| (row.fid, row.feed)).collect();
    watching.watch(&call, found.iter().map(|(fid, _)| fid));
    answer_feeds(&call, found, own.user(), |pen, shown| {
        call.answer(&Feeds { feeds: shown.iter().map(|shown| pen.feed(shown)).collect(), pager })
    })
    .await
}

/// `POST /feeds/batch`: makes feeds that are not there; answers all.
pub(super) async fn add_many(call: Call, mut sent: Fields) -> Result<Reply> {
    let own = OwnFields::of_caller(&call, &mut sent)?;
    let mut wanted = Vec::new();
    for mut item in read::batch(&mut sent, "feeds")? {
        let part =
            |item: &mut Fields, name: &str| item.filled(name)?.ok_or_else(|| Error::field(name, "is a required field"));
        let (group, id) = (part(&mut item, "feed_group_id")?, part(&mut item, "feed_id")?);
        let fid = Fid::new(&group, &id).map_err(|error| Error::field("feeds", &error.to_string()))?;
        let members = page::members(&call, &mut item)?;
        let input = Input { created_by: item.user("created_by_id")?, ..input(&mut item)? };
        wanted.push((fid, input, members, read::moment(&call)));
    }
    let made = call.tenant.app.write_each(&wanted, async |tx, (fid, input, members, moment)| {
        page::ensure(tx, fid, None, input, members, *moment).await
    });
    let made = made.await?.into_iter().map(|(feed, _)| feed);
    let found = wanted.iter().map(|(fid, ..)| fid.clone()).zip(made).collect();
    answer_feeds(&call, found, own.user(), |pen, shown| {
        call.answer(&Feeds { feeds: shown.iter().map(|shown| pen.feed(shown)).collect(), pager: Pager::default() })
    })
    .await
}

/// `POST /feeds/own/batch`: what a user has to do with feeds; those that are not there are left out.
pub(super) async fn own_many(call: Call, mut sent: Fields) -> Result<Reply> {
    let viewer = Actor::some(&call, &mut sent)?.id;
    let fids = read::fids(&mut sent, "feeds")?.unwrap_or_default();
    if fids.is_empty() || fids.len() > BATCH_MAX {
        return Err(Error::field("feeds", &format!("must hold 1 to {BATCH_MAX} feeds")));
    }
    let fields = sent.texts("fields")?.unwrap_or_default();
    const KNOWN: [&str; 4] = ["own_capabilities", "own_followings", "own_follows", "own_membership"];
    if let Some(other) = fields.iter().find(|field| !KNOWN.contains(&field.as_str())) {
        return Err(Error::field("fields", &format!("cannot hold `{other}`")));
    }
    let is_wanted = |name: &str| fields.is_empty() || fields.iter().any(|field| field == name);
    let found = feeds::get_many(&mut call.snapshot(), &fids).await?;
    let found = fids.into_iter().zip(found).filter_map(|(fid, feed)| Some((fid, feed?))).collect();
    answer_feeds(&call, found, Some(&viewer), |pen, shown| {
        let own = |shown| {
            let mut own = pen.feed(shown).own;
            own.own_capabilities = own.own_capabilities.filter(|_| is_wanted("own_capabilities"));
            own.own_followings = own.own_followings.filter(|_| is_wanted("own_followings"));
            own.own_follows = own.own_follows.filter(|_| is_wanted("own_follows"));
            own.own_membership = own.own_membership.filter(|_| is_wanted("own_membership"));
            own
        };
        call.answer(&OwnBatch { data: shown.iter().map(|shown| (shown.fid.as_str(), own(shown))).collect() })
    })
    .await
}

/// Loads what stands around feeds, for `viewer` with what that user has to do with them, and writes an answer with them.
async fn answer_feeds(
    call: &Call,
    found: Vec<(Fid, Feed)>,
    viewer: Option<&UserId>,
    answer: impl FnOnce(Pen<'_>, &[ShownFeed]) -> Result<Reply>,
) -> Result<Reply> {
    let (mut tx, mut people) = (call.snapshot(), People::default());
    let mut shown = Vec::with_capacity(found.len());
    for (fid, feed) in found {
        shown.push(load(&mut tx, fid, feed, viewer, &mut people).await?);
    }
    call.note_online(&mut people);
    answer(Pen { people: &people, now: call.now() }, &shown)
}

async fn load(tx: &mut Tx, fid: Fid, feed: Feed, viewer: Option<&UserId>, people: &mut People) -> Result<ShownFeed> {
    let mut shown = show::feed(tx, fid, feed, people).await?;
    if let Some(viewer) = viewer {
        show::own(tx, &mut shown, viewer, people).await?;
    }
    Ok(shown)
}
