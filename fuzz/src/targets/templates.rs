//! Aggregation formats (feeds-v1 §7): one that can be read names a group for every activity.
//!
//! An input is a format, an empty line, and an activity's own fields.

use domain::feeds::{
    activities::Activity,
    templates::{Subject, Template},
};
use ids::{ActivityId, FeedId, Timestamp, json::Object};

use crate::Target;

/// The longest name of a group, in bytes.
const GROUP_BYTES_MAX: usize = 1024;

/// The target.
pub const TARGET: Target = Target {
    name: "templates",
    about: "aggregation formats, and the groups that they name",
    words: &[
        "{{ ",
        " }}",
        "{% if ",
        " %}",
        "{% elif ",
        "{% else %}",
        "{% endif %}",
        "{#",
        "#}",
        "verb",
        "verb.id",
        "time",
        "time.strftime(\"%Y-%m-%d\")",
        "strftime('%",
        "actor",
        "feed.group",
        "feed.user_id",
        " == ",
        " != ",
        " in ",
        " not ",
        " and ",
        " or ",
        "|lower",
        "|upper",
        "|default('x')",
        "((",
        "\"",
        "'",
        "%j",
        "%U",
        "[0]",
    ],
    changed_seeds: 20_000,
    run,
};

fn run(input: &[u8]) {
    let Some([format, custom]) = super::parts(input) else { return };
    let Some(template) = Template::parse(format) else { return };
    let custom = Object::parse(custom).map_or_else(|_| "{}".to_owned(), |_| custom.to_owned());
    let activity = Activity {
        actor: "SU:amy".into(),
        verb: "post".into(),
        object: "fish".into(),
        target: String::new(),
        foreign_id: "fish:1".into(),
        to: Vec::new(),
        custom,
    };
    let id = ActivityId::from_foreign_id("fish:1", Timestamp::from_micros(1_600_000_000_123_456), 0);
    let feed = FeedId::parse("aggregated:amy").unwrap();
    let subject = Subject { id, activity: &activity, feed: &feed };
    let group = template.render(&subject);
    assert!(group.len() <= GROUP_BYTES_MAX, "a group is named with {} bytes", group.len());
    assert_eq!(template.render(&subject), group, "the group depends on more than the activity");
}
