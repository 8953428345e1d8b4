//! The other side: how it is called (§7), what its answers mean, and how much of its limit is used.

mod address;
mod body;
mod breaker;
mod cause;
mod dialect;
mod http;
mod made;
mod retry;
mod session;
mod throttle;
mod token;

pub use address::{Address, AddressError};
pub use dialect::{Dialect, DialectError, Endpoint, Meaning};
pub use http::{Http, HttpOptions, Resolver};
pub use throttle::LimitState;

pub(crate) use dialect::TaskWord;
pub(crate) use http::{Answer, Call, trusting};
pub(crate) use made::Made;
pub(crate) use retry::{Failing, Next, next, reason, reopens_at};
pub(crate) use session::Session;
pub(crate) use throttle::Gate;
