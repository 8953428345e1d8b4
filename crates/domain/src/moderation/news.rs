//! What hooks are told of moderation (chat §10.2): reports, items of the review queue, appeals.

use ids::{Timestamp, UserId};
use serde_json::json;

use super::{actions::Action, flags::Entity};
use crate::{
    Tx,
    chat::events::{self, Event, Matter},
};

/// Tells of the item `id` of the review queue.
fn tell(tx: &mut Tx, kind: &str, id: &str, action: Option<(&str, &Action)>, more: String, now: Timestamp) {
    let by = action.and_then(|(_, action)| action.user.clone());
    let action = action.map(|(note, action)| (note.to_owned(), action.clone()));
    let event = Event::new(kind, now, None).by(by.as_ref()).with(more);
    events::record(tx, event.on(Matter::Review { item: id.to_owned(), action }));
}

/// Tells that something was reported or found, of which the item `id` is; it is a new one if it is called `fresh`.
pub(super) fn found(tx: &mut Tx, id: &str, fresh: &str, entity: &Entity, now: Timestamp) {
    let kind = if id == fresh { "review_queue_item.new" } else { "review_queue_item.updated" };
    tell(tx, kind, id, None, empty(), now);
    let more = json!({ "content_type": entity.kind, "object_id": entity.id }).to_string();
    events::record(tx, Event::new("moderation.flagged", now, None).with(more));
}

/// Tells that something about the item `id` changed; `action` is what was done about it, if that is why.
pub(super) fn changed(tx: &mut Tx, id: &str, action: Option<(&str, &Action)>, now: Timestamp) {
    tell(tx, "review_queue_item.updated", id, action, empty(), now);
}

/// Tells that a moderator had looked at the item `id`; `of_message` is whether it is about a message.
pub(super) fn reviewed(tx: &mut Tx, id: &str, note: (&str, &Action), of_message: bool) {
    tell(tx, "moderation.mark_reviewed", id, Some(note), empty(), note.1.at);
    if of_message {
        tell(tx, "flag.updated", id, Some(note), empty(), note.1.at);
    }
}

/// Tells the application that it is to do something of its own about the item `id`.
pub(super) fn custom(tx: &mut Tx, id: &str, note: (&str, &Action), (name, options): (&str, &str)) {
    let options: serde_json::Value = serde_json::from_str(options).unwrap_or_default();
    let more = json!({ "action_id": name, "action_options": options }).to_string();
    tell(tx, "moderation.custom_action", id, Some(note), more, note.1.at);
}

/// Tells what became of the appeal `id`: `created`, `accepted` or `rejected`.
pub(super) fn appeal(tx: &mut Tx, what: &str, id: &str, by: Option<&UserId>, now: Timestamp) {
    let event = Event::new(&format!("appeal.{what}"), now, None).by(by);
    events::record(tx, event.on(Matter::Appeal { id: id.to_owned() }));
}

fn empty() -> String {
    "{}".to_owned()
}
