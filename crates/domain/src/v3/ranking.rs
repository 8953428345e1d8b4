//! Ranking of feeds v3: the formulas of [`crate::feeds::ranking`], over what is counted of activities (feeds-v3 §3.1).

use std::collections::BTreeMap;

use ids::{ActivityId, Timestamp};
use serde_json::Value as Json;

use super::{
    activities::{Activity, Tallies},
    objects::Object,
};
use crate::{
    Error, Result, Tx,
    feeds::ranking::{self, Facts, Method, Moment},
    keyspace::V3_REACTION_COUNT,
};

/// What every formula may name, beside times and the application's own fields.
const COUNTED: [&str; 6] =
    ["popularity", "reaction_count", "comment_count", "bookmark_count", "share_count", "interest_score"];
/// What the counts of reactions by type are called.
const BY_TYPE: &str = "reaction_counts.";

/// How activities are ranked.
#[derive(Debug)]
pub struct Ranking {
    method: Method,
    knows_interests: bool,
}

impl Ranking {
    /// Reads `{type, score, defaults, functions}`; nothing for `recency`, which is the order that there is without.
    ///
    /// # Errors
    /// [`Error::Unfit`] when its type is unknown; [`Error::Ranking`] when its formula makes no sense.
    pub fn parse(config: &str) -> Result<Option<Self>> {
        let json: Json = serde_json::from_str(config).unwrap_or(Json::Null);
        let knows_interests = match json.get("type").and_then(Json::as_str) {
            Some("recency") => return Ok(None),
            Some("expression") => false,
            Some("interest") => true,
            _ => return Err(Error::Unfit("ranking.type must be one of [expression interest recency]".to_owned())),
        };
        let is_known = |name: &str| COUNTED.contains(&name) || name.starts_with(BY_TYPE);
        Ok(Some(Ranking { method: Method::parse_with(config, is_known)?, knows_interests }))
    }

    /// Whether scores follow from what somebody is interested in.
    pub fn needs_interests(&self) -> bool {
        self.knows_interests
    }

    /// The score of an activity, and each variable that it was made of.
    ///
    /// # Errors
    /// [`Error::Ranking`] when it cannot be made; when the store fails.
    pub async fn score(
        &self,
        tx: &mut Tx,
        (id, activity): (ActivityId, &Activity),
        tallies: Tallies,
        interests: &Interests,
        moment: &Moment,
    ) -> Result<(f64, BTreeMap<String, f64>)> {
        let interest = if self.knows_interests { interests.score(&activity.content.interest_tags) } else { 0.0 };
        let mut numbers = BTreeMap::from([
            ("popularity".to_owned(), tallies.popularity() as f64),
            ("reaction_count".to_owned(), tallies.reactions as f64),
            ("comment_count".to_owned(), tallies.comments as f64),
            ("bookmark_count".to_owned(), tallies.bookmarks as f64),
            ("share_count".to_owned(), tallies.shares as f64),
            ("interest_score".to_owned(), interest),
        ]);
        let object = Object::Activity(activity.id.clone());
        for name in self.method.variables().filter(|name| name.starts_with(BY_TYPE)) {
            let key = (object.clone(), name[BY_TYPE.len()..].to_owned());
            let tenant = tx.tenant();
            let counts = V3_REACTION_COUNT.get_many(tx, tenant, std::slice::from_ref(&key)).await?;
            numbers.insert(name.to_owned(), counts.first().copied().unwrap_or_default() as f64);
        }
        let facts = Facts::new(activity.created_at, id, &activity.content.custom, numbers);
        ranking::score_of(&self.method, moment, &facts)
    }
}

/// What a reader is interested in: tag → weight from -1 to 1.
#[derive(Clone, Debug, Default)]
pub struct Interests(pub BTreeMap<String, f64>);

impl Interests {
    /// How much of it these tags are: each that is among them adds half of its weight.
    fn score(&self, tags: &[String]) -> f64 {
        tags.iter().filter_map(|tag| self.0.get(tag)).map(|weight| weight / 2.0).sum::<f64>().clamp(-1.0, 1.0)
    }

    /// Whether one of these tags is wanted.
    pub fn meet(&self, tags: &[String]) -> bool {
        tags.iter().any(|tag| self.0.get(tag).is_some_and(|weight| *weight > 0.0))
    }
}

/// What a formula is asked at: a time, a random number, and what the caller hands in, a JSON object.
///
/// # Errors
/// [`Error::Unfit`] when that is none, or too long.
pub fn moment(now: Timestamp, seed: u64, external: Option<&str>) -> Result<Moment> {
    let external = external.map(ranking::External::parse).transpose()?.unwrap_or_default();
    Ok(Moment { now, seed, external })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_matching_tag_adds_half_its_weight_within_bounds() {
        let weights = [("a", 1.0), ("b", 1.0), ("c", 1.0), ("d", -0.5)];
        let interests = Interests(weights.map(|(tag, weight)| (tag.to_owned(), weight)).into());
        let score = |tags: &[&str]| interests.score(&tags.iter().map(|tag| (*tag).to_owned()).collect::<Vec<_>>());
        assert_eq!((score(&["a", "x"]), score(&["a", "b", "c"]), score(&["d"]), score(&[])), (0.5, 1.0, -0.25, 0.0));
    }

    #[test]
    fn a_ranking_has_a_known_type_and_a_score_that_makes_sense() {
        for fit in [
            r#"{"type":"expression","score":"popularity * decay_linear(time)"}"#,
            r#"{"type":"interest","score":"interest_score + reaction_counts.like"}"#,
        ] {
            assert!(Ranking::parse(fit).unwrap().is_some(), "{fit}");
        }
        assert!(Ranking::parse(r#"{"type":"recency"}"#).unwrap().is_none());
        for unfit in [
            "{}",
            r#"{"type":"magic","score":"1"}"#,
            r#"{"type":"expression"}"#,
            r#"{"type":"expression","score":"unknown + 1"}"#,
            r#"{"type":"expression","score":"1 +"}"#,
        ] {
            assert!(Ranking::parse(unfit).is_err(), "{unfit}");
        }
    }
}
