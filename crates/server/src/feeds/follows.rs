//! Following, unfollowing, and who follows whom (feeds-v1 §5.4, §5.5, §5.7).

use bytes::Bytes;
use domain::feeds::follows::{self, COPY_LIMIT, COPY_LIMIT_MAX, Draft, Part, Relation};
use ids::FeedId;
use serde_json::Value;
use wire::feeds::follows::{Count, Follow, FollowOne, Stats, StatsResults, UnfollowOne};

use crate::{
    error::{Error, Result},
    from_wire,
    gate::Call,
    reply::Reply,
    to_wire,
};

/// The most follows of one call.
const FOLLOWS_MAX: usize = 2500;
/// The most rows of one page of a list, and how many when nothing is asked.
const LIMIT_MAX: usize = 100;
const LIMIT: usize = 25;
/// How far a list can be paged.
const OFFSET_MAX: usize = 4000;
/// The most feeds that a list can be filtered by.
const FILTER_MAX: usize = 500;

/// `POST feed/{group}/{id}/follows/`.
pub(crate) async fn add(call: Call, body: Bytes) -> Result<Reply> {
    let feed = call.feed();
    call.check_own(feed)?;
    let sent: Follow = from_wire::body(&body)?;
    let copy_limit = match &sent.activity_copy_limit {
        Some(limit) => copy_limit(limit)?,
        None => copy_limit_of_query(&call)?,
    };
    let target = sent.target.as_ref().and_then(Value::as_str);
    let target = target.ok_or_else(|| Error::field("target", "this field is required"))?;
    let draft = Draft { feed: feed.clone(), target: from_wire::feed("target", target)?, copy_limit };
    let now = call.now();
    call.tenant.app.write(async |tx| follows::add(tx, &draft, now).await).await?;
    Ok(Reply::empty(201))
}

fn copy_limit(value: &Value) -> Result<usize> {
    let number = value.as_u64().or_else(|| value.as_str()?.parse().ok());
    match number.and_then(|number| usize::try_from(number).ok()) {
        Some(number) if number <= COPY_LIMIT_MAX => Ok(number),
        _ => Err(Error::input(format!(
            "activity_copy_limit must be a non-negative number not greater than {COPY_LIMIT_MAX}"
        ))),
    }
}

fn copy_limit_of_query(call: &Call) -> Result<usize> {
    call.query.get("activity_copy_limit").map_or(Ok(COPY_LIMIT), |text| copy_limit(&Value::from(text)))
}

/// `DELETE feed/{group}/{id}/follows/{target}/`.
pub(crate) async fn remove(call: Call) -> Result<Reply> {
    let (app, feed) = (&call.tenant.app, call.feed());
    call.check_own(feed)?;
    let target = from_wire::feed("target", call.param("target"))?;
    let keeps_history = call.query.flag("keep_history")?;
    app.check_groups([feed.group(), target.group()])?;
    app.write(async |tx| follows::remove(tx, feed, &target, keeps_history).await).await?;
    Ok(Reply::empty(200))
}

/// `GET feed/{group}/{id}/follows/`: whom the feed follows.
pub(crate) async fn following(call: Call) -> Result<Reply> {
    let feed = call.feed();
    let (part, filter) = list_query(&call)?;
    let relations = match filter.is_empty() {
        true => follows::following(&mut call.tenant.app.snapshot(), feed, part).await?,
        false => among(&call, filter.into_iter().map(|target| (feed.clone(), target)).collect(), part).await?,
    };
    Ok(Reply::ok(&to_wire::relations(&relations)))
}

/// `GET feed/{group}/{id}/followers/`: who follows the feed.
pub(crate) async fn followers(call: Call) -> Result<Reply> {
    let feed = call.feed();
    let (part, filter) = list_query(&call)?;
    let relations = match filter.is_empty() {
        true => follows::followers(&mut call.tenant.app.snapshot(), feed, part).await?,
        false => among(&call, filter.into_iter().map(|follower| (follower, feed.clone())).collect(), part).await?,
    };
    Ok(Reply::ok(&to_wire::relations(&relations)))
}

/// Which page is wanted, and of which feeds.
fn list_query(call: &Call) -> Result<(Part, Vec<FeedId>)> {
    let (query, feed) = (&call.query, call.feed());
    call.check_own(feed)?;
    let limit = query.number("limit", LIMIT, 0..=LIMIT_MAX)?;
    let offset = query.number("offset", 0, 0..=usize::MAX)?;
    if offset > OFFSET_MAX {
        return Err(Error::field("offset", format!("must be at most {OFFSET_MAX}")));
    }
    let filter = from_wire::feeds("filter", query.list("filter"))?;
    from_wire::check_count("filter", filter.len(), FILTER_MAX)?;
    call.tenant.app.group(feed.group())?;
    Ok((Part { limit, offset }, filter))
}

async fn among(call: &Call, pairs: Vec<(FeedId, FeedId)>, part: Part) -> Result<Vec<Relation>> {
    let relations = follows::among(&mut call.tenant.app.snapshot(), &pairs).await?;
    Ok(relations.into_iter().skip(part.offset).take(part.limit).collect())
}

/// `POST follow_many/`.
pub(crate) async fn add_many(call: Call, body: Bytes) -> Result<Reply> {
    let default = copy_limit_of_query(&call)?;
    let sent: Vec<FollowOne> = from_wire::batch(&body)?;
    from_wire::check_count("follows", sent.len(), FOLLOWS_MAX)?;
    let draft = |one: &FollowOne| {
        let copy_limit = one.activity_copy_limit.as_ref().map_or(Ok(default), copy_limit)?;
        let (feed, target) = (from_wire::feed("source", &one.source)?, from_wire::feed("target", &one.target)?);
        Ok(Draft { feed, target, copy_limit })
    };
    let drafts: Vec<Draft> = sent.iter().map(draft).collect::<Result<_>>()?;
    let app = &call.tenant.app;
    app.check_groups(drafts.iter().flat_map(|draft| [draft.feed.group(), draft.target.group()]))?;
    // Each a microsecond later, so that lists show them in an order that stays.
    let now = call.now();
    let items: Vec<_> = drafts.into_iter().zip(0_i64..).map(|(draft, at)| (draft, now.plus_micros(at))).collect();
    app.write_each(&items, async |tx, (draft, now)| follows::add(tx, draft, *now).await).await?;
    Ok(Reply::empty(201))
}

/// `POST unfollow_many/`.
pub(crate) async fn remove_many(call: Call, body: Bytes) -> Result<Reply> {
    let sent: Vec<UnfollowOne> = from_wire::batch(&body)?;
    from_wire::check_count("unfollows", sent.len(), FOLLOWS_MAX)?;
    let read = |one: &UnfollowOne| {
        let (feed, target) = (from_wire::feed("source", &one.source)?, from_wire::feed("target", &one.target)?);
        Ok((feed, target, one.keep_history.unwrap_or(false)))
    };
    let items: Vec<(FeedId, FeedId, bool)> = sent.iter().map(read).collect::<Result<_>>()?;
    let app = &call.tenant.app;
    app.check_groups(items.iter().flat_map(|(feed, target, _)| [feed.group(), target.group()]))?;
    let removed = app.write_each(&items, async |tx, (feed, target, keeps_history)| {
        follows::remove(tx, feed, target, *keeps_history).await
    });
    removed.await?;
    Ok(Reply::empty(200))
}

/// `GET stats/follow/`: how many follow a feed, and how many it follows.
pub(crate) async fn stats(call: Call) -> Result<Reply> {
    let (app, query) = (&call.tenant.app, &call.query);
    let asked = |name| query.get(name).map(|text| from_wire::feed(name, text)).transpose();
    let (followers_of, following_of) = (asked("followers")?, asked("following")?);
    if followers_of.is_none() && following_of.is_none() {
        return Err(Error::input("name a feed by `followers`, by `following`, or by both"));
    }
    for feed in followers_of.iter().chain(&following_of) {
        call.check_covers(feed)?;
        app.group(feed.group())?;
    }
    let groups = |name| query.list(name).into_iter().map(str::to_owned).collect::<Vec<_>>();
    let (of_followers, of_followed) = (groups("followers_slugs"), groups("following_slugs"));
    let mut tx = app.snapshot();
    let followers = match &followers_of {
        Some(feed) => Some(follows::count_followers(&mut tx, feed, &of_followers).await?),
        None => None,
    };
    let following = match &following_of {
        Some(feed) => Some(follows::count_following(&mut tx, feed, &of_followed).await?),
        None => None,
    };
    let counted = |feed: &'_ Option<FeedId>, count: Option<i64>| feed.as_ref().map(FeedId::to_string).zip(count);
    let (followers, following) = (counted(&followers_of, followers), counted(&following_of, following));
    let results = StatsResults { followers: shown(&followers), following: shown(&following) };
    Ok(Reply::ok(&Stats { results }))
}

fn shown(counted: &Option<(String, i64)>) -> Option<Count<'_>> {
    counted.as_ref().map(|(feed, count)| Count { feed, count: *count })
}
