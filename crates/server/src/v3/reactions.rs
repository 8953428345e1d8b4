//! Reactions: `/activities/{id}/reactions`, `/comments/{id}/reactions` (feeds-v3 §3.5).

use domain::v3::{
    activities::{self, Content},
    comments,
    made::{self, Scene},
    notifications,
    objects::Object,
    reactions::{self, Draft, Given},
};
use ids::{ActivityId, Fid, UserId};
use wire::v3::{
    Pager,
    reactions::{OneReaction, Reactions},
};

use super::{
    around::Around,
    notices::Noting,
    read::{self, Actor, Named, Query},
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

/// The most feeds to which a reaction is posted.
const TARGET_FEEDS_MAX: usize = activities::FEEDS_MAX;

/// `POST /activities/{id}/reactions` and `POST /comments/{id}/reactions`.
pub(super) async fn add<N: Named>(call: Call, mut sent: Fields) -> Result<Reply> {
    let object = N::of(&call);
    let actor = Actor::some(&call, &mut sent)?;
    let draft = Draft {
        user: actor.id.clone(),
        kind: sent.filled("type")?.ok_or_else(|| Error::field("type", "is a required field"))?,
        is_only: sent.flag("enforce_unique")?.unwrap_or_default(),
        custom: read::object(&mut sent, "custom")?,
    };
    let targets = read::fids(&mut sent, "target_feeds")?.unwrap_or_default();
    if targets.len() > TARGET_FEEDS_MAX {
        return Err(Error::field("target_feeds", &format!("must hold at most {TARGET_FEEDS_MAX} feeds")));
    }
    let noting = Noting::read(&mut sent)?;
    let (by, moment, share) = (call.user(), read::moment(&call), call.new_id());
    let run = call.tenant.app.write(async |tx| {
        actor.store(tx, moment.now).await?;
        let (scene, given) = made::react(tx, by, &object, &draft, moment.now).await?;
        let told = match noting.is_wanted {
            true => Some(notifications::reaction(tx, &scene, &given, noting.copies, moment).await?),
            false => None,
        };
        let shared = match targets.is_empty() {
            true => None,
            false => Some(activities::add(tx, by, &share_of(&scene, &given, &targets, &share), moment).await?),
        };
        Ok((scene, given, shared, told))
    });
    let (scene, given, shared, told) = run.await?;
    answer(&call, scene, given, shared, told).await
}

/// What is posted to other feeds for a reaction.
fn share_of(scene: &Scene, given: &Given, targets: &[Fid], id: &str) -> activities::Draft {
    activities::Draft {
        id: id.to_owned(),
        user: given.user.clone(),
        kind: given.kind.clone(),
        feeds: targets.to_vec(),
        content: Content { custom: given.reaction.custom.clone(), ..Content::default() },
        parent: Some(scene.activity.id.clone()),
        creates_users: false,
    }
}

/// `DELETE /activities/{id}/reactions/{type}` and `DELETE /comments/{id}/reactions/{type}`.
pub(super) async fn delete<N: Named>(call: Call, mut sent: Fields) -> Result<Reply> {
    let object = N::of(&call);
    let (user, kind) = (Actor::some(&call, &mut sent)?.id, call.param("type").to_owned());
    let (by, now) = (call.user(), call.moment());
    let takes_back = call.flag("delete_notification_activity")?;
    let run = call.tenant.app.write(async |tx| {
        let (scene, given) = made::unreact(tx, by, &object, (&user, &kind), now).await?;
        if takes_back {
            notifications::forget_reaction(tx, &given, now).await?;
        }
        Ok((scene, given))
    });
    let (scene, given) = run.await?;
    answer(&call, scene, given, None, None).await
}

/// Answers a reaction with what it is about, as that is now.
async fn answer(
    call: &Call,
    scene: Scene,
    given: Given,
    shared: Option<(ActivityId, activities::Activity)>,
    told: Option<bool>,
) -> Result<Reply> {
    let mut around = Around::load(call, scene, Some(&given.user)).await?;
    around.people.add(&mut call.snapshot(), [&given.user]).await?;
    let shared = match shared {
        Some(shared) => Some(around.also(call, shared, Some(&given.user)).await?),
        None => None,
    };
    let pen = Pen { people: &around.people, now: call.now() };
    let is_about_comment = around.comment.is_some();
    call.answer(&OneReaction {
        reaction: pen.reaction(&around.activity.activity.id, &given),
        activity: (!is_about_comment).then(|| pen.activity(&around.activity)),
        comment: around.comment.as_ref().map(|comment| pen.comment(comment)),
        reference_activity: shared.as_ref().map(|shared| pen.activity(shared)),
        notification_accepted: told,
        notification_created: told,
    })
}

/// `POST /activities/{id}/reactions/query` and `POST /comments/{id}/reactions/query`.
pub(super) async fn query<N: Named>(call: Call, mut sent: Fields) -> Result<Reply> {
    let object = N::of(&call);
    let asked = Query::read(&mut sent, reactions::SCHEMA)?;
    let (question, asked) = (asked.question, asked.by_default(reactions::SORT));
    let mut tx = call.snapshot();
    made::open(&mut tx, &object, call.user()).await?;
    let page = reactions::query(&mut tx, &object, &asked).await?;
    some(&call, &page.rows, read::pager(question, &page)).await
}

/// `POST /activities/reactions/query` and `POST /comments/reactions/query`: one user's reactions to several things.
pub(super) async fn query_of_many<N: Named>(call: Call, mut sent: Fields) -> Result<Reply> {
    let name = N::IDS;
    let user = Actor::some(&call, &mut sent)?.id;
    let mut ids = sent.texts(name)?.unwrap_or_default();
    ids.sort_unstable();
    ids.dedup();
    if ids.is_empty() || ids.len() > read::BATCH_MAX {
        return Err(Error::field(name, &format!("must hold 1 to {} ids", read::BATCH_MAX)));
    }
    let asked = Query::read(&mut sent, reactions::SCHEMA)?;
    let (question, asked) = (asked.question, asked.by_default(reactions::SORT));
    let mut tx = call.snapshot();
    let mut objects = Vec::with_capacity(ids.len());
    for object in ids.into_iter().map(N::named) {
        // What is gone, or kept from the caller, has no reactions to tell of.
        match made::open(&mut tx, &object, call.user()).await {
            Ok(_) => objects.push(object),
            Err(domain::Error::Absent(_) | domain::Error::NotAllowed(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let page = reactions::batch(&mut tx, &user, &objects, &asked).await?;
    some(&call, &page.rows, read::pager(question, &page)).await
}

async fn some(call: &Call, all: &[Given], pager: Pager) -> Result<Reply> {
    let mut tx = call.snapshot();
    let users: Vec<&UserId> = all.iter().map(|given| &given.user).collect();
    let people = domain::users::People::load(&mut tx, users).await?;
    let mut activities = Vec::with_capacity(all.len());
    for given in all {
        activities.push(match &given.object {
            Object::Activity(id) => id.clone(),
            Object::Comment(id) => comments::load(&mut tx, id).await?.activity,
        });
    }
    let pen = Pen { people: &people, now: call.now() };
    let reactions = all.iter().zip(&activities).map(|(given, activity)| pen.reaction(activity, given)).collect();
    call.answer(&Reactions { reactions, pager })
}
