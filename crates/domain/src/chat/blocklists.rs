//! Blocklists: words that messages are checked for (chat §11.11, §12.14).

mod matching;

use std::collections::HashSet;

use ids::Timestamp;
use minicbor::{Decode, Encode};
use store::{Direction, Limit};

use super::types::{self, Config, config::SIMPLE};
use crate::{
    Error, Result, Tx,
    keyspace::{BLOCKLIST, BLOCKLIST_WORDS, CHANNEL_TYPE},
    moderation::checks::{Hit, Verdict, Words},
    tasks::{self, Kind},
};

/// The list that every app has.
pub const BUILT_IN: &str = "profanity_en_2020_v1";
/// Other names that policies have for it.
const ALSO_BUILT_IN: [&str; 1] = ["profanity_en"];
/// What the list of every app holds.
const BUILT_IN_WORDS: [&str; 12] = [
    "arsehole",
    "asshole",
    "bastard",
    "bitch",
    "bollocks",
    "bullshit",
    "cunt",
    "fuck",
    "motherfucker",
    "shit",
    "twat",
    "wanker",
];
/// What a list can hold.
pub const KINDS: [&str; 6] = ["word", "regex", "domain", "domain_allowlist", "email", "email_allowlist"];
/// The most lists of an app.
const LISTS_MAX: usize = 15;
/// The most words of a list.
const WORDS_MAX: usize = 10_000;
/// The longest word, in characters.
const WORD_CHARS_MAX: usize = 40;
/// The longest regular expression, in characters.
const REGEX_CHARS_MAX: usize = 200;
/// The longest name, in bytes.
const NAME_BYTES_MAX: usize = 255;
/// Words of one row.
const PART_WORDS: usize = 400;

/// Team or nothing, name.
pub type Id = (String, String);

/// A blocklist, but for its words.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Blocklist {
    /// What it holds: one of [`KINDS`].
    #[n(0)]
    pub kind: String,
    /// Whether a word counts inside of others.
    #[n(1)]
    pub is_substring: bool,
    /// Whether digits and signs count as the letters that they look like.
    #[n(2)]
    pub is_leet: bool,
    /// Whether the plural of a word counts.
    #[n(3)]
    pub is_plural: bool,
    /// Whether foreign letters count as those that they look like.
    #[n(4)]
    pub is_folding: bool,
    /// Since when there is it.
    #[n(5)]
    pub created_at: Timestamp,
    /// When it was last changed.
    #[n(6)]
    pub updated_at: Timestamp,
}

/// What is said of a list; what is absent stays as it is.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// See [`Blocklist::kind`].
    pub kind: Option<String>,
    /// What it holds.
    pub words: Option<Vec<String>>,
    /// See [`Blocklist::is_substring`].
    pub is_substring: Option<bool>,
    /// See [`Blocklist::is_leet`].
    pub is_leet: Option<bool>,
    /// See [`Blocklist::is_plural`].
    pub is_plural: Option<bool>,
    /// See [`Blocklist::is_folding`].
    pub is_folding: Option<bool>,
}

fn built_in() -> Blocklist {
    let never = Timestamp::from_micros(0);
    Blocklist {
        kind: KINDS[0].to_owned(),
        is_substring: false,
        is_leet: false,
        is_plural: false,
        is_folding: false,
        created_at: never,
        updated_at: never,
    }
}

/// The list `id` with its words.
///
/// # Errors
/// [`Error::Absent`] when there is none.
pub async fn load(tx: &mut Tx, id: &Id) -> Result<(Blocklist, Vec<String>)> {
    if id.1 == BUILT_IN {
        return Ok((built_in(), BUILT_IN_WORDS.map(str::to_owned).to_vec()));
    }
    let tenant = tx.tenant();
    match BLOCKLIST.get(tx, tenant, id).await? {
        Some(list) => Ok((list, words(tx, id).await?)),
        None => Err(Error::Absent(format!("blocklist \"{}\" does not exist", id.1))),
    }
}

async fn words(tx: &mut Tx, id: &Id) -> Result<Vec<String>> {
    let tenant = tx.tenant();
    let limit = Limit { rows: WORDS_MAX / PART_WORDS, bytes: usize::MAX };
    let parts = BLOCKLIST_WORDS.scan(tx, tenant, BLOCKLIST_WORDS.prefix(tenant, id), Direction::Forward, limit).await?;
    Ok(parts.rows.into_iter().flat_map(|(_, words)| words).collect())
}

/// Every list with its words; those of one team, if one is named.
///
/// # Errors
/// When the store fails.
pub async fn list(tx: &mut Tx, team: Option<&str>) -> Result<Vec<(Id, Blocklist, Vec<String>)>> {
    let tenant = tx.tenant();
    let rows = BLOCKLIST.scan(tx, tenant, BLOCKLIST.range(tenant), Direction::Forward, Limit::rows(LISTS_MAX)).await?;
    let known = ((String::new(), BUILT_IN.to_owned()), built_in(), BUILT_IN_WORDS.map(str::to_owned).to_vec());
    let mut lists = vec![known];
    for (id, list) in rows.rows {
        let words = words(tx, &id).await?;
        lists.push((id, list, words));
    }
    lists.retain(|(id, ..)| team.is_none_or(|team| id.0 == team));
    Ok(lists)
}

/// Makes the list `id`.
///
/// # Errors
/// [`Error::Unfit`] when there is one, when there are too many, or when it breaks a limit.
pub async fn create(tx: &mut Tx, id: &Id, change: &Change, now: Timestamp) -> Result<(Blocklist, Vec<String>)> {
    if id.0.len().max(id.1.len()) > NAME_BYTES_MAX {
        return Err(Error::Unfit(format!("name has more than {NAME_BYTES_MAX} bytes")));
    }
    if load(tx, id).await.is_ok() {
        return Err(Error::Unfit(format!("blocklist \"{}\" already exists", id.1)));
    }
    if list(tx, None).await?.len() > LISTS_MAX {
        return Err(Error::Unfit(format!("an app has at most {LISTS_MAX} blocklists")));
    }
    let change = Change { words: Some(change.words.clone().unwrap_or_default()), ..change.clone() };
    put(tx, id, Blocklist { created_at: now, ..built_in() }, &change, now).await
}

/// Changes the list `id`; words replace those before.
///
/// # Errors
/// [`Error::Absent`] when there is none; [`Error::Unfit`] when every app has it, or when it breaks a limit.
pub async fn update(tx: &mut Tx, id: &Id, change: &Change, now: Timestamp) -> Result<(Blocklist, Vec<String>)> {
    let (list, _) = load_own(tx, id).await?;
    put(tx, id, list, change, now).await
}

/// Adds `items` to the list `id`, but for those that it holds already, and plans the task `task` that tells of it.
///
/// A list fits into one transaction, so that the task finds nothing left to do.
///
/// # Errors
/// [`Error::Absent`] when there is none; [`Error::Unfit`] when every app has it, or when it breaks a limit.
pub async fn import(tx: &mut Tx, id: &Id, items: &[String], task: &str, now: Timestamp) -> Result<()> {
    let (list, mut words) = load_own(tx, id).await?;
    let mut known: HashSet<String> = words.iter().cloned().collect();
    words.extend(items.iter().filter(|item| known.insert((*item).clone())).cloned());
    put(tx, id, list, &Change { words: Some(words), ..Change::default() }, now).await?;
    tasks::plan(tx, task, Kind::ImportWords, now);
    Ok(())
}

async fn load_own(tx: &mut Tx, id: &Id) -> Result<(Blocklist, Vec<String>)> {
    match id.1 == BUILT_IN {
        true => Err(Error::Unfit(format!("blocklist \"{BUILT_IN}\" is built in and cannot be changed"))),
        false => load(tx, id).await,
    }
}

async fn put(
    tx: &mut Tx,
    id: &Id,
    mut list: Blocklist,
    change: &Change,
    now: Timestamp,
) -> Result<(Blocklist, Vec<String>)> {
    list.kind = change.kind.clone().unwrap_or(list.kind);
    list.is_substring = change.is_substring.unwrap_or(list.is_substring);
    list.is_leet = change.is_leet.unwrap_or(list.is_leet);
    list.is_plural = change.is_plural.unwrap_or(list.is_plural);
    list.is_folding = change.is_folding.unwrap_or(list.is_folding);
    list.updated_at = now;
    check(&list, change.words.as_deref().unwrap_or_default())?;
    let tenant = tx.tenant();
    if let Some(words) = &change.words {
        tx.delete_range(BLOCKLIST_WORDS.prefix(tenant, id));
        for (part, words) in (0_u32..).zip(words.chunks(PART_WORDS)) {
            BLOCKLIST_WORDS.put(tx, tenant, &(id.0.clone(), id.1.clone(), part), &words.to_vec());
        }
    }
    BLOCKLIST.put(tx, tenant, id, &list);
    let words = match &change.words {
        Some(words) => words.clone(),
        None => words(tx, id).await?,
    };
    Ok((list, words))
}

fn check(list: &Blocklist, words: &[String]) -> Result<()> {
    if !KINDS.contains(&list.kind.as_str()) {
        return Err(Error::Unfit(format!("type must be one of {}", KINDS.join(", "))));
    }
    let chars_max = if list.kind == "regex" { REGEX_CHARS_MAX } else { WORD_CHARS_MAX };
    let fits = |word: &String| !word.trim().is_empty() && word.chars().count() <= chars_max;
    if words.len() > WORDS_MAX || !words.iter().all(fits) {
        return Err(Error::Unfit(format!("words: at most {WORDS_MAX} of 1 to {chars_max} characters")));
    }
    match list.kind == "regex" {
        true => words.iter().try_for_each(|word| matching::regex(word).map(|_| ())),
        false => Ok(()),
    }
}

/// Removes the list `id`, also from the channel types that name it.
///
/// # Errors
/// [`Error::Absent`] when there is none; [`Error::Unfit`] when every app has it.
pub async fn remove(tx: &mut Tx, id: &Id) -> Result<()> {
    load_own(tx, id).await?;
    let tenant = tx.tenant();
    for mut kind in types::list(tx).await? {
        let config = &mut kind.config;
        let before = (config.blocklist.len(), config.blocklists.len());
        if config.blocklist == id.1 {
            config.blocklist.clear();
        }
        config.blocklists.retain(|listed| listed.blocklist != id.1);
        if before != (config.blocklist.len(), config.blocklists.len()) {
            CHANNEL_TYPE.put(tx, tenant, &kind.name, &kind);
        }
    }
    tx.delete_range(BLOCKLIST_WORDS.prefix(tenant, id));
    BLOCKLIST.delete(tx, tenant, id);
    Ok(())
}

/// What the lists of a channel of this config find in `text`, with what the config asks for each (chat §12.14): its lists,
/// and with the automod `simple` the list that every app has.
///
/// # Errors
/// When the store fails.
pub async fn hits(tx: &mut Tx, config: &Config, text: &str) -> Result<Vec<Hit>> {
    let one = (!config.blocklist.is_empty()).then_some((config.blocklist.as_str(), &config.blocklist_behavior));
    let more = config.blocklists.iter().map(|listed| (listed.blocklist.as_str(), &listed.behavior));
    let simple = (config.automod == SIMPLE).then_some((BUILT_IN, &config.automod_behavior));
    let mut hits = Vec::new();
    for (list, behavior) in one.into_iter().chain(more).chain(simple) {
        let verdict = Verdict::of_action(behavior).unwrap_or(Verdict::Flag);
        let words = Words { list: list.to_owned(), team: String::new(), is_substring: false, verdict };
        if finds(tx, &words, &[text]).await? {
            hits.push(Hit { engine: "blocklist", rule: words.list, verdict });
        }
    }
    Ok(hits)
}

/// Whether the list of a rule finds something in one of these texts. One that is not there finds nothing.
///
/// # Errors
/// When the store fails.
pub(crate) async fn finds(tx: &mut Tx, rule: &Words, texts: &[&str]) -> Result<bool> {
    let name = if ALSO_BUILT_IN.contains(&rule.list.as_str()) { BUILT_IN } else { &rule.list };
    let (mut list, words) = match load(tx, &(rule.team.clone(), name.to_owned())).await {
        Err(Error::Absent(_)) => return Ok(false),
        found => found?,
    };
    list.is_substring |= rule.is_substring;
    Ok(texts.iter().any(|text| matching::finds(&list, &words, text)))
}
