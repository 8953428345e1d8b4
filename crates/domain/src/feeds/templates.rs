//! Aggregation formats: the template that says to which group of an aggregated feed an activity belongs (feeds-v1 §7).
//!
//! A small part of Jinja: text, `{{ expression }}`, `{% if %}…{% elif %}…{% else %}…{% endif %}`, `{# remark #}`. A
//! template is parsed once and cannot loop, so its cost is bounded by its length.

use ids::{ActivityId, FeedId, Timestamp};
use serde_json::Value as Json;

use super::activities::Activity;

mod parse;

/// The longest template, in bytes.
pub const BYTES_MAX: usize = 4096;
/// The longest name of a group, in bytes; what is beyond is cut.
const GROUP_BYTES_MAX: usize = 1024;

/// A template that was understood.
#[derive(Debug)]
pub struct Template(Vec<Node>);

#[derive(Debug)]
enum Node {
    Text(String),
    Show(Expression),
    /// Condition and what it shows, for each branch; then what else is shown.
    If(Vec<(Expression, Vec<Node>)>, Vec<Node>),
}

#[derive(Debug)]
enum Expression {
    Constant(Value),
    List(Vec<Expression>),
    /// A field of the activity.
    Name(String),
    /// A member of a value.
    Member(Box<Expression>, Box<Expression>),
    Strftime(Box<Expression>, String),
    Lower(Box<Expression>),
    Upper(Box<Expression>),
    Length(Box<Expression>),
    /// The first, or the second if the first is not there.
    Default(Box<Expression>, Box<Expression>),
    Equal(Box<Expression>, Box<Expression>),
    In(Box<Expression>, Box<Expression>),
    Not(Box<Expression>),
    And(Box<Expression>, Box<Expression>),
    Or(Box<Expression>, Box<Expression>),
}

#[derive(Clone, PartialEq, Debug)]
enum Value {
    Undefined,
    Time(Timestamp),
    /// The verb: a text whose `id` and `infinitive` are itself.
    Verb(String),
    /// The feed that is read.
    Feed(FeedId),
    Json(Json),
    List(Vec<Value>),
}

/// What a template is applied to.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The activity's id.
    pub id: ActivityId,
    /// The activity.
    pub activity: &'a Activity,
    /// The feed in which it stands.
    pub feed: &'a FeedId,
}

impl Template {
    /// Reads a template; `None` when it has syntax errors.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > BYTES_MAX {
            return None;
        }
        parse::nodes(text).map(Template)
    }

    /// The name of the group to which `subject` belongs.
    pub fn render(&self, subject: &Subject<'_>) -> String {
        let custom: Json = serde_json::from_str(&subject.activity.custom).unwrap_or(Json::Null);
        self.render_with(&|name| subject.field(name, &custom))
    }

    /// The name of the group to which something belongs that happened at `time` and has these `fields`, a JSON object.
    pub fn render_fields(&self, time: Timestamp, fields: &Json) -> String {
        self.render_with(&|name| match name {
            "time" => Value::Time(time),
            _ => fields.get(name).map_or(Value::Undefined, |value| Value::Json(value.clone())),
        })
    }

    fn render_with(&self, field: &dyn Fn(&str) -> Value) -> String {
        let mut out = String::new();
        Scope { field }.render(&self.0, &mut out);
        let mut end = out.len().min(GROUP_BYTES_MAX);
        while !out.is_char_boundary(end) {
            end -= 1;
        }
        out.truncate(end);
        out
    }
}

impl Subject<'_> {
    /// A field of the activity; `custom` are its own ones.
    fn field(&self, name: &str, custom: &Json) -> Value {
        let Subject { id, activity, feed } = self;
        match name {
            "verb" => Value::Verb(activity.verb.clone()),
            "actor" => Value::text(activity.actor.clone()),
            "object" => Value::text(activity.object.clone()),
            "target" => Value::text(activity.target.clone()),
            "foreign_id" => Value::text(activity.foreign_id.clone()),
            "id" => Value::text(id.to_string()),
            "time" => Value::Time(id.time()),
            "feed" => Value::Feed((*feed).clone()),
            _ => custom.get(name).map_or(Value::Undefined, |value| Value::Json(value.clone())),
        }
    }
}

/// What a template is applied to, field by field.
struct Scope<'a> {
    field: &'a dyn Fn(&str) -> Value,
}

impl Scope<'_> {
    fn render(&self, nodes: &[Node], out: &mut String) {
        for node in nodes {
            match node {
                Node::Text(text) => out.push_str(text),
                Node::Show(expression) => self.value(expression).show(out),
                Node::If(branches, other) => {
                    let taken = branches.iter().find(|(condition, _)| self.value(condition).is_true());
                    self.render(taken.map_or(other, |(_, nodes)| nodes), out);
                }
            }
            if out.len() > GROUP_BYTES_MAX {
                return;
            }
        }
    }

    fn value(&self, expression: &Expression) -> Value {
        match expression {
            Expression::Constant(value) => value.clone(),
            Expression::List(items) => Value::List(items.iter().map(|item| self.value(item)).collect()),
            Expression::Name(name) => (self.field)(name),
            Expression::Member(of, name) => self.value(of).member(&self.value(name)),
            Expression::Strftime(of, format) => match self.value(of) {
                Value::Time(time) => time.strftime(format).map_or(Value::Undefined, Value::text),
                _ => Value::Undefined,
            },
            Expression::Lower(of) => Value::text(self.value(of).shown().to_lowercase()),
            Expression::Upper(of) => Value::text(self.value(of).shown().to_uppercase()),
            Expression::Length(of) => Value::Json(self.value(of).length().into()),
            Expression::Default(of, other) => match self.value(of) {
                Value::Undefined => self.value(other),
                value => value,
            },
            Expression::Equal(a, b) => Value::truth(self.value(a).equals(&self.value(b))),
            Expression::In(a, b) => Value::truth(self.value(b).contains(&self.value(a))),
            Expression::Not(of) => Value::truth(!self.value(of).is_true()),
            Expression::And(a, b) => {
                let first = self.value(a);
                if first.is_true() { self.value(b) } else { first }
            }
            Expression::Or(a, b) => {
                let first = self.value(a);
                if first.is_true() { first } else { self.value(b) }
            }
        }
    }
}

impl Value {
    fn text(text: impl Into<String>) -> Value {
        Value::Json(Json::String(text.into()))
    }

    fn truth(is_true: bool) -> Value {
        Value::Json(is_true.into())
    }

    fn member(&self, name: &Value) -> Value {
        let text = name.shown();
        let found = match (self, text.as_str()) {
            (Value::Verb(_), "id" | "infinitive") => return self.clone(),
            (Value::Feed(feed), "group" | "slug") => return Value::text(feed.group()),
            (Value::Feed(feed), "user_id") => return Value::text(feed.id()),
            (Value::Json(Json::Object(object)), name) => object.get(name),
            (Value::Json(Json::Array(list)), index) => index.parse().ok().and_then(|index: usize| list.get(index)),
            _ => None,
        };
        found.map_or(Value::Undefined, |value| Value::Json(value.clone()))
    }

    fn is_true(&self) -> bool {
        match self {
            Value::Undefined => false,
            Value::Time(_) | Value::Feed(_) => true,
            Value::Verb(text) => !text.is_empty(),
            Value::List(items) => !items.is_empty(),
            Value::Json(json) => match json {
                Json::Null => false,
                Json::Bool(is_true) => *is_true,
                Json::Number(number) => number.as_f64() != Some(0.0),
                Json::String(text) => !text.is_empty(),
                Json::Array(items) => !items.is_empty(),
                Json::Object(members) => !members.is_empty(),
            },
        }
    }

    fn as_text(&self) -> Option<&str> {
        match self {
            Value::Verb(text) | Value::Json(Json::String(text)) => Some(text),
            _ => None,
        }
    }

    fn equals(&self, other: &Value) -> bool {
        match (self.as_text(), other.as_text()) {
            (Some(a), Some(b)) => a == b,
            (None, None) => self == other,
            _ => false,
        }
    }

    fn contains(&self, part: &Value) -> bool {
        match self {
            Value::List(items) => items.iter().any(|item| item.equals(part)),
            Value::Json(Json::Array(items)) => items.iter().any(|item| Value::Json(item.clone()).equals(part)),
            Value::Json(Json::Object(members)) => part.as_text().is_some_and(|name| members.contains_key(name)),
            _ => match (self.as_text(), part.as_text()) {
                (Some(text), Some(part)) => text.contains(part),
                _ => false,
            },
        }
    }

    fn length(&self) -> usize {
        match self {
            Value::List(items) => items.len(),
            Value::Json(Json::Array(items)) => items.len(),
            Value::Json(Json::Object(members)) => members.len(),
            _ => self.as_text().map_or(0, |text| text.chars().count()),
        }
    }

    fn shown(&self) -> String {
        let mut out = String::new();
        self.show(&mut out);
        out
    }

    fn show(&self, out: &mut String) {
        match self {
            Value::Undefined | Value::Json(Json::Null) => {}
            Value::Time(time) => out.push_str(&time.activity().to_string()),
            Value::Verb(text) | Value::Json(Json::String(text)) => out.push_str(text),
            Value::Feed(feed) => out.push_str(feed.as_str()),
            Value::Json(Json::Bool(is_true)) => out.push_str(if *is_true { "True" } else { "False" }),
            Value::Json(json) => out.push_str(&json.to_string()),
            Value::List(items) => items.iter().for_each(|item| item.show(out)),
        }
    }
}

#[cfg(test)]
mod tests;
