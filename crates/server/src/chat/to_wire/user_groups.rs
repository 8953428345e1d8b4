//! Groups of users as clients read them (v2 §7.2).

use domain::chat::user_groups::UserGroup;
use ids::UserId;
use wire::chat::{
    dialect::{Dialect, Time},
    user_groups::UserGroup as WireGroup,
};

/// A group without its members.
pub(crate) fn user_group<'a>(dialect: Dialect, id: &'a str, group: &'a UserGroup) -> WireGroup<'a> {
    WireGroup {
        id,
        name: &group.name,
        description: &group.description,
        team_id: &group.team,
        created_by: group.created_by.as_ref().map(UserId::as_str),
        created_at: Time { at: group.created_at, dialect },
        updated_at: Time { at: group.updated_at, dialect },
        members: None,
    }
}
