//! The words of messages, as rows that lead to them.

use std::collections::BTreeSet;

use ids::MessageId;

use crate::{
    Tx,
    chat::messages::{Kind, Message},
    filter,
    keyspace::{At, Chat, WORD},
};

/// The most different words of one message that lead to it.
const WORDS_MAX: usize = 400;
/// The most bytes of a word that are looked at.
const WORD_BYTES_MAX: usize = 64;

/// Whether the message can be found at all (chat §11.4).
pub(super) fn is_findable(message: &Message) -> bool {
    let is_said = matches!(message.kind, Kind::Regular | Kind::Reply);
    is_said && message.deleted_at.is_none() && message.pending.is_none()
}

/// As much of a word as leads to its message.
pub(super) fn indexed(word: &str) -> &str {
    let end = (0..=WORD_BYTES_MAX.min(word.len())).rev().find(|end| word.is_char_boundary(*end));
    &word[..end.unwrap_or_default()]
}

fn words(message: &Message) -> BTreeSet<String> {
    if !is_findable(message) {
        return BTreeSet::new();
    }
    let mut words = BTreeSet::from([String::new()]);
    for word in filter::words(&message.text) {
        if words.len() > WORDS_MAX {
            break;
        }
        words.insert(indexed(&word).to_owned());
    }
    words
}

/// Makes the words of `new` lead to the message, and those that only `old` had no more.
pub fn index(tx: &mut Tx, id: &MessageId, old: Option<&Message>, new: &Message) {
    let (before, after) = (old.map(words).unwrap_or_default(), words(new));
    let tenant = tx.tenant();
    let key = |word: &String, message: &Message| {
        (Chat(message.channel.clone()), word.clone(), At(message.created_at), id.to_string())
    };
    if let Some(old) = old {
        for word in before.difference(&after) {
            WORD.delete(tx, tenant, &key(word, old));
        }
    }
    for word in after.difference(&before) {
        WORD.put(tx, tenant, &key(word, new), &());
    }
}

/// Makes no word lead to the message.
pub fn unindex(tx: &mut Tx, id: &MessageId, message: &Message) {
    let tenant = tx.tenant();
    for word in words(message) {
        WORD.delete(tx, tenant, &(Chat(message.channel.clone()), word, At(message.created_at), id.to_string()));
    }
}
