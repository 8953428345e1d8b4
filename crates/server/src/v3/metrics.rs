//! `POST /activities/metrics/track`: what applications count of activities (feeds-v3 §3.3).

use domain::v3::metrics::{self, Counted};
use wire::v3::activities::{Tracked, TrackedAll};

use super::read::{self, Actor};
use crate::{
    chat::{
        error::{Error, Result},
        fields::Fields,
        gate::Call,
    },
    reply::Reply,
};

/// `POST /activities/metrics/track`. What cannot be counted says so in its own result, and the others count.
pub(super) async fn track(call: Call, mut sent: Fields) -> Result<Reply> {
    let actor = Actor::some(&call, &mut sent)?;
    let mut events = Vec::new();
    for mut item in read::batch(&mut sent, "events")? {
        let required = |name: &str| Error::field(&format!("events.{name}"), "is a required field");
        let counted = Counted {
            activity: item.filled("activity_id")?.ok_or_else(|| required("activity_id"))?,
            metric: item.filled("metric")?.ok_or_else(|| required("metric"))?,
            delta: item.number("delta")?.unwrap_or(1),
        };
        counted.check()?;
        events.push(counted);
    }
    let (by, now) = (call.user(), call.moment());
    let run = call.tenant.app.write(async |tx| {
        actor.store(tx, now).await?;
        let mut refused = Vec::with_capacity(events.len());
        for counted in &events {
            refused.push(match metrics::add(tx, by, counted).await {
                Ok(()) => None,
                Err(error @ (domain::Error::Absent(_) | domain::Error::NotAllowed(_))) => Some(error.to_string()),
                Err(error) => return Err(error),
            });
        }
        Ok(refused)
    });
    let refused = run.await?;
    let results = events.iter().zip(&refused).map(|(counted, refused)| Tracked {
        activity_id: &counted.activity,
        metric: &counted.metric,
        allowed: refused.is_none(),
        error: refused.as_deref(),
    });
    call.answer(&TrackedAll { results: results.collect() })
}
