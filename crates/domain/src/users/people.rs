//! Users by id, as answers embed them: loaded once, with their own fields parsed once.

use std::collections::{BTreeMap, BTreeSet};

use ids::{UserId, json::Object};

use super::{User, get_many};
use crate::{Result, Tx};

/// A user, ready to be shown.
#[derive(Clone, PartialEq, Debug)]
pub struct Person {
    /// What is stored.
    pub user: User,
    /// The application's own fields.
    pub custom: Object,
    /// Whether the user is connected; [`User::is_invisible`] hides it.
    pub is_online: bool,
}

impl From<User> for Person {
    fn from(user: User) -> Self {
        Person { custom: user.custom(), user, is_online: false }
    }
}

/// Users by id. Whom nobody knows is not in it.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct People(BTreeMap<UserId, Person>);

impl People {
    /// The users `ids`, each read once.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn load<'i>(tx: &mut Tx, ids: impl IntoIterator<Item = &'i UserId>) -> Result<Self> {
        let mut people = People::default();
        people.add(tx, ids).await?;
        Ok(people)
    }

    /// Loads those of `ids` that are not there yet.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn add<'i>(&mut self, tx: &mut Tx, ids: impl IntoIterator<Item = &'i UserId>) -> Result<()> {
        let new: BTreeSet<&UserId> = ids.into_iter().filter(|id| !self.0.contains_key(id)).collect();
        let ids: Vec<UserId> = new.into_iter().cloned().collect();
        let users = get_many(tx, &ids).await?;
        let known = ids.into_iter().zip(users).filter_map(|(id, user)| Some((id, Person::from(user?))));
        self.0.extend(known);
        Ok(())
    }

    /// Puts in a user who was loaded already.
    pub fn put(&mut self, id: UserId, user: User) {
        self.0.insert(id, user.into());
    }

    /// The user `id` and its id, which lives as long as the map.
    pub fn get(&self, id: &UserId) -> Option<(&UserId, &Person)> {
        self.0.get_key_value(id)
    }

    /// All of them, by id.
    pub fn iter(&self) -> impl Iterator<Item = (&UserId, &Person)> {
        self.0.iter()
    }

    /// All of them, to note who is connected.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&UserId, &mut Person)> {
        self.0.iter_mut()
    }
}

impl FromIterator<(UserId, User)> for People {
    fn from_iter<I: IntoIterator<Item = (UserId, User)>>(users: I) -> Self {
        People(users.into_iter().map(|(id, user)| (id, user.into())).collect())
    }
}
