//! The groups that every app has (feeds-v3 §3.1).

use ids::Timestamp;

use super::{CURRENT_FEED, FOLLOWING, Group, Selector};

/// Their names.
pub const NAMES: [&str; 6] = ["foryou", "notification", "stories", "story", "timeline", "user"];

const NOTIFICATIONS: &str = "{{ target_id }}_{{ type }}_{{ time.strftime('%Y-%m-%d') }}";
const STORIES: &str = r#"{"track_watched":true,"skip_watched":false}"#;

/// The built-in group `name`, as it is until somebody changes it.
pub(super) fn get(name: &str) -> Option<Group> {
    let of = |kinds: &[&str]| Group {
        selectors: Some(kinds.iter().map(|kind| Selector::new(kind)).collect()),
        created_at: Some(Timestamp::from_micros(0)),
        updated_at: Some(Timestamp::from_micros(0)),
        ..Group::default()
    };
    let aggregation = |format: &str| Some(serde_json::json!({ "format": format }).to_string());
    Some(match name {
        "user" => of(&[CURRENT_FEED]),
        "timeline" => of(&[FOLLOWING]),
        "foryou" => Group {
            ranking: Some(r#"{"type":"expression","score":"decay_linear(time) * (popularity + 1)"}"#.to_owned()),
            ..of(&[FOLLOWING, "popular"])
        },
        "notification" => Group {
            aggregation: aggregation(NOTIFICATIONS),
            notification: Some(r#"{"track_seen":true,"track_read":true,"deduplication_window":""}"#.to_owned()),
            ..of(&[CURRENT_FEED])
        },
        "story" => Group { stories: Some(STORIES.to_owned()), ..of(&[CURRENT_FEED]) },
        "stories" => {
            Group { aggregation: aggregation("{{ user_id }}"), stories: Some(STORIES.to_owned()), ..of(&[FOLLOWING]) }
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_name_has_a_group() {
        assert!(NAMES.into_iter().all(|name| get(name).is_some()) && get("other").is_none());
    }
}
