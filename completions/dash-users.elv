
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
            cand -d 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --database 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --format 'How results are written'
            cand --color 'When to use color'
            cand --json 'Short for --format json'
            cand -q 'Write results and errors only'
            cand --quiet 'Write results and errors only'
            cand --no-input 'Never ask, not even on a terminal'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
            cand init 'Create the database, or bring an existing one up to date'
            cand migrate 'Apply pending migrations of the database''s schema'
            cand seed 'Add the users of a file who are missing, or two demo users'
            cand add 'Add a user'
            cand create 'Add a user'
            cand passwd 'Set a new password'
            cand verify 'Check a password as the app does'
            cand rehash 'Store a new hash of the same password'
            cand remove 'Remove users'
            cand rm 'Remove users'
            cand rename 'Give a user another name'
            cand update 'Change what is not a secret: the language'
            cand lock 'Lock users out, and keep their passwords'
            cand unlock 'Let locked users in again, with the passwords they had'
            cand group 'Put users into groups, take them out, or list groups'
            cand list 'List the users, never their hashes'
            cand ls 'List the users, never their hashes'
            cand show 'Show one user, never the hash'
            cand history 'Tell who did what to users, and when, the newest first'
            cand check 'Look for whatever is wrong with the database and its users'
            cand import 'Add or change the users of a file, all or none'
            cand export 'Write all users to a file that `import --as-is` reads back'
            cand backup 'Write a copy of the whole database to a file'
            cand restore 'Put a backup back in the place of all that the database holds'
            cand hash 'Print the hash of a password, or check one, without a database'
            cand completions 'Print a script by which a shell completes commands and names'
            cand man 'Write a man page for each command to a directory'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'dash-users;init'= {
            cand --file-mode 'Permission bits of a new database file, in octal'
            cand --file-group 'Group of a new database file, by name or number; by default that of the process'
            cand -d 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --database 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --format 'How results are written'
            cand --color 'When to use color'
            cand --json 'Short for --format json'
            cand -q 'Write results and errors only'
            cand --quiet 'Write results and errors only'
            cand --no-input 'Never ask, not even on a terminal'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dash-users;migrate'= {
            cand -d 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --database 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --format 'How results are written'
            cand --color 'When to use color'
            cand --status 'List the migrations, applied and pending; status 4 if any is pending'
            cand --dry-run 'Say what would be applied, and change nothing'
            cand --json 'Short for --format json'
            cand -q 'Write results and errors only'
            cand --quiet 'Write results and errors only'
            cand --no-input 'Never ask, not even on a terminal'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dash-users;seed'= {
            cand --input-format 'Format of the file, where its name does not tell'
            cand --generate-missing 'Give each new user without a password a generated one, and write them to a new CSV file'
            cand --jobs 'How many passwords are hashed at once, 1 to 256; by default one per core, all in 192 MiB or one hash'
            cand --file-mode 'Permission bits of a new database file, in octal'
            cand --file-group 'Group of a new database file, by name or number; by default that of the process'
            cand --method 'Hash method: scrypt, scrypt:N:r:p, pbkdf2, pbkdf2:ALGORITHM or pbkdf2:ALGORITHM:ITERATIONS [env: DASH_USERS_METHOD] [default: scrypt]'
            cand -d 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --database 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --format 'How results are written'
            cand --color 'When to use color'
            cand --lock-missing 'Lock each new user without a password; `passwd` and `unlock` let the user in later'
            cand --as-is 'Take names, hashes, languages and groups without judging them, as `export` wrote them'
            cand --dry-run 'Only say what would be done'
            cand --allow-weak 'Take weak passwords: under 8 characters, or easy to guess'
            cand --allow-hash-like 'Take passwords that look like a digest or a hash of another program'
            cand --allow-similar 'Allow names that differ from another one only by ASCII case'
            cand --json 'Short for --format json'
            cand -q 'Write results and errors only'
            cand --quiet 'Write results and errors only'
            cand --no-input 'Never ask, not even on a terminal'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dash-users;add'= {
            cand --language 'The user''s language, a BCP 47 tag'
            cand --group 'Put the user into a group; may be given several times'
            cand --password-file 'Read the password from a file; one line end is taken off [env: DASH_USERS_PASSWORD_FILE]'
            cand --method 'Hash method: scrypt, scrypt:N:r:p, pbkdf2, pbkdf2:ALGORITHM or pbkdf2:ALGORITHM:ITERATIONS [env: DASH_USERS_METHOD] [default: scrypt]'
            cand -d 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --database 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --format 'How results are written'
            cand --color 'When to use color'
            cand --locked 'Lock the user from the start: `unlock` lets the user in'
            cand --if-not-exists 'Change nothing if there is a user of that name'
            cand --allow-similar 'Allow a name that differs from another one only by ASCII case'
            cand --password-stdin 'Read the password from stdin; one line end is taken off'
            cand --generate 'Generate a password, and write it to stdout once'
            cand --allow-weak 'Take a weak password: under 8 characters, or easy to guess'
            cand --json 'Short for --format json'
            cand -q 'Write results and errors only'
            cand --quiet 'Write results and errors only'
            cand --no-input 'Never ask, not even on a terminal'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dash-users;create'= {
            cand --language 'The user''s language, a BCP 47 tag'
            cand --group 'Put the user into a group; may be given several times'
            cand --password-file 'Read the password from a file; one line end is taken off [env: DASH_USERS_PASSWORD_FILE]'
            cand --method 'Hash method: scrypt, scrypt:N:r:p, pbkdf2, pbkdf2:ALGORITHM or pbkdf2:ALGORITHM:ITERATIONS [env: DASH_USERS_METHOD] [default: scrypt]'
            cand -d 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --database 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --format 'How results are written'
            cand --color 'When to use color'
            cand --locked 'Lock the user from the start: `unlock` lets the user in'
            cand --if-not-exists 'Change nothing if there is a user of that name'
            cand --allow-similar 'Allow a name that differs from another one only by ASCII case'
            cand --password-stdin 'Read the password from stdin; one line end is taken off'
            cand --generate 'Generate a password, and write it to stdout once'
            cand --allow-weak 'Take a weak password: under 8 characters, or easy to guess'
            cand --json 'Short for --format json'
            cand -q 'Write results and errors only'
            cand --quiet 'Write results and errors only'
            cand --no-input 'Never ask, not even on a terminal'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dash-users;passwd'= {
            cand --password-file 'Read the password from a file; one line end is taken off [env: DASH_USERS_PASSWORD_FILE]'
            cand --method 'Hash method: scrypt, scrypt:N:r:p, pbkdf2, pbkdf2:ALGORITHM or pbkdf2:ALGORITHM:ITERATIONS [env: DASH_USERS_METHOD] [default: scrypt]'
            cand -d 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --database 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --format 'How results are written'
            cand --color 'When to use color'
            cand --password-stdin 'Read the password from stdin; one line end is taken off'
            cand --generate 'Generate a password, and write it to stdout once'
            cand --allow-weak 'Take a weak password: under 8 characters, or easy to guess'
            cand --json 'Short for --format json'
            cand -q 'Write results and errors only'
            cand --quiet 'Write results and errors only'
            cand --no-input 'Never ask, not even on a terminal'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dash-users;verify'= {
            cand --password-file 'Read the password from a file; one line end is taken off [env: DASH_USERS_PASSWORD_FILE]'
            cand --method 'Hash method: scrypt, scrypt:N:r:p, pbkdf2, pbkdf2:ALGORITHM or pbkdf2:ALGORITHM:ITERATIONS [env: DASH_USERS_METHOD] [default: scrypt]'
            cand -d 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --database 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --format 'How results are written'
            cand --color 'When to use color'
            cand --upgrade 'Store a new hash if the password is right and the stored hash outdated'
            cand --explain 'Tell why, for an administrator''s eyes'
            cand --password-stdin 'Read the password from stdin; one line end is taken off'
            cand --json 'Short for --format json'
            cand -q 'Write results and errors only'
            cand --quiet 'Write results and errors only'
            cand --no-input 'Never ask, not even on a terminal'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dash-users;rehash'= {
            cand --password-file 'Read the password from a file; one line end is taken off [env: DASH_USERS_PASSWORD_FILE]'
            cand --method 'Hash method: scrypt, scrypt:N:r:p, pbkdf2, pbkdf2:ALGORITHM or pbkdf2:ALGORITHM:ITERATIONS [env: DASH_USERS_METHOD] [default: scrypt]'
            cand -d 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --database 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --format 'How results are written'
            cand --color 'When to use color'
            cand --plaintext 'Take the stored value for a clear password'
            cand --all 'With --plaintext: all users'
            cand --allow-hash-like 'With --plaintext: accept passwords that look like a hash'
            cand --password-stdin 'Read the password from stdin; one line end is taken off'
            cand --json 'Short for --format json'
            cand -q 'Write results and errors only'
            cand --quiet 'Write results and errors only'
            cand --no-input 'Never ask, not even on a terminal'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dash-users;remove'= {
            cand -d 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --database 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --format 'How results are written'
            cand --color 'When to use color'
            cand -y 'Do not ask'
            cand --yes 'Do not ask'
            cand --if-exists 'Pass over those who are not there'
            cand --json 'Short for --format json'
            cand -q 'Write results and errors only'
            cand --quiet 'Write results and errors only'
            cand --no-input 'Never ask, not even on a terminal'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dash-users;rm'= {
            cand -d 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --database 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --format 'How results are written'
            cand --color 'When to use color'
            cand -y 'Do not ask'
            cand --yes 'Do not ask'
            cand --if-exists 'Pass over those who are not there'
            cand --json 'Short for --format json'
            cand -q 'Write results and errors only'
            cand --quiet 'Write results and errors only'
            cand --no-input 'Never ask, not even on a terminal'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dash-users;rename'= {
            cand -d 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --database 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --format 'How results are written'
            cand --color 'When to use color'
            cand --allow-similar 'Allow a name that differs from another user''s only by ASCII case'
            cand --json 'Short for --format json'
            cand -q 'Write results and errors only'
            cand --quiet 'Write results and errors only'
            cand --no-input 'Never ask, not even on a terminal'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dash-users;update'= {
            cand --language 'The new language, a BCP 47 tag'
            cand -d 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --database 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --format 'How results are written'
            cand --color 'When to use color'
            cand --json 'Short for --format json'
            cand -q 'Write results and errors only'
            cand --quiet 'Write results and errors only'
            cand --no-input 'Never ask, not even on a terminal'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dash-users;lock'= {
            cand -d 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --database 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --format 'How results are written'
            cand --color 'When to use color'
            cand --json 'Short for --format json'
            cand -q 'Write results and errors only'
            cand --quiet 'Write results and errors only'
            cand --no-input 'Never ask, not even on a terminal'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dash-users;unlock'= {
            cand -d 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --database 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --format 'How results are written'
            cand --color 'When to use color'
            cand --json 'Short for --format json'
            cand -q 'Write results and errors only'
            cand --quiet 'Write results and errors only'
            cand --no-input 'Never ask, not even on a terminal'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dash-users;group'= {
            cand -d 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --database 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --format 'How results are written'
            cand --color 'When to use color'
            cand --json 'Short for --format json'
            cand -q 'Write results and errors only'
            cand --quiet 'Write results and errors only'
            cand --no-input 'Never ask, not even on a terminal'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand add 'Put a user into groups'
            cand remove 'Take a user out of groups'
            cand rm 'Take a user out of groups'
            cand list 'List a user''s groups, or all groups and who is in them'
            cand ls 'List a user''s groups, or all groups and who is in them'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'dash-users;group;add'= {
            cand -d 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --database 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --format 'How results are written'
            cand --color 'When to use color'
            cand --json 'Short for --format json'
            cand -q 'Write results and errors only'
            cand --quiet 'Write results and errors only'
            cand --no-input 'Never ask, not even on a terminal'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dash-users;group;remove'= {
            cand -d 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --database 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --format 'How results are written'
            cand --color 'When to use color'
            cand --json 'Short for --format json'
            cand -q 'Write results and errors only'
            cand --quiet 'Write results and errors only'
            cand --no-input 'Never ask, not even on a terminal'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dash-users;group;rm'= {
            cand -d 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --database 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --format 'How results are written'
            cand --color 'When to use color'
            cand --json 'Short for --format json'
            cand -q 'Write results and errors only'
            cand --quiet 'Write results and errors only'
            cand --no-input 'Never ask, not even on a terminal'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dash-users;group;list'= {
            cand -d 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --database 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --format 'How results are written'
            cand --color 'When to use color'
            cand --json 'Short for --format json'
            cand -q 'Write results and errors only'
            cand --quiet 'Write results and errors only'
            cand --no-input 'Never ask, not even on a terminal'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dash-users;group;ls'= {
            cand -d 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --database 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --format 'How results are written'
            cand --color 'When to use color'
            cand --json 'Short for --format json'
            cand -q 'Write results and errors only'
            cand --quiet 'Write results and errors only'
            cand --no-input 'Never ask, not even on a terminal'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dash-users;group;help'= {
            cand add 'Put a user into groups'
            cand remove 'Take a user out of groups'
            cand list 'List a user''s groups, or all groups and who is in them'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'dash-users;group;help;add'= {
        }
        &'dash-users;group;help;remove'= {
        }
        &'dash-users;group;help;list'= {
        }
        &'dash-users;group;help;help'= {
        }
        &'dash-users;list'= {
            cand --group 'Only users in this group'
            cand --sort 'In which order; the oldest time is the first, and unknown ones are before it'
            cand --method 'Hash method: scrypt, scrypt:N:r:p, pbkdf2, pbkdf2:ALGORITHM or pbkdf2:ALGORITHM:ITERATIONS [env: DASH_USERS_METHOD] [default: scrypt]'
            cand -d 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --database 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --format 'How results are written'
            cand --color 'When to use color'
            cand --outdated 'Only users with an outdated hash'
            cand --locked 'Only locked users'
            cand --json 'Short for --format json'
            cand -q 'Write results and errors only'
            cand --quiet 'Write results and errors only'
            cand --no-input 'Never ask, not even on a terminal'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dash-users;ls'= {
            cand --group 'Only users in this group'
            cand --sort 'In which order; the oldest time is the first, and unknown ones are before it'
            cand --method 'Hash method: scrypt, scrypt:N:r:p, pbkdf2, pbkdf2:ALGORITHM or pbkdf2:ALGORITHM:ITERATIONS [env: DASH_USERS_METHOD] [default: scrypt]'
            cand -d 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --database 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --format 'How results are written'
            cand --color 'When to use color'
            cand --outdated 'Only users with an outdated hash'
            cand --locked 'Only locked users'
            cand --json 'Short for --format json'
            cand -q 'Write results and errors only'
            cand --quiet 'Write results and errors only'
            cand --no-input 'Never ask, not even on a terminal'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dash-users;show'= {
            cand --method 'Hash method: scrypt, scrypt:N:r:p, pbkdf2, pbkdf2:ALGORITHM or pbkdf2:ALGORITHM:ITERATIONS [env: DASH_USERS_METHOD] [default: scrypt]'
            cand -d 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --database 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --format 'How results are written'
            cand --color 'When to use color'
            cand --json 'Short for --format json'
            cand -q 'Write results and errors only'
            cand --quiet 'Write results and errors only'
            cand --no-input 'Never ask, not even on a terminal'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dash-users;history'= {
            cand --limit 'At most so many events'
            cand -d 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --database 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --format 'How results are written'
            cand --color 'When to use color'
            cand --json 'Short for --format json'
            cand -q 'Write results and errors only'
            cand --quiet 'Write results and errors only'
            cand --no-input 'Never ask, not even on a terminal'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dash-users;check'= {
            cand --method 'Hash method: scrypt, scrypt:N:r:p, pbkdf2, pbkdf2:ALGORITHM or pbkdf2:ALGORITHM:ITERATIONS [env: DASH_USERS_METHOD] [default: scrypt]'
            cand -d 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --database 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --format 'How results are written'
            cand --color 'When to use color'
            cand --fix 'Put back what is missing of dash-users'' own tables and triggers, and drop groups of users who are not there. Never changes a user or the file''s mode'
            cand --unwrap 'With --fix: restore hashes that have something around them, such as quotes, and convert PBKDF2 hashes of Django and passlib; passwords stay the same'
            cand --all 'Show every finding: without it, more than ten of a kind are summed up for people'
            cand --json 'Short for --format json'
            cand -q 'Write results and errors only'
            cand --quiet 'Write results and errors only'
            cand --no-input 'Never ask, not even on a terminal'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dash-users;import'= {
            cand --on-conflict 'What to do about users who exist already'
            cand --input-format 'Format of the file, where its name does not tell'
            cand --generate-missing 'Give each new user without a password a generated one, and write them to a new CSV file'
            cand --jobs 'How many passwords are hashed at once, 1 to 256; by default one per core, all in 192 MiB or one hash'
            cand --file-mode 'Permission bits of a new database file, in octal'
            cand --file-group 'Group of a new database file, by name or number; by default that of the process'
            cand --method 'Hash method: scrypt, scrypt:N:r:p, pbkdf2, pbkdf2:ALGORITHM or pbkdf2:ALGORITHM:ITERATIONS [env: DASH_USERS_METHOD] [default: scrypt]'
            cand -d 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --database 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --format 'How results are written'
            cand --color 'When to use color'
            cand --lock-missing 'Lock each new user without a password; `passwd` and `unlock` let the user in later'
            cand --as-is 'Take names, hashes, languages and groups without judging them, as `export` wrote them'
            cand --dry-run 'Only say what would be done'
            cand --allow-weak 'Take weak passwords: under 8 characters, or easy to guess'
            cand --allow-hash-like 'Take passwords that look like a digest or a hash of another program'
            cand --allow-similar 'Allow names that differ from another one only by ASCII case'
            cand --json 'Short for --format json'
            cand -q 'Write results and errors only'
            cand --quiet 'Write results and errors only'
            cand --no-input 'Never ask, not even on a terminal'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dash-users;export'= {
            cand --output-format 'Format of the file, where its name does not tell; on stdout csv, or json with --json'
            cand -d 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --database 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --format 'How results are written'
            cand --color 'When to use color'
            cand --without-hashes 'Leave the password hashes out'
            cand --force 'Replace an existing file'
            cand --json 'Short for --format json'
            cand -q 'Write results and errors only'
            cand --quiet 'Write results and errors only'
            cand --no-input 'Never ask, not even on a terminal'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dash-users;backup'= {
            cand -d 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --database 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --format 'How results are written'
            cand --color 'When to use color'
            cand --force 'Replace an older backup'
            cand --json 'Short for --format json'
            cand -q 'Write results and errors only'
            cand --quiet 'Write results and errors only'
            cand --no-input 'Never ask, not even on a terminal'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dash-users;restore'= {
            cand -d 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --database 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --format 'How results are written'
            cand --color 'When to use color'
            cand -y 'Do not ask'
            cand --yes 'Do not ask'
            cand --json 'Short for --format json'
            cand -q 'Write results and errors only'
            cand --quiet 'Write results and errors only'
            cand --no-input 'Never ask, not even on a terminal'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dash-users;hash'= {
            cand --hash-file 'A file with one hash; one line end is taken off'
            cand --password-file 'Read the password from a file; one line end is taken off [env: DASH_USERS_PASSWORD_FILE]'
            cand --method 'Hash method: scrypt, scrypt:N:r:p, pbkdf2, pbkdf2:ALGORITHM or pbkdf2:ALGORITHM:ITERATIONS [env: DASH_USERS_METHOD] [default: scrypt]'
            cand -d 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --database 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --format 'How results are written'
            cand --color 'When to use color'
            cand --check 'Check the password against the hash in --hash-file'
            cand --password-stdin 'Read the password from stdin; one line end is taken off'
            cand --generate 'Generate a password, and write it to stdout once'
            cand --allow-weak 'Take a weak password: under 8 characters, or easy to guess'
            cand --json 'Short for --format json'
            cand -q 'Write results and errors only'
            cand --quiet 'Write results and errors only'
            cand --no-input 'Never ask, not even on a terminal'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dash-users;completions'= {
            cand -d 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --database 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --format 'How results are written'
            cand --color 'When to use color'
            cand --json 'Short for --format json'
            cand -q 'Write results and errors only'
            cand --quiet 'Write results and errors only'
            cand --no-input 'Never ask, not even on a terminal'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dash-users;man'= {
            cand -d 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --database 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]'
            cand --format 'How results are written'
            cand --color 'When to use color'
            cand --json 'Short for --format json'
            cand -q 'Write results and errors only'
            cand --quiet 'Write results and errors only'
            cand --no-input 'Never ask, not even on a terminal'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dash-users;help'= {
            cand init 'Create the database, or bring an existing one up to date'
            cand migrate 'Apply pending migrations of the database''s schema'
            cand seed 'Add the users of a file who are missing, or two demo users'
            cand add 'Add a user'
            cand passwd 'Set a new password'
            cand verify 'Check a password as the app does'
            cand rehash 'Store a new hash of the same password'
            cand remove 'Remove users'
            cand rename 'Give a user another name'
            cand update 'Change what is not a secret: the language'
            cand lock 'Lock users out, and keep their passwords'
            cand unlock 'Let locked users in again, with the passwords they had'
            cand group 'Put users into groups, take them out, or list groups'
            cand list 'List the users, never their hashes'
            cand show 'Show one user, never the hash'
            cand history 'Tell who did what to users, and when, the newest first'
            cand check 'Look for whatever is wrong with the database and its users'
            cand import 'Add or change the users of a file, all or none'
            cand export 'Write all users to a file that `import --as-is` reads back'
            cand backup 'Write a copy of the whole database to a file'
            cand restore 'Put a backup back in the place of all that the database holds'
            cand hash 'Print the hash of a password, or check one, without a database'
            cand completions 'Print a script by which a shell completes commands and names'
            cand man 'Write a man page for each command to a directory'
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
            cand add 'Put a user into groups'
            cand remove 'Take a user out of groups'
            cand list 'List a user''s groups, or all groups and who is in them'
        }
        &'dash-users;help;group;add'= {
        }
        &'dash-users;help;group;remove'= {
        }
        &'dash-users;help;group;list'= {
        }
        &'dash-users;help;list'= {
        }
        &'dash-users;help;show'= {
        }
        &'dash-users;help;history'= {
        }
        &'dash-users;help;check'= {
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
