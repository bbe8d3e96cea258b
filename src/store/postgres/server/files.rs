//! libpq's password and service files.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::settings::{self, BadSetting, Settings, Source};

/// Directories of system-wide service files: Debian, Fedora, and PostgreSQL's own default.
const SERVICE_DIRECTORIES: [&str; 3] =
    ["/etc/postgresql-common", "/etc/sysconfig/pgsql", "/usr/local/pgsql/etc"];

/// Adds the settings of a service from the user's or the system's service file.
pub(super) fn add_service(
    settings: &mut Settings,
    home: Option<&Path>,
    system: Option<&str>,
) -> Result<(), BadSetting> {
    let Some(service) = settings.get("service").map(str::to_owned) else { return Ok(()) };
    let called = settings.called("service");
    let named = settings.get("servicefile").map(PathBuf::from);
    let own = match &named {
        Some(file) => Some(file.clone()),
        None => home.map(|home| home.join(".pg_service.conf")),
    };
    let directories = system.map_or(&SERVICE_DIRECTORIES[..], |_| &[]).iter();
    let directories = system.iter().chain(directories).map(|path| Path::new(*path));
    let files = own.into_iter().chain(directories.map(|path| path.join("pg_service.conf")));
    for file in files {
        let text = match fs::read_to_string(&file) {
            Ok(text) => Zeroizing::new(text),
            Err(error) if error.kind() == ErrorKind::NotFound && named.as_ref() != Some(&file) => {
                continue;
            }
            Err(error) => {
                let reason = format!("cannot read the service file {}", file.display());
                return Err(BadSetting::new(
                    format!("{reason}: {error}"),
                    "use a file that exists",
                ));
            }
        };
        if read_service(settings, &service, &text, &file)? {
            return Ok(());
        }
    }
    Err(BadSetting::new(
        format!("no service file has the service that {called} names"),
        "add it to ~/.pg_service.conf: its name in [brackets], then lines such as \
         host=db.example.org",
    ))
}

/// Reads the section of a service. Returns whether there is one.
fn read_service(
    settings: &mut Settings,
    service: &str,
    text: &str,
    file: &Path,
) -> Result<bool, BadSetting> {
    let mut is_found = false;
    let mut is_inside = false;
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            if is_found {
                break;
            }
            is_inside = name == service;
            is_found |= is_inside;
            continue;
        }
        if !is_inside {
            continue;
        }
        let wrong = |reason: &str| {
            let place = format!("{}:{number}", file.display());
            BadSetting::new(format!("{place}: {reason}"), "use lines such as host=db.example.org")
        };
        let (name, value) = line.split_once('=').ok_or_else(|| wrong("it is not NAME=VALUE"))?;
        let name = settings::known(name).ok_or_else(|| wrong("it is not a libpq setting"))?;
        if name == "service" || name == "servicefile" {
            return Err(wrong("a service cannot refer to another one"));
        }
        settings.set(name, value, Source::ServiceFile);
    }
    Ok(is_found)
}

/// Whether others can read or write a file; `None` if it does not exist.
pub(super) fn is_exposed(file: &Path) -> Option<bool> {
    let metadata = fs::metadata(file).ok().filter(fs::Metadata::is_file)?;
    Some(metadata.permissions().mode() & 0o077 != 0)
}

/// The password for a host, port, database and user in a file such as `~/.pgpass` that no one else
/// can read.
pub(super) fn password(file: &Path, wanted: [&str; 4]) -> Option<Zeroizing<String>> {
    if is_exposed(file) != Some(false) {
        return None;
    }
    let text = Zeroizing::new(fs::read_to_string(file).ok()?);
    text.lines().filter(|line| !line.starts_with('#')).find_map(|line| {
        let mut fields = fields(line);
        let password = fields.pop().filter(|_| fields.len() == wanted.len())?;
        let is_it = |(field, wanted): (&Zeroizing<String>, &&str)| {
            field.as_str() == "*" || field.as_str() == *wanted
        };
        fields.iter().zip(&wanted).all(is_it).then_some(password)
    })
}

/// The fields of a line, separated by `:`. A backslash escapes the next character.
pub(super) fn fields(line: &str) -> Vec<Zeroizing<String>> {
    let mut fields = vec![Zeroizing::new(String::new())];
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            ':' if fields.len() < 5 => fields.push(Zeroizing::new(String::new())),
            '\\' => fields.last_mut().into_iter().for_each(|field| field.extend(chars.next())),
            c => fields.last_mut().into_iter().for_each(|field| field.push(c)),
        }
    }
    fields
}
