//! Other people in what is made for a person (§10): their ids and names are masked, the same one always alike.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::keys::sha256;

/// Fields that hold a user.
const USERS: &[&str] = &["user", "created_by", "deleted_by", "pinned_by", "invited_by", "banned_by", "target_user"];
/// Fields that hold users.
const LISTS: &[&str] = &["mentioned_users", "thread_participants", "members", "users"];
/// A name that is shorter is too likely to be a part of some word.
const NAME_CHARS_MIN: usize = 3;

/// Masks everybody but one.
pub(super) struct Mask {
    subject: String,
    salt: String,
}

impl Mask {
    /// Masks everybody but `subject`; `salt` is a secret, so that nobody finds an id by trying.
    pub(super) fn new(subject: &str, salt: &str) -> Self {
        Mask { subject: subject.to_owned(), salt: salt.to_owned() }
    }

    fn name(&self, id: &str) -> String {
        format!("person-{}", &sha256(format!("{}|{id}", self.salt).as_bytes())[..8])
    }

    /// A record without other people's ids and names.
    pub(super) fn applied(&self, mut record: Value) -> Value {
        let mut others = BTreeMap::new();
        self.find(&record, "", &mut others);
        // Longer ones first: a name may be a part of another.
        let mut words: Vec<(String, String)> = others.into_iter().collect();
        words.sort_by_key(|(word, _)| std::cmp::Reverse(word.len()));
        self.replace(&mut record, "", &words);
        record
    }

    /// Finds ids and names of others, each with what stands for it.
    fn find(&self, value: &Value, field: &str, others: &mut BTreeMap<String, String>) {
        match value {
            Value::Object(fields) => {
                let id = fields.get("id").and_then(Value::as_str);
                if let Some(id) =
                    id.filter(|id| (USERS.contains(&field) || LISTS.contains(&field)) && *id != self.subject)
                {
                    others.insert(id.to_owned(), self.name(id));
                    if let Some(name) = fields.get("name").and_then(Value::as_str) {
                        others.insert(name.to_owned(), self.name(id));
                    }
                }
                for (name, value) in fields {
                    self.find(value, name, others);
                }
            }
            Value::Array(elements) => elements.iter().for_each(|element| self.find(element, field, others)),
            Value::String(id) if is_reference(field) && *id != self.subject => {
                others.insert(id.clone(), self.name(id));
            }
            _ => {}
        }
    }

    fn replace(&self, value: &mut Value, field: &str, words: &[(String, String)]) {
        match value {
            Value::Object(fields) => {
                let id = fields.get("id").and_then(Value::as_str).map(str::to_owned);
                let is_user = USERS.contains(&field) || LISTS.contains(&field);
                if let Some(id) = id.filter(|id| is_user && *id != self.subject) {
                    *value = json!({"id": self.name(&id)});
                    return;
                }
                for (name, value) in fields {
                    self.replace(value, name, words);
                }
            }
            Value::Array(elements) => elements.iter_mut().for_each(|element| self.replace(element, field, words)),
            Value::String(text) => {
                if let Some((_, masked)) = words.iter().find(|(word, _)| word == text) {
                    text.clone_from(masked);
                    return;
                }
                for (word, masked) in words.iter().filter(|(word, _)| word.chars().count() >= NAME_CHARS_MIN) {
                    if text.contains(word.as_str()) {
                        *text = text.replace(word.as_str(), masked);
                    }
                }
            }
            _ => {}
        }
    }
}

/// Whether a field holds the id of a user.
fn is_reference(field: &str) -> bool {
    field.ends_with("user_id") || matches!(field, "created_by_id" | "user_ids" | "mentioned_user_ids")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn others_are_masked_wherever_they_are_and_the_subject_is_not() {
        let mask = Mask::new("amy", "salt");
        let record = mask.applied(json!({
            "id": "m1",
            "user": {"id": "amy", "name": "Amy"},
            "text": "hi Robert, says @bob-7",
            "mentioned_users": [{"id": "bob-7", "name": "Robert", "email": "bob@example.com"}, {"id": "amy"}],
            "quoted_message": {"user_id": "bob-7", "text": "x"},
            "cid": "messaging:general",
        }));
        let text = record.to_string();
        assert!(!text.contains("bob") && !text.contains("Robert"), "{text}");
        assert_eq!(record["user"]["name"], "Amy");
        assert_eq!(record["cid"], "messaging:general");
        let masked = record["mentioned_users"][0]["id"].as_str().unwrap();
        assert_eq!(record["quoted_message"]["user_id"], masked, "the same person is always alike");
        assert_eq!(record["text"], format!("hi {masked}, says @{masked}"));
    }
}
