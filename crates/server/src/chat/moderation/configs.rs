//! `/moderation/config` and `/moderation/configs` (v2 §6.4).

use domain::{
    Tx,
    moderation::configs::{self, Config},
};
use ids::json::Object;
use serde_json::value::RawValue;
use wire::chat::{
    dialect::{Members, Time},
    moderation::{Config as WireConfig, Configs, OneConfig},
};

use crate::{
    chat::{
        error::{Error, Result},
        fields::Fields,
        gate::Call,
    },
    reply::Reply,
};

/// The longest name of a configuration.
const KEY_BYTES_MAX: usize = 255;
/// How many of them a page has if nobody says.
const LIMIT: usize = 25;
/// The most of a page.
const LIMIT_MAX: usize = 100;

/// `POST /moderation/config`: sets one, whole.
pub(crate) async fn upsert(call: Call, mut sent: Fields) -> Result<Reply> {
    let key = sent.filled("key")?.ok_or_else(|| Error::field("key", "is a required field"))?;
    let team = sent.text("team")?.unwrap_or_default();
    if key.len() > KEY_BYTES_MAX || team.len() > KEY_BYTES_MAX {
        return Err(Error::field("key", &format!("and team have at most {KEY_BYTES_MAX} bytes")));
    }
    let is_async = sent.flag("async")?.unwrap_or_default();
    sent.skip(&["user", "user_id"]);
    let (sections, now) = (sent.rest(), call.now());
    let sections = sections_of(&sections);
    let body = async |tx: &mut Tx| configs::upsert(tx, (&key, &team), &sections, is_async, now).await;
    let config = call.app.write(body).await?;
    call.answer(&OneConfig { config: shown(&call, (&key, &team), &config, &sections) })
}

/// The sections among the members of an object.
pub(super) fn sections_of(members: &Object) -> Object {
    let is_section = |(name, value): &(&str, &RawValue)| name.ends_with("_config") && value.get() != "null";
    members.iter().filter(is_section).fold(Object::default(), |mut sections, (name, value)| {
        sections.set(name, value.to_owned());
        sections
    })
}

/// `GET /moderation/config/{key}`.
pub(crate) async fn get(call: Call, _: Fields) -> Result<Reply> {
    let (key, team) = (call.param("key"), call.query.get("team").unwrap_or_default());
    let config = configs::get(&mut call.snapshot(), key, team).await?;
    let absent = || domain::Error::Absent(format!("moderation configuration '{key}' does not exist"));
    let config = config.ok_or_else(absent)?;
    call.answer(&OneConfig { config: shown(&call, (key, team), &config, &sections(&config)) })
}

/// `DELETE /moderation/config/{key}`.
pub(crate) async fn remove(call: Call, _: Fields) -> Result<Reply> {
    let (key, team) = (call.param("key"), call.query.get("team").unwrap_or_default());
    let body = async |tx: &mut Tx| {
        configs::remove(tx, key, team);
        Ok(())
    };
    call.app.write(body).await?;
    call.done()
}

/// `POST /moderation/configs`: all of them, or those with one key, page by page.
pub(crate) async fn query(call: Call, mut sent: Fields) -> Result<Reply> {
    let key = match sent.object("filter")? {
        Some(mut filter) => filter.filled("key")?,
        None => None,
    };
    let limit = sent.count("limit", LIMIT, LIMIT_MAX)?;
    let next = sent.filled("next")?;
    let after: Option<(String, String)> = next
        .map(|next| {
            serde_json::from_str(&next).map_err(|_| Error::field("next", "takes what an earlier page answered"))
        })
        .transpose()?;
    let known = configs::list(&mut call.snapshot()).await?;
    let fits = |name: &(String, String)| {
        key.as_ref().is_none_or(|key| name.0 == *key) && after.as_ref().is_none_or(|after| name > after)
    };
    let found: Vec<_> = known.into_iter().filter(|(name, _)| fits(name)).collect();
    let page: Vec<_> = found.iter().take(limit).map(|(name, config)| (name, config, sections(config))).collect();
    let next = (found.len() > limit).then(|| serde_json::to_string(&found[limit - 1].0).expect("texts are JSON"));
    let configs = page.iter().map(|(name, config, sections)| shown(&call, (&name.0, &name.1), config, sections));
    call.answer(&Configs { configs: configs.collect(), next })
}

fn sections(config: &Config) -> Object {
    Object::parse(&config.sections).expect("sections were parsed before they were stored")
}

fn shown<'a>(call: &Call, (key, team): (&'a str, &'a str), config: &Config, sections: &'a Object) -> WireConfig<'a> {
    let time = |at| Time { at, dialect: call.dialect };
    WireConfig {
        key,
        team,
        is_async: config.is_async,
        supported_video_call_harm_types: [],
        created_at: time(config.created_at),
        updated_at: time(config.updated_at),
        sections: Members(sections),
    }
}
