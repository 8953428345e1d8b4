//! TLS of the service (§15.1): its certificate and key, and whose certificates a client must show.
//!
//! What does not fit together is told before anything is listened on. Files are read once, at the start.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use ids::Timestamp;
use rustls::{RootCertStore, ServerConfig, crypto::CryptoProvider, server::WebPkiClientVerifier};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, UnixTime, pem::PemObject as _};
use webpki::KeyUsage;

/// What is spoken above TLS, the best first.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// The files that TLS is made from, all PEM.
#[derive(Clone, Debug)]
pub struct TlsFiles {
    /// The certificate, and those that lead from it to an authority.
    pub certificate: PathBuf,
    /// The private key of the certificate.
    pub key: PathBuf,
    /// The authorities of clients. If it is there, a client without a certificate of theirs is not let in.
    pub client_ca: Option<PathBuf>,
}

/// TLS that is ready to be spoken.
#[derive(Clone, Debug)]
pub struct Tls(pub(super) Arc<ServerConfig>);

/// Why TLS cannot be spoken with these files.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file that cannot be read.
    #[error("cannot read {}: {cause}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: std::io::Error,
    },
    /// A file without a certificate.
    #[error("{} holds no certificate in PEM", .0.display())]
    NoCertificate(PathBuf),
    /// A file without a private key.
    #[error("{} holds no private key in PEM", .0.display())]
    NoKey(PathBuf),
    /// A key that belongs to another certificate.
    #[error("the key in {} does not belong to the certificate in {}", key.display(), certificate.display())]
    OtherKey {
        /// The file of the key.
        key: PathBuf,
        /// That of the certificate.
        certificate: PathBuf,
    },
    /// A certificate that has ended.
    #[error("the certificate in {} ended at {at}", path.display())]
    Expired {
        /// The file.
        path: PathBuf,
        /// When.
        at: String,
    },
    /// A certificate that has not begun.
    #[error("the certificate in {} begins at {at}", path.display())]
    NotYetValid {
        /// The file.
        path: PathBuf,
        /// When.
        at: String,
    },
    /// Something else that is wrong with a file.
    #[error("{}: {cause}", path.display())]
    Refused {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        cause: String,
    },
}

impl Tls {
    /// Reads the files, and holds them against one another and against the clock.
    ///
    /// # Errors
    /// [`TlsError`], which names the file.
    pub fn read(files: &TlsFiles, now: Timestamp) -> Result<Self, TlsError> {
        let chain = certificates(&files.certificate)?;
        check_time(&files.certificate, &chain[0], now)?;
        let key = PrivateKeyDer::from_pem_slice(&bytes(&files.key)?);
        let key = key.map_err(|_| TlsError::NoKey(files.key.clone()))?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ServerConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions();
        let builder = builder.map_err(|error| refused(&files.certificate, &error))?;
        let builder = match &files.client_ca {
            None => builder.with_no_client_auth(),
            Some(path) => builder.with_client_cert_verifier(clients(path, provider)?),
        };
        let mut config = builder.with_single_cert(chain, key).map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => {
                TlsError::OtherKey { key: files.key.clone(), certificate: files.certificate.clone() }
            }
            error => refused(&files.certificate, &error),
        })?;
        config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).to_vec();
        Ok(Tls(Arc::new(config)))
    }
}

/// Who checks the certificates of clients.
fn clients(
    path: &Path,
    provider: Arc<CryptoProvider>,
) -> Result<Arc<dyn rustls::server::danger::ClientCertVerifier>, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(path)? {
        roots.add(certificate).map_err(|error| refused(path, &error))?;
    }
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
    verifier.map_err(|error| refused(path, &error))
}

fn check_time(path: &Path, certificate: &CertificateDer<'_>, now: Timestamp) -> Result<(), TlsError> {
    let leaf = webpki::EndEntityCert::try_from(certificate).map_err(|error| refused(path, &error))?;
    let now = UnixTime::since_unix_epoch(Duration::from_micros(u64::try_from(now.micros()).unwrap_or(0)));
    let algorithms = webpki::ALL_VERIFICATION_ALGS;
    // Nobody is trusted here: the times are looked at first, and who signed it is for clients to judge.
    match leaf.verify_for_usage(algorithms, &[], &[], now, KeyUsage::server_auth(), None, None) {
        Err(webpki::Error::CertExpired { not_after, .. }) => {
            Err(TlsError::Expired { path: path.to_owned(), at: moment(not_after) })
        }
        Err(webpki::Error::CertNotValidYet { not_before, .. }) => {
            Err(TlsError::NotYetValid { path: path.to_owned(), at: moment(not_before) })
        }
        _ => Ok(()),
    }
}

fn moment(at: UnixTime) -> String {
    let micros = i64::try_from(at.as_secs()).unwrap_or(i64::MAX).saturating_mul(1_000_000);
    Timestamp::from_micros(micros).rfc3339_short().to_string()
}

/// The certificates of a file, at least one.
fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let bytes = bytes(path)?;
    let found = CertificateDer::pem_slice_iter(&bytes).collect::<Result<Vec<_>, _>>();
    let found = found.map_err(|_| TlsError::NoCertificate(path.to_owned()))?;
    if found.is_empty() { Err(TlsError::NoCertificate(path.to_owned())) } else { Ok(found) }
}

fn bytes(path: &Path) -> Result<zeroize::Zeroizing<Vec<u8>>, TlsError> {
    let read = std::fs::read(path).map(zeroize::Zeroizing::new);
    read.map_err(|cause| TlsError::Unreadable { path: path.to_owned(), cause })
}

fn refused(path: &Path, cause: &dyn std::error::Error) -> TlsError {
    TlsError::Refused { path: path.to_owned(), cause: cause.to_string() }
}
