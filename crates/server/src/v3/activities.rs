//! `/activities`: adding, reading, deleting (feeds-v3 §3.3). Changes are in `change`.

use domain::{
    Tx,
    feeds::activities::Moment,
    users::People,
    v3::{
        activities::{
            self, Activity, Audience, Content, Draft, Replies,
            query::{Also, Query as Wanted, SCHEMA},
        },
        collections::{self, Draft as Entry},
        made::Scene,
        moderated,
        notifications::{self, Mentioning},
        objects::Object,
        permit,
        show::{self, Shown},
        translated,
    },
};
use ids::{ActivityId, Timestamp, UserId};
use wire::{
    chat::error::Code,
    v3::{
        Pager,
        activities::{Activities, Deleted, OneActivity},
    },
};

use super::{
    around::Around,
    collections::{ensure_owners, inline},
    notices::Noting,
    own::OwnFields,
    previews,
    read::{self, Actor, BATCH_MAX, Query},
    show::Pen,
};
use crate::{
    chat::{
        self, attachments,
        error::{Error, Result},
        fields::Fields,
        gate::Call,
    },
    reply::Reply,
};

/// `POST /activities`: adds one, or changes the one that has its id.
pub(super) async fn add(call: Call, mut sent: Fields) -> Result<Reply> {
    let actor = Actor::some(&call, &mut sent)?;
    let creates_users = sent.flag("create_users")?.unwrap_or_default();
    let own = OwnFields::read(&call, &mut sent, Some(&actor.id))?;
    let is_forced = forces_moderation(&mut sent)?;
    let skips_preview = previews::are_skipped(&mut sent)?;
    let extras = Extras { entries: inline(&call, &mut sent, &actor)?, noting: Noting::read(&mut sent)?, is_forced };
    let draft = draft(&call, &mut sent, &actor, creates_users)?;
    let (moment, by) = (read::moment(&call), call.user().cloned());
    let added = call.tenant.app.write(async |tx| {
        actor.store(tx, moment.now).await?;
        add_one(tx, by.as_ref(), &draft, &extras, moment).await
    });
    let (added, told) = added.await?;
    if !skips_preview {
        preview(&call, &added.1);
    }
    one(&call, added, &actor.id, &own, Some(told)).await
}

/// Looks up what the first link of the activity leads to.
pub(super) fn preview(call: &Call, activity: &Activity) {
    let text = activity.content.text.as_deref().unwrap_or_default();
    previews::look_up(call, Object::Activity(activity.id.clone()), text);
}

/// What is done along with adding an activity.
struct Extras {
    /// Entries of collections that are made or changed, and that it refers to.
    entries: Vec<Entry>,
    noting: Noting,
    /// Whether moderation looks at what the app's own server says.
    is_forced: bool,
}

/// Whether moderation is to look at what the app's own server says; at what users say it always does.
pub(super) fn forces_moderation(sent: &mut Fields) -> Result<bool> {
    Ok(sent.flag("force_moderation")?.unwrap_or_default())
}

/// Adds an activity with what it refers to, and tells whom it mentions if that is wanted: how many were told.
async fn add_one(
    tx: &mut Tx,
    by: Option<&UserId>,
    draft: &Draft,
    Extras { entries, noting, is_forced }: &Extras,
    moment: Moment,
) -> domain::Result<((ActivityId, Activity), i64)> {
    let mut draft = draft.clone();
    ensure_owners(tx, None, entries, moment.now).await?;
    for named in collections::upsert(tx, entries, by, moment.now).await? {
        let (text, refs) = (named.of.to_string(), &mut draft.content.collection_refs);
        if !refs.contains(&text) {
            refs.push(text);
        }
    }
    let added = activities::add(tx, by, &draft, moment).await?;
    moderated::activity(tx, by, *is_forced, &added.1, moment.now).await?;
    let told = match noting.is_wanted {
        true => notifications::mentions(tx, &added.1, noting.copies, moment).await?,
        false => 0,
    };
    Ok((added, told))
}

/// `POST /activities/batch`: the same for several, all or none.
pub(super) async fn add_many(call: Call, mut sent: Fields) -> Result<Reply> {
    let creates_users = sent.flag("create_users")?.unwrap_or_default();
    let own = OwnFields::of_caller(&call, &mut sent)?;
    let is_forced = forces_moderation(&mut sent)?;
    let (mut drafts, mut skip_previews) = (Vec::new(), Vec::new());
    for mut item in read::batch(&mut sent, "activities")? {
        if item.has("create_users") {
            return Err(Error::field("activities", "take create_users beside the list, not in an item"));
        }
        let actor = Actor::some(&call, &mut item)?;
        let entries = inline(&call, &mut item, &actor)?;
        skip_previews.push(previews::are_skipped(&mut item)?);
        let extras = Extras { entries, noting: Noting::read(&mut item)?, is_forced };
        drafts.push((draft(&call, &mut item, &actor, creates_users)?, actor, extras, read::moment(&call)));
    }
    let by = call.user().cloned();
    let added = call.tenant.app.write_each(&drafts, async |tx, (draft, actor, extras, moment)| {
        actor.store(tx, moment.now).await?;
        add_one(tx, by.as_ref(), draft, extras, *moment).await
    });
    let (added, told): (Vec<_>, Vec<i64>) = added.await?.into_iter().unzip();
    for ((_, activity), _) in added.iter().zip(skip_previews).filter(|(_, is_skipped)| !is_skipped) {
        preview(&call, activity);
    }
    many(&call, added, call.user(), &own, (Pager::default(), Some(told.iter().sum()))).await
}

/// The activity in a body.
fn draft(call: &Call, sent: &mut Fields, actor: &Actor, creates_users: bool) -> Result<Draft> {
    let required = |name: &str| Error::field(name, "is a required field");
    let id = sent.filled("id")?.unwrap_or_else(|| call.new_id());
    let kind = sent.filled("type")?.ok_or_else(|| required("type"))?;
    let feeds = match read::fids(sent, "feeds")? {
        Some(feeds) => Some(feeds),
        // The earlier name.
        None => read::fids(sent, "fids")?,
    };
    Ok(Draft {
        id,
        user: actor.id.clone(),
        kind,
        feeds: feeds.ok_or_else(|| required("feeds"))?,
        parent: sent.filled("parent_id")?,
        content: content(sent)?,
        creates_users,
    })
}

/// What an activity says.
pub(super) fn content(sent: &mut Fields) -> Result<Content> {
    let given = sent.objects("attachments")?.unwrap_or_default();
    let interest_tags = sent.texts("interest_tags")?.unwrap_or_default();
    Ok(Content {
        text: sent.text("text")?,
        attachments: given.into_iter().map(attachments::read).collect::<Result<_>>()?,
        audience: audience(sent)?,
        replies: replies(sent)?,
        filter_tags: sent.texts("filter_tags")?.unwrap_or_default(),
        interest_tags: interest_tags.iter().map(|tag| tag.trim().to_lowercase()).collect(),
        mentioned: mentioned(sent)?,
        custom: read::object(sent, "custom")?.map_or_else(String::new, |object| object.to_string()),
        search_data: read::object(sent, "search_data")?.map_or_else(String::new, |object| object.to_string()),
        location: read::location(sent)?,
        expires_at: sent.time("expires_at")?,
        poll: sent.filled("poll_id")?,
        collection_refs: sent.texts("collection_refs")?.unwrap_or_default(),
        translations: Vec::new(),
    })
}

fn mentioned(sent: &mut Fields) -> Result<Vec<UserId>> {
    let mut users: Vec<UserId> = Vec::new();
    for user in sent.users("mentioned_user_ids")?.unwrap_or_default() {
        if !users.contains(&user) {
            users.push(user);
        }
    }
    Ok(users)
}

fn audience(sent: &mut Fields) -> Result<Audience> {
    let tag = sent.filled("visibility_tag")?;
    match (sent.filled("visibility")?.as_deref(), tag) {
        (None | Some("public"), _) => Ok(Audience::Public),
        (Some("private"), _) => Ok(Audience::Private),
        (Some("tag"), Some(tag)) => Ok(Audience::Tag(tag)),
        (Some("tag"), None) => Err(Error::field("visibility_tag", "is required when visibility is tag")),
        (Some(_), _) => Err(Error::field("visibility", "must be one of [public private tag]")),
    }
}

fn replies(sent: &mut Fields) -> Result<Replies> {
    let Some(name) = sent.filled("restrict_replies")? else { return Ok(Replies::default()) };
    let known = Replies::ALL.into_iter().find(|known| known.name() == name);
    known.ok_or_else(|| Error::field("restrict_replies", "must be one of [everyone people_i_follow nobody]"))
}

/// `GET /activities/{id}`.
pub(super) async fn get(call: Call, _: Fields) -> Result<Reply> {
    let viewer = Actor::find(&call, &mut call.query_fields()?)?.map(|actor| actor.id);
    let mut tx = call.snapshot();
    let (id, activity) = activities::load(&mut tx, call.param("id")).await?;
    permit::may_see(&mut tx, &activity, call.user()).await?;
    drop(tx);
    around(&call, Scene { id, activity, comment: None }, viewer.as_ref()).await
}

/// `POST /activities/{id}/translate`: says it in another language, too, if there is somebody who translates.
pub(super) async fn translate(call: Call, mut sent: Fields) -> Result<Reply> {
    let viewer = Actor::find(&call, &mut sent)?.map(|actor| actor.id);
    let scene = translate_object(&call, &mut sent, &Object::Activity(call.param("id").to_owned())).await?;
    around(&call, scene, viewer.as_ref()).await
}

/// Adds a translation to what `object` says.
pub(super) async fn translate_object(call: &Call, sent: &mut Fields, object: &Object) -> Result<Scene> {
    let (language, by, now) = (chat::translated::language(sent)?, call.user(), call.moment());
    let text = translated::said(&mut call.snapshot(), object, by).await?;
    let translation = chat::translated::make(call, &text, &language).await?;
    Ok(call.tenant.app.write(async |tx| translated::add(tx, object, by, &translation, now).await).await?)
}

/// Answers one activity with what is around it.
async fn around(call: &Call, scene: Scene, viewer: Option<&UserId>) -> Result<Reply> {
    let mut around = Around::load(call, scene, viewer).await?;
    around.choose_comments(call, viewer).await?;
    let pen = Pen { people: &around.people, now: call.now() };
    call.answer(&OneActivity { activity: pen.activity(&around.activity), mention_notifications_created: None })
}

/// `DELETE /activities/{id}`.
pub(super) async fn delete(call: Call, _: Fields) -> Result<Reply> {
    let (is_hard, takes_back) = (call.flag("hard_delete")?, call.flag("delete_notification_activity")?);
    let (id, by, now) = (call.param("id"), call.user().cloned(), call.moment());
    let app = &call.tenant.app;
    while !app.write(async |tx| delete_one(tx, by.as_ref(), id, (is_hard, takes_back), now).await).await? {}
    call.done()
}

/// Deletes an activity, and takes back that it mentions somebody if that is wanted; whether that was all.
async fn delete_one(
    tx: &mut Tx,
    by: Option<&UserId>,
    id: &str,
    (is_hard, takes_back): (bool, bool),
    now: Timestamp,
) -> domain::Result<bool> {
    let (activity, is_done) = activities::delete(tx, by, id, is_hard, now).await?;
    if takes_back {
        notifications::forget_mentions(tx, Mentioning::Activity(&activity), true, now).await?;
    }
    Ok(is_done)
}

/// `POST /activities/delete`: those of `ids` that are there.
pub(super) async fn delete_many(call: Call, mut sent: Fields) -> Result<Reply> {
    let ids = sent.texts("ids")?.unwrap_or_default();
    if ids.is_empty() || ids.len() > BATCH_MAX {
        return Err(Error::field("ids", &format!("must hold 1 to {BATCH_MAX} ids")));
    }
    let is_hard = sent.flag("hard_delete")?.unwrap_or_default();
    let takes_back = sent.flag("delete_notification_activity")?.unwrap_or_default();
    let (by, now) = (call.user().cloned(), call.moment());
    let deleted = call.tenant.app.write_each(&ids, async |tx, id| {
        match delete_one(tx, by.as_ref(), id, (is_hard, takes_back), now).await {
            Ok(is_done) => Ok(Some(is_done)),
            Err(domain::Error::Absent(_)) => Ok(None),
            Err(error) => Err(error),
        }
    });
    let deleted = deleted.await?;
    for (id, _) in ids.iter().zip(&deleted).filter(|(_, is_done)| **is_done == Some(false)) {
        let app = &call.tenant.app;
        while !app.write(async |tx| activities::delete(tx, None, id, true, now).await).await?.1 {}
    }
    let deleted_ids =
        ids.iter().zip(deleted).filter(|(_, is_done)| is_done.is_some()).map(|(id, _)| id.as_str()).collect();
    call.answer(&Deleted { deleted_ids })
}

/// `POST /activities/{id}/restore`.
pub(super) async fn restore(call: Call, mut sent: Fields) -> Result<Reply> {
    let actor = Actor::find(&call, &mut sent)?;
    let viewer = actor.map(|actor| actor.id);
    let own = OwnFields::read(&call, &mut sent, viewer.as_ref())?;
    let (id, by, now) = (call.param("id"), call.user().cloned(), call.moment());
    let app = &call.tenant.app;
    let restored = app.write(async |tx| activities::restore(tx, by.as_ref(), id, now).await).await?;
    shown(&call, vec![restored], viewer.as_ref(), &own, |pen, mut shown| {
        let activity = pen.activity(shown.next().expect("one went in"));
        call.answer(&OneActivity { activity, mention_notifications_created: None })
    })
    .await
}

/// `POST /activities/query`.
pub(super) async fn query(call: Call, mut sent: Fields) -> Result<Reply> {
    let viewer = Actor::find(&call, &mut sent)?.map(|actor| actor.id);
    let own = OwnFields::read(&call, &mut sent, viewer.as_ref())?;
    let also = Also {
        expired: sent.flag("include_expired_activities")?.unwrap_or_default(),
        private: sent.flag("include_private_activities")?.unwrap_or_default(),
        deleted: sent.flag("include_soft_deleted_activities")?.unwrap_or_default(),
    };
    let Query { filter, sort, cursor, limit, question } = Query::read(&mut sent, SCHEMA)?;
    let by = call.user().cloned();
    let wanted = Wanted { filter, sort, cursor, limit, also, by, viewer: viewer.clone() };
    let page = activities::query::query(&mut call.snapshot(), &wanted, call.now()).await?;
    let pager = read::pager(question, &page);
    let found = page.rows.into_iter().map(|row| (row.id, row.activity)).collect();
    many(&call, found, viewer.as_ref(), &own, (pager, None)).await
}

/// Answers one activity; `mentions` is how many users were told that it mentions them.
pub(super) async fn one(
    call: &Call,
    found: (ActivityId, Activity),
    viewer: &UserId,
    own: &OwnFields,
    mentions: Option<i64>,
) -> Result<Reply> {
    shown(call, vec![found], Some(viewer), own, |pen, mut shown| {
        let activity = pen.activity(shown.next().expect("one went in"));
        call.answer(&OneActivity { activity, mention_notifications_created: mentions })
    })
    .await
}

/// Answers a list of activities.
pub(super) async fn many(
    call: &Call,
    found: Vec<(ActivityId, Activity)>,
    viewer: Option<&UserId>,
    own: &OwnFields,
    (pager, mentions): (Pager, Option<i64>),
) -> Result<Reply> {
    shown(call, found, viewer, own, |pen, shown| {
        let activities = shown.map(|shown| pen.activity(shown)).collect();
        call.answer(&Activities { activities, pager, mention_notifications_created: mentions })
    })
    .await
}

/// Loads what stands around activities, and writes an answer with them.
async fn shown(
    call: &Call,
    found: Vec<(ActivityId, Activity)>,
    viewer: Option<&UserId>,
    own: &OwnFields,
    answer: impl FnOnce(Pen<'_>, std::slice::Iter<'_, Shown>) -> Result<Reply>,
) -> Result<Reply> {
    let (mut tx, mut people) = (call.snapshot(), People::default());
    let mut shown = show::activities(&mut tx, found, viewer, &mut people).await?;
    own.add_to_current(&mut tx, shown.iter_mut().collect(), &mut people).await?;
    call.note_online(&mut people);
    answer(Pen { people: &people, now: call.now() }, shown.iter())
}

/// What a user's token may not ask for.
pub(super) fn for_servers(call: &Call, what: &str) -> Result<()> {
    match call.is_server() {
        true => Ok(()),
        false => Err(Error::new(Code::NotAllowed, format!("{what} is for server-side calls"))),
    }
}
