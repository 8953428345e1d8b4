//! What `Store::write` runs: an async closure whose future can move between threads.

use crate::transaction::Transaction;

/// A body of a transaction, at one lifetime of the borrow.
///
/// `AsyncFnMut` alone cannot say that the futures are `Send`, so a caller could not `tokio::spawn` what awaits them.
/// Every `async |tx| { … }` that only borrows from around it is a body. One that *changes* what is around it is not,
/// and must not be: it may run several times.
pub trait Body<'a, T, E>: FnMut(&'a mut Transaction) -> <Self as Body<'a, T, E>>::Run {
    /// One run of the body.
    type Run: Future<Output = Result<T, E>> + Send;
}

impl<'a, T, E, F, R> Body<'a, T, E> for F
where
    F: FnMut(&'a mut Transaction) -> R,
    R: Future<Output = Result<T, E>> + Send,
{
    type Run = R;
}
