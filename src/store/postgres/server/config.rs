//! Converting settings to connections: one for each host, in the order in which they are tried.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use postgres::Config;
use postgres::config::{ChannelBinding, Host, SslMode, SslNegotiation};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::settings::{BadSetting, Settings, Source};
use super::{Server, files, passwd_entry};
use crate::store::postgres::connection::CONNECT_TIMEOUT;
use crate::store::postgres::tls::{self, ClientCertificate, Tls, Verification};

/// The socket directories if no host is given: Debian's, and PostgreSQL's own default.
const SOCKET_DIRECTORIES: [&str; 2] = ["/var/run/postgresql", "/tmp"];

/// The time of silence after which a connection counts as lost.
const SILENCE: Duration = Duration::from_secs(30);

/// The kind of server to choose from several (`target_session_attrs`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Session {
    Any,
    ReadWrite,
    ReadOnly,
    Primary,
    Standby,
    PreferStandby,
}

/// How to connect.
pub(crate) struct Plan {
    /// One for each host.
    pub hosts: Vec<Config>,
    pub session: Session,
    /// Whether the hosts are in random order, and so are the addresses of each to be.
    pub is_shuffled: bool,
    /// `None` if no connection is encrypted.
    pub tls: Option<MakeRustlsConnect>,
    pub names: Names,
}

/// What to call what a server may refuse. A value is only shown if it is of the URL, which was
/// checked when it was read, and is shown anyway.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Names {
    pub user: String,
    pub database: String,
    /// None if there are none.
    pub options: Option<String>,
}

/// Why a connection is not even tried.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// A setting is invalid or not supported.
    Setting(BadSetting),
    /// A file that a setting names cannot be used.
    File(BadSetting),
}

impl From<BadSetting> for Fault {
    fn from(error: BadSetting) -> Self {
        Self::Setting(error)
    }
}

impl Server {
    /// The connections to try. Errors do not show the values of settings.
    pub(crate) fn plan(&self) -> Result<Plan, Fault> {
        let settings = self.settings()?;
        let mode = settings.get("sslmode").unwrap_or("prefer");
        let base = self.base(&settings)?;
        let mut hosts = Vec::new();
        for (host, address, port) in self.hosts(&settings)? {
            let mut config = base.clone();
            let is_socket = address.is_none() && host.starts_with('/');
            if is_socket {
                config.host_path(&host);
            } else {
                config.host(&host);
            }
            if let Some(address) = address {
                config.hostaddr(address);
            }
            config.port(port);
            config.ssl_mode(match mode {
                // As in libpq, a socket is not encrypted.
                _ if is_socket => SslMode::Disable,
                "disable" => SslMode::Disable,
                "prefer" => SslMode::Prefer,
                _ => SslMode::Require,
            });
            if config.get_password().is_none()
                && let Some(file) = self.password_file(&settings)
                && let Some(user) = config.get_user()
            {
                let database = config.get_dbname().unwrap_or(user);
                let host = if SOCKET_DIRECTORIES.contains(&&*host) { "localhost" } else { &*host };
                let wanted = [host, &port.to_string(), database, user];
                if let Some(password) = files::password(&file, wanted) {
                    config.password(password.as_bytes());
                }
            }
            hosts.push(config);
        }
        let random =
            settings.word("load_balance_hosts", &[("disable", false), ("random", true)])?;
        let is_shuffled = random == Some(true);
        if is_shuffled {
            shuffle(&mut hosts);
        }
        let sessions = [
            ("any", Session::Any),
            ("read-write", Session::ReadWrite),
            ("read-only", Session::ReadOnly),
            ("primary", Session::Primary),
            ("standby", Session::Standby),
            ("prefer-standby", Session::PreferStandby),
        ];
        let session = settings.word("target_session_attrs", &sessions)?.unwrap_or(Session::Any);
        // The settings are checked even if nothing is encrypted.
        let tls = self.tls(&settings, mode)?;
        let is_encrypted = hosts.iter().any(|host| host.get_ssl_mode() != SslMode::Disable);
        let tls =
            if is_encrypted { Some(tls::connector(&tls).map_err(Fault::File)?) } else { None };
        Ok(Plan { hosts, session, is_shuffled, tls, names: names(&settings) })
    }

    /// The configuration that all hosts share.
    fn base(&self, settings: &Settings) -> Result<Config, Fault> {
        let mut config = Config::new();
        let own = || passwd_entry().map(|user| user.name);
        let user = settings.get("user").or_else(|| self.variable("USER")).map(str::to_owned);
        let user = user.or_else(|| self.environment.as_ref().and_then(|_| own()));
        let no_user = || BadSetting::new("its URL has no username", "use postgresql://USER@HOST/…");
        config.user(&user.ok_or_else(no_user)?);
        if let Some(database) = settings.get("dbname") {
            config.dbname(database);
        }
        if let Some(password) = settings.get("password") {
            config.password(password);
        }
        if let Some(options) = settings.get("options") {
            config.options(options);
        }
        let name = settings.get("application_name");
        let name = name.or_else(|| settings.get("fallback_application_name"));
        config.application_name(name.unwrap_or("dash-users"));
        let seconds = |name| -> Result<Option<Duration>, BadSetting> {
            let number = settings.number(name)?.and_then(|number| u64::try_from(number).ok());
            Ok(number.filter(|number| *number > 0).map(Duration::from_secs))
        };
        config.connect_timeout(seconds("connect_timeout")?.unwrap_or(CONNECT_TIMEOUT));
        // In milliseconds, as in libpq.
        let silence = settings.number("tcp_user_timeout")?.and_then(|n| u64::try_from(n).ok());
        match silence.filter(|milliseconds| *milliseconds > 0) {
            Some(milliseconds) => config.tcp_user_timeout(Duration::from_millis(milliseconds)),
            None => config.tcp_user_timeout(SILENCE),
        };
        let names = ["keepalives_count", "keepalives_retries"];
        let retries = match names.into_iter().find(|name| settings.get(name).is_some()) {
            Some(name) => settings.number(name)?.and_then(|number| u32::try_from(number).ok()),
            None => None,
        };
        let (idle, interval) = (seconds("keepalives_idle")?, seconds("keepalives_interval")?);
        if let Some(number) = settings.number("keepalives")? {
            config.keepalives(number != 0);
        } else if retries.is_none() && idle.is_none() && interval.is_none() {
            config.keepalives_idle(SILENCE / 3).keepalives_interval(SILENCE / 3);
            config.keepalives_retries(2);
        }
        idle.map(|time| config.keepalives_idle(time));
        interval.map(|time| config.keepalives_interval(time));
        retries.map(|number| config.keepalives_retries(number));
        let bindings = [
            ("disable", ChannelBinding::Disable),
            ("prefer", ChannelBinding::Prefer),
            ("require", ChannelBinding::Require),
        ];
        if let Some(binding) = settings.word("channel_binding", &bindings)? {
            config.channel_binding(binding);
        }
        let is_direct =
            settings.word("sslnegotiation", &[("postgres", false), ("direct", true)])?;
        if is_direct == Some(true) {
            config.ssl_negotiation(SslNegotiation::Direct);
        }
        Ok(config)
    }

    /// The name or socket of each host, its address if set, and its port.
    fn hosts(&self, settings: &Settings) -> Result<Vec<(String, Option<IpAddr>, u16)>, Fault> {
        let list = |name| -> Vec<String> {
            settings
                .get(name)
                .map(|text| text.split(',').map(str::to_owned).collect())
                .unwrap_or_default()
        };
        let (mut names, addresses, mut ports) = (list("host"), list("hostaddr"), list("port"));
        if names.is_empty() && addresses.is_empty() {
            let is_there = |path: &&&str| Path::new(path).is_dir();
            let directory = SOCKET_DIRECTORIES.iter().find(is_there);
            names.push(directory.map_or("localhost", |directory| directory).to_owned());
        }
        let count = names.len().max(addresses.len());
        if !addresses.is_empty() && !names.is_empty() && addresses.len() != names.len() {
            let wanted = "one address for each host";
            return Err(settings.invalid("hostaddr", wanted).into());
        }
        if ports.len() > 1 && ports.len() != count {
            return Err(settings.invalid("port", "one port, or one for each host").into());
        }
        ports.resize(count, ports.first().cloned().unwrap_or_default());
        let default =
            self.variable("PGPORT").filter(|port| !port.contains(',')).unwrap_or_default();
        let mut hosts = Vec::new();
        for (index, port) in ports.into_iter().enumerate() {
            let address = match addresses.get(index).filter(|address| !address.is_empty()) {
                Some(text) => Some(
                    text.parse::<IpAddr>()
                        .map_err(|_| settings.invalid("hostaddr", "an IP address"))?,
                ),
                None => None,
            };
            let name = names.get(index).cloned().filter(|name| !name.is_empty());
            let mut name = match (name, address) {
                (Some(name), _) => name,
                (None, Some(address)) => address.to_string(),
                (None, None) => "localhost".to_owned(),
            };
            let mut port = if port.is_empty() { default.to_owned() } else { port };
            // SQLAlchemy's host=NAME:PORT.
            if let Some((host, own)) = name.split_once(':')
                && own.parse::<u16>().is_ok()
                && !host.starts_with('/')
            {
                (name, port) = (host.to_owned(), own.to_owned());
            }
            let port = match &*port {
                "" => Ok(5432),
                port => port.parse().map_err(|_| settings.invalid("port", "the number of a port")),
            };
            hosts.push((name, address, port?));
        }
        Ok(hosts)
    }

    /// The verification of the server, and the client certificate.
    fn tls(&self, settings: &Settings, mode: &str) -> Result<Tls, Fault> {
        let verification = self.verification(settings, mode)?;
        let file = |name: &'static str, default: &str| -> Option<PathBuf> {
            let named = settings.get(name).map(PathBuf::from);
            named.or_else(|| self.default_file(default))
        };
        let is_wanted = settings.word("sslcertmode", &[("disable", false), ("allow", true)])?;
        let client = match file("sslcert", "postgresql.crt").filter(|_| is_wanted != Some(false)) {
            Some(certificate) => {
                let key = file("sslkey", "postgresql.key");
                let none = || BadSetting {
                    reason: format!("{} has no private key", certificate.display()),
                    hint: "give it with sslkey=FILE, or save it as ~/.postgresql/postgresql.key"
                        .to_owned(),
                };
                let key = key.ok_or_else(|| Fault::File(none()))?;
                Some(ClientCertificate { certificate, key })
            }
            None => None,
        };
        let versions = [("TLSv1", 10), ("TLSv1.1", 11), ("TLSv1.2", 12), ("TLSv1.3", 13)];
        let oldest = settings.word("ssl_min_protocol_version", &versions)?.unwrap_or(12);
        let newest = settings.word("ssl_max_protocol_version", &versions)?.unwrap_or(13);
        if newest < 12 || newest < oldest {
            return Err(settings.cannot("ssl_max_protocol_version", "TLSv1.2 or TLSv1.3").into());
        }
        Ok(Tls {
            verification,
            revoked: file("sslcrl", "root.crl"),
            client,
            names_host: settings.word("sslsni", &[("0", false), ("1", true)])? != Some(false),
            versions: (oldest, newest),
            is_direct: settings.get("sslnegotiation") == Some("direct"),
        })
    }

    /// The verification for an sslmode. An error if libpq would verify more.
    fn verification(&self, settings: &Settings, mode: &str) -> Result<Verification, Fault> {
        let root = settings.get("sslrootcert");
        let of_home = self.default_file("root.crt");
        let wrong = |reason: String, hint: &str| Err(Fault::Setting(BadSetting::new(reason, hint)));
        Ok(match (mode, root) {
            ("disable", _) | ("prefer", None) => Verification::None,
            ("require", None) if of_home.is_none() => Verification::None,
            ("prefer" | "require", root) => {
                let root = root.map_or("~/.postgresql/root.crt", |_| "sslrootcert");
                let reason = format!("sslmode={mode} would not verify the server with {root}");
                return wrong(reason, "use sslmode=verify-full");
            }
            ("verify-full", Some("system")) => Verification::System,
            ("verify-full", Some(file)) => Verification::File(file.into()),
            ("verify-full", None) => {
                if let Some(file) = of_home {
                    return Ok(Verification::File(file));
                }
                let reason = "sslmode=verify-full needs sslrootcert, a file or system".to_owned();
                let hint = "add sslrootcert=FILE with the CA's certificate, or \
                            sslrootcert=system";
                return wrong(reason, hint);
            }
            ("allow" | "verify-ca", _) => {
                let reason = format!(
                    "sslmode={mode} is not supported; disable, prefer, require and verify-full are"
                );
                let instead =
                    if mode == "allow" { "sslmode=prefer" } else { "sslmode=verify-full" };
                return wrong(reason, &format!("use {instead}"));
            }
            _ => {
                let reason = "its sslmode is not disable, prefer, require or verify-full";
                return wrong(reason.to_owned(), "use sslmode=verify-full");
            }
        })
    }

    /// A file in `~/.postgresql`, if it exists.
    fn default_file(&self, name: &str) -> Option<PathBuf> {
        let file = self.home()?.join(".postgresql").join(name);
        Some(file).filter(|file| file.exists())
    }
}

/// Shuffles hosts or addresses for load balancing.
pub(crate) fn shuffle(hosts: &mut [Config]) {
    for last in (1..hosts.len()).rev() {
        let mut bytes = [0; 8];
        if getrandom::fill(&mut bytes).is_ok() {
            let random = u64::from_ne_bytes(bytes) % (last as u64 + 1);
            hosts.swap(last, usize::try_from(random).unwrap_or_default());
        }
    }
}

fn names(settings: &Settings) -> Names {
    let named = |kind: &str, name, default: &str| match (settings.source(name), settings.get(name))
    {
        (Some(Source::Url), Some(value)) => format!("{kind} \"{value}\""),
        (Some(_), _) => format!("the {kind} set by {}", settings.called(name)),
        (None, _) => format!("the {kind} named like {default}"),
    };
    let options = settings.source("options").map(|source| match source {
        Source::Url => "the options of the URL".to_owned(),
        Source::ServiceFile | Source::Environment => settings.called("options"),
    });
    Names {
        user: named("user", "user", "the system's user"),
        database: named("database", "dbname", "the user"),
        options,
    }
}

/// The name and port of a host, for messages.
pub(crate) fn host_and_port(config: &Config) -> String {
    let port = config.get_ports().first().copied().unwrap_or(5432);
    match config.get_hosts().first() {
        Some(Host::Tcp(name)) if name.contains(':') => format!("[{name}]:{port}"),
        Some(Host::Tcp(name)) => format!("{name}:{port}"),
        Some(Host::Unix(path)) => format!("{}:{port}", path.display()),
        None => port.to_string(),
    }
}
