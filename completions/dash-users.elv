
use builtin;
use str;

set edit:completion:arg-completer[dash-users] = {|@words|
    fn spaces {|n|
        builtin:repeat $n ' ' | str:join ''
    }
    fn cand {|text desc|
        edit:complex-candidate $text &display=$text' '(spaces (- 14 (wcswidth $text)))$desc
    }
    var command = 'dash-users'
    for word $words[1..-1] {
        if (str:has-prefix $word '-') {
            break
        }
        set command = $command';'$word
    }
    var completions = [
        &'dash-users'= {
            cand -d 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --database 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --format 'Output format'
            cand --color 'When to use color'
            cand --wait 'How long to wait for a database that another program has locked, in seconds'
            cand --json 'Same as --format json'
            cand -q 'Print only results and errors'
            cand --quiet 'Print only results and errors'
            cand --no-pager 'Do not show long output in a pager [env: DASH_USERS_PAGER, PAGER] [default: less]'
            cand --no-input 'Never prompt for input, even on a terminal'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
            cand init 'Create the database, or update an existing one'
            cand migrate 'Apply pending schema migrations'
            cand seed 'Add missing users from a file, or two demo users'
            cand add 'Add a user'
            cand create 'Add a user'
            cand passwd 'Set a user''s password'
            cand verify 'Check a user''s password, as the app does'
            cand rehash 'Hash a user''s password again, with the current method'
            cand remove 'Remove users'
            cand rm 'Remove users'
            cand delete 'Remove users'
            cand rename 'Rename a user'
            cand update 'Change the language and groups of users'
            cand lock 'Lock users without changing their passwords'
            cand unlock 'Unlock users and restore their passwords'
            cand group 'Add users to groups, remove them, or list groups'
            cand sessions 'List or end sessions of the login page'
            cand list 'List users, without their hashes'
            cand ls 'List users, without their hashes'
            cand show 'Show one user, without the hash'
            cand history 'Show who changed what, newest first'
            cand check 'Check the database and its users for problems'
            cand info 'Show which database is in use, and its state'
            cand import 'Add or update users from a file'
            cand export 'Export all users to a file'
            cand backup 'Copy the whole database to a file'
            cand restore 'Replace the database''s contents with a backup'
            cand hash 'Hash a password, or check it against a hash, without a database'
            cand completions 'Print a shell completion script'
            cand man 'Write man pages to a directory'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'dash-users;init'= {
            cand --add-language 'Add a column language to the app''s table, if it has none, with this value in all rows [default: en]. An INSERT of the app that does not name its columns fails afterwards'
            cand --file-mode 'Permissions of a new database file, in octal'
            cand --file-group 'Group of a new database file, by name or number [default: the group of the process]'
            cand -d 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --database 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --format 'Output format'
            cand --color 'When to use color'
            cand --wait 'How long to wait for a database that another program has locked, in seconds'
            cand --add-unique-index 'Add a unique index on username to the app''s table, if it has none'
            cand --json 'Same as --format json'
            cand -q 'Print only results and errors'
            cand --quiet 'Print only results and errors'
            cand --no-pager 'Do not show long output in a pager [env: DASH_USERS_PAGER, PAGER] [default: less]'
            cand --no-input 'Never prompt for input, even on a terminal'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dash-users;migrate'= {
            cand -d 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --database 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --format 'Output format'
            cand --color 'When to use color'
            cand --wait 'How long to wait for a database that another program has locked, in seconds'
            cand --status 'List applied and pending migrations (exit code 4 if any is pending)'
            cand --dry-run 'Show what would be done, without changing anything'
            cand --json 'Same as --format json'
            cand -q 'Print only results and errors'
            cand --quiet 'Print only results and errors'
            cand --no-pager 'Do not show long output in a pager [env: DASH_USERS_PAGER, PAGER] [default: less]'
            cand --no-input 'Never prompt for input, even on a terminal'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dash-users;seed'= {
            cand --input-format 'Format of the file [default: from its name]'
            cand --delimiter 'Character between CSV cells, or tab [default: detected in the header row]'
            cand --encoding 'Encoding of a text file, such as windows-1252 [default: utf-8, or utf-16 with a byte order mark]'
            cand --column 'Read a field from the column or key with another name (repeatable)'
            cand --generate-missing 'Generate passwords for new users without one, and write them to a new CSV file, or - for stdout'
            cand --jobs 'Threads that hash passwords, 1 to 256 [default: one per core]; they use at most 193 MiB'
            cand --file-mode 'Permissions of a new database file, in octal'
            cand --file-group 'Group of a new database file, by name or number [default: the group of the process]'
            cand --method 'Method of new hashes, to which existing ones are compared: scrypt, scrypt:N:r:p, pbkdf2, pbkdf2:ALGORITHM or pbkdf2:ALGORITHM:ITERATIONS [env: DASH_USERS_METHOD] [default: scrypt]'
            cand -d 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --database 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --format 'Output format'
            cand --color 'When to use color'
            cand --wait 'How long to wait for a database that another program has locked, in seconds'
            cand --sync 'Update the language and groups of existing users too'
            cand --sync-passwords 'Update the passwords of existing users too; an equal password keeps its hash'
            cand --prune 'Remove users that the file does not list'
            cand -y 'Do not ask for confirmation'
            cand --yes 'Do not ask for confirmation'
            cand --ignore-unknown 'Ignore columns and keys that are not fields'
            cand --lock-missing 'Lock new users without a password; run `passwd` and `unlock` later to let them log in'
            cand --as-is 'Accept names, hashes, languages and groups unchecked, exactly as `export` wrote them'
            cand --dry-run 'Show what would be done, without changing anything'
            cand --allow-weak 'Accept weak passwords (under 8 characters, or easy to guess)'
            cand --allow-hash-like 'Accept passwords that look like a digest or a hash of another program'
            cand --allow-similar 'Allow usernames that differ from another only in ASCII case'
            cand --json 'Same as --format json'
            cand -q 'Print only results and errors'
            cand --quiet 'Print only results and errors'
            cand --no-pager 'Do not show long output in a pager [env: DASH_USERS_PAGER, PAGER] [default: less]'
            cand --no-input 'Never prompt for input, even on a terminal'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dash-users;add'= {
            cand --language 'Language of the user, as a BCP 47 tag'
            cand --group 'Add the user to a group (repeatable)'
            cand --password-file 'Read the password from a file, or - for stdin [env: DASH_USERS_PASSWORD_FILE]'
            cand --method 'Method of new hashes, to which existing ones are compared: scrypt, scrypt:N:r:p, pbkdf2, pbkdf2:ALGORITHM or pbkdf2:ALGORITHM:ITERATIONS [env: DASH_USERS_METHOD] [default: scrypt]'
            cand -d 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --database 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --format 'Output format'
            cand --color 'When to use color'
            cand --wait 'How long to wait for a database that another program has locked, in seconds'
            cand --locked 'Add the user locked; run `unlock` to allow logins'
            cand --if-not-exists 'Do nothing if the user already exists'
            cand --allow-similar 'Allow a username that differs from another only in ASCII case'
            cand --password-stdin 'Read the password from stdin (one trailing newline is stripped)'
            cand --generate 'Generate a password and print it once, to stdout'
            cand --allow-weak 'Accept a weak password (under 8 characters, or easy to guess)'
            cand --json 'Same as --format json'
            cand -q 'Print only results and errors'
            cand --quiet 'Print only results and errors'
            cand --no-pager 'Do not show long output in a pager [env: DASH_USERS_PAGER, PAGER] [default: less]'
            cand --no-input 'Never prompt for input, even on a terminal'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dash-users;create'= {
            cand --language 'Language of the user, as a BCP 47 tag'
            cand --group 'Add the user to a group (repeatable)'
            cand --password-file 'Read the password from a file, or - for stdin [env: DASH_USERS_PASSWORD_FILE]'
            cand --method 'Method of new hashes, to which existing ones are compared: scrypt, scrypt:N:r:p, pbkdf2, pbkdf2:ALGORITHM or pbkdf2:ALGORITHM:ITERATIONS [env: DASH_USERS_METHOD] [default: scrypt]'
            cand -d 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --database 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --format 'Output format'
            cand --color 'When to use color'
            cand --wait 'How long to wait for a database that another program has locked, in seconds'
            cand --locked 'Add the user locked; run `unlock` to allow logins'
            cand --if-not-exists 'Do nothing if the user already exists'
            cand --allow-similar 'Allow a username that differs from another only in ASCII case'
            cand --password-stdin 'Read the password from stdin (one trailing newline is stripped)'
            cand --generate 'Generate a password and print it once, to stdout'
            cand --allow-weak 'Accept a weak password (under 8 characters, or easy to guess)'
            cand --json 'Same as --format json'
            cand -q 'Print only results and errors'
            cand --quiet 'Print only results and errors'
            cand --no-pager 'Do not show long output in a pager [env: DASH_USERS_PAGER, PAGER] [default: less]'
            cand --no-input 'Never prompt for input, even on a terminal'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dash-users;passwd'= {
            cand --password-file 'Read the password from a file, or - for stdin [env: DASH_USERS_PASSWORD_FILE]'
            cand --method 'Method of new hashes, to which existing ones are compared: scrypt, scrypt:N:r:p, pbkdf2, pbkdf2:ALGORITHM or pbkdf2:ALGORITHM:ITERATIONS [env: DASH_USERS_METHOD] [default: scrypt]'
            cand -d 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --database 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --format 'Output format'
            cand --color 'When to use color'
            cand --wait 'How long to wait for a database that another program has locked, in seconds'
            cand --if-different 'Do nothing if the user already has this password'
            cand --password-stdin 'Read the password from stdin (one trailing newline is stripped)'
            cand --generate 'Generate a password and print it once, to stdout'
            cand --allow-weak 'Accept a weak password (under 8 characters, or easy to guess)'
            cand --json 'Same as --format json'
            cand -q 'Print only results and errors'
            cand --quiet 'Print only results and errors'
            cand --no-pager 'Do not show long output in a pager [env: DASH_USERS_PAGER, PAGER] [default: less]'
            cand --no-input 'Never prompt for input, even on a terminal'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dash-users;verify'= {
            cand --password-file 'Read the password from a file, or - for stdin [env: DASH_USERS_PASSWORD_FILE]'
            cand --method 'Method of new hashes, to which existing ones are compared: scrypt, scrypt:N:r:p, pbkdf2, pbkdf2:ALGORITHM or pbkdf2:ALGORITHM:ITERATIONS [env: DASH_USERS_METHOD] [default: scrypt]'
            cand -d 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --database 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --format 'Output format'
            cand --color 'When to use color'
            cand --wait 'How long to wait for a database that another program has locked, in seconds'
            cand --upgrade 'Store a new hash if the password is right and the stored hash is outdated'
            cand --explain 'Explain the result, for administrators only'
            cand --password-stdin 'Read the password from stdin (one trailing newline is stripped)'
            cand --json 'Same as --format json'
            cand -q 'Print only results and errors'
            cand --quiet 'Print only results and errors'
            cand --no-pager 'Do not show long output in a pager [env: DASH_USERS_PAGER, PAGER] [default: less]'
            cand --no-input 'Never prompt for input, even on a terminal'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dash-users;rehash'= {
            cand --password-file 'Read the password from a file, or - for stdin [env: DASH_USERS_PASSWORD_FILE]'
            cand --method 'Method of new hashes, to which existing ones are compared: scrypt, scrypt:N:r:p, pbkdf2, pbkdf2:ALGORITHM or pbkdf2:ALGORITHM:ITERATIONS [env: DASH_USERS_METHOD] [default: scrypt]'
            cand -d 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --database 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --format 'Output format'
            cand --color 'When to use color'
            cand --wait 'How long to wait for a database that another program has locked, in seconds'
            cand --plaintext 'Treat stored values as plaintext passwords, and hash them'
            cand --all 'With --plaintext: all users'
            cand --allow-hash-like 'With --plaintext: accept passwords that look like hashes'
            cand --password-stdin 'Read the password from stdin (one trailing newline is stripped)'
            cand --json 'Same as --format json'
            cand -q 'Print only results and errors'
            cand --quiet 'Print only results and errors'
            cand --no-pager 'Do not show long output in a pager [env: DASH_USERS_PAGER, PAGER] [default: less]'
            cand --no-input 'Never prompt for input, even on a terminal'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dash-users;remove'= {
            cand -d 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --database 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --format 'Output format'
            cand --color 'When to use color'
            cand --wait 'How long to wait for a database that another program has locked, in seconds'
            cand -y 'Do not ask for confirmation'
            cand --yes 'Do not ask for confirmation'
            cand --if-exists 'Skip users who do not exist'
            cand --json 'Same as --format json'
            cand -q 'Print only results and errors'
            cand --quiet 'Print only results and errors'
            cand --no-pager 'Do not show long output in a pager [env: DASH_USERS_PAGER, PAGER] [default: less]'
            cand --no-input 'Never prompt for input, even on a terminal'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dash-users;rm'= {
            cand -d 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --database 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --format 'Output format'
            cand --color 'When to use color'
            cand --wait 'How long to wait for a database that another program has locked, in seconds'
            cand -y 'Do not ask for confirmation'
            cand --yes 'Do not ask for confirmation'
            cand --if-exists 'Skip users who do not exist'
            cand --json 'Same as --format json'
            cand -q 'Print only results and errors'
            cand --quiet 'Print only results and errors'
            cand --no-pager 'Do not show long output in a pager [env: DASH_USERS_PAGER, PAGER] [default: less]'
            cand --no-input 'Never prompt for input, even on a terminal'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dash-users;delete'= {
            cand -d 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --database 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --format 'Output format'
            cand --color 'When to use color'
            cand --wait 'How long to wait for a database that another program has locked, in seconds'
            cand -y 'Do not ask for confirmation'
            cand --yes 'Do not ask for confirmation'
            cand --if-exists 'Skip users who do not exist'
            cand --json 'Same as --format json'
            cand -q 'Print only results and errors'
            cand --quiet 'Print only results and errors'
            cand --no-pager 'Do not show long output in a pager [env: DASH_USERS_PAGER, PAGER] [default: less]'
            cand --no-input 'Never prompt for input, even on a terminal'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dash-users;rename'= {
            cand -d 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --database 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --format 'Output format'
            cand --color 'When to use color'
            cand --wait 'How long to wait for a database that another program has locked, in seconds'
            cand --allow-similar 'Allow a username that differs from another only in ASCII case'
            cand --json 'Same as --format json'
            cand -q 'Print only results and errors'
            cand --quiet 'Print only results and errors'
            cand --no-pager 'Do not show long output in a pager [env: DASH_USERS_PAGER, PAGER] [default: less]'
            cand --no-input 'Never prompt for input, even on a terminal'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dash-users;update'= {
            cand --language 'New language, as a BCP 47 tag'
            cand --add-group 'Add the users to a group (repeatable)'
            cand --remove-group 'Remove the users from a group (repeatable)'
            cand -d 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --database 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --format 'Output format'
            cand --color 'When to use color'
            cand --wait 'How long to wait for a database that another program has locked, in seconds'
            cand --json 'Same as --format json'
            cand -q 'Print only results and errors'
            cand --quiet 'Print only results and errors'
            cand --no-pager 'Do not show long output in a pager [env: DASH_USERS_PAGER, PAGER] [default: less]'
            cand --no-input 'Never prompt for input, even on a terminal'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dash-users;lock'= {
            cand -d 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --database 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --format 'Output format'
            cand --color 'When to use color'
            cand --wait 'How long to wait for a database that another program has locked, in seconds'
            cand --json 'Same as --format json'
            cand -q 'Print only results and errors'
            cand --quiet 'Print only results and errors'
            cand --no-pager 'Do not show long output in a pager [env: DASH_USERS_PAGER, PAGER] [default: less]'
            cand --no-input 'Never prompt for input, even on a terminal'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dash-users;unlock'= {
            cand -d 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --database 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --format 'Output format'
            cand --color 'When to use color'
            cand --wait 'How long to wait for a database that another program has locked, in seconds'
            cand --json 'Same as --format json'
            cand -q 'Print only results and errors'
            cand --quiet 'Print only results and errors'
            cand --no-pager 'Do not show long output in a pager [env: DASH_USERS_PAGER, PAGER] [default: less]'
            cand --no-input 'Never prompt for input, even on a terminal'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dash-users;group'= {
            cand -d 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --database 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --format 'Output format'
            cand --color 'When to use color'
            cand --wait 'How long to wait for a database that another program has locked, in seconds'
            cand --json 'Same as --format json'
            cand -q 'Print only results and errors'
            cand --quiet 'Print only results and errors'
            cand --no-pager 'Do not show long output in a pager [env: DASH_USERS_PAGER, PAGER] [default: less]'
            cand --no-input 'Never prompt for input, even on a terminal'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand add 'Add a user to groups'
            cand remove 'Remove a user from groups'
            cand rm 'Remove a user from groups'
            cand list 'List a user''s groups, or all groups with their members'
            cand ls 'List a user''s groups, or all groups with their members'
            cand rename 'Rename a group'
            cand delete 'Delete groups: remove all their members from them'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'dash-users;group;add'= {
            cand -d 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --database 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --format 'Output format'
            cand --color 'When to use color'
            cand --wait 'How long to wait for a database that another program has locked, in seconds'
            cand --json 'Same as --format json'
            cand -q 'Print only results and errors'
            cand --quiet 'Print only results and errors'
            cand --no-pager 'Do not show long output in a pager [env: DASH_USERS_PAGER, PAGER] [default: less]'
            cand --no-input 'Never prompt for input, even on a terminal'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dash-users;group;remove'= {
            cand -d 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --database 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --format 'Output format'
            cand --color 'When to use color'
            cand --wait 'How long to wait for a database that another program has locked, in seconds'
            cand --json 'Same as --format json'
            cand -q 'Print only results and errors'
            cand --quiet 'Print only results and errors'
            cand --no-pager 'Do not show long output in a pager [env: DASH_USERS_PAGER, PAGER] [default: less]'
            cand --no-input 'Never prompt for input, even on a terminal'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dash-users;group;rm'= {
            cand -d 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --database 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --format 'Output format'
            cand --color 'When to use color'
            cand --wait 'How long to wait for a database that another program has locked, in seconds'
            cand --json 'Same as --format json'
            cand -q 'Print only results and errors'
            cand --quiet 'Print only results and errors'
            cand --no-pager 'Do not show long output in a pager [env: DASH_USERS_PAGER, PAGER] [default: less]'
            cand --no-input 'Never prompt for input, even on a terminal'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dash-users;group;list'= {
            cand --group 'Only this group, with its members'
            cand -d 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --database 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --format 'Output format'
            cand --color 'When to use color'
            cand --wait 'How long to wait for a database that another program has locked, in seconds'
            cand --json 'Same as --format json'
            cand -q 'Print only results and errors'
            cand --quiet 'Print only results and errors'
            cand --no-pager 'Do not show long output in a pager [env: DASH_USERS_PAGER, PAGER] [default: less]'
            cand --no-input 'Never prompt for input, even on a terminal'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dash-users;group;ls'= {
            cand --group 'Only this group, with its members'
            cand -d 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --database 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --format 'Output format'
            cand --color 'When to use color'
            cand --wait 'How long to wait for a database that another program has locked, in seconds'
            cand --json 'Same as --format json'
            cand -q 'Print only results and errors'
            cand --quiet 'Print only results and errors'
            cand --no-pager 'Do not show long output in a pager [env: DASH_USERS_PAGER, PAGER] [default: less]'
            cand --no-input 'Never prompt for input, even on a terminal'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dash-users;group;rename'= {
            cand -d 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --database 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --format 'Output format'
            cand --color 'When to use color'
            cand --wait 'How long to wait for a database that another program has locked, in seconds'
            cand --json 'Same as --format json'
            cand -q 'Print only results and errors'
            cand --quiet 'Print only results and errors'
            cand --no-pager 'Do not show long output in a pager [env: DASH_USERS_PAGER, PAGER] [default: less]'
            cand --no-input 'Never prompt for input, even on a terminal'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dash-users;group;delete'= {
            cand -d 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --database 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --format 'Output format'
            cand --color 'When to use color'
            cand --wait 'How long to wait for a database that another program has locked, in seconds'
            cand -y 'Do not ask for confirmation'
            cand --yes 'Do not ask for confirmation'
            cand --json 'Same as --format json'
            cand -q 'Print only results and errors'
            cand --quiet 'Print only results and errors'
            cand --no-pager 'Do not show long output in a pager [env: DASH_USERS_PAGER, PAGER] [default: less]'
            cand --no-input 'Never prompt for input, even on a terminal'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dash-users;group;help'= {
            cand add 'Add a user to groups'
            cand remove 'Remove a user from groups'
            cand list 'List a user''s groups, or all groups with their members'
            cand rename 'Rename a group'
            cand delete 'Delete groups: remove all their members from them'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'dash-users;group;help;add'= {
        }
        &'dash-users;group;help;remove'= {
        }
        &'dash-users;group;help;list'= {
        }
        &'dash-users;group;help;rename'= {
        }
        &'dash-users;group;help;delete'= {
        }
        &'dash-users;group;help;help'= {
        }
        &'dash-users;sessions'= {
            cand -d 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --database 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --format 'Output format'
            cand --color 'When to use color'
            cand --wait 'How long to wait for a database that another program has locked, in seconds'
            cand --json 'Same as --format json'
            cand -q 'Print only results and errors'
            cand --quiet 'Print only results and errors'
            cand --no-pager 'Do not show long output in a pager [env: DASH_USERS_PAGER, PAGER] [default: less]'
            cand --no-input 'Never prompt for input, even on a terminal'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand list 'Show who is logged in'
            cand ls 'Show who is logged in'
            cand end 'End sessions: their next request leads to the login page'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'dash-users;sessions;list'= {
            cand -d 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --database 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --format 'Output format'
            cand --color 'When to use color'
            cand --wait 'How long to wait for a database that another program has locked, in seconds'
            cand --json 'Same as --format json'
            cand -q 'Print only results and errors'
            cand --quiet 'Print only results and errors'
            cand --no-pager 'Do not show long output in a pager [env: DASH_USERS_PAGER, PAGER] [default: less]'
            cand --no-input 'Never prompt for input, even on a terminal'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dash-users;sessions;ls'= {
            cand -d 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --database 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --format 'Output format'
            cand --color 'When to use color'
            cand --wait 'How long to wait for a database that another program has locked, in seconds'
            cand --json 'Same as --format json'
            cand -q 'Print only results and errors'
            cand --quiet 'Print only results and errors'
            cand --no-pager 'Do not show long output in a pager [env: DASH_USERS_PAGER, PAGER] [default: less]'
            cand --no-input 'Never prompt for input, even on a terminal'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dash-users;sessions;end'= {
            cand -d 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --database 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --format 'Output format'
            cand --color 'When to use color'
            cand --wait 'How long to wait for a database that another program has locked, in seconds'
            cand --all 'End the sessions of all users'
            cand --expired 'Delete expired sessions, which apps do by themselves at logins'
            cand --json 'Same as --format json'
            cand -q 'Print only results and errors'
            cand --quiet 'Print only results and errors'
            cand --no-pager 'Do not show long output in a pager [env: DASH_USERS_PAGER, PAGER] [default: less]'
            cand --no-input 'Never prompt for input, even on a terminal'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dash-users;sessions;help'= {
            cand list 'Show who is logged in'
            cand end 'End sessions: their next request leads to the login page'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'dash-users;sessions;help;list'= {
        }
        &'dash-users;sessions;help;end'= {
        }
        &'dash-users;sessions;help;help'= {
        }
        &'dash-users;list'= {
            cand --group 'Only users in this group, or in any of several (repeatable)'
            cand --not-group 'Only users who are not in this group (repeatable)'
            cand --match 'Only users whose name matches, such as ''a*'' or ''*@example.org'''
            cand --password-older-than 'Only users whose password is older than this; unknown is not older'
            cand --created-since 'Only users created at this time or later'
            cand --sort 'Sort order (times: unknown first, then oldest first)'
            cand --limit 'Show at most N users'
            cand --method 'Method of new hashes, to which existing ones are compared: scrypt, scrypt:N:r:p, pbkdf2, pbkdf2:ALGORITHM or pbkdf2:ALGORITHM:ITERATIONS [env: DASH_USERS_METHOD] [default: scrypt]'
            cand -d 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --database 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --format 'Output format'
            cand --color 'When to use color'
            cand --wait 'How long to wait for a database that another program has locked, in seconds'
            cand --outdated 'Only users with an outdated hash'
            cand --locked 'Only locked users'
            cand --unlocked 'Only users who are not locked'
            cand --password-unknown 'Only users whose last password change is unknown'
            cand --reverse 'Reverse the order'
            cand --names 'Print only the usernames, one per line'
            cand --null 'With --names: end each name with NUL instead of a newline, unescaped, for `xargs -0`'
            cand --json 'Same as --format json'
            cand -q 'Print only results and errors'
            cand --quiet 'Print only results and errors'
            cand --no-pager 'Do not show long output in a pager [env: DASH_USERS_PAGER, PAGER] [default: less]'
            cand --no-input 'Never prompt for input, even on a terminal'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dash-users;ls'= {
            cand --group 'Only users in this group, or in any of several (repeatable)'
            cand --not-group 'Only users who are not in this group (repeatable)'
            cand --match 'Only users whose name matches, such as ''a*'' or ''*@example.org'''
            cand --password-older-than 'Only users whose password is older than this; unknown is not older'
            cand --created-since 'Only users created at this time or later'
            cand --sort 'Sort order (times: unknown first, then oldest first)'
            cand --limit 'Show at most N users'
            cand --method 'Method of new hashes, to which existing ones are compared: scrypt, scrypt:N:r:p, pbkdf2, pbkdf2:ALGORITHM or pbkdf2:ALGORITHM:ITERATIONS [env: DASH_USERS_METHOD] [default: scrypt]'
            cand -d 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --database 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --format 'Output format'
            cand --color 'When to use color'
            cand --wait 'How long to wait for a database that another program has locked, in seconds'
            cand --outdated 'Only users with an outdated hash'
            cand --locked 'Only locked users'
            cand --unlocked 'Only users who are not locked'
            cand --password-unknown 'Only users whose last password change is unknown'
            cand --reverse 'Reverse the order'
            cand --names 'Print only the usernames, one per line'
            cand --null 'With --names: end each name with NUL instead of a newline, unescaped, for `xargs -0`'
            cand --json 'Same as --format json'
            cand -q 'Print only results and errors'
            cand --quiet 'Print only results and errors'
            cand --no-pager 'Do not show long output in a pager [env: DASH_USERS_PAGER, PAGER] [default: less]'
            cand --no-input 'Never prompt for input, even on a terminal'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dash-users;show'= {
            cand --method 'Method of new hashes, to which existing ones are compared: scrypt, scrypt:N:r:p, pbkdf2, pbkdf2:ALGORITHM or pbkdf2:ALGORITHM:ITERATIONS [env: DASH_USERS_METHOD] [default: scrypt]'
            cand -d 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --database 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --format 'Output format'
            cand --color 'When to use color'
            cand --wait 'How long to wait for a database that another program has locked, in seconds'
            cand --json 'Same as --format json'
            cand -q 'Print only results and errors'
            cand --quiet 'Print only results and errors'
            cand --no-pager 'Do not show long output in a pager [env: DASH_USERS_PAGER, PAGER] [default: less]'
            cand --no-input 'Never prompt for input, even on a terminal'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dash-users;history'= {
            cand --limit 'Show at most N events'
            cand --since 'Only events at this time or later'
            cand --until 'Only events before this time'
            cand --action 'Only events with this action, such as add or passwd; repeat for several'
            cand --actor 'Only changes by this person (\N: unknown)'
            cand --prune-before 'Delete all events before this time'
            cand -d 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --database 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --format 'Output format'
            cand --color 'When to use color'
            cand --wait 'How long to wait for a database that another program has locked, in seconds'
            cand -y 'With --prune-before: do not ask for confirmation'
            cand --yes 'With --prune-before: do not ask for confirmation'
            cand --json 'Same as --format json'
            cand -q 'Print only results and errors'
            cand --quiet 'Print only results and errors'
            cand --no-pager 'Do not show long output in a pager [env: DASH_USERS_PAGER, PAGER] [default: less]'
            cand --no-input 'Never prompt for input, even on a terminal'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dash-users;check'= {
            cand --ignore 'Do not report findings with this code; repeat for several [env: DASH_USERS_CHECK_IGNORE]'
            cand --min-severity 'Report only findings of this severity or a higher one'
            cand --method 'Method of new hashes, to which existing ones are compared: scrypt, scrypt:N:r:p, pbkdf2, pbkdf2:ALGORITHM or pbkdf2:ALGORITHM:ITERATIONS [env: DASH_USERS_METHOD] [default: scrypt]'
            cand -d 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --database 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --format 'Output format'
            cand --color 'When to use color'
            cand --wait 'How long to wait for a database that another program has locked, in seconds'
            cand --fix 'Restore missing tables and triggers of dash-users, and delete groups that belong to missing or replaced users. Never changes a row of users or the file''s mode'
            cand --unwrap 'With --fix: strip extra text around hashes, such as quotes, and convert PBKDF2 hashes from Django and passlib. Passwords stay the same'
            cand --all 'Show every finding; by default, tables summarize more than ten of a kind'
            cand --json 'Same as --format json'
            cand -q 'Print only results and errors'
            cand --quiet 'Print only results and errors'
            cand --no-pager 'Do not show long output in a pager [env: DASH_USERS_PAGER, PAGER] [default: less]'
            cand --no-input 'Never prompt for input, even on a terminal'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dash-users;info'= {
            cand -d 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --database 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --format 'Output format'
            cand --color 'When to use color'
            cand --wait 'How long to wait for a database that another program has locked, in seconds'
            cand --json 'Same as --format json'
            cand -q 'Print only results and errors'
            cand --quiet 'Print only results and errors'
            cand --no-pager 'Do not show long output in a pager [env: DASH_USERS_PAGER, PAGER] [default: less]'
            cand --no-input 'Never prompt for input, even on a terminal'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dash-users;import'= {
            cand --on-conflict 'What to do with existing users'
            cand --input-format 'Format of the file [default: from its name]'
            cand --delimiter 'Character between CSV cells, or tab [default: detected in the header row]'
            cand --encoding 'Encoding of a text file, such as windows-1252 [default: utf-8, or utf-16 with a byte order mark]'
            cand --column 'Read a field from the column or key with another name (repeatable)'
            cand --generate-missing 'Generate passwords for new users without one, and write them to a new CSV file, or - for stdout'
            cand --jobs 'Threads that hash passwords, 1 to 256 [default: one per core]; they use at most 193 MiB'
            cand --file-mode 'Permissions of a new database file, in octal'
            cand --file-group 'Group of a new database file, by name or number [default: the group of the process]'
            cand --method 'Method of new hashes, to which existing ones are compared: scrypt, scrypt:N:r:p, pbkdf2, pbkdf2:ALGORITHM or pbkdf2:ALGORITHM:ITERATIONS [env: DASH_USERS_METHOD] [default: scrypt]'
            cand -d 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --database 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --format 'Output format'
            cand --color 'When to use color'
            cand --wait 'How long to wait for a database that another program has locked, in seconds'
            cand --ignore-unknown 'Ignore columns and keys that are not fields'
            cand --lock-missing 'Lock new users without a password; run `passwd` and `unlock` later to let them log in'
            cand --as-is 'Accept names, hashes, languages and groups unchecked, exactly as `export` wrote them'
            cand --dry-run 'Show what would be done, without changing anything'
            cand --allow-weak 'Accept weak passwords (under 8 characters, or easy to guess)'
            cand --allow-hash-like 'Accept passwords that look like a digest or a hash of another program'
            cand --allow-similar 'Allow usernames that differ from another only in ASCII case'
            cand --json 'Same as --format json'
            cand -q 'Print only results and errors'
            cand --quiet 'Print only results and errors'
            cand --no-pager 'Do not show long output in a pager [env: DASH_USERS_PAGER, PAGER] [default: less]'
            cand --no-input 'Never prompt for input, even on a terminal'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dash-users;export'= {
            cand --output-format 'Format of the file [default: from its name; on stdout csv, or json with --json]'
            cand -d 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --database 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --format 'Output format'
            cand --color 'When to use color'
            cand --wait 'How long to wait for a database that another program has locked, in seconds'
            cand --without-hashes 'Leave out the password hashes'
            cand --force 'Overwrite an existing file'
            cand --json 'Same as --format json'
            cand -q 'Print only results and errors'
            cand --quiet 'Print only results and errors'
            cand --no-pager 'Do not show long output in a pager [env: DASH_USERS_PAGER, PAGER] [default: less]'
            cand --no-input 'Never prompt for input, even on a terminal'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dash-users;backup'= {
            cand -d 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --database 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --format 'Output format'
            cand --color 'When to use color'
            cand --wait 'How long to wait for a database that another program has locked, in seconds'
            cand --force 'Overwrite an existing backup'
            cand --json 'Same as --format json'
            cand -q 'Print only results and errors'
            cand --quiet 'Print only results and errors'
            cand --no-pager 'Do not show long output in a pager [env: DASH_USERS_PAGER, PAGER] [default: less]'
            cand --no-input 'Never prompt for input, even on a terminal'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dash-users;restore'= {
            cand -d 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --database 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --format 'Output format'
            cand --color 'When to use color'
            cand --wait 'How long to wait for a database that another program has locked, in seconds'
            cand -y 'Do not ask for confirmation'
            cand --yes 'Do not ask for confirmation'
            cand --json 'Same as --format json'
            cand -q 'Print only results and errors'
            cand --quiet 'Print only results and errors'
            cand --no-pager 'Do not show long output in a pager [env: DASH_USERS_PAGER, PAGER] [default: less]'
            cand --no-input 'Never prompt for input, even on a terminal'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dash-users;hash'= {
            cand --hash-file 'File with one hash, or - for stdin (one trailing newline is stripped)'
            cand --password-file 'Read the password from a file, or - for stdin [env: DASH_USERS_PASSWORD_FILE]'
            cand --method 'Method of new hashes, to which existing ones are compared: scrypt, scrypt:N:r:p, pbkdf2, pbkdf2:ALGORITHM or pbkdf2:ALGORITHM:ITERATIONS [env: DASH_USERS_METHOD] [default: scrypt]'
            cand -d 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --database 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --format 'Output format'
            cand --color 'When to use color'
            cand --wait 'How long to wait for a database that another program has locked, in seconds'
            cand --check 'Check the password against the hash in --hash-file'
            cand --password-stdin 'Read the password from stdin (one trailing newline is stripped)'
            cand --generate 'Generate a password and print it once, to stdout'
            cand --allow-weak 'Accept a weak password (under 8 characters, or easy to guess)'
            cand --json 'Same as --format json'
            cand -q 'Print only results and errors'
            cand --quiet 'Print only results and errors'
            cand --no-pager 'Do not show long output in a pager [env: DASH_USERS_PAGER, PAGER] [default: less]'
            cand --no-input 'Never prompt for input, even on a terminal'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dash-users;completions'= {
            cand -d 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --database 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --format 'Output format'
            cand --color 'When to use color'
            cand --wait 'How long to wait for a database that another program has locked, in seconds'
            cand --json 'Same as --format json'
            cand -q 'Print only results and errors'
            cand --quiet 'Print only results and errors'
            cand --no-pager 'Do not show long output in a pager [env: DASH_USERS_PAGER, PAGER] [default: less]'
            cand --no-input 'Never prompt for input, even on a terminal'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dash-users;man'= {
            cand -d 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --database 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --format 'Output format'
            cand --color 'When to use color'
            cand --wait 'How long to wait for a database that another program has locked, in seconds'
            cand --json 'Same as --format json'
            cand -q 'Print only results and errors'
            cand --quiet 'Print only results and errors'
            cand --no-pager 'Do not show long output in a pager [env: DASH_USERS_PAGER, PAGER] [default: less]'
            cand --no-input 'Never prompt for input, even on a terminal'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dash-users;help'= {
            cand init 'Create the database, or update an existing one'
            cand migrate 'Apply pending schema migrations'
            cand seed 'Add missing users from a file, or two demo users'
            cand add 'Add a user'
            cand passwd 'Set a user''s password'
            cand verify 'Check a user''s password, as the app does'
            cand rehash 'Hash a user''s password again, with the current method'
            cand remove 'Remove users'
            cand rename 'Rename a user'
            cand update 'Change the language and groups of users'
            cand lock 'Lock users without changing their passwords'
            cand unlock 'Unlock users and restore their passwords'
            cand group 'Add users to groups, remove them, or list groups'
            cand sessions 'List or end sessions of the login page'
            cand list 'List users, without their hashes'
            cand show 'Show one user, without the hash'
            cand history 'Show who changed what, newest first'
            cand check 'Check the database and its users for problems'
            cand info 'Show which database is in use, and its state'
            cand import 'Add or update users from a file'
            cand export 'Export all users to a file'
            cand backup 'Copy the whole database to a file'
            cand restore 'Replace the database''s contents with a backup'
            cand hash 'Hash a password, or check it against a hash, without a database'
            cand completions 'Print a shell completion script'
            cand man 'Write man pages to a directory'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'dash-users;help;init'= {
        }
        &'dash-users;help;migrate'= {
        }
        &'dash-users;help;seed'= {
        }
        &'dash-users;help;add'= {
        }
        &'dash-users;help;passwd'= {
        }
        &'dash-users;help;verify'= {
        }
        &'dash-users;help;rehash'= {
        }
        &'dash-users;help;remove'= {
        }
        &'dash-users;help;rename'= {
        }
        &'dash-users;help;update'= {
        }
        &'dash-users;help;lock'= {
        }
        &'dash-users;help;unlock'= {
        }
        &'dash-users;help;group'= {
            cand add 'Add a user to groups'
            cand remove 'Remove a user from groups'
            cand list 'List a user''s groups, or all groups with their members'
            cand rename 'Rename a group'
            cand delete 'Delete groups: remove all their members from them'
        }
        &'dash-users;help;group;add'= {
        }
        &'dash-users;help;group;remove'= {
        }
        &'dash-users;help;group;list'= {
        }
        &'dash-users;help;group;rename'= {
        }
        &'dash-users;help;group;delete'= {
        }
        &'dash-users;help;sessions'= {
            cand list 'Show who is logged in'
            cand end 'End sessions: their next request leads to the login page'
        }
        &'dash-users;help;sessions;list'= {
        }
        &'dash-users;help;sessions;end'= {
        }
        &'dash-users;help;list'= {
        }
        &'dash-users;help;show'= {
        }
        &'dash-users;help;history'= {
        }
        &'dash-users;help;check'= {
        }
        &'dash-users;help;info'= {
        }
        &'dash-users;help;import'= {
        }
        &'dash-users;help;export'= {
        }
        &'dash-users;help;backup'= {
        }
        &'dash-users;help;restore'= {
        }
        &'dash-users;help;hash'= {
        }
        &'dash-users;help;completions'= {
        }
        &'dash-users;help;man'= {
        }
        &'dash-users;help;help'= {
        }
    ]
    $completions[$command]
}
