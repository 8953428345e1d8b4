//! Enriched activities: references become the objects that they name (feeds-v1 §8).
//!
//! Users, collections and reactions are not stored in this version, so a reference to one is a reference to something
//! missing, and is answered as the contract answers those.

use domain::{
    App,
    feeds::activities::{self, Activity, Reference},
};
use ids::{ActivityId, json::Object};
use serde_json::{Value, json};

use crate::{error::Result, to_wire};

/// The activity as JSON without its origin and closing brace, its references replaced.
///
/// # Errors
/// When the store fails.
pub(super) async fn fragment(app: &App, id: ActivityId, activity: &Activity) -> Result<String> {
    let mut json = String::new();
    to_wire::open(&mut json, id, activity);
    for (name, value) in to_wire::core(activity) {
        match resolve(app, value).await? {
            Some(object) => to_wire::raw_member(&mut json, name, &object),
            None => to_wire::member(&mut json, name, value),
        }
    }
    to_wire::to(&mut json, &activity.to);
    let custom = Object::parse(&activity.custom).unwrap_or_default();
    for (name, value) in custom.iter() {
        let text: Option<String> = serde_json::from_str(value.get()).ok();
        let object = match text {
            Some(text) => resolve(app, &text).await?,
            None => None,
        };
        to_wire::raw_member(&mut json, name, object.as_deref().unwrap_or(value.get()));
    }
    json.pop();
    Ok(json)
}

/// What `text` refers to, as JSON, if it is a reference.
async fn resolve(app: &App, text: &str) -> Result<Option<String>> {
    let Some((kind, name)) = text.split_once(':').filter(|(_, name)| !name.is_empty()) else { return Ok(None) };
    let missing = match kind {
        "SU" => missing(text, name, "user"),
        "SR" => missing(text, name, "reaction"),
        "SO" => match name.split_once(':') {
            Some((collection, id)) => {
                let mut object = missing(text, id, "object");
                object["collection"] = collection.into();
                object
            }
            None => return Ok(None),
        },
        "SA" => match self::activity(app, name).await? {
            Some(found) => return Ok(Some(found)),
            None => missing(text, name, "activity"),
        },
        _ => return Ok(None),
    };
    Ok(Some(missing.to_string()))
}

async fn activity(app: &App, name: &str) -> Result<Option<String>> {
    let Ok(id) = ActivityId::parse(name) else { return Ok(None) };
    let found = activities::get(&mut app.snapshot(), &Reference::Id(id)).await?;
    Ok(found.map(|(id, activity)| to_wire::activity(id, &activity)))
}

fn missing(reference: &str, id: &str, kind: &str) -> Value {
    json!({ "id": id, "error": "ReferenceNotFound", "reference": reference, "reference_type": kind })
}
