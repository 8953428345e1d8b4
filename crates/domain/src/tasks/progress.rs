//! How far a task came.

use minicbor::{Decode, Encode};

/// How far a task came with its items, one after the other.
#[derive(Clone, PartialEq, Eq, Debug, Default, Encode, Decode)]
pub struct Progress {
    /// What became of the items that are done: nothing, or why it failed.
    #[n(0)]
    pub outcomes: Vec<Option<String>>,
    /// The stage of the item at hand.
    #[n(1)]
    pub stage: u8,
    /// Where in that stage.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub cursor: Vec<u8>,
    /// How much of what was removed, where the outcome tells.
    #[n(3)]
    #[cbor(default)]
    pub counts: Vec<(String, u64)>,
    /// Items of which nothing came, with the reasons, where the task has no list of items.
    #[n(4)]
    #[cbor(default)]
    pub failed: Vec<(String, String)>,
}

impl Progress {
    /// The item at hand.
    pub fn item(&self) -> usize {
        self.outcomes.len()
    }

    /// Adds to what is counted as `name`.
    pub fn count(&mut self, name: &str, more: u64) {
        match self.counts.iter_mut().find(|(known, _)| known == name) {
            Some((_, count)) => *count += more,
            None => self.counts.push((name.to_owned(), more)),
        }
    }

    /// Goes on to the next stage.
    pub fn next_stage(&mut self) {
        self.stage += 1;
        self.cursor.clear();
    }

    /// Goes on to the next item.
    pub fn next_item(&mut self, failure: Option<String>) {
        self.outcomes.push(failure);
        self.stage = 0;
        self.cursor.clear();
    }
}
