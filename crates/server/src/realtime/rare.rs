//! What few events show, read for the hook that is told: groups of users, and what moderation shows.

use std::collections::BTreeMap;

use domain::chat::events::{Event, Matter};
use ids::Timestamp;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use wire::chat::dialect::Dialect;

use crate::{
    Server,
    apps::Tenant,
    chat::{
        moderation::{Desk, told},
        to_wire::user_groups::user_group,
    },
};

/// What `event` shows beside what all events do, by name.
pub(super) async fn read(
    (server, tenant): (&Server, &Tenant),
    event: &Event,
    dialect: Dialect,
    now: Timestamp,
) -> domain::Result<BTreeMap<&'static str, Box<RawValue>>> {
    let mut rare = BTreeMap::new();
    match event.matter.as_deref() {
        Some(Matter::Group { id, group, members }) => {
            rare.insert("user_group", raw(&user_group(dialect, id, group)));
            if let Some(members) = members {
                rare.insert("members", raw(&members.iter().map(|user| user.as_str()).collect::<Vec<_>>()));
            }
        }
        Some(matter @ (Matter::Review { .. } | Matter::Appeal { .. })) => {
            let desk = Desk { server, tenant, user: None, dialect, now };
            rare.extend(told(desk, &event.kind, matter).await?);
        }
        _ => {}
    }
    Ok(rare)
}

fn raw(object: &impl Serialize) -> Box<RawValue> {
    to_raw_value(object).expect("wire types are JSON")
}
