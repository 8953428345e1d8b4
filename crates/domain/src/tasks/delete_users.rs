//! What a deletion of users is asked (v2 §2.5).

use ids::UserId;
use minicbor::{Decode, Encode};

use super::Mode;

/// What is removed of whom (v2 §2.5).
#[derive(Clone, PartialEq, Debug, Encode, Decode)]
pub struct DeleteUsers {
    /// Whom.
    #[n(0)]
    pub users: Vec<Leaver>,
    /// The users themselves.
    #[n(1)]
    pub user: Mode,
    /// What they said; nothing, if absent.
    #[n(2)]
    pub messages: Option<Mode>,
    /// Channels of theirs with one other member; none, if absent.
    #[n(3)]
    pub conversations: Option<Mode>,
    /// Whether what a user uploaded goes although the user does not go hard, which takes it along.
    #[n(4)]
    pub files: bool,
    /// How calls of theirs are to go, and who gets those that stay. There are none here: what was asked is kept, and the
    /// task's result says that none went.
    #[n(5)]
    #[cbor(default)]
    pub calls: Option<Calls>,
}

/// What is asked of the calls of users who are deleted (v2 §2.5).
#[derive(Clone, PartialEq, Debug, Encode, Decode)]
pub struct Calls {
    /// How calls with one other member go; not at all, if absent.
    #[n(0)]
    pub mode: Option<Mode>,
    /// Who is to own those that stay.
    #[n(1)]
    pub heir: Option<UserId>,
}

/// A user who is deleted.
#[derive(Clone, PartialEq, Debug, Encode, Decode)]
pub struct Leaver {
    /// Who.
    #[n(0)]
    pub id: UserId,
    /// Whether the user was there.
    #[n(1)]
    pub was_there: bool,
    /// Who gets the channels that are left.
    #[n(2)]
    pub heir: UserId,
    /// By which hash the list of erasures names the user; on none, if empty.
    #[n(3)]
    #[cbor(default)]
    pub hash: String,
}

impl Leaver {
    /// `user`, from whom nobody inherits.
    pub(crate) fn alone(user: &UserId) -> Self {
        Leaver { id: user.clone(), was_there: true, heir: user.clone(), hash: String::new() }
    }
}
