//! Decay functions: 1 near their origin, less with distance.

use std::collections::BTreeMap;

use ids::Timestamp;
use serde_json::Value as Json;

use super::evaluate;

/// The shape of a decay.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Base {
    Linear,
    Exponential,
    Gauss,
}

/// On which side of the origin it decays.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Direction {
    Both,
    Left,
    Right,
}

/// A decay function.
#[derive(Clone, Debug)]
pub(super) struct Decay {
    base: Base,
    /// Now, if absent.
    origin: Option<f64>,
    scale: f64,
    offset: f64,
    decay: f64,
    direction: Direction,
}

/// Five days, in seconds.
const SCALE: f64 = 432_000.0;

impl Decay {
    fn of(base: Base) -> Self {
        Decay { base, origin: None, scale: SCALE, offset: 0.0, decay: 0.5, direction: Direction::Both }
    }

    /// The functions that every method has.
    pub(super) fn built_in() -> BTreeMap<String, Decay> {
        let names = ["decay_linear", "decay_exp", "decay_gauss"];
        let bases = [Base::Linear, Base::Exponential, Base::Gauss];
        names.into_iter().map(str::to_owned).zip(bases.map(Decay::of)).collect()
    }

    /// Reads the function called `name`.
    pub(super) fn parse(name: &str, config: &Json) -> Result<Self, String> {
        let is_name = |name: &str| name.chars().all(|c| c.is_alphanumeric() || c == '_');
        if !is_name(name) || name.chars().next().is_none_or(|first| first.is_numeric()) {
            return Err(format!("`{name}` is not the name of a function"));
        }
        let text = |member: &str| config.get(member).and_then(Json::as_str);
        let number = |member: &str| match config.get(member) {
            None | Some(Json::Null) => Ok(None),
            Some(value) => {
                quantity(value).map(Some).ok_or_else(|| format!("`{member}` of `{name}` is not a number or a duration"))
            }
        };
        let base = match text("base") {
            Some("decay_linear") => Base::Linear,
            Some("decay_exp") => Base::Exponential,
            Some("decay_gauss") => Base::Gauss,
            _ => return Err(format!("`base` of `{name}` must be decay_linear, decay_exp or decay_gauss")),
        };
        let direction = match text("direction") {
            None | Some("both") => Direction::Both,
            Some("left") => Direction::Left,
            Some("right") => Direction::Right,
            Some(_) => return Err(format!("`direction` of `{name}` must be both, left or right")),
        };
        let origin = if text("origin") == Some("now") { None } else { number("origin")? };
        let decay = number("decay")?.unwrap_or(0.5);
        let scale = number("scale")?.unwrap_or(SCALE);
        if !(decay > 0.0 && decay < 1.0 && scale > 0.0) {
            return Err(format!("`{name}` needs a `decay` between 0 and 1, and a `scale` above 0"));
        }
        Ok(Decay { base, origin, scale, offset: number("offset")?.unwrap_or(0.0), decay, direction })
    }

    /// Its value at `x`.
    pub(super) fn at(&self, x: f64, now: f64) -> f64 {
        let away = x - self.origin.unwrap_or(now);
        let away = match self.direction {
            Direction::Both => away.abs(),
            Direction::Left => (-away).max(0.0),
            Direction::Right => away.max(0.0),
        };
        let distance = (away - self.offset).max(0.0);
        match self.base {
            Base::Linear => {
                let zero_at = self.scale / (1.0 - self.decay);
                ((zero_at - distance) / zero_at).max(0.0)
            }
            Base::Exponential => (self.decay.ln() / self.scale * distance).exp(),
            Base::Gauss => (distance * distance * self.decay.ln() / (self.scale * self.scale)).exp(),
        }
    }
}

/// A number, or a duration such as `5d` in seconds, or a time.
fn quantity(value: &Json) -> Option<f64> {
    let Some(text) = value.as_str() else { return evaluate::number(value) };
    let text = text.trim();
    let seconds = match text.chars().last()? {
        's' => 1.0,
        'm' => 60.0,
        'h' => 3600.0,
        'd' => 86_400.0,
        'w' => 604_800.0,
        _ => {
            let time = || Timestamp::parse(text).ok().map(evaluate::seconds);
            return text.parse().ok().filter(|number: &f64| number.is_finite()).or_else(time);
        }
    };
    let number: f64 = text[..text.len() - 1].trim().parse().ok()?;
    number.is_finite().then_some(number * seconds)
}
