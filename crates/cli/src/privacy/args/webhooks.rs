//! The verbs about receivers of events.

use clap::Subcommand;

/// `webhooks`.
#[derive(Subcommand, Debug)]
pub(crate) enum Webhooks {
    /// Add a receiver; the secret that events are signed with is shown this once
    Add {
        /// Where events go: https, and no address inside unless --webhook-host allows it
        url: String,
    },
    /// List receivers
    List,
    /// Give a receiver another secret, which is shown this once; the old one signs beside it for a while
    Rotate {
        /// The receiver
        id: String,
        /// How long: 0 if the old one is known to others, 1h, 30d at most
        #[arg(long, value_name = "TIME", default_value = "1d")]
        overlap: String,
    },
    /// Remove a receiver with everything that was to be sent to it
    Remove {
        /// The receiver
        id: String,
    },
    /// List what was sent to a receiver, or is to be
    Deliveries {
        /// The receiver
        id: String,
    },
    /// Send again what was given up, and let a receiver that was gone take events again
    Redeliver {
        /// The receiver
        id: String,
    },
}
