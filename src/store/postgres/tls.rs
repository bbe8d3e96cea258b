//! TLS with the semantics of libpq's modes.

use std::fmt;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{
    CertificateDer, CertificateRevocationListDer, PrivateKeyDer, ServerName, UnixTime,
};
use rustls::server::ParsedCertificate;
use rustls::version::{TLS12, TLS13};
use rustls::{
    AlertDescription, CertificateError, ClientConfig, DigitallySignedStruct, Error, OtherError,
    RootCertStore, SignatureScheme,
};
use tokio_postgres_rustls::MakeRustlsConnect;
use x509_cert::der::{Decode, Encode};
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::{Certificate, Version};

use super::server::BadSetting;

/// How the server's certificate is verified.
#[derive(Debug)]
pub(super) enum Verification {
    /// Not at all: the connection is encrypted, but an attacker in between could pose as the
    /// server.
    None,
    /// With the CAs of the operating system.
    System,
    /// With the CAs of a PEM file.
    File(PathBuf),
}

/// A client certificate and its key.
pub(super) struct ClientCertificate {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

/// The settings for TLS.
pub(super) struct Tls {
    pub verification: Verification,
    /// The file of a certificate revocation list.
    pub revoked: Option<PathBuf>,
    pub client: Option<ClientCertificate>,
    /// Whether to send the host name unencrypted (SNI).
    pub names_host: bool,
    /// The minimum and maximum version, such as 12 for TLS 1.2.
    pub versions: (u8, u8),
    /// Whether to start TLS directly, without asking first.
    pub is_direct: bool,
}

pub(super) fn connector(tls: &Tls) -> Result<MakeRustlsConnect, BadSetting> {
    let provider = Arc::new(ring::default_provider());
    let (oldest, newest) = tls.versions;
    let versions: Vec<_> = [(12, &TLS12), (13, &TLS13)]
        .into_iter()
        .filter(|(version, _)| (oldest..=newest).contains(version))
        .map(|(_, version)| version)
        .collect();
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&versions)
        .map_err(|error| BadSetting::new(error.to_string(), ""))?;
    let verifier = Verifier::new(provider, tls)?;
    let builder = builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier));
    let mut config = match &tls.client {
        None => builder.with_no_client_auth(),
        Some(client) => {
            let certificates = certificates(&client.certificate)?;
            let key = private_key(&client.key)?;
            builder.with_client_auth_cert(certificates, key).map_err(|_| {
                BadSetting::new(
                    format!(
                        "{} is not the key of {}, or has an unsupported type",
                        client.key.display(),
                        client.certificate.display()
                    ),
                    "use the key that the certificate was requested with: sslkey=FILE",
                )
            })?
        }
    };
    config.enable_sni = tls.names_host;
    if tls.is_direct {
        config.alpn_protocols = vec![b"postgresql".to_vec()];
    }
    Ok(MakeRustlsConnect::new(config))
}

/// Reads the certificates of a PEM file.
fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, BadSetting> {
    let shown = file.display();
    let unreadable = |error: &dyn fmt::Display| BadSetting::new(format!("{shown}: {error}"), "");
    let bytes = fs::read(file).map_err(|error| unreadable(&error))?;
    let quoted = shlex_quoted(file);
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        // A sequence in DER.
        _ if bytes.starts_with(&[0x30]) => Err(BadSetting::new(
            format!("{shown} is in DER format, not PEM"),
            format!("openssl x509 -inform DER -in {quoted} -out {quoted}.pem"),
        )),
        Ok(_) => Err(BadSetting::new(
            format!("{shown} contains no PEM certificate"),
            "use a file that contains -----BEGIN CERTIFICATE-----",
        )),
        Err(_) => Err(BadSetting::new(
            format!("{shown} contains a damaged PEM certificate"),
            format!("openssl x509 -noout -text -in {quoted}"),
        )),
    }
}

/// Quotes a path for a command to paste.
fn shlex_quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', r"'\''"))
}

/// Reads the private key of the client certificate, which others must not be able to read.
fn private_key(file: &Path) -> Result<PrivateKeyDer<'static>, BadSetting> {
    let shown = file.display();
    let quoted = shlex_quoted(file);
    let unreadable = |error: &dyn fmt::Display| BadSetting::new(format!("{shown}: {error}"), "");
    let metadata = fs::metadata(file).map_err(|error| unreadable(&error))?;
    // libpq's rule.
    let exposed = if metadata.uid() == 0 { 0o037 } else { 0o077 };
    if !metadata.is_file() || metadata.permissions().mode() & exposed != 0 {
        let reason = format!("the private key {shown} can be read by others");
        return Err(BadSetting::new(reason, format!("chmod 600 {quoted}")));
    }
    let bytes = zeroize::Zeroizing::new(fs::read(file).map_err(|error| unreadable(&error))?);
    let is_encrypted = |bytes: &[u8]| {
        let has = |needle: &[u8]| bytes.windows(needle.len()).any(|window| window == needle);
        has(b"BEGIN ENCRYPTED PRIVATE KEY") || has(b"Proc-Type: 4,ENCRYPTED")
    };
    if is_encrypted(&bytes) {
        let reason = format!("the private key {shown} is encrypted, which is not supported");
        let hint = format!("umask 077 && openssl pkey -in {quoted} -out {quoted}.plain");
        return Err(BadSetting::new(reason, hint));
    }
    PrivateKeyDer::from_pem_slice(&bytes).map_err(|_| {
        let reason = format!("{shown} contains no PEM private key");
        BadSetting::new(reason, "use a file that contains -----BEGIN PRIVATE KEY-----")
    })
}

/// Verifies a server as libpq does: by its certificate chain, or by the exact certificate.
#[derive(Debug)]
struct Verifier {
    provider: Arc<CryptoProvider>,
    /// `None` accepts every certificate, as libpq does for `prefer` and `require`.
    roots: Option<Roots>,
}

#[derive(Debug)]
struct Roots {
    chain: Arc<WebPkiServerVerifier>,
    /// The certificates of the file, compared exactly: a self-signed certificate is its own CA.
    exact: Vec<CertificateDer<'static>>,
    /// The name of their source.
    named: String,
}

impl Verifier {
    fn new(provider: Arc<CryptoProvider>, tls: &Tls) -> Result<Self, BadSetting> {
        let mut roots = RootCertStore::empty();
        let (exact, named) = match &tls.verification {
            Verification::None => return Ok(Self { provider, roots: None }),
            Verification::System => {
                roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
                (Vec::new(), "the operating system".to_owned())
            }
            Verification::File(file) => {
                let certificates = certificates(file)?;
                roots.add_parsable_certificates(certificates.iter().cloned());
                // A revocation list does not cover these.
                let exact = if tls.revoked.is_none() { certificates } else { Vec::new() };
                (exact, file.display().to_string())
            }
        };
        if roots.is_empty() {
            let reason = "sslrootcert contains no CA certificate".to_owned();
            return Err(BadSetting::new(reason, "use sslrootcert=FILE with the CA's certificate"));
        }
        let mut builder =
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
        if let Some(file) = &tls.revoked {
            let wrong = |error: &dyn fmt::Display| {
                let hint = "use a file that contains -----BEGIN X509 CRL-----: sslcrl=FILE";
                BadSetting::new(format!("{}: {error}", file.display()), hint)
            };
            let lists = CertificateRevocationListDer::pem_file_iter(file).map_err(|e| wrong(&e))?;
            let lists: Result<Vec<_>, _> = lists.collect();
            let lists = lists.map_err(|error| wrong(&error))?;
            if lists.is_empty() {
                return Err(wrong(&"it contains no PEM certificate revocation list"));
            }
            builder = builder.with_crls(lists);
        }
        let chain = builder.build().map_err(|error| {
            BadSetting::new(format!("sslrootcert or sslcrl cannot be used: {error}"), "")
        })?;
        Ok(Self { provider, roots: Some(Roots { chain, exact, named }) })
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(roots) = &self.roots else { return Ok(ServerCertVerified::assertion()) };
        let verified =
            roots.chain.verify_server_cert(certificate, intermediates, name, ocsp_response, now);
        let explain = |error: &Error| explained(certificate, error, name, Some(&roots.named), now);
        match verified {
            Ok(verified) => Ok(verified),
            // The revocation list applies to all verified certificates.
            Err(Error::InvalidCertificate(CertificateError::Revoked)) => {
                Err(explain(&CertificateError::Revoked.into()))
            }
            Err(_) if roots.exact.iter().any(|exact| exact == certificate) => {
                let parsed = ParsedCertificate::try_from(certificate);
                let named = parsed.and_then(|parsed| verify_server_name(&parsed, name));
                named.map_err(|error| explain(&error))?;
                check_dates(certificate, now).map_err(|error| explain(&error.into()))?;
                Ok(ServerCertVerified::assertion())
            }
            Err(error) => Err(explain(&error)),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
            .map_err(|error| unsigned(certificate, &error))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
            .map_err(|error| unsigned(certificate, &error))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// Rejects a certificate that is expired or not yet valid.
fn check_dates(certificate: &CertificateDer<'_>, now: UnixTime) -> Result<(), CertificateError> {
    let certificate =
        Certificate::from_der(certificate).map_err(|_| CertificateError::BadEncoding)?;
    let validity = certificate.tbs_certificate.validity;
    let now = now.as_secs();
    if now > validity.not_after.to_unix_duration().as_secs() {
        Err(CertificateError::Expired)
    } else if now < validity.not_before.to_unix_duration().as_secs() {
        Err(CertificateError::NotValidYet)
    } else {
        Ok(())
    }
}

/// Why a certificate is rejected, and what to do.
#[derive(Debug)]
struct BadCertificate {
    reason: String,
    hint: String,
}

impl fmt::Display for BadCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for BadCertificate {}

/// Explains a verification error.
fn explained(
    certificate: &CertificateDer<'_>,
    error: &Error,
    name: &ServerName<'_>,
    roots: Option<&str>,
    now: UnixTime,
) -> Error {
    let host = name.to_str();
    let bad = explanation(certificate, error, &host, roots, now);
    Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(bad))))
}

fn unsigned(certificate: &CertificateDer<'_>, error: &Error) -> Error {
    let bad = explanation(certificate, error, "HOST", None, UnixTime::now());
    Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(bad))))
}

/// The command that creates a certificate that libpq and this program accept.
fn new_certificate(host: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || ".-:".contains(c);
    let host = if host.chars().all(is_plain) { host } else { "HOST" };
    let kind = if host.parse::<std::net::IpAddr>().is_ok() { "IP" } else { "DNS" };
    format!(
        "openssl req -x509 -newkey rsa:2048 -nodes -days 825 -keyout server.key -out server.crt \
         -subj /CN={host} -addext subjectAltName={kind}:{host}"
    )
}

fn explanation(
    certificate: &CertificateDer<'_>,
    error: &Error,
    host: &str,
    roots: Option<&str>,
    now: UnixTime,
) -> BadCertificate {
    use CertificateError as E;

    let parsed = Certificate::from_der(certificate).ok();
    let tbs = parsed.as_ref().map(|certificate| &certificate.tbs_certificate);
    let is_old = tbs.is_some_and(|tbs| tbs.version != Version::V3);
    let is_self_signed = tbs.is_some_and(|tbs| {
        tbs.subject.to_der().is_ok_and(|subject| Ok(subject) == tbs.issuer.to_der())
    });
    let names = tbs.is_some_and(|tbs| matches!(tbs.get::<SubjectAltName>(), Ok(Some(_))));
    let date = |is_end: bool| {
        let time =
            tbs.map(|tbs| if is_end { tbs.validity.not_after } else { tbs.validity.not_before });
        time.map(|time| humantime::format_rfc3339_seconds(time.to_system_time()).to_string())
            .unwrap_or_default()
    };
    let renew = new_certificate(host);
    let (reason, hint) = match error {
        _ if is_old => ("uses X.509 version 1, which has no host names".to_owned(), renew),
        _ if parsed.is_none() => ("is damaged".to_owned(), renew),
        Error::InvalidCertificate(error) => match error {
            E::Expired | E::ExpiredContext { .. } => (format!("expired at {}", date(true)), renew),
            E::NotValidYet | E::NotValidYetContext { .. } => (
                format!(
                    "is not valid before {}, which is later than this machine's clock",
                    date(false)
                ),
                "check the clocks of both machines: date -u".to_owned(),
            ),
            E::NotValidForName | E::NotValidForNameContext { .. } if !names => (
                format!("has only a common name, which is not enough: not valid for name {host}"),
                renew,
            ),
            E::NotValidForNameContext { presented, .. } => (
                format!("is not valid for name {host}, only for {}", shown_names(presented)),
                format!("connect to one of its names, or create one for {host}: {renew}"),
            ),
            E::NotValidForName => (format!("is not valid for name {host}"), renew),
            E::UnknownIssuer if check_dates(certificate, now) == Err(E::Expired) => {
                (format!("expired at {}", date(true)), renew)
            }
            E::UnknownIssuer | E::BadSignature => {
                let roots = roots.unwrap_or("sslrootcert");
                let what = if is_self_signed {
                    "is self-signed, and not"
                } else {
                    "is not signed by a CA"
                };
                (
                    format!("{what} in {roots}"),
                    "add sslrootcert=FILE with the certificate of the server's CA".to_owned(),
                )
            }
            E::Revoked => ("is revoked".to_owned(), renew),
            E::UnknownRevocationStatus
            | E::ExpiredRevocationList
            | E::ExpiredRevocationListContext { .. } => (
                "is signed by a CA whose revocation list is missing or expired".to_owned(),
                "add the CA's current revocation list to the sslcrl file".to_owned(),
            ),
            E::InvalidPurpose | E::InvalidPurposeContext { .. } => {
                ("is not a server certificate (extended key usage)".to_owned(), renew)
            }
            E::UnhandledCriticalExtension => {
                ("has a critical extension that is not supported".to_owned(), renew)
            }
            E::BadEncoding => ("is damaged".to_owned(), renew),
            E::UnsupportedSignatureAlgorithmContext { .. }
            | E::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => (
                "has an unsupported signature or key, such as SHA-1 or RSA under 2048 bits"
                    .to_owned(),
                renew,
            ),
            // An error of webpki, recognizable only by name.
            other if format!("{other:?}").contains("CaUsedAsEndEntity") => (
                if is_self_signed {
                    format!("is self-signed, and not in {}", roots.unwrap_or("sslrootcert"))
                } else {
                    "is a CA certificate (CA:TRUE), not a server certificate".to_owned()
                },
                if is_self_signed {
                    "add sslrootcert=FILE with the server's certificate".to_owned()
                } else {
                    renew
                },
            ),
            _ => ("cannot be verified".to_owned(), renew),
        },
        _ => ("cannot be verified".to_owned(), renew),
    };
    BadCertificate { reason: format!("the server's certificate {reason}"), hint }
}

/// Names in the form of a certificate: `DnsName("db.example.org")`.
fn shown_names(presented: &[String]) -> String {
    const MAX: usize = 5;
    let inner = |name: &String| name.split('"').nth(1).unwrap_or(name).to_owned();
    let mut names: Vec<_> = presented.iter().take(MAX).map(inner).collect();
    if presented.len() > MAX {
        names.push("others".to_owned());
    }
    names.join(", ")
}

/// The TLS error that caused this one, if any.
fn cause<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a Error> {
    let mut next = Some(error);
    while let Some(error) = next {
        let inner = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        let inner = inner.map(|inner| inner as &(dyn std::error::Error + 'static));
        if let Some(error) = inner.unwrap_or(error).downcast_ref() {
            return Some(error);
        }
        next = error.source();
    }
    None
}

/// Whether the server sent something other than TLS.
pub(super) fn is_garbled(error: &postgres::Error) -> bool {
    matches!(cause(error), Some(Error::InvalidMessage(_)))
}

/// Explains a TLS error, and says what to do; `None` for other errors.
pub(super) fn explain(error: &postgres::Error) -> Option<(String, String)> {
    cause(error).map(said)
}

fn said(error: &Error) -> (String, String) {
    use AlertDescription as A;

    if let Error::InvalidCertificate(CertificateError::Other(OtherError(other))) = error
        && let Some(bad) = other.downcast_ref::<BadCertificate>()
    {
        return (bad.reason.clone(), bad.hint.clone());
    }
    let (reason, hint) = match error {
        Error::AlertReceived(A::CertificateRequired) => (
            "the server requires a client certificate",
            "give one with sslcert=FILE and sslkey=FILE, or save them as \
             ~/.postgresql/postgresql.crt and .key",
        ),
        Error::AlertReceived(
            A::UnknownCA
            | A::BadCertificate
            | A::CertificateUnknown
            | A::CertificateExpired
            | A::CertificateRevoked
            | A::UnsupportedCertificate
            | A::AccessDenied
            | A::DecryptError,
        ) => (
            "the server rejected the client certificate",
            "have it signed by a CA in the server's ssl_ca_file, and check its dates: openssl \
             x509 -noout -dates -issuer -in FILE",
        ),
        Error::AlertReceived(A::ProtocolVersion | A::HandshakeFailure)
        | Error::PeerIncompatible(_) => (
            "the server and this program have no TLS version or cipher in common: the server \
             must support TLS 1.2 or 1.3",
            "",
        ),
        Error::AlertReceived(_) => ("the server ended the encrypted connection with an alert", ""),
        Error::InvalidMessage(_) | Error::InappropriateMessage { .. } => {
            ("the server violated the TLS protocol", "")
        }
        Error::InvalidCertificate(_) => ("the server's certificate cannot be verified", ""),
        _ => ("the encrypted connection failed", ""),
    };
    (reason.to_owned(), hint.to_owned())
}
