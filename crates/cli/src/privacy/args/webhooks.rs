//! The verbs about receivers of events.

use clap::Subcommand;

/// `webhooks`.
#[derive(Subcommand, Debug)]
pub(crate) enum Webhooks {
    /// Add a receiver; the secret that events are signed with is shown this once
    #[command(after_help = "Example: millpond privacy webhooks add https://example.com/hook")]
    Add {
        /// Where events go: https, and no address inside unless --webhook-host allows it
        url: String,
    },
    /// List receivers
    #[command(after_help = "Example: millpond privacy webhooks list")]
    List,
    /// Give a receiver another secret, which is shown this once; the old one signs beside it for a while
    #[command(after_help = "Example: millpond privacy webhooks rotate whk_01M7ZYMYGVT37FB95DEVC2JEXG --overlap 1d")]
    Rotate {
        /// The receiver
        id: String,
        /// How long: 0 if the old one is known to others, 1h, 30d at most
        #[arg(long, value_name = "TIME", default_value = "1d")]
        overlap: String,
    },
    /// Remove a receiver with everything that was to be sent to it
    #[command(after_help = "Example: millpond privacy webhooks remove whk_01M7ZYMYGVT37FB95DEVC2JEXG")]
    Remove {
        /// The receiver
        id: String,
    },
    /// List what was sent to a receiver, or is to be
    #[command(after_help = "Example: millpond privacy webhooks deliveries whk_01M7ZYMYGVT37FB95DEVC2JEXG --state dead")]
    Deliveries {
        /// The receiver
        id: String,
        /// Only what stands so: pending, delivered or dead
        #[arg(long, value_name = "STATE")]
        state: Option<String>,
    },
    /// Send again what was given up, and let a receiver that was gone take events again
    #[command(after_help = "Example: millpond privacy webhooks redeliver whk_01M7ZYMYGVT37FB95DEVC2JEXG")]
    Redeliver {
        /// The receiver
        id: String,
    },
}
