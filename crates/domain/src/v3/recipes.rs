//! How the feeds of a group are read: its settings, understood (feeds-v3 §3.1, §5).

use ids::Timestamp;
use serde_json::Value as Json;

use super::{groups::Group, ranking::Ranking, selectors::Rule};
use crate::{Error, Result, feeds::templates::Template};

/// How a feed is read.
#[derive(Debug)]
pub struct Recipe {
    /// What is selected.
    pub rules: Vec<Rule>,
    /// In which order; the newest first, if nothing says.
    pub ranking: Option<Ranking>,
    /// In which groups, if in groups.
    pub grouping: Option<Grouping>,
    /// What is kept of its readers.
    pub tracks: Tracks,
    /// Whether stories that were watched are left out.
    pub drops_watched: bool,
}

/// What is kept of what readers have done with activities.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Tracks {
    /// Whether they have seen them.
    pub seen: bool,
    /// Whether they have read them.
    pub read: bool,
    /// Whether they have watched them.
    pub watched: bool,
}

impl Tracks {
    /// Whether anything is.
    pub fn anything(self) -> bool {
        self.seen || self.read || self.watched
    }
}

/// How activities are put in groups.
#[derive(Debug)]
pub struct Grouping {
    /// What names the group.
    pub format: Template,
    /// What the score of a group is made of.
    pub strategy: Strategy,
    /// Whether the oldest activity of a group comes first.
    pub is_oldest_first: bool,
}

/// What the scores of activities make of the score of their group.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Strategy {
    /// All together.
    Sum,
    /// The highest.
    Max,
    /// The mean.
    Average,
}

impl Recipe {
    /// What the settings of `group` mean at `now`.
    ///
    /// # Errors
    /// [`Error::Unfit`], [`Error::Ranking`] or [`Error::BrokenFormat`] when they make no sense.
    pub fn of(group: &Group, now: Timestamp) -> Result<Self> {
        let notification = json(group.notification.as_deref());
        let stories = json(group.stories.as_deref());
        let is_on = |json: &Json, name: &str| json.get(name).and_then(Json::as_bool).unwrap_or_default();
        let ranking = group.ranking.as_deref().map(Ranking::parse).transpose()?.flatten();
        let grouping = group.aggregation.as_deref().map(|config| Grouping::parse(config, group.stories.is_some()));
        Ok(Recipe {
            rules: Rule::of_group(group, now)?,
            ranking,
            grouping: grouping.transpose()?.flatten(),
            tracks: Tracks {
                seen: is_on(&notification, "track_seen"),
                read: is_on(&notification, "track_read"),
                watched: is_on(&stories, "track_watched"),
            },
            drops_watched: is_on(&stories, "skip_watched"),
        })
    }

    /// Whether a page of it is the newest of the feed itself and of those that it follows.
    pub fn is_plain(&self) -> bool {
        self.rules.iter().all(|rule| rule.is_of_feed() && !rule.has_order())
            && !(self.tracks.seen || self.tracks.read)
            && self.ranking.is_none()
            && self.grouping.is_none()
            && !self.drops_watched
    }

    /// Whether it takes knowing what the reader is interested in.
    pub fn needs_interests(&self) -> bool {
        self.ranking.as_ref().is_some_and(Ranking::needs_interests)
            || self.rules.iter().any(|rule| rule.kind == "interest")
    }
}

fn json(text: Option<&str>) -> Json {
    text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or(Json::Null)
}

impl Grouping {
    /// Reads `{format, score_strategy, activities_sort}`; nothing where there is no format. Stories come oldest first.
    fn parse(config: &str, is_of_stories: bool) -> Result<Option<Self>> {
        let json = json(Some(config));
        let text = |name: &str| json.get(name).and_then(Json::as_str).filter(|text| !text.is_empty());
        let Some(format) = text("format") else { return Ok(None) };
        let strategy = match text("score_strategy") {
            None | Some("max") => Strategy::Max,
            Some("sum") => Strategy::Sum,
            Some("avg") => Strategy::Average,
            Some(_) => {
                return Err(Error::Unfit("aggregation.score_strategy must be one of [sum max avg]".to_owned()));
            }
        };
        let is_ascending = match text("activities_sort") {
            None | Some("created_at_desc") => false,
            Some("created_at_asc") => true,
            Some(_) => {
                let rule = "aggregation.activities_sort must be one of [created_at_desc created_at_asc]";
                return Err(Error::Unfit(rule.to_owned()));
            }
        };
        let format = Template::parse(format).ok_or(Error::BrokenFormat)?;
        Ok(Some(Grouping { format, strategy, is_oldest_first: is_ascending || is_of_stories }))
    }
}
