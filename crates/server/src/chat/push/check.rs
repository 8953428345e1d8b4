//! `POST /check_push`: what devices would be told of a message (chat §11.1). None is told, and the answer says so.

use std::collections::BTreeMap;

use domain::{
    Tx,
    chat::{
        channels,
        messages::{self, Message},
        push::{
            providers::{self, Name, Provider},
            render, templates,
        },
    },
    users::{self, devices},
};
use ids::{MessageId, UserId};
use serde_json::{Value, json};
use wire::chat::push::{DeviceError, PushCheck};

use super::providers::text;
use crate::{
    chat::{
        error::{Error, Result},
        fields::Fields,
        gate::Call,
    },
    reply::Reply,
};

const NO_PROVIDERS: &str = "no push providers configured";
const NOT_SENT: &str = "sending pushes is not available in this version of Millpond; nothing was sent";
/// The event that is tried if nobody says.
const EVENT: &str = "message.new";

/// `POST /check_push`.
pub(crate) async fn check(call: Call, mut sent: Fields) -> Result<Reply> {
    let user = call.some_actor(&mut sent)?;
    let message = sent.message("message_id")?;
    let event = sent.filled("event_type")?;
    if let Some(event) = &event
        && !templates::EVENTS.contains(&event.as_str())
    {
        return Err(Error::field("event_type", &format!("must be one of {}", templates::EVENTS.join(", "))));
    }
    let skip_devices = sent.flag("skip_devices")?.unwrap_or(false);
    let (kind, name) = (sent.filled("push_provider_type")?, sent.filled("push_provider_name")?);
    let own = [sent.filled("apn_template")?, sent.filled("firebase_template")?, sent.filled("firebase_data_template")?];
    let mut tx = call.snapshot();
    let provider = match (kind.as_deref(), name.as_deref()) {
        (None, None) => None,
        (None, Some(_)) => return Err(Error::field("push_provider_type", "is required with push_provider_name")),
        (Some(kind), name) => Some(providers::load(&mut tx, kind, name).await?),
    };
    let message = match message {
        Some(id) => Some((id.clone(), messages::load(&mut tx, &id).await?)),
        None => None,
    };
    let event = event.as_deref();
    let said = said(&mut tx, message.as_ref(), &user, event).await?;
    let rendered = Rendered::of(&mut tx, own, provider.as_ref(), event, &said).await?;
    let mut general_errors = rendered.errors;
    let devices = match skip_devices {
        true => Vec::new(),
        false => devices::list(&mut tx, &user).await?,
    };
    if !skip_devices {
        let has_any = !providers::list(&mut tx).await?.is_empty();
        general_errors.push(if has_any { NOT_SENT } else { NO_PROVIDERS }.to_owned());
    }
    let failed = devices.iter().map(|(id, device)| {
        let provider_name = device.push_provider_name.as_deref().unwrap_or_default();
        (id.clone(), DeviceError { error_message: NOT_SENT.to_owned(), provider: &device.push_provider, provider_name })
    });
    call.answer(&PushCheck {
        event_type: event,
        device_errors: failed.collect(),
        general_errors,
        skip_devices,
        rendered_apn_template: rendered.apn,
        rendered_firebase_template: rendered.firebase,
        rendered_message: message.as_ref().map(|_| flat(&said)).unwrap_or_default(),
    })
}

/// What templates can say: who wrote what to whom, and where.
async fn said(
    tx: &mut Tx,
    message: Option<&(MessageId, Message)>,
    receiver: &UserId,
    event: Option<&str>,
) -> Result<Value> {
    let (mut channel, mut sender, mut shown) = (Value::Null, Value::Null, Value::Null);
    if let Some((id, message)) = message {
        if let Some(known) = channels::get(tx, &message.channel).await? {
            let custom: Value = serde_json::from_str(&known.custom).unwrap_or_default();
            let of = &message.channel;
            channel = json!({ "id": of.id(), "type": of.kind(), "cid": of.as_str(), "team": known.team,
                "name": custom.get("name"), "custom": custom });
        }
        if let Some(user) = &message.user {
            sender = person(tx, user).await?;
        }
        shown =
            json!({ "id": id.as_str(), "text": message.text, "created_at": message.created_at.rfc3339().to_string() });
    }
    let receiver = person(tx, receiver).await?;
    let event = event.unwrap_or(EVENT);
    Ok(json!({ "event_type": event, "message": shown, "channel": channel, "sender": sender, "receiver": receiver }))
}

async fn person(tx: &mut Tx, id: &UserId) -> Result<Value> {
    let user = users::get(tx, id).await?;
    let name = user.as_ref().and_then(|user| user.name.clone()).unwrap_or_else(|| id.to_string());
    Ok(json!({ "id": id.as_str(), "name": name, "image": user.and_then(|user| user.image) }))
}

/// The same as devices get it beside a text: names and texts.
fn flat(said: &Value) -> BTreeMap<&'static str, String> {
    let text = |path: &str| said.pointer(path).and_then(Value::as_str).unwrap_or_default().to_owned();
    BTreeMap::from([
        ("channel_id", text("/channel/id")),
        ("channel_type", text("/channel/type")),
        ("cid", text("/channel/cid")),
        ("message_id", text("/message/id")),
        ("receiver_id", text("/receiver/id")),
        ("sender_id", text("/sender/id")),
        ("type", text("/event_type")),
    ])
}

/// Templates that were filled in, and what is wrong with those that were not.
#[derive(Default)]
struct Rendered {
    apn: String,
    firebase: String,
    errors: Vec<String>,
}

impl Rendered {
    /// The caller's own templates; else those of the provider: for the event, or for all.
    async fn of(
        tx: &mut Tx,
        [apn, firebase, data]: [Option<String>; 3],
        provider: Option<&(Name, Provider)>,
        event: Option<&str>,
        said: &Value,
    ) -> Result<Rendered> {
        let (mut of_apn, mut of_firebase) = (String::new(), String::new());
        if let Some((name, known)) = provider {
            let event = event.unwrap_or(EVENT);
            let stored = templates::list(tx, name).await?;
            let stored = stored.into_iter().find(|(of, _)| of == event).and_then(|(_, template)| template.text);
            match name.0.as_str() {
                "apn" => of_apn = stored.unwrap_or_else(|| text(known, "apn_notification_template")),
                "firebase" => of_firebase = stored.unwrap_or_else(|| text(known, "firebase_notification_template")),
                _ => {}
            }
        }
        let mut rendered = Rendered::default();
        rendered.apn = rendered.fill("apn_template", &apn.unwrap_or(of_apn), said);
        rendered.firebase = rendered.fill("firebase_template", &firebase.unwrap_or(of_firebase), said);
        // The answer has no place for it, but for what is wrong with it.
        rendered.fill("firebase_data_template", &data.unwrap_or_default(), said);
        Ok(rendered)
    }

    fn fill(&mut self, name: &str, template: &str, said: &Value) -> String {
        render::fill(template, said).unwrap_or_else(|reason| {
            self.errors.push(format!("{name} {reason}"));
            String::new()
        })
    }
}
