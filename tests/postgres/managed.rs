//! Connection strings as providers of managed PostgreSQL hand them out.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use postgres::Client;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, Error, ServerConfig, ServerConnection,
    SignatureScheme, StreamOwned,
};
use tempfile::TempDir;

use crate::server::{Cluster, OWNER, cluster, connect};
use crate::skip::or_skip;
use crate::support::{assert_fails, assert_ok, name, on};
use crate::tls::{certificates, openssl, serve, serve_first};

/// Accepts any certificate.
#[derive(Debug)]
struct Anything(Arc<CryptoProvider>);

impl ServerCertVerifier for Anything {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// A PostgreSQL client's request for TLS.
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

/// Listens as a man in the middle, with a certificate of its own, and returns the port. The server
/// sees another encrypted connection, or one without encryption.
fn intercept(files: &TempDir, upstream: u16, is_encrypted: bool) -> u16 {
    let provider = Arc::new(ring::default_provider());
    let path = |name: &str| files.path().join(name);
    let chain = vec![CertificateDer::from_pem_file(path("other.crt")).unwrap()];
    let key = PrivateKeyDer::from_pem_file(path("other.key")).unwrap();
    let server = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    let client = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anything(provider)))
        .with_no_client_auth();
    let (server, client) = (Arc::new(server), Arc::new(client));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for near in listener.incoming().flatten() {
            let (server, client) = (Arc::clone(&server), Arc::clone(&client));
            let far = TcpStream::connect(("127.0.0.1", upstream)).unwrap();
            let client = is_encrypted.then_some(client);
            // A client that goes away ends this, as it should.
            thread::spawn(move || relay(near, far, server, client));
        }
    });
    port
}

fn relay(
    mut near: TcpStream,
    mut far: TcpStream,
    server: Arc<ServerConfig>,
    client: Option<Arc<ClientConfig>>,
) -> std::io::Result<()> {
    let mut request = [0; 8];
    near.read_exact(&mut request)?;
    assert_eq!(request, SSL_REQUEST);
    near.write_all(b"S")?;
    let mut near = StreamOwned::new(ServerConnection::new(server).unwrap(), near);
    let Some(client) = client else {
        near.sock.set_read_timeout(Some(Duration::from_millis(5)))?;
        far.set_read_timeout(Some(Duration::from_millis(5)))?;
        return pass(&mut near, &mut far);
    };
    far.write_all(&SSL_REQUEST)?;
    far.read_exact(&mut request[..1])?;
    assert_eq!(request[0], b'S');
    let name = ServerName::try_from("localhost").unwrap();
    let mut far = StreamOwned::new(ClientConnection::new(client, name).unwrap(), far);
    near.conn.complete_io(&mut near.sock)?;
    far.conn.complete_io(&mut far.sock)?;
    near.sock.set_read_timeout(Some(Duration::from_millis(5)))?;
    far.sock.set_read_timeout(Some(Duration::from_millis(5)))?;
    pass(&mut near, &mut far)
}

/// Passes on everything in both directions, until one side ends.
fn pass(near: &mut (impl Read + Write), far: &mut (impl Read + Write)) -> std::io::Result<()> {
    let mut buffer = [0; 1 << 14];
    let mut once = |from: &mut dyn Read, to: &mut dyn Write| match from.read(&mut buffer) {
        Ok(0) => Err(ErrorKind::UnexpectedEof.into()),
        Ok(count) => to.write_all(&buffer[..count]).and_then(|()| to.flush()),
        Err(error) if [ErrorKind::WouldBlock, ErrorKind::TimedOut].contains(&error.kind()) => {
            Ok(())
        }
        Err(error) => Err(error),
    };
    loop {
        once(near, far)?;
        once(far, near)?;
    }
}

#[test]
fn channel_binding_detects_man_in_the_middle() {
    let Some(files) = or_skip(certificates()) else { return };
    let Some(cluster) = or_skip(Cluster::start(&[])) else { return };
    let url = cluster.database();
    serve_first(&cluster, &files);
    assert_ok(&on(&url).run(&["seed"]));
    let through = |port: u16, query: &str| {
        let url = format!(
            "postgresql://{OWNER}:{}@127.0.0.1:{port}/{}?sslmode=require{query}",
            cluster.password(),
            name(&url)
        );
        on(&url).run(&["list"])
    };
    let encrypted = intercept(&files, cluster.port(), true);
    // The server compares the client's certificate with its own.
    for query in ["&channel_binding=require", "", "&channel_binding=prefer"] {
        assert_fails(&through(encrypted, query), 4, "cannot open");
    }
    assert_ok(&through(encrypted, "&channel_binding=disable"));
    // The server does not even offer it on such a connection.
    let plain = intercept(&files, cluster.port(), false);
    assert_fails(&through(plain, "&channel_binding=require"), 4, "channel binding");
    assert_ok(&through(plain, "&channel_binding=prefer"));
}

#[test]
fn channel_binding_works_with_common_certificates() {
    let Some(files) = or_skip(certificates()) else { return };
    let Some(cluster) = or_skip(Cluster::start(&[])) else { return };
    let url = cluster.database();
    serve_first(&cluster, &files);
    let bound = url + "?sslmode=require&channel_binding=require";
    assert_ok(&on(&bound).run(&["seed"]));
    for (key, digest) in [
        ("ec -pkeyopt ec_paramgen_curve:secp384r1", "sha384"),
        ("rsa:2048", "sha256"),
        ("rsa:2048", "sha512"),
    ] {
        let request = format!(
            "req -x509 -newkey {key} -nodes -keyout new.key -out new.crt -subj /CN=localhost -days 2 -{digest}"
        );
        openssl(&files, &request).unwrap();
        serve(&cluster, &files, "new.crt", "new.key");
        assert_ok(&on(&bound).run(&["list"]));
    }
}

#[test]
fn channel_binding_is_refused_where_server_cannot_bind() {
    let Some(files) = or_skip(certificates()) else { return };
    let Some(cluster) = or_skip(Cluster::start(&[])) else { return };
    let url = cluster.database();
    assert_ok(&on(&url).run(&["seed"]));
    // Without encryption.
    assert_fails(
        &on(&format!("{url}?channel_binding=require")).run(&["list"]),
        4,
        "channel binding",
    );
    let socket = cluster.socket_url(OWNER, cluster.password(), name(&url));
    assert_fails(
        &on(&format!("{socket}?channel_binding=require")).run(&["list"]),
        4,
        "channel binding",
    );
    let bound = format!("{url}?sslmode=require&channel_binding=require");
    assert_fails(&on(&bound).run(&["list"]), 4, "TLS");

    serve_first(&cluster, &files);
    assert_ok(&on(&bound).run(&["list"]));
    let mut owner = connect(&url);
    for (method, encryption) in
        [("trust", "scram-sha-256"), ("password", "scram-sha-256"), ("md5", "md5")]
    {
        let set = format!(
            "SET password_encryption = '{encryption}'; ALTER ROLE {OWNER} PASSWORD '{}'",
            cluster.password()
        );
        owner.batch_execute(&set).unwrap();
        cluster.authenticate(&format!("hostssl all {OWNER} 127.0.0.1/32 {method}"));
        cluster.reload();
        thread::sleep(Duration::from_millis(300));
        let run = on(&bound).run(&["list"]);
        assert_fails(&run, 4, "channel binding");
        assert!(!run.stderr.contains(cluster.password()), "{method}: {run}");
        assert_ok(&on(&bound.replace("channel_binding=require", "")).run(&["list"]));
    }
}

#[test]
fn options_reach_the_server() {
    let Some(cluster) = cluster() else { return };
    let url = cluster.database();
    assert_ok(&on(&url).run(&["seed"]));
    // Neon's proxy reads the endpoint; PostgreSQL itself does not know it.
    let run = on(&format!("{url}?sslmode=prefer&options=endpoint%3Dhunter2")).run(&["list"]);
    assert_fails(&run, 4, "refuses the options");
    assert!(!run.stderr.contains("hunter2"), "{run}");
    let run = on(&format!("{url}?options=-cdefault_transaction_read_only%3Don")).run(&["list"]);
    assert_ok(&run);
}

#[test]
fn password_can_have_any_punctuation() {
    let Some(cluster) = cluster() else { return };
    let url = cluster.database();
    assert_ok(&on(&url).run(&["seed"]));
    let mut superuser = cluster.superuser(name(&url));
    let everything: String = (' '..='~').filter(|c| !c.is_ascii_alphanumeric()).collect();
    let passwords = everything.chars().map(|c| format!("x{c}y")).chain([
        everything.clone(),
        format!("{everything}x"),
        "100%25".to_owned(),
        "pä$$w0rd😀".to_owned(),
        "p:a@ss/w?o#rd&x=y".to_owned(),
    ]);
    let role = cluster.role("");
    superuser
        .batch_execute(&format!("GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}"))
        .unwrap();
    for password in passwords {
        let quoted = password.replace('\'', "''");
        superuser.batch_execute(&format!("ALTER ROLE {role} PASSWORD '{quoted}'")).unwrap();
        let encoded: Vec<_> = password.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let encoded = encoded.concat();
        for encoded in [encoded.clone(), encoded.to_lowercase()] {
            let run = on(&cluster.url(&role, &encoded, name(&url))).run(&["list"]);
            assert_eq!(run.status, 0, "{password}: {run}");
        }
        let run = on(&cluster.url(&role, "wrong", name(&url))).run(&["list"]);
        assert_fails(&run, 4, "password authentication failed");
    }
}

#[test]
fn role_without_create_is_shown_the_grant() {
    let Some(cluster) = cluster() else { return };
    let url = cluster.database();
    let mut owner = connect(&url);
    owner.batch_execute("CREATE SCHEMA app").unwrap();
    let role = cluster.role("");
    let mut superuser = cluster.superuser(name(&url));
    superuser.batch_execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC").unwrap();
    for (schema, options) in [("public", ""), ("app", "?options=-csearch_path%3Dapp")] {
        let sandbox = on(&format!("{}{options}", cluster.url(&role, &role, name(&url))));
        let run = sandbox.run(&["init"]);
        assert_eq!(run.status, 4, "{run}");
        let grant =
            run.stderr.lines().find_map(|line| line.split_once("GRANT ").map(|(_, grant)| grant));
        let grant = grant.unwrap_or_else(|| panic!("no GRANT in {run}")).trim_end_matches('`');
        assert!(grant.contains(schema) && grant.contains(&role), "{run}");
        superuser.batch_execute(&format!("GRANT {grant}")).unwrap();
        assert_ok(&sandbox.run(&["init"]));
        assert_ok(&sandbox.run(&["seed"]));
    }
}

#[test]
fn table_in_second_schema_of_search_path_is_found() {
    let Some(cluster) = cluster() else { return };
    for path in ["app, public", "\"$user\", app, public", "nowhere, app, public"] {
        let url = cluster.database();
        let mut owner = connect(&url);
        owner.batch_execute("CREATE SCHEMA app").unwrap();
        assert_ok(&on(&url).run(&["seed"]));
        let count = |owner: &mut Client| -> i64 {
            owner.query_one("SELECT count(*) FROM public.users", &[]).unwrap().get(0)
        };
        owner
            .batch_execute(&format!("ALTER DATABASE {} SET search_path = {path}", name(&url)))
            .unwrap();
        let sandbox = on(&url);
        let run = sandbox.run(&["list", "--format", "plain"]);
        assert_eq!((run.status, run.stdout.lines().count()), (0, 2), "{path}: {run}");
        assert_ok(&sandbox.run(&["init"]));
        sandbox.write("users.csv", "username,password\ncarol,plover-xyzzy-quux\nalice,\n");
        assert_ok(&sandbox.run(&["seed", "users.csv", "--sync", "--prune", "--yes"]));
        assert_eq!(count(&mut owner), 2);
        let others =
            "SELECT count(*) FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
                      WHERE nspname = 'app'";
        assert_eq!(owner.query_one(others, &[]).unwrap().get::<_, i64>(0), 0);
        // Also where the URL sets it.
        let by_url = on(&format!("{url}?options=-csearch_path%3Dapp,public"));
        assert_ok(&by_url.run(&["lock", "alice"]));
    }
}
