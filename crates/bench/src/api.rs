//! The feeds API as the bench prepares its data with: slow and careful, never inside a measurement.

use std::net::SocketAddr;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::http::{self, Connection};
use crate::token::Scope;
use crate::verify::excerpt;

/// The app that the server is started with.
pub(crate) const KEY: &str = "benchkey";
/// Its secret.
pub(crate) const SECRET: &str = "bench-secret-that-is-long-enough-for-hs256";
/// Its id.
pub(crate) const APP: &str = "1";

/// The path of an endpoint with the app's key, relative to the version; `query` starts with `&` or is empty.
pub(crate) fn path(endpoint: &str, query: &str) -> String {
    format!("/api/v1.0/{endpoint}?api_key={KEY}{query}")
}

/// A connection with a server token.
pub(crate) struct Api {
    connection: Connection,
    token: String,
}

impl Api {
    /// Connects to a server.
    pub(crate) async fn open(address: SocketAddr) -> Result<Self> {
        Ok(Self { connection: Connection::open(address).await?, token: Scope::everything().sign(SECRET)? })
    }

    /// Sends JSON; anything but 200 and 201 is an error.
    pub(crate) async fn post(&mut self, endpoint: &str, query: &str, body: &Value) -> Result<Value> {
        let request = http::post(&path(endpoint, query), Some(&self.token), &body.to_string());
        self.send(&request).await.with_context(|| format!("POST {endpoint}"))
    }

    /// Reads JSON; anything but 200 is an error.
    pub(crate) async fn get(&mut self, endpoint: &str, query: &str) -> Result<Value> {
        let request = http::get(&path(endpoint, query), Some(&self.token));
        self.send(&request).await.with_context(|| format!("GET {endpoint}"))
    }

    async fn send(&mut self, request: &[u8]) -> Result<Value> {
        let response = self.connection.exchange(request).await?;
        let is_good = matches!(response.status, 200 | 201);
        ensure!(is_good, "status {}: {}", response.status, excerpt(response.body, 0));
        Ok(serde_json::from_slice(response.body)?)
    }
}
