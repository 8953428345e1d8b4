//! What waits to be sent on one connection.
//!
//! An idle connection's outbox holds no memory beyond itself. Whoever is too slow to take its events is cut: its client
//! connects again and asks for what it missed, and nobody else waits for it.

use std::{
    collections::VecDeque,
    future::poll_fn,
    task::{Context, Poll, Waker},
};

use parking_lot::{Mutex, MutexGuard};

use super::{Options, frames::Frame};

/// Why this server ends a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum End {
    /// The peer took its events too slowly.
    TooSlow,
    /// The server stops.
    Restart,
    /// The user may no longer be connected.
    Refused,
}

/// What there is to do for a connection.
#[derive(Debug)]
pub(super) enum Waiting {
    /// Frames to send, in order.
    Frames(VecDeque<Frame>),
    /// Nothing more: end it.
    End(End),
}

/// The queue of one connection, whose task is the only one that waits for it.
#[derive(Debug, Default)]
pub(super) struct Outbox(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    /// On the heap, since most connections wait for nothing.
    queue: Option<Box<Queue>>,
    end: Option<End>,
    /// Who waits for it.
    task: Option<Waker>,
}

/// Frames that wait, and how large they are together.
#[derive(Debug, Default)]
struct Queue {
    frames: VecDeque<Frame>,
    bytes: usize,
}

impl Outbox {
    /// Adds a frame; a queue that is full is emptied, and the connection ends.
    pub(super) fn push(&self, frame: Frame, options: &Options) {
        let mut inner = self.0.lock();
        if inner.end.is_some() {
            return;
        }
        let queue = inner.queue.get_or_insert_default();
        queue.bytes += frame.bytes().len();
        queue.frames.push_back(frame);
        if queue.frames.len() > options.waiting_max || queue.bytes > options.waiting_bytes_max {
            inner.queue = None;
            inner.end = Some(End::TooSlow);
        }
        wake(inner);
    }

    /// Ends the connection once it has sent what waits.
    pub(super) fn end(&self, end: End) {
        let mut inner = self.0.lock();
        inner.end.get_or_insert(end);
        wake(inner);
    }

    /// What waits; sleeps until there is something.
    pub(super) async fn next(&self) -> Waiting {
        poll_fn(|cx| self.poll(cx, Inner::take)).await
    }

    /// Waits until the connection was cut, whatever else waits.
    pub(super) async fn cut(&self) {
        poll_fn(|cx| self.poll(cx, |inner| (inner.end == Some(End::TooSlow)).then_some(()))).await;
    }

    fn poll<T>(&self, cx: &Context<'_>, look: impl FnOnce(&mut Inner) -> Option<T>) -> Poll<T> {
        let mut inner = self.0.lock();
        let found = look(&mut inner);
        if found.is_none() {
            inner.task = Some(cx.waker().clone());
        }
        found.map_or(Poll::Pending, Poll::Ready)
    }
}

impl Inner {
    fn take(&mut self) -> Option<Waiting> {
        let queue = self.queue.take().map(|queue| Waiting::Frames(queue.frames));
        queue.or(self.end.map(Waiting::End))
    }
}

/// Wakes who waits, once the queue can be looked at.
fn wake(mut inner: MutexGuard<'_, Inner>) {
    let task = inner.task.take();
    drop(inner);
    if let Some(task) = task {
        task.wake();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options() -> Options {
        Options { waiting_max: 2, waiting_bytes_max: 10, ..Options::default() }
    }

    #[tokio::test]
    async fn frames_come_out_in_order_and_then_the_end() {
        let outbox = Outbox::default();
        outbox.push(Frame::text("a"), &options());
        outbox.push(Frame::text("b"), &options());
        outbox.end(End::Restart);
        outbox.push(Frame::text("c"), &options());
        let Waiting::Frames(frames) = outbox.next().await else { panic!("frames come first") };
        assert_eq!(frames, ["a", "b"].map(Frame::text));
        assert!(matches!(outbox.next().await, Waiting::End(End::Restart)));
    }

    #[tokio::test]
    async fn too_many_frames_or_bytes_cut_the_connection_and_free_the_queue() {
        for frames in [&["a", "b", "c"][..], &["a long text"]] {
            let outbox = Outbox::default();
            frames.iter().for_each(|frame| outbox.push(Frame::text(frame), &options()));
            outbox.cut().await;
            assert!(matches!(outbox.next().await, Waiting::End(End::TooSlow)), "{frames:?}");
        }
    }
}
