//! `/push_providers`.

use domain::chat::push::providers::{self, Name, Provider};
use serde_json::{Map, Value};
use wire::chat::{
    dialect::{Dialect, Time},
    push::{OnePushProvider, PushProvider, PushProviders},
};

use crate::{
    chat::{
        app::{masked_member, sealed_members},
        error::{Error, Result},
        fields::Fields,
        gate::Call,
    },
    reply::Reply,
};

/// What is said of a provider in texts.
const TEXTS: [&str; 20] = [
    "apn_auth_key",
    "apn_auth_type",
    "apn_host",
    "apn_key_id",
    "apn_notification_template",
    "apn_p12_cert",
    "apn_team_id",
    "apn_topic",
    "description",
    "disabled_reason",
    "firebase_apn_template",
    "firebase_credentials",
    "firebase_data_template",
    "firebase_host",
    "firebase_notification_template",
    "firebase_server_key",
    "huawei_app_id",
    "huawei_app_secret",
    "xiaomi_app_secret",
    "xiaomi_package_name",
];
/// The most bytes of all of them.
const BYTES_MAX: usize = 64 * 1024;

/// `POST /push_providers`: puts one in, or changes the one of its type and name.
pub(crate) async fn upsert(call: Call, mut sent: Fields) -> Result<Reply> {
    let mut sent = sent.object("push_provider")?.ok_or_else(|| Error::field("push_provider", "is a required field"))?;
    let required = |text: Option<String>, name| text.ok_or_else(|| Error::field(name, "is a required field"));
    let name =
        (required(sent.filled("type")?, "push_provider.type")?, required(sent.filled("name")?, "push_provider.name")?);
    let disabled_at = sent.time("disabled_at")?;
    let before = providers::get(&mut call.snapshot(), &name).await?.map(|before| before.details);
    let said = details(&mut sent)?;
    let before = before.as_deref().and_then(|json| serde_json::from_str(json).ok());
    let details = sealed_members(&call, before, said);
    if details.get().len() > BYTES_MAX {
        return Err(Error::field("push_provider", &format!("has more than {BYTES_MAX} bytes")));
    }
    let (id, now) = (call.new_id(), call.now());
    let put = call.app.write(async |tx| providers::put(tx, &name, details.get(), disabled_at, (&id, now)).await);
    let provider = put.await?;
    call.answer(&OnePushProvider { push_provider: shown(call.dialect, &name, &provider) })
}

/// What is known of what was sent; the rest is dropped.
fn details(sent: &mut Fields) -> Result<Fields> {
    let mut known = Map::new();
    for name in TEXTS {
        if let Some(text) = sent.filled(name)? {
            known.insert(name.to_owned(), text.into());
        }
    }
    if let Some(is_development) = sent.flag("apn_development")? {
        known.insert("apn_development".to_owned(), is_development.into());
    }
    Fields::parse(&Value::Object(known).to_string(), sent.dialect())
}

/// `GET /push_providers`.
pub(crate) async fn list(call: Call, _: Fields) -> Result<Reply> {
    let known = providers::list(&mut call.snapshot()).await?;
    let shown = known.iter().map(|(name, provider)| shown(call.dialect, name, provider));
    call.answer(&PushProviders { push_providers: shown.collect() })
}

/// `DELETE /push_providers/{type}/{name}`.
pub(crate) async fn remove(call: Call, _: Fields) -> Result<Reply> {
    let name = (call.param("type").to_owned(), call.param("name").to_owned());
    call.app.write(async |tx| providers::remove(tx, &name).await).await?;
    call.done()
}

/// A provider without its secrets.
pub(crate) fn shown<'a>(dialect: Dialect, (kind, name): &'a Name, provider: &'a Provider) -> PushProvider<'a> {
    let time = |at| Time { at, dialect };
    let details: Map<String, Value> = serde_json::from_str(&provider.details).unwrap_or_default();
    PushProvider {
        kind,
        name,
        created_at: time(provider.created_at),
        updated_at: time(provider.updated_at),
        disabled_at: provider.disabled_at.map(time),
        details: details.into_iter().map(|(name, value)| masked_member(name, value)).collect(),
    }
}

/// A text of the provider that is no secret; empty where nothing was said.
pub(super) fn text(provider: &Provider, name: &str) -> String {
    let details: Map<String, Value> = serde_json::from_str(&provider.details).unwrap_or_default();
    details.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}
