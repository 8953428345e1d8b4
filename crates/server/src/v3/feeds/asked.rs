//! What is asked of a read of a feed (feeds-v3 §3.2).

use std::collections::BTreeMap;

use domain::{
    feeds::ranking::Moment,
    filter::{Filter, Question},
    v3::{
        activities::query::SCHEMA,
        ranking::{self, Interests},
    },
};
use wire::v3::{Pager, activities::Activity};

use super::super::{
    read::{self, LIMIT},
    watching::Watching,
};
use crate::chat::{
    error::{Error, Result},
    fields::Fields,
    gate::Call,
};

/// The most tags that a reader says to be interested in.
const WEIGHTS_MAX: usize = 100;
/// How many reactions of friends an activity shows if nobody says, and the most (feeds-v3 §3.2).
const FRIENDS_LIMIT: usize = 3;
const FRIENDS_LIMIT_MAX: usize = 10;

/// What is asked of the call.
pub(super) struct Asked {
    pub(super) place: read::Place,
    pub(super) around: Option<String>,
    pub(super) filter: Filter,
    pub(super) question: Question,
    pub(super) watching: Watching,
    pub(super) options: Options,
    pub(super) followers: Option<Slice>,
    pub(super) following: Option<Slice>,
    pub(super) members: Option<Slice>,
    /// The view that is read instead of the group's settings.
    pub(super) view: Option<String>,
    /// Which reactions of friends are shown, if any.
    pub(super) friends: Option<Friends>,
    /// What the reader is said to be interested in.
    pub(super) interests: Interests,
    /// Whether that is all, and what the reader reacted to does not count.
    pub(super) overwrites_interests: bool,
    external: Option<String>,
}

/// Which part of a list beside the page.
#[derive(Clone, Copy)]
pub(super) struct Slice {
    pub(super) limit: usize,
    pub(super) offset: usize,
}

/// What of the answer is left out, and what is added.
#[derive(Clone, Copy, Default)]
pub(super) struct Options {
    pub(super) skips_activities: bool,
    pub(super) skips_current_feed: bool,
    pub(super) skips_followers: bool,
    pub(super) skips_following: bool,
    pub(super) skips_pins: bool,
    pub(super) skips_own_follows: bool,
    pub(super) skips_own_capabilities: bool,
    pub(super) shows_own_followings: bool,
    pub(super) parts: Parts,
    /// Whether a feed in groups lists its activities, too.
    pub(super) shows_flat: bool,
    /// Whether what scores were made of is told.
    pub(super) shows_variables: bool,
}

/// What of each activity is left out.
#[derive(Clone, Copy, Default)]
pub(super) struct Parts {
    skips_collections: bool,
    skips_comments: bool,
    skips_mentioned: bool,
    skips_own_bookmarks: bool,
    skips_parents: bool,
    skips_poll: bool,
    skips_reactions: bool,
}

impl Parts {
    /// `activity` without them.
    pub(super) fn leave_out(self, mut activity: Activity<'_>) -> Activity<'_> {
        let engagement = &mut activity.engagement;
        if self.skips_collections {
            engagement.collections.clear();
        }
        if self.skips_comments {
            engagement.comments.clear();
        }
        if self.skips_own_bookmarks {
            engagement.own_bookmarks.clear();
        }
        if self.skips_reactions {
            engagement.latest_reactions.clear();
            engagement.own_reactions.clear();
            engagement.reaction_groups.clear();
            (activity.friend_reactions, activity.friend_reaction_count) = (None, None);
        }
        if self.skips_mentioned {
            activity.mentioned_users.clear();
        }
        if self.skips_parents {
            activity.parent = None;
        }
        if self.skips_poll {
            activity.poll = None;
        }
        activity
    }
}

impl Asked {
    /// Reads it.
    ///
    /// # Errors
    /// 4 when a member is not what the contract says.
    pub(super) fn read(call: &Call, sent: &mut Fields) -> Result<Self> {
        let filter = sent.raw("filter").map_or_else(String::new, |raw| raw.get().to_owned());
        let view = sent.filled("view")?;
        Ok(Asked {
            place: read::Place::read(sent)?,
            around: sent.filled("id_around")?,
            question: Question::of(&[&filter, view.as_deref().unwrap_or_default()]),
            filter: Filter::parse(&filter, SCHEMA)?,
            view,
            friends: Friends::read(sent)?,
            overwrites_interests: sent.flag("overwrite_interest_weights")?.unwrap_or_default(),
            interests: interests(sent)?,
            external: read::object(sent, "external_ranking")?.map(|object| object.to_string()),
            watching: Watching::read(call, sent)?,
            options: Options::read(sent)?,
            followers: Slice::read(sent, "followers_pagination")?,
            following: Slice::read(sent, "following_pagination")?,
            members: Slice::read(sent, "member_pagination")?,
        })
    }
}

impl Asked {
    /// Checks what is asked, before anything is made.
    ///
    /// # Errors
    /// 4 when the cursor is another question's.
    pub(super) fn check(&self) -> Result<()> {
        for text in self.place.next.iter().chain(&self.place.prev) {
            self.question.open(text)?;
        }
        Ok(())
    }

    /// When and with what scores are made.
    ///
    /// # Errors
    /// 4 when `external_ranking` is too long.
    pub(super) fn moment(&self, call: &Call) -> Result<Moment> {
        let seed = u64::from_le_bytes(crate::seal::random());
        Ok(ranking::moment(call.now(), seed, self.external.as_deref())?)
    }
}

/// `interest_weights`: tag → number.
fn interests(sent: &mut Fields) -> Result<Interests> {
    let Some(given) = sent.object("interest_weights")? else { return Ok(Interests::default()) };
    let mut weights = BTreeMap::new();
    for (tag, weight) in given.rest().iter() {
        let rule = || Error::field("interest_weights", "must hold numbers");
        let weight: f64 = serde_json::from_str(weight.get()).map_err(|_| rule())?;
        weights.insert(tag.trim().to_lowercase(), weight);
    }
    match weights.len() <= WEIGHTS_MAX {
        true => Ok(Interests(weights)),
        false => Err(Error::field("interest_weights", &format!("must hold at most {WEIGHTS_MAX} tags"))),
    }
}

impl Options {
    fn read(sent: &mut Fields) -> Result<Self> {
        let Some(mut given) = sent.object("enrichment_options")? else { return Ok(Options::default()) };
        let all = given.flag("skip_all")?.unwrap_or_default();
        let shows_flat = given.flag("include_flat_activities")?.unwrap_or_default();
        let shows_variables = given.flag("include_score_vars")?.unwrap_or_default();
        let shows_own_followings = given.flag("enrich_own_followings")?.unwrap_or_default();
        let mut skips = |name: &str| Ok::<_, Error>(given.flag(name)?.unwrap_or_default() || all);
        Ok(Options {
            skips_activities: skips("skip_activity")?,
            skips_current_feed: skips("skip_activity_current_feed")?,
            skips_followers: skips("skip_followers")?,
            skips_following: skips("skip_following")?,
            skips_pins: skips("skip_pins")?,
            skips_own_follows: skips("skip_own_follows")?,
            skips_own_capabilities: skips("skip_own_capabilities")?,
            shows_own_followings,
            shows_flat,
            shows_variables,
            parts: Parts {
                skips_collections: skips("skip_activity_collections")?,
                skips_comments: skips("skip_activity_comments")?,
                skips_mentioned: skips("skip_activity_mentioned_users")?,
                skips_own_bookmarks: skips("skip_activity_own_bookmarks")?,
                skips_parents: skips("skip_activity_parents")?,
                skips_poll: skips("skip_activity_poll")?,
                skips_reactions: skips("skip_activity_reactions")?,
            },
        })
    }
}

impl Slice {
    /// The first of it.
    pub(super) const FIRST: Slice = Slice { limit: LIMIT, offset: 0 };

    fn read(sent: &mut Fields, name: &str) -> Result<Option<Self>> {
        let Some(mut given) = sent.object(name)? else { return Ok(None) };
        let read::Place { limit, next, prev } = read::Place::read(&mut given)?;
        let offset = match next.or(prev) {
            None => 0,
            Some(text) => text.parse().map_err(|_| Error::field(name, "takes what an earlier page answered"))?,
        };
        Ok(Some(Slice { limit, offset }))
    }

    /// Where the parts beside it are.
    pub(super) fn pager(self, has_more: bool) -> Pager {
        Pager {
            next: has_more.then(|| (self.offset + self.limit).to_string()),
            prev: (self.offset > 0).then(|| self.offset.saturating_sub(self.limit).to_string()),
        }
    }
}

/// Which reactions of friends are wanted.
#[derive(Clone, Copy)]
pub(super) struct Friends {
    /// Whether only those count who follow back.
    pub(super) is_mutual: bool,
    /// At most how many are shown of one activity.
    pub(super) limit: usize,
}

impl Friends {
    /// Reads `friend_reactions_options`; nothing unless it is enabled.
    fn read(sent: &mut Fields) -> Result<Option<Self>> {
        let Some(mut options) = sent.object("friend_reactions_options")? else { return Ok(None) };
        let is_mutual = match options.filled("type")?.as_deref() {
            None | Some("following") => false,
            Some("mutual") => true,
            Some(_) => return Err(Error::field("friend_reactions_options.type", "must be one of [following mutual]")),
        };
        let limit = options.count("limit", FRIENDS_LIMIT, FRIENDS_LIMIT_MAX)?;
        Ok(options.flag("enabled")?.unwrap_or_default().then_some(Friends { is_mutual, limit }))
    }
}
