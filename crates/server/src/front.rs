//! What this server adds to its front: the clock, the rate limits, and how refusals are worded.
//!
//! The front itself (sockets, deadlines, bodies, drain) knows nothing of the API and is the crate `front`.

mod clock;
mod limits;
mod refusals;

pub use ::front::{BindError, Bound, Drained, Fast, FastAnswer, Front, Metrics, Options, Readiness, Refusal, Started};
pub use clock::{Clock, ManualClock, SystemClock};
pub use limits::{Platform, RateLimitSetting, RateLimits, Verdict};
pub(crate) use refusals::refuse;
