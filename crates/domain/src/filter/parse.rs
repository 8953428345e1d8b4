//! From JSON to a filter, within its limits.

use serde_json::{Map, Value as Json};

use super::{
    Area, CLAUSES_MAX, Condition, DEPTH_MAX, Expression, Field, Filter, Kind, Operator, Schema, VALUES_MAX, Value,
};
use crate::{Error, Result};

impl Operator {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "$eq" => Operator::Eq,
            "$ne" => Operator::Ne,
            "$gt" => Operator::Gt,
            "$gte" => Operator::Gte,
            "$lt" => Operator::Lt,
            "$lte" => Operator::Lte,
            "$in" => Operator::In,
            "$nin" => Operator::Nin,
            "$exists" => Operator::Exists,
            "$autocomplete" => Operator::Autocomplete,
            "$q" => Operator::Query,
            "$contains" => Operator::Contains,
            _ => return None,
        })
    }

    /// Whether values of this kind can be compared so.
    fn suits(self, kind: Kind) -> bool {
        match self {
            Operator::Gt | Operator::Gte | Operator::Lt | Operator::Lte => {
                matches!(kind, Kind::Text | Kind::Number | Kind::Time)
            }
            Operator::Autocomplete | Operator::Query => matches!(kind, Kind::Text | Kind::List),
            Operator::Contains => kind == Kind::List,
            Operator::Eq | Operator::Exists => true,
            _ if kind == Kind::Place => false,
            _ => true,
        }
    }
}

impl Filter {
    /// Reads a filter; nothing, `null` and `[]` fit everything.
    ///
    /// # Errors
    /// [`Error::Unfit`] when it is not a filter, goes beyond a limit, or compares a field with what it cannot be; the
    /// text names the field and the operator.
    pub fn parse(text: &str, schema: Schema) -> Result<Self> {
        let json = match text.trim() {
            "" | "null" | "[]" => return Ok(Filter::default()),
            text => serde_json::from_str(text).map_err(|error| unfit(format!("the filter is not JSON: {error}")))?,
        };
        let Json::Object(members) = json else { return Err(unfit("the filter must be an object")) };
        let mut parser = Parser { schema, clauses: 0, values: 0 };
        Ok(Filter(parser.all(members, 0)?))
    }
}

fn unfit(text: impl Into<String>) -> Error {
    Error::Unfit(text.into())
}

struct Parser {
    schema: Schema,
    clauses: usize,
    values: usize,
}

impl Parser {
    fn all(&mut self, members: Map<String, Json>, depth: usize) -> Result<Expression> {
        if depth > DEPTH_MAX {
            return Err(unfit(format!("the filter nests deeper than {DEPTH_MAX} levels")));
        }
        let mut parts = Vec::with_capacity(members.len());
        for (name, value) in members {
            self.clauses += 1;
            if self.clauses > CLAUSES_MAX {
                return Err(unfit(format!("the filter has more than {CLAUSES_MAX} conditions")));
            }
            parts.push(match name.as_str() {
                "$and" => Expression::And(self.each("$and", value, depth)?),
                "$or" => Expression::Or(self.each("$or", value, depth)?),
                "$nor" => Expression::Nor(self.each("$nor", value, depth)?),
                name if name.starts_with('$') => return Err(unfit(format!("unknown operator {name} in the filter"))),
                _ => self.field(name, value)?,
            });
        }
        Ok(Expression::And(parts))
    }

    fn each(&mut self, operator: &str, value: Json, depth: usize) -> Result<Vec<Expression>> {
        let rule = || unfit(format!("{operator} takes a list of filters that is not empty"));
        let Json::Array(filters) = value else { return Err(rule()) };
        if filters.is_empty() {
            return Err(rule());
        }
        let mut each = Vec::with_capacity(filters.len());
        for filter in filters {
            let Json::Object(members) = filter else { return Err(rule()) };
            each.push(self.all(members, depth + 1)?);
        }
        Ok(each)
    }

    fn field(&mut self, name: String, value: Json) -> Result<Expression> {
        let field = self.schema.fields.iter().find(|field| field.name == name);
        if field.is_none() && !self.schema.has_custom {
            return Err(unfit(format!("cannot filter by the field `{name}`")));
        }
        let conditions = match value {
            Json::Object(members) if members.is_empty() || members.keys().any(|key| key.starts_with('$')) => members,
            value => Map::from_iter([("$eq".to_owned(), value)]),
        };
        let mut read = Vec::with_capacity(conditions.len());
        for (operator, value) in conditions {
            self.clauses += 1;
            read.push(self.condition(&name, field, &operator, value)?);
        }
        Ok(Expression::Field(name, read))
    }

    fn condition(&mut self, name: &str, field: Option<&Field>, operator: &str, value: Json) -> Result<Condition> {
        let known = Operator::named(operator);
        let known = known.ok_or_else(|| unfit(format!("unknown operator {operator} for the field `{name}`")))?;
        let takes = |field: &&Field| match field.operators {
            [] => known.suits(field.kind),
            some => some.contains(&known),
        };
        if field.is_some_and(|field| !takes(&field)) {
            return Err(unfit(format!("the field `{name}` does not support the operator {operator}")));
        }
        let rule = |rule: &str| unfit(format!("{operator} on the field `{name}` takes {rule}"));
        self.values += value.as_array().map_or(1, Vec::len);
        if self.values > VALUES_MAX {
            return Err(unfit(format!("the filter has more than {VALUES_MAX} values")));
        }
        let is_fit = match known {
            Operator::In | Operator::Nin => value.is_array(),
            Operator::Exists => value.is_boolean(),
            Operator::Autocomplete | Operator::Query => value.as_str().is_some_and(|text| !text.trim().is_empty()),
            Operator::Gt | Operator::Gte | Operator::Lt | Operator::Lte => value.is_string() || value.is_number(),
            Operator::Contains => !value.is_array() && !value.is_object(),
            Operator::Eq | Operator::Ne | Operator::Part => true,
        };
        match (is_fit, known) {
            (true, _) => {}
            (false, Operator::In | Operator::Nin) => return Err(rule("a list")),
            (false, Operator::Exists) => return Err(rule("true or false")),
            (false, Operator::Autocomplete | Operator::Query) => return Err(rule("a text that is not empty")),
            (false, _) => return Err(rule("a single value")),
        }
        if field.is_some_and(|field| field.kind == Kind::Place) && known != Operator::Exists {
            let area = Area::parse(&value)
                .ok_or_else(|| rule("lat, lng and distance in kilometres, or ne_lat, ne_lng, sw_lat and sw_lng"))?;
            return Ok(Condition { operator: known, value: Value::Area(area) });
        }
        let value = Value::from(value);
        let value = match field.map(|field| field.kind) {
            Some(Kind::Time) if known != Operator::Exists => in_time(value).ok_or_else(|| rule("an RFC 3339 time"))?,
            Some(kind) if known != Operator::Exists && !is_of(&value, kind) => return Err(rule(&expected(kind))),
            _ => value,
        };
        let operator = match (known, field.map(|field| field.kind)) {
            (Operator::Contains, Some(Kind::Text)) => Operator::Part,
            (known, _) => known,
        };
        Ok(Condition { operator, value })
    }
}

fn in_time(value: Value<'static>) -> Option<Value<'static>> {
    match value {
        Value::Null => Some(Value::Null),
        Value::List(values) => values.into_iter().map(in_time).collect::<Option<_>>().map(Value::List),
        value => value.moment().map(Value::Time),
    }
}

/// Whether a field of this kind can be compared with it.
fn is_of(value: &Value<'_>, kind: Kind) -> bool {
    match (value, kind) {
        (Value::List(values), _) => values.iter().all(|value| is_of(value, kind)),
        (Value::Null, _) | (_, Kind::List) => true,
        (Value::Text(_), Kind::Text) | (Value::Bool(_), Kind::Bool) => true,
        (Value::Integer(_) | Value::Float(_), Kind::Number) => true,
        _ => false,
    }
}

fn expected(kind: Kind) -> String {
    let noun = match kind {
        Kind::Text => "texts",
        Kind::Number => "numbers",
        Kind::Bool => "true or false",
        Kind::Time => "times",
        Kind::List => "values",
        Kind::Place => "places",
    };
    noun.to_owned()
}
