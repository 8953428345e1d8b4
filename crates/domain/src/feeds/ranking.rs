//! Ranking methods: formulas that give each activity of a feed a score (feeds-v1 §6).
//!
//! A formula is parsed before it is used, has a limited length and depth, and cannot loop. There are no dice here: what
//! is random follows from a seed that the caller hands in.

use std::{cmp::Ordering, collections::BTreeMap};

use ids::{ActivityId, FeedId, Timestamp};
use serde_json::Value as Json;

use super::{
    activities::Activity,
    timelines::{self, Gathered, Row},
};
use crate::{
    App, Error, Result,
    keyspace::{ACTIVITY, Id},
};

mod decay;
mod evaluate;
mod parse;

use decay::Decay;
pub use evaluate::Facts;
pub(super) use evaluate::Scope;
use parse::Expression;

/// The newest activities of a feed that are scored.
pub const ROWS_MAX: usize = 1000;
/// The longest configuration, in bytes.
pub const BYTES_MAX: usize = 8 * 1024;
/// The most decay functions of one method.
const FUNCTIONS_MAX: usize = 32;
/// Fields that every activity has.
const STANDARD: [&str; 2] = ["time", "current_time"];

/// A ranking method that was understood.
#[derive(Debug)]
pub struct Method {
    score: Expression,
    /// By dotted, lower-case name.
    defaults: BTreeMap<String, f64>,
    functions: BTreeMap<String, Decay>,
}

impl Method {
    /// Reads the configuration of a method: a JSON object with `score`, `defaults` and `functions`.
    ///
    /// # Errors
    /// [`Error::Ranking`] that says what is wrong.
    pub fn parse(config: &str) -> Result<Self> {
        Self::parse_with(config, |_| false)
    }

    /// The same where formulas may name more than the application's own fields: what `is_known` needs no default.
    ///
    /// # Errors
    /// [`Error::Ranking`] that says what is wrong.
    pub fn parse_with(config: &str, is_known: impl Fn(&str) -> bool) -> Result<Self> {
        if config.len() > BYTES_MAX {
            return Err(Error::Ranking(format!("a ranking method has at most {BYTES_MAX} bytes")));
        }
        Self::read(config, is_known).map_err(Error::Ranking)
    }

    /// What its formula names.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.score.variables().into_iter()
    }

    fn read(config: &str, is_known: impl Fn(&str) -> bool) -> std::result::Result<Self, String> {
        let config: Json = serde_json::from_str(config).map_err(|_| "a ranking method is a JSON object".to_owned())?;
        let score = config.get("score").and_then(Json::as_str).ok_or("`score` must be a formula")?;
        let mut named = Vec::new();
        leaves("", config.get("defaults").unwrap_or(&Json::Null), &mut named);
        let mut defaults = BTreeMap::new();
        for (name, value) in named {
            let number = evaluate::number(value).ok_or_else(|| format!("the default of `{name}` must be a number"))?;
            defaults.insert(name, number);
        }
        let mut functions = Decay::built_in();
        match config.get("functions") {
            None | Some(Json::Null) => {}
            Some(Json::Object(object)) if object.len() <= FUNCTIONS_MAX => {
                for (name, function) in object {
                    functions.insert(name.to_lowercase(), Decay::parse(name, function)?);
                }
            }
            Some(_) => return Err(format!("`functions` must be an object with at most {FUNCTIONS_MAX} members")),
        }
        let score = parse::formula(&score.to_lowercase(), &functions)?;
        for name in score.variables() {
            if !STANDARD.contains(&name) && !defaults.contains_key(name) && !is_known(name) {
                return Err(format!("`{name}` needs a default"));
            }
        }
        Ok(Method { score, defaults, functions })
    }

    /// The score of an activity, and each variable that it was made of.
    fn score(&self, scope: &Scope<'_>) -> Result<(f64, BTreeMap<String, f64>)> {
        let score = scope.evaluate(&self.score).map_err(Error::Ranking)?;
        let mut variables = BTreeMap::new();
        for name in self.score.variables() {
            variables.insert(name.to_owned(), scope.variable(name).map_err(Error::Ranking)?);
        }
        if !score.is_finite() {
            return Err(Error::Ranking("the score of an activity is not a finite number".to_owned()));
        }
        Ok((score, variables))
    }
}

/// The values in nested objects by dotted, lower-case names.
fn leaves<'j>(prefix: &str, value: &'j Json, out: &mut Vec<(String, &'j Json)>) {
    match value {
        Json::Object(object) => {
            for (name, value) in object {
                let name = name.to_lowercase();
                let path = if prefix.is_empty() { name } else { format!("{prefix}.{name}") };
                leaves(&path, value, out);
            }
        }
        Json::Null => {}
        value => out.push((prefix.to_owned(), value)),
    }
}

/// Variables that the caller of a read hands in, by dotted names that begin with `external`.
#[derive(Clone, Debug, Default)]
pub struct External(BTreeMap<String, f64>);

impl External {
    /// Reads a JSON object; what is not a number in it counts for nothing.
    ///
    /// # Errors
    /// [`Error::Unfit`] when it is not an object.
    pub fn parse(json: &str) -> Result<Self> {
        let wrong = || Error::Unfit("ranking_vars must be a JSON object".to_owned());
        let value: Json = serde_json::from_str(json).map_err(|_| wrong())?;
        if !value.is_object() || json.len() > BYTES_MAX {
            return Err(wrong());
        }
        let mut named = Vec::new();
        leaves("external", &value, &mut named);
        let numbers = named.into_iter().filter_map(|(name, value)| Some((name, evaluate::number(value)?)));
        Ok(External(numbers.collect()))
    }
}

/// When and with what scores are made.
#[derive(Clone, Debug)]
pub struct Moment {
    /// The time.
    pub now: Timestamp,
    /// Random.
    pub seed: u64,
    /// What the caller hands in.
    pub external: External,
}

/// The score of `activity` by `method`, and each variable that it was made of.
///
/// # Errors
/// [`Error::Ranking`] when it cannot be made.
pub(super) fn score(
    method: &Method,
    moment: &Moment,
    id: ActivityId,
    activity: &Activity,
) -> Result<(f64, BTreeMap<String, f64>)> {
    method.score(&Scope::new(id, activity, method, moment))
}

/// The score of what has these facts, and each variable that it was made of.
///
/// # Errors
/// [`Error::Ranking`] when it cannot be made.
pub fn score_of(method: &Method, moment: &Moment, facts: &Facts) -> Result<(f64, BTreeMap<String, f64>)> {
    method.score(&Scope::of(facts.clone(), method, moment))
}

/// An activity with its score.
#[derive(Clone, Debug)]
pub struct Ranked {
    /// The activity in the feed.
    pub row: Row,
    /// What it says.
    pub activity: Activity,
    /// The score.
    pub score: f64,
    /// The variables that it was made of.
    pub variables: BTreeMap<String, f64>,
}

/// Reads a part of a feed, the highest score first; whether more follows.
///
/// # Errors
/// [`Error::Ranking`] when a score cannot be made.
pub async fn read(
    app: &App,
    feed: &FeedId,
    method: &Method,
    moment: &Moment,
    limit: usize,
    offset: usize,
) -> Result<(Vec<Ranked>, bool)> {
    let Gathered { mut tx, sources, rows, .. } = timelines::gather(app, feed, ROWS_MAX).await?;
    let keys: Vec<Id> = rows.iter().map(|(id, ..)| Id(*id)).collect();
    let tenant = tx.tenant();
    let activities = ACTIVITY.get_many(&mut tx, tenant, &keys).await?;
    let mut ranked: Vec<Ranked> = Vec::with_capacity(rows.len());
    for ((id, _, source), activity) in rows.into_iter().zip(activities) {
        let Some(activity) = activity else { continue };
        let (score, variables) = score(method, moment, id, &activity)?;
        ranked.push(Ranked { row: timelines::row(&sources, id, source), activity, score, variables });
    }
    ranked.sort_by(|a, b| by_score((b.score, b.row.id), (a.score, a.row.id)));
    let more = ranked.len() > offset.saturating_add(limit);
    Ok((ranked.into_iter().skip(offset).take(limit).collect(), more))
}

fn by_score(a: (f64, ActivityId), b: (f64, ActivityId)) -> Ordering {
    a.0.total_cmp(&b.0).then(a.1.cmp(&b.1))
}

#[cfg(test)]
mod tests;
