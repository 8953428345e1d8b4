//! `POST /feed_groups/{group}/feeds/{feed}`: makes the feed if there is none, and reads a page of it (feeds-v3 §3.2).

use domain::{
    Tx,
    feeds::activities::Moment,
    users::People,
    v3::{
        feeds::{self, Feed, Input, Visibility},
        follows::query::newest,
        groups::{self, Group},
        marks::{self, Marks},
        members, permit, pins,
        recipes::Recipe,
        show::{self, Shown, ShownEdge, ShownFeed},
        timelines::{Place, Wanted},
        views,
    },
};
use ids::{Fid, UserId};
use wire::v3::{Pager, feeds::Read};

use super::{
    super::{
        members as requests, pins as shown_pins,
        read::{self, Actor, LIMIT_MAX},
        show::Pen,
    },
    asked::{Asked, Friends, Options, Slice},
    gathered::{Page, Reading},
};
use crate::{
    chat::{error::Result, fields::Fields, gate::Call},
    reply::Reply,
};

/// The members in a feed that is to be made.
pub(super) fn members(call: &Call, sent: &mut Fields) -> Result<Vec<requests::Asked>> {
    let items = sent.objects("members")?.unwrap_or_default();
    items.into_iter().map(|item| requests::asked(call, item)).collect()
}

/// The feed, made with its members if there is none; whether it was made.
pub(super) async fn ensure(
    tx: &mut Tx,
    fid: &Fid,
    owner: Option<&UserId>,
    input: &Input,
    asked: &[requests::Asked],
    moment: Moment,
) -> domain::Result<(Feed, bool)> {
    let (feed, is_new) = feeds::ensure(tx, fid, owner, input, moment.seed, moment.now).await?;
    if is_new {
        for member in asked {
            domain::users::ensure(tx, &member.user, moment.now).await?;
            let made = member.apply(tx, None, moment.now).await?;
            members::put(tx, &feed.stream, &member.user, &made).await?;
        }
    }
    Ok((feed, is_new))
}

/// `POST /feed_groups/{group}/feeds/{feed}`.
pub(in crate::v3) async fn get_or_create(call: Call, mut sent: Fields) -> Result<Reply> {
    let fid = read::path(&call)?;
    let asked = Asked::read(&call, &mut sent)?;
    let actor = Actor::find(&call, &mut sent)?;
    let (input, wanted) = match sent.object("data")? {
        Some(mut data) => (super::input(&mut data)?, members(&call, &mut data)?),
        None => (Input::default(), Vec::new()),
    };
    let mut tx = call.snapshot();
    let group = groups::load(&mut tx, fid.group()).await?;
    let known = feeds::get(&mut tx, &fid).await?;
    drop(tx);
    // What is refused makes no feed.
    let group = match &asked.view {
        Some(name) => views::load(&mut call.snapshot(), name).await?.over(&group),
        None => group,
    };
    let recipe = Recipe::of(&group, call.now())?;
    asked.check()?;
    let (feed, created) = match known {
        Some(feed) => (feed, false),
        None => {
            let visibility = input.visibility.unwrap_or_else(|| group.visibility());
            make(&call, &fid, actor.as_ref(), (&input, visibility), &wanted).await?
        }
    };
    if let Some(name) = &asked.view {
        note_used(&call, name).await?;
    }
    let viewer = actor.map(|actor| actor.id);
    answer(&call, (fid, feed, created), (&group, &recipe), &asked, viewer.as_ref()).await
}

async fn make(
    call: &Call,
    fid: &Fid,
    actor: Option<&Actor>,
    (input, visibility): (&Input, Visibility),
    wanted: &[requests::Asked],
) -> Result<(Feed, bool)> {
    let (by, moment) = (call.user().cloned(), read::moment(call));
    let made = call.tenant.app.write(async |tx| {
        permit::may_create(tx, fid, visibility, by.as_ref()).await?;
        if let Some(actor) = actor {
            actor.store(tx, moment.now).await?;
        }
        ensure(tx, fid, actor.map(|actor| &actor.id), input, wanted, moment).await
    });
    Ok(made.await?)
}

async fn answer(
    call: &Call,
    (fid, feed, created): (Fid, Feed, bool),
    (group, recipe): (&Group, &Recipe),
    asked: &Asked,
    viewer: Option<&UserId>,
) -> Result<Reply> {
    let (mut tx, mut people) = (call.snapshot(), People::default());
    permit::may_read(&mut tx, &fid, &feed, call.user()).await?;
    asked.watching.watch(call, [&fid].into_iter());
    let mut page = match asked.options.skips_activities {
        true => Page::default(),
        false => read_page(call, &mut tx, &feed, (group, recipe), asked, viewer).await?,
    };
    let pager = std::mem::take(&mut page.pager);
    let origins = origins(&mut tx, &page, (&fid, &feed), asked.options, &mut people).await?;
    let found = page.picked.iter().map(|one| (one.found.id, one.found.activity.clone())).collect();
    let mut shown: Vec<Shown> = show::activities(&mut tx, found, viewer, &mut people).await?;
    if let (Some(Friends { is_mutual, limit }), Some(viewer)) = (asked.friends, viewer) {
        show::add_friends(&mut tx, &mut shown, (viewer, is_mutual), limit, &mut people).await?;
    }
    for (one, origin) in shown.iter_mut().zip(origins) {
        one.current_feed = origin.map(Box::new);
    }
    let Options { skips_followers, skips_following, .. } = asked.options;
    let followers = edges(&mut tx, &feed, true, asked.followers, skips_followers, &mut people).await?;
    let following = edges(&mut tx, &feed, false, asked.following, skips_following, &mut people).await?;
    let pinned = match asked.options.skips_pins {
        true => Vec::new(),
        false => {
            let pinned = pins::list(&mut tx, &feed.stream).await?;
            shown_pins::load(&mut tx, pinned, viewer, &mut people).await?
        }
    };
    let (listed, member_pagination) = listed(&mut tx, &feed, asked.members, &mut people).await?;
    let Options { skips_own_follows, skips_own_capabilities, shows_own_followings, parts, .. } = asked.options;
    let viewer = viewer.filter(|_| !(skips_own_follows && skips_own_capabilities));
    let shown_feed = super::load(&mut tx, fid, feed, viewer, &mut people).await?;
    call.note_online(&mut people);
    let pen = Pen { people: &people, now: call.now() };
    let shows_variables = asked.options.shows_variables;
    let write = || {
        let written = shown.iter().zip(&page.picked);
        written
            .map(|(shown, one)| page.note(one, shows_variables, parts.leave_out(pen.activity(shown))))
            .collect::<Vec<_>>()
    };
    let (activities, aggregated_activities) = match recipe.grouping.is_some() {
        false => (write(), Vec::new()),
        true if asked.options.shows_flat => (write(), page.groups(pen, write())),
        true => (Vec::new(), page.groups(pen, write())),
    };
    let mut feed = pen.feed(&shown_feed);
    let own = &mut feed.own;
    own.own_follows = own.own_follows.take().filter(|_| !skips_own_follows);
    own.own_capabilities = own.own_capabilities.take().filter(|_| !skips_own_capabilities);
    own.own_followings = own.own_followings.take().filter(|_| shows_own_followings);
    call.answer(&Read {
        created,
        feed,
        activities,
        aggregated_activities,
        notification_status: page.status(pen),
        pinned_activities: shown_pins::wire(pen, &shown_feed.fid, &pinned),
        followers: followers.0.iter().map(|edge| pen.follow(edge)).collect(),
        following: following.0.iter().map(|edge| pen.follow(edge)).collect(),
        members: listed.iter().map(|member| pen.member(member)).collect(),
        followers_pagination: followers.1,
        following_pagination: following.1,
        member_pagination,
        pager,
    })
}

async fn read_page(
    call: &Call,
    tx: &mut Tx,
    feed: &Feed,
    (group, recipe): (&Group, &Recipe),
    asked: &Asked,
    viewer: Option<&UserId>,
) -> Result<Page> {
    let keeps = recipe.tracks.anything() || recipe.drops_watched;
    let reader = viewer.or(feed.created_by.as_ref());
    let marks = match reader.filter(|_| keeps) {
        Some(reader) => marks::load(tx, reader, &feed.stream).await?,
        None => Marks::default(),
    };
    let wanted = Wanted {
        limit: asked.place.limit.min(LIMIT_MAX),
        place: Place::First,
        filter: &asked.filter,
        viewer: call.user(),
        without: feed.created_by.as_ref().filter(|_| group.excludes_owner == Some(true)),
        now: call.now(),
    };
    Reading { call, feed, recipe, asked, marks, reader }.page(tx, wanted).await
}

/// Notes that the view was used.
async fn note_used(call: &Call, view: &str) -> Result<()> {
    let (used, now) = (views::used_at(&mut call.snapshot(), view).await?, call.moment());
    if views::is_news(used, now) {
        let touched = call.tenant.app.write(async |tx| {
            views::touch(tx, view, now);
            Ok(())
        });
        touched.await?;
    }
    Ok(())
}

/// The feed that brought each activity of the page: the first of those that hold it, if it does not stand in the feed
/// that is read.
async fn origins(
    tx: &mut Tx,
    page: &Page,
    (fid, feed): (&Fid, &Feed),
    options: Options,
    people: &mut People,
) -> Result<Vec<Option<ShownFeed>>> {
    let mut origins = Vec::with_capacity(page.picked.len());
    let mut known: Vec<(ids::FeedId, Option<ShownFeed>)> = Vec::new();
    for one in &page.picked {
        let stream = one.found.origin.as_ref().unwrap_or(&feed.stream);
        if options.skips_current_feed {
            origins.push(None);
            continue;
        }
        if let Some((_, shown)) = known.iter().find(|(other, _)| other == stream) {
            origins.push(shown.clone());
            continue;
        }
        let of = if *stream == feed.stream { Some(fid.clone()) } else { feeds::of_stream(tx, stream).await? };
        let shown = match of {
            Some(fid) => match feeds::get(tx, &fid).await? {
                Some(feed) => Some(show::feed(tx, fid, feed, people).await?),
                None => None,
            },
            None => None,
        };
        known.push((stream.clone(), shown.clone()));
        origins.push(shown);
    }
    Ok(origins)
}

async fn edges(
    tx: &mut Tx,
    feed: &Feed,
    is_of_it: bool,
    slice: Option<Slice>,
    is_skipped: bool,
    people: &mut People,
) -> Result<(Vec<ShownEdge>, Option<Pager>)> {
    if slice.is_none() && is_skipped {
        return Ok((Vec::new(), None));
    }
    let slice = slice.unwrap_or(Slice::FIRST);
    let (found, has_more) = newest(tx, &feed.stream, is_of_it, slice.limit, slice.offset).await?;
    Ok((show::edges(tx, found, people).await?, Some(slice.pager(has_more))))
}

async fn listed(
    tx: &mut Tx,
    feed: &Feed,
    slice: Option<Slice>,
    people: &mut People,
) -> Result<(Vec<show::ShownMember>, Option<Pager>)> {
    let slice = slice.unwrap_or(Slice::FIRST);
    let all = members::list(tx, &feed.stream, members::LOOKED_AT_MAX).await?;
    let has_more = all.len() > slice.offset + slice.limit;
    let part = all.into_iter().skip(slice.offset).take(slice.limit).collect();
    Ok((show::members(tx, part, people).await?, Some(slice.pager(has_more))))
}
