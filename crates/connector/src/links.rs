//! One-time links to packages (§10): whoever has the link may fetch the package, so often and until then.
//!
//! **Invariant:** a link is stored by its hash alone, and counted before anything is handed out.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ids::Timestamp;
use minicbor::{Decode, Encode};
use store::Transaction;

use crate::{
    Connector, Error, Result, Secret,
    audit::{self, Draft},
    error::failed,
    keys::sha256,
    keyspace::{HERE, LINK},
};

const SECOND: i64 = 1_000_000;
const DAY_SECS: u32 = 24 * 3600;
/// How long a link is good for, unless said otherwise or packages are kept for less, in seconds.
const GOOD_FOR_SECS: u32 = 7 * DAY_SECS;
/// The most downloads of a link.
pub const DOWNLOADS_MAX: u32 = 100;
/// What a link's token begins with, so that it is known when it turns up somewhere.
const PREFIX: &str = "mpl_";

/// A link.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Link {
    /// The request whose package it leads to.
    #[n(0)]
    pub request: String,
    /// When it ends.
    #[n(1)]
    pub expires_at: Timestamp,
    /// The downloads that are left.
    #[n(2)]
    pub left: u32,
}

impl Connector {
    /// Makes a link to the package of a request; its token is shown this once.
    ///
    /// # Errors
    /// [`Error::Missing`] when there is no such request; [`Error::Invalid`] beyond the bounds.
    pub async fn make_link(
        &self,
        request: &str,
        secs: Option<u32>,
        downloads: u32,
        actor: &str,
    ) -> Result<(Link, Secret)> {
        // A link leads nowhere once the package is gone.
        let most = self.retention().await?.packages_days.saturating_mul(DAY_SECS);
        let secs = secs.unwrap_or(GOOD_FOR_SECS.min(most));
        if secs == 0 || secs > most {
            return Err(Error::invalid("expires_in_s", format!("must be 1 to {most}, as long as packages are kept")));
        }
        if downloads == 0 || downloads > DOWNLOADS_MAX {
            return Err(Error::invalid("downloads", format!("must be 1 to {DOWNLOADS_MAX}")));
        }
        self.request(request).await?;
        let bytes: zeroize::Zeroizing<[u8; 32]> = zeroize::Zeroizing::new(self.surroundings.bytes());
        let token = Secret::new(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(&bytes[..])));
        let now = self.surroundings.now();
        let expires_at = now.plus_micros(i64::from(secs) * SECOND);
        let link = Link { request: request.to_owned(), expires_at, left: downloads };
        let hash = sha256(token.expose().as_bytes());
        let written = self.store.write(async |tx: &mut Transaction| {
            LINK.put(tx, HERE, &hash, &link);
            let draft = Draft::by(actor, "package.link_made", request).of_request(request);
            audit::record(tx, &draft.with("downloads", downloads).with("expires_in_s", secs), now).await?;
            Ok(())
        });
        written.await.map_err(failed)?;
        Ok((link, token))
    }

    /// Takes one download of a link; answers the request whose package it is for. Each try is in the audit log.
    ///
    /// # Errors
    /// [`Error::Missing`] for a link that is not there, has ended or is used up.
    pub async fn use_link(&self, token: &str) -> Result<String> {
        let now = self.surroundings.now();
        let hash = sha256(token.as_bytes());
        let written = self.store.write(async |tx: &mut Transaction| {
            let Some(link) = LINK.get(tx, HERE, &hash).await? else { return Ok(None) };
            let is_good = link.left > 0 && now < link.expires_at;
            let action = if is_good { "package.link_used" } else { "package.link_refused" };
            audit::record(tx, &Draft::by("link", action, &link.request).of_request(&link.request), now).await?;
            if is_good {
                LINK.put(tx, HERE, &hash, &Link { left: link.left - 1, ..link.clone() });
            }
            Ok(is_good.then_some(link.request))
        });
        // A name that says nothing about why: whoever has no link learns nothing.
        written.await.map_err(failed)?.ok_or_else(|| Error::missing("link", "given"))
    }
}
