//! `/feed_visibilities`: who may do what with feeds of which level (feeds-v3 §3.1, §3.2).

use std::collections::BTreeMap;

use domain::{
    Tx,
    v3::{
        feeds::Visibility,
        grants::{self, CAPABILITIES, Grants},
        permit::Relation,
    },
};
use wire::v3::visibilities::{Level, Levels, OneLevel, Permission};

use super::{feeds::visibility, read};
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
    let (mut tx, mut levels) = (call.snapshot(), BTreeMap::new());
    for level in Visibility::ALL {
        levels.insert(level.name(), show(&mut tx, level).await?);
    }
    call.answer(&Levels { feed_visibilities: levels })
}

/// `GET /feed_visibilities/{name}`.
pub(super) async fn get(call: Call, _: Fields) -> Result<Reply> {
    let level = named(&call)?;
    let feed_visibility = show(&mut call.snapshot(), level).await?;
    call.answer(&OneLevel { feed_visibility })
}

/// `PUT /feed_visibilities/{name}`: from now on roles may do what `grants` say, and nothing else.
pub(super) async fn replace(call: Call, mut sent: Fields) -> Result<Reply> {
    let level = named(&call)?;
    let given = read::object(&mut sent, "grants")?.ok_or_else(|| Error::field("grants", "is a required field"))?;
    let granted = Grants::parse(&given)?;
    let run = call.tenant.app.write(async |tx| {
        grants::set(tx, level, &granted);
        Ok(())
    });
    run.await?;
    call.answer(&OneLevel { feed_visibility: shown(level, Some(granted)) })
}

fn named(call: &Call) -> Result<Visibility> {
    let name = call.param("name");
    visibility(name).map_err(|_| Error::from(domain::Error::Absent(format!("feed visibility '{name}' not found"))))
}

async fn show(tx: &mut Tx, level: Visibility) -> Result<Level> {
    Ok(shown(level, grants::get(tx, level).await?))
}

/// A level with what the app grants, or what is usual.
fn shown(level: Visibility, granted: Option<Grants>) -> Level {
    let grants: BTreeMap<String, Vec<String>> = match granted {
        Some(granted) => granted.roles.into_iter().collect(),
        None => ROLES.iter().map(|(role, relation)| ((*role).to_owned(), usual(*relation, level))).collect(),
    };
    Level { name: level.name(), permissions: CAPABILITIES.into_iter().map(permission).collect(), grants }
}

fn usual(relation: Relation, level: Visibility) -> Vec<String> {
    relation.capabilities(level).into_iter().map(str::to_owned).collect()
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
