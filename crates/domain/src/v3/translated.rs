//! Activities and comments in other languages, beside what was said (feeds-v3 §3.3, §3.4).

use ids::Timestamp;

use super::{
    activities::{self, By},
    comments, levels,
    made::{Scene, open},
    objects::Object,
};
use crate::{Error, Result, Tx, translation::Translation};

/// What `object` says, if `by` may read it.
///
/// # Errors
/// [`Error::Absent`]; [`Error::NotAllowed`], also for who sees no more than a preview; [`Error::Unfit`] when it says nothing.
pub async fn said(tx: &mut Tx, object: &Object, by: By<'_>) -> Result<String> {
    let Scene { activity, comment, .. } = open(tx, object, by).await?;
    if let Some(user) = by
        && !levels::opens(tx, &activity, user).await?
    {
        return Err(Error::NotAllowed(format!("user '{user}' sees a preview of activity '{}' alone", activity.id)));
    }
    let said = comment.map_or(activity.content.text, |(_, comment)| Some(comment.text));
    said.filter(|text| !text.is_empty())
        .ok_or_else(|| Error::Unfit(format!("{} '{}' has no text", object.kind(), object.id())))
}

/// Adds a translation to `object`, beside those that it has, and tells the feeds; what it is about, as it is now.
///
/// # Errors
/// As [`said`]; [`Error::Unfit`] when it says something else by now; [`Error::TooBig`] when it has too many translations.
pub async fn add(tx: &mut Tx, object: &Object, by: By<'_>, translation: &Translation, now: Timestamp) -> Result<Scene> {
    said(tx, object, by).await?;
    let mut scene = open(tx, object, by).await?;
    match object {
        Object::Activity(id) => {
            (scene.id, scene.activity) = activities::translate(tx, by, id, translation, now).await?
        }
        Object::Comment(id) => {
            let comment = comments::translate(tx, id, translation, now).await?;
            scene.tell_comment(tx, "updated", (id, &comment), by, now);
            scene.comment = Some((id.clone(), comment));
        }
    }
    Ok(scene)
}
