//! Tables of apps that fall short of a table `users`: the changes that repair one, and the query that
//! copies the users of another.

use crate::escape::Escaped;
use crate::language::Language;

/// Changes to an app's table `users` that make it usable. Rows, columns and everything else of the
/// table are kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TableChanges {
    /// Add a column `language` that has this value in existing rows, and in new ones without a
    /// language.
    pub add_language: Option<Language>,
    /// Add a unique index on `username`.
    pub add_unique_index: bool,
}

impl TableChanges {
    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether these changes make a table usable.
    pub(crate) fn repair(
        &self,
        TableAdvice { changes: needed, duplicates, .. }: &TableAdvice,
    ) -> bool {
        !needed.is_empty()
            && duplicates.is_none()
            && (self.add_language.is_some() || needed.add_language.is_none())
            && (self.add_unique_index || !needed.add_unique_index)
    }

    /// These changes, as far as they are needed.
    pub(super) fn restricted_to(&self, needed: &Self) -> Self {
        Self {
            add_language: self.add_language.clone().filter(|_| needed.add_language.is_some()),
            add_unique_index: self.add_unique_index && needed.add_unique_index,
        }
    }

    /// The statements, for a table and the name of a new index.
    pub(super) fn sql(&self, table: &str, index: &str, text: &str) -> Vec<String> {
        // A tag has only letters, digits and hyphens.
        let add = self.add_language.as_ref().map(|language| {
            format!("ALTER TABLE {table} ADD COLUMN language {text} NOT NULL DEFAULT '{language}';")
        });
        let create = format!("CREATE UNIQUE INDEX {index} ON {table} (username);");
        add.into_iter().chain(self.add_unique_index.then_some(create)).collect()
    }
}

/// How to get along with a table that cannot be used unchanged.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TableAdvice {
    /// The changes that make it usable. Empty if no change does.
    pub changes: TableChanges,
    /// SQL that lists rows with the same username, which prevent a unique index.
    pub duplicates: Option<String>,
    /// How to copy its users, if its columns have other names.
    pub copy: Option<CopyableTable>,
}

/// A table of an app that appears to have users, in columns of other names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyableTable {
    /// Its name.
    pub table: String,
    /// The column with usernames.
    pub username: String,
    /// The column with passwords or their hashes.
    pub password: String,
    /// A query with the columns that an import expects.
    pub select: String,
}

/// Names of columns with usernames, the likeliest first.
const USERNAMES: [&str; 12] = [
    "username",
    "user_name",
    "login",
    "login_name",
    "user",
    "userid",
    "nickname",
    "name",
    "email",
    "email_address",
    "e_mail",
    "mail",
];

/// The number of these that only tables of users have.
const CERTAIN: usize = 4;

/// Names of columns with hashes, then those that may also have plaintext passwords.
const PASSWORDS: [&str; 17] = [
    "password_hash",
    "passwordhash",
    "_password_hash",
    "hashed_password",
    "encrypted_password",
    "password_digest",
    "passwd_hash",
    "pw_hash",
    "pwhash",
    "hash",
    "password",
    "_password",
    "passwd",
    "pwd",
    "pw",
    "pass",
    "passphrase",
];

/// The number of names of columns with hashes.
const HASHES: usize = 10;

/// Parts of the names of tables with users.
const TABLES: [&str; 12] = [
    "account", "admin", "auth", "client", "customer", "employee", "login", "member", "people",
    "person", "staff", "user",
];

/// The columns of a table of users.
struct UserColumns<'a> {
    /// Columns that may have the usernames, the likeliest first.
    usernames: Vec<&'a str>,
    password: &'a str,
}

impl<'a> UserColumns<'a> {
    /// The columns, if the table appears to have users.
    fn of(table: &str, columns: &'a [String]) -> Option<Self> {
        let find = |names: &[&str]| -> Vec<&'a str> {
            let find =
                |name: &&str| columns.iter().find(|column| column.eq_ignore_ascii_case(name));
            names.iter().filter_map(find).map(String::as_str).collect()
        };
        let table = table.to_lowercase();
        let is_of_users = TABLES.iter().any(|part| table.contains(part));
        let usernames = find(if is_of_users { &USERNAMES } else { &USERNAMES[..CERTAIN] });
        let password = find(&PASSWORDS).into_iter().next()?;
        (!usernames.is_empty()).then_some(Self { usernames, password })
    }

    /// Whether the name of the column does not tell that it has hashes.
    fn may_be_plaintext(&self) -> bool {
        let name = self.password.to_ascii_lowercase();
        PASSWORDS[HASHES..].contains(&name.as_str())
    }
}

/// How to copy the users of a table, if it appears to have any. `from` is the table in SQL, and `is`
/// asks the database.
pub(super) fn copyable<E>(
    table: &str,
    from: &str,
    columns: &[String],
    quote: fn(&str) -> String,
    mut is: impl FnMut(&str) -> Result<bool, E>,
) -> Result<Option<CopyableTable>, E> {
    let Some(found) = UserColumns::of(table, columns) else { return Ok(None) };
    let mut username = found.usernames[0];
    for column in &found.usernames {
        let has_null = format!(
            "SELECT EXISTS (SELECT 1 FROM (SELECT {} AS name FROM {from} LIMIT 1000) AS sample
                            WHERE name IS NULL)",
            quote(column)
        );
        if !is(&has_null)? {
            username = column;
            break;
        }
    }
    let password = quote(found.password);
    let are_plaintext = format!(
        "SELECT count(*) > 0
                AND count(CASE WHEN value LIKE '%$%' OR length(value) >= 32 THEN 1 END) = 0
         FROM (SELECT CAST({password} AS text) AS value FROM {from}
               WHERE {password} IS NOT NULL LIMIT 100) AS sample"
    );
    let is_plaintext = found.may_be_plaintext() && is(&are_plaintext)?;
    let field = if is_plaintext { "password" } else { "password_hash" };
    let select =
        format!("SELECT {} AS username, {password} AS {field} FROM {from}", quote(username));
    let (username, password) = (username.to_owned(), found.password.to_owned());
    Ok(Some(CopyableTable { table: table.to_owned(), username, password, select }))
}

/// Why a table `users` without one of its columns is unusable.
pub(super) fn no_column(wanted: &str, copy: Option<&CopyableTable>) -> String {
    let instead = copy.map(|copy| {
        let column = if wanted == "username" { &copy.username } else { &copy.password };
        format!(", only '{}'", Escaped(column))
    });
    format!("its table 'users' has no column '{wanted}'{}", instead.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_of_users_are_recognized() {
        for (table, columns, expected) in [
            ("user", "id username password email", Some((&["username", "email"][..], "password"))),
            ("user", "id email password active fs_uniquifier", Some((&["email"], "password"))),
            (
                "ab_user",
                "id first_name username password email",
                Some((&["username", "email"], "password")),
            ),
            ("auth_user", "id password last_login username", Some((&["username"], "password"))),
            ("people", "Name PW", Some((&["Name"], "PW"))),
            ("x", "login hashed_password", Some((&["login"], "hashed_password"))),
            ("users", "username password pw_hash", Some((&["username"], "pw_hash"))),
            ("smtp", "name password", None),
            ("users", "username language", None),
            ("user", "id password", None),
        ] {
            let columns: Vec<_> = columns.split(' ').map(str::to_owned).collect();
            let found = UserColumns::of(table, &columns);
            let found = found.as_ref().map(|found| (&found.usernames[..], found.password));
            assert_eq!(found, expected, "{table}");
        }
    }
}
