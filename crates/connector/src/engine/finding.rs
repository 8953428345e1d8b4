//! Who is meant (§8): users are asked for by identifier, page by page, and every record is looked at again here.

use ids::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json, value::RawValue};

use super::{paging::Paging, run::Run};
use crate::{
    Result,
    executions::{Target, TaskStatus},
    integrations::MultiMatch,
    keys::{Place, sha256},
    requests::{Category, Flag, GivenIdentifier, Kind},
    status::{Change, Reason},
    upstream::{Answer, Call, Meaning},
};

/// The pages after which a list is taken for endless.
const PAGES_MAX: u32 = 1000;
/// Above this a person decides, whatever the policy says.
const MATCHES_MAX: usize = 25;

/// A page of users, each as it was sent.
#[derive(Deserialize)]
struct Page<'a> {
    #[serde(borrow)]
    users: Vec<&'a RawValue>,
}

/// A user of a page.
pub(crate) struct Found {
    pub(crate) id: String,
    pub(super) created_at: String,
    pub(super) is_deleted: bool,
    fields: Value,
    raw: String,
}

/// The call that asks for users, of whom there are no more than a page.
pub(crate) fn query(filter: &Value) -> Call {
    Paging::default().query(filter, None)
}

/// The users of an answer; nothing if it is not a page of users.
pub(crate) fn users(answer: &Answer) -> Option<Vec<Found>> {
    let page: Page<'_> = serde_json::from_slice(&answer.body).ok()?;
    let found = |raw: &&RawValue| {
        let fields: Value = serde_json::from_str(raw.get()).ok()?;
        Some(Found {
            id: fields["id"].as_str()?.to_owned(),
            created_at: fields["created_at"].to_string(),
            is_deleted: !fields["deleted_at"].is_null(),
            raw: raw.get().to_owned(),
            fields,
        })
    };
    page.users.iter().map(found).collect()
}

impl Found {
    /// When the user was made, if it says so: nanoseconds since 1970, or RFC 3339.
    pub(crate) fn made_at(&self) -> Option<Timestamp> {
        match &self.fields["created_at"] {
            Value::Number(nanos) => Some(Timestamp::from_micros(nanos.as_i64()? / 1000)),
            Value::String(text) => Timestamp::parse(text).ok(),
            _ => None,
        }
    }
}

/// The filter for an identifier.
pub(super) fn filter(identifier: &GivenIdentifier, email_field: &str) -> Value {
    match identifier.category {
        Category::UserId => json!({"id": {"$eq": identifier.value.expose()}}),
        Category::Email => json!({email_field: {"$in": identifier.searched()}}),
    }
}

/// Whether a record is one that was asked for.
fn fits(found: &Found, identifier: &GivenIdentifier, email_field: &str) -> bool {
    let value = match identifier.category {
        Category::UserId => Some(found.id.as_str()),
        Category::Email => {
            let nested = email_field.split('.').try_fold(&found.fields, |value, part| value.get(part));
            nested.or_else(|| found.fields["custom"].get(email_field)).and_then(Value::as_str)
        }
    };
    value.is_some_and(|value| identifier.searched().iter().any(|searched| searched == value))
}

impl Run<'_> {
    /// Reads a page of matches.
    pub(super) async fn resolve(&mut self, order: u32) -> Result<()> {
        let number = self.task(order).identifier.unwrap_or(0);
        let identifiers = self.request.open(&self.key)?;
        let identifier = &identifiers[number as usize];
        let cursor = self.cursor()?;
        let email_field = self.integration.email_field.clone();
        let paging = self.execution.paging;
        let call = paging.query(&filter(identifier, &email_field), cursor.as_deref());
        let refused = [Meaning::TooLarge, Meaning::Rejected];
        let Some(answer) = self.call(order, &call, None, &refused).await? else { return Ok(()) };
        if answer.meaning != Meaning::Ok {
            return match paging.instead(answer.meaning, cursor.as_deref()) {
                Some(paging) => {
                    self.execution.paging = paging;
                    Ok(())
                }
                None => self.retry(order, &call, &answer),
            };
        }
        let Some(page) = users(&answer) else {
            return self.retry(order, &call, &answer.unreadable("the answer is not a list of users"));
        };
        if !page.iter().all(|found| fits(found, identifier, &email_field)) {
            self.give_up(order, Reason::FilterIgnored, &answer);
            return Ok(());
        }
        let last = page.last().map(|found| found.id.clone());
        let is_stuck = cursor.as_ref().is_some_and(|cursor| page.iter().any(|found| found.id <= *cursor));
        self.execution.pages += 1;
        if is_stuck || self.execution.pages >= PAGES_MAX {
            self.give_up(order, Reason::PaginationLoop, &answer);
            return Ok(());
        }
        let is_full = self.execution.paging.took(page.len());
        for found in page {
            self.found(order, number, &found)?;
        }
        if is_full {
            self.set_cursor(last.as_deref());
        } else {
            self.execution.paging.ended();
            self.set_cursor(None);
            self.end(order, TaskStatus::Complete, None);
        }
        Ok(())
    }

    /// Freezes a match, once.
    fn found(&mut self, order: u32, identifier: u32, found: &Found) -> Result<()> {
        for number in 0..self.targets.len() {
            if self.target_id(number)? == found.id {
                if !self.targets[number].matched_by.contains(&identifier) {
                    self.target_mut(number).matched_by.push(identifier);
                }
                return Ok(());
            }
        }
        let target = Target {
            sealed_id: Vec::new(),
            created_at: found.created_at.clone(),
            matched_by: vec![identifier],
            fingerprint: sha256(found.fields.to_string().as_bytes()),
            is_excluded: false,
            is_gone: false,
            sent_by: None,
        };
        let number = self.add_target(&found.id, target);
        if self.execution.kind == Kind::Access || self.integration.contents.export_before_delete {
            self.keep_bytes(&format!("{number}/user.json"), found.raw.as_bytes(), order)?;
        }
        Ok(())
    }

    fn cursor(&self) -> Result<Option<String>> {
        let sealed = self.execution.sealed_cursor.as_ref();
        Ok(sealed.map(|sealed| self.key.open_text(self.cursor_place(), sealed)).transpose()?)
    }

    fn set_cursor(&mut self, cursor: Option<&str>) {
        let sealed = cursor.map(|cursor| self.key.seal(self.cursor_place(), cursor.as_bytes()));
        self.execution.sealed_cursor = sealed.map(Into::into);
    }

    fn cursor_place(&self) -> Place<'_> {
        Place { table: "execution", row: &self.execution.id, field: "cursor" }
    }

    /// Whether a person must say which of the matches are meant.
    pub(super) fn holds_for_matches(&mut self) -> Result<bool> {
        let meant = self.target_ids()?.len();
        let identifiers = self.request.identifiers.len();
        let policies = &self.integration.policies;
        let policy = match self.execution.kind {
            Kind::Access => policies.multi_match_access,
            Kind::Deletion => policies.multi_match_delete,
        };
        if meant > 1 {
            self.execution.flag(Flag::MultipleMatches);
        }
        // An e-mail address and a user id that lead to different people are not one person.
        let differ = identifiers > 1
            && meant > 1
            && self.targets.iter().any(|target| !target.is_excluded && target.matched_by.len() < identifiers);
        let is_doubtful = meant > 1 && (policy == MultiMatch::Hold || differ);
        let is_decided = self.execution.approved.contains(&Reason::MultipleMatches);
        let too_many = meant > crate::executions::TARGETS_MAX as usize && self.execution.kind == Kind::Deletion;
        if ((is_doubtful || meant > MATCHES_MAX) && !is_decided) || too_many {
            self.change(Change::Hold(Reason::MultipleMatches))?;
            return Ok(true);
        }
        Ok(false)
    }
}
