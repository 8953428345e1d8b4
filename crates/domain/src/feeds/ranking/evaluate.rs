//! The value of a formula for one activity.

use std::collections::BTreeMap;

use ids::{ActivityId, Timestamp};
use serde_json::Value as Json;

use super::{
    Method, Moment,
    parse::{Expression, Function, Operator},
};
use crate::feeds::activities::Activity;

/// Seconds since 1970.
pub(super) fn seconds(time: Timestamp) -> f64 {
    time.micros() as f64 / 1e6
}

/// A number in JSON; a truth value counts as 1 or 0, a text as the number or the time that it names.
pub(super) fn number(value: &Json) -> Option<f64> {
    match value {
        Json::Number(number) => number.as_f64(),
        Json::Bool(is_true) => Some(f64::from(u8::from(*is_true))),
        Json::String(text) => match text.trim().parse::<f64>() {
            Ok(number) => number.is_finite().then_some(number),
            Err(_) => Timestamp::parse(text).ok().map(seconds),
        },
        _ => None,
    }
}

/// What formulas see of an activity.
#[derive(Clone, Debug)]
pub struct Facts {
    time: Timestamp,
    /// Tells its dice from those of others.
    id: ActivityId,
    custom: Json,
    /// By lower-case name; before the application's own fields.
    numbers: BTreeMap<String, f64>,
}

impl Facts {
    /// An activity of that time with its own fields, a JSON object, and other numbers by lower-case names.
    pub fn new(time: Timestamp, id: ActivityId, custom: &str, numbers: BTreeMap<String, f64>) -> Self {
        Facts { time, id, custom: serde_json::from_str(custom).unwrap_or(Json::Null), numbers }
    }
}

/// An activity whose score is made.
pub(in crate::feeds) struct Scope<'a> {
    method: &'a Method,
    moment: &'a Moment,
    facts: Facts,
    now: f64,
    dice: std::cell::Cell<u64>,
}

impl<'a> Scope<'a> {
    pub(super) fn new(id: ActivityId, activity: &Activity, method: &'a Method, moment: &'a Moment) -> Self {
        Self::of(Facts::new(id.time(), id, &activity.custom, BTreeMap::new()), method, moment)
    }

    pub(super) fn of(facts: Facts, method: &'a Method, moment: &'a Moment) -> Self {
        Scope {
            method,
            moment,
            now: seconds(moment.now),
            dice: std::cell::Cell::new(moment.seed ^ facts.id.tail().wrapping_mul(0x9e37_79b9_7f4a_7c15)),
            facts,
        }
    }

    pub(super) fn variable(&self, name: &str) -> Result<f64, String> {
        let found = match name {
            "time" => Some(seconds(self.facts.time)),
            "current_time" => Some(self.now),
            _ if name.starts_with("external.") => self.moment.external.0.get(name).copied(),
            _ => self.facts.numbers.get(name).copied().or_else(|| self.field(name)),
        };
        let found = found.or_else(|| self.method.defaults.get(name).copied());
        found.ok_or_else(|| format!("`{name}` is missing and has no default"))
    }

    /// A field of the application's own, by its dotted name in any case.
    fn field(&self, name: &str) -> Option<f64> {
        let mut value = &self.facts.custom;
        for part in name.split('.') {
            let object = value.as_object()?;
            value = object
                .get(part)
                .or_else(|| object.iter().find(|(known, _)| known.to_lowercase() == part).map(|(_, value)| value))?;
        }
        number(value)
    }

    pub(super) fn evaluate(&self, expression: &Expression) -> Result<f64, String> {
        match expression {
            Expression::Number(number) => Ok(*number),
            Expression::Variable(name) => self.variable(name),
            Expression::Negative(of) => Ok(-self.evaluate(of)?),
            Expression::Not(of) => Ok(truth(self.evaluate(of)? == 0.0)),
            Expression::Choice(condition, then, other) => {
                self.evaluate(if self.evaluate(condition)? == 0.0 { other } else { then })
            }
            Expression::Binary(operator, left, right) => self.binary(*operator, left, right),
            Expression::Call(function, arguments) => {
                let arguments: Vec<f64> =
                    arguments.iter().map(|argument| self.evaluate(argument)).collect::<Result<_, _>>()?;
                self.call(function, &arguments)
            }
        }
    }

    fn binary(&self, operator: Operator, left: &Expression, right: &Expression) -> Result<f64, String> {
        let left = self.evaluate(left)?;
        match operator {
            Operator::And if left == 0.0 => return Ok(0.0),
            Operator::Or if left != 0.0 => return Ok(1.0),
            _ => {}
        }
        let right = self.evaluate(right)?;
        Ok(match operator {
            Operator::Add => left + right,
            Operator::Subtract => left - right,
            Operator::Multiply => left * right,
            Operator::Divide if right == 0.0 => return Err("the formula divides by zero".to_owned()),
            Operator::Divide => left / right,
            Operator::Remainder if right == 0.0 => return Err("the formula divides by zero".to_owned()),
            Operator::Remainder => left % right,
            Operator::Power => left.powf(right),
            Operator::Less => truth(left < right),
            Operator::LessOrEqual => truth(left <= right),
            Operator::Greater => truth(left > right),
            Operator::GreaterOrEqual => truth(left >= right),
            Operator::Equal => truth(left == right),
            Operator::Unequal => truth(left != right),
            Operator::And | Operator::Or => truth(right != 0.0),
        })
    }

    fn call(&self, function: &Function, arguments: &[f64]) -> Result<f64, String> {
        let first = arguments.first().copied().unwrap_or_default();
        Ok(match function {
            Function::Decay(name) => self.method.functions[name].at(first, self.now),
            Function::Ln => first.ln(),
            Function::Log => first.log10(),
            Function::Sin => first.sin(),
            Function::Cos => first.cos(),
            Function::Tan => first.tan(),
            Function::Abs => first.abs(),
            Function::Trunc => first.trunc(),
            Function::Round => first.round(),
            Function::ToUnixTimestamp => first,
            Function::Min => arguments.iter().copied().fold(f64::INFINITY, f64::min),
            Function::Max => arguments.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            Function::Rand => match arguments {
                [low, high] => low + (high - low) * self.roll(),
                _ => self.roll(),
            },
            Function::RandNormal => match arguments {
                [low, high, deviation, mean] => {
                    (mean + deviation * self.normal()).clamp(low.min(*high), high.max(*low))
                }
                _ => self.normal(),
            },
            Function::Dist(radius) => match arguments {
                [lat1, lng1, lat2, lng2] => distance(*lat1, *lng1, *lat2, *lng2) * radius,
                _ => return Err("`dist` takes four numbers and a unit".to_owned()),
            },
        })
    }

    /// The next number from 0 to 1.
    fn roll(&self) -> f64 {
        let state = self.dice.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
        self.dice.set(state);
        let mixed = (state ^ state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ mixed >> 31) >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// The next number around 0 with a standard deviation of 1.
    fn normal(&self) -> f64 {
        let (a, b) = (self.roll().max(f64::MIN_POSITIVE), self.roll());
        (-2.0 * a.ln()).sqrt() * (std::f64::consts::TAU * b).cos()
    }
}

fn truth(is_true: bool) -> f64 {
    f64::from(u8::from(is_true))
}

/// The angle between two places on a globe.
fn distance(lat1: f64, lng1: f64, lat2: f64, lng2: f64) -> f64 {
    let (a, b, turn) = (lat1.to_radians(), lat2.to_radians(), (lng2 - lng1).to_radians());
    let chord = ((b - a) / 2.0).sin().powi(2) + a.cos() * b.cos() * (turn / 2.0).sin().powi(2);
    2.0 * chord.clamp(0.0, 1.0).sqrt().asin()
}
