use std::{borrow::Cow, cmp::Ordering};

use ids::{Timestamp, json::Object};
use proptest::prelude::*;

use super::*;
use crate::Error;

const SCHEMA: Schema = Schema {
    fields: &[
        Field::new("id", Kind::Text),
        Field::new("name", Kind::Text),
        Field::new("teams", Kind::List).only(&[Operator::Eq, Operator::In, Operator::Contains]),
        Field::new("banned", Kind::Bool),
        Field::new("member_count", Kind::Number),
        Field::new("created_at", Kind::Time),
        Field::new("last_active", Kind::Time),
    ],
    has_custom: true,
};

#[derive(Clone, Debug)]
struct Duck {
    id: String,
    teams: Vec<String>,
    custom: Object,
}

impl Row for Duck {
    fn id(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.id)
    }

    fn value(&self, field: &str) -> Value<'_> {
        match field {
            "id" => Value::text(&self.id),
            "name" => Value::text("John Mc-Duck of Duckburg"),
            "teams" => Value::texts(&self.teams),
            "banned" => Value::Bool(false),
            "member_count" => Value::Integer(3),
            "created_at" => Value::Time(Timestamp::parse("2024-01-01T00:00:00Z").unwrap()),
            "last_active" => Value::Null,
            _ => custom(&self.custom, field),
        }
    }
}

fn duck() -> Duck {
    let custom = r#"{"color":"red","n":2,"f":1.5,"tags":["a","b"],"detail":{"topic":"x","deep":{"k":true}},
        "since":"2024-01-01T01:00:00+01:00","legs":[{"side":"left"},{"side":"right"}],"nothing":null}"#;
    Duck {
        id: "donald".to_owned(),
        teams: vec!["blue".to_owned(), "red".to_owned()],
        custom: Object::parse(custom).unwrap(),
    }
}

#[track_caller]
fn fits(filter: &str) -> bool {
    Filter::parse(filter, SCHEMA).unwrap_or_else(|error| panic!("{filter}: {error}")).fits(&duck())
}

fn fault(filter: &str) -> String {
    match Filter::parse(filter, SCHEMA) {
        Err(Error::Unfit(text)) => text,
        other => panic!("{filter}: {other:?}"),
    }
}

#[test]
fn a_bare_value_is_equality_and_several_operators_are_anded() {
    assert!(fits(r#"{"id":"donald"}"#) && fits(r#"{"id":{"$eq":"donald"}}"#) && !fits(r#"{"id":"daisy"}"#));
    assert!(fits(r#"{"member_count":{"$gt":2,"$lt":4}}"#) && !fits(r#"{"member_count":{"$gt":2,"$lt":3}}"#));
    assert!(fits("{}") && fits("") && fits("null") && fits("[]"));
    assert!(fits(r#"{"id":{"$ne":"daisy"},"banned":false}"#) && !fits(r#"{"id":"donald","banned":true}"#));
}

#[test]
fn null_is_what_is_not_set() {
    assert!(fits(r#"{"last_active":null}"#) && !fits(r#"{"created_at":null}"#));
    assert!(fits(r#"{"created_at":{"$ne":null}}"#) && fits(r#"{"nothing":null}"#) && fits(r#"{"no_such":null}"#));
    assert!(fits(r#"{"last_active":{"$exists":false}}"#) && fits(r#"{"color":{"$exists":true}}"#));
    assert!(fits(r#"{"no_such":{"$ne":1}}"#) && !fits(r#"{"no_such":{"$gt":1}}"#));
}

#[test]
fn lists_intersect_contain_and_equal_as_sets() {
    assert!(fits(r#"{"teams":{"$in":["red","green"]}}"#) && !fits(r#"{"teams":{"$in":["green"]}}"#));
    assert!(fits(r#"{"teams":{"$contains":"red"}}"#) && fits(r#"{"teams":"blue"}"#));
    assert!(fits(r#"{"teams":["red","blue"]}"#) && !fits(r#"{"teams":["red"]}"#));
    assert!(fits(r#"{"tags":{"$contains":"a"}}"#) && fits(r#"{"tags":{"$nin":["c"]}}"#));
    assert!(
        !fits(r#"{"color":{"$contains":"red"}}"#) && !fits(r#"{"id":{"$in":[]}}"#) && fits(r#"{"id":{"$nin":[]}}"#)
    );
}

#[test]
fn times_compare_as_times_in_text_and_in_numbers() {
    assert!(fits(r#"{"created_at":"2024-01-01T01:00:00+01:00"}"#));
    assert!(fits(r#"{"created_at":1704067200000000000}"#) && fits(r#"{"created_at":{"$lte":1704067200}}"#));
    assert!(fits(r#"{"created_at":{"$gt":"2023-12-31T23:59:59.999999Z"}}"#));
    assert!(!fits(r#"{"last_active":{"$lt":"2030-01-01T00:00:00Z"}}"#));
    assert!(fits(r#"{"since":{"$lt":"2024-01-01T00:30:00Z"}}"#));
    assert!(fault(r#"{"created_at":{"$gt":"soon"}}"#).contains("created_at"));
}

#[test]
fn custom_fields_are_named_bare_below_custom_or_by_a_path() {
    assert!(fits(r#"{"color":"red","custom.color":"red","n":2.0,"f":{"$lt":2}}"#));
    assert!(fits(r#"{"detail.topic":"x","custom.detail.deep.k":true,"detail.deep":{"k":true}}"#));
    assert!(fits(r#"{"legs.side":"left"}"#) && !fits(r#"{"legs.side":"top"}"#) && !fits(r#"{"detail.none":"x"}"#));
}

#[test]
fn words_are_found_whole_or_by_their_beginning() {
    assert!(fits(r#"{"name":{"$autocomplete":"duc"}}"#) && fits(r#"{"name":{"$autocomplete":"JOHN mc"}}"#));
    assert!(!fits(r#"{"name":{"$autocomplete":"uck"}}"#));
    assert!(fits(r#"{"name":{"$q":"duckburg"}}"#) && !fits(r#"{"name":{"$q":"duckb"}}"#));
    assert!(!has_words("supercalifragilisticexpialidocious", "cious"));
}

#[test]
fn filters_are_joined_by_and_or_and_nor() {
    assert!(fits(r#"{"$or":[{"id":"daisy"},{"color":"red"}]}"#) && !fits(r#"{"$or":[{"id":"daisy"}]}"#));
    assert!(fits(r#"{"$nor":[{"id":"daisy"}]}"#) && !fits(r#"{"$nor":[{"id":"daisy"},{"color":"red"}]}"#));
    assert!(!fits(r#"{"$and":[{"id":"donald"},{"$or":[{"n":1},{"n":3}]}]}"#));
}

#[test]
fn what_is_wrong_is_told_with_the_field_and_the_operator() {
    assert!(fault(r#"{"teams":{"$gt":"a"}}"#).contains("`teams` does not support the operator $gt"));
    assert!(fault(r#"{"id":{"$like":"a"}}"#).contains("$like") && fault(r#"{"$xor":[]}"#).contains("$xor"));
    for filter in [
        r#"{"id":{"$in":"donald"}}"#,
        r#"{"id":5}"#,
        r#"{"banned":"yes"}"#,
        r#"{"member_count":"three"}"#,
        r#"{"id":{"$exists":1}}"#,
        r#"{"name":{"$autocomplete":""}}"#,
        r#"{"color":{"$gt":[1]}}"#,
        r#"{"$or":[]}"#,
        r#"{"$or":{"id":"a"}}"#,
        r#"{"$and":[1]}"#,
        "[1]",
        "{",
        "7",
    ] {
        assert!(!fault(filter).is_empty(), "{filter}");
    }
    let closed = Schema { has_custom: false, ..SCHEMA };
    assert!(Filter::parse(r#"{"color":"red"}"#, closed).is_err_and(|error| error.to_string().contains("`color`")));
}

#[test]
fn depth_conditions_and_values_have_limits() {
    let nested = |depth: usize| format!("{}{{\"id\":\"a\"}}{}", r#"{"$and":["#.repeat(depth), "]}".repeat(depth));
    assert!(Filter::parse(&nested(DEPTH_MAX), SCHEMA).is_ok());
    assert!(fault(&nested(DEPTH_MAX + 1)).contains("deeper"));
    assert!(Filter::parse(&nested(100_000), SCHEMA).is_err());
    let wide = vec![r#"{"id":"a"}"#; CLAUSES_MAX].join(",");
    assert!(fault(&format!(r#"{{"$or":[{wide}]}}"#)).contains("conditions"));
    let many = vec!["\"a\""; VALUES_MAX + 1].join(",");
    assert!(fault(&format!(r#"{{"id":{{"$in":[{many}]}}}}"#)).contains("values"));
}

#[test]
fn an_empty_condition_only_mentions_the_field() {
    let filter = Filter::parse(r#"{"$and":[{"teams":{}}]}"#, SCHEMA).unwrap();
    assert!(filter.fits(&duck()) && filter.mentions("teams") && !filter.mentions("id"));
}

#[test]
fn the_keys_that_can_fit_are_known_when_the_filter_says_so() {
    let only = |filter: &str| {
        let filter = Filter::parse(filter, SCHEMA).unwrap();
        filter.only("id").map(|ids| ids.into_iter().collect::<Vec<_>>().join(","))
    };
    assert_eq!(only(r#"{"id":"a","color":"red"}"#).as_deref(), Some("a"));
    assert_eq!(only(r#"{"id":{"$in":["b","a","b"]}}"#).as_deref(), Some("a,b"));
    assert_eq!(only(r#"{"$and":[{"id":{"$in":["a","b"]}},{"id":{"$in":["b","c"]}}]}"#).as_deref(), Some("b"));
    assert_eq!(only(r#"{"$or":[{"id":"a"},{"id":"b"}]}"#).as_deref(), Some("a,b"));
    for open in [r#"{"$or":[{"id":"a"},{"n":1}]}"#, r#"{"id":{"$gt":"a"}}"#, r#"{"$nor":[{"id":"a"}]}"#, "{}"] {
        assert_eq!(only(open), None, "{open}");
    }
}

fn row(id: &str, custom: &str) -> Duck {
    Duck { id: id.to_owned(), teams: Vec::new(), custom: Object::parse(custom).unwrap() }
}

fn sorted(sort: &str, rows: &[(&str, &str)]) -> String {
    let mut rows: Vec<Duck> = rows.iter().map(|(id, custom)| row(id, custom)).collect();
    Sort::parse(sort).unwrap().apply(&mut rows);
    rows.iter().map(|row| row.id.as_str()).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_sort_is_a_list_of_fields_a_map_or_a_list_of_maps() {
    let parsed = |text: &str| Sort::parse(text).unwrap();
    let by = Sort::by(&["-name", "id"]);
    assert_eq!(parsed(r#"[{"field":"name","direction":-1},{"field":"id"}]"#), by);
    assert_eq!(parsed(r#"{"direction":-1,"field":"name"},{"field":"id","direction":1}"#), by);
    assert_eq!(parsed(r#"{"name":-1,"id":1}"#).0.len(), 2);
    assert_eq!(parsed(r#"[{"name":-1},{"id":1}]"#), by);
    assert_eq!([parsed(""), parsed("null"), parsed("[]"), parsed("{}")], [const { Sort(Vec::new()) }; 4]);
    assert_eq!(parsed("[]").or(&["-name", "id"]), by);
    for text in ["[1]", "7", r#"[{"field":""}]"#, r#"[{"field":"a","direction":2}]"#, r#"[{"field":"a","type":"x"}]"#] {
        assert!(Sort::parse(text).is_err(), "{text}");
    }
    assert!(by.check(&["id"]).is_err_and(|error| error.to_string().contains("`name`")));
}

#[test]
fn nothing_comes_first_ascending_and_last_descending_and_ties_go_by_id() {
    let rows = [("c", r#"{"n":2}"#), ("b", "{}"), ("a", r#"{"n":2}"#), ("d", r#"{"n":10}"#)];
    assert_eq!(sorted(r#"{"n":1}"#, &rows), "b a c d");
    assert_eq!(sorted(r#"{"n":-1}"#, &rows), "d a c b");
    assert_eq!(sorted("", &rows), "a b c d");
    let texts = [("a", r#"{"n":"10"}"#), ("b", r#"{"n":"9"}"#)];
    assert_eq!(sorted(r#"{"n":1}"#, &texts), "a b");
    assert_eq!(sorted(r#"[{"field":"n","type":"number"}]"#, &texts), "b a");
}

#[test]
fn a_cursor_keeps_the_sort_of_the_first_page() {
    let rows = || (0..5).map(|n| row(&n.to_string(), &format!(r#"{{"n":{}}}"#, n / 2))).collect::<Vec<_>>();
    let ids = |page: &Page<Duck>| page.rows.iter().map(|row| row.id.as_str()).collect::<Vec<_>>().join(" ");
    let first = page(rows(), &Sort::by(&["-n"]), None, 2);
    assert_eq!((ids(&first).as_str(), first.prev.is_none()), ("4 2", true));
    let cursor = Cursor::parse(&first.next.unwrap()).unwrap();
    let second = page(rows(), &Sort::by(&["n"]), Some(&cursor), 2);
    assert_eq!(ids(&second), "3 0");
    let back = Cursor::parse(second.prev.as_deref().unwrap()).unwrap();
    assert_eq!(ids(&page(rows(), &Sort::default(), Some(&back), 2)), "4 2");
    let last = page(rows(), &Sort::default(), Some(&Cursor::parse(second.next.as_deref().unwrap()).unwrap()), 2);
    assert_eq!((ids(&last).as_str(), last.next), ("1", None));
    assert!(page(rows(), &Sort::default(), None, 5).next.is_none());
    for text in ["", "nonsense", "e30", &"a".repeat(100_000)] {
        assert!(Cursor::parse(text).is_err(), "{}", text.len());
    }
}

fn any_json() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("{}".to_owned()),
        Just(r#"{"n":null}"#.to_owned()),
        (-3_i64..3).prop_map(|n| format!(r#"{{"n":{n}}}"#)),
        (-3_i64..3).prop_map(|n| format!(r#"{{"n":{n}.5}}"#)),
        "[a-c]{0,2}".prop_map(|text| format!(r#"{{"n":"{text}"}}"#)),
        any::<bool>().prop_map(|flag| format!(r#"{{"n":{flag}}}"#)),
        (0_u8..3).prop_map(|day| format!(r#"{{"n":"2024-01-0{}T00:00:00Z"}}"#, day + 1)),
        (0_u8..3).prop_map(|n| format!(r#"{{"n":[{n},"a"]}}"#)),
        (0_u8..3).prop_map(|n| format!(r#"{{"n":{{"k":{n}}}}}"#)),
    ]
}

proptest! {
    #[test]
    fn parsing_anything_never_fails_badly(text in "[\\[{}\\]\":,$a-z0-9]{0,40}") {
        let _ = Filter::parse(&text, SCHEMA);
        let _ = Sort::parse(&text);
        let _ = Cursor::parse(&text);
    }

    #[test]
    fn a_sort_is_a_total_order(values in prop::collection::vec(any_json(), 3), kind in 0_usize..3, desc: bool) {
        let kind = [None, Some(Kind::Number), Some(Kind::Bool)][kind];
        let sort = Sort(vec![Key { field: "n".to_owned(), is_descending: desc, kind }]);
        let rows: Vec<Duck> = values.iter().enumerate().map(|(n, value)| row(&n.to_string(), value)).collect();
        for a in &rows {
            for b in &rows {
                prop_assert_eq!(sort.compare(a, b), sort.compare(b, a).reverse());
                for c in &rows {
                    if sort.compare(a, b) != Ordering::Greater && sort.compare(b, c) != Ordering::Greater {
                        prop_assert_ne!(sort.compare(a, c), Ordering::Greater);
                    }
                }
            }
        }
    }

    #[test]
    fn pages_show_every_row_once_in_order(values in prop::collection::vec(any_json(), 0..20), limit in 1_usize..5, desc: bool) {
        let sort = Sort::by(&[if desc { "-n" } else { "n" }]);
        let rows: Vec<Duck> = values.iter().enumerate().map(|(n, value)| row(&format!("{n:02}"), value)).collect();
        let mut whole = rows.clone();
        sort.apply(&mut whole);
        let (mut seen, mut cursor) = (Vec::new(), None);
        for _ in 0..=rows.len() {
            let part = page(rows.clone(), &sort, cursor.as_ref(), limit);
            seen.extend(part.rows.into_iter().map(|row| row.id));
            cursor = part.next.map(|next| Cursor::parse(&next).unwrap());
            if cursor.is_none() {
                break;
            }
        }
        prop_assert_eq!(seen, whole.into_iter().map(|row| row.id).collect::<Vec<_>>());
    }

    #[test]
    fn what_only_says_holds_for_every_row_that_fits(ids in prop::collection::vec("[a-c]", 1..3), own in "[a-d]", n in 0_u8..3) {
        let list = serde_json::to_string(&ids).unwrap();
        for filter in [
            format!(r#"{{"id":{{"$in":{list}}}}}"#),
            format!(r#"{{"$or":[{{"id":{{"$in":{list}}},"n":{n}}},{{"id":"a"}}]}}"#),
            format!(r#"{{"$and":[{{"n":{n}}},{{"id":{{"$in":{list}}}}}]}}"#),
        ] {
            let filter = Filter::parse(&filter, SCHEMA).unwrap();
            if filter.fits(&row(&own, r#"{"n":1}"#)) {
                prop_assert!(filter.only("id").is_some_and(|only| only.contains(own.as_str())));
            }
        }
    }
}
