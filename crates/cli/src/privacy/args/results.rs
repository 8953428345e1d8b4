//! The verbs about what came of a request.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// Who alone can open a package.
#[derive(Args, Debug)]
pub(crate) struct Delivery {
    /// Who alone can open it: an age recipient
    #[arg(long, value_name = "age1…", requires = "out", conflicts_with = "passphrase_file")]
    pub(crate) recipient: Option<String>,
    /// The passphrase that alone opens it with age, in a file; `-` is standard input
    #[arg(long, value_name = "FILE", requires = "out")]
    pub(crate) passphrase_file: Option<PathBuf>,
}

/// `packages`.
#[derive(Subcommand, Debug)]
pub(crate) enum Packages {
    /// Fetch the package of an access
    #[command(after_help = "Example: millpond privacy packages fetch dsr_01M7ZYMYGVT37FB95DEVC2JEXG --out amy.zip")]
    Fetch {
        /// The request
        id: String,
        /// Where it goes
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        #[command(flatten)]
        delivery: Delivery,
    },
    /// Print what is in the package of an access
    #[command(after_help = "Example: millpond privacy packages manifest dsr_01M7ZYMYGVT37FB95DEVC2JEXG")]
    Manifest {
        /// The request
        id: String,
    },
    /// Make a link that leads to the package without a token; it is shown this once
    #[command(after_help = "Example: millpond privacy packages link dsr_01M7ZYMYGVT37FB95DEVC2JEXG --expires-in 1d")]
    Link {
        /// The request
        id: String,
        /// How long it is good for, as long as packages are kept at most: 1h; 7d unless said otherwise
        #[arg(long, value_name = "TIME")]
        expires_in: Option<String>,
        /// How often it works
        #[arg(long, value_name = "COUNT", default_value_t = 1)]
        downloads: u32,
    },
    /// Check signatures, hashes, missing and extra files, and every byte of the archive
    #[command(after_help = "Example: millpond privacy packages verify amy.zip")]
    Verify {
        /// The package
        file: PathBuf,
    },
}

/// `certificate`.
#[derive(Subcommand, Debug)]
pub(crate) enum Certificate {
    /// Fetch the certificate of a deletion, with its signature beside it
    #[command(
        after_help = "Example: millpond privacy certificate fetch dsr_01M7ZYMYGVT37FB95DEVC2JEXG --out erasure.json"
    )]
    Fetch {
        /// The request
        id: String,
        /// Where it goes; its signature goes beside it, with `.sig`
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// The page for people instead
        #[arg(long)]
        html: bool,
    },
    /// Check the signature of a certificate
    #[command(after_help = "Example: millpond privacy certificate verify erasure.json")]
    Verify {
        /// The certificate
        file: PathBuf,
        /// Its signature; beside it, with `.sig`, if it is left out
        #[arg(long, value_name = "FILE")]
        signature: Option<PathBuf>,
    },
}
