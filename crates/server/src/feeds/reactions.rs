//! `reaction/`, `reaction/{id}/`, `reaction/{by}/{value}/[{kind}/]` (feeds-v1 §5.10).

use bytes::Bytes;
use domain::{
    Tx,
    feeds::{
        activities::{self, Reference},
        audit::{self, Action},
        policy,
        reactions::{
            self, About, Draft, LIMIT, LIMIT_MAX, NAME_BYTES_MAX, Part, Reaction, Shown, TARGET_FEEDS_MAX, Targets, To,
            Wanted,
        },
    },
};
use ids::{FeedId, Timestamp, UserId};
use wire::{
    error::Code,
    feeds::reactions::{Page, Reactions},
};

use super::{extra, records::Records};
use crate::{
    error::{Error, Result},
    from_wire::{self, ACTIVITY_BYTES_MAX, Members, missing},
    gate::Call,
    reply::{Reply, json_object},
    to_wire,
};

/// The most reactions that are got by id at once.
const IDS_MAX: usize = 100;

/// `POST reaction/`.
pub(crate) async fn add(call: Call, body: Bytes) -> Result<Reply> {
    let members = Members::read(&body)?;
    let targets = targets(&call, &members)?;
    let (draft, wanted) = (draft(&call, &members, targets)?, extra::wanted(&call)?);
    let now = call.now();
    let added = call.tenant.app.write(async |tx| {
        let reaction = reactions::add(tx, &draft, now).await?;
        note(tx, &draft.id, &reaction, Action::Created, call.user(), now);
        Ok(reaction)
    });
    let (reaction, mut tx) = (added.await?, call.tenant.app.snapshot());
    let shown = match draft.has_own_id {
        true => reactions::show_new(&mut tx, &draft.id, reaction, &wanted).await?,
        false => reactions::show(&mut tx, &draft.id, reaction, &wanted).await?,
    };
    Ok(reply(201, &shown))
}

fn draft(call: &Call, members: &Members, targets: Targets) -> Result<Draft> {
    let kind = members.text("kind", NAME_BYTES_MAX)?.ok_or_else(|| missing("kind"))?;
    let parent = members.text("parent", NAME_BYTES_MAX)?;
    let activity = match members.value("activity_id") {
        None => None,
        Some(serde_json::Value::String(text)) if text.is_empty() => None,
        Some(serde_json::Value::String(text)) => Some(from_wire::activity_id("activity_id", &text)?),
        Some(_) => return Err(Error::field("activity_id", "must be a text")),
    };
    let to = match (parent, activity) {
        (Some(parent), _) => To::Reaction(parent),
        (None, Some(activity)) => To::Activity(activity),
        (None, None) => return Err(missing("activity_id")),
    };
    let given = members.text("id", NAME_BYTES_MAX)?;
    let has_own_id = given.is_none();
    let id = given.unwrap_or_else(|| call.new_id());
    if id.chars().any(char::is_control) {
        return Err(Error::field("id", "has no control characters"));
    }
    let data = members.object("data")?.unwrap_or_default();
    Ok(Draft { id, has_own_id, kind, to, user: author(call, members)?, data, targets })
}

/// Whose reaction it is: the token's user, or whom the application's own server names.
fn author(call: &Call, members: &Members) -> Result<UserId> {
    let named = members.user("user_id")?;
    match (call.user(), named) {
        (Some(user), Some(named)) if *user != named => Err(Error::field("user_id", "must be the token's own user")),
        (Some(user), _) => Ok(user.clone()),
        (None, named) => named.ok_or_else(|| missing("user_id")),
    }
}

/// Where it is posted to: what the policy lets the caller post to, in groups that are there.
fn targets(call: &Call, members: &Members) -> Result<Targets> {
    let names = members.texts("target_feeds")?;
    from_wire::check_count("target_feeds", names.len(), TARGET_FEEDS_MAX)?;
    let words = names.iter().map(|name| name.split_whitespace().next().unwrap_or_default());
    let mut feeds: Vec<FeedId> = Vec::new();
    for feed in from_wire::feeds("target_feeds", words)? {
        if !feeds.contains(&feed) {
            feeds.push(feed);
        }
    }
    for feed in &feeds {
        call.check(policy::may_add, feed)?;
    }
    call.tenant.app.check_groups(feeds.iter().map(FeedId::group))?;
    let extra = members.object("target_feeds_extra_data")?.unwrap_or_default();
    if extra.to_string().len() > ACTIVITY_BYTES_MAX {
        let words =
            format!("target_feeds_extra_data has at most {ACTIVITY_BYTES_MAX} bytes of JSON, as an activity has");
        return Err(Error::new(Code::TooLarge, words));
    }
    Ok(Targets { feeds, extra: from_wire::custom(extra)? })
}

async fn answer(call: &Call, status: u16, id: &str, reaction: Reaction, wanted: &Wanted) -> Result<Reply> {
    let mut tx = call.tenant.app.snapshot();
    Ok(reply(status, &reactions::show(&mut tx, id, reaction, wanted).await?))
}

fn reply(status: u16, shown: &Shown) -> Reply {
    Reply { status, body: json_object(&to_wire::reaction(shown)) }
}

/// `GET reaction/{id}/`: also one that was softly deleted.
pub(crate) async fn get(call: Call) -> Result<Reply> {
    let (id, wanted, mut tx) = (call.param("id"), extra::wanted(&call)?, call.tenant.app.snapshot());
    let deleted = reactions::get(&mut tx, id).await?.filter(|reaction| reaction.deleted_at.is_some());
    let reaction = match deleted {
        Some(reaction) => reaction,
        None => reactions::load(&mut tx, id).await?,
    };
    answer(&call, 200, id, reaction, &wanted).await
}

/// `GET reaction/get_many/`.
pub(crate) async fn get_many(call: Call) -> Result<Reply> {
    let ids = call.query.list("ids");
    from_wire::check_count("ids", ids.len(), IDS_MAX)?;
    let with_deleted = call.query.flag("include_deleted")?;
    let (wanted, mut tx, mut found) = (extra::wanted(&call)?, call.tenant.app.snapshot(), Vec::new());
    for id in ids {
        let reaction = match with_deleted {
            true => reactions::get(&mut tx, id).await?,
            false => reactions::shown(&mut tx, id).await?,
        };
        let Some(reaction) = reaction else { continue };
        found.push(to_wire::reaction(&reactions::show(&mut tx, id, reaction, &wanted).await?));
    }
    Ok(Reply::ok(&Reactions { reactions: found }))
}

/// `PUT reaction/{id}/`.
pub(crate) async fn update(call: Call, body: Bytes) -> Result<Reply> {
    let (id, members) = (call.param("id"), Members::read(&body)?);
    let (data, targets, now) = (members.object("data")?, targets(&call, &members)?, call.now());
    let wanted = extra::wanted(&call)?;
    let (app, user) = (&call.tenant.app, call.user());
    let updated = app.write(async |tx| {
        let reaction = reactions::update(tx, id, data.as_ref(), &targets, user, now).await?;
        note(tx, id, &reaction, Action::Updated, user, now);
        Ok(reaction)
    });
    answer(&call, 201, id, updated.await?, &wanted).await
}

/// `DELETE reaction/{id}/`: for good, or with `soft` until it is restored.
pub(crate) async fn remove(call: Call) -> Result<Reply> {
    let (id, now, is_soft) = (call.param("id"), call.now(), call.query.flag("soft")?);
    let removed = call.tenant.app.write(async |tx| {
        let reaction = reactions::remove(tx, id, is_soft, call.user(), now).await?;
        note(tx, id, &reaction, Action::Deleted, call.user(), now);
        Ok(())
    });
    removed.await?;
    Ok(Reply::empty(200))
}

/// `PUT reaction/{id}/restore/`.
pub(crate) async fn restore(call: Call) -> Result<Reply> {
    let (id, wanted, now) = (call.param("id"), extra::wanted(&call)?, call.now());
    let restored = call.tenant.app.write(async |tx| {
        let reaction = reactions::restore(tx, id, call.user(), now).await?;
        note(tx, id, &reaction, Action::Updated, call.user(), now);
        Ok(reaction)
    });
    answer(&call, 200, id, restored.await?, &wanted).await
}

/// Notes what was done to a reaction: by the token's user, else by whose it is.
fn note(tx: &mut Tx, id: &str, reaction: &Reaction, action: Action, user: Option<&UserId>, now: Timestamp) {
    audit::note(tx, audit::Kind::Reaction, id, action, user.or(Some(&reaction.user)), now);
}

/// `GET reaction/{by}/{value}/`: a page of reactions to an activity, to a reaction, or of a user.
pub(crate) async fn list(call: Call) -> Result<Reply> {
    answer_list(&call, None).await
}

/// `GET reaction/{by}/{value}/{kind}/`: the same, of one kind.
pub(crate) async fn list_kind(call: Call) -> Result<Reply> {
    answer_list(&call, Some(call.param("kind"))).await
}

async fn answer_list(call: &Call, kind: Option<&str>) -> Result<Reply> {
    let (by, value) = (call.param("id"), call.param("value"));
    let (part, wanted) = (part(call)?, extra::wanted(call)?);
    let mut tx = call.tenant.app.snapshot();
    let page = match about(&mut tx, by, value).await? {
        Some(about) => reactions::list(&mut tx, &about, kind, &part).await?,
        None => reactions::Page::default(),
    };
    let next = next(call, &part, &page, by, value, kind);
    let mut results = Vec::with_capacity(page.reactions.len());
    for (id, reaction) in page.reactions {
        results.push(to_wire::reaction(&reactions::show(&mut tx, &id, reaction, &wanted).await?));
    }
    let activity = match by == "activity_id" && call.query.flag("with_activity_data")? {
        true => activity(call, value).await?,
        false => None,
    };
    let activity = activity.as_deref().map(to_wire::raw);
    Ok(Reply::ok(&Page { results, next, activity }))
}

/// What the list is about; nothing when it is about a reaction that is not there.
async fn about(tx: &mut Tx, by: &str, value: &str) -> Result<Option<About>> {
    match by {
        "activity_id" => Ok(Some(About::Activity(from_wire::activity_id("activity_id", value)?))),
        "reaction_id" => Ok(reactions::shown(tx, value).await?.map(|reaction| About::reaction(value, &reaction))),
        "user_id" => {
            let user = UserId::parse(value).map_err(|error| Error::field("user_id", error.to_string()))?;
            Ok(Some(About::User(user)))
        }
        _ => Err(Error::input("reactions are listed by activity_id, reaction_id or user_id")),
    }
}

/// The part of the list that the query asks for.
fn part(call: &Call) -> Result<Part> {
    let query = &call.query;
    let bounds: Vec<(&str, &str)> =
        ["id_lt", "id_lte", "id_gt", "id_gte"].into_iter().filter_map(|name| Some((name, query.get(name)?))).collect();
    if bounds.len() > 1 {
        return Err(Error::input("id_lt, id_lte, id_gt and id_gte cannot be combined"));
    }
    let from = bounds.first().map(|(name, id)| ((*id).to_owned(), name.ends_with('e')));
    let is_ascending = bounds.first().is_some_and(|(name, _)| name.starts_with("id_g"));
    Ok(Part { limit: query.number("limit", LIMIT, 1..=LIMIT_MAX)?, from, is_ascending })
}

/// Where the next page is: a path with a query, empty when this page is the last.
fn next(call: &Call, part: &Part, page: &reactions::Page, by: &str, value: &str, kind: Option<&str>) -> String {
    let Some((last, _)) = page.reactions.last().filter(|_| page.more) else { return String::new() };
    let segment = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20");
    let kind = kind.map(|kind| format!("{}/", segment(kind))).unwrap_or_default();
    let path = format!("/api/v1.0/reaction/{by}/{}/{kind}", segment(value));
    let mut url = form_urlencoded::Serializer::for_suffix(format!("{path}?"), path.len() + 1);
    let set_anew = ["limit", "id_lt", "id_lte", "id_gt", "id_gte"];
    url.extend_pairs(call.query.iter().filter(|(name, _)| !set_anew.contains(name)));
    url.append_pair(if part.is_ascending { "id_gt" } else { "id_lt" }, last);
    url.append_pair("limit", &part.limit.to_string());
    url.finish()
}

/// The activity with all that belongs to it.
async fn activity(call: &Call, id: &str) -> Result<Option<String>> {
    let id = from_wire::activity_id("activity_id", id)?;
    let mut records = Records::new(call, true, extra::Extra::all(call)?);
    let Some((id, activity)) = activities::get(&mut call.tenant.app.snapshot(), &Reference::Id(id)).await? else {
        return Ok(None);
    };
    let mut json = String::new();
    to_wire::with_origin(&mut json, &records.fragment(id, &activity).await?, None);
    Ok(Some(json))
}
