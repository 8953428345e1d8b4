//! API tokens and what each role may do (§15.1, §15.2). Only a token's hash is stored.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ids::Timestamp;
use minicbor::{Decode, Encode};
use store::Transaction;

use crate::{
    Connector, Error, Result, Secret,
    audit::{self, Draft},
    error::failed,
    keys::sha256,
    keyspace::{self, HERE, TOKEN},
    words::words,
};

/// What the id of a token begins with.
pub(crate) const PREFIX_OF_IDS: &str = "tok_";
/// What a token of this connector begins with, so that it is known when it turns up somewhere.
const PREFIX: &str = "mpp_";

words! {
    /// What somebody is here for.
    Role {
        /// Everything.
        0 SuperAdmin = "super_admin",
        /// Integrations.
        1 ConnectionsManager = "connections_manager",
        /// Requests.
        2 RequestOperator = "request_operator",
        /// Decisions about requests.
        3 Approver = "approver",
        /// The audit log and certificates.
        4 Auditor = "auditor",
        /// Where requests stand.
        5 Viewer = "viewer",
    }
}

words! {
    /// What a call needs.
    Need {
        /// Reads integrations.
        0 ReadIntegrations = "integrations:read",
        /// Makes, changes and tests integrations.
        1 WriteIntegrations = "integrations:write",
        /// Sees where requests stand.
        2 ReadRequests = "requests:read",
        /// Makes, retries and cancels requests.
        3 WriteRequests = "requests:write",
        /// Decides about held requests.
        4 Decide = "requests:decide",
        /// Reads packages.
        5 ReadPackages = "packages:read",
        /// Reads certificates.
        6 ReadCertificates = "certificates:read",
        /// Reads the audit log.
        7 ReadAudit = "audit:read",
        /// Tokens and webhooks.
        8 Administer = "administer",
    }
}

impl Role {
    /// Whether the role may do what needs `need`.
    pub fn may(self, need: Need) -> bool {
        use Need::{
            Decide, ReadAudit, ReadCertificates, ReadIntegrations, ReadPackages, ReadRequests, WriteIntegrations,
            WriteRequests,
        };
        match self {
            Role::SuperAdmin => true,
            Role::ConnectionsManager => matches!(need, ReadIntegrations | WriteIntegrations | ReadRequests),
            Role::RequestOperator => {
                matches!(need, ReadIntegrations | ReadRequests | WriteRequests | ReadPackages | ReadCertificates)
            }
            Role::Approver => matches!(need, ReadRequests | Decide),
            Role::Auditor => matches!(need, ReadAudit | ReadCertificates | ReadRequests),
            Role::Viewer => matches!(need, ReadRequests),
        }
    }
}

/// A token as it is stored.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Token {
    /// `tok_` and a ULID.
    #[n(0)]
    pub id: String,
    /// Whose it is, for the audit log.
    #[n(1)]
    pub name: String,
    /// What it may do.
    #[n(2)]
    pub role: Role,
    /// When it was made.
    #[n(3)]
    pub created_at: Timestamp,
    /// When it ends.
    #[n(4)]
    pub expires_at: Option<Timestamp>,
}

impl Connector {
    /// Makes a token; its text is shown this once.
    ///
    /// # Errors
    /// [`Error::Invalid`].
    pub async fn create_token(&self, name: &str, role: Role, expires_at: Option<Timestamp>) -> Result<(Token, Secret)> {
        if name.trim().is_empty() || name.chars().count() > 80 {
            return Err(Error::invalid("name", "must have 1 to 80 characters"));
        }
        let bytes: zeroize::Zeroizing<[u8; 32]> = zeroize::Zeroizing::new(self.surroundings.bytes());
        let text = Secret::new(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(&bytes[..])));
        let hash = sha256(text.expose().as_bytes());
        let now = self.surroundings.now();
        let id = self.surroundings.id(PREFIX_OF_IDS);
        let token = Token { id, name: name.to_owned(), role, created_at: now, expires_at };
        let written = self.store.write(async |tx: &mut Transaction| {
            TOKEN.put(tx, HERE, &hash, &token);
            audit::record(tx, &Draft::for_caller("token.created", &token.id).with("role", role), now).await?;
            Ok(())
        });
        written.await.map_err(failed)?;
        Ok((token, text))
    }

    /// All tokens, without their texts.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn tokens(&self) -> Result<Vec<Token>> {
        let rows = keyspace::all(&mut self.store.read(), &TOKEN, TOKEN.range(HERE)).await?;
        Ok(rows.into_iter().map(|(_, token)| token).collect())
    }

    /// Ends a token.
    ///
    /// # Errors
    /// [`Error::Missing`].
    pub async fn revoke_token(&self, id: &str) -> Result<()> {
        let now = self.surroundings.now();
        let written = self.store.write(async |tx: &mut Transaction| {
            let tokens = keyspace::all(tx, &TOKEN, TOKEN.range(HERE)).await?;
            let found = tokens.into_iter().find(|(_, token)| token.id == id);
            let (hash, _) = found.ok_or_else(|| Error::missing("token", id))?;
            TOKEN.delete(tx, HERE, &hash);
            audit::record(tx, &Draft::for_caller("token.revoked", id), now).await?;
            Ok(())
        });
        written.await.map_err(failed)
    }

    /// Whose token this is. It is looked up by its hash, so that no comparison tells anything about it.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn whose(&self, text: &str) -> Result<Option<Token>> {
        let token = TOKEN.get(&mut self.store.read(), HERE, &sha256(text.as_bytes())).await?;
        let now = self.surroundings.now();
        Ok(token.filter(|token| token.expires_at.is_none_or(|expires_at| now < expires_at)))
    }
}
