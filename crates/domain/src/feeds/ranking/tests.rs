use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::feeds::{
    activities::Draft,
    pond::{Pond, broken, feed},
};

fn method(score: &str, defaults: Json) -> Result<Method> {
    Method::parse(&json!({ "score": score, "defaults": defaults }).to_string())
}

/// The value of a formula for an activity of a day ago with these fields.
fn value(method: &Method, custom: &Json, external: &Json) -> Result<f64> {
    let activity = Activity { custom: custom.to_string(), ..Activity::from(&Pond::draft("x")) };
    let moment = Moment { now: Pond::at(86_400), seed: 1, external: External::parse(&external.to_string())? };
    let id = ActivityId::from_seed(7, Pond::at(0));
    Ok(method.score(&Scope::new(id, &activity, method, &moment))?.0)
}

fn of(score: &str) -> f64 {
    let method = method(score, json!({ "n": 1, "deep": { "x": 2 }, "external": { "boost": 3 } })).unwrap();
    value(&method, &json!({ "n": 4, "Deep": { "X": 5 }, "when": "1970-01-01T00:00:10Z" }), &json!({})).unwrap()
}

#[test]
fn operators_bind_as_in_mathematics() {
    for (formula, expected) in [
        ("1 + 2 * 3", 7.0),
        ("(1 + 2) * 3", 9.0),
        ("2 ^ 3 ^ 2", 512.0),
        ("-2 ^ 2", -4.0),
        ("7 % 4 - 1", 2.0),
        ("10 / 4 / 5", 0.5),
        ("1 < 2 && 2 <= 2 && !(3 > 4)", 1.0),
        ("1 == 2 || 1 != 1", 0.0),
        ("n > 3 ? 10 : 20", 10.0),
        ("0 ? 1 : 0 ? 2 : 3", 3.0),
        ("1.5e2 + .5", 150.5),
        ("N * deep.x", 20.0),
        ("external.boost", 3.0),
    ] {
        assert!((of(formula) - expected).abs() < 1e-9, "{formula}: {}", of(formula));
    }
}

#[test]
fn functions_are_those_of_the_contract() {
    for (formula, expected) in [
        ("ln(1) + log(1000)", 3.0),
        ("sin(0) + cos(0) + tan(0)", 1.0),
        ("abs(-2) + min(3, 1, 2) + max(1, 2)", 5.0),
        ("trunc(2.9) + round(2.5)", 5.0),
        ("to_unix_timestamp(time) - time", 0.0),
        ("current_time - time", 86_400.0),
        ("round(dist(52.37, 4.89, 48.85, 2.35, 'km'))", 430.0),
    ] {
        assert!((of(formula) - expected).abs() < 2.0, "{formula}: {}", of(formula));
    }
    for formula in ["rand()", "rand(0, 1)", "rand_normal(0, 1, 1, 0)"] {
        assert!((0.0..=1.0).contains(&of(formula)), "{formula}");
    }
}

#[test]
fn decay_is_a_half_at_its_scale_and_can_be_varied() {
    let config = json!({
        "score": "near(n)",
        "defaults": { "n": 0 },
        "functions": { "near": { "base": "decay_gauss", "origin": "100", "scale": "10", "offset": "5", "decay": "0.3" } },
    });
    let near = Method::parse(&config.to_string()).unwrap();
    for (n, expected) in [(100, 1.0), (105, 1.0), (115, 0.3), (85, 0.3)] {
        let found = value(&near, &json!({ "n": n }), &json!({})).unwrap();
        assert!((found - expected).abs() < 1e-9, "{n}: {found}");
    }
    for base in ["linear", "exp", "gauss"] {
        let formula = format!("decay_{base}(current_time - 432000)");
        assert!((of(&formula) - 0.5).abs() < 1e-9, "{base}");
    }
    let right = json!({ "score": "f(n)", "defaults": { "n": 0 }, "functions": { "f": { "base": "decay_linear", "origin": 0, "scale": 10, "direction": "right" } } });
    let right = Method::parse(&right.to_string()).unwrap();
    assert_eq!(value(&right, &json!({ "n": -50 }), &json!({})).unwrap(), 1.0);
    assert_eq!(value(&right, &json!({ "n": 50 }), &json!({})).unwrap(), 0.0);
}

#[test]
fn what_is_missing_has_its_default_and_what_is_handed_in_wins() {
    let method = method("popularity + external.boost", json!({ "popularity": 1, "external": { "boost": 0 } })).unwrap();
    assert_eq!(value(&method, &json!({}), &json!({})).unwrap(), 1.0);
    assert_eq!(value(&method, &json!({ "popularity": 2 }), &json!({ "boost": 10 })).unwrap(), 12.0);
}

#[test]
fn a_method_that_makes_no_sense_is_refused() {
    for score in [
        "",
        "1 +",
        "(1",
        "1)",
        "a b",
        "unknown(1)",
        "ln()",
        "ln(1, 2)",
        "1 ? 2",
        "missing + 1",
        "$",
        "min()",
        "dist(1,2,3,4)",
        "dist(1,2,3,4,parsec)",
        "1..2",
        "'x",
    ] {
        assert!(matches!(method(score, json!({})), Err(Error::Ranking(_))), "{score}");
    }
    assert!(method(&format!("{}1{}", "(".repeat(60), ")".repeat(60)), json!({})).is_err());
    assert!(method(&format!("{}1", "-".repeat(2000)), json!({})).is_err());
    assert!(method("1", json!({ "n": "text" })).is_err());
    assert!(Method::parse(r#"{"score":"f(1)","functions":{"f":{"base":"none"}}}"#).is_err());
    assert!(Method::parse(r#"{"score":"f(1)","functions":{"f":{"base":"decay_exp","decay":2}}}"#).is_err());
}

#[test]
fn a_score_that_is_no_number_is_an_error() {
    for score in ["1 / 0", "1 % 0", "ln(0)", "0 / (1 - 1)", "10 ^ 400"] {
        let method = method(score, json!({})).unwrap();
        assert!(matches!(value(&method, &json!({}), &json!({})), Err(Error::Ranking(_))), "{score}");
    }
}

#[tokio::test]
async fn a_ranked_feed_has_the_highest_score_first_and_pages_by_offset() {
    let pond = Pond::new();
    for (second, n) in [3, 1, 2, 3].into_iter().enumerate() {
        let custom = ids::json::Object::parse(&format!(r#"{{"n":{n}}}"#)).unwrap();
        let time = Some(Pond::at(i64::try_from(second).unwrap()));
        pond.add_draft("user:amy", &Draft { custom, time, ..Pond::draft(&second.to_string()) }).await;
    }
    let method = method("n", json!({ "n": 0 })).unwrap();
    let moment = Moment { now: Pond::at(0), seed: 0, external: External::default() };
    let verbs = async |limit, offset| {
        let (ranked, more) = read(&pond.app, &feed("user:amy"), &method, &moment, limit, offset).await.unwrap();
        (ranked.into_iter().map(|one| one.activity.verb).collect::<Vec<_>>().join(" "), more)
    };
    assert_eq!(verbs(3, 0).await, ("3 0 2".to_owned(), true));
    assert_eq!(verbs(3, 3).await, ("1".to_owned(), false));
    assert!(broken(External::parse("[1]")).contains("object"));
}

proptest! {
    #[test]
    fn no_formula_makes_it_fall(text in "([0-9a-z.]|n|ln|min|rand|time|\\(|\\)|,|\\+|-|\\*|/|\\^|%|<|>|=|!|&|\\||\\?|:|'| |é){0,40}") {
        if let Ok(method) = method(&text, json!({ "n": 1 })) {
            let _ = value(&method, &json!({}), &json!({}));
        }
    }
}
