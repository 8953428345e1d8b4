//! What a receiver has not taken, as it was read from the store: events of one request wait for one another, and nobody
//! else's do.
//!
//! The rows in the store are the truth; this is what a process knows of them, and is read anew when it starts. New rows have
//! higher numbers than all before them, so that only those behind the last one are read.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use ids::Timestamp;
use parking_lot::Mutex;
use store::Transaction;

use crate::{
    Result,
    keyspace::{self, DELIVERY, HERE, UNDELIVERED},
};

/// The events of one receiver.
#[derive(Default)]
pub(super) struct Queue {
    /// The last number that was read.
    read_to: Option<u64>,
    /// request → its events, each with the moment at which it may be sent.
    of: BTreeMap<String, VecDeque<(u64, Timestamp)>>,
    /// The first event of each request: when it may be sent, its number → its request.
    first: BTreeMap<(Timestamp, u64), String>,
}

/// The queues of all receivers, by id.
#[derive(Default)]
pub(crate) struct Queues(Mutex<BTreeMap<String, Arc<tokio::sync::Mutex<Queue>>>>);

impl Queues {
    /// The queue of a receiver.
    pub(super) fn of(&self, hook: &str) -> Arc<tokio::sync::Mutex<Queue>> {
        self.0.lock().entry(hook.to_owned()).or_default().clone()
    }

    /// Lets the queue of a receiver be read anew.
    pub(super) fn forget(&self, hook: &str) {
        self.0.lock().remove(hook);
    }
}

impl Queue {
    /// Reads what came since.
    pub(super) async fn catch_up(&mut self, tx: &mut Transaction, hook: &str) -> Result<()> {
        let mut range = UNDELIVERED.prefix(HERE, &(hook.to_owned(),));
        if let Some(number) = self.read_to {
            range.start = store::key::after(UNDELIVERED.key(HERE, &(hook.to_owned(), number)));
        }
        while range.start < range.end {
            for (row, ()) in keyspace::page(tx, &UNDELIVERED, &mut range).await? {
                self.read_to = Some(row.1);
                if let Some(delivery) = DELIVERY.get(tx, HERE, &row).await? {
                    self.push(delivery.request, row.1, delivery.next_at);
                }
            }
        }
        Ok(())
    }

    fn push(&mut self, request: String, number: u64, next_at: Timestamp) {
        let events = self.of.entry(request.clone()).or_default();
        if events.is_empty() {
            self.first.insert((next_at, number), request);
        }
        events.push_back((number, next_at));
    }

    /// The number of the event that may be sent for the longest time; nothing when all of them wait.
    pub(super) fn due(&self, now: Timestamp) -> Option<u64> {
        self.first.first_key_value().filter(|((at, _), _)| *at <= now).map(|((_, number), _)| *number)
    }

    /// Puts the event that is due off until `again`, or takes it out, so that the next of its request may go.
    pub(super) fn sent(&mut self, again: Option<Timestamp>) {
        let Some(((_, number), request)) = self.first.pop_first() else { return };
        if let Some(at) = again {
            self.first.insert((at, number), request);
            return;
        }
        let Some(events) = self.of.get_mut(&request) else { return };
        events.pop_front();
        match events.front() {
            Some((number, next_at)) => {
                self.first.insert((*next_at, *number), request);
            }
            None => {
                self.of.remove(&request);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(micros: i64) -> Timestamp {
        Timestamp::from_micros(micros)
    }

    #[test]
    fn events_of_one_request_go_in_order_and_hold_up_no_other_request() {
        let mut queue = Queue::default();
        for (number, request) in [(1, "a"), (2, "b"), (3, "a"), (4, "b")] {
            queue.push(request.to_owned(), number, at(0));
        }
        assert_eq!(queue.due(at(0)), Some(1));
        queue.sent(Some(at(10)));
        assert_eq!(queue.due(at(0)), Some(2), "the other request goes on");
        queue.sent(None);
        assert_eq!(queue.due(at(0)), Some(4));
        queue.sent(None);
        assert_eq!(queue.due(at(9)), None, "the second event of the first request waits for its first");
        assert_eq!(queue.due(at(10)), Some(1));
        queue.sent(None);
        assert_eq!(queue.due(at(10)), Some(3));
        queue.sent(None);
        assert_eq!((queue.due(at(99)), queue.of.len(), queue.first.len()), (None, 0, 0));
    }
}
