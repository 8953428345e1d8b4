//! Who made, changed and deleted which activities and reactions (feeds-v1 §5.15).
//!
//! Kept only for apps that have it switched on, for as long as the app is there. A log names who did something by an id
//! and holds nothing of what was said; erasing a user leaves the entry and takes the name off it.

use ids::{Timestamp, UserId};
use minicbor::{Decode, Encode};
use store::{Direction, Limit, key::after};

use crate::{
    Result, Tx,
    keyspace::{AUDIT, AUDIT_OF_USER, Latest},
};

/// The setting that switches it on.
pub const SWITCH: &str = "feed_audit_logs_enabled";

/// What the log is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// An activity.
    Activity,
    /// A reaction.
    Reaction,
}

impl Kind {
    /// The kind of this name.
    pub fn parse(name: &str) -> Option<Self> {
        [Kind::Activity, Kind::Reaction].into_iter().find(|kind| kind.name() == name)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Activity => "activity",
            Kind::Reaction => "reaction",
        }
    }
}

/// What was done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Action {
    /// It was made.
    Created = 0,
    /// It says something else.
    Updated = 1,
    /// It is gone, perhaps for a time.
    Deleted = 2,
}

impl Action {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Action::Created => "created",
            Action::Updated => "updated",
            Action::Deleted => "deleted",
        }
    }

    fn of(number: u8) -> Option<Self> {
        [Action::Created, Action::Updated, Action::Deleted].into_iter().find(|action| *action as u8 == number)
    }
}

/// Who did it.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Noted {
    /// The user; none for the application itself, and for one who was erased.
    #[n(0)]
    pub user: Option<UserId>,
}

/// Something that was done, and where it stands in the log.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Place {
    /// When.
    pub at: Timestamp,
    /// To what kind of thing.
    pub kind: String,
    /// To which.
    pub id: String,
    /// The number of what was done.
    pub action: u8,
}

/// An entry of the log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// What was done when to what.
    pub place: Place,
    /// What it is called.
    pub action: &'static str,
    /// By whom.
    pub user: Option<UserId>,
}

/// Whose log is asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Of {
    /// That of one thing.
    Entity(Kind, String),
    /// What a user did.
    User(UserId),
}

/// From where on, and which way.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum From {
    /// From the newest on.
    Newest,
    /// What comes after this entry, which is older.
    After(Place),
    /// What comes before this entry, which is newer.
    Before(Place),
}

/// Entries, the newest first.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Page {
    /// The entries.
    pub entries: Vec<Entry>,
    /// Whether there are newer ones.
    pub has_newer: bool,
    /// Whether there are older ones.
    pub has_older: bool,
}

/// Notes that `user` did something, if the app wants that noted.
pub fn note(tx: &mut Tx, kind: Kind, id: &str, action: Action, user: Option<&UserId>, now: Timestamp) {
    if !tx.app.settings.is_on(SWITCH) {
        return;
    }
    let tenant = tx.tenant();
    let (name, number) = (kind.name().to_owned(), action as u8);
    AUDIT.put(tx, tenant, &(name.clone(), id.to_owned(), Latest(now), number), &Noted { user: user.cloned() });
    if let Some(user) = user {
        AUDIT_OF_USER.put(tx, tenant, &(user.to_string(), Latest(now), name, id.to_owned(), number), &());
    }
}

/// At most `limit` entries.
///
/// # Errors
/// When the store fails.
pub async fn list(tx: &mut Tx, of: &Of, from: &From, limit: usize) -> Result<Page> {
    let tenant = tx.tenant();
    let key = |place: &Place| match of {
        Of::Entity(kind, id) => AUDIT.key(tenant, &(kind.name().into(), id.clone(), Latest(place.at), place.action)),
        Of::User(user) => {
            let row = (user.to_string(), Latest(place.at), place.kind.clone(), place.id.clone(), place.action);
            AUDIT_OF_USER.key(tenant, &row)
        }
    };
    let mut range = match of {
        Of::Entity(kind, id) => AUDIT.prefix(tenant, &(kind.name().to_owned(), id.clone())),
        Of::User(user) => AUDIT_OF_USER.prefix(tenant, &user.to_string()),
    };
    let direction = match from {
        From::Newest => Direction::Forward,
        From::After(place) => {
            range.start = after(key(place));
            Direction::Forward
        }
        From::Before(place) => {
            range.end = key(place);
            Direction::Backward
        }
    };
    let (mut entries, more) = read(tx, of, range, direction, limit).await?;
    if direction == Direction::Backward {
        entries.reverse();
        return Ok(Page { has_newer: more, has_older: true, entries });
    }
    Ok(Page { has_newer: *from != From::Newest, has_older: more, entries })
}

async fn read(
    tx: &mut Tx,
    of: &Of,
    range: std::ops::Range<Vec<u8>>,
    direction: Direction,
    limit: usize,
) -> Result<(Vec<Entry>, bool)> {
    let tenant = tx.tenant();
    let mut entries = Vec::new();
    match of {
        Of::Entity(..) => {
            let page = AUDIT.scan(tx, tenant, range, direction, Limit::rows(limit)).await?;
            for ((kind, id, Latest(at), action), noted) in page.rows {
                entries.extend(entry(Place { at, kind, id, action }, noted.user));
            }
            Ok((entries, page.more))
        }
        Of::User(user) => {
            let page = AUDIT_OF_USER.scan(tx, tenant, range, direction, Limit::rows(limit)).await?;
            for ((_, Latest(at), kind, id, action), ()) in page.rows {
                entries.extend(entry(Place { at, kind, id, action }, Some(user.clone())));
            }
            Ok((entries, page.more))
        }
    }
}

fn entry(place: Place, user: Option<UserId>) -> Option<Entry> {
    let action = Action::of(place.action)?.name();
    Some(Entry { place, action, user })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use ids::json::Object;

    use super::*;
    use crate::{App, feeds::pond::Pond, settings::Settings};

    /// An app that wants it noted.
    fn noting(pond: &Pond) -> App {
        let others = Object::parse(&format!("{{\"{SWITCH}\":true}}")).unwrap().to_string();
        App { settings: Arc::new(Settings { others, ..Settings::default() }), ..pond.app.clone() }
    }

    fn amy() -> UserId {
        UserId::parse("amy").unwrap()
    }

    async fn note_some(app: &App) {
        let written = app.write(async |tx| {
            for n in 0..5 {
                note(tx, Kind::Activity, "one", Action::Updated, Some(&amy()), Pond::at(n));
            }
            note(tx, Kind::Reaction, "one", Action::Created, None, Pond::at(9));
            Ok(())
        });
        written.await.unwrap();
    }

    async fn times(app: &App, of: &Of, from: &From) -> (Vec<i64>, bool, bool) {
        let page = list(&mut app.snapshot(), of, from, 2).await.unwrap();
        let second = |entry: &Entry| (entry.place.at.micros() - Pond::at(0).micros()) / 1_000_000;
        (page.entries.iter().map(second).collect(), page.has_newer, page.has_older)
    }

    #[tokio::test]
    async fn an_app_that_does_not_want_it_notes_nothing() {
        let pond = Pond::new();
        note_some(&pond.app).await;
        let page = list(&mut pond.app.snapshot(), &Of::User(amy()), &From::Newest, 10).await.unwrap();
        assert_eq!(page, Page::default());
    }

    #[tokio::test]
    async fn the_log_is_read_page_by_page_in_both_directions() {
        let pond = Pond::new();
        let app = noting(&pond);
        note_some(&app).await;
        for of in [Of::Entity(Kind::Activity, "one".into()), Of::User(amy())] {
            let place = |n| Place { at: Pond::at(n), kind: "activity".into(), id: "one".into(), action: 1 };
            assert_eq!(times(&app, &of, &From::Newest).await, (vec![4, 3], false, true));
            assert_eq!(times(&app, &of, &From::After(place(3))).await, (vec![2, 1], true, true));
            assert_eq!(times(&app, &of, &From::After(place(1))).await, (vec![0], true, false));
            assert_eq!(times(&app, &of, &From::Before(place(1))).await, (vec![3, 2], true, true));
            assert_eq!(times(&app, &of, &From::Before(place(3))).await, (vec![4], false, true));
        }
        let page =
            list(&mut app.snapshot(), &Of::Entity(Kind::Reaction, "one".into()), &From::Newest, 2).await.unwrap();
        assert_eq!((page.entries[0].action, page.entries[0].user.as_ref()), ("created", None));
    }
}
