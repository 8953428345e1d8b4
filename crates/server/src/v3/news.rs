//! How much of a notification feed is new to its owner, as the event of its change tells it (feeds-v3 §5, §7).

use std::collections::HashSet;

use domain::{
    Tx,
    filter::Filter,
    v3::{
        feeds, groups,
        marks::{self, Kind, Marks},
        pages::{self, Around, Reader},
        ranking::{self, Interests},
        recipes::Recipe,
        timelines::{Place, Wanted},
    },
};
use ids::{Fid, Timestamp};
use wire::v3::feeds::NotificationStatus;

use super::show::Pen;

/// How much is new.
#[derive(Clone, Copy, Debug)]
pub(super) struct Status {
    unread: usize,
    unseen: usize,
    read_at: Option<Timestamp>,
    seen_at: Option<Timestamp>,
}

impl Status {
    /// Counts it; nothing for a feed that is gone or belongs to nobody.
    ///
    /// # Errors
    /// When the store fails.
    pub(super) async fn load(tx: &mut Tx, fid: &Fid, now: Timestamp) -> domain::Result<Option<Self>> {
        let (Some(feed), Some(group)) = (feeds::get(tx, fid).await?, groups::get(tx, fid.group()).await?) else {
            return Ok(None);
        };
        let Some(owner) = &feed.created_by else { return Ok(None) };
        let marks: Marks = marks::load(tx, owner, &feed.stream).await?;
        let recipe = Recipe::of(&group, now)?;
        let filter = Filter::default();
        let wanted = Wanted { limit: 0, place: Place::First, filter: &filter, viewer: None, without: None, now };
        let moment = ranking::moment(now, 0, None)?;
        let reader = Reader {
            interests: Interests::default(),
            moment,
            marks: &marks,
            suggested: HashSet::new(),
            around: Around::Nowhere,
        };
        let app = tx.app.clone();
        let (unread, unseen) = pages::news(&app, &feed, &recipe, &wanted, &reader).await?;
        Ok(Some(Status { unread, unseen, read_at: marks.last(Kind::Read), seen_at: marks.last(Kind::Seen) }))
    }

    pub(super) fn written(self, pen: Pen<'_>) -> NotificationStatus {
        NotificationStatus {
            unread: self.unread,
            unseen: self.unseen,
            last_read_at: self.read_at.map(|at| pen.time(at)),
            last_seen_at: self.seen_at.map(|at| pen.time(at)),
        }
    }
}
