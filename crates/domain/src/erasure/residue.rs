//! What the store still holds of somebody: a walk over every row of every table (v2 §5.6, §8 no. 30).
//!
//! It looks for the user by the rules of the erasure, for the user's id in keys and records, and for any text that is asked
//! for, whosever table it is in. It tells where, never what.

use ids::UserId;
use store::{Corrupt, Direction, Limit, Store, key, key::after, split};

use super::traces::{self, MUST_BE_TOLD};
use crate::{
    Result,
    keyspace::{self, LOG, Personal, TABLES, TASK},
    log::Event,
    tasks::Leaver,
};

/// What is looked for.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Somebody.
    pub user: UserId,
    /// Texts that only the user's data holds: an e-mail address, a name. Case does not matter.
    pub needles: Vec<String>,
    /// The app to look in; all, if absent.
    pub app: Option<u32>,
}

/// What a row was found by.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Found {
    /// Its key holds the user's id.
    UserInKey,
    /// Its record names the user, or is the user's.
    UserInRecord,
    /// It holds the text of this number, from 0.
    Needle(usize),
}

/// Rows that tell of somebody.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Residue {
    /// The app.
    pub app: u32,
    /// The table.
    pub table: &'static str,
    /// The columns of its key.
    pub key: &'static str,
    /// What they were found by.
    pub found: Found,
    /// How many rows.
    pub rows: u64,
}

/// What a walk over the store found.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Report {
    /// Rows that should not be there after a hard deletion, by table.
    pub residue: Vec<Residue>,
    /// Rows that name the user on purpose for a while: tasks, and events that tell of the deletion.
    pub kept: u64,
    /// Rows that were looked at.
    pub seen: u64,
}

impl Report {
    fn note(&mut self, app: u32, table: &'static str, found: Found) {
        match self.residue.iter_mut().find(|row| row.app == app && row.table == table && row.found == found) {
            Some(known) => known.rows += 1,
            None => self.residue.push(Residue { app, table, key: keyspace::columns(table), found, rows: 1 }),
        }
    }
}

/// Walks over the whole store; `looked` is told how many rows it has seen.
///
/// # Errors
/// When the store fails, or a row cannot be read.
pub async fn residue(store: &Store, wanted: &Wanted, looked: &mut (dyn FnMut(u64) + Send)) -> Result<Report> {
    let search = Search::new(wanted);
    let (mut tx, mut start, mut report) = (store.read(), Vec::new(), Report::default());
    loop {
        let range = start..key::prefixed(Vec::new()).end;
        let page = tx.scan(range, Direction::Forward, Limit::PAGE).await?;
        for (key, value) in &page.rows {
            search.look(key, value, &mut report).map_err(store::Error::from)?;
        }
        report.seen += page.rows.len() as u64;
        looked(report.seen);
        match page.rows.last() {
            Some((last, _)) if page.more => start = after(last.to_vec()),
            _ => return Ok(report),
        }
    }
}

/// The rows of all apps that tell of `user`.
///
/// # Errors
/// As [`residue`].
pub async fn of_user(store: &Store, user: &UserId, looked: &mut (dyn FnMut(u64) + Send)) -> Result<Vec<Residue>> {
    let wanted = Wanted { user: user.clone(), needles: Vec::new(), app: None };
    Ok(residue(store, &wanted, looked).await?.residue)
}

/// What is looked for, as rows would hold it.
struct Search {
    leaver: Leaver,
    app: Option<u32>,
    needles: Vec<Needle>,
}

impl Search {
    fn new(wanted: &Wanted) -> Self {
        let needles = wanted.needles.iter().map(|text| Needle::new(text)).collect();
        Search { leaver: Leaver::alone(&wanted.user), app: wanted.app, needles }
    }

    fn look(&self, key: &[u8], value: &[u8], report: &mut Report) -> std::result::Result<(), Corrupt> {
        let Some((app, tag, typed)) = split(key) else { return Ok(()) };
        if self.app.is_some_and(|wanted| wanted != app) {
            return Ok(());
        }
        let Some((_, table, personal, _)) = TABLES.iter().find(|(known, ..)| *known == tag) else { return Ok(()) };
        for (number, needle) in self.needles.iter().enumerate() {
            if needle.is_in(typed) || needle.is_in(value) {
                report.note(app, table, Found::Needle(number));
            }
        }
        let Some(found) = self.user_in(key, value, typed, *personal)? else { return Ok(()) };
        match tag == TASK.tag() || tag == LOG.tag() && is_told(key, value)? {
            true => report.kept += 1,
            false => report.note(app, table, found),
        }
        Ok(())
    }

    /// Where a row names the user. Feeds say in words of their own whose they are, so for them the rules alone decide, and
    /// so they do for events: ids of anything may look like the user's.
    fn user_in(
        &self,
        key: &[u8],
        value: &[u8],
        typed: &[u8],
        personal: Personal,
    ) -> std::result::Result<Option<Found>, Corrupt> {
        let user = &self.leaver.id;
        let (is_in_key, is_named) = match personal {
            Personal::None => return Ok(None),
            Personal::ByFeed | Personal::ByActivity => (false, false),
            Personal::ByEvent => (false, is_told(key, value)? && traces::names(value, user)),
            _ => (stands_in(typed, user), traces::names(value, user)),
        };
        Ok(match (is_in_key, is_named || traces::is_trace(key, value, &self.leaver)?) {
            (true, _) => Some(Found::UserInKey),
            (false, true) => Some(Found::UserInRecord),
            (false, false) => None,
        })
    }
}

/// Whether the row is an event that tells of a deletion.
fn is_told(key: &[u8], value: &[u8]) -> std::result::Result<bool, Corrupt> {
    let (_, event) = LOG.decode(key, value)?;
    Ok(matches!(event, Event::Chat(event) if MUST_BE_TOLD.contains(&event.kind.as_str())))
}

/// Whether one of the texts of a key is `user`.
fn stands_in(typed: &[u8], user: &UserId) -> bool {
    let mut text = Vec::new();
    key::text(&mut text, user.as_str());
    let starts = |at: usize| at == 0 || typed[at - 1] == 0;
    typed.windows(text.len()).enumerate().any(|(at, window)| window == text && starts(at))
}

/// A text in the forms in which bytes may hold it. An empty one is nowhere.
#[derive(Clone, Debug)]
pub struct Needle(Vec<Vec<u8>>);

impl Needle {
    /// As it is, and as JSON escapes it.
    pub fn new(text: &str) -> Self {
        let text = text.to_lowercase();
        let quoted = serde_json::to_string(&text).expect("a text is JSON");
        let escaped: String = text.chars().map(escaped).collect();
        let mut forms = vec![text.into_bytes(), quoted[1..quoted.len() - 1].into(), escaped.into_bytes()];
        forms.dedup();
        forms.retain(|form| !form.is_empty());
        Needle(forms)
    }

    /// How long the longest form is, in bytes.
    pub fn bytes(&self) -> usize {
        self.0.iter().map(Vec::len).max().unwrap_or(0)
    }

    /// Whether `bytes` hold it, in letters of either case.
    pub fn is_in(&self, bytes: &[u8]) -> bool {
        let is_same = |window: &[u8], form: &[u8]| window.eq_ignore_ascii_case(form);
        self.0.iter().any(|form| {
            let (lower, upper) = (form[0].to_ascii_lowercase(), form[0].to_ascii_uppercase());
            bytes.windows(form.len()).any(|window| (window[0] == lower || window[0] == upper) && is_same(window, form))
        })
    }
}

/// The character as JSON of plain ASCII writes it.
fn escaped(c: char) -> String {
    match c {
        '"' | '\\' => format!("\\{c}"),
        c if c.is_ascii() && !c.is_ascii_control() => c.to_string(),
        c => c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{chat::pond::Pond, users};

    fn wanted(user: &str, needles: &[&str]) -> Wanted {
        let needles = needles.iter().map(|text| (*text).to_owned()).collect();
        Wanted { user: UserId::parse(user).unwrap(), needles, app: None }
    }

    async fn tables(pond: &Pond, wanted: &Wanted) -> Vec<(&'static str, Found)> {
        let report = residue(&pond.app.store, wanted, &mut |_| {}).await.unwrap();
        report.residue.into_iter().map(|row| (row.table, row.found)).collect()
    }

    #[tokio::test]
    async fn a_text_is_found_in_whatever_table_and_in_whatever_letters_it_is_written() {
        let pond = Pond::new().await;
        let now = pond.tick();
        pond.write(async |tx| {
            let custom = r#"{"city":"Malm\u00f6","mail":"Zo\"e@example.com"}"#.to_owned();
            users::put(tx, &UserId::parse("zoe").unwrap(), &users::User { custom, ..users::User::new(now) });
            Ok(())
        })
        .await;
        for needle in ["malmö", "MALMÖ", "zo\"e@example.com"] {
            let found = tables(&pond, &wanted("nobody", &[needle])).await;
            assert_eq!(found, [("user", Found::Needle(0))], "{needle}");
        }
        assert_eq!(tables(&pond, &wanted("nobody", &["Oslo", ""])).await, []);
    }

    #[tokio::test]
    async fn a_user_is_found_in_keys_and_records_and_not_in_another_app() {
        let pond = Pond::new().await;
        let found = tables(&pond, &wanted("amy", &[])).await;
        assert!(
            found.contains(&("user", Found::UserInKey)) && found.contains(&("member", Found::UserInKey)),
            "{found:?}"
        );
        assert!(found.contains(&("channel", Found::UserInRecord)), "{found:?}");
        let elsewhere = Wanted { app: Some(2), ..wanted("amy", &[]) };
        assert_eq!(tables(&pond, &elsewhere).await, []);
        assert_eq!(tables(&pond, &wanted("am", &[])).await, [], "a part of an id is not the id");
    }
}
