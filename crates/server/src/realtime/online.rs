//! A user who is online, with the connections that make it so.

use std::{
    borrow::Borrow,
    hash::{Hash, Hasher},
    slice,
    sync::Arc,
};

use ids::UserId;

use super::hub::Connection;

/// A user who is online, in a set in which it is found by its id.
///
/// The id is that of the connection: nearly all users have one, and for each of them two words are stored.
#[derive(Debug)]
pub(super) enum Online {
    /// Without a connection, and about to be offline.
    Leaving(Box<UserId>),
    /// With one.
    Once(Arc<Connection>),
    /// With several, in the order in which they were opened.
    #[expect(clippy::box_collection, reason = "a vector in place would make every user a word larger")]
    Often(Box<Vec<Arc<Connection>>>),
}

impl Online {
    /// Who it is.
    pub(super) fn user(&self) -> &UserId {
        match self {
            Online::Leaving(user) => user,
            Online::Once(connection) => &connection.identity.user,
            Online::Often(connections) => &connections[0].identity.user,
        }
    }

    /// The connections.
    pub(super) fn connections(&self) -> &[Arc<Connection>] {
        match self {
            Online::Leaving(_) => &[],
            Online::Once(connection) => slice::from_ref(connection),
            Online::Often(connections) => connections,
        }
    }

    /// The user of `connection`, who is known or not, with this one more.
    pub(super) fn with(known: Option<Self>, connection: Arc<Connection>) -> Self {
        match known {
            None | Some(Online::Leaving(_)) => Online::Once(connection),
            Some(Online::Once(first)) => Online::Often(Box::new(vec![first, connection])),
            Some(Online::Often(mut connections)) => {
                connections.push(connection);
                Online::Often(connections)
            }
        }
    }

    /// The user without `connection`.
    pub(super) fn without(self, connection: &Arc<Connection>) -> Self {
        let mut rest = self.connections().to_vec();
        rest.retain(|other| !Arc::ptr_eq(other, connection));
        match rest.len() {
            0 => Online::Leaving(Box::new(self.user().clone())),
            1 => Online::Once(rest.remove(0)),
            _ => Online::Often(Box::new(rest)),
        }
    }
}

impl Borrow<UserId> for Online {
    fn borrow(&self) -> &UserId {
        self.user()
    }
}

impl Hash for Online {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.user().hash(state);
    }
}

impl PartialEq for Online {
    fn eq(&self, other: &Self) -> bool {
        self.user() == other.user()
    }
}

impl Eq for Online {}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use ids::AppId;
    use uuid::Uuid;
    use wire::chat::dialect::Dialect;

    use super::{super::hub::Identity, *};

    fn connection(user: &str, number: u128) -> Arc<Connection> {
        let user = UserId::parse(user).unwrap();
        let identity = Identity { app: AppId(1), user, is_anonymous: false, dialect: Dialect::Classic };
        Connection::new(Uuid::from_u128(number), identity)
    }

    fn numbers(online: &Online) -> Vec<u128> {
        online.connections().iter().map(|connection| connection.id.as_u128()).collect()
    }

    #[test]
    fn a_user_is_online_with_as_many_connections_as_were_opened_and_not_closed() {
        let all = [1, 2, 3].map(|number| connection("amy", number));
        let mut online = None;
        for (opened, connection) in all.iter().enumerate() {
            online = Some(Online::with(online, connection.clone()));
            let wanted: Vec<u128> = (1..=opened as u128 + 1).collect();
            assert_eq!(online.as_ref().map(numbers), Some(wanted));
        }
        let mut online = online.unwrap();
        for (closed, wanted) in [(1, vec![1, 3]), (1, vec![1, 3]), (0, vec![3]), (2, vec![])] {
            online = online.without(&all[closed]);
            assert_eq!(numbers(&online), wanted);
            assert_eq!(online.user().as_str(), "amy");
        }
        assert_eq!(numbers(&Online::with(Some(online), all[0].clone())), [1], "she came back in time");
    }

    #[test]
    #[expect(clippy::mutable_key_type, reason = "whose connection it is never changes")]
    fn a_user_is_found_by_its_id_with_any_number_of_connections() {
        let (amy, ben) = (connection("amy", 1), connection("ben", 2));
        let leaving = Online::Once(connection("cat", 3)).without(&connection("cat", 3));
        assert_eq!(numbers(&leaving), [3], "another connection of hers was meant");
        let users = HashSet::from([
            Online::with(Some(Online::Once(amy.clone())), connection("amy", 4)),
            Online::Once(ben.clone()).without(&ben),
            leaving,
        ]);
        for (user, wanted) in [("amy", Some(vec![1, 4])), ("ben", Some(vec![])), ("cat", Some(vec![3])), ("dan", None)]
        {
            assert_eq!(users.get(&UserId::parse(user).unwrap()).map(numbers), wanted, "{user}");
        }
    }
}
