//! What a user has in feeds v3, as the file tells it (v2 §4.2): of others there is nothing but ids.

use domain::{
    exports::subject::FeedRow,
    v3::{
        activities::{Activity, query::visibility},
        comments::Comment,
        feeds::Feed,
    },
};
use ids::{Fid, UserId};
use serde_json::{json, value::RawValue};
use wire::chat::dialect::Dialect;

use super::{raw, time};
use crate::chat::attachments;

/// The row as a JSON object.
pub(super) fn told(row: FeedRow) -> Box<RawValue> {
    match row {
        FeedRow::OwnFeed(fid, feed) => of_feed(&fid, &feed),
        FeedRow::OwnFollow(source, target, follow) => {
            raw(&json!({ "source": source.as_str(), "target": target.as_str(),
            "status": follow.status.name(), "push_preference": if follow.pushes_all { "all" } else { "none" },
            "created_at": time(follow.created_at), "custom": own(&follow.custom().to_string()) }))
        }
        FeedRow::OwnActivity(activity) => of_activity(&activity),
        FeedRow::Comment(id, comment) => of_comment(&id, &comment),
        FeedRow::Given(given, activity) => raw(&json!({ "type": given.kind, "activity_id": activity,
            "comment_id": comment_id(&given.object), "custom": own(&given.reaction.custom),
            "created_at": time(given.reaction.created_at) })),
        FeedRow::Bookmark(saved) => raw(&json!({ "object_type": saved.object.kind(), "object_id": saved.object.id(),
            "folder_id": saved.folder(), "custom": own(&saved.bookmark.custom),
            "created_at": time(saved.bookmark.created_at) })),
        FeedRow::Folder(known) => raw(&json!({ "id": known.id, "name": known.folder.name,
            "custom": own(&known.folder.custom), "created_at": time(known.folder.created_at) })),
        FeedRow::Entry(of, entry) => raw(&json!({ "name": of.name, "id": of.id, "custom": own(&entry.custom),
            "created_at": time(entry.created_at), "deleted_at": entry.deleted_at.map(time) })),
        FeedRow::Membership(fid, member) => raw(&json!({ "fid": fid.as_str(), "role": member.role,
            "status": member.status.name(), "created_at": time(member.created_at),
            "custom": own(&member.custom.to_string()) })),
        FeedRow::Pin(fid, activity, pin) => raw(&json!({ "fid": fid.as_str(), "activity_id": activity,
            "created_at": time(pin.created_at), "updated_at": time(pin.updated_at) })),
        FeedRow::Feedback(activity, said) => raw(&json!({ "activity_id": activity, "hide": said.hides,
            "show_more": said.wants_more, "show_less": said.wants_less, "created_at": time(said.created_at),
            "updated_at": time(said.updated_at) })),
        FeedRow::Noted(fid, kind, is_all, at) => raw(&json!({ "fid": fid.as_str(), "all": is_all,
            "mark": kind.name(), "marked_at": time(at) })),
        FeedRow::Interest(tag, count) => raw(&json!({ "tag": tag, "count": count })),
        // What feeds v1.0 hold is told before.
        _ => RawValue::NULL.to_owned(),
    }
}

/// Own fields as they were sent; an empty object where none were.
fn own(custom: &str) -> Box<RawValue> {
    let custom = if custom.is_empty() { "{}" } else { custom };
    RawValue::from_string(custom.to_owned()).expect("it was parsed before it was stored")
}

fn ids(users: &[UserId]) -> Vec<&str> {
    users.iter().map(UserId::as_str).collect()
}

fn comment_id(object: &domain::v3::objects::Object) -> Option<&str> {
    match object {
        domain::v3::objects::Object::Comment(id) => Some(id),
        domain::v3::objects::Object::Activity(_) => None,
    }
}

fn of_feed(fid: &Fid, feed: &Feed) -> Box<RawValue> {
    raw(&json!({ "fid": fid.as_str(), "name": feed.name, "description": feed.description,
        "visibility": feed.visibility.name(), "filter_tags": feed.filter_tags, "created_at": time(feed.created_at),
        "deleted_at": feed.deleted_at.map(time), "custom": own(&feed.custom) }))
}

fn of_activity(activity: &Activity) -> Box<RawValue> {
    let content = &activity.content;
    raw(&json!({ "id": activity.id, "type": activity.kind, "text": content.text,
        "feeds": activity.feeds.iter().map(Fid::as_str).collect::<Vec<_>>(),
        "attachments": attachments::shown(&content.attachments, Dialect::V2), "custom": own(&content.custom),
        "search_data": own(&content.search_data), "visibility": visibility(&content.audience),
        "filter_tags": content.filter_tags, "interest_tags": content.interest_tags,
        "mentioned_user_ids": ids(&content.mentioned), "location": content.location.map(|at| json!({ "lat": at.lat,
        "lng": at.lng })), "collection_refs": content.collection_refs, "created_at": time(activity.created_at),
        "edited_at": activity.edited_at.map(time), "expires_at": content.expires_at.map(time),
        "deleted_at": activity.deleted_at.map(time) }))
}

fn of_comment(id: &str, comment: &Comment) -> Box<RawValue> {
    raw(&json!({ "id": id, "object_type": domain::v3::objects::ACTIVITY, "object_id": comment.activity,
        "parent_id": comment.parent, "text": comment.text,
        "attachments": attachments::shown(&comment.attachments, Dialect::V2), "custom": own(&comment.custom),
        "mentioned_user_ids": ids(&comment.mentioned), "status": comment.status(), "created_at": time(comment.created_at),
        "edited_at": comment.edited_at.map(time), "deleted_at": comment.deleted_at.map(time) }))
}
