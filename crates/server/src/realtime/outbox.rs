//! What waits to be sent on one connection.
//!
//! An idle connection's outbox holds no memory beyond itself. Whoever is too slow to take its events is cut: its client
//! connects again and asks for what it missed, and nobody else waits for it.

use std::{
    collections::VecDeque,
    future::poll_fn,
    task::{Context, Poll},
};

use futures_util::task::AtomicWaker;
use parking_lot::Mutex;

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
pub(super) struct Outbox {
    inner: Mutex<Inner>,
    task: AtomicWaker,
}

#[derive(Debug, Default)]
struct Inner {
    frames: VecDeque<Frame>,
    bytes: usize,
    end: Option<End>,
}

impl Outbox {
    /// Adds a frame; a queue that is full is emptied, and the connection ends.
    pub(super) fn push(&self, frame: Frame, options: &Options) {
        let mut inner = self.inner.lock();
        if inner.end.is_some() {
            return;
        }
        inner.bytes += frame.bytes().len();
        inner.frames.push_back(frame);
        if inner.frames.len() > options.waiting_max || inner.bytes > options.waiting_bytes_max {
            *inner = Inner { end: Some(End::TooSlow), ..Inner::default() };
        }
        drop(inner);
        self.task.wake();
    }

    /// Ends the connection once it has sent what waits.
    pub(super) fn end(&self, end: End) {
        self.inner.lock().end.get_or_insert(end);
        self.task.wake();
    }

    /// What waits; sleeps until there is something.
    pub(super) async fn next(&self) -> Waiting {
        poll_fn(|cx| self.poll(cx, Self::take)).await
    }

    /// Waits until the connection was cut, whatever else waits.
    pub(super) async fn cut(&self) {
        poll_fn(|cx| self.poll(cx, |outbox| (outbox.inner.lock().end == Some(End::TooSlow)).then_some(()))).await;
    }

    fn poll<T>(&self, cx: &Context<'_>, look: impl FnOnce(&Self) -> Option<T>) -> Poll<T> {
        // Before the look, so that nothing comes between them unnoticed.
        self.task.register(cx.waker());
        look(self).map_or(Poll::Pending, Poll::Ready)
    }

    fn take(&self) -> Option<Waiting> {
        let mut inner = self.inner.lock();
        if inner.frames.is_empty() {
            return inner.end.map(Waiting::End);
        }
        inner.bytes = 0;
        Some(Waiting::Frames(std::mem::take(&mut inner.frames)))
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
