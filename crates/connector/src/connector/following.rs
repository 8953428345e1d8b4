//! Who waits for a request is told when a step or a decision of it is committed; nobody looks again and again.

use std::collections::BTreeMap;

use parking_lot::Mutex;
use tokio::sync::watch;

use super::Connector;
use crate::{Result, requests::Request, status::Status};

/// Who waits, by request; what nobody follows has no entry.
#[derive(Default)]
pub(crate) struct Followers(Mutex<BTreeMap<String, watch::Sender<()>>>);

/// Somebody who waits for a request.
pub(crate) struct Following<'a> {
    followers: &'a Followers,
    id: &'a str,
    news: watch::Receiver<()>,
}

impl Followers {
    /// Follows a request: what is committed from now on is told, so look at it after this.
    pub(crate) fn follow<'a>(&'a self, id: &'a str) -> Following<'a> {
        let mut followed = self.0.lock();
        let sender = followed.entry(id.to_owned()).or_insert_with(|| watch::Sender::new(()));
        Following { followers: self, id, news: sender.subscribe() }
    }

    /// Tells whoever follows the request that something of it was committed.
    pub(crate) fn tell(&self, id: &str) {
        if let Some(sender) = self.0.lock().get(id) {
            sender.send_replace(());
        }
    }

    #[cfg(test)]
    fn followed(&self) -> usize {
        self.0.lock().len()
    }
}

impl Following<'_> {
    /// Waits until something of the request is committed that was not told before.
    pub(crate) async fn news(&mut self) {
        // The sender is there as long as anybody follows.
        let _ = self.news.changed().await;
    }
}

impl Drop for Following<'_> {
    fn drop(&mut self) {
        let mut followed = self.followers.0.lock();
        // This one is still counted.
        if followed.get(self.id).is_some_and(|sender| sender.receiver_count() <= 1) {
            followed.remove(self.id);
        }
    }
}

/// The changes of a request, as they are committed.
pub(crate) struct Changes<'a> {
    following: Following<'a>,
    stopping: watch::Receiver<bool>,
}

impl Changes<'_> {
    /// Waits for the next change; false when the service stops.
    pub(crate) async fn next(&mut self) -> bool {
        tokio::select! {
            () = self.following.news() => true,
            _ = self.stopping.wait_for(|stopping| *stopping) => false,
        }
    }
}

impl Connector {
    /// The changes of a request from now on: look at it after this.
    pub(crate) fn changes<'a>(&'a self, id: &'a str) -> Changes<'a> {
        Changes { following: self.followers.follow(id), stopping: self.stopping.subscribe() }
    }

    /// The request, as soon as it is final or waits for a person; or as it is when the service stops.
    ///
    /// # Errors
    /// [`Error::Missing`](crate::Error::Missing).
    pub async fn settled(&self, id: &str) -> Result<Request> {
        let mut changes = self.changes(id);
        loop {
            let request = self.request(id).await?;
            if request.state.status().is_final() || request.state.status() == Status::Held {
                return Ok(request);
            }
            if !changes.next().await {
                return Ok(request);
            }
        }
    }

    /// Lets everybody go who waits for a request, now and later: the service stops.
    pub fn stop_waiting(&self) {
        self.stopping.send_replace(true);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_follows_is_told_once_and_forgotten_when_gone() {
        let followers = Followers::default();
        let mut first = followers.follow("a");
        let second = followers.follow("a");
        followers.tell("a");
        followers.tell("b");
        first.news().await;
        assert!(!first.news.has_changed().unwrap(), "it was told");
        assert!(second.news.has_changed().unwrap(), "everybody is told");
        assert_eq!(followers.followed(), 1);
        drop(first);
        assert_eq!(followers.followed(), 1, "one is left");
        drop(second);
        assert_eq!(followers.followed(), 0);
    }
}
