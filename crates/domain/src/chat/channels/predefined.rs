//! Filters that an app's owner names once, and callers fill in (chat §7).
//!
//! They stand in the app's setting `predefined_filters`: name → `{"filter":{…},"sort":[…]}`. A text in them that is
//! `{{name}}` stands for a value of the call, whatever its kind; inside of a longer text, for a text.

use ids::{UserId, json::Object};
use serde_json::{Map, Value};

use crate::{Error, Result, settings::Settings};

/// The most predefined filters of an app.
pub const PREDEFINED_MAX: usize = 50;
/// The setting that holds them.
pub const SETTING: &str = "predefined_filters";
/// What stands for the acting user, if the call gives no value of this name.
const ACTOR: &str = "user_id";
/// How deep a template may be nested.
const DEPTH_MAX: usize = 16;

/// A predefined filter as it is stored.
#[derive(Clone, Debug)]
struct Template {
    filter: Map<String, Value>,
    sort: Option<Vec<Value>>,
}

impl Template {
    /// What `json` says; nothing, if it is no template.
    fn parse(json: &str) -> Option<Self> {
        let Ok(Value::Object(mut members)) = serde_json::from_str(json) else { return None };
        let filter = members.remove("filter");
        let sort = members.remove("sort").filter(|sort| !sort.is_null());
        match (filter, sort, members.is_empty()) {
            (Some(Value::Object(filter)), None, true) => Some(Template { filter, sort: None }),
            (Some(Value::Object(filter)), Some(Value::Array(sort)), true) => {
                Some(Template { filter, sort: Some(sort) })
            }
            _ => None,
        }
    }
}

/// A predefined filter that was filled in.
#[derive(Clone, PartialEq, Debug)]
pub struct Predefined {
    /// Its name.
    pub name: String,
    /// The filter: JSON.
    pub filter: String,
    /// The order, if it says one: JSON.
    pub sort: Option<String>,
}

/// What a caller fills in.
#[derive(Clone, Copy, Debug)]
pub struct Values<'a> {
    /// In the filter.
    pub filter: &'a Object,
    /// In the order.
    pub sort: &'a Object,
    /// The acting user.
    pub actor: Option<&'a UserId>,
}

/// Checks what is to be stored as the app's predefined filters.
///
/// # Errors
/// [`Error::Unfit`] when one is not `{"filter":{…},"sort":[…]}`, or they are too many.
pub fn check(filters: &Object) -> Result<()> {
    if filters.len() > PREDEFINED_MAX {
        return Err(Error::Unfit(format!("{SETTING} must hold at most {PREDEFINED_MAX} filters")));
    }
    for (name, json) in filters.iter() {
        let shape = || Error::Unfit(format!("{SETTING}.{name} must be an object with a filter and perhaps a sort"));
        Template::parse(json.get()).ok_or_else(shape)?;
    }
    Ok(())
}

/// The predefined filter `name` with the caller's values in it.
///
/// # Errors
/// [`Error::Absent`] when there is none of this name, [`Error::Unfit`] when a value is missing.
pub fn fill(settings: &Settings, name: &str, values: Values<'_>) -> Result<Predefined> {
    let stored = settings.other(SETTING).and_then(|json| Object::parse(json.get()).ok()).unwrap_or_default();
    let absent = || Error::Absent(format!("Can't find predefined filter with name {name}"));
    let template = stored.get(name).ok_or_else(absent)?;
    let Template { filter, sort } = Template::parse(template.get()).expect("it was checked before it was stored");
    let into = |from: &'static str, object| Fill { from, object, actor: values.actor };
    let filter = into("filter_values", values.filter).value(&Value::Object(filter), 0)?;
    let sort = match sort {
        Some(sort) => Some(into("sort_values", values.sort).value(&Value::Array(sort), 0)?),
        None => None,
    };
    Ok(Predefined { name: name.to_owned(), filter: filter.to_string(), sort: sort.map(|sort| sort.to_string()) })
}

/// Puts values into a template.
struct Fill<'a> {
    from: &'static str,
    object: &'a Object,
    actor: Option<&'a UserId>,
}

impl Fill<'_> {
    fn value(&self, template: &Value, depth: usize) -> Result<Value> {
        if depth > DEPTH_MAX {
            return Err(Error::Unfit(format!("a predefined filter is nested deeper than {DEPTH_MAX}")));
        }
        Ok(match template {
            Value::String(text) => self.text(text)?,
            Value::Array(items) => {
                Value::Array(items.iter().map(|item| self.value(item, depth + 1)).collect::<Result<_>>()?)
            }
            Value::Object(members) => {
                let member = |(name, value): (&String, &Value)| Ok((name.clone(), self.value(value, depth + 1)?));
                Value::Object(members.iter().map(member).collect::<Result<_>>()?)
            }
            other => other.clone(),
        })
    }

    fn text(&self, text: &str) -> Result<Value> {
        if let Some(name) = text.strip_prefix("{{").and_then(|rest| rest.strip_suffix("}}"))
            && !name.contains("{{")
        {
            return self.named(name.trim());
        }
        let (mut filled, mut rest) = (String::new(), text);
        while let Some((before, after)) = rest.split_once("{{") {
            let Some((name, after)) = after.split_once("}}") else { break };
            filled.push_str(before);
            match self.named(name.trim())? {
                Value::String(text) => filled.push_str(&text),
                other => filled.push_str(&other.to_string()),
            }
            rest = after;
        }
        Ok(Value::String(filled + rest))
    }

    fn named(&self, name: &str) -> Result<Value> {
        if let Some(value) = self.object.get(name) {
            return Ok(serde_json::from_str(value.get()).expect("members of an object are JSON"));
        }
        match self.actor.filter(|_| name == ACTOR) {
            Some(actor) => Ok(Value::String(actor.to_string())),
            None => Err(Error::Unfit(format!("{}.{name} is a required field", self.from))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(filters: &str) -> Settings {
        check(&Object::parse(filters).unwrap()).unwrap();
        Settings { others: format!(r#"{{"predefined_filters":{filters}}}"#), ..Settings::default() }
    }

    fn filled(filters: &str, values: &str) -> std::result::Result<String, String> {
        let (values, actor) = (Object::parse(values).unwrap(), UserId::parse("amy").unwrap());
        let values = Values { filter: &values, sort: &Object::default(), actor: Some(&actor) };
        fill(&settings(filters), "f", values).map(|found| found.filter).map_err(|error| error.to_string())
    }

    #[test]
    fn a_placeholder_alone_takes_any_value_and_inside_of_a_text_a_text() {
        let filters = r#"{"f":{"filter":{"a":{"$in":"{{ids}}"},"b":"x-{{n}}-{{s}}"}}}"#;
        let values = r#"{"ids":["p","q"],"n":7,"s":"t"}"#;
        assert_eq!(filled(filters, values).unwrap(), r#"{"a":{"$in":["p","q"]},"b":"x-7-t"}"#);
    }

    #[test]
    fn the_acting_user_fills_in_for_itself_and_other_missing_values_are_named() {
        let own = r#"{"f":{"filter":{"members":{"$in":["{{user_id}}"]}}}}"#;
        assert_eq!(filled(own, "{}").unwrap(), r#"{"members":{"$in":["amy"]}}"#);
        assert_eq!(filled(own, r#"{"user_id":"bob"}"#).unwrap(), r#"{"members":{"$in":["bob"]}}"#);
        let other = r#"{"f":{"filter":{"a":"{{x}}"}}}"#;
        assert_eq!(filled(other, "{}").unwrap_err(), "filter_values.x is a required field");
    }

    #[test]
    fn a_filter_nobody_named_is_absent_and_what_is_none_is_not_stored() {
        assert_eq!(filled("{}", "{}").unwrap_err(), "Can't find predefined filter with name f");
        for wrong in [r#"{"f":{}}"#, r#"{"f":{"filter":[]}}"#, r#"{"f":{"filter":{},"more":1}}"#, r#"{"f":1}"#] {
            assert!(check(&Object::parse(wrong).unwrap()).is_err(), "{wrong}");
        }
    }
}
