//! Activities as JSON, kept in memory: a feed page is fragments joined.
//!
//! A fragment carries the stamp of the snapshot that it was made from and is true until its activity changes.

use std::sync::Arc;

use domain::{
    App,
    feeds::views::{Basis, Mark},
    keyspace,
};
use ids::{ActivityId, AppId};
use quick_cache::{Weighter, sync::Cache};
use store::Stamp;

use crate::{error::Result, to_wire};

/// An activity as JSON; see [`to_wire::fragment`].
pub(crate) struct Fragment {
    /// The snapshot that it was made from.
    pub(crate) as_of: Stamp,
    /// What says that the activity changed.
    pub(crate) mark: Mark,
    /// The JSON without its origin and closing brace.
    pub(crate) json: Box<str>,
}

/// Fragments of all apps.
pub(crate) struct Fragments(Cache<(AppId, ActivityId), Arc<Fragment>, Bytes>);

#[derive(Clone)]
struct Bytes;

/// What the cache spends on an entry beside its text.
const OVERHEAD_BYTES: usize = 100;

impl Weighter<(AppId, ActivityId), Arc<Fragment>> for Bytes {
    fn weight(&self, _: &(AppId, ActivityId), fragment: &Arc<Fragment>) -> u64 {
        (OVERHEAD_BYTES + fragment.json.len()) as u64
    }
}

impl Fragments {
    /// At most about `bytes_max` of them.
    pub(crate) fn new(bytes_max: u64) -> Self {
        Fragments(Cache::with_weighter(200_000, bytes_max, Bytes))
    }

    /// The fragments of `ids`, in their order; `None` for an activity that is gone.
    ///
    /// # Errors
    /// When the store fails.
    pub(crate) async fn get_many(&self, app: &App, ids: &[ActivityId]) -> Result<Vec<Option<Arc<Fragment>>>> {
        let mut found: Vec<_> = ids.iter().map(|id| self.get(app, *id)).collect();
        let missing: Vec<usize> = (0..ids.len()).filter(|at| found[*at].is_none()).collect();
        if missing.is_empty() {
            return Ok(found);
        }
        let keys: Vec<_> = missing.iter().map(|at| keyspace::Id(ids[*at])).collect();
        let mut tx = app.snapshot();
        let (as_of, tenant) = (tx.stamp(), tx.tenant());
        let activities = keyspace::ACTIVITY.get_many(&mut tx, tenant, &keys).await?;
        for (at, activity) in missing.into_iter().zip(activities) {
            let Some(activity) = activity else { continue };
            let mark = Mark::activity(app.id, ids[at]);
            let json = to_wire::fragment(ids[at], &activity).into();
            let fragment = Arc::new(Fragment { as_of, mark, json });
            self.0.insert((app.id, ids[at]), fragment.clone());
            found[at] = Some(fragment);
        }
        Ok(found)
    }

    /// What a page goes by that shows the activities `ids` with these fragments, as [`Fragments::get_many`] found them.
    pub(crate) fn basis(app: &App, ids: &[ActivityId], found: &[Option<Arc<Fragment>>]) -> Basis {
        let as_of = found.iter().flatten().map(|fragment| fragment.as_of).min().unwrap_or_default();
        // One that is gone may come again.
        let mark = |(id, fragment): (&ActivityId, &Option<Arc<Fragment>>)| {
            fragment.as_ref().map_or_else(|| Mark::activity(app.id, *id), |fragment| fragment.mark)
        };
        Basis::new(as_of, ids.iter().zip(found).map(mark).collect::<Vec<_>>())
    }

    fn get(&self, app: &App, id: ActivityId) -> Option<Arc<Fragment>> {
        let fragment = self.0.get(&(app.id, id))?;
        app.views.is_as_of(fragment.mark, fragment.as_of).then_some(fragment)
    }
}
