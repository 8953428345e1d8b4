//! What runs beside the requests: a file for each job.

mod campaigns;
mod expire;
mod news;
mod prune_log;
mod remind;
mod retention;
mod sweep_files;
mod tasks;
mod webhooks;

pub(crate) use expire::expire;
pub(crate) use prune_log::prune_log;
pub(crate) use remind::{remind, remind_due};
pub(crate) use retention::{plan as plan_retention, retain};
pub(crate) use sweep_files::sweep_files;
pub(crate) use tasks::{Failed, Wake, run_due, work};
pub use webhooks::Options as WebhookOptions;
pub(crate) use webhooks::webhooks;
