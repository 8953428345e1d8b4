//! What devices would be sent, by provider and event (chat §11.9).

use ids::Timestamp;
use minicbor::{Decode, Encode};

use super::{
    providers::{self, Name},
    render,
};
use crate::{Error, Result, Tx, keyspace::PUSH_TEMPLATE, rows};

/// Events of which devices can be told.
pub const EVENTS: [&str; 5] =
    ["message.new", "message.updated", "reaction.new", "reaction.updated", "notification.reminder_due"];
/// The longest template, in bytes.
pub const TEMPLATE_BYTES_MAX: usize = 16 * 1024;

/// What devices would be sent of an event.
#[derive(Clone, PartialEq, Debug, Encode, Decode)]
pub struct Template {
    /// Whether devices are told of the event at all.
    #[n(0)]
    pub is_enabled: bool,
    /// The text; the provider's own, if absent.
    #[n(1)]
    pub text: Option<String>,
    /// Since when there is it.
    #[n(2)]
    pub created_at: Timestamp,
    /// When it was last changed.
    #[n(3)]
    pub updated_at: Timestamp,
}

/// Puts in what the provider `name` sends of `event`; what is absent stays, and a new one is switched on.
///
/// # Errors
/// [`Error::Unfit`] for an event of which devices cannot be told, and a template that is too long or cannot be read.
pub async fn put(
    tx: &mut Tx,
    name: &Name,
    event: &str,
    is_enabled: Option<bool>,
    text: Option<String>,
    now: Timestamp,
) -> Result<Template> {
    if !EVENTS.contains(&event) {
        return Err(Error::Unfit(format!("event_type must be one of {}", EVENTS.join(", "))));
    }
    if let Some(text) = &text {
        if text.len() > TEMPLATE_BYTES_MAX {
            return Err(Error::Unfit(format!("template must have at most {TEMPLATE_BYTES_MAX} bytes")));
        }
        render::check(text).map_err(|reason| Error::Unfit(format!("template {reason}")))?;
    }
    let (tenant, key) = (tx.tenant(), (name.0.clone(), name.1.clone(), event.to_owned()));
    let before = PUSH_TEMPLATE.get(tx, tenant, &key).await?;
    let template = Template {
        is_enabled: is_enabled.or(before.as_ref().map(|before| before.is_enabled)).unwrap_or(true),
        created_at: before.as_ref().map_or(now, |before| before.created_at),
        updated_at: now,
        text: text.or(before.and_then(|before| before.text)).filter(|text| !text.is_empty()),
    };
    PUSH_TEMPLATE.put(tx, tenant, &key, &template);
    Ok(template)
}

/// What the provider `name` sends: event and template.
///
/// # Errors
/// When the store fails.
pub async fn list(tx: &mut Tx, name: &Name) -> Result<Vec<(String, Template)>> {
    let range = PUSH_TEMPLATE.prefix(tx.tenant(), name);
    let rows = rows::list(tx, &PUSH_TEMPLATE, range, EVENTS.len()).await?;
    Ok(rows.into_iter().map(|((.., event), template)| (event, template)).collect())
}

/// Removes what the provider `name` sends.
pub(super) async fn clear(tx: &mut Tx, name: &providers::Name) -> Result<()> {
    let tenant = tx.tenant();
    for (event, _) in list(tx, name).await? {
        PUSH_TEMPLATE.delete(tx, tenant, &(name.0.clone(), name.1.clone(), event));
    }
    Ok(())
}
