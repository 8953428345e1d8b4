//! Comments: `/comments` and what is below it (feeds-v3 §3.4).

mod lists;

pub(super) use lists::{list, order, query, replies};

use domain::{
    Tx,
    feeds::activities::Moment,
    v3::{
        comments::{self, Change, Comment, Draft, Status},
        made::{self, Scene},
        moderated,
        notifications::{self, Mentioning, Told},
        objects::{ACTIVITY, Object},
    },
};
use ids::UserId;
use wire::v3::comments::{Comments, OneComment};

use super::{
    activities::{forces_moderation, translate_object},
    around::Around,
    notices::Noting,
    previews,
    read::{self, Actor},
    show::Pen,
};
use crate::{
    chat::{
        attachments,
        error::{Error, Result},
        fields::Fields,
        gate::Call,
    },
    reply::Reply,
};

/// What a partial update may take away (feeds-v3 §3.4).
const UNSET: [&str; 4] = ["attachments", "custom", "mentioned_user_ids", "status"];

/// `POST /comments`.
pub(super) async fn add(call: Call, mut sent: Fields) -> Result<Reply> {
    let actor = Actor::some(&call, &mut sent)?;
    let draft = draft(&call, &mut sent, &actor)?;
    let asked = (Noting::read(&mut sent)?, forces_moderation(&mut sent)?);
    let skips_preview = previews::are_skipped(&mut sent)?;
    let (by, moment) = (call.user(), read::moment(&call));
    let run = call.tenant.app.write(async |tx| {
        actor.store(tx, moment.now).await?;
        add_one(tx, by, &draft, asked, moment).await
    });
    let (comment, told) = run.await?;
    if !skips_preview {
        previews::look_up(&call, Object::Comment(draft.id.clone()), &comment.text);
    }
    one(&call, (draft.id, comment), Some(&actor.id), told).await
}

/// Comments, lets moderation look at it, and notifies of it if that is wanted.
async fn add_one(
    tx: &mut Tx,
    by: Option<&UserId>,
    draft: &Draft,
    (noting, is_forced): (Noting, bool),
    moment: Moment,
) -> domain::Result<(Comment, Option<Told>)> {
    let (scene, comment) = made::comment(tx, by, draft, moment.now).await?;
    moderated::comment(tx, by, is_forced, (&draft.id, &comment), moment.now).await?;
    let told = match noting.is_wanted {
        true => Some(notifications::comment(tx, &scene, (&draft.id, &comment), noting.copies, moment).await?),
        false => None,
    };
    Ok((comment, told))
}

/// `POST /comments/batch`.
pub(super) async fn add_many(call: Call, mut sent: Fields) -> Result<Reply> {
    let (mut items, mut skip_previews) = (Vec::new(), Vec::new());
    for mut item in read::batch(&mut sent, "comments")? {
        let actor = Actor::some(&call, &mut item)?;
        skip_previews.push(previews::are_skipped(&mut item)?);
        let asked = (Noting::read(&mut item)?, forces_moderation(&mut item)?);
        items.push((draft(&call, &mut item, &actor)?, actor, asked, read::moment(&call)));
    }
    let by = call.user();
    let run = call.tenant.app.write(async |tx| {
        let mut added = Vec::with_capacity(items.len());
        for (draft, actor, asked, moment) in &items {
            actor.store(tx, moment.now).await?;
            let (comment, _) = add_one(tx, by, draft, *asked, *moment).await?;
            added.push((draft.id.clone(), comment));
        }
        Ok(added)
    });
    let added = run.await?;
    for ((id, comment), _) in added.iter().zip(skip_previews).filter(|(_, is_skipped)| !is_skipped) {
        previews::look_up(&call, Object::Comment(id.clone()), &comment.text);
    }
    some(&call, added, call.user(), wire::v3::Pager::default()).await
}

/// `GET /comments/{id}`.
pub(super) async fn get(call: Call, mut sent: Fields) -> Result<Reply> {
    let viewer = Actor::find(&call, &mut sent)?.map(|actor| actor.id);
    let id = call.param("id").to_owned();
    let scene = made::open(&mut call.snapshot(), &Object::Comment(id), call.user()).await?;
    let (id, comment) = scene.comment.expect("a comment was opened");
    one(&call, (id, comment), viewer.as_ref(), None).await
}

/// `PATCH /comments/{id}`.
pub(super) async fn update(call: Call, mut sent: Fields) -> Result<Reply> {
    let actor = Actor::find(&call, &mut sent)?;
    let change = Change {
        text: sent.text("comment")?,
        attachments: attachments(&mut sent)?,
        mentioned: sent.users("mentioned_user_ids")?,
        custom: read::object(&mut sent, "custom")?.map(Some),
        status: None,
    };
    let asked = (Noting::of_change(&mut sent)?, forces_moderation(&mut sent)?);
    let skips_preview = previews::are_skipped(&mut sent)?;
    changed(&call, actor.as_ref(), &change, asked, skips_preview).await
}

/// `POST /comments/{id}/partial`.
pub(super) async fn patch(call: Call, mut sent: Fields) -> Result<Reply> {
    let actor = Actor::find(&call, &mut sent)?;
    let asked = (Noting::of_change(&mut sent)?, forces_moderation(&mut sent)?);
    let skips_preview = previews::are_skipped(&mut sent)?;
    let mut change = Change::default();
    for name in sent.texts("unset")?.unwrap_or_default() {
        match name.as_str() {
            "attachments" => change.attachments = Some(Vec::new()),
            "custom" => change.custom = Some(None),
            "mentioned_user_ids" => change.mentioned = Some(Vec::new()),
            "status" => change.status = Some(Status::Active),
            _ => return Err(Error::field("unset", &format!("must hold some of {}", UNSET.join(", ")))),
        }
    }
    if let Some(mut set) = sent.object("set")? {
        change.text = set.text("text")?.or(set.text("comment")?);
        change.attachments = attachments(&mut set)?.or(change.attachments);
        change.mentioned = set.users("mentioned_user_ids")?.or(change.mentioned);
        change.custom = read::object(&mut set, "custom")?.map(Some).or(change.custom);
        if let Some(status) = set.filled("status")? {
            change.status = Some(named_status(&status)?);
        }
        if !set.is_empty() {
            return Err(Error::field("set", &format!("must hold some of text, {}", UNSET.join(", "))));
        }
    }
    if change.status.is_some() && !call.is_server() {
        return Err(Error::from(domain::Error::NotAllowed("status is for server-side calls".to_owned())));
    }
    changed(&call, actor.as_ref(), &change, asked, skips_preview).await
}

fn named_status(name: &str) -> Result<Status> {
    match name {
        "active" => Ok(Status::Active),
        "removed" => Ok(Status::Removed),
        "hidden" => Ok(Status::Hidden),
        _ => Err(Error::field("set.status", "must be active, removed or hidden; DELETE deletes")),
    }
}

async fn changed(
    call: &Call,
    actor: Option<&Actor>,
    change: &Change,
    (noting, is_forced): (Noting, bool),
    skips_preview: bool,
) -> Result<Reply> {
    let (id, by, moment) = (call.param("id"), call.user(), read::moment(call));
    let run = call.tenant.app.write(async |tx| {
        if let Some(actor) = actor {
            actor.store(tx, moment.now).await?;
        }
        let comment = made::change_comment(tx, by, id, change, moment.now).await?;
        if change.text.is_some() {
            moderated::comment(tx, by, is_forced, (id, &comment), moment.now).await?;
        }
        if noting.is_wanted {
            notifications::forget_mentions(tx, Mentioning::Comment(id, &comment), false, moment.now).await?;
            notifications::comment_mentions(tx, (id, &comment), noting.copies, moment).await?;
        }
        Ok(comment)
    });
    let comment = run.await?;
    if !skips_preview && change.text.is_some() && change.attachments.is_none() {
        previews::look_up(call, Object::Comment(id.to_owned()), &comment.text);
    }
    one(call, (id.to_owned(), comment), actor.map(|actor| &actor.id), None).await
}

/// `DELETE /comments/{id}`.
pub(super) async fn delete(call: Call, _: Fields) -> Result<Reply> {
    let (id, by, now, is_hard) = (call.param("id"), call.user(), call.moment(), call.flag("hard_delete")?);
    let takes_back = call.flag("delete_notification_activity")?;
    loop {
        let run = call.tenant.app.write(async |tx| {
            let deleted = made::delete_comment(tx, by, id, is_hard, now).await?;
            if takes_back {
                notifications::forget_comment(tx, id, now).await?;
            }
            Ok(deleted)
        });
        let (scene, comment, is_done) = run.await?;
        if is_done {
            return with_activity(&call, scene, (id.to_owned(), comment), call.user()).await;
        }
    }
}

/// `POST /comments/{id}/restore`.
pub(super) async fn restore(call: Call, mut sent: Fields) -> Result<Reply> {
    let viewer = Actor::find(&call, &mut sent)?.map(|actor| actor.id);
    let (id, by, now) = (call.param("id"), call.user(), call.moment());
    let (scene, comment) = call.tenant.app.write(async |tx| made::restore_comment(tx, by, id, now).await).await?;
    with_activity(&call, scene, (id.to_owned(), comment), viewer.as_ref()).await
}

/// `POST /comments/{id}/translate`: says it in another language, too, if there is somebody who translates.
pub(super) async fn translate(call: Call, mut sent: Fields) -> Result<Reply> {
    let viewer = Actor::find(&call, &mut sent)?.map(|actor| actor.id);
    let scene = translate_object(&call, &mut sent, &Object::Comment(call.param("id").to_owned())).await?;
    one(&call, scene.comment.expect("a comment was translated"), viewer.as_ref(), None).await
}

fn draft(call: &Call, sent: &mut Fields, actor: &Actor) -> Result<Draft> {
    if let Some(kind) = sent.filled("object_type")?.filter(|kind| kind != ACTIVITY) {
        return Err(Error::field("object_type", &format!("must be activity, not {kind}")));
    }
    let parent = sent.filled("parent_id")?;
    let activity = sent.filled("object_id")?;
    if activity.is_none() && parent.is_none() {
        return Err(Error::field("object_id", "is a required field unless parent_id is given"));
    }
    Ok(Draft {
        id: sent.filled("id")?.unwrap_or_else(|| call.new_id()),
        activity,
        parent,
        user: actor.id.clone(),
        text: sent.text("comment")?.unwrap_or_default(),
        attachments: attachments(sent)?.unwrap_or_default(),
        mentioned: sent.users("mentioned_user_ids")?.unwrap_or_default(),
        custom: read::object(sent, "custom")?,
    })
}

/// Attachments, in the shape in which they are kept.
fn attachments(sent: &mut Fields) -> Result<Option<Vec<String>>> {
    let Some(given) = sent.objects("attachments")? else { return Ok(None) };
    given.into_iter().map(attachments::read).collect::<Result<_>>().map(Some)
}

/// Answers one comment as it is now.
async fn one(call: &Call, comment: (String, Comment), viewer: Option<&UserId>, told: Option<Told>) -> Result<Reply> {
    let mut tx = call.snapshot();
    let shown = comments::gather(&mut tx, vec![comment], viewer).await?.remove(0);
    let mut people = domain::users::People::load(&mut tx, shown.users()).await?;
    call.note_online(&mut people);
    let pen = Pen { people: &people, now: call.now() };
    call.answer(&OneComment {
        comment: pen.comment(&shown),
        activity: None,
        notification_created: told.map(|told| told.is_told),
        mention_notifications_created: told.map(|told| told.mentions),
    })
}

/// Answers a comment with what it is about.
async fn with_activity(
    call: &Call,
    scene: Scene,
    comment: (String, Comment),
    viewer: Option<&UserId>,
) -> Result<Reply> {
    let around = Around::load(call, Scene { comment: Some(comment), ..scene }, viewer).await?;
    let pen = Pen { people: &around.people, now: call.now() };
    let comment = around.comment.as_ref().expect("there is a comment");
    call.answer(&OneComment {
        comment: pen.comment(comment),
        activity: Some(pen.activity(&around.activity)),
        notification_created: None,
        mention_notifications_created: None,
    })
}

/// Answers comments in their order.
async fn some(
    call: &Call,
    all: Vec<(String, Comment)>,
    viewer: Option<&UserId>,
    pager: wire::v3::Pager,
) -> Result<Reply> {
    let mut tx = call.snapshot();
    let shown = comments::gather(&mut tx, all, viewer).await?;
    let mut people = domain::users::People::load(&mut tx, shown.iter().flat_map(comments::Shown::users)).await?;
    call.note_online(&mut people);
    let pen = Pen { people: &people, now: call.now() };
    call.answer(&Comments { comments: shown.iter().map(|shown| pen.comment(shown)).collect(), pager })
}
