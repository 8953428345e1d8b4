//! Panics inside a request: caught, told apart from other panics, logged once with what is known of the request.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind};
use std::sync::Once;

thread_local! {
    static IS_CATCHING: Cell<bool> = const { Cell::new(false) };
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// A panic that was caught: its message and where it came from.
#[derive(Debug)]
pub(crate) struct Caught {
    pub(crate) message: String,
    pub(crate) place: String,
}

/// Makes caught panics silent, so that the catcher logs them once; all others go to the hook that was there before.
pub(crate) fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| if IS_CATCHING.get() { remember(info) } else { before(info) }));
    });
}

fn remember(info: &PanicHookInfo<'_>) {
    let place = info.location().map(ToString::to_string);
    PLACE.with_borrow_mut(|known| *known = place);
}

/// Runs `work`; a panic in it becomes an error.
///
/// What `work` leaves half-done must not be used again: the caller drops it.
pub(crate) fn catch<T>(work: impl FnOnce() -> T) -> Result<T, Caught> {
    let before = IS_CATCHING.replace(true);
    let outcome = catch_unwind(AssertUnwindSafe(work));
    IS_CATCHING.set(before);
    outcome.map_err(|payload| Caught {
        message: message(payload.as_ref()),
        place: PLACE.take().unwrap_or_else(|| "unknown".to_owned()),
    })
}

fn message(payload: &(dyn Any + Send)) -> String {
    if let Some(text) = payload.downcast_ref::<&str>() {
        (*text).to_owned()
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text.clone()
    } else {
        "a panic without a message".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caught_panic_knows_its_message_and_place() {
        install();
        let caught = catch(|| panic!("the {} is dry", "pond")).map(|()| 0).unwrap_err();
        assert_eq!(caught.message, "the pond is dry");
        assert!(caught.place.contains("panics.rs"), "{}", caught.place);
    }
}
