//! `/v1/integrations`.

use axum::{
    Extension, Json,
    body::Bytes,
    extract::{Path, State},
    http::StatusCode,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Problem, body,
    query::{self, Paged, Query},
    router::Here,
    views,
};
use crate::{
    Connector, Error, NewIntegration, Secret,
    integrations::{
        Behavior, Contents, DeleteOptions, FilesForm, Health, Integration, Ledger, PREFIX_OF_IDS, Pair, Policies, Poll,
        Watching,
    },
};

type Answer = Result<Json<Value>, Problem>;

/// The settings that can be changed later too.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Settings {
    name: Option<String>,
    email_field: Option<String>,
    async_deletion_behavior: Option<String>,
    delete_options: Option<Options>,
    throttle: Option<Throttle>,
    policies: Option<Rules>,
    poll: Option<Schedule>,
    erasure_ledger: Option<String>,
    /// `null` is an answer here: it means what the test finds.
    #[serde(deserialize_with = "given")]
    include_feeds: Option<Option<bool>>,
    include_files: Option<bool>,
    file_hosts: Option<Vec<String>>,
    redact_others: Option<bool>,
    raw: Option<bool>,
    async_export_fallback: Option<bool>,
    export_before_delete: Option<bool>,
}

/// A field that was given, `null` too.
fn given<'de, T: Deserialize<'de>, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(from).map(Some)
}

#[derive(Deserialize)]
struct Create {
    #[serde(flatten)]
    settings: Settings,
    api_key: String,
    api_secret: String,
    base_url: Option<String>,
    dialect: Option<String>,
    #[serde(default)]
    allow_insecure: bool,
    #[serde(default)]
    trim: bool,
    #[serde(default)]
    save_untested: bool,
    #[serde(default = "yes")]
    delete_probe: bool,
}

fn yes() -> bool {
    true
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Options {
    user: Option<String>,
    messages: Option<String>,
    conversations: Option<String>,
    calls: Option<String>,
    /// `null` is an answer here: it means nobody.
    #[serde(default, deserialize_with = "given")]
    new_channel_owner_id: Option<Option<String>>,
    files_forms: Option<Vec<Value>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Throttle {
    target: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rules {
    multi_match_access: Option<String>,
    multi_match_delete: Option<String>,
    approval: Option<bool>,
    four_eyes: Option<bool>,
    require_verification: Option<bool>,
    cooling_off_s: Option<u32>,
    verify_erasure: Option<bool>,
}

/// When a job is looked at: a schedule that has a name, or what is changed of it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Schedule {
    preset: Option<String>,
    first_s: Option<u32>,
    most_s: Option<u32>,
    after_an_hour_s: Option<u32>,
    after_a_day_s: Option<u32>,
    spread: Option<f64>,
}

/// What stands in for the settings of an integration, new or old.
struct Target<'a> {
    name: &'a mut String,
    email_field: &'a mut String,
    behavior: &'a mut Behavior,
    options: &'a mut DeleteOptions,
    percent: &'a mut u8,
    policies: &'a mut Policies,
    watching: &'a mut Watching,
    contents: &'a mut Contents,
}

impl Settings {
    fn apply(&self, to: Target<'_>) -> Result<(), Problem> {
        set(to.name, self.name.clone());
        set(to.email_field, self.email_field.clone());
        if let Some(word) = &self.async_deletion_behavior {
            *to.behavior = body::word("async_deletion_behavior", word)?;
        }
        if let Some(Throttle { target }) = self.throttle {
            if !(0.01..=1.0).contains(&target) {
                return Err(Problem::field("throttle.target", "must be a share between 0.01 and 1"));
            }
            *to.percent = (target * 100.0).round() as u8;
        }
        if let Some(options) = &self.delete_options {
            options.apply(to.options)?;
        }
        if let Some(rules) = &self.policies {
            let several = |field, word: &Option<String>| word.as_ref().map(|word| body::word(field, word)).transpose();
            let (access, delete) = (&rules.multi_match_access, &rules.multi_match_delete);
            set(&mut to.policies.multi_match_access, several("policies.multi_match_access", access)?);
            set(&mut to.policies.multi_match_delete, several("policies.multi_match_delete", delete)?);
            set(&mut to.policies.needs_approval, rules.approval);
            set(&mut to.policies.four_eyes, rules.four_eyes);
            set(&mut to.policies.needs_verification, rules.require_verification);
            set(&mut to.policies.cooling_off_secs, rules.cooling_off_s);
            set(&mut to.watching.verify_erasure, rules.verify_erasure);
        }
        if let Some(schedule) = &self.poll {
            schedule.apply(&mut to.watching.poll)?;
        }
        if let Some(word) = &self.erasure_ledger {
            to.watching.ledger = body::word::<Ledger>("erasure_ledger", word)?;
        }
        self.apply_contents(to.contents)
    }

    fn apply_contents(&self, to: &mut Contents) -> Result<(), Problem> {
        if self.file_hosts.as_ref().is_some_and(|hosts| hosts.iter().any(|host| !is_host(host))) {
            return Err(Problem::field("file_hosts", "must be names of hosts, as `cdn.example.com` or `.example.com`"));
        }
        set(&mut to.include_feeds, self.include_feeds);
        set(&mut to.include_files, self.include_files);
        set(&mut to.file_hosts, self.file_hosts.clone());
        set(&mut to.redact_others, self.redact_others);
        set(&mut to.raw, self.raw);
        set(&mut to.async_export_fallback, self.async_export_fallback);
        set(&mut to.export_before_delete, self.export_before_delete);
        Ok(())
    }
}

impl Schedule {
    fn apply(&self, to: &mut Poll) -> Result<(), Problem> {
        if let Some(wanted) = &self.preset {
            let known = Poll::PRESETS.iter().find(|(name, _)| name == wanted);
            let names = Poll::PRESETS.map(|(name, _)| name).join(", ");
            let unknown = || Problem::field("poll.preset", format!("must be one of {names}"));
            *to = known.ok_or_else(unknown)?.1;
        }
        set(&mut to.first_secs, self.first_s);
        set(&mut to.most_secs, self.most_s);
        set(&mut to.after_hour_secs, self.after_an_hour_s);
        set(&mut to.after_day_secs, self.after_a_day_s);
        if let Some(spread) = self.spread {
            if !(0.0..=0.5).contains(&spread) {
                return Err(Problem::field("poll.spread", "must be a share from 0 to 0.5"));
            }
            to.spread_percent = (spread * 100.0).round() as u8;
        }
        Ok(to.check()?)
    }
}

impl Options {
    fn apply(&self, to: &mut DeleteOptions) -> Result<(), Problem> {
        let depth = |field, word: &Option<String>| word.as_ref().map(|word| body::word(field, word)).transpose();
        set(&mut to.user, depth("delete_options.user", &self.user)?);
        set(&mut to.messages, depth("delete_options.messages", &self.messages)?);
        set(&mut to.conversations, depth("delete_options.conversations", &self.conversations)?);
        set(&mut to.calls, depth("delete_options.calls", &self.calls)?);
        set(&mut to.new_channel_owner_id, self.new_channel_owner_id.clone());
        if let Some(forms) = &self.files_forms {
            let known = |form: &Value| FilesForm::ALL.iter().copied().find(|known| known.json() == *form);
            let forms: Option<Vec<FilesForm>> = forms.iter().map(known).collect();
            let wrong = || Problem::field("delete_options.files_forms", "must be a list of \"hard\" and true");
            to.files_forms = forms.ok_or_else(wrong)?;
        }
        Ok(())
    }
}

fn is_host(text: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':');
    !text.trim_start_matches('.').is_empty() && text.chars().all(is_part)
}

fn set<T>(to: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *to = value;
    }
}

/// Fields that nobody knows; serde cannot refuse them beside flattened ones.
fn check_fields(bytes: &[u8], known: &[&str]) -> Result<(), Problem> {
    let fields: serde_json::Map<String, Value> = body::read(bytes)?;
    let unknown = fields.keys().find(|field| !known.contains(&field.as_str()));
    let told = || format!("is not known; known are {}", known.join(", "));
    unknown.map_or(Ok(()), |field| Err(Problem::field(field, told())))
}

const SETTINGS: &[&str] = &[
    "name",
    "email_field",
    "async_deletion_behavior",
    "delete_options",
    "throttle",
    "policies",
    "poll",
    "erasure_ledger",
    "include_feeds",
    "include_files",
    "file_hosts",
    "redact_others",
    "raw",
    "async_export_fallback",
    "export_before_delete",
];
const CREATION: &[&str] =
    &["api_key", "api_secret", "base_url", "dialect", "allow_insecure", "trim", "save_untested", "delete_probe"];

pub(super) async fn create((State(connector), _): Here, bytes: Bytes) -> Result<(StatusCode, Json<Value>), Problem> {
    check_fields(&bytes, &[SETTINGS, CREATION].concat())?;
    let create: Create = body::read(&bytes)?;
    let name = create.settings.name.clone().unwrap_or_else(|| "Stream".to_owned());
    let mut new = NewIntegration::new(&name);
    create.settings.apply(Target {
        name: &mut new.name,
        email_field: &mut new.email_field,
        behavior: &mut new.async_deletion_behavior,
        options: &mut new.delete_options,
        percent: &mut new.throttle_percent,
        policies: &mut new.policies,
        watching: &mut new.watching,
        contents: &mut new.contents,
    })?;
    set(&mut new.dialect, create.dialect);
    new.base_url = create.base_url;
    (new.allow_insecure, new.trim) = (create.allow_insecure, create.trim);
    (new.save_untested, new.with_delete_probe) = (create.save_untested, create.delete_probe);
    let pair = Pair { key: Secret::new(create.api_key), secret: Secret::new(create.api_secret) };
    let connected = connector.connect(&new, pair).await?;
    let mut shown = show(&connector, &connected.integration).await?;
    shown["report"] = views::report(&connected.report);
    Ok((StatusCode::CREATED, Json(shown)))
}

async fn show(connector: &Connector, integration: &Integration) -> Result<Value, Error> {
    let hint = connector.hint(integration).await?;
    Ok(views::integration(integration, hint.as_deref()))
}

pub(super) async fn list((State(connector), _): Here, Query(paged): Query<Paged>) -> Answer {
    let mut shown = Vec::new();
    let (page, next) = paged.of(connector.integrations().await?, PREFIX_OF_IDS, |integration| &integration.id)?;
    for integration in &page {
        shown.push(show(&connector, integration).await?);
    }
    Ok(Json(query::list(shown, next)))
}

pub(super) async fn get((State(connector), _): Here, Path(id): Path<String>) -> Answer {
    let integration = connector.integration(&id).await?;
    Ok(Json(show(&connector, &integration).await?))
}

pub(super) async fn change(
    (State(connector), Extension(caller)): Here,
    Path(id): Path<String>,
    bytes: Bytes,
) -> Answer {
    check_fields(&bytes, SETTINGS)?;
    let settings: Settings = body::read(&bytes)?;
    // What is wrong is told before anything is written.
    apply(&settings, &mut connector.integration(&id).await?)?;
    let changed = connector.change_integration(&id, &caller.name, |integration| {
        apply(&settings, integration).map_err(|_| Error::invalid("settings", "are wrong"))
    });
    let changed = changed.await?;
    Ok(Json(show(&connector, &changed).await?))
}

fn apply(settings: &Settings, integration: &mut Integration) -> Result<(), Problem> {
    settings.apply(Target {
        name: &mut integration.name,
        email_field: &mut integration.email_field,
        behavior: &mut integration.async_deletion_behavior,
        options: &mut integration.delete_options,
        percent: &mut integration.throttle_percent,
        policies: &mut integration.policies,
        watching: &mut integration.watching,
        contents: &mut integration.contents,
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Removal {
    #[serde(default)]
    force: bool,
}

pub(super) async fn remove(
    (State(connector), Extension(caller)): Here,
    Path(id): Path<String>,
    Query(removal): Query<Removal>,
) -> Result<StatusCode, Problem> {
    connector.remove_integration(&id, removal.force, &caller.name).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Trial {
    #[serde(default = "yes")]
    delete_probe: bool,
}

pub(super) async fn test((State(connector), _): Here, Path(id): Path<String>, bytes: Bytes) -> Answer {
    let trial: Trial = body::read(&bytes)?;
    Ok(Json(views::report(&connector.test_integration(&id, trial.delete_probe).await?)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Credentials {
    api_key: String,
    api_secret: String,
    #[serde(default)]
    compromised: bool,
}

pub(super) async fn rotate((State(connector), _): Here, Path(id): Path<String>, bytes: Bytes) -> Answer {
    let given: Credentials = body::read(&bytes)?;
    let pair = Pair { key: Secret::new(given.api_key), secret: Secret::new(given.api_secret) };
    if let Some(finding) = crate::probe::lint(&pair) {
        return Err(Problem::field("api_secret", finding.message));
    }
    connector.rotate_credentials(&id, &pair, given.compromised).await?;
    Ok(Json(views::report(&connector.test_integration(&id, true).await?)))
}

pub(super) async fn disable((State(connector), Extension(caller)): Here, Path(id): Path<String>) -> Answer {
    let changed = connector.change_integration(&id, &caller.name, |integration| {
        integration.health = Health::Disabled;
        Ok(())
    });
    let changed = changed.await?;
    Ok(Json(show(&connector, &changed).await?))
}

pub(super) async fn enable((State(connector), Extension(caller)): Here, Path(id): Path<String>) -> Answer {
    let changed = connector.change_integration(&id, &caller.name, |integration| {
        integration.health = Health::Untested;
        Ok(())
    });
    changed.await?;
    Ok(Json(views::report(&connector.test_integration(&id, true).await?)))
}

pub(super) async fn limits((State(connector), _): Here, Path(id): Path<String>) -> Answer {
    let limits = connector.limits(&id).await?;
    Ok(Json(json!({"data": limits.iter().map(views::limit).collect::<Vec<_>>(), "next_cursor": null})))
}
