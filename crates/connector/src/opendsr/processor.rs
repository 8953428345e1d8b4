//! Who signs: a domain, the RSA key that belongs to it, and the certificate that says so.

use aws_lc_rs::{rand::SystemRandom, signature::RsaKeyPair};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject as _};

/// The identity of this processor.
pub struct Processor {
    domain: String,
    key: RsaKeyPair,
    certificate: String,
}

/// Why OpenDSR cannot be spoken with what is configured.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ConfigError {
    /// No RSA key in the key file.
    #[error("the OpenDSR key file holds no RSA private key in PEM (PKCS #8 or PKCS #1, 2048 to 8192 bits)")]
    NoKey,
    /// No certificate in the certificate file.
    #[error("the OpenDSR certificate file holds no certificate in PEM")]
    NoCertificate,
    /// The certificate was made for another key.
    #[error("the OpenDSR certificate does not belong to the key")]
    OtherKey,
    /// The certificate was made for another domain.
    #[error("the OpenDSR certificate is not for the domain `{0}`: it must be among its subject alternative names")]
    OtherDomain(String),
}

impl Processor {
    /// Puts key and certificate together; `certificate` may hold a chain, our own certificate first.
    ///
    /// # Errors
    /// [`ConfigError`] when they do not fit together or are not for `domain`.
    pub fn new(domain: &str, key: &str, certificate: &str) -> Result<Self, ConfigError> {
        let key = match PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(|_| ConfigError::NoKey)? {
            PrivateKeyDer::Pkcs8(der) => RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()),
            PrivateKeyDer::Pkcs1(der) => RsaKeyPair::from_der(der.secret_pkcs1_der()),
            _ => return Err(ConfigError::NoKey),
        };
        let key = key.map_err(|_| ConfigError::NoKey)?;
        let der = CertificateDer::from_pem_slice(certificate.as_bytes()).map_err(|_| ConfigError::NoCertificate)?;
        let parsed = webpki::EndEntityCert::try_from(&der).map_err(|_| ConfigError::NoCertificate)?;
        let other_domain = || ConfigError::OtherDomain(domain.to_owned());
        let name = ServerName::try_from(domain).map_err(|_| other_domain())?;
        parsed.verify_is_valid_for_subject_name(&name).map_err(|_| other_domain())?;
        let proof = signature(&key, domain.as_bytes());
        let algorithm = webpki::aws_lc_rs::RSA_PKCS1_2048_8192_SHA256;
        parsed.verify_signature(algorithm, domain.as_bytes(), &proof).map_err(|_| ConfigError::OtherKey)?;
        Ok(Processor { domain: domain.to_owned(), key, certificate: certificate.to_owned() })
    }

    /// The domain that controllers know it by.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// The certificate, as PEM.
    pub fn certificate(&self) -> &str {
        &self.certificate
    }

    /// The signature over a body, in base64: RSA PKCS #1 v1.5 with SHA-256.
    pub(crate) fn sign(&self, body: &[u8]) -> String {
        STANDARD.encode(signature(&self.key, body))
    }
}

impl std::fmt::Debug for Processor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Processor").field("domain", &self.domain).finish_non_exhaustive()
    }
}

fn signature(key: &RsaKeyPair, body: &[u8]) -> Vec<u8> {
    let mut signature = vec![0; key.public_modulus_len()];
    let signed = key.sign(&aws_lc_rs::signature::RSA_PKCS1_SHA256, &SystemRandom::new(), body, &mut signature);
    signed.expect("the buffer has the length of the modulus");
    signature
}
