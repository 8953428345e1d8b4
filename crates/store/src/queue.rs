//! The way from the callers to the committer: one queue and one thread, or the caller's own thread.

use std::collections::VecDeque;
use std::sync::Arc;
use std::thread::JoinHandle;

use parking_lot::{Condvar, Mutex, MutexGuard};

use crate::committer::{Committer, Request, Shared};
use crate::error::Error;
use crate::limits::{COMMITS_WAITING_MAX, GATHER_MAX, GROUP_BYTES_MAX, GROUP_COMMITS_MAX};

/// How commits reach the committer.
pub(crate) enum Queue {
    /// A thread takes whole groups; what arrives during one sync shares the next.
    Thread { waiting: Arc<Waiting>, thread: Mutex<Option<JoinHandle<()>>> },
    /// The caller commits, one at a time: nothing to wait for, and a simulator stays in command of the order.
    Inline(Mutex<Option<Box<Committer>>>),
}

/// The commits that wait for the next group.
#[derive(Default)]
pub(crate) struct Waiting {
    state: Mutex<State>,
    arrived: Condvar,
}

#[derive(Default)]
struct State {
    requests: VecDeque<Request>,
    is_closed: bool,
}

impl Waiting {
    /// The next group; `None` once the queue is closed and empty.
    fn take_group(&self) -> Option<Vec<Request>> {
        let mut state = self.state.lock();
        while state.requests.is_empty() {
            if state.is_closed {
                return None;
            }
            self.arrived.wait(&mut state);
        }
        self.gather(&mut state);
        let mut group = Vec::with_capacity(state.requests.len().min(GROUP_COMMITS_MAX));
        let mut bytes = 0;
        while group.len() < GROUP_COMMITS_MAX && bytes < GROUP_BYTES_MAX {
            let Some(request) = state.requests.pop_front() else { break };
            bytes += request.commit.writes.bytes();
            group.push(request);
        }
        Some(group)
    }

    /// Lets those who are about to commit do so, as long as more and more come.
    ///
    /// A sync costs the same for one commit as for many. On a busy machine this thread wakes as soon as the first is there,
    /// in the place of those who have the others almost ready; giving way once costs nothing when nobody waits for the
    /// processor, and no timer is involved.
    fn gather(&self, state: &mut MutexGuard<'_, State>) {
        for _ in 0..GATHER_MAX {
            let before = state.requests.len();
            if before >= GROUP_COMMITS_MAX || state.is_closed {
                return;
            }
            MutexGuard::unlocked(state, std::thread::yield_now);
            if state.requests.len() == before {
                return;
            }
        }
    }

    /// Refuses all further commits, and drops those that wait: their channels close.
    fn abandon(&self) {
        let mut state = self.state.lock();
        state.is_closed = true;
        state.requests.clear();
    }
}

impl Queue {
    pub(crate) fn inline(committer: Committer) -> Queue {
        Queue::Inline(Mutex::new(Some(Box::new(committer))))
    }

    pub(crate) fn thread(committer: Committer, shared: Arc<Shared>) -> std::io::Result<Queue> {
        let waiting = Arc::new(Waiting::default());
        let inside = waiting.clone();
        let body = move || work(committer, &inside, &shared);
        let thread = std::thread::Builder::new().name("store-committer".into()).spawn(body)?;
        Ok(Queue::Thread { waiting, thread: Mutex::new(Some(thread)) })
    }

    /// Hands a commit over; its outcome comes through the request's channel.
    pub(crate) fn send(&self, request: Request) -> Result<(), Error> {
        match self {
            Queue::Inline(committer) => {
                let mut committer = committer.lock();
                committer.as_mut().ok_or(Error::Closed)?.run(vec![request]);
                Ok(())
            }
            Queue::Thread { waiting, .. } => {
                let mut state = waiting.state.lock();
                if state.is_closed {
                    return Err(Error::Closed);
                }
                if state.requests.len() >= COMMITS_WAITING_MAX {
                    return Err(Error::Busy);
                }
                state.requests.push_back(request);
                if state.requests.len() == 1 {
                    waiting.arrived.notify_one();
                }
                Ok(())
            }
        }
    }

    /// Lets the waiting commits finish, then lets go of the engine.
    pub(crate) fn close(&self) {
        match self {
            Queue::Inline(committer) => {
                let committer = committer.lock().take();
                if let Some(committer) = committer {
                    committer.close();
                }
            }
            Queue::Thread { waiting, thread } => {
                waiting.state.lock().is_closed = true;
                waiting.arrived.notify_one();
                let thread = thread.lock().take();
                if let Some(thread) = thread {
                    // A panic in the thread was already reported as fatal.
                    let _ = thread.join();
                }
            }
        }
    }
}

/// The committer's thread: group after group until the queue closes.
fn work(mut committer: Committer, waiting: &Waiting, shared: &Shared) {
    let guard = Guard { waiting, shared };
    while let Some(group) = waiting.take_group() {
        committer.run(group);
        if committer.is_failed() {
            waiting.abandon();
        }
    }
    committer.close();
    std::mem::forget(guard);
}

/// Reports a panic of the committer (a hook's, say): without it the waiters would hang and the server would lie.
struct Guard<'a> {
    waiting: &'a Waiting,
    shared: &'a Shared,
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        self.waiting.abandon();
        (self.shared.on_fatal)("the committer panicked");
    }
}
