//! `user/`, `user/{id}/`, `users/` (feeds-v1 §5.12), and users where other objects show them (§8).

use serde::Serialize;
use serde_json::value::RawValue;

/// A user.
#[derive(Serialize, Clone, Debug)]
pub struct User {
    /// The id.
    pub id: String,
    /// What the application says of the user.
    pub data: Box<RawValue>,
    /// RFC 3339.
    pub created_at: String,
    /// RFC 3339.
    pub updated_at: String,
    /// How many follow the user, if it was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub followers_count: Option<i64>,
    /// How many the user follows, if it was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub following_count: Option<i64>,
}

/// What stands where an object is not there that a reference names.
#[derive(Serialize, Clone, Debug)]
pub struct Missing {
    /// The id in the reference.
    pub id: String,
    /// The collection in the reference.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub collection: Option<String>,
    /// Always `ReferenceNotFound`.
    pub error: &'static str,
    /// The reference.
    pub reference: String,
    /// `user`, `object`, `activity` or `reaction`.
    pub reference_type: &'static str,
}

/// A user, or that there is none.
#[derive(Serialize, Clone, Debug)]
#[serde(untagged)]
pub enum Named {
    /// The user.
    User(User),
    /// There is none.
    Missing(Missing),
}

/// The answer of `POST users/`.
#[derive(Serialize, Debug)]
pub struct CreatedUsers {
    /// In the order of the request.
    pub created_users: Vec<User>,
}

/// The answer of `GET users/`.
#[derive(Serialize, Debug)]
pub struct Users {
    /// Those that are there, in the order of the request.
    pub users: Vec<User>,
}

/// The answer of `DELETE users/`.
#[derive(Serialize, Debug)]
pub struct DeletedUsers<'a> {
    /// As they were sent.
    pub deleted_user_ids: Vec<&'a str>,
}
