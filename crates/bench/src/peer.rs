//! The servers to compare with, each run by this same executable in a process of its own (`bench-peer`).
//!
//! They are as small as they can be, so that they are limits: what hyper, the kernel and one hash can do, and no more. Each
//! prints `ready http://ADDRESS` and ends when its standard input does.

pub(crate) mod auth;
mod bare;
mod broadcaster;
mod front;
mod serve;

use std::io::Read;
use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Result;

/// Runs one of the servers that the bench compares with.
#[derive(Debug, Clone, clap::Args)]
pub struct PeerArgs {
    #[command(subcommand)]
    peer: Peer,
}

#[derive(Debug, Clone, clap::Subcommand)]
enum Peer {
    /// Answers every request with the same bytes.
    Hyper {
        /// Where to listen.
        #[arg(long, default_value = "127.0.0.1:0")]
        listen: SocketAddr,
        /// The file with the body to answer.
        #[arg(long)]
        body_file: PathBuf,
        /// The status to answer.
        #[arg(long, default_value_t = 200)]
        status: u16,
        /// The content type to answer.
        #[arg(long, default_value = "application/json")]
        content_type: String,
    },
    /// Sends what one WebSocket says to all of them.
    Broadcaster {
        /// Where to listen.
        #[arg(long, default_value = "127.0.0.1:0")]
        listen: SocketAddr,
    },
    /// Reads timelines from Redis: verifies the token, reads the ids, reads the activities, joins them.
    RedisFront {
        /// Where to listen.
        #[arg(long, default_value = "127.0.0.1:0")]
        listen: SocketAddr,
        /// Where Redis listens.
        #[arg(long)]
        redis: SocketAddr,
        /// The secret of the tokens.
        #[arg(long)]
        secret: String,
        /// The `next` of a page, with `{feed}` and `{id}` in the places of the feed's id and the page's last activity.
        #[arg(long)]
        next: String,
    },
}

/// Runs a peer until its standard input ends.
pub async fn run(args: PeerArgs) -> Result<()> {
    end_with_parent();
    match args.peer {
        Peer::Hyper { listen, body_file, status, content_type } => {
            let body = std::fs::read(&body_file)?;
            bare::run(listen, body.into(), status, &content_type).await
        }
        Peer::Broadcaster { listen } => broadcaster::run(listen).await,
        Peer::RedisFront { listen, redis, secret, next } => front::run(listen, redis, &secret, &next).await,
    }
}

/// Ends this process when whoever started it is gone.
fn end_with_parent() {
    std::thread::spawn(|| {
        let mut rest = Vec::new();
        // Whatever the outcome, nobody is there any more.
        let _ = std::io::stdin().read_to_end(&mut rest);
        std::process::exit(0);
    });
}
