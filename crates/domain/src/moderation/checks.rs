//! Automatic checks of content by the application's policies (v2 §6.3, §6.4): blocklists, floods and velocity.
//!
//! Nothing here guesses what a text means: the sections of a policy that need a model are kept by [`super::configs`] and run
//! by nobody. What a user said lately is known by fingerprints alone, and only where a policy counts them.

mod policy;
mod spam;

use std::iter;

use ids::{ChannelId, Timestamp, UserId};

pub use policy::{Pace, Policy, Repeat, Words, check_sections};
pub use spam::{Fingerprint, WINDOW_SECONDS_MAX};

use crate::{Result, Tx, chat::blocklists, keyspace::MODERATION_CONFIG, users};

/// What is to become of content, from harmless to hard.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Verdict {
    /// It stays.
    Keep,
    /// It stays, and a moderator is to look at it.
    Flag,
    /// Only its author sees it.
    Shadow,
    /// Its author may say it otherwise.
    Bounce,
    /// It does not stay.
    Remove,
}

impl Verdict {
    /// The verdict of an action of a policy, or of the behavior of a blocklist.
    pub fn of_action(action: &str) -> Option<Self> {
        Some(match action {
            "keep" => Verdict::Keep,
            "flag" => Verdict::Flag,
            "shadow" | "shadow_block" => Verdict::Shadow,
            "bounce" | "bounce_flag" | "bounce_remove" => Verdict::Bounce,
            "remove" | "block" => Verdict::Remove,
            _ => return None,
        })
    }

    /// The API's word.
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Keep => "keep",
            Verdict::Flag => "flag",
            Verdict::Shadow => "shadow",
            Verdict::Bounce => "bounce",
            Verdict::Remove => "remove",
        }
    }
}

/// Content to check.
#[derive(Clone, Debug)]
pub struct Content<'a> {
    /// Whose it is.
    pub creator: &'a UserId,
    /// Its id: content that is checked again counts once.
    pub id: &'a str,
    /// What it says.
    pub texts: Vec<&'a str>,
}

/// A rule that content broke.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hit {
    /// Which engine found it: `blocklist`, `flood` or `velocity`.
    pub engine: &'static str,
    /// The blocklist, or the name of the rule.
    pub rule: String,
    /// What the rule asks for.
    pub verdict: Verdict,
}

/// What checks found.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Outcome {
    /// Every rule that was broken.
    pub hits: Vec<Hit>,
}

impl Outcome {
    /// What the hardest rule asks for.
    pub fn verdict(&self) -> Verdict {
        self.hits.iter().map(|hit| hit.verdict).max().unwrap_or(Verdict::Keep)
    }

    /// The blocklists that found something.
    pub fn blocklists(&self) -> impl Iterator<Item = &str> {
        self.hits.iter().filter(|hit| hit.engine == "blocklist").map(|hit| hit.rule.as_str())
    }
}

/// The names of the policies for a channel, the most specific first.
pub fn keys_of(channel: &ChannelId) -> Vec<String> {
    fallbacks(&format!("chat:{channel}"))
}

/// The key of a policy, and those that hold where there is none of that name: `chat:messaging:general`, `chat:messaging`,
/// `chat`, `default`.
pub fn fallbacks(key: &str) -> Vec<String> {
    let shorter = key.rmatch_indices(':').map(|(end, _)| key[..end].to_owned());
    iter::once(key.to_owned()).chain(shorter).chain(["default".to_owned()]).collect()
}

/// The first of the policies `keys` that there is, for `team` or for nobody in particular, with its key.
///
/// # Errors
/// When the store fails.
pub async fn find(tx: &mut Tx, keys: &[String], team: &str) -> Result<Option<(String, Policy)>> {
    let teams = if team.is_empty() { vec![""] } else { vec![team, ""] };
    let names: Vec<(String, String)> =
        keys.iter().flat_map(|key| teams.iter().map(|team| (key.clone(), (*team).to_owned()))).collect();
    let tenant = tx.tenant();
    let found = MODERATION_CONFIG.get_many(tx, tenant, &names).await?;
    let first = names.into_iter().zip(found).find_map(|((key, _), config)| Some((key, config?)));
    Ok(first.map(|(key, config)| (key, Policy::read(&config.sections))))
}

/// Whether moderation looks away from what `user` says.
///
/// # Errors
/// When the store fails.
pub async fn is_bypassed(tx: &mut Tx, user: &UserId) -> Result<bool> {
    Ok(users::get(tx, user).await?.is_some_and(|user| user.bypasses_moderation))
}

/// What of `policy` the content breaks. Where the policy counts, the content is counted.
///
/// # Errors
/// When the store fails.
pub async fn run(tx: &mut Tx, policy: &Policy, content: &Content<'_>, now: Timestamp) -> Result<Outcome> {
    let mut outcome = Outcome::default();
    for words in &policy.words {
        if blocklists::finds(tx, words, &content.texts).await? {
            outcome.hits.push(Hit { engine: "blocklist", rule: words.list.clone(), verdict: words.verdict });
        }
    }
    if !policy.paces.is_empty() {
        outcome.hits.extend(spam::hits(tx, &policy.paces, content, now).await?);
    }
    Ok(outcome)
}

#[cfg(test)]
mod tests;
