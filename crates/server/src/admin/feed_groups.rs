//! `/admin/apps/{app}/feed_groups`: the feed groups of an app (feeds-v1 §4.1).

use domain::feeds::groups::{self, Access, Group, Kind, Ranking};
use ids::FeedId;
use wire::{
    admin::feed_groups::{self as sent, FeedGroup, FeedGroups},
    error::Code,
};

use super::Call;
use crate::{
    apps::Tenant,
    error::{Error, Result},
    from_wire,
    reply::Reply,
};

/// `GET /admin/apps/{app}/feed_groups`.
pub(crate) async fn list(call: Call) -> Result<Reply> {
    let tenant = call.server.apps.by_name(call.params.get("app"))?;
    let mut feed_groups: Vec<FeedGroup> = tenant.app.groups.iter().map(|(name, group)| to_wire(name, group)).collect();
    feed_groups.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(Reply::ok(&FeedGroups { feed_groups }))
}

/// `PUT /admin/apps/{app}/feed_groups/{name}`: makes a group, or replaces its settings. What its feeds hold stays.
pub(crate) async fn put(call: Call) -> Result<Reply> {
    let (tenant, name) = (call.server.apps.by_name(call.params.get("app"))?, call.params.get("name"));
    let group = store(&tenant, name, from_wire::body(&call.body)?).await?;
    call.reload(&tenant.key).await?;
    Ok(Reply::ok(&to_wire(name, &group)))
}

/// Makes a group of `tenant`, or replaces its settings.
///
/// # Errors
/// 400 when it makes no sense.
pub(crate) async fn store(tenant: &Tenant, name: &str, sent: FeedGroup) -> Result<Group> {
    FeedId::new(name, "x").map_err(|error| Error::field("name", error.to_string()))?;
    let group = from_wire(sent);
    group.check()?;
    tenant.app.write(async |tx| groups::replace(tx, name, &group).await).await?;
    Ok(group)
}

/// `DELETE /admin/apps/{app}/feed_groups/{name}`: nobody reaches its feeds any more. What they hold stays, for when there
/// is a group of that name again.
pub(crate) async fn remove(call: Call) -> Result<Reply> {
    let (tenant, name) = (call.server.apps.by_name(call.params.get("app"))?, call.params.get("name"));
    if !tenant.app.write(async |tx| groups::remove(tx, name).await).await? {
        return Err(Error::new(Code::DoesNotExist, format!("there is no feed group `{name}`")));
    }
    call.reload(&tenant.key).await?;
    Ok(Reply::empty(200))
}

fn from_wire(sent: FeedGroup) -> Group {
    let rankings = sent.ranking.into_iter().map(|(name, config)| Ranking { name, config: config.to_string() });
    Group {
        kind: match sent.kind {
            sent::Kind::Flat => Kind::Flat,
            sent::Kind::Aggregated => Kind::Aggregated,
            sent::Kind::Notification => Kind::Notification,
        },
        access: match sent.access {
            sent::Access::Private => Access::Private,
            sent::Access::GlobalRead => Access::GlobalRead,
            sent::Access::GlobalWrite => Access::GlobalWrite,
            sent::Access::GlobalReadWrite => Access::GlobalReadWrite,
        },
        aggregation: sent.aggregation_format,
        rankings: rankings.collect(),
        default_ranking: sent.default_ranking,
        is_silent: !sent.realtime,
        past_formats: Vec::new(),
    }
}

fn to_wire(name: &str, group: &Group) -> FeedGroup {
    let config = |ranking: &Ranking| serde_json::from_str(&ranking.config).unwrap_or_default();
    FeedGroup {
        name: name.to_owned(),
        kind: match group.kind {
            Kind::Flat => sent::Kind::Flat,
            Kind::Aggregated => sent::Kind::Aggregated,
            Kind::Notification => sent::Kind::Notification,
        },
        access: match group.access {
            Access::Private => sent::Access::Private,
            Access::GlobalRead => sent::Access::GlobalRead,
            Access::GlobalWrite => sent::Access::GlobalWrite,
            Access::GlobalReadWrite => sent::Access::GlobalReadWrite,
        },
        aggregation_format: group.aggregation.clone(),
        ranking: group.rankings.iter().map(|ranking| (ranking.name.clone(), config(ranking))).collect(),
        default_ranking: group.default_ranking.clone(),
        realtime: !group.is_silent,
    }
}
