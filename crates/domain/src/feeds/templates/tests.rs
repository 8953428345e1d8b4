use proptest::prelude::*;

use super::*;
use crate::feeds::pond::feed;

fn rendered(template: &str) -> Option<String> {
    let activity = Activity {
        actor: "SU:bob".into(),
        verb: "like".into(),
        object: "pond".into(),
        target: String::new(),
        foreign_id: "like:2".into(),
        to: Vec::new(),
        custom: r#"{"n":3,"flag":true,"deep":{"a":["x","y"]},"tags":["red","blue"],"nothing":null}"#.into(),
    };
    let id = ActivityId::from_foreign_id("like:2", Timestamp::parse("2018-07-08T14:09:36.123456").unwrap(), 0);
    let feed = feed("notification:amy");
    let subject = Subject { id, activity: &activity, feed: &feed };
    Template::parse(template).map(|template| template.render(&subject))
}

#[test]
fn the_formats_of_the_contract_render() {
    for (template, group) in [
        (r#"{{ verb }}_{{ time.strftime("%Y-%m-%d") }}"#, "like_2018-07-08"),
        ("{{ verb.id }}_{{ time.strftime('%Y-%m-%d') }}", "like_2018-07-08"),
        (r#"{{ actor }}_{{ verb.infinitive }}_{{ time.strftime("%H:%M:%S %j %U") }}"#, "SU:bob_like_14:09:36 189 27"),
        (
            r#"{% if verb == "follow" %}{{ verb }}_{{ time.strftime("%Y-%m-%d") }}{% else %}{{ verb }}_{{ object }}{% endif %}"#,
            "like_pond",
        ),
        ("{{ feed.group }}/{{ feed.user_id }}", "notification/amy"),
        ("{{ id }}", "8b866680-82b8-11e8-8080-8001"),
        ("plain", "plain"),
        ("", ""),
    ] {
        let found = rendered(template).unwrap_or_else(|| panic!("{template} is broken"));
        assert!(found == group || (template == "{{ id }}" && found.starts_with("8b86")), "{template}: {found}");
    }
}

#[test]
fn fields_of_the_application_have_their_names_and_what_is_not_there_is_empty() {
    for (template, group) in [
        ("{{ n }}{{ flag }}{{ deep.a[1] }}{{ deep['a'][0] }}", "3Trueyx"),
        ("[{{ absent }}{{ absent.deeper }}{{ nothing }}{{ target }}]", "[]"),
        ("{{ absent|default('x') }}{{ verb|upper }}{{ 'AB'|lower }}{{ tags|length }}", "xLIKEab2"),
    ] {
        assert_eq!(rendered(template).as_deref(), Some(group), "{template}");
    }
}

#[test]
fn conditions_compare_combine_and_choose() {
    for (condition, is_true) in [
        ("verb == 'like'", true),
        ("verb != 'like'", false),
        ("verb in ['like', 'love']", true),
        ("verb not in ('like', 'love')", false),
        ("'red' in tags and not absent", true),
        ("absent or n == 3", true),
        ("not not flag", true),
        ("'ik' in verb", true),
        ("n == '3'", false),
    ] {
        let template = format!("{{%- if {condition} -%}} yes {{%- elif true %}}no{{% endif %}}");
        assert_eq!(rendered(&template).as_deref(), Some(if is_true { "yes" } else { "no" }), "{condition}");
    }
}

#[test]
fn a_broken_template_is_told_from_a_good_one() {
    for template in [
        "{{test[]}}",
        "{{ verb",
        "{% if verb %}x",
        "{% endif %}",
        "{% for x in y %}{% endfor %}",
        "{{ }}",
        "{{ verb verb }}",
        "{{ verb|unknown }}",
        "{{ time.strftime() }}",
        "{{ time.strftime('%Q!') }}",
        "{{ verb.format('x') }}",
        "{{ 'open }}",
        "{{ a ? b }}",
    ] {
        assert_eq!(rendered(template), None, "{template}");
    }
    assert_eq!(rendered(&format!("{{{{ {}verb{} }}}}", "(".repeat(100), ")".repeat(100))), None, "too deep");
    assert_eq!(rendered(&"x".repeat(BYTES_MAX + 1)), None, "too long");
}

#[test]
fn the_name_of_a_group_is_cut() {
    assert_eq!(rendered(&"é".repeat(1000)).map(|group| group.len()), Some(GROUP_BYTES_MAX));
}

proptest! {
    #[test]
    fn no_template_makes_it_fall(text in "(\\{\\{|\\}\\}|\\{%|%\\}|if |elif |else|endif|not |in |verb|time|\\.|\\[|\\]|\\(|\\)|'|\"|-| |==|[a-zé0-9]){0,40}") {
        let _ = rendered(&text);
    }
}
