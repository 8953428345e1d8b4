//! `PUT` and `PATCH /activities/{id}`: changing activities (feeds-v3 §3.3).

use domain::{
    Tx,
    feeds::activities::Moment,
    v3::{
        activities::{self, Activity, Content, Patch},
        moderated,
        notifications::{self, Mentioning},
    },
};
use wire::v3::Pager;

use super::{
    activities::{content, forces_moderation, many, one, preview},
    notices::Noting,
    own::OwnFields,
    previews,
    read::{self, Actor},
};
use crate::{
    chat::{
        error::{Error, Result},
        fields::Fields,
        gate::Call,
        patch::Patch as Sent,
    },
    reply::Reply,
};

/// Fields that `set` takes (feeds-v3 §3.3).
const SETTABLE: [&str; 12] = [
    "attachments",
    "expires_at",
    "filter_tags",
    "interest_tags",
    "location",
    "mentioned_user_ids",
    "poll_id",
    "restrict_replies",
    "search_data",
    "text",
    "visibility",
    "visibility_tag",
];
/// Fields that `unset` takes, beside own fields.
const UNSETTABLE: [&str; 9] = [
    "attachments",
    "expires_at",
    "filter_tags",
    "interest_tags",
    "location",
    "mentioned_user_ids",
    "poll_id",
    "search_data",
    "visibility_tag",
];

/// `PUT /activities/{id}`: replaces what it says.
pub(super) async fn update(call: Call, mut sent: Fields) -> Result<Reply> {
    let actor = Actor::some(&call, &mut sent)?;
    let own = OwnFields::read(&call, &mut sent, Some(&actor.id))?;
    let feeds = read::fids(&mut sent, "feeds")?;
    let content = content(&mut sent)?;
    let (noting, is_forced) = (Noting::of_change(&mut sent)?, forces_moderation(&mut sent)?);
    let skips_preview = previews::are_skipped(&mut sent)?;
    let (id, by, moment) = (call.param("id"), call.user().cloned(), read::moment(&call));
    let updated = call.tenant.app.write(async |tx| {
        actor.store(tx, moment.now).await?;
        let updated = activities::update(tx, by.as_ref(), id, &content, feeds.as_deref(), moment).await?;
        moderated::activity(tx, by.as_ref(), is_forced, &updated.1, moment.now).await?;
        tell_mentioned(tx, &updated.1, noting, moment).await?;
        Ok(updated)
    });
    let updated = updated.await?;
    if !skips_preview {
        preview(&call, &updated.1);
    }
    one(&call, updated, &actor.id, &own, None).await
}

/// `PATCH /activities/{id}`: changes single fields.
pub(super) async fn patch(call: Call, mut sent: Fields) -> Result<Reply> {
    let actor = Actor::some(&call, &mut sent)?;
    let own = OwnFields::read(&call, &mut sent, Some(&actor.id))?;
    let change = read_patch(&mut sent, true)?;
    let (noting, is_forced) = (Noting::of_change(&mut sent)?, forces_moderation(&mut sent)?);
    let (id, by, moment) = (call.param("id"), call.user().cloned(), read::moment(&call));
    let patched = call.tenant.app.write(async |tx| {
        actor.store(tx, moment.now).await?;
        let patched = activities::patch(tx, by.as_ref(), id, &change, moment).await?;
        if change.set.contains("text") {
            moderated::activity(tx, by.as_ref(), is_forced, &patched.1, moment.now).await?;
        }
        tell_mentioned(tx, &patched.1, noting, moment).await?;
        Ok(patched)
    });
    let (inner, activity, _) = patched.await?;
    if says_anew(&change) {
        preview(&call, &activity);
    }
    one(&call, (inner, activity), &actor.id, &own, None).await
}

/// Whether the text is another, and nobody said what hangs on it.
fn says_anew(change: &Patch) -> bool {
    change.set.contains("text") && !change.set.contains("attachments")
}

/// Takes back that somebody is mentioned who is no more, and tells who is from now on, if that is wanted.
async fn tell_mentioned(tx: &mut Tx, activity: &Activity, noting: Noting, moment: Moment) -> domain::Result<()> {
    if noting.is_wanted {
        notifications::forget_mentions(tx, Mentioning::Activity(activity), false, moment.now).await?;
        notifications::mentions(tx, activity, noting.copies, moment).await?;
    }
    Ok(())
}

/// `PATCH /activities/batch/partial`: single fields of several. What is not there, not the caller's or unchanged is left
/// out of the answer.
pub(super) async fn patch_many(call: Call, mut sent: Fields) -> Result<Reply> {
    let (is_forced, mut changes) = (forces_moderation(&mut sent)?, Vec::new());
    for mut item in read::batch(&mut sent, "changes")? {
        let id = item.filled("activity_id")?.ok_or_else(|| Error::field("activity_id", "is a required field"))?;
        changes.push((id, read_patch(&mut item, false)?, Noting::of_change(&mut item)?, read::moment(&call)));
    }
    let by = call.user().cloned();
    let patched =
        call.tenant.app.write_each(&changes, async |tx, (id, change, noting, moment)| {
            match activities::patch(tx, by.as_ref(), id, change, *moment).await {
                Ok((id, activity, true)) => {
                    if change.set.contains("text") {
                        moderated::activity(tx, by.as_ref(), is_forced, &activity, moment.now).await?;
                    }
                    tell_mentioned(tx, &activity, *noting, *moment).await?;
                    Ok(Some((id, activity)))
                }
                Ok((_, _, false)) | Err(domain::Error::Absent(_) | domain::Error::NotAllowed(_)) => Ok(None),
                Err(error) => Err(error),
            }
        });
    let patched = patched.await?;
    for ((_, change, ..), (_, activity)) in
        changes.iter().zip(&patched).filter_map(|(sent, patched)| Some((sent, patched.as_ref()?)))
    {
        if says_anew(change) {
            preview(&call, activity);
        }
    }
    let patched = patched.into_iter().flatten().collect();
    many(&call, patched, call.user(), &OwnFields::default(), (Pager::default(), None)).await
}

/// Reads `set` and `unset`.
fn read_patch(sent: &mut Fields, takes_search_data: bool) -> Result<Patch> {
    let mut patch = Patch::default();
    let mut set = sent.object("set")?.unwrap_or(Fields::parse("", read::DIALECT)?);
    patch.feeds = read::fids(&mut set, "feeds")?;
    let is_known = |name: &&&str| takes_search_data || **name != "search_data";
    for name in SETTABLE.iter().filter(is_known) {
        if set.has(name) {
            patch.set.insert(name);
        }
    }
    if patch.set.contains("visibility_tag") && !patch.set.contains("visibility") {
        // A tag alone is of what a tag opens.
        set.put("visibility", &raw("\"tag\""));
    }
    patch.content = Content { custom: String::new(), ..content(&mut known(&mut set, takes_search_data))? };
    let mut own = Fields::parse("", read::DIALECT)?;
    if let Some(custom) = set.raw("custom") {
        own.put("custom", &custom);
    }
    unset(sent, &mut patch, takes_search_data)?;
    for (name, value) in set.rest().iter().filter(|(_, value)| value.get() != "null") {
        match name.strip_prefix("custom.") {
            Some(_) => own.put(name, value),
            None => return Err(Error::field(&format!("set.{name}"), "cannot be set")),
        }
    }
    let mut custom = Fields::parse("", read::DIALECT)?;
    let own = serde_json::value::to_raw_value(&wire::chat::dialect::Members(&own.rest())).expect("an object is JSON");
    custom.put("set", &own);
    patch.custom.set = Sent::take(&mut custom)?.edit().set;
    patch.custom.check().map_err(Error::from)?;
    Ok(patch)
}

/// Takes the fields that an activity has out of `set`, so that what is left is its application's or nobody's.
fn known(set: &mut Fields, takes_search_data: bool) -> Fields {
    let mut taken = Fields::parse("", set.dialect()).expect("nothing is an object");
    for name in SETTABLE.into_iter().filter(|name| takes_search_data || *name != "search_data") {
        if let Some(value) = set.raw(name) {
            taken.put(name, &value);
        }
    }
    taken
}

fn unset(sent: &mut Fields, patch: &mut Patch, takes_search_data: bool) -> Result<()> {
    for path in sent.texts("unset")?.unwrap_or_default() {
        if path == "custom" {
            patch.clears_custom = true;
        } else if let Some(path) = path.strip_prefix("custom.") {
            patch.custom.unset.push(path.to_owned());
        } else {
            let known = UNSETTABLE.iter().find(|known| **known == path);
            let known = known.filter(|name| takes_search_data || **name != "search_data");
            let known = known.ok_or_else(|| Error::field(&format!("unset.{path}"), "cannot be unset"))?;
            if !patch.set.insert(known) {
                return Err(Error::field(&format!("unset.{path}"), "is set in the same call"));
            }
        }
    }
    Ok(())
}

fn raw(text: &str) -> Box<serde_json::value::RawValue> {
    serde_json::value::RawValue::from_string(text.to_owned()).expect("the text is in the source")
}
