//! What is stored of users: a JSON object a line (v2 §2.8).

use domain::{
    exports::{
        sets::{self, UserSet},
        subject::{self, Walk},
    },
    users::{self, People},
};
use ids::{Timestamp, UserId};
use serde::Serialize;
use serde_json::value::RawValue;
use wire::chat::dialect::Dialect;

use super::{Error, Result, Sheet, rows::Teller};

/// The most messages of one user.
pub(crate) const MESSAGES_MAX: usize = 10_000;
/// The most reactions of one user.
pub(crate) const REACTIONS_MAX: usize = 10_000;

/// A line of the file.
#[derive(Serialize)]
struct Line<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    user_id: &'a str,
    data: Box<RawValue>,
}

/// The most rows of `set` that are told of one user; none where there is no limit.
pub(crate) fn limit(set: UserSet) -> Option<usize> {
    match set {
        UserSet::Messages => Some(MESSAGES_MAX),
        UserSet::Reactions => Some(REACTIONS_MAX),
        _ => None,
    }
}

/// Writes what is stored of `users`.
pub(super) async fn write(sheet: &mut Sheet<'_>, users: &[UserId]) -> Result<()> {
    let mut is_any = false;
    for user in users {
        is_any |= one(sheet, user).await?;
    }
    if is_any { Ok(()) } else { Err(Error::Hopeless("none of the users exists".to_owned())) }
}

/// Writes what is stored of `user`; whether there is such a user.
async fn one(sheet: &mut Sheet<'_>, user: &UserId) -> Result<bool> {
    if users::get(&mut sheet.tx, user).await?.is_none() {
        return Ok(false);
    }
    let now = Timestamp::from_micros(sheet.server.clock.now_micros());
    // Nobody else's profile stands in a file about this user.
    let teller = Teller { user, dialect: Dialect::Classic, people: &People::default(), now };
    for set in sets::of_users() {
        let (mut walk, mut count) = (Walk::default(), 0);
        while let Some(rows) = subject::user_page(&mut sheet.tx, user, set, &mut walk).await? {
            count += rows.len();
            if let Some(max) = limit(set).filter(|max| count > *max) {
                return Err(Error::Hopeless(format!(
                    "a user has more than {max} {}; export their channels",
                    set.list()
                )));
            }
            for row in rows {
                sheet.line(&Line { kind: set.line(), user_id: user.as_str(), data: teller.told(row) }).await?;
            }
        }
    }
    Ok(true)
}
