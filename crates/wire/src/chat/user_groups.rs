//! Groups of users: `/usergroups` (v2 §7.2).

use serde::Serialize;

use super::dialect::Time;

/// A group of users.
#[derive(Serialize, Debug)]
pub struct UserGroup<'a> {
    /// Its id.
    pub id: &'a str,
    /// What people call it.
    pub name: &'a str,
    /// What it is for.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub description: &'a str,
    /// The team that it belongs to.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub team_id: &'a str,
    /// Who made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_by: Option<&'a str>,
    /// Since when there is it.
    pub created_at: Time,
    /// When it was last changed.
    pub updated_at: Time,
    /// Who belongs to it; absent in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub members: Option<Vec<Member<'a>>>,
}

/// A member of a group.
#[derive(Serialize, Debug)]
pub struct Member<'a> {
    /// The app's number.
    pub app_pk: u32,
    /// The group.
    pub group_id: &'a str,
    /// The user.
    pub user_id: &'a str,
    /// Whether it leads the group.
    pub is_admin: bool,
    /// Since when it belongs to it.
    pub created_at: Time,
}

/// What calls about one group answer.
#[derive(Serialize, Debug)]
pub struct OneUserGroup<'a> {
    /// As it is now.
    pub user_group: UserGroup<'a>,
}

/// What lists of groups answer.
#[derive(Serialize, Debug)]
pub struct UserGroups<'a> {
    /// A page of them.
    pub user_groups: Vec<UserGroup<'a>>,
}
