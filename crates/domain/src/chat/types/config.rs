//! What the channels of a type can do, and what differs in one of them (chat §6.5).

use ids::json::Object;
use minicbor::{Decode, Encode};
use serde_json::{Value, value::RawValue};

use crate::{Error, Result};

/// The longest text of a message that a type can allow, in characters.
pub const MESSAGE_LENGTH_MAX: u32 = 20_000;

/// The automod that checks messages for the words of the blocklist that every app has.
pub const SIMPLE: &str = "simple";

/// What messages of a type are checked for.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Blocklisted {
    /// The name of the blocklist.
    #[n(0)]
    pub blocklist: String,
    /// What becomes of a message with one of its words: `flag`, `block` or `shadow_block`.
    #[n(1)]
    pub behavior: String,
}

/// What the channels of a type can do, by the API's names.
#[expect(clippy::struct_excessive_bools, reason = "they are the API's switches, and each stands for itself")]
#[derive(Clone, PartialEq, Debug, Encode, Decode)]
pub struct Config {
    /// Whether typing is told.
    #[n(0)]
    pub typing_events: bool,
    /// Whether reading is noted and told.
    #[n(1)]
    pub read_events: bool,
    /// Whether coming and going is told.
    #[n(2)]
    pub connect_events: bool,
    /// Whether delivery is noted and told.
    #[n(3)]
    pub delivery_events: bool,
    /// Whether the application may send events of its own.
    #[n(4)]
    pub custom_events: bool,
    /// Whether messages are found by their text.
    #[n(5)]
    pub search: bool,
    /// Whether there are reactions.
    #[n(6)]
    pub reactions: bool,
    /// Whether there are threads.
    #[n(7)]
    pub replies: bool,
    /// Whether a message can quote another.
    #[n(8)]
    pub quotes: bool,
    /// Whether the channel can be muted.
    #[n(9)]
    pub mutes: bool,
    /// Whether files can be uploaded.
    #[n(10)]
    pub uploads: bool,
    /// Whether links are looked up.
    #[n(11)]
    pub url_enrichment: bool,
    /// Whether devices are told.
    #[n(12)]
    pub push_notifications: bool,
    /// Whether there are polls.
    #[n(13)]
    pub polls: bool,
    /// Whether there are reminders of the channel's own.
    #[n(14)]
    pub reminders: bool,
    /// Whether users can be reminded of messages.
    #[n(15)]
    pub user_message_reminders: bool,
    /// Whether locations can be shared.
    #[n(16)]
    pub shared_locations: bool,
    /// Whether messages are counted.
    #[n(17)]
    pub count_messages: bool,
    /// Whether messages wait until they are committed.
    #[n(18)]
    pub mark_messages_pending: bool,
    /// Whether what the application notes leaves the channel's place in lists alone.
    #[n(19)]
    pub skip_last_msg_update_for_system_msgs: bool,
    /// How long messages are kept: days, or `infinite`.
    #[n(20)]
    pub message_retention: String,
    /// The longest text of a message, in characters.
    #[n(21)]
    pub max_message_length: u32,
    /// How messages are moderated: `disabled` or [`SIMPLE`].
    #[n(22)]
    pub automod: String,
    /// What becomes of what moderation finds: `flag` or `block`.
    #[n(23)]
    pub automod_behavior: String,
    /// From where on it finds something: a JSON object, as it was sent.
    #[n(24)]
    pub automod_thresholds: Option<String>,
    /// The blocklist; empty when there is none.
    #[n(25)]
    pub blocklist: String,
    /// What becomes of a message with one of its words: `flag`, `block` or `shadow_block`.
    #[n(26)]
    pub blocklist_behavior: String,
    /// More blocklists.
    #[n(27)]
    pub blocklists: Vec<Blocklisted>,
    /// Names of slash commands.
    #[n(28)]
    pub commands: Vec<String>,
    /// What devices are told: `all`, `all_mentions`, `mentions`, `direct_mentions` or `none`.
    #[n(29)]
    pub push_level: String,
    /// What users are told, unless they say otherwise: a JSON object, as it was sent.
    #[n(30)]
    pub chat_preferences: Option<String>,
    /// The reasons for which messages can be flagged; whatever reason, if absent.
    #[n(31)]
    pub allowed_flag_reasons: Option<Vec<String>>,
    /// How many members a part of a large channel has.
    #[n(32)]
    pub partition_size: Option<i64>,
    /// How long a part lasts, such as `24h0m0s`.
    #[n(33)]
    pub partition_ttl: Option<String>,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            typing_events: true,
            read_events: true,
            connect_events: true,
            delivery_events: false,
            custom_events: true,
            search: true,
            reactions: true,
            replies: true,
            quotes: true,
            mutes: true,
            uploads: true,
            url_enrichment: true,
            push_notifications: true,
            polls: false,
            reminders: false,
            user_message_reminders: false,
            shared_locations: false,
            count_messages: false,
            mark_messages_pending: false,
            skip_last_msg_update_for_system_msgs: false,
            message_retention: "infinite".to_owned(),
            max_message_length: 5000,
            automod: "disabled".to_owned(),
            automod_behavior: "flag".to_owned(),
            automod_thresholds: None,
            blocklist: String::new(),
            blocklist_behavior: "flag".to_owned(),
            blocklists: Vec::new(),
            commands: Vec::new(),
            push_level: "all".to_owned(),
            chat_preferences: None,
            allowed_flag_reasons: None,
            partition_size: None,
            partition_ttl: None,
        }
    }
}

const BEHAVIORS: [&str; 3] = ["flag", "block", "shadow_block"];
const PUSH_LEVELS: [&str; 5] = ["all", "all_mentions", "mentions", "direct_mentions", "none"];

/// What else a channel can have otherwise than its type; `grants` is read where permissions are checked.
const CHANNEL_SETTINGS: [&str; 6] =
    ["blocklist", "blocklist_behavior", "chat_preferences", "commands", "max_message_length", "push_level"];
/// The switches that a channel can have otherwise than its type.
const CHANNEL_FLAGS: [&str; 9] = [
    "count_messages",
    "quotes",
    "reactions",
    "replies",
    "shared_locations",
    "typing_events",
    "uploads",
    "url_enrichment",
    "user_message_reminders",
];

impl Config {
    /// Every switch with its name in the API.
    pub fn flags_mut(&mut self) -> [(&'static str, &mut bool); 20] {
        [
            ("typing_events", &mut self.typing_events),
            ("read_events", &mut self.read_events),
            ("connect_events", &mut self.connect_events),
            ("delivery_events", &mut self.delivery_events),
            ("custom_events", &mut self.custom_events),
            ("search", &mut self.search),
            ("reactions", &mut self.reactions),
            ("replies", &mut self.replies),
            ("quotes", &mut self.quotes),
            ("mutes", &mut self.mutes),
            ("uploads", &mut self.uploads),
            ("url_enrichment", &mut self.url_enrichment),
            ("push_notifications", &mut self.push_notifications),
            ("polls", &mut self.polls),
            ("reminders", &mut self.reminders),
            ("user_message_reminders", &mut self.user_message_reminders),
            ("shared_locations", &mut self.shared_locations),
            ("count_messages", &mut self.count_messages),
            ("mark_messages_pending", &mut self.mark_messages_pending),
            ("skip_last_msg_update_for_system_msgs", &mut self.skip_last_msg_update_for_system_msgs),
        ]
    }

    /// The same with what `overrides` says otherwise; what is not a channel's to say is left out.
    ///
    /// # Errors
    /// [`Error::Unfit`] when a value is not what its name asks for.
    pub fn overridden(&self, overrides: &Object) -> Result<Config> {
        let is_of_channels = |name: &str| CHANNEL_FLAGS.contains(&name) || CHANNEL_SETTINGS.contains(&name);
        self.changed(overrides.iter().filter(|(name, _)| is_of_channels(name)))
    }

    /// The same with what `settings` say by the API's names; a `null` says nothing, and so does a name that is no
    /// setting's.
    ///
    /// # Errors
    /// [`Error::Unfit`] when a value is not what its name asks for.
    pub fn changed<'s>(&self, settings: impl Iterator<Item = (&'s str, &'s RawValue)>) -> Result<Config> {
        let mut config = self.clone();
        for (name, value) in settings.filter(|(_, value)| value.get() != "null") {
            config.set(name, &parsed(name, value.get())?)?;
        }
        Ok(config)
    }

    fn set(&mut self, name: &str, value: &Value) -> Result<()> {
        let wrong = || Error::Unfit(format!("{name} has the wrong type"));
        let text = || value.as_str().map(str::to_owned).ok_or_else(wrong);
        if let Some((_, flag)) = self.flags_mut().into_iter().find(|(flag, _)| *flag == name) {
            *flag = truth(value).ok_or_else(wrong)?;
            return Ok(());
        }
        match name {
            "message_retention" => replace(&mut self.message_retention, retention(text()?)?),
            "max_message_length" => match value.as_i64().ok_or_else(wrong)? {
                0 => {}
                length => self.max_message_length = message_length(length)?,
            },
            "automod" => choose(&mut self.automod, name, automod(text()?)?, &["disabled", SIMPLE])?,
            "automod_behavior" => choose(&mut self.automod_behavior, name, text()?, &["flag", "block"])?,
            "automod_thresholds" => self.automod_thresholds = thresholds(object(value).ok_or_else(wrong)?)?,
            "blocklist" => self.blocklist = text()?,
            "blocklist_behavior" => choose(&mut self.blocklist_behavior, name, text()?, &BEHAVIORS)?,
            "blocklists" => self.blocklists = blocklists(value).ok_or_else(wrong)?,
            "commands" => self.commands = commands(value).ok_or_else(wrong)?,
            "push_level" => choose(&mut self.push_level, name, text()?, &PUSH_LEVELS)?,
            "chat_preferences" => self.chat_preferences = Some(object(value).ok_or_else(wrong)?),
            "allowed_flag_reasons" => self.allowed_flag_reasons = Some(texts(value).ok_or_else(wrong)?),
            "partition_size" => self.partition_size = Some(value.as_i64().ok_or_else(wrong)?),
            "partition_ttl" => self.partition_ttl = Some(text()?),
            _ => {}
        }
        Ok(())
    }
}

fn parsed(name: &str, json: &str) -> Result<Value> {
    serde_json::from_str(json).map_err(|_| Error::Unfit(format!("{name} nests too deep")))
}

/// A truth value as clients write it.
pub(crate) fn truth(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(is_on) => Some(*is_on),
        Value::Number(number) => match number.as_i64() {
            Some(0) => Some(false),
            Some(1) => Some(true),
            _ => None,
        },
        _ => None,
    }
}

/// An empty text is not given.
fn replace(field: &mut String, text: String) {
    if !text.is_empty() {
        *field = text;
    }
}

fn choose(field: &mut String, name: &str, text: String, choices: &[&str]) -> Result<()> {
    if !text.is_empty() && !choices.contains(&text.as_str()) {
        return Err(Error::Unfit(format!("{name} must be one of {}", choices.join(", "))));
    }
    replace(field, text);
    Ok(())
}

/// What moderates messages without being asked: nobody here can tell what a text means.
fn automod(name: String) -> Result<String> {
    match name.as_str() {
        "AI" => Err(Error::Unfit(
            "automod: AI is not available in this version of Millpond; use simple, a blocklist or a moderation policy"
                .to_owned(),
        )),
        _ => Ok(name),
    }
}

/// Thresholds are those of the automod `AI`: there can be none but empty ones.
fn thresholds(object: String) -> Result<Option<String>> {
    match object.as_str() {
        "{}" => Ok(None),
        _ => Err(Error::Unfit(
            "automod_thresholds are those of the automod AI, which is not available in this version of Millpond"
                .to_owned(),
        )),
    }
}

/// An object as JSON; some clients send an empty list for an empty object.
fn object(value: &Value) -> Option<String> {
    match value {
        Value::Object(_) => Some(value.to_string()),
        Value::Array(list) if list.is_empty() => Some("{}".to_owned()),
        _ => None,
    }
}

/// A list of blocklists, or one of them.
fn blocklists(value: &Value) -> Option<Vec<Blocklisted>> {
    let one = |value: &Value| {
        let blocklist = value.get("blocklist")?.as_str()?.to_owned();
        let behavior = value.get("behavior").and_then(Value::as_str).unwrap_or("block").to_owned();
        BEHAVIORS.contains(&behavior.as_str()).then_some(Blocklisted { blocklist, behavior })
    };
    match value {
        Value::Array(list) => list.iter().map(one).collect(),
        Value::Object(object) if object.is_empty() => Some(Vec::new()),
        _ => Some(vec![one(value)?]),
    }
}

/// Names of commands, or the commands themselves as clients read them; `all` and names of sets stand for many.
fn commands(value: &Value) -> Option<Vec<String>> {
    let name = |value: &Value| value.as_str().or_else(|| value.get("name")?.as_str()).map(str::to_owned);
    let named: Vec<String> = value.as_array()?.iter().map(name).collect::<Option<_>>()?;
    let mut names: Vec<String> = Vec::new();
    for name in named {
        let set = crate::chat::commands::BUILT_IN.iter().filter(|command| name == "all" || command.set == name);
        let mut set: Vec<String> = set.map(|command| command.name.to_owned()).collect();
        if set.is_empty() {
            set.push(name);
        }
        set.retain(|name| !names.contains(name));
        names.append(&mut set);
    }
    Some(names)
}

/// Checks how long messages are kept: days, or `infinite`.
fn retention(text: String) -> Result<String> {
    match text.is_empty() || text == "infinite" || text.parse::<u32>().is_ok_and(|days| days > 0) {
        true => Ok(text),
        false => Err(Error::Unfit("message_retention must be a number of days, or infinite".to_owned())),
    }
}

/// Checks the longest text of a message that somebody asks for.
///
/// # Errors
/// [`Error::Unfit`] when it is none, or more than [`MESSAGE_LENGTH_MAX`].
pub fn message_length(length: i64) -> Result<u32> {
    let fits = u32::try_from(length).ok().filter(|length| (1..=MESSAGE_LENGTH_MAX).contains(length));
    fits.ok_or_else(|| Error::Unfit(format!("max_message_length must be 1 to {MESSAGE_LENGTH_MAX}")))
}

/// A list of texts.
pub(crate) fn texts(value: &Value) -> Option<Vec<String>> {
    value.as_array()?.iter().map(|text| text.as_str().map(str::to_owned)).collect()
}
