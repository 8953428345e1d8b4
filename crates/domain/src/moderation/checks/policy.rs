//! The sections of a policy that this server runs, read from what the application stored (v2 §6.4, §6.8).

use ids::json::Object;
use serde_json::Value;

use super::{Verdict, WINDOW_SECONDS_MAX};
use crate::{Error, Result};

/// The most rules of a section.
const RULES_MAX: usize = 100;
/// The highest threshold of a rule that counts.
pub(super) const THRESHOLD_MAX: u64 = 500;
/// The time that is looked at where a rule names none, in seconds.
const WINDOW_SECONDS: u64 = 60;
/// Bits in which the fingerprints of similar texts differ at most, where a rule does not say.
const DISTANCE: u64 = 6;
/// Members of the velocity filter that change what it does, and that nobody runs here.
const NOT_RUN: [&str; 4] = ["advanced_filters", "cascading_actions", "cids_per_user", "first_message_only"];
/// The same of one of its rules.
const NOT_RUN_BY_RULES: [&str; 8] = [
    "ban_duration",
    "cascading_action",
    "cascading_threshold",
    "check_message_context",
    "ip_ban",
    "probation_period",
    "shadow_ban",
    "slow_spam_ban_duration",
];

/// The rules of a policy.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Policy {
    /// Blocklists.
    pub words: Vec<Words>,
    /// How often something may be said.
    pub paces: Vec<Pace>,
}

/// A blocklist, and what becomes of content in which it finds something.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Words {
    /// The list.
    pub list: String,
    /// The team whose list it is; empty for none.
    pub team: String,
    /// Whether words count inside of others, whatever the list says.
    pub is_substring: bool,
    /// What becomes of the content.
    pub verdict: Verdict,
}

/// Which content of a user counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Repeat {
    /// Whatever is said.
    Any,
    /// What has a link.
    Links,
    /// The same text, but for case and blanks.
    Identical,
    /// Texts whose fingerprints differ in so many bits at most.
    Similar(u32),
}

/// How often a user may say something.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pace {
    /// `flood` or `velocity`.
    pub engine: &'static str,
    /// The name of the rule.
    pub rule: &'static str,
    /// What counts.
    pub repeat: Repeat,
    /// How often it is too often.
    pub threshold: usize,
    /// In how many seconds.
    pub seconds: u64,
    /// Texts that do not count, in lower case.
    pub allowed: Vec<String>,
    /// What becomes of the content.
    pub verdict: Verdict,
}

impl Policy {
    /// The policy of stored sections; what cannot be run of them is left out.
    pub fn read(sections: &str) -> Self {
        let section =
            |name: &str| -> Option<Value> { serde_json::from_str(Object::parse(sections).ok()?.get(name)?.get()).ok() };
        let mut policy = Policy::default();
        if let Some(section) = section("block_list_config").filter(is_on) {
            policy.words = words(&section).unwrap_or_default();
        }
        if let Some(section) = section("flood_config") {
            policy.paces = flood(&section).unwrap_or_default();
        }
        if let Some(section) = section("velocity_filter_config").filter(is_on) {
            policy.paces.extend(velocity(&section).unwrap_or_default());
        }
        policy
    }
}

/// Checks the sections that this server runs, before they are stored.
///
/// # Errors
/// [`Error::Unfit`] when one asks for something that cannot be done, naming it.
pub fn check_sections(sections: &Object) -> Result<()> {
    let section = |name: &str| sections.get(name).and_then(|raw| serde_json::from_str::<Value>(raw.get()).ok());
    if let Some(section) = section("block_list_config") {
        words(&section)?;
    }
    if let Some(section) = section("flood_config") {
        flood(&section)?;
    }
    if let Some(section) = section("velocity_filter_config") {
        velocity(&section)?;
        refuse_set(&section, &NOT_RUN, "velocity_filter_config")?;
        for rule in rules(&section, "velocity_filter_config")? {
            refuse_set(rule, &NOT_RUN_BY_RULES, "velocity_filter_config.rules")?;
        }
    }
    Ok(())
}

fn refuse_set(object: &Value, names: &[&str], section: &str) -> Result<()> {
    let is_set = |value: &Value| !matches!(value, Value::Null | Value::Bool(false)) && *value != 0 && *value != "";
    match names.iter().find(|name| object.get(**name).is_some_and(is_set)) {
        Some(name) => Err(Error::Unfit(format!("{section}.{name} is not available in this version of Millpond"))),
        None => Ok(()),
    }
}

/// Whether a section is not switched off.
fn is_on(section: &Value) -> bool {
    section.get("enabled") != Some(&Value::Bool(false))
}

fn rules<'v>(section: &'v Value, name: &str) -> Result<&'v [Value]> {
    let rules = section.get("rules").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    match rules.len() <= RULES_MAX {
        true => Ok(rules),
        false => Err(Error::Unfit(format!("{name}.rules has more than {RULES_MAX} rules"))),
    }
}

fn verdict(rule: &Value, section: &str) -> Result<Verdict> {
    let action = rule.get("action").and_then(Value::as_str).unwrap_or_default();
    Verdict::of_action(action).ok_or_else(|| {
        let known = "keep, flag, shadow, bounce, bounce_flag, bounce_remove, remove, block";
        Error::Unfit(format!("{section}: action \"{action}\" must be one of [{known}]"))
    })
}

fn words(section: &Value) -> Result<Vec<Words>> {
    let is_substring = section.get("match_substring") == Some(&Value::Bool(true));
    let text = |rule: &Value, name: &str| rule.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let one = |rule: &Value| {
        let verdict = verdict(rule, "block_list_config.rules")?;
        Ok(Words { list: text(rule, "name"), team: text(rule, "team"), is_substring, verdict })
    };
    rules(section, "block_list_config")?.iter().map(one).collect()
}

fn flood(section: &Value) -> Result<Vec<Pace>> {
    let allowed = section.get("allowlist").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let allowed: Vec<String> = allowed.iter().filter_map(|text| Some(text.as_str()?.to_lowercase())).collect();
    let mut paces = Vec::new();
    for (name, rule) in [("identical", "identical"), ("similar", "similar")] {
        let Some(part) = section.get(name).filter(|part| part.is_object()) else { continue };
        if part.get("enabled") != Some(&Value::Bool(true)) {
            continue;
        }
        let section = format!("flood_config.{name}");
        let repeat = match rule {
            "identical" => Repeat::Identical,
            _ => Repeat::Similar(
                u32::try_from(number(part, "similarity_distance", DISTANCE, 64, &section)?).unwrap_or(64),
            ),
        };
        paces.push(Pace {
            engine: "flood",
            rule,
            repeat,
            threshold: threshold(part, "threshold", &section)?,
            seconds: window(part.get("time_window"), &section)?,
            allowed: allowed.clone(),
            verdict: verdict(part, &section)?,
        });
    }
    Ok(paces)
}

fn velocity(section: &Value) -> Result<Vec<Pace>> {
    let name = "velocity_filter_config.rules";
    let mut paces = Vec::new();
    for rule in rules(section, "velocity_filter_config")? {
        let verdict = verdict(rule, name)?;
        let repeat = if rule.get("url_only") == Some(&Value::Bool(true)) { Repeat::Links } else { Repeat::Any };
        let kinds = [
            ("fast_spam", "fast_spam_threshold", "fast_spam_ttl"),
            ("slow_spam", "slow_spam_threshold", "slow_spam_ttl"),
        ];
        for (kind, count, ttl) in kinds {
            if rule.get(count).and_then(Value::as_u64).unwrap_or(0) == 0 {
                continue;
            }
            let seconds = number(rule, ttl, WINDOW_SECONDS, WINDOW_SECONDS_MAX, name)?;
            let threshold = threshold(rule, count, name)?;
            paces.push(Pace {
                engine: "velocity",
                rule: kind,
                repeat,
                threshold,
                seconds,
                allowed: Vec::new(),
                verdict,
            });
        }
    }
    Ok(paces)
}

fn threshold(object: &Value, name: &str, section: &str) -> Result<usize> {
    match object.get(name).and_then(Value::as_u64) {
        Some(count @ 1..=THRESHOLD_MAX) => Ok(usize::try_from(count).unwrap_or(usize::MAX)),
        _ => Err(Error::Unfit(format!("{section}.{name} must be between 1 and {THRESHOLD_MAX}"))),
    }
}

fn number(object: &Value, name: &str, default: u64, max: u64, section: &str) -> Result<u64> {
    match object.get(name) {
        None | Some(Value::Null) => Ok(default),
        Some(value) => match value.as_u64() {
            Some(0) => Ok(default),
            Some(number) if number <= max => Ok(number),
            _ => Err(Error::Unfit(format!("{section}.{name} must be between 0 and {max}"))),
        },
    }
}

/// A time such as `30s`, `5m`, `1h` or `1h0m0s`, in seconds.
fn window(value: Option<&Value>, section: &str) -> Result<u64> {
    let text = value.and_then(Value::as_str).unwrap_or_default();
    if text.is_empty() {
        return Ok(WINDOW_SECONDS);
    }
    match seconds(text) {
        Some(seconds @ 1..=WINDOW_SECONDS_MAX) => Ok(seconds),
        _ => Err(Error::Unfit(format!(
            "{section}.time_window must be a time such as 30s, 5m or 1h, at most {WINDOW_SECONDS_MAX}s"
        ))),
    }
}

fn seconds(text: &str) -> Option<u64> {
    let (mut total, mut digits) = (0_u64, String::new());
    for letter in text.chars() {
        if letter.is_ascii_digit() {
            digits.push(letter);
            continue;
        }
        let unit = match letter {
            's' => 1,
            'm' => 60,
            'h' => 60 * 60,
            'd' => 24 * 60 * 60,
            _ => return None,
        };
        total = total.checked_add(digits.parse::<u64>().ok()?.checked_mul(unit)?)?;
        digits.clear();
    }
    digits.is_empty().then_some(total)
}
