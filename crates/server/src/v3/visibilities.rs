//! `/feed_visibilities`: who may do what with feeds of which level (feeds-v3 §3.1, §3.2).

use std::collections::BTreeMap;

use domain::v3::{feeds::Visibility, permit::Relation};
use wire::v3::visibilities::{Level, Levels, OneLevel, Permission};

use super::feeds::visibility;
use crate::{
    chat::{
        error::{Error, Result},
        fields::Fields,
        gate::Call,
    },
    reply::Reply,
};

/// What users are to a feed, by the names of roles.
const ROLES: [(&str, Relation); 4] = [
    ("feed_follower", Relation { is_owner: false, is_member: false, is_follower: true }),
    ("feed_member", Relation { is_owner: false, is_member: true, is_follower: false }),
    ("feed_owner", Relation { is_owner: true, is_member: false, is_follower: false }),
    ("user", Relation { is_owner: false, is_member: false, is_follower: false }),
];

/// `GET /feed_visibilities`.
pub(super) async fn list(call: Call, _: Fields) -> Result<Reply> {
    let levels = Visibility::ALL.into_iter().map(|level| (level.name(), show(level)));
    call.answer(&Levels { feed_visibilities: levels.collect() })
}

/// `GET /feed_visibilities/{name}`.
pub(super) async fn get(call: Call, _: Fields) -> Result<Reply> {
    let name = call.param("name");
    let absent = || Error::from(domain::Error::Absent(format!("feed visibility '{name}' not found")));
    let level = visibility(name).map_err(|_| absent())?;
    call.answer(&OneLevel { feed_visibility: show(level) })
}

fn show(level: Visibility) -> Level {
    let grants: BTreeMap<_, _> = ROLES.iter().map(|(role, relation)| (*role, relation.capabilities(level))).collect();
    let owner = Relation { is_owner: true, ..Relation::default() };
    Level { name: level.name(), permissions: owner.capabilities(level).into_iter().map(permission).collect(), grants }
}

fn permission(id: &'static str) -> Permission {
    let name = id.replace('-', " ");
    Permission {
        action: id,
        custom: false,
        description: format!("Grants: {name}"),
        id,
        level: "app",
        name,
        owner: id.contains("-own-"),
        owner_resource: "feed",
        same_team: false,
        tags: [],
    }
}
