//! The list of erasures, held against a store that was restored from a backup (v2 §5.6, §8 no. 55).

use std::collections::BTreeMap;

use aws_lc_rs::digest;
pub use domain::erasure::list::{Erased, all};
use domain::{
    erasure::list,
    tasks::{self, DeleteUsers, Kind, Leaver, Mode},
};
use ids::{AppId, Timestamp, UserId};
use serde::{Deserialize, Serialize};
use store::Store;

use crate::{
    chat::{self, Modes},
    front::Clock,
};

/// Users that one task erases.
const USERS_MAX: usize = 100;

/// A line of the list as it is kept outside.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Line {
    /// The app.
    pub app: u32,
    /// The hash of the user's id.
    pub hash: String,
    /// When the user was erased: microseconds since 1970.
    pub at_micros: i64,
}

impl From<Erased> for Line {
    fn from(erased: Erased) -> Self {
        Line { app: erased.app, hash: erased.hash, at_micros: erased.at.micros() }
    }
}

/// The hash by which the list names the user: who has the id can look it up, and nobody gets the id back.
pub(crate) fn hash(app: AppId, user: &UserId) -> String {
    let text = format!("{}\n{user}", app.0);
    let digest = digest::digest(&digest::SHA256, text.as_bytes());
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Plans the erasure of everybody who is on the list and was there before they were put on it: the next server on the
/// store does it. Answers how many there are; who was made again since is somebody else.
///
/// # Errors
/// When the store fails, or a row cannot be read.
pub async fn apply(store: &Store, lines: &[Line], clock: &dyn Clock) -> domain::Result<usize> {
    let mut erased = BTreeMap::new();
    for line in lines {
        let at = erased.entry((line.app, line.hash.as_str())).or_insert(line.at_micros);
        *at = line.at_micros.max(*at);
    }
    let found = list::find(store, |app, user, created_at| {
        let hash = hash(AppId(app), user);
        erased.get(&(app, hash.as_str())).is_some_and(|at| created_at.micros() <= *at)
    })
    .await?;
    let mut by_app: BTreeMap<u32, Vec<UserId>> = BTreeMap::new();
    for (app, user) in &found {
        by_app.entry(*app).or_default().push(user.clone());
    }
    let now = Timestamp::from_micros(clock.now_micros());
    for (app, users) in by_app {
        for users in users.chunks(USERS_MAX) {
            plan(store, app, users, now).await?;
        }
    }
    Ok(found.len())
}

async fn plan(store: &Store, app: u32, users: &[UserId], now: Timestamp) -> domain::Result<()> {
    let hard = Some(Mode::Hard);
    let modes = Modes { user: Mode::Hard, messages: hard, conversations: hard, files: true };
    let (app, id) = (list::app(store, app), crate::seal::random_id().to_string());
    let heirs: Vec<UserId> = users.iter().map(|_| chat::new_heir()).collect();
    let planned = app.write(async |tx| {
        let mut leavers = Vec::with_capacity(users.len());
        for (user, heir) in users.iter().zip(&heirs) {
            let was_there = chat::mark(tx, user, modes, now).await?;
            leavers.push(Leaver { id: user.clone(), was_there, heir: heir.clone(), hash: hash(tx.app.id, user) });
        }
        let Modes { user, messages, conversations, files } = modes;
        tasks::plan(
            tx,
            &id,
            Kind::DeleteUsers(Box::new(DeleteUsers {
                users: leavers,
                user,
                messages,
                conversations,
                files,
                calls: None,
            })),
            now,
        );
        Ok(())
    });
    planned.await
}
