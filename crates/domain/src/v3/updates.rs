//! Telling that what a notification feed or a feed of stories counts is another (feeds-v3 §5, §7).

use ids::{Fid, Timestamp, UserId};

use super::{
    events::{self, Event},
    groups,
};
use crate::{Result, Tx};

/// The event of feeds that count what is unread and unseen.
pub const NOTIFICATIONS: &str = "feeds.notification_feed.updated";
/// The event of feeds of stories.
pub const STORIES: &str = "feeds.stories_feed.updated";

/// Tells whoever watches the feed, if its group keeps such counts.
///
/// # Errors
/// When the store fails.
pub(super) async fn tell(tx: &mut Tx, fid: &Fid, by: Option<&UserId>, now: Timestamp) -> Result<()> {
    let Some(group) = groups::get(tx, fid.group()).await? else { return Ok(()) };
    for (kind, is_kept) in [(NOTIFICATIONS, group.notification.is_some()), (STORIES, group.stories.is_some())] {
        if is_kept {
            events::record(tx, Event::in_feed(kind, fid, now).by(by));
        }
    }
    Ok(())
}
