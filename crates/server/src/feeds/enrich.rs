//! Enriched activities: references become the objects that they name (feeds-v1 §8).

use std::{collections::HashMap, pin::Pin};

use domain::{
    Tx,
    feeds::{
        activities::{self, Activity, Reference},
        collections::{self, Name},
        reactions::{self, Wanted},
        users,
    },
};
use ids::{ActivityId, UserId, json::Object};
use serde::Serialize;

use crate::{error::Result, to_wire};

/// How deep activities in activities are enriched themselves.
const DEPTH_MAX: u8 = 1;

/// What references of one answer stand for, so that each is looked up once.
#[derive(Default)]
pub(super) struct References {
    known: HashMap<(u8, String), String>,
}

/// The parts of a reference.
enum Parts<'t> {
    User(&'t str),
    Item(&'t str, &'t str),
    Activity(&'t str),
    Reaction(&'t str),
}

fn parts(text: &str) -> Option<Parts<'_>> {
    let (kind, name) = text.split_once(':').filter(|(_, name)| !name.is_empty())?;
    match kind {
        "SU" => Some(Parts::User(name)),
        "SO" => name.split_once(':').map(|(collection, id)| Parts::Item(collection, id)),
        "SA" => Some(Parts::Activity(name)),
        "SR" => Some(Parts::Reaction(name)),
        _ => None,
    }
}

impl References {
    /// The activity as JSON without its origin and closing brace, its references replaced.
    ///
    /// # Errors
    /// When the store fails.
    pub(super) async fn fragment(&mut self, tx: &mut Tx, id: ActivityId, activity: &Activity) -> Result<String> {
        self.enriched(tx, id, activity, 0).await
    }

    async fn enriched(&mut self, tx: &mut Tx, id: ActivityId, activity: &Activity, depth: u8) -> Result<String> {
        let mut json = String::new();
        to_wire::open(&mut json, id, activity);
        for (name, value) in to_wire::core(activity) {
            match self.resolve(tx, value, depth).await? {
                Some(object) => to_wire::raw_member(&mut json, name, &object),
                None => to_wire::member(&mut json, name, value),
            }
        }
        to_wire::to(&mut json, &activity.to);
        let custom = Object::parse(&activity.custom).unwrap_or_default();
        for (name, value) in custom.iter() {
            let text: Option<String> = serde_json::from_str(value.get()).ok();
            let object = match text {
                Some(text) => self.resolve(tx, &text, depth).await?,
                None => None,
            };
            to_wire::raw_member(&mut json, name, object.as_deref().unwrap_or(value.get()));
        }
        json.pop();
        Ok(json)
    }

    /// The same, for what is inside itself.
    fn boxed<'a>(
        &'a mut self,
        tx: &'a mut Tx,
        id: ActivityId,
        activity: &'a Activity,
        depth: u8,
    ) -> Pin<Box<dyn Future<Output = Result<String>> + Send + 'a>> {
        Box::pin(self.enriched(tx, id, activity, depth))
    }

    /// What `text` refers to, as JSON, if it is a reference.
    async fn resolve(&mut self, tx: &mut Tx, text: &str, depth: u8) -> Result<Option<String>> {
        let Some(parts) = parts(text) else { return Ok(None) };
        let key = (depth, text.to_owned());
        if let Some(known) = self.known.get(&key) {
            return Ok(Some(known.clone()));
        }
        let found = match parts {
            Parts::User(id) => user(tx, id).await?.unwrap_or_else(|| missing(text, id, "user")),
            Parts::Item(collection, id) => {
                item(tx, collection, id).await?.unwrap_or_else(|| missing_item(text, collection, id))
            }
            Parts::Activity(id) => self.activity(tx, id, depth).await?.unwrap_or_else(|| missing(text, id, "activity")),
            Parts::Reaction(id) => reaction(tx, id).await?.unwrap_or_else(|| missing(text, id, "reaction")),
        };
        self.known.insert(key, found.clone());
        Ok(Some(found))
    }

    async fn activity(&mut self, tx: &mut Tx, name: &str, depth: u8) -> Result<Option<String>> {
        let Ok(id) = ActivityId::parse(name) else { return Ok(None) };
        let Some((id, activity)) = activities::get(tx, &Reference::Id(id)).await? else { return Ok(None) };
        if depth >= DEPTH_MAX {
            return Ok(Some(to_wire::activity(id, &activity)));
        }
        let inner = self.boxed(tx, id, &activity, depth + 1).await?;
        let mut json = String::new();
        to_wire::with_origin(&mut json, &inner, None);
        Ok(Some(json))
    }
}

async fn user(tx: &mut Tx, id: &str) -> Result<Option<String>> {
    let Ok(id) = UserId::parse(id) else { return Ok(None) };
    Ok(users::get(tx, &id).await?.map(|profile| json(&to_wire::user(&id, &profile))))
}

async fn item(tx: &mut Tx, collection: &str, id: &str) -> Result<Option<String>> {
    let Ok(name) = Name::new(collection, id) else { return Ok(None) };
    Ok(collections::get(tx, &name).await?.map(|item| json(&to_wire::item(&name, &item))))
}

async fn reaction(tx: &mut Tx, id: &str) -> Result<Option<String>> {
    let Some(found) = reactions::shown(tx, id).await? else { return Ok(None) };
    let shown = reactions::show(tx, id, found, &Wanted::default()).await?;
    Ok(Some(json(&to_wire::reaction(&shown))))
}

fn missing(reference: &str, id: &str, kind: &'static str) -> String {
    json(&to_wire::missing(reference, id, kind))
}

fn missing_item(reference: &str, collection: &str, id: &str) -> String {
    let mut missing = to_wire::missing(reference, id, "object");
    missing.collection = Some(collection.to_owned());
    json(&missing)
}

fn json(object: &impl Serialize) -> String {
    serde_json::to_string(object).expect("wire types are JSON")
}
