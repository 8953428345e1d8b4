//! `/feed_groups` (feeds-v3 §3.1).

use std::collections::BTreeMap;

use domain::{
    tasks,
    v3::groups::{self, Group, SELECTORS, SELECTORS_MAX, Selector},
};
use ids::Timestamp;
use serde_json::value::RawValue;
use wire::{
    chat::dialect::Time,
    v3::groups::{Filter, Group as WireGroup, Groups, OneGroup, Selector as WireSelector},
};

use super::{feeds::visibility, read};
use crate::{
    chat::{
        error::{Error, Result},
        fields::Fields,
        gate::Call,
    },
    reply::Reply,
};

/// The longest name of a group, in bytes.
const NAME_BYTES_MAX: usize = 64;
/// The most bytes of one setting.
const SETTING_BYTES_MAX: usize = 8 * 1024;

/// `GET /feed_groups`.
pub(super) async fn list(call: Call, _: Fields) -> Result<Reply> {
    let with_deleted = call.flag("include_soft_deleted")?;
    let known = groups::list(&mut call.snapshot(), with_deleted).await?;
    let raws: Vec<_> = known.iter().map(|(_, group)| Raws::of(group)).collect();
    let shown = known.iter().zip(&raws).map(|((name, group), raws)| (name.as_str(), show(name, group, raws)));
    call.answer(&Groups { groups: BTreeMap::from_iter(shown) })
}

/// `GET /feed_groups/{group}`.
pub(super) async fn get(call: Call, _: Fields) -> Result<Reply> {
    let (name, with_deleted) = (call.param("group"), call.flag("include_soft_deleted")?);
    let mut tx = call.snapshot();
    let group = match with_deleted {
        true => groups::get_any(&mut tx, name).await?,
        false => None,
    };
    let group = match group {
        Some(group) => group,
        None => groups::load(&mut tx, name).await?,
    };
    answer(&call, name, &group, None)
}

/// `POST /feed_groups`.
pub(super) async fn add(call: Call, mut sent: Fields) -> Result<Reply> {
    let name = sent.filled("id")?.ok_or_else(|| Error::field("id", "is a required field"))?;
    check_name(&name)?;
    let (group, now) = (settings(&mut sent)?, call.moment());
    let app = &call.tenant.app;
    let group = app.write(async |tx| groups::add(tx, &name, &group, now).await).await?;
    answer(&call, &name, &group, None)
}

/// `POST /feed_groups/{group}`: one that is there stays as it is.
pub(super) async fn ensure(call: Call, mut sent: Fields) -> Result<Reply> {
    let name = call.param("group");
    check_name(name)?;
    let (group, now) = (settings(&mut sent)?, call.moment());
    let app = &call.tenant.app;
    let (group, is_new) = app.write(async |tx| groups::ensure(tx, name, &group, now).await).await?;
    answer(&call, name, &group, Some(is_new))
}

/// `PUT /feed_groups/{group}`: what is not given is cleared.
pub(super) async fn replace(call: Call, mut sent: Fields) -> Result<Reply> {
    let name = call.param("group");
    let (group, now) = (settings(&mut sent)?, call.moment());
    let app = &call.tenant.app;
    let group = app.write(async |tx| groups::replace(tx, name, &group, now).await).await?;
    answer(&call, name, &group, None)
}

/// `DELETE /feed_groups/{group}`: hides the group, and plans the task that deletes its feeds as it is deleted.
pub(super) async fn remove(call: Call, _: Fields) -> Result<Reply> {
    let (name, is_hard, now) = (call.param("group"), call.flag("hard_delete")?, call.moment());
    let id = call.new_id();
    let removed = call.tenant.app.write(async |tx| {
        groups::remove(tx, name, is_hard, now).await?;
        tasks::plan(tx, &id, tasks::Kind::ClearGroup(name.to_owned(), is_hard), now);
        Ok(())
    });
    removed.await?;
    call.done()
}

/// `POST /feed_groups/{group}/restore`: takes back the deletion mark; the group's feeds stay deleted.
pub(super) async fn restore(call: Call, _: Fields) -> Result<Reply> {
    let (name, now) = (call.param("group"), call.moment());
    let app = &call.tenant.app;
    let group = app.write(async |tx| groups::restore(tx, name, now).await).await?;
    answer(&call, name, &group, None)
}

pub(super) fn check_name(name: &str) -> Result<()> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    match (1..=NAME_BYTES_MAX).contains(&name.len()) && name.chars().all(is_plain) {
        true => Ok(()),
        false => {
            let rule = format!("has 1 to {NAME_BYTES_MAX} letters, digits, `_` and `-`");
            Err(Error::field("id", &rule))
        }
    }
}

/// The settings in a body.
fn settings(sent: &mut Fields) -> Result<Group> {
    let default_visibility = match sent.filled("default_visibility")? {
        Some(name) => Some(visibility(&name)?),
        None => None,
    };
    let excludes_owner = match sent.object("activity_filter")? {
        Some(mut filter) => Some(filter.flag("exclude_owner_activities")?.unwrap_or_default()),
        None => None,
    };
    let processors = match sent.objects("activity_processors")? {
        Some(list) => Some(processors(list)?),
        None => None,
    };
    let mut object = |name: &str| setting(sent, name);
    Ok(Group {
        default_visibility,
        processors,
        excludes_owner,
        aggregation: object("aggregation")?,
        custom: object("custom")?,
        notification: object("notification")?,
        push_notification: object("push_notification")?,
        ranking: object("ranking")?,
        stories: object("stories")?,
        selectors: selectors(sent)?,
        ..Group::default()
    })
}

/// A setting that is a JSON object.
pub(super) fn setting(sent: &mut Fields, name: &str) -> Result<Option<String>> {
    let text = read::object(sent, name)?.map(|object| object.to_string());
    match text.as_ref().is_some_and(|text| text.len() > SETTING_BYTES_MAX) {
        true => Err(Error::field(name, &format!("has at most {SETTING_BYTES_MAX} bytes"))),
        false => Ok(text),
    }
}

fn processors(list: Vec<Fields>) -> Result<String> {
    let rule = || Error::field("activity_processors", "must hold objects with a type");
    let one = |mut item: Fields| {
        let kind = item.filled("type")?.ok_or_else(rule)?;
        Ok(serde_json::json!({ "type": kind }))
    };
    let kinds: Vec<_> = list.into_iter().map(one).collect::<Result<_>>()?;
    Ok(serde_json::Value::from(kinds).to_string())
}

/// What feeds show.
pub(super) fn selectors(sent: &mut Fields) -> Result<Option<Vec<Selector>>> {
    let Some(list) = sent.objects("activity_selectors")? else { return Ok(None) };
    if list.len() > SELECTORS_MAX {
        return Err(Error::field("activity_selectors", &format!("must hold at most {SELECTORS_MAX} selectors")));
    }
    list.into_iter().map(selector).collect::<Result<_>>().map(Some)
}

fn selector(mut sent: Fields) -> Result<Selector> {
    let kind = sent.filled("type")?.unwrap_or_default();
    if !SELECTORS.contains(&kind.as_str()) {
        let rule = format!("must have a type that is one of [{}]", SELECTORS.join(" "));
        return Err(Error::field("activity_selectors", &rule));
    }
    let (cutoff_time, cutoff_window) = (sent.time("cutoff_time")?, sent.filled("cutoff_window")?);
    if cutoff_time.is_some() && cutoff_window.is_some() {
        return Err(Error::field("activity_selectors", "take cutoff_time or cutoff_window, not both"));
    }
    let min_popularity = sent.number("min_popularity")?;
    if min_popularity.is_some_and(|least| least < 1) {
        return Err(Error::field("activity_selectors", "have a min_popularity of at least 1"));
    }
    Ok(Selector {
        kind,
        cutoff_time,
        cutoff_window,
        min_popularity,
        sort: sent.raw("sort").map(|raw| raw.get().to_owned()),
        filter: read::object(&mut sent, "filter")?.map(|object| object.to_string()),
        params: read::object(&mut sent, "params")?.map(|object| object.to_string()),
    })
}

fn answer(call: &Call, name: &str, group: &Group, was_created: Option<bool>) -> Result<Reply> {
    let raws = Raws::of(group);
    call.answer(&OneGroup { was_created, feed_group: show(name, group, &raws) })
}

/// The settings of a group that are JSON.
pub(super) struct Raws {
    settings: [Option<Box<RawValue>>; 7],
    selectors: Vec<[Option<Box<RawValue>>; 3]>,
}

impl Raws {
    pub(super) fn of(group: &Group) -> Self {
        let raw = |text: &Option<String>| text.clone().and_then(|text| RawValue::from_string(text).ok());
        let Group { processors, aggregation, custom, notification, push_notification, ranking, stories, .. } = group;
        let settings = [processors, aggregation, custom, notification, push_notification, ranking, stories].map(raw);
        let of = |selector: &Selector| [&selector.sort, &selector.filter, &selector.params].map(raw);
        Raws { settings, selectors: group.selectors.iter().flatten().map(of).collect() }
    }

    pub(super) fn aggregation(&self) -> Option<&RawValue> {
        self.settings[1].as_deref()
    }

    pub(super) fn ranking(&self) -> Option<&RawValue> {
        self.settings[5].as_deref()
    }
}

fn time(at: Timestamp) -> Time {
    Time { at, dialect: read::DIALECT }
}

/// The selectors of `group`.
pub(super) fn shown_selectors<'a>(group: &'a Group, raws: &'a Raws) -> Option<Vec<WireSelector<'a>>> {
    let selectors = group.selectors.as_ref()?;
    let shown = selectors.iter().zip(&raws.selectors).map(|(selector, [sort, filter, params])| WireSelector {
        kind: &selector.kind,
        cutoff_time: selector.cutoff_time.map(time),
        cutoff_window: selector.cutoff_window.as_deref(),
        min_popularity: selector.min_popularity,
        sort: sort.as_deref(),
        filter: filter.as_deref(),
        params: params.as_deref(),
    });
    Some(shown.collect())
}

fn show<'a>(name: &'a str, group: &'a Group, raws: &'a Raws) -> WireGroup<'a> {
    let [processors, aggregation, custom, notification, push_notification, ranking, stories] = &raws.settings;
    let never = Timestamp::from_micros(0);
    WireGroup {
        id: name,
        created_at: time(group.created_at.unwrap_or(never)),
        updated_at: time(group.updated_at.unwrap_or(never)),
        deleted_at: group.deleted_at.map(time),
        default_visibility: Some(group.visibility().name()),
        activity_selectors: shown_selectors(group, raws),
        activity_processors: processors.as_deref(),
        activity_filter: group.excludes_owner.map(|is_on| Filter { exclude_owner_activities: is_on }),
        aggregation: aggregation.as_deref(),
        custom: custom.as_deref(),
        notification: notification.as_deref(),
        push_notification: push_notification.as_deref(),
        ranking: ranking.as_deref(),
        stories: stories.as_deref(),
    }
}
