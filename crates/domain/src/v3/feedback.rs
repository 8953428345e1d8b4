//! What users say of activities to whoever ranks for them: hide it, more like it, less like it (feeds-v3 §3.3).
//!
//! It is its user's alone. Nobody else is shown it, and it goes with the user and with the activity.

use ids::{ActivityId, Timestamp, UserId};
use minicbor::{Decode, Encode};
use store::{Direction, Limit};

use super::{
    activities::{self, By},
    events::{self, Event},
    owned::{self, Kind},
    permit, pins,
};
use crate::{
    Result, Tx,
    keyspace::{Id, V3_FEEDBACK},
    users,
};

/// What a user said of an activity.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Feedback {
    /// Whether it is hidden from the user.
    #[n(0)]
    pub hides: bool,
    /// Whether the user wants more like it.
    #[n(1)]
    pub wants_more: bool,
    /// Whether the user wants less like it.
    #[n(2)]
    pub wants_less: bool,
    /// Since when.
    #[n(3)]
    pub created_at: Timestamp,
    /// When it last changed.
    #[n(4)]
    pub updated_at: Timestamp,
}

/// What a call says; what is absent stays as it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Change {
    /// See [`Feedback::hides`].
    pub hide: Option<bool>,
    /// See [`Feedback::wants_more`].
    pub show_more: Option<bool>,
    /// See [`Feedback::wants_less`].
    pub show_less: Option<bool>,
}

/// One thing that was said, as an event tells it.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Said {
    /// By whom.
    #[n(0)]
    pub user: UserId,
    /// `hide`, `show_more` or `show_less`.
    #[n(1)]
    pub action: String,
    /// Whether so, or no longer.
    #[n(2)]
    pub value: bool,
    /// Since when there is feedback of the user.
    #[n(3)]
    pub created_at: Timestamp,
    /// When this was said.
    #[n(4)]
    pub updated_at: Timestamp,
}

/// Notes what `user` says of the activity `id`.
///
/// # Errors
/// [`crate::Error::Absent`] when there is none; [`crate::Error::NotAllowed`] when `by` does not see it.
pub async fn give(tx: &mut Tx, by: By<'_>, id: &str, user: &UserId, change: Change, now: Timestamp) -> Result<()> {
    let (inner, activity) = activities::load(tx, id).await?;
    permit::may_see(tx, &activity, by).await?;
    users::ensure(tx, user, now).await?;
    let Change { hide, show_more, show_less } = change;
    if change == Change::default() {
        return Ok(());
    }
    let (tenant, key) = (tx.tenant(), (Id(inner), user.to_string()));
    let known = V3_FEEDBACK.get(tx, tenant, &key).await?;
    let before = known.unwrap_or(Feedback {
        hides: false,
        wants_more: false,
        wants_less: false,
        created_at: now,
        updated_at: now,
    });
    // Wanting more and wanting less exclude each other: what is said last counts.
    let feedback = Feedback {
        hides: hide.unwrap_or(before.hides),
        wants_more: show_more.unwrap_or(before.wants_more && show_less != Some(true)),
        wants_less: show_less.unwrap_or(before.wants_less && show_more != Some(true)),
        updated_at: now,
        ..before
    };
    V3_FEEDBACK.put(tx, tenant, &key, &feedback);
    owned::put(tx, user, Kind::Note, &activity.id);
    for (action, value) in [("hide", hide), ("show_more", show_more), ("show_less", show_less)] {
        let Some(value) = value else { continue };
        let subject = super::events::Subject::default().about(inner, &activity);
        let mut event = Event::new("feeds.activity.feedback", now, subject).by(Some(user));
        event.subject.feedback = Some(Box::new(Said {
            user: user.clone(),
            action: action.to_owned(),
            value,
            created_at: feedback.created_at,
            updated_at: now,
        }));
        events::record(tx, event);
    }
    Ok(())
}

/// What `user` said of the activities `ids`, in their order.
///
/// # Errors
/// When the store fails.
pub async fn of_user(tx: &mut Tx, user: &UserId, ids: &[ActivityId]) -> Result<Vec<Option<Feedback>>> {
    let tenant = tx.tenant();
    let keys: Vec<_> = ids.iter().map(|id| (Id(*id), user.to_string())).collect();
    Ok(V3_FEEDBACK.get_many(tx, tenant, &keys).await?)
}

/// Forgets what was said of an activity, which goes for good, as far as `budget` goes; whether that was all.
pub(super) async fn clear(tx: &mut Tx, inner: ActivityId, id: &str, budget: &mut usize) -> Result<bool> {
    let tenant = tx.tenant();
    let range = V3_FEEDBACK.prefix(tenant, &Id(inner));
    let page = V3_FEEDBACK.scan(tx, tenant, range, Direction::Forward, Limit::rows((*budget).max(1))).await?;
    *budget = budget.saturating_sub(page.rows.len());
    for (key, _) in &page.rows {
        V3_FEEDBACK.delete(tx, tenant, key);
        if let Ok(user) = UserId::parse(&key.1) {
            owned::remove(tx, &user, Kind::Note, id);
        }
    }
    Ok(!page.more)
}

/// Forgets some of what `user` said, and that what is pinned was pinned by the user, at most `max`; whether that was all.
pub(crate) async fn forget(tx: &mut Tx, user: &UserId, max: usize) -> Result<bool> {
    let tenant = tx.tenant();
    let ids = owned::list(tx, user, Kind::Note, "", max).await?;
    for id in &ids {
        if let Some(inner) = activities::find(tx, id).await? {
            V3_FEEDBACK.delete(tx, tenant, &(Id(inner), user.to_string()));
        }
        pins::disown(tx, id).await?;
        owned::remove(tx, user, Kind::Note, id);
    }
    Ok(ids.len() < max)
}

#[cfg(test)]
mod tests;
