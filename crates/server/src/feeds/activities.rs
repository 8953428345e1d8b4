//! Adding, changing, removing and getting activities (feeds-v1 §5.2, §5.3, §5.6, §5.9).

use bytes::Bytes;
use domain::{
    Tx,
    feeds::{
        activities::{self, Draft, Moment, Reference},
        audit::{self, Action},
        policy,
    },
};
use ids::{ActivityId, FeedId, Timestamp, UserId};
use wire::feeds::activities::AddToMany;

use super::{extra::Extra, records::Records};
use crate::{
    auth,
    error::{Error, Result},
    from_wire::{self, ACTIVITIES_MAX},
    gate::Call,
    reply::Reply,
    to_wire,
};

use Action::{Created, Deleted, Updated};

/// The most feeds of one `add_to_many`.
const FEEDS_MAX: usize = 5000;
/// Feeds of `add_to_many` that are one item of a batch.
const FEEDS_AT_ONCE: usize = 100;

/// `POST feed/{group}/{id}/`: adds one activity, or several.
pub(crate) async fn add(call: Call, body: Bytes) -> Result<Reply> {
    let (app, feed) = (&call.tenant.app, call.feed());
    call.check(policy::may_add, feed)?;
    let (drafts, is_list) = from_wire::drafts(&body)?;
    check_user(&call, &drafts)?;
    app.check_groups(drafts.iter().flat_map(|draft| &draft.to).chain([feed]).map(FeedId::group))?;
    let drafts = moments(&call, drafts);
    let user = call.user();
    let added = app.write_each(&drafts, async |tx, (draft, moment)| {
        let added = activities::add(tx, feed, draft, *moment).await?;
        note(tx, added.0, Created, user, Some(&draft.actor), moment.now);
        Ok(added)
    });
    let added: Vec<String> = added.await?.iter().map(|(id, activity)| to_wire::activity(*id, activity)).collect();
    Ok(activities_or_one(added, is_list))
}

/// What a user may say: only for himself or herself, and only to feeds that are open to it.
fn check_user(call: &Call, drafts: &[Draft]) -> Result<()> {
    let Some(user) = call.user() else { return Ok(()) };
    for draft in drafts {
        if !policy::is_own_actor(user, &draft.actor) {
            return Err(auth::against_policy());
        }
        for target in &draft.to {
            call.check(policy::may_add, target)?;
        }
    }
    Ok(())
}

fn moments(call: &Call, drafts: Vec<Draft>) -> Vec<(Draft, Moment)> {
    let moment = call.moment();
    drafts.into_iter().enumerate().map(|(at, draft)| (draft, moment.nth(at))).collect()
}

/// Notes what was done to an activity: by the token's user, else by its actor, if that is a user.
fn note(tx: &mut Tx, id: ActivityId, action: Action, user: Option<&UserId>, actor: Option<&str>, now: Timestamp) {
    let actor = actor.and_then(|actor| UserId::parse(actor.strip_prefix("SU:").unwrap_or(actor)).ok());
    audit::note(tx, audit::Kind::Activity, &id.to_string(), action, user.or(actor.as_ref()), now);
}

/// 201 with the activities in a list, or with the only one itself.
fn activities_or_one(mut activities: Vec<String>, is_list: bool) -> Reply {
    let body = if is_list {
        format!(r#"{{"activities":[{}]"#, activities.join(","))
    } else {
        let mut one = activities.pop().expect("one was sent");
        one.pop();
        one
    };
    Reply { status: 201, body }
}

/// `POST feed/add_to_many/`: adds one activity to many feeds, of which no follower hears.
pub(crate) async fn add_to_many(call: Call, body: Bytes) -> Result<Reply> {
    let app = &call.tenant.app;
    let AddToMany { feeds, activity } = from_wire::body(&body)?;
    from_wire::check_count("feeds", feeds.len(), FEEDS_MAX)?;
    let mut feeds = from_wire::feeds("feeds", feeds.iter().map(String::as_str))?;
    if feeds.is_empty() {
        return Err(Error::field("feeds", "must not be empty"));
    }
    let draft = from_wire::draft(activity.get())?;
    if !draft.to.is_empty() {
        return Err(Error::field("to", "is not possible with add_to_many"));
    }
    app.check_groups(feeds.iter().map(FeedId::group))?;
    feeds.sort();
    feeds.dedup();
    let moment = call.moment();
    let items: Vec<Vec<FeedId>> = feeds.chunks(FEEDS_AT_ONCE).map(<[_]>::to_vec).collect();
    let added = app.write_each(&items, async |tx, feeds| {
        let id = activities::add_to_many(tx, feeds, &draft, moment).await?;
        note(tx, id, Created, None, Some(&draft.actor), moment.now);
        Ok(())
    });
    added.await?;
    Ok(Reply::empty(201))
}

/// `DELETE feed/{group}/{id}/{activity}/`: removes an activity, or with `foreign_id=1` all with that foreign id.
pub(crate) async fn remove(call: Call) -> Result<Reply> {
    let (app, feed, name) = (&call.tenant.app, call.feed(), call.param("activity"));
    call.check_own(feed)?;
    let is_foreign = call.query.flag("foreign_id")?;
    let ids = if is_foreign { Vec::new() } else { vec![from_wire::activity_id("id", name)?] };
    app.group(feed.group())?;
    let ids = match is_foreign {
        true => activities::with_foreign_id(&mut app.snapshot(), feed, name).await?,
        false => ids,
    };
    let (user, now) = (call.user(), call.now());
    let removed = app.write_each(&ids, async |tx, id| {
        // Of what was not there nothing is told.
        if activities::remove(tx, feed, *id).await? {
            note(tx, *id, Deleted, user, None, now);
        }
        Ok(())
    });
    removed.await?;
    Ok(Reply::ok(&serde_json::json!({ "removed": name })))
}

/// `GET activities/`: activities by id, or by foreign id and time.
pub(crate) async fn get(call: Call) -> Result<Reply> {
    results(&call, false).await
}

/// `GET enrich/activities/`: the same, references replaced.
pub(crate) async fn get_enriched(call: Call) -> Result<Reply> {
    results(&call, true).await
}

async fn results(call: &Call, is_enriched: bool) -> Result<Reply> {
    let references = references(call)?;
    let (mut records, mut found) = (Records::new(call, is_enriched, Extra::of(call)?), Vec::new());
    for reference in &references {
        found.extend(activities::get(records.tx(), reference).await?);
    }
    let mut body = r#"{"results":["#.to_owned();
    for (at, (id, activity)) in found.iter().enumerate() {
        let fragment = records.fragment(*id, activity).await?;
        if at > 0 {
            body.push(',');
        }
        to_wire::with_origin(&mut body, &fragment, None);
    }
    body.push(']');
    Ok(Reply { status: 200, body })
}

/// The activities that the query names, in its order.
fn references(call: &Call) -> Result<Vec<Reference>> {
    let query = &call.query;
    let ids = query.list("ids");
    let (foreign_ids, times) = (query.list("foreign_ids"), query.list("timestamps"));
    for (name, list) in [("ids", &ids), ("foreign_ids", &foreign_ids), ("timestamps", &times)] {
        from_wire::check_count(name, list.len(), ACTIVITIES_MAX)?;
    }
    if !ids.is_empty() {
        return ids.into_iter().map(|id| Ok(Reference::Id(from_wire::activity_id("ids", id)?))).collect();
    }
    if foreign_ids.is_empty() || foreign_ids.len() != times.len() {
        return Err(Error::input("send `ids`, or `foreign_ids` and as many `timestamps`"));
    }
    let pairs = foreign_ids.into_iter().zip(times);
    pairs.map(|(id, time)| Ok(Reference::Foreign(id.to_owned(), from_wire::time("timestamps", time)?))).collect()
}

/// `POST activities/`: overwrites what activities say, and makes those that are not there.
pub(crate) async fn update(call: Call, body: Bytes) -> Result<Reply> {
    let app = &call.tenant.app;
    let drafts = from_wire::updates(&body)?;
    app.check_groups(drafts.iter().flat_map(|draft| &draft.to).map(FeedId::group))?;
    let drafts = moments(&call, drafts);
    let updated = app.write_each(&drafts, async |tx, (draft, moment)| {
        let id = activities::create(tx, draft, *moment).await?;
        note(tx, id, Updated, None, Some(&draft.actor), moment.now);
        Ok(())
    });
    updated.await?;
    Ok(Reply::empty(201))
}

/// `POST activity/`: changes some fields of one activity, or of several.
pub(crate) async fn change(call: Call, body: Bytes) -> Result<Reply> {
    let (changes, is_list) = from_wire::changes(&body)?;
    let now = call.now();
    let changed = call.tenant.app.write_each(&changes, async |tx, (reference, change)| {
        let changed = activities::change(tx, reference, change).await?;
        note(tx, changed.0, Updated, None, Some(&changed.1.actor), now);
        Ok(changed)
    });
    let changed: Vec<String> = changed.await?.iter().map(|(id, activity)| to_wire::activity(*id, activity)).collect();
    Ok(activities_or_one(changed, is_list))
}
