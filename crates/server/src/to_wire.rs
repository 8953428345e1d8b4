//! From what is stored to what clients read.

use std::fmt::Write;

use domain::feeds::{activities::Activity, follows::Relation};
use ids::{ActivityId, FeedId};
use wire::feeds::follows;

mod entities;

pub(crate) use entities::{item, missing, raw, reaction, reactions_by_kind, user};

/// An activity as JSON without its `origin` and closing brace; [`with_origin`] adds both.
///
/// What the application sent goes out as it came in: nothing is parsed.
pub(crate) fn fragment(id: ActivityId, activity: &Activity) -> String {
    let mut json = String::with_capacity(256 + activity.custom.len());
    open(&mut json, id, activity);
    for (name, value) in core(activity) {
        member(&mut json, name, value);
    }
    close(&mut json, activity);
    json
}

/// The members of an activity that can be references.
pub(crate) fn core(activity: &Activity) -> [(&'static str, &str); 4] {
    [("actor", &activity.actor), ("verb", &activity.verb), ("target", &activity.target), ("object", &activity.object)]
}

/// Begins an activity: the brace, the ids and the time.
pub(crate) fn open(json: &mut String, id: ActivityId, activity: &Activity) {
    write!(json, r#"{{"id":"{id}","#).expect("writing to memory does not fail");
    member(json, "foreign_id", &activity.foreign_id);
    write!(json, r#""time":"{}","#, id.time().activity()).expect("writing to memory does not fail");
}

/// Ends an activity before its origin: targets and the application's own fields.
fn close(json: &mut String, activity: &Activity) {
    to(json, &activity.to);
    let custom = &activity.custom[1..activity.custom.len() - 1];
    if custom.is_empty() {
        json.pop();
    } else {
        json.push_str(custom);
    }
}

/// Adds the targets, if there are any.
pub(crate) fn to(json: &mut String, targets: &[FeedId]) {
    if targets.is_empty() {
        return;
    }
    json.push_str(r#""to":["#);
    for (at, target) in targets.iter().enumerate() {
        let comma = if at > 0 { "," } else { "" };
        // Feed ids need no escaping.
        write!(json, r#"{comma}"{target}""#).expect("writing to memory does not fail");
    }
    json.push_str("],");
}

/// Adds a text member and a comma.
pub(crate) fn member(json: &mut String, name: &str, value: &str) {
    raw_member(json, name, &serde_json::to_string(value).expect("a text is JSON"));
}

/// Adds a member whose value is JSON already, and a comma.
pub(crate) fn raw_member(json: &mut String, name: &str, value: &str) {
    let name = serde_json::to_string(name).expect("a text is JSON");
    write!(json, "{name}:{value},").expect("writing to memory does not fail");
}

/// Appends an activity with the feed that brought it.
pub(crate) fn with_origin(json: &mut String, fragment: &str, origin: Option<&FeedId>) {
    json.push_str(fragment);
    json.push_str(r#","origin":"#);
    match origin {
        None => json.push_str("null"),
        Some(feed) => {
            json.push('"');
            json.push_str(feed.as_str());
            json.push('"');
        }
    }
    json.push('}');
}

/// The bytes that [`with_origin`] adds to a fragment.
pub(crate) fn origin_bytes(origin: Option<&FeedId>) -> usize {
    r#","origin":}"#.len() + origin.map_or("null".len(), |feed| feed.as_str().len() + r#""""#.len())
}

/// An activity as the feed that it was posted to shows it.
pub(crate) fn activity(id: ActivityId, activity: &Activity) -> String {
    let mut json = String::new();
    with_origin(&mut json, &fragment(id, activity), None);
    json
}

/// A list of followers or followed.
pub(crate) fn relations(relations: &[Relation]) -> follows::Relations<'_> {
    let results = relations.iter().map(|relation| {
        let at = relation.created_at.rfc3339().to_string();
        let (feed_id, target_id) = (relation.feed.as_str(), relation.target.as_str());
        follows::Relation { feed_id, target_id, created_at: at.clone(), updated_at: at }
    });
    follows::Relations { results: results.collect() }
}

#[cfg(test)]
mod tests {
    use ids::Timestamp;

    use super::*;

    fn stored(custom: &str, to: &[&str]) -> Activity {
        Activity {
            actor: "SU:bob".into(),
            verb: "like".into(),
            object: "a \"quoted\" thing".into(),
            target: String::new(),
            foreign_id: "like:2".into(),
            to: to.iter().map(|feed| FeedId::parse(feed).unwrap()).collect(),
            custom: custom.into(),
        }
    }

    fn id() -> ActivityId {
        ActivityId::from_foreign_id("like:2", Timestamp::parse("2018-07-08T14:09:36.123456").unwrap(), 0)
    }

    #[test]
    fn a_plain_activity_has_exactly_the_keys_of_the_contract() {
        let json: serde_json::Map<String, serde_json::Value> =
            serde_json::from_str(&activity(id(), &stored("{}", &[]))).unwrap();
        let mut keys: Vec<_> = json.keys().map(String::as_str).collect();
        keys.sort_unstable();
        assert_eq!(keys, ["actor", "foreign_id", "id", "object", "origin", "target", "time", "verb"]);
        assert_eq!(json["time"], "2018-07-08T14:09:36.123456");
        assert_eq!(json["object"], "a \"quoted\" thing");
        assert_eq!(json["origin"], serde_json::Value::Null);
    }

    #[test]
    fn custom_fields_and_targets_go_out_as_they_came_in() {
        let json = activity(id(), &stored(r#"{"n":1.00,"deep":{"a":{}}}"#, &["user:1"]));
        assert!(json.contains(r#""to":["user:1"],"n":1.00,"deep":{"a":{}},"origin":null}"#), "{json}");
        assert!(serde_json::from_str::<serde_json::Value>(&json).is_ok(), "{json}");
    }

    #[test]
    fn the_origin_is_the_feed_that_brought_it() {
        let mut json = String::new();
        with_origin(&mut json, &fragment(id(), &stored("{}", &[])), Some(&FeedId::parse("user:amy").unwrap()));
        assert!(json.ends_with(r#","origin":"user:amy"}"#), "{json}");
    }
}
