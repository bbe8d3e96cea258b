//! Encrypted connections: a server whose certificate is of an authority that nobody else knows.

use std::fs;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::program::empty;
use crate::server::{Cluster, OWNER};
use crate::skip::or_skip;
use crate::support::{assert_fails, assert_ok, name, on};

/// Runs openssl in a directory.
fn openssl(directory: &TempDir, args: &str) -> Result<(), String> {
    let mut command = Command::new("openssl");
    command.args(args.split(' ')).current_dir(directory).stdin(Stdio::null());
    let output = command.output().map_err(|error| format!("no openssl: {error}"))?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

/// An authority, another one, and a certificate of the first for the host `localhost`.
fn certificates() -> Result<TempDir, String> {
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

#[test]
fn a_server_is_verified_as_far_as_sslmode_says() {
    let Some(files) = or_skip(certificates()) else { return };
    let Some(cluster) = or_skip(Cluster::start(&[])) else { return };
    let url = cluster.database();
    let read = |name: &str| fs::read(files.path().join(name)).unwrap();
    for name in ["server.crt", "server.key"] {
        let path = cluster.write(name, &read(name));
        let setting = if name.ends_with("key") { "ssl_key_file" } else { "ssl_cert_file" };
        cluster.configure(&format!("{setting} = '{}'", path.display()));
    }
    cluster.configure("ssl = on");
    // The owner is only let in if the connection is encrypted.
    cluster.authenticate(&format!("hostnossl all {OWNER} 127.0.0.1/32 reject"));
    cluster.restart();
    let password = cluster.password();
    let at = |host: &str| {
        format!("postgresql://{OWNER}:{password}@{host}:{}/{}", cluster.port(), name(&url))
    };
    let (localhost, address) = (at("localhost"), at("127.0.0.1"));
    let file = |name: &str| files.path().join(name).display().to_string();
    let (ours, other) = (file("ours.crt"), file("other.crt"));

    assert_ok(&on(&localhost).run(&["seed"]));
    for (url, query, reason) in [
        (&address, String::new(), None),
        (&address, "sslmode=prefer".to_owned(), None),
        (&address, "sslmode=require".to_owned(), None),
        (&localhost, format!("sslmode=verify-full&sslrootcert={ours}"), None),
        (&address, "sslmode=disable".to_owned(), Some("pg_hba.conf rejects connection")),
        (&address, format!("sslmode=verify-full&sslrootcert={ours}"), Some("not valid for name")),
        (&localhost, format!("sslmode=verify-full&sslrootcert={other}"), Some("UnknownIssuer")),
        (&localhost, "sslmode=verify-full&sslrootcert=system".to_owned(), Some("")),
        (&localhost, "sslmode=verify-full".to_owned(), Some("needs sslrootcert")),
        (
            &localhost,
            format!("sslmode=verify-full&sslrootcert={}", file("names")),
            Some("no certificate"),
        ),
        (
            &localhost,
            format!("sslmode=verify-full&sslrootcert={}", file("none")),
            Some("No such file"),
        ),
        (
            &localhost,
            format!("sslmode=require&sslrootcert={ours}"),
            Some("use sslmode=verify-full"),
        ),
        (
            &localhost,
            format!("sslmode=verify-ca&sslrootcert={ours}"),
            Some("verify-ca is not known"),
        ),
        (&localhost, "sslmode=allow".to_owned(), Some("sslmode=allow is not known")),
    ] {
        let run = on(&format!("{url}?{query}")).run(&["list"]);
        match reason {
            None => assert_ok(&run),
            Some(reason) => assert_fails(&run, 4, reason),
        }
        assert!(!run.to_string().contains(password));
    }

    // Likewise by the environment, and by the file in the home directory.
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
    assert_fails(&home.run(&["list"]), 4, "use sslmode=verify-full");

    // An older version will do, where the server knows no newer one.
    cluster.configure("ssl_max_protocol_version = 'TLSv1.2'");
    cluster.reload();
    assert_ok(&on(&format!("{address}?sslmode=require")).run(&["list"]));
    let verified = format!("{localhost}?sslmode=verify-full&sslrootcert={ours}");
    assert_ok(&on(&verified).run(&["list"]));
}
