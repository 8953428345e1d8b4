//! How long messages and channels are kept (chat §11.14.14, v2 §7.9).
//!
//! Once a day each policy plans a task that walks over all channels and removes for good what is older than the policy
//! says: messages, or channels in which nothing was said since. What came of it is kept as a run.

use ids::{ChannelId, Timestamp};
use minicbor::{Decode, Encode};
use store::{Direction, Limit, key::after};

use super::reads;
use crate::{
    Error, Result, Tx,
    erasure::{channels as removal, told},
    keyspace::{CHANNEL, Chat, Latest, RETENTION, RETENTION_RUN},
    rows,
    tasks::{self, Kind, Progress, Step},
};

/// Messages that are older than the policy says.
pub const OLD_MESSAGES: &str = "old-messages";
/// Channels in which nothing was said for so long.
pub const INACTIVE_CHANNELS: &str = "inactive-channels";
/// Every policy.
pub const POLICIES: [&str; 2] = [INACTIVE_CHANNELS, OLD_MESSAGES];
/// The longest age: ten years.
pub const MAX_AGE_HOURS: u32 = 24 * 366 * 10;
/// Runs that are kept; the oldest go.
pub const RUNS_MAX: usize = 200;
/// Channels that one step looks at.
const CHANNELS_MAX: usize = 32;
const HOUR_MICROS: i64 = 3600 * 1_000_000;
const DAY_MICROS: i64 = 24 * HOUR_MICROS;
/// The stage after all channels, in which the log forgets what was said there; those of a channel are fewer.
const TOLD: u8 = u8::MAX;
/// As what removed messages and channels are counted.
const MESSAGES: &str = "messages";
const CHANNELS: &str = "channels";

/// A policy.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Policy {
    /// Since when it holds.
    #[n(0)]
    pub enabled_at: Timestamp,
    /// What is older goes.
    #[n(1)]
    pub max_age_hours: u32,
    /// The day, by its beginning, of its last run.
    #[n(2)]
    pub ran_on: Option<Timestamp>,
}

/// What came of a policy on one day.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Run {
    /// Messages that were removed.
    #[n(0)]
    pub messages: u64,
    /// Channels that were removed.
    #[n(1)]
    pub channels: u64,
}

/// A run that is under way.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Retain {
    /// Which policy.
    #[n(0)]
    pub policy: String,
    /// What is from before goes.
    #[n(1)]
    pub until: Timestamp,
    /// The day, by its beginning.
    #[n(2)]
    pub day: Timestamp,
}

/// Sets the policy `name`; it runs at the next occasion.
///
/// # Errors
/// [`Error::Unfit`] for a name that is none and an age that is none.
pub async fn set(tx: &mut Tx, name: &str, max_age_hours: i64, now: Timestamp) -> Result<Policy> {
    check_name(name)?;
    let age = u32::try_from(max_age_hours).ok().filter(|age| (1..=MAX_AGE_HOURS).contains(age));
    let max_age_hours = age.ok_or_else(|| Error::Unfit(format!("max_age_hours must be 1 to {MAX_AGE_HOURS}")))?;
    let tenant = tx.tenant();
    let before = RETENTION.get(tx, tenant, &name.to_owned()).await?;
    let policy = Policy {
        enabled_at: before.as_ref().map_or(now, |before| before.enabled_at),
        max_age_hours,
        ran_on: before.and_then(|before| before.ran_on),
    };
    RETENTION.put(tx, tenant, &name.to_owned(), &policy);
    Ok(policy)
}

fn check_name(name: &str) -> Result<()> {
    match POLICIES.contains(&name) {
        true => Ok(()),
        false => Err(Error::Unfit(format!("policy must be one of {}", POLICIES.join(", ")))),
    }
}

/// Ends the policy `name`. A run that is under way goes on.
///
/// # Errors
/// [`Error::Unfit`] for a name that is none, [`Error::Absent`] when it is not set.
pub async fn remove(tx: &mut Tx, name: &str) -> Result<()> {
    check_name(name)?;
    let tenant = tx.tenant();
    if !RETENTION.exists(tx, tenant, &name.to_owned()).await? {
        return Err(Error::Absent(format!("retention policy {name} is not set")));
    }
    RETENTION.delete(tx, tenant, &name.to_owned());
    Ok(())
}

/// The policies that are set, by name.
///
/// # Errors
/// When the store fails.
pub async fn list(tx: &mut Tx) -> Result<Vec<(String, Policy)>> {
    let range = RETENTION.range(tx.tenant());
    rows::list(tx, &RETENTION, range, POLICIES.len()).await
}

/// The runs that are kept: day and policy, the newest first.
///
/// # Errors
/// When the store fails.
pub async fn runs(tx: &mut Tx) -> Result<Vec<(Timestamp, String, Run)>> {
    let range = RETENTION_RUN.range(tx.tenant());
    let rows = rows::list(tx, &RETENTION_RUN, range, RUNS_MAX + POLICIES.len()).await?;
    Ok(rows.into_iter().map(|((Latest(day), policy), run)| (day, policy, run)).collect())
}

/// The policies that have not run today.
///
/// # Errors
/// When the store fails.
pub async fn due(tx: &mut Tx, now: Timestamp) -> Result<Vec<(String, Policy)>> {
    let mut policies = list(tx).await?;
    policies.retain(|(_, policy)| policy.ran_on.is_none_or(|day| day < day_of(now)));
    Ok(policies)
}

/// Plans a run of the policy `name`, unless it ran today, as the task `id`.
///
/// # Errors
/// When the store fails.
pub async fn plan(tx: &mut Tx, id: &str, name: &str, now: Timestamp) -> Result<()> {
    let tenant = tx.tenant();
    let Some((_, policy)) = due(tx, now).await?.into_iter().find(|(known, _)| known == name) else { return Ok(()) };
    let day = day_of(now);
    let until = now.plus_micros(-i64::from(policy.max_age_hours) * HOUR_MICROS);
    RETENTION.put(tx, tenant, &name.to_owned(), &Policy { ran_on: Some(day), ..policy });
    tasks::plan(tx, id, Kind::Retain(Box::new(Retain { policy: name.to_owned(), until, day })), now);
    Ok(())
}

fn day_of(now: Timestamp) -> Timestamp {
    Timestamp::from_micros(now.micros().div_euclid(DAY_MICROS) * DAY_MICROS)
}

/// Does a step of a run.
///
/// # Errors
/// When the store fails.
pub async fn step(tx: &mut Tx, retain: &Retain, progress: &mut Progress, now: Timestamp) -> Result<Step> {
    if progress.stage == TOLD {
        let is_done = told::forget(tx, &mut progress.cursor).await?;
        if is_done {
            finish(tx, retain, progress).await?;
        }
        return Ok(if is_done { Step::Done } else { Step::More });
    }
    for _ in 0..CHANNELS_MAX {
        let Some(channel) = next(tx, &progress.cursor).await? else {
            if progress.counts.iter().all(|(_, count)| *count == 0) {
                finish(tx, retain, progress).await?;
                return Ok(Step::Done);
            }
            progress.stage = TOLD;
            progress.cursor.clear();
            return Ok(Step::More);
        };
        let is_done = match retain.policy.as_str() {
            OLD_MESSAGES => {
                let mut removed = 0;
                let is_done = removal::remove_old(tx, &channel, retain.until, &mut removed).await?;
                progress.count(MESSAGES, removed);
                if removed > 0 && is_done {
                    // What else one transaction may hold is not known.
                    progress.cursor = channel.as_str().into();
                    return Ok(Step::More);
                }
                is_done
            }
            _ => remove_inactive(tx, &channel, retain, progress, now).await?,
        };
        if !is_done {
            return Ok(Step::More);
        }
        progress.stage = 0;
        progress.cursor = channel.as_str().into();
    }
    Ok(Step::More)
}

/// Goes on after the channel at hand, of which nothing can come.
///
/// # Errors
/// When the store fails.
pub async fn skip(tx: &mut Tx, progress: &mut Progress) -> Result<()> {
    if let Some(channel) = next(tx, &progress.cursor).await? {
        progress.stage = 0;
        progress.cursor = channel.as_str().into();
    }
    Ok(())
}

/// The first channel after the one that `cursor` names.
async fn next(tx: &mut Tx, cursor: &[u8]) -> Result<Option<ChannelId>> {
    let tenant = tx.tenant();
    let mut range = CHANNEL.range(tenant);
    if let Some(done) = std::str::from_utf8(cursor).ok().and_then(|cid| ChannelId::parse(cid).ok()) {
        range.start = after(CHANNEL.key(tenant, &Chat(done)));
    }
    let page = CHANNEL.scan(tx, tenant, range, Direction::Forward, Limit::rows(1)).await?;
    Ok(page.rows.into_iter().next().map(|(Chat(id), _)| id))
}

/// Removes the channel if nothing was said in it for too long; whether there is nothing more to do with it.
async fn remove_inactive(
    tx: &mut Tx,
    id: &ChannelId,
    retain: &Retain,
    progress: &mut Progress,
    now: Timestamp,
) -> Result<bool> {
    // The first step marks it; the stage after that is one more than what the removal counts.
    if progress.stage == 0 {
        let Some(channel) = super::channels::get(tx, id).await? else { return Ok(true) };
        let said = reads::last_message_at(&tx.app, id, &channel).await?;
        if said.unwrap_or(channel.created_at).max(channel.created_at) >= retain.until {
            return Ok(true);
        }
        removal::mark(tx, id, true, None, now).await?;
        progress.count(CHANNELS, 1);
        progress.stage = 1;
        return Ok(false);
    }
    let tenant = tx.tenant();
    let row = CHANNEL.get(tx, tenant, &Chat(id.clone())).await?;
    // Somebody may have made it again since.
    let Some(deleted_at) = row.and_then(|channel| channel.deleted_at) else { return Ok(true) };
    let mut stage = progress.stage - 1;
    let is_done = removal::remove(tx, id, &mut stage, deleted_at).await? == Step::Done;
    progress.stage = stage + 1;
    Ok(is_done)
}

/// Notes what came of the run; of runs long ago it is forgotten.
async fn finish(tx: &mut Tx, retain: &Retain, progress: &Progress) -> Result<()> {
    let tenant = tx.tenant();
    let count = |wanted: &str| progress.counts.iter().find(|(name, _)| name == wanted).map_or(0, |(_, count)| *count);
    let run = Run { messages: count(MESSAGES), channels: count(CHANNELS) };
    for (day, policy, _) in runs(tx).await?.into_iter().skip(RUNS_MAX - 1) {
        RETENTION_RUN.delete(tx, tenant, &(Latest(day), policy));
    }
    RETENTION_RUN.put(tx, tenant, &(Latest(retain.day), retain.policy.clone()), &run);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::pond::{Pond, broken, channel};

    /// Runs the policy to its end.
    async fn run(pond: &Pond, policy: &str, until: Timestamp) -> Run {
        let retain = Retain { policy: policy.to_owned(), until, day: Timestamp::from_micros(0) };
        let mut progress = Progress::default();
        loop {
            let now = pond.tick();
            let (step, after) = pond
                .write(async |tx| {
                    let mut tried = progress.clone();
                    Ok((step(tx, &retain, &mut tried, now).await?, tried))
                })
                .await;
            progress = after;
            if step == Step::Done {
                return runs(&mut pond.app.snapshot()).await.unwrap().remove(0).2;
            }
        }
    }

    #[tokio::test]
    async fn messages_from_before_go_for_good_and_later_ones_stay() {
        let pond = Pond::new().await;
        pond.say("amy", "old", "a").await;
        pond.reply("bob", "answer", "old").await;
        let until = pond.tick();
        pond.say("amy", "new", "b").await;
        assert_eq!(run(&pond, OLD_MESSAGES, until).await.channels, 0);
        assert!(pond.get("old").await.is_none() && pond.get("answer").await.is_none());
        assert!(pond.get("new").await.is_some());
    }

    #[tokio::test]
    async fn a_channel_in_which_nothing_was_said_since_goes_with_all_that_is_in_it() {
        let pond = Pond::new().await;
        pond.say("amy", "m", "a").await;
        let early = Timestamp::from_micros(0);
        assert_eq!(run(&pond, INACTIVE_CHANNELS, early).await, Run { messages: 0, channels: 0 });
        let until = pond.tick();
        assert_eq!(run(&pond, INACTIVE_CHANNELS, until).await, Run { messages: 0, channels: 1 });
        let mut tx = pond.app.snapshot();
        assert!(CHANNEL.get(&mut tx, 1, &Chat(channel())).await.unwrap().is_none());
        assert!(pond.get("m").await.is_none());
        assert!(pond.told().await.contains(&"channel.deleted".to_owned()));
    }

    #[tokio::test]
    async fn a_policy_runs_once_a_day() {
        let pond = Pond::new().await;
        let now = pond.tick();
        pond.write(async |tx| set(tx, OLD_MESSAGES, 24, now).await).await;
        let due_at = async |now| due(&mut pond.app.snapshot(), now).await.unwrap().len();
        assert_eq!(due_at(now).await, 1);
        pond.write(async |tx| plan(tx, "t", OLD_MESSAGES, now).await).await;
        assert_eq!((due_at(now).await, due_at(now.plus_micros(DAY_MICROS)).await), (0, 1));
    }

    #[tokio::test]
    async fn a_policy_that_is_none_and_an_age_that_is_none_are_refused() {
        let pond = Pond::new().await;
        let now = pond.tick();
        let wrong = broken(pond.app.write(async |tx| set(tx, "old-users", 24, now).await).await);
        assert_eq!(wrong, "policy must be one of inactive-channels, old-messages");
        for age in [0, -1, i64::from(MAX_AGE_HOURS) + 1] {
            assert!(pond.app.write(async |tx| set(tx, OLD_MESSAGES, age, now).await).await.is_err());
        }
        assert!(pond.app.write(async |tx| remove(tx, OLD_MESSAGES).await).await.is_err());
    }
}
