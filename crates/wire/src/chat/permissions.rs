//! Roles and permissions: `/roles`, `/permissions` (chat §8, §11.11).

use serde::Serialize;
use serde_json::value::RawValue;

use super::dialect::Time;

/// A role.
#[derive(Serialize, Debug)]
pub struct Role<'a> {
    /// Its name.
    pub name: &'a str,
    /// Whether it is the app's own.
    pub custom: bool,
    /// Where it is granted something.
    pub scopes: &'a [String],
    /// Since when there is it.
    pub created_at: Time,
    /// When it was last changed.
    pub updated_at: Time,
}

/// What `POST /roles` answers.
#[derive(Serialize, Debug)]
pub struct OneRole<'a> {
    /// As it is now.
    pub role: Role<'a>,
}

/// What `GET /roles` answers.
#[derive(Serialize, Debug)]
pub struct Roles<'a> {
    /// Every role.
    pub roles: Vec<Role<'a>>,
}

/// A permission.
#[derive(Serialize, Debug)]
pub struct Permission<'a> {
    /// Its id.
    pub id: &'a str,
    /// What people call it.
    pub name: &'a str,
    /// What it allows, in words.
    pub description: &'a str,
    /// What it allows, such as `CreateMessage`.
    pub action: &'a str,
    /// Whether it is for the owner alone.
    pub owner: bool,
    /// Of what, such as `Channel`.
    pub owner_resource: &'a str,
    /// Whether it is for the own team alone.
    pub same_team: bool,
    /// `channel` or `app`.
    pub level: &'a str,
    /// Whether it is the app's own.
    pub custom: bool,
    /// Words of the application.
    pub tags: &'a [String],
    /// When it holds; `null` for always.
    pub condition: Option<&'a RawValue>,
}

/// What `GET /permissions/{id}` answers.
#[derive(Serialize, Debug)]
pub struct OnePermission<'a> {
    /// As it is.
    pub permission: Permission<'a>,
}

/// What `GET /permissions` answers.
#[derive(Serialize, Debug)]
pub struct Permissions<'a> {
    /// Every permission.
    pub permissions: Vec<Permission<'a>>,
}
