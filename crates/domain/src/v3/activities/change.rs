//! Changing what an activity says: whole, or field by field.

use std::collections::BTreeSet;

use ids::{ActivityId, Fid, Timestamp, json::Object};

use super::{Activity, Audience, By, Content, check_feeds, ensure_mentioned, get_any, load, move_to, store_changed};
use crate::{
    Error, Result, Tx,
    custom::Edit,
    feeds::activities::Moment,
    previews,
    translation::Translation,
    v3::{
        permit::{self, Act},
        polls,
    },
};

/// Replaces what the activity `id` says: what `content` does not have is cleared. The feeds stay, if `feeds` is absent.
///
/// # Errors
/// [`Error::Absent`]; [`Error::NotAllowed`] when `by` may not change it; as [`super::add`].
pub async fn update(
    tx: &mut Tx,
    by: By<'_>,
    id: &str,
    content: &Content,
    feeds: Option<&[Fid]>,
    moment: Moment,
) -> Result<(ActivityId, Activity)> {
    let (inner, before) = load(tx, id).await?;
    permit::may_change(tx, &before, by, Act::Update).await?;
    let changed = Activity { content: content.clone(), ..before.clone() };
    store(tx, by, (inner, &before), changed, feeds, moment).await
}

/// Some fields to set, and some to take away.
#[derive(Clone, Debug, Default)]
pub struct Patch {
    /// The fields that are replaced, by their names in the API; their values stand in `content`.
    pub set: BTreeSet<&'static str>,
    /// See [`Patch::set`]; what is cleared is set to the default.
    pub content: Content,
    /// Where it is to be; it stays where it is, if absent.
    pub feeds: Option<Vec<Fid>>,
    /// Changes of the application's own fields.
    pub custom: Edit,
    /// Whether all of them go first.
    pub clears_custom: bool,
}

impl Patch {
    fn apply(&self, content: &mut Content) -> Result<()> {
        let new = self.content.clone();
        for field in &self.set {
            match *field {
                "text" => content.text.clone_from(&new.text),
                "attachments" => content.attachments.clone_from(&new.attachments),
                "visibility" => content.audience = new.audience.clone(),
                "visibility_tag" => {
                    if let Audience::Tag(_) = content.audience {
                        content.audience = new.audience.clone();
                    }
                }
                "restrict_replies" => content.replies = new.replies,
                "location" => content.location = new.location,
                "expires_at" => content.expires_at = new.expires_at,
                "filter_tags" => content.filter_tags.clone_from(&new.filter_tags),
                "interest_tags" => content.interest_tags.clone_from(&new.interest_tags),
                "poll_id" => content.poll.clone_from(&new.poll),
                "mentioned_user_ids" => content.mentioned.clone_from(&new.mentioned),
                "search_data" => content.search_data.clone_from(&new.search_data),
                field => unreachable!("`{field}` is no field that can be set"),
            }
        }
        let mut custom = match self.clears_custom {
            true => Object::default(),
            false => super::record::parsed(&content.custom),
        };
        self.custom.apply(&mut custom)?;
        content.custom = custom.to_string();
        Ok(())
    }
}

/// Changes single fields of the activity `id`; whether anything changed.
///
/// # Errors
/// As [`update`].
pub async fn patch(
    tx: &mut Tx,
    by: By<'_>,
    id: &str,
    patch: &Patch,
    moment: Moment,
) -> Result<(ActivityId, Activity, bool)> {
    let (inner, before) = load(tx, id).await?;
    permit::may_change(tx, &before, by, Act::Update).await?;
    let mut changed = before.clone();
    patch.apply(&mut changed.content)?;
    let stays = patch.feeds.as_ref().is_none_or(|feeds| *feeds == before.feeds);
    if stays && same(&changed.content, &before.content) {
        return Ok((inner, before, false));
    }
    let (inner, changed) = store(tx, by, (inner, &before), changed, patch.feeds.as_deref(), moment).await?;
    Ok((inner, changed, true))
}

/// Whether both say the same; no own fields and an empty object are the same.
fn same(a: &Content, b: &Content) -> bool {
    let plain =
        |content: &Content| Content { custom: super::record::parsed(&content.custom).to_string(), ..content.clone() };
    plain(a) == plain(b)
}

async fn store(
    tx: &mut Tx,
    by: By<'_>,
    (id, before): (ActivityId, &Activity),
    mut changed: Activity,
    feeds: Option<&[Fid]>,
    moment: Moment,
) -> Result<(ActivityId, Activity)> {
    changed.content.keep_translations(&before.content);
    changed.content.check()?;
    if let Some(poll) = changed.content.poll.as_ref().filter(|poll| before.content.poll.as_ref() != Some(poll)) {
        polls::check_attachable(tx, by, poll, moment.now).await?;
    }
    let is_new = |user: &&ids::UserId| !before.content.mentioned.contains(user);
    let mentioned: Vec<_> = changed.content.mentioned.iter().filter(is_new).cloned().collect();
    ensure_mentioned(tx, &mentioned, false, moment.now).await?;
    changed.updated_at = moment.now;
    changed.edited_at = Some(moment.now);
    if let Some(feeds) = feeds {
        check_feeds(feeds)?;
        move_to(tx, by, id, &mut changed, feeds, moment).await?;
    }
    if matches!(&changed.content.audience, Audience::Tag(tag) if tag.is_empty()) {
        return Err(Error::Unfit("visibility_tag is required when visibility is tag".to_owned()));
    }
    store_changed(tx, id, before, &changed, by, moment.now);
    Ok((id, changed))
}

/// Adds a translation to the activity `id`, of which the caller checked who may see it. Nobody edited it:
/// [`Activity::edited_at`] stays.
///
/// # Errors
/// [`Error::Absent`]; [`Error::Unfit`] when it says something else by now; [`Error::TooBig`].
pub(in crate::v3) async fn translate(
    tx: &mut Tx,
    by: By<'_>,
    id: &str,
    translation: &Translation,
    now: Timestamp,
) -> Result<(ActivityId, Activity)> {
    let (inner, before) = load(tx, id).await?;
    translation.check_is_of(before.content.text.as_deref().unwrap_or_default(), &format!("activity '{id}'"))?;
    let mut changed = Activity { updated_at: now, ..before.clone() };
    translation.put_into(&mut changed.content.translations);
    changed.content.check()?;
    store_changed(tx, inner, &before, &changed, by, now);
    Ok((inner, changed))
}

/// Hangs what was found at `link` on the activity `id`, if it still says that link, has no such attachment, and does not
/// become too big. Nobody edited it: [`Activity::edited_at`] stays.
///
/// # Errors
/// When the store fails.
pub async fn add_preview(tx: &mut Tx, id: &str, link: &str, preview: &Object, now: Timestamp) -> Result<()> {
    let Some((inner, before)) = get_any(tx, id).await?.filter(|(_, activity)| activity.deleted_at.is_none()) else {
        return Ok(());
    };
    let mut changed = before.clone();
    let Content { text, attachments, .. } = &mut changed.content;
    if !previews::is_wanted(text.as_deref().unwrap_or_default(), attachments, link) {
        return Ok(());
    }
    attachments.push(preview.to_string());
    if changed.content.check().is_ok() {
        changed.updated_at = now;
        store_changed(tx, inner, &before, &changed, before.user.as_ref(), now);
    }
    Ok(())
}
