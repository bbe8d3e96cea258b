//! Encrypted connections to a server with a certificate of an unknown CA.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

use crate::program::empty;
use crate::server::{Cluster, OWNER};
use crate::skip::or_skip;
use crate::support::{assert_fails, assert_ok, name, on};

/// Runs openssl in a directory, and returns its output.
fn try_openssl(directory: &TempDir, args: &str) -> Result<Output, String> {
    let mut command = Command::new("openssl");
    command.args(args.split(' ')).current_dir(directory).stdin(Stdio::null());
    command.output().map_err(|error| format!("no openssl: {error}"))
}

/// Runs openssl in a directory, which must succeed.
pub(crate) fn openssl(directory: &TempDir, args: &str) -> Result<(), String> {
    let output = try_openssl(directory, args)?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

/// An authority, another one, and a certificate of the first for the host `localhost`.
pub(crate) fn certificates() -> Result<TempDir, String> {
    let directory = TempDir::new().unwrap();
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
    for name in ["ours", "other"] {
        let request =
            format!("req -x509 {key} -keyout {name}.key -out {name}.crt -subj /CN={name} -days 2");
        openssl(&directory, &request)?;
    }
    fs::write(directory.path().join("names"), "subjectAltName=DNS:localhost\n").unwrap();
    openssl(
        &directory,
        &format!("req {key} -keyout server.key -out server.csr -subj /CN=localhost"),
    )?;
    let sign = "x509 -req -in server.csr -CA ours.crt -CAkey ours.key -CAcreateserial -days 2 \
                -extfile names -out server.crt";
    openssl(&directory, sign)?;
    Ok(directory)
}

/// Gives the server a certificate and its key.
pub(crate) fn serve(cluster: &Cluster, files: &TempDir, certificate: &str, key: &str) {
    for (name, from) in [("server.crt", certificate), ("server.key", key)] {
        cluster.write(name, &fs::read(files.path().join(from)).unwrap());
    }
    cluster.reload();
    // The server reads them some time later.
    std::thread::sleep(std::time::Duration::from_millis(300));
}

/// The openssl command in a hint.
fn openssl_of(run: &crate::program::Run) -> String {
    let hint = run.stderr.lines().find_map(|line| line.strip_prefix("hint: ")).unwrap_or_default();
    hint.find("openssl ").map(|at| hint[at..].to_owned()).unwrap_or_default()
}

#[test]
fn unusual_certificate_is_accepted_or_explained() {
    let Some(files) = or_skip(certificates()) else { return };
    let Some(cluster) = or_skip(Cluster::start(&[])) else { return };
    let url = cluster.database();
    let password = cluster.password();
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
    let own = |name: &str, subject: &str, more: &str| {
        let request = format!(
            "req -x509 {key} -keyout {name}.key -out {name}.crt -subj /CN={subject} -days 2{more}"
        );
        openssl(&files, &request).unwrap();
    };
    let named = " -addext subjectAltName=DNS:localhost";
    own("self", "localhost", named);
    own("leaf", "localhost", &format!("{named} -addext basicConstraints=critical,CA:FALSE"));
    own("plain", "localhost", "");
    own("elsewhere", "elsewhere", " -addext subjectAltName=DNS:elsewhere");
    openssl(&files, "x509 -req -in server.csr -CA ours.crt -CAkey ours.key -CAcreateserial -days 2 -out old.crt").unwrap();
    openssl(&files, "x509 -req -in server.csr -signkey server.key -days 2 -out oldself.crt")
        .unwrap();
    openssl(&files, "x509 -in self.crt -outform DER -out self.der").unwrap();
    openssl(&files, &format!("req {key} -keyout late.key -out late.csr -subj /CN=localhost"))
        .unwrap();
    let late = "x509 -req -in late.csr -CA ours.crt -CAkey ours.key -CAcreateserial -days -1 -extfile names -out late.crt";
    // Old versions of openssl make no certificate that has expired.
    let has_late = try_openssl(&files, late).is_ok_and(|output| output.status.success());

    serve(&cluster, &files, "self.crt", "self.key");
    for setting in ["ssl_cert_file = 'server.crt'", "ssl_key_file = 'server.key'", "ssl = on"] {
        cluster.configure(setting);
    }
    cluster.restart();
    let at = |root: &str| {
        let file = files.path().join(root).display().to_string();
        format!(
            "postgresql://{OWNER}:{password}@localhost:{}/{}?sslmode=verify-full&sslrootcert={file}",
            cluster.port(),
            name(&url)
        )
    };
    assert_ok(&on(&url).run(&["seed"]));
    let only_elsewhere = "is not valid for name localhost, only for elsewhere";
    let mut cases = vec![
        // The certificate, its key, the file, and why it is refused.
        ("self.crt", "self.key", "self.crt", None),
        ("leaf.crt", "leaf.key", "leaf.crt", None),
        ("self.crt", "self.key", "ours.crt", Some("is self-signed, and not in")),
        ("leaf.crt", "leaf.key", "ours.crt", Some("is self-signed, and not in")),
        ("self.crt", "self.key", "self.der", Some("is in DER format, not PEM")),
        ("elsewhere.crt", "elsewhere.key", "elsewhere.crt", Some(only_elsewhere)),
        ("plain.crt", "plain.key", "plain.crt", Some("has only a common name")),
        ("old.crt", "server.key", "ours.crt", Some("uses X.509 version 1")),
        ("oldself.crt", "server.key", "oldself.crt", Some("uses X.509 version 1")),
    ];
    if has_late {
        let expired = Some("the server's certificate expired at 20");
        cases.extend(["ours.crt", "late.crt"].map(|root| ("late.crt", "late.key", root, expired)));
    }
    for (certificate, key, root, reason) in cases {
        serve(&cluster, &files, certificate, key);
        let run = on(&at(root)).run(&["list"]);
        match reason {
            None => assert_ok(&run),
            Some(reason) => {
                assert_fails(&run, 4, reason);
                assert!(
                    !run.stderr.contains(['{', '}']) && !run.stderr.contains("Error("),
                    "{run}"
                );
                let is_by_hand = reason.starts_with("is self-signed");
                assert!(is_by_hand || openssl_of(&run).starts_with("openssl "), "{run}");
            }
        }
        assert!(!run.to_string().contains(password));
    }
    // The certificate created by the hint is accepted.
    serve(&cluster, &files, "plain.crt", "plain.key");
    let command = openssl_of(&on(&at("plain.crt")).run(&["list"]));
    openssl(&files, command.strip_prefix("openssl ").unwrap()).unwrap();
    serve(&cluster, &files, "server.crt", "server.key");
    assert_ok(&on(&at("server.crt")).run(&["list"]));
}

#[test]
fn client_certificate_and_channel_binding_work() {
    let Some(files) = or_skip(certificates()) else { return };
    let Some(cluster) = or_skip(Cluster::start(&[])) else { return };
    let url = cluster.database();
    let request = "req -newkey rsa:2048 -nodes -keyout client.key -out client.csr -subj";
    openssl(&files, &format!("{request} /CN={OWNER}")).unwrap();
    let sign = "x509 -req -in client.csr -CA ours.crt -CAkey ours.key -CAcreateserial -days 2 -extfile names";
    openssl(&files, &format!("{sign} -out client.crt")).unwrap();
    openssl(&files, "pkcs8 -topk8 -in client.key -passout pass:hunter2 -out locked.key").unwrap();
    openssl(&files, "req -x509 -newkey rsa:2048 -nodes -keyout stranger.key -out stranger.crt -subj /CN=owner -days 2").unwrap();
    serve_first(&cluster, &files);
    let port = cluster.port();
    let file = |name: &str| files.path().join(name).display().to_string();
    for name in ["client.key", "locked.key", "stranger.key"] {
        fs::set_permissions(file(name), fs::Permissions::from_mode(0o600)).unwrap();
    }
    let at = |query: &str| {
        format!("postgresql://{OWNER}@localhost:{port}/{}?sslmode=require&{query}", name(&url))
    };
    assert_ok(&on(&url).run(&["seed"]));
    // SCRAM, bound to the channel.
    let bound = url.clone() + "?sslmode=require&channel_binding=require";
    assert_ok(&on(&bound).run(&["list"]));
    assert_fails(&on(&bound.replace("require&", "disable&")).run(&["list"]), 4, "channel binding");
    assert_ok(&on(&url).with_env("PGCHANNELBINDING", "require").run(&["list"]));

    cluster.authenticate(&format!("hostssl all {OWNER} 127.0.0.1/32 cert"));
    cluster.reload();
    std::thread::sleep(std::time::Duration::from_millis(300));
    let (certificate, key) = (file("client.crt"), file("client.key"));
    assert_ok(&on(&at(&format!("sslcert={certificate}&sslkey={key}"))).run(&["list"]));
    let by_environment = on(&at("")).with_env("PGSSLCERT", &certificate);
    assert_ok(&by_environment.with_env("PGSSLKEY", &key).run(&["list"]));
    // By default they are in the home directory.
    let home = empty();
    fs::create_dir(home.path(".postgresql")).unwrap();
    fs::copy(&certificate, home.path(".postgresql/postgresql.crt")).unwrap();
    fs::copy(&key, home.path(".postgresql/postgresql.key")).unwrap();
    let directory = home.dir().to_str().unwrap().to_owned();
    let home = home.with_env("HOME", &directory).with_env("DASH_USERS_DATABASE", &at(""));
    assert_ok(&home.run(&["list"]));
    for (query, reason) in [
        ("sslcertmode=disable".to_owned(), "valid client certificate"),
        (
            format!("sslcert={}&sslkey={}", file("stranger.crt"), file("stranger.key")),
            "rejected the client certificate",
        ),
        (format!("sslcert={certificate}&sslkey={}", file("stranger.key")), "is not the key of"),
        (
            format!("sslcert={certificate}&sslkey={}&sslpassword=hunter2", file("locked.key")),
            "openssl pkey -in",
        ),
        (format!("sslcert={certificate}&sslkey={}", file("none")), "No such file"),
        (format!("sslcert={}&sslkey={key}", file("names")), "contains no PEM certificate"),
    ] {
        let run = on(&at(&query)).run(&["list"]);
        assert_fails(&run, 4, reason);
        assert!(!run.stderr.contains("hunter2"), "{run}");
    }
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    let exposed = on(&at(&format!("sslcert={certificate}&sslkey={key}"))).run(&["list"]);
    assert_fails(&exposed, 4, "can be read by others\nhint: chmod 600");
}

/// The certificate of our authority, and that authority for clients.
pub(crate) fn serve_first(cluster: &Cluster, files: &TempDir) {
    for name in ["server.crt", "server.key", "ours.crt"] {
        cluster.write(name, &fs::read(files.path().join(name)).unwrap());
    }
    cluster.configure("ssl = on\nssl_ca_file = 'ours.crt'");
    cluster.restart();
}

#[test]
fn sslmode_decides_verification() {
    let Some(files) = or_skip(certificates()) else { return };
    let Some(cluster) = or_skip(Cluster::start(&[])) else { return };
    let url = cluster.database();
    // The owner is only let in if the connection is encrypted.
    cluster.authenticate(&format!("hostnossl all {OWNER} 127.0.0.1/32 reject"));
    serve_first(&cluster, &files);
    let password = cluster.password();
    let at = |host: &str| {
        format!("postgresql://{OWNER}:{password}@{host}:{}/{}", cluster.port(), name(&url))
    };
    let (localhost, address) = (at("localhost"), at("127.0.0.1"));
    let file = |name: &str| files.path().join(name).display().to_string();
    let (ours, other) = (file("ours.crt"), file("other.crt"));

    assert_ok(&on(&localhost).run(&["seed"]));
    let with = |root: &str, mode: &str| format!("{mode}&sslrootcert={root}");
    let full = |root: &str| with(root, "verify-full");
    for (url, mode, failure) in [
        (&address, "prefer".to_owned(), None),
        (&address, "require".to_owned(), None),
        (&localhost, full(&ours), None),
        (&address, "disable".to_owned(), Some((4, "pg_hba.conf rejects connection"))),
        (&address, full(&ours), Some((4, "is not valid for name 127.0.0.1, only for localhost"))),
        (&localhost, full(&other), Some((4, "is not signed by a CA in"))),
        (&localhost, full("system"), Some((4, ""))),
        (&localhost, full(&file("names")), Some((4, "no PEM certificate"))),
        (&localhost, full(&file("none")), Some((4, "No such file"))),
        // Settings that cannot be obeyed.
        (&localhost, "verify-full".to_owned(), Some((2, "needs sslrootcert"))),
        (&localhost, with(&ours, "require"), Some((2, "use sslmode=verify-full"))),
        (&localhost, with(&ours, "verify-ca"), Some((2, "verify-ca is not supported"))),
        (&localhost, "allow".to_owned(), Some((2, "sslmode=allow is not supported"))),
    ] {
        let run = on(&format!("{url}?sslmode={mode}")).run(&["list"]);
        match failure {
            None => assert_ok(&run),
            Some((status, reason)) => assert_fails(&run, status, reason),
        }
        assert!(!run.to_string().contains(password));
    }
    assert_ok(&on(&address).run(&["list"]));

    // The environment and the file in the home directory work, too.
    let sandbox = on(&localhost).with_env("PGSSLMODE", "verify-full");
    assert_ok(&sandbox.with_env("PGSSLROOTCERT", &ours).run(&["list"]));
    let home = empty();
    fs::create_dir(home.path(".postgresql")).unwrap();
    fs::copy(&ours, home.path(".postgresql/root.crt")).unwrap();
    let directory = home.dir().to_str().unwrap().to_owned();
    let home = home.with_env("HOME", &directory).with_env("DASH_USERS_DATABASE", &localhost);
    let home = home.with_env("PGSSLMODE", "verify-full");
    assert_ok(&home.run(&["list"]));
    // libpq would verify by that file.
    let home = home.with_env("PGSSLMODE", "require");
    assert_fails(&home.run(&["list"]), 2, "use sslmode=verify-full");

    // An older TLS version works if the server has no newer one.
    cluster.configure("ssl_max_protocol_version = 'TLSv1.2'");
    cluster.reload();
    assert_ok(&on(&format!("{address}?sslmode=require")).run(&["list"]));
    let verified = format!("{localhost}?sslmode=verify-full&sslrootcert={ours}");
    assert_ok(&on(&verified).run(&["list"]));
}
