//! The query language: filters, sorts and cursors (chat §7).
//!
//! A filter is parsed against the built-in [`Field`]s of a resource; every other name is a custom field. Whatever is
//! queried shows itself as a [`Row`]; nothing here reads the store.

mod cursor;
mod parse;
mod place;
mod question;
mod sort;
#[cfg(test)]
mod tests;
mod value;

use std::{borrow::Cow, collections::BTreeSet};

pub use cursor::{Cursor, Page, page, page_around};
pub use place::Area;
pub use question::Question;
pub use sort::{Key, Sort};
pub use value::{Value, custom};

/// How deep conditions may be nested.
pub const DEPTH_MAX: usize = 8;
/// The most conditions of one filter.
pub const CLAUSES_MAX: usize = 200;
/// The most values that one filter compares with.
pub const VALUES_MAX: usize = 2000;

/// What is queried: a message, a user, a channel.
pub trait Row {
    /// What breaks ties.
    fn id(&self) -> Cow<'_, str>;

    /// The value of a built-in field, or of one of the application's own; see [`custom`].
    fn value(&self, field: &str) -> Value<'_>;
}

/// What kind of values a built-in field has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Texts.
    Text,
    /// Numbers.
    Number,
    /// Truth values.
    Bool,
    /// Moments: what they are compared with must be one.
    Time,
    /// Lists.
    List,
    /// Places on Earth: what they are compared with is an [`Area`].
    Place,
}

/// A built-in field, and the operators that it takes.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// The name.
    pub name: &'static str,
    /// What values it has.
    pub kind: Kind,
    /// Which operators it takes; all that fit its kind, if empty.
    pub operators: &'static [Operator],
}

impl Field {
    /// A field that takes whatever operator fits its kind.
    pub const fn new(name: &'static str, kind: Kind) -> Self {
        Field { name, kind, operators: &[] }
    }

    /// The same with these operators alone.
    #[must_use]
    pub const fn only(self, operators: &'static [Operator]) -> Self {
        Field { operators, ..self }
    }
}

/// What a filter may name.
#[derive(Clone, Copy, Debug)]
pub struct Schema {
    /// The built-in fields.
    pub fields: &'static [Field],
    /// Whether other names are the application's own fields, or errors.
    pub has_custom: bool,
}

/// How a field is compared with a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Operator {
    /// Is the same.
    Eq,
    /// Is another.
    Ne,
    /// Is greater.
    Gt,
    /// Is greater or the same.
    Gte,
    /// Is less.
    Lt,
    /// Is less or the same.
    Lte,
    /// Is one of these.
    In,
    /// Is none of these.
    Nin,
    /// Is set, or is not.
    Exists,
    /// Has words that begin like this.
    Autocomplete,
    /// Has these words.
    Query,
    /// Is a list that holds this.
    Contains,
    /// Is a text with this in it: what `$contains` means of texts, where a field takes it.
    Part,
}

/// One condition on a field.
#[derive(Clone, PartialEq, Debug)]
pub struct Condition {
    /// How it compares.
    pub operator: Operator,
    /// With what.
    pub value: Value<'static>,
}

/// An expression over the fields of a row.
#[derive(Clone, PartialEq, Debug)]
pub enum Expression {
    /// All of them hold; with none, everything fits.
    And(Vec<Expression>),
    /// One of them holds.
    Or(Vec<Expression>),
    /// None of them holds.
    Nor(Vec<Expression>),
    /// All conditions on the field hold; with none, the field is only mentioned.
    Field(String, Vec<Condition>),
}

/// A filter: which rows are wanted.
#[derive(Clone, PartialEq, Debug)]
pub struct Filter(Expression);

impl Default for Filter {
    fn default() -> Self {
        Filter(Expression::And(Vec::new()))
    }
}

impl Filter {
    /// The expression.
    pub fn expression(&self) -> &Expression {
        &self.0
    }

    /// Whether it names no field at all.
    pub fn is_empty(&self) -> bool {
        matches!(&self.0, Expression::And(parts) if parts.is_empty())
    }

    /// Whether it fits `row`.
    pub fn fits(&self, row: &impl Row) -> bool {
        self.0.holds(row)
    }

    /// Whether it names `field`, if only to say that any value will do.
    pub fn mentions(&self, field: &str) -> bool {
        self.0.mentions(field)
    }

    /// The only texts that `field` has in rows that fit: with them, the rows can be read by their keys.
    ///
    /// The filter still has to be asked about each of them. `None` says that other values may fit too.
    pub fn only(&self, field: &str) -> Option<BTreeSet<&str>> {
        self.0.only(field)
    }

    /// The one value that every row that fits has in `field`.
    pub fn equals(&self, field: &str) -> Option<&Value<'static>> {
        self.0.equals(field)
    }
}

impl Expression {
    fn holds(&self, row: &impl Row) -> bool {
        match self {
            Expression::And(parts) => parts.iter().all(|part| part.holds(row)),
            Expression::Or(parts) => parts.iter().any(|part| part.holds(row)),
            Expression::Nor(parts) => !parts.iter().any(|part| part.holds(row)),
            Expression::Field(_, conditions) if conditions.is_empty() => true,
            Expression::Field(field, conditions) => {
                let value = row.value(field);
                conditions.iter().all(|condition| condition.holds(&value))
            }
        }
    }

    fn mentions(&self, name: &str) -> bool {
        match self {
            Expression::And(parts) | Expression::Or(parts) | Expression::Nor(parts) => {
                parts.iter().any(|part| part.mentions(name))
            }
            Expression::Field(field, _) => field == name,
        }
    }

    fn only(&self, name: &str) -> Option<BTreeSet<&str>> {
        match self {
            Expression::And(parts) => {
                parts.iter().filter_map(|part| part.only(name)).reduce(|a, b| a.intersection(&b).copied().collect())
            }
            Expression::Or(parts) => {
                let each: Option<Vec<_>> = parts.iter().map(|part| part.only(name)).collect();
                Some(each?.into_iter().flatten().collect())
            }
            Expression::Nor(_) => None,
            Expression::Field(field, conditions) if field == name => {
                conditions.iter().filter_map(Condition::only).reduce(|a, b| a.intersection(&b).copied().collect())
            }
            Expression::Field(..) => None,
        }
    }

    fn equals(&self, name: &str) -> Option<&Value<'static>> {
        match self {
            Expression::And(parts) => parts.iter().find_map(|part| part.equals(name)),
            Expression::Field(field, conditions) if field == name => {
                conditions.iter().find(|condition| condition.operator == Operator::Eq).map(|condition| &condition.value)
            }
            _ => None,
        }
    }
}

impl Condition {
    /// Whether the value of the row passes.
    fn holds(&self, value: &Value<'_>) -> bool {
        use std::cmp::Ordering::{Equal, Greater, Less};
        let order = || value.order(&self.value);
        match self.operator {
            Operator::Eq => is(value, &self.value),
            Operator::Ne => !is(value, &self.value),
            Operator::Gt => order() == Some(Greater),
            Operator::Gte => matches!(order(), Some(Greater | Equal)),
            Operator::Lt => order() == Some(Less),
            Operator::Lte => matches!(order(), Some(Less | Equal)),
            Operator::In => self.is_one_of(value),
            Operator::Nin => !self.is_one_of(value),
            Operator::Exists => Value::Bool(value.is_set()) == self.value,
            Operator::Autocomplete => texts(value).any(|text| words_begin(text, self.text())),
            Operator::Query => texts(value).any(|text| has_words(text, self.text())),
            Operator::Part => texts(value).any(|text| text.contains(self.text())),
            Operator::Contains => match value {
                Value::List(values) => values.iter().any(|value| value.is_same(&self.value)),
                _ => false,
            },
        }
    }

    /// Whether it is one of the values; of a list, whether one of its members is.
    fn is_one_of(&self, value: &Value<'_>) -> bool {
        let Value::List(wanted) = &self.value else { return false };
        wanted.iter().any(|wanted| is(value, wanted))
    }

    fn text(&self) -> &str {
        self.value.as_text().unwrap_or_default()
    }

    fn only(&self) -> Option<BTreeSet<&str>> {
        match (&self.operator, &self.value) {
            (Operator::Eq, Value::Text(text)) => Some(BTreeSet::from([&**text])),
            (Operator::In, Value::List(values)) => values.iter().map(Value::as_text).collect(),
            _ => None,
        }
    }
}

/// Whether the value of a row is `wanted`: a list is when it holds it, or when it holds the same in any order.
fn is(value: &Value<'_>, wanted: &Value<'_>) -> bool {
    match (value, wanted) {
        (Value::List(values), Value::List(wanted)) => {
            let covers = |some: &[Value<'_>], all: &[Value<'_>]| some.iter().all(|a| all.iter().any(|b| a.is_same(b)));
            covers(values, wanted) && covers(wanted, values)
        }
        (Value::List(values), wanted) => values.iter().any(|value| value.is_same(wanted)),
        _ => value.is_same(wanted),
    }
}

fn texts<'v>(value: &'v Value<'_>) -> impl Iterator<Item = &'v str> {
    let values = match value {
        Value::List(values) => values.as_slice(),
        value => std::slice::from_ref(value),
    };
    values.iter().filter_map(Value::as_text)
}

/// The words of a text, in lower case.
pub fn words(text: &str) -> impl Iterator<Item = String> {
    let is_between = |c: char| !c.is_alphanumeric();
    text.split(is_between).filter(|word| !word.is_empty()).map(str::to_lowercase)
}

/// Whether each word of `wanted` is how some word of `text` begins, whatever the case.
pub fn words_begin(text: &str, wanted: &str) -> bool {
    let (text, wanted): (Vec<_>, Vec<_>) = (words(text).collect(), words(wanted).collect());
    !wanted.is_empty() && wanted.iter().all(|wanted| text.iter().any(|word| word.starts_with(wanted.as_str())))
}

/// Whether each word of `wanted` is a word of `text`, whatever the case.
pub fn has_words(text: &str, wanted: &str) -> bool {
    let (text, wanted): (Vec<_>, Vec<_>) = (words(text).collect(), words(wanted).collect());
    !wanted.is_empty() && wanted.iter().all(|wanted| text.contains(wanted))
}
