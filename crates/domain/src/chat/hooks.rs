//! Where an app's events are sent, and how far each hook has come (chat §13).
//!
//! The settings of the app say which hooks there are ([`crate::settings::hooks`]).

use minicbor::{Decode, Encode};
use store::{Direction, Limit};

use super::events::Event;
use crate::{Error, Result, Tx, keyspace::HOOK_PLACE, settings::hooks::Webhook};

/// The most hooks of an app whose places are read at once: as many as there may be, and that of `webhook_url`.
const HOOKS_MAX: usize = 51;
/// The longest id of a hook, in bytes: a key has a size limit.
const ID_BYTES_MAX: usize = 255;

/// How far a hook's events were taken: a place in the log.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Encode, Decode)]
pub struct Place {
    /// The commit.
    #[n(0)]
    pub stamp: u64,
    /// Which of its events.
    #[n(1)]
    pub index: u16,
}

/// First parts of the names of events that are for sockets alone (chat §10.2).
const FOR_SOCKETS: [&str; 4] = ["ai_indicator", "draft", "poll", "typing"];
/// The others that are for sockets alone.
const ALSO_FOR_SOCKETS: [&str; 4] =
    ["message.delivered", "user.presence.changed", "user.watching.start", "user.watching.stop"];
/// Those of the `notification.` family that are for hooks, too.
const NOTIFICATIONS: [&str; 3] =
    ["notification.mark_unread", "notification.reminder_due", "notification.thread_message_new"];

impl Webhook {
    /// Whether it is sent `event`.
    pub fn takes(&self, event: &Event) -> bool {
        let kind = event.kind.as_str();
        let family = kind.split_once('.').map(|(family, _)| family);
        let is_for_sockets = family.is_some_and(|family| FOR_SOCKETS.contains(&family))
            || ALSO_FOR_SOCKETS.contains(&kind)
            || (family == Some("notification") && !NOTIFICATIONS.contains(&kind));
        let is_asked = || self.kinds.iter().any(|asked| asked == kind || (asked == "*" && family.is_none()));
        !is_for_sockets && (self.kinds.is_empty() || is_asked())
    }
}

/// Notes that these are the hooks of the app, and no others. One that was there keeps its place in the log; a new one
/// begins here.
///
/// # Errors
/// [`Error::Unfit`] when an id is too long; when the store fails.
pub async fn keep(tx: &mut Tx, hooks: &[Webhook]) -> Result<()> {
    let tenant = tx.tenant();
    let before = places(tx).await?;
    for (gone, _) in before.iter().filter(|(id, _)| !hooks.iter().any(|hook| hook.id == *id)) {
        HOOK_PLACE.delete(tx, tenant, gone);
    }
    let here = Place { stamp: tx.stamp().0, index: u16::MAX };
    for new in hooks.iter().filter(|hook| !before.iter().any(|(id, _)| hook.id == *id)) {
        if new.id.len() > ID_BYTES_MAX {
            return Err(Error::Unfit(format!("the id of a hook has at most {ID_BYTES_MAX} bytes")));
        }
        HOOK_PLACE.put(tx, tenant, &new.id, &here);
    }
    Ok(())
}

async fn places(tx: &mut Tx) -> Result<Vec<(String, Place)>> {
    let (tenant, limit) = (tx.tenant(), Limit::rows(HOOKS_MAX));
    let range = HOOK_PLACE.range(tenant);
    Ok(HOOK_PLACE.scan(tx, tenant, range, Direction::Forward, limit).await?.rows)
}

/// How far the hook `id` has come; `None` for one that is gone.
///
/// # Errors
/// When the store fails.
pub async fn place(tx: &mut Tx, id: &str) -> Result<Option<Place>> {
    let tenant = tx.tenant();
    Ok(HOOK_PLACE.get(tx, tenant, &id.to_owned()).await?)
}

/// Notes how far the hook `id` has come, unless it is gone.
///
/// # Errors
/// When the store fails.
pub async fn advance(tx: &mut Tx, id: &str, place: Place) -> Result<()> {
    if self::place(tx, id).await?.is_some() {
        let tenant = tx.tenant();
        HOOK_PLACE.put(tx, tenant, &id.to_owned(), &place);
    }
    Ok(())
}

/// The commit that some hook has come to, and none less far.
///
/// # Errors
/// When the store fails.
pub async fn least(tx: &mut Tx) -> Result<Option<u64>> {
    Ok(places(tx).await?.iter().map(|(_, place)| place.stamp).min())
}

#[cfg(test)]
mod tests {
    use ids::Timestamp;

    use super::*;

    #[test]
    fn a_hook_takes_what_it_asks_for_and_never_what_is_for_sockets() {
        let hook = |kinds: &[&str]| Webhook {
            id: String::new(),
            url: String::new(),
            kinds: kinds.iter().map(|&kind| kind.to_owned()).collect(),
            is_v2: false,
            is_packed: false,
        };
        let takes = |hook: &Webhook, kind| hook.takes(&Event::new(kind, Timestamp::from_micros(0), None));
        for kind in ["message.new", "friend_request", "notification.mark_unread", "user.updated"] {
            assert!(takes(&hook(&[]), kind), "{kind}");
        }
        for kind in ["typing.start", "notification.message_new", "user.presence.changed", "poll.updated"] {
            assert!(!takes(&hook(&[]), kind), "{kind}");
        }
        let some = hook(&["message.new", "*"]);
        assert!(takes(&some, "message.new") && takes(&some, "friend_request") && !takes(&some, "message.updated"));
    }
}
