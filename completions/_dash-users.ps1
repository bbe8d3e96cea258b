
using namespace System.Management.Automation
using namespace System.Management.Automation.Language

Register-ArgumentCompleter -Native -CommandName 'dash-users' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $commandElements = $commandAst.CommandElements
    $command = @(
        'dash-users'
        for ($i = 1; $i -lt $commandElements.Count; $i++) {
            $element = $commandElements[$i]
            if ($element -isnot [StringConstantExpressionAst] -or
                $element.StringConstantType -ne [StringConstantType]::BareWord -or
                $element.Value.StartsWith('-') -or
                $element.Value -eq $wordToComplete) {
                break
        }
        $element.Value
    }) -join ';'

    $completions = @(switch ($command) {
        'dash-users' {
            [CompletionResult]::new('-d', '-d', [CompletionResultType]::ParameterName, 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--database', '--database', [CompletionResultType]::ParameterName, 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use color')
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'How long to wait for a database that another program has locked, in seconds')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Same as --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only results and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only results and errors')
            [CompletionResult]::new('--no-pager', '--no-pager', [CompletionResultType]::ParameterName, 'Do not show long output in a pager [env: DASH_USERS_PAGER, PAGER] [default: less]')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never prompt for input, even on a terminal')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('init', 'init', [CompletionResultType]::ParameterValue, 'Create the database, or update an existing one')
            [CompletionResult]::new('migrate', 'migrate', [CompletionResultType]::ParameterValue, 'Apply pending schema migrations')
            [CompletionResult]::new('seed', 'seed', [CompletionResultType]::ParameterValue, 'Add missing users from a file, or two demo users')
            [CompletionResult]::new('add', 'add', [CompletionResultType]::ParameterValue, 'Add a user')
            [CompletionResult]::new('create', 'create', [CompletionResultType]::ParameterValue, 'Add a user')
            [CompletionResult]::new('passwd', 'passwd', [CompletionResultType]::ParameterValue, 'Set a user''s password')
            [CompletionResult]::new('verify', 'verify', [CompletionResultType]::ParameterValue, 'Check a user''s password, as the app does')
            [CompletionResult]::new('rehash', 'rehash', [CompletionResultType]::ParameterValue, 'Hash a user''s password again, with the current method')
            [CompletionResult]::new('remove', 'remove', [CompletionResultType]::ParameterValue, 'Remove users')
            [CompletionResult]::new('rm', 'rm', [CompletionResultType]::ParameterValue, 'Remove users')
            [CompletionResult]::new('delete', 'delete', [CompletionResultType]::ParameterValue, 'Remove users')
            [CompletionResult]::new('rename', 'rename', [CompletionResultType]::ParameterValue, 'Rename a user')
            [CompletionResult]::new('update', 'update', [CompletionResultType]::ParameterValue, 'Change the language and groups of users')
            [CompletionResult]::new('lock', 'lock', [CompletionResultType]::ParameterValue, 'Lock users without changing their passwords')
            [CompletionResult]::new('unlock', 'unlock', [CompletionResultType]::ParameterValue, 'Unlock users and restore their passwords')
            [CompletionResult]::new('group', 'group', [CompletionResultType]::ParameterValue, 'Add users to groups, remove them, or list groups')
            [CompletionResult]::new('sessions', 'sessions', [CompletionResultType]::ParameterValue, 'List or end sessions of the login page')
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List users, without their hashes')
            [CompletionResult]::new('ls', 'ls', [CompletionResultType]::ParameterValue, 'List users, without their hashes')
            [CompletionResult]::new('show', 'show', [CompletionResultType]::ParameterValue, 'Show one user, without the hash')
            [CompletionResult]::new('history', 'history', [CompletionResultType]::ParameterValue, 'Show who changed what, newest first')
            [CompletionResult]::new('check', 'check', [CompletionResultType]::ParameterValue, 'Check the database and its users for problems')
            [CompletionResult]::new('info', 'info', [CompletionResultType]::ParameterValue, 'Show which database is in use, and its state')
            [CompletionResult]::new('import', 'import', [CompletionResultType]::ParameterValue, 'Add or update users from a file')
            [CompletionResult]::new('export', 'export', [CompletionResultType]::ParameterValue, 'Export all users to a file')
            [CompletionResult]::new('backup', 'backup', [CompletionResultType]::ParameterValue, 'Copy the whole database to a file')
            [CompletionResult]::new('restore', 'restore', [CompletionResultType]::ParameterValue, 'Replace the database''s contents with a backup')
            [CompletionResult]::new('hash', 'hash', [CompletionResultType]::ParameterValue, 'Hash a password, or check it against a hash, without a database')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Print a shell completion script')
            [CompletionResult]::new('man', 'man', [CompletionResultType]::ParameterValue, 'Write man pages to a directory')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'dash-users;init' {
            [CompletionResult]::new('--add-language', '--add-language', [CompletionResultType]::ParameterName, 'Add a column language to the app''s table, if it has none, with this value in all rows [default: en]. An INSERT of the app that does not name its columns fails afterwards')
            [CompletionResult]::new('--file-mode', '--file-mode', [CompletionResultType]::ParameterName, 'Permissions of a new database file, in octal')
            [CompletionResult]::new('--file-group', '--file-group', [CompletionResultType]::ParameterName, 'Group of a new database file, by name or number [default: the group of the process]')
            [CompletionResult]::new('-d', '-d', [CompletionResultType]::ParameterName, 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--database', '--database', [CompletionResultType]::ParameterName, 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use color')
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'How long to wait for a database that another program has locked, in seconds')
            [CompletionResult]::new('--add-unique-index', '--add-unique-index', [CompletionResultType]::ParameterName, 'Add a unique index on username to the app''s table, if it has none')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Same as --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only results and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only results and errors')
            [CompletionResult]::new('--no-pager', '--no-pager', [CompletionResultType]::ParameterName, 'Do not show long output in a pager [env: DASH_USERS_PAGER, PAGER] [default: less]')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never prompt for input, even on a terminal')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'dash-users;migrate' {
            [CompletionResult]::new('-d', '-d', [CompletionResultType]::ParameterName, 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--database', '--database', [CompletionResultType]::ParameterName, 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use color')
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'How long to wait for a database that another program has locked, in seconds')
            [CompletionResult]::new('--status', '--status', [CompletionResultType]::ParameterName, 'List applied and pending migrations (exit code 4 if any is pending)')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Show what would be done, without changing anything')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Same as --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only results and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only results and errors')
            [CompletionResult]::new('--no-pager', '--no-pager', [CompletionResultType]::ParameterName, 'Do not show long output in a pager [env: DASH_USERS_PAGER, PAGER] [default: less]')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never prompt for input, even on a terminal')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'dash-users;seed' {
            [CompletionResult]::new('--input-format', '--input-format', [CompletionResultType]::ParameterName, 'Format of the file [default: from its name]')
            [CompletionResult]::new('--delimiter', '--delimiter', [CompletionResultType]::ParameterName, 'Character between CSV cells, or tab [default: detected in the header row]')
            [CompletionResult]::new('--encoding', '--encoding', [CompletionResultType]::ParameterName, 'Encoding of a text file, such as windows-1252 [default: utf-8, or utf-16 with a byte order mark]')
            [CompletionResult]::new('--column', '--column', [CompletionResultType]::ParameterName, 'Read a field from the column or key with another name (repeatable)')
            [CompletionResult]::new('--generate-missing', '--generate-missing', [CompletionResultType]::ParameterName, 'Generate passwords for new users without one, and write them to a new CSV file, or - for stdout')
            [CompletionResult]::new('--jobs', '--jobs', [CompletionResultType]::ParameterName, 'Threads that hash passwords, 1 to 256 [default: one per core]; they use at most 193 MiB')
            [CompletionResult]::new('--file-mode', '--file-mode', [CompletionResultType]::ParameterName, 'Permissions of a new database file, in octal')
            [CompletionResult]::new('--file-group', '--file-group', [CompletionResultType]::ParameterName, 'Group of a new database file, by name or number [default: the group of the process]')
            [CompletionResult]::new('--method', '--method', [CompletionResultType]::ParameterName, 'Method of new hashes, to which existing ones are compared: scrypt, scrypt:N:r:p, pbkdf2, pbkdf2:ALGORITHM or pbkdf2:ALGORITHM:ITERATIONS [env: DASH_USERS_METHOD] [default: scrypt]')
            [CompletionResult]::new('-d', '-d', [CompletionResultType]::ParameterName, 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--database', '--database', [CompletionResultType]::ParameterName, 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use color')
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'How long to wait for a database that another program has locked, in seconds')
            [CompletionResult]::new('--sync', '--sync', [CompletionResultType]::ParameterName, 'Update the language and groups of existing users too')
            [CompletionResult]::new('--sync-passwords', '--sync-passwords', [CompletionResultType]::ParameterName, 'Update the passwords of existing users too; an equal password keeps its hash')
            [CompletionResult]::new('--prune', '--prune', [CompletionResultType]::ParameterName, 'Remove users that the file does not list')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Do not ask for confirmation')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Do not ask for confirmation')
            [CompletionResult]::new('--ignore-unknown', '--ignore-unknown', [CompletionResultType]::ParameterName, 'Ignore columns and keys that are not fields')
            [CompletionResult]::new('--lock-missing', '--lock-missing', [CompletionResultType]::ParameterName, 'Lock new users without a password; run `passwd` and `unlock` later to let them log in')
            [CompletionResult]::new('--as-is', '--as-is', [CompletionResultType]::ParameterName, 'Accept names, hashes, languages and groups unchecked, exactly as `export` wrote them')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Show what would be done, without changing anything')
            [CompletionResult]::new('--allow-weak', '--allow-weak', [CompletionResultType]::ParameterName, 'Accept weak passwords (under 8 characters, or easy to guess)')
            [CompletionResult]::new('--allow-hash-like', '--allow-hash-like', [CompletionResultType]::ParameterName, 'Accept passwords that look like a digest or a hash of another program')
            [CompletionResult]::new('--allow-similar', '--allow-similar', [CompletionResultType]::ParameterName, 'Allow usernames that differ from another only in ASCII case')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Same as --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only results and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only results and errors')
            [CompletionResult]::new('--no-pager', '--no-pager', [CompletionResultType]::ParameterName, 'Do not show long output in a pager [env: DASH_USERS_PAGER, PAGER] [default: less]')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never prompt for input, even on a terminal')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'dash-users;add' {
            [CompletionResult]::new('--language', '--language', [CompletionResultType]::ParameterName, 'Language of the user, as a BCP 47 tag')
            [CompletionResult]::new('--group', '--group', [CompletionResultType]::ParameterName, 'Add the user to a group (repeatable)')
            [CompletionResult]::new('--password-file', '--password-file', [CompletionResultType]::ParameterName, 'Read the password from a file, or - for stdin [env: DASH_USERS_PASSWORD_FILE]')
            [CompletionResult]::new('--method', '--method', [CompletionResultType]::ParameterName, 'Method of new hashes, to which existing ones are compared: scrypt, scrypt:N:r:p, pbkdf2, pbkdf2:ALGORITHM or pbkdf2:ALGORITHM:ITERATIONS [env: DASH_USERS_METHOD] [default: scrypt]')
            [CompletionResult]::new('-d', '-d', [CompletionResultType]::ParameterName, 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--database', '--database', [CompletionResultType]::ParameterName, 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use color')
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'How long to wait for a database that another program has locked, in seconds')
            [CompletionResult]::new('--locked', '--locked', [CompletionResultType]::ParameterName, 'Add the user locked; run `unlock` to allow logins')
            [CompletionResult]::new('--if-not-exists', '--if-not-exists', [CompletionResultType]::ParameterName, 'Do nothing if the user already exists')
            [CompletionResult]::new('--allow-similar', '--allow-similar', [CompletionResultType]::ParameterName, 'Allow a username that differs from another only in ASCII case')
            [CompletionResult]::new('--password-stdin', '--password-stdin', [CompletionResultType]::ParameterName, 'Read the password from stdin (one trailing newline is stripped)')
            [CompletionResult]::new('--generate', '--generate', [CompletionResultType]::ParameterName, 'Generate a password and print it once, to stdout')
            [CompletionResult]::new('--allow-weak', '--allow-weak', [CompletionResultType]::ParameterName, 'Accept a weak password (under 8 characters, or easy to guess)')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Same as --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only results and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only results and errors')
            [CompletionResult]::new('--no-pager', '--no-pager', [CompletionResultType]::ParameterName, 'Do not show long output in a pager [env: DASH_USERS_PAGER, PAGER] [default: less]')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never prompt for input, even on a terminal')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'dash-users;create' {
            [CompletionResult]::new('--language', '--language', [CompletionResultType]::ParameterName, 'Language of the user, as a BCP 47 tag')
            [CompletionResult]::new('--group', '--group', [CompletionResultType]::ParameterName, 'Add the user to a group (repeatable)')
            [CompletionResult]::new('--password-file', '--password-file', [CompletionResultType]::ParameterName, 'Read the password from a file, or - for stdin [env: DASH_USERS_PASSWORD_FILE]')
            [CompletionResult]::new('--method', '--method', [CompletionResultType]::ParameterName, 'Method of new hashes, to which existing ones are compared: scrypt, scrypt:N:r:p, pbkdf2, pbkdf2:ALGORITHM or pbkdf2:ALGORITHM:ITERATIONS [env: DASH_USERS_METHOD] [default: scrypt]')
            [CompletionResult]::new('-d', '-d', [CompletionResultType]::ParameterName, 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--database', '--database', [CompletionResultType]::ParameterName, 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use color')
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'How long to wait for a database that another program has locked, in seconds')
            [CompletionResult]::new('--locked', '--locked', [CompletionResultType]::ParameterName, 'Add the user locked; run `unlock` to allow logins')
            [CompletionResult]::new('--if-not-exists', '--if-not-exists', [CompletionResultType]::ParameterName, 'Do nothing if the user already exists')
            [CompletionResult]::new('--allow-similar', '--allow-similar', [CompletionResultType]::ParameterName, 'Allow a username that differs from another only in ASCII case')
            [CompletionResult]::new('--password-stdin', '--password-stdin', [CompletionResultType]::ParameterName, 'Read the password from stdin (one trailing newline is stripped)')
            [CompletionResult]::new('--generate', '--generate', [CompletionResultType]::ParameterName, 'Generate a password and print it once, to stdout')
            [CompletionResult]::new('--allow-weak', '--allow-weak', [CompletionResultType]::ParameterName, 'Accept a weak password (under 8 characters, or easy to guess)')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Same as --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only results and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only results and errors')
            [CompletionResult]::new('--no-pager', '--no-pager', [CompletionResultType]::ParameterName, 'Do not show long output in a pager [env: DASH_USERS_PAGER, PAGER] [default: less]')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never prompt for input, even on a terminal')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'dash-users;passwd' {
            [CompletionResult]::new('--password-file', '--password-file', [CompletionResultType]::ParameterName, 'Read the password from a file, or - for stdin [env: DASH_USERS_PASSWORD_FILE]')
            [CompletionResult]::new('--method', '--method', [CompletionResultType]::ParameterName, 'Method of new hashes, to which existing ones are compared: scrypt, scrypt:N:r:p, pbkdf2, pbkdf2:ALGORITHM or pbkdf2:ALGORITHM:ITERATIONS [env: DASH_USERS_METHOD] [default: scrypt]')
            [CompletionResult]::new('-d', '-d', [CompletionResultType]::ParameterName, 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--database', '--database', [CompletionResultType]::ParameterName, 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use color')
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'How long to wait for a database that another program has locked, in seconds')
            [CompletionResult]::new('--if-different', '--if-different', [CompletionResultType]::ParameterName, 'Do nothing if the user already has this password')
            [CompletionResult]::new('--password-stdin', '--password-stdin', [CompletionResultType]::ParameterName, 'Read the password from stdin (one trailing newline is stripped)')
            [CompletionResult]::new('--generate', '--generate', [CompletionResultType]::ParameterName, 'Generate a password and print it once, to stdout')
            [CompletionResult]::new('--allow-weak', '--allow-weak', [CompletionResultType]::ParameterName, 'Accept a weak password (under 8 characters, or easy to guess)')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Same as --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only results and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only results and errors')
            [CompletionResult]::new('--no-pager', '--no-pager', [CompletionResultType]::ParameterName, 'Do not show long output in a pager [env: DASH_USERS_PAGER, PAGER] [default: less]')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never prompt for input, even on a terminal')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'dash-users;verify' {
            [CompletionResult]::new('--password-file', '--password-file', [CompletionResultType]::ParameterName, 'Read the password from a file, or - for stdin [env: DASH_USERS_PASSWORD_FILE]')
            [CompletionResult]::new('--method', '--method', [CompletionResultType]::ParameterName, 'Method of new hashes, to which existing ones are compared: scrypt, scrypt:N:r:p, pbkdf2, pbkdf2:ALGORITHM or pbkdf2:ALGORITHM:ITERATIONS [env: DASH_USERS_METHOD] [default: scrypt]')
            [CompletionResult]::new('-d', '-d', [CompletionResultType]::ParameterName, 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--database', '--database', [CompletionResultType]::ParameterName, 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use color')
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'How long to wait for a database that another program has locked, in seconds')
            [CompletionResult]::new('--upgrade', '--upgrade', [CompletionResultType]::ParameterName, 'Store a new hash if the password is right and the stored hash is outdated')
            [CompletionResult]::new('--explain', '--explain', [CompletionResultType]::ParameterName, 'Explain the result, for administrators only')
            [CompletionResult]::new('--password-stdin', '--password-stdin', [CompletionResultType]::ParameterName, 'Read the password from stdin (one trailing newline is stripped)')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Same as --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only results and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only results and errors')
            [CompletionResult]::new('--no-pager', '--no-pager', [CompletionResultType]::ParameterName, 'Do not show long output in a pager [env: DASH_USERS_PAGER, PAGER] [default: less]')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never prompt for input, even on a terminal')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'dash-users;rehash' {
            [CompletionResult]::new('--password-file', '--password-file', [CompletionResultType]::ParameterName, 'Read the password from a file, or - for stdin [env: DASH_USERS_PASSWORD_FILE]')
            [CompletionResult]::new('--method', '--method', [CompletionResultType]::ParameterName, 'Method of new hashes, to which existing ones are compared: scrypt, scrypt:N:r:p, pbkdf2, pbkdf2:ALGORITHM or pbkdf2:ALGORITHM:ITERATIONS [env: DASH_USERS_METHOD] [default: scrypt]')
            [CompletionResult]::new('-d', '-d', [CompletionResultType]::ParameterName, 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--database', '--database', [CompletionResultType]::ParameterName, 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use color')
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'How long to wait for a database that another program has locked, in seconds')
            [CompletionResult]::new('--plaintext', '--plaintext', [CompletionResultType]::ParameterName, 'Treat stored values as plaintext passwords, and hash them')
            [CompletionResult]::new('--all', '--all', [CompletionResultType]::ParameterName, 'With --plaintext: all users')
            [CompletionResult]::new('--allow-hash-like', '--allow-hash-like', [CompletionResultType]::ParameterName, 'With --plaintext: accept passwords that look like hashes')
            [CompletionResult]::new('--password-stdin', '--password-stdin', [CompletionResultType]::ParameterName, 'Read the password from stdin (one trailing newline is stripped)')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Same as --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only results and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only results and errors')
            [CompletionResult]::new('--no-pager', '--no-pager', [CompletionResultType]::ParameterName, 'Do not show long output in a pager [env: DASH_USERS_PAGER, PAGER] [default: less]')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never prompt for input, even on a terminal')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'dash-users;remove' {
            [CompletionResult]::new('-d', '-d', [CompletionResultType]::ParameterName, 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--database', '--database', [CompletionResultType]::ParameterName, 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use color')
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'How long to wait for a database that another program has locked, in seconds')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Do not ask for confirmation')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Do not ask for confirmation')
            [CompletionResult]::new('--if-exists', '--if-exists', [CompletionResultType]::ParameterName, 'Skip users who do not exist')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Same as --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only results and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only results and errors')
            [CompletionResult]::new('--no-pager', '--no-pager', [CompletionResultType]::ParameterName, 'Do not show long output in a pager [env: DASH_USERS_PAGER, PAGER] [default: less]')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never prompt for input, even on a terminal')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'dash-users;rm' {
            [CompletionResult]::new('-d', '-d', [CompletionResultType]::ParameterName, 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--database', '--database', [CompletionResultType]::ParameterName, 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use color')
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'How long to wait for a database that another program has locked, in seconds')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Do not ask for confirmation')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Do not ask for confirmation')
            [CompletionResult]::new('--if-exists', '--if-exists', [CompletionResultType]::ParameterName, 'Skip users who do not exist')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Same as --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only results and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only results and errors')
            [CompletionResult]::new('--no-pager', '--no-pager', [CompletionResultType]::ParameterName, 'Do not show long output in a pager [env: DASH_USERS_PAGER, PAGER] [default: less]')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never prompt for input, even on a terminal')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'dash-users;delete' {
            [CompletionResult]::new('-d', '-d', [CompletionResultType]::ParameterName, 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--database', '--database', [CompletionResultType]::ParameterName, 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use color')
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'How long to wait for a database that another program has locked, in seconds')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Do not ask for confirmation')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Do not ask for confirmation')
            [CompletionResult]::new('--if-exists', '--if-exists', [CompletionResultType]::ParameterName, 'Skip users who do not exist')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Same as --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only results and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only results and errors')
            [CompletionResult]::new('--no-pager', '--no-pager', [CompletionResultType]::ParameterName, 'Do not show long output in a pager [env: DASH_USERS_PAGER, PAGER] [default: less]')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never prompt for input, even on a terminal')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'dash-users;rename' {
            [CompletionResult]::new('-d', '-d', [CompletionResultType]::ParameterName, 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--database', '--database', [CompletionResultType]::ParameterName, 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use color')
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'How long to wait for a database that another program has locked, in seconds')
            [CompletionResult]::new('--allow-similar', '--allow-similar', [CompletionResultType]::ParameterName, 'Allow a username that differs from another only in ASCII case')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Same as --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only results and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only results and errors')
            [CompletionResult]::new('--no-pager', '--no-pager', [CompletionResultType]::ParameterName, 'Do not show long output in a pager [env: DASH_USERS_PAGER, PAGER] [default: less]')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never prompt for input, even on a terminal')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'dash-users;update' {
            [CompletionResult]::new('--language', '--language', [CompletionResultType]::ParameterName, 'New language, as a BCP 47 tag')
            [CompletionResult]::new('--add-group', '--add-group', [CompletionResultType]::ParameterName, 'Add the users to a group (repeatable)')
            [CompletionResult]::new('--remove-group', '--remove-group', [CompletionResultType]::ParameterName, 'Remove the users from a group (repeatable)')
            [CompletionResult]::new('-d', '-d', [CompletionResultType]::ParameterName, 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--database', '--database', [CompletionResultType]::ParameterName, 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use color')
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'How long to wait for a database that another program has locked, in seconds')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Same as --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only results and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only results and errors')
            [CompletionResult]::new('--no-pager', '--no-pager', [CompletionResultType]::ParameterName, 'Do not show long output in a pager [env: DASH_USERS_PAGER, PAGER] [default: less]')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never prompt for input, even on a terminal')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'dash-users;lock' {
            [CompletionResult]::new('-d', '-d', [CompletionResultType]::ParameterName, 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--database', '--database', [CompletionResultType]::ParameterName, 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use color')
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'How long to wait for a database that another program has locked, in seconds')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Same as --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only results and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only results and errors')
            [CompletionResult]::new('--no-pager', '--no-pager', [CompletionResultType]::ParameterName, 'Do not show long output in a pager [env: DASH_USERS_PAGER, PAGER] [default: less]')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never prompt for input, even on a terminal')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'dash-users;unlock' {
            [CompletionResult]::new('-d', '-d', [CompletionResultType]::ParameterName, 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--database', '--database', [CompletionResultType]::ParameterName, 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use color')
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'How long to wait for a database that another program has locked, in seconds')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Same as --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only results and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only results and errors')
            [CompletionResult]::new('--no-pager', '--no-pager', [CompletionResultType]::ParameterName, 'Do not show long output in a pager [env: DASH_USERS_PAGER, PAGER] [default: less]')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never prompt for input, even on a terminal')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'dash-users;group' {
            [CompletionResult]::new('-d', '-d', [CompletionResultType]::ParameterName, 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--database', '--database', [CompletionResultType]::ParameterName, 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use color')
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'How long to wait for a database that another program has locked, in seconds')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Same as --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only results and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only results and errors')
            [CompletionResult]::new('--no-pager', '--no-pager', [CompletionResultType]::ParameterName, 'Do not show long output in a pager [env: DASH_USERS_PAGER, PAGER] [default: less]')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never prompt for input, even on a terminal')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('add', 'add', [CompletionResultType]::ParameterValue, 'Add a user to groups')
            [CompletionResult]::new('remove', 'remove', [CompletionResultType]::ParameterValue, 'Remove a user from groups')
            [CompletionResult]::new('rm', 'rm', [CompletionResultType]::ParameterValue, 'Remove a user from groups')
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List a user''s groups, or all groups with their members')
            [CompletionResult]::new('ls', 'ls', [CompletionResultType]::ParameterValue, 'List a user''s groups, or all groups with their members')
            [CompletionResult]::new('rename', 'rename', [CompletionResultType]::ParameterValue, 'Rename a group')
            [CompletionResult]::new('delete', 'delete', [CompletionResultType]::ParameterValue, 'Delete groups: remove all their members from them')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'dash-users;group;add' {
            [CompletionResult]::new('-d', '-d', [CompletionResultType]::ParameterName, 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--database', '--database', [CompletionResultType]::ParameterName, 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use color')
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'How long to wait for a database that another program has locked, in seconds')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Same as --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only results and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only results and errors')
            [CompletionResult]::new('--no-pager', '--no-pager', [CompletionResultType]::ParameterName, 'Do not show long output in a pager [env: DASH_USERS_PAGER, PAGER] [default: less]')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never prompt for input, even on a terminal')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'dash-users;group;remove' {
            [CompletionResult]::new('-d', '-d', [CompletionResultType]::ParameterName, 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--database', '--database', [CompletionResultType]::ParameterName, 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use color')
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'How long to wait for a database that another program has locked, in seconds')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Same as --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only results and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only results and errors')
            [CompletionResult]::new('--no-pager', '--no-pager', [CompletionResultType]::ParameterName, 'Do not show long output in a pager [env: DASH_USERS_PAGER, PAGER] [default: less]')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never prompt for input, even on a terminal')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'dash-users;group;rm' {
            [CompletionResult]::new('-d', '-d', [CompletionResultType]::ParameterName, 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--database', '--database', [CompletionResultType]::ParameterName, 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use color')
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'How long to wait for a database that another program has locked, in seconds')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Same as --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only results and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only results and errors')
            [CompletionResult]::new('--no-pager', '--no-pager', [CompletionResultType]::ParameterName, 'Do not show long output in a pager [env: DASH_USERS_PAGER, PAGER] [default: less]')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never prompt for input, even on a terminal')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'dash-users;group;list' {
            [CompletionResult]::new('--group', '--group', [CompletionResultType]::ParameterName, 'Only this group, with its members')
            [CompletionResult]::new('-d', '-d', [CompletionResultType]::ParameterName, 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--database', '--database', [CompletionResultType]::ParameterName, 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use color')
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'How long to wait for a database that another program has locked, in seconds')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Same as --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only results and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only results and errors')
            [CompletionResult]::new('--no-pager', '--no-pager', [CompletionResultType]::ParameterName, 'Do not show long output in a pager [env: DASH_USERS_PAGER, PAGER] [default: less]')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never prompt for input, even on a terminal')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'dash-users;group;ls' {
            [CompletionResult]::new('--group', '--group', [CompletionResultType]::ParameterName, 'Only this group, with its members')
            [CompletionResult]::new('-d', '-d', [CompletionResultType]::ParameterName, 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--database', '--database', [CompletionResultType]::ParameterName, 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use color')
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'How long to wait for a database that another program has locked, in seconds')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Same as --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only results and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only results and errors')
            [CompletionResult]::new('--no-pager', '--no-pager', [CompletionResultType]::ParameterName, 'Do not show long output in a pager [env: DASH_USERS_PAGER, PAGER] [default: less]')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never prompt for input, even on a terminal')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'dash-users;group;rename' {
            [CompletionResult]::new('-d', '-d', [CompletionResultType]::ParameterName, 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--database', '--database', [CompletionResultType]::ParameterName, 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use color')
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'How long to wait for a database that another program has locked, in seconds')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Same as --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only results and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only results and errors')
            [CompletionResult]::new('--no-pager', '--no-pager', [CompletionResultType]::ParameterName, 'Do not show long output in a pager [env: DASH_USERS_PAGER, PAGER] [default: less]')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never prompt for input, even on a terminal')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'dash-users;group;delete' {
            [CompletionResult]::new('-d', '-d', [CompletionResultType]::ParameterName, 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--database', '--database', [CompletionResultType]::ParameterName, 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use color')
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'How long to wait for a database that another program has locked, in seconds')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Do not ask for confirmation')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Do not ask for confirmation')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Same as --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only results and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only results and errors')
            [CompletionResult]::new('--no-pager', '--no-pager', [CompletionResultType]::ParameterName, 'Do not show long output in a pager [env: DASH_USERS_PAGER, PAGER] [default: less]')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never prompt for input, even on a terminal')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'dash-users;group;help' {
            [CompletionResult]::new('add', 'add', [CompletionResultType]::ParameterValue, 'Add a user to groups')
            [CompletionResult]::new('remove', 'remove', [CompletionResultType]::ParameterValue, 'Remove a user from groups')
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List a user''s groups, or all groups with their members')
            [CompletionResult]::new('rename', 'rename', [CompletionResultType]::ParameterValue, 'Rename a group')
            [CompletionResult]::new('delete', 'delete', [CompletionResultType]::ParameterValue, 'Delete groups: remove all their members from them')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'dash-users;group;help;add' {
            break
        }
        'dash-users;group;help;remove' {
            break
        }
        'dash-users;group;help;list' {
            break
        }
        'dash-users;group;help;rename' {
            break
        }
        'dash-users;group;help;delete' {
            break
        }
        'dash-users;group;help;help' {
            break
        }
        'dash-users;sessions' {
            [CompletionResult]::new('-d', '-d', [CompletionResultType]::ParameterName, 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--database', '--database', [CompletionResultType]::ParameterName, 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use color')
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'How long to wait for a database that another program has locked, in seconds')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Same as --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only results and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only results and errors')
            [CompletionResult]::new('--no-pager', '--no-pager', [CompletionResultType]::ParameterName, 'Do not show long output in a pager [env: DASH_USERS_PAGER, PAGER] [default: less]')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never prompt for input, even on a terminal')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'Show who is logged in')
            [CompletionResult]::new('ls', 'ls', [CompletionResultType]::ParameterValue, 'Show who is logged in')
            [CompletionResult]::new('end', 'end', [CompletionResultType]::ParameterValue, 'End sessions: their next request leads to the login page')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'dash-users;sessions;list' {
            [CompletionResult]::new('-d', '-d', [CompletionResultType]::ParameterName, 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--database', '--database', [CompletionResultType]::ParameterName, 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use color')
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'How long to wait for a database that another program has locked, in seconds')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Same as --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only results and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only results and errors')
            [CompletionResult]::new('--no-pager', '--no-pager', [CompletionResultType]::ParameterName, 'Do not show long output in a pager [env: DASH_USERS_PAGER, PAGER] [default: less]')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never prompt for input, even on a terminal')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'dash-users;sessions;ls' {
            [CompletionResult]::new('-d', '-d', [CompletionResultType]::ParameterName, 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--database', '--database', [CompletionResultType]::ParameterName, 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use color')
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'How long to wait for a database that another program has locked, in seconds')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Same as --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only results and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only results and errors')
            [CompletionResult]::new('--no-pager', '--no-pager', [CompletionResultType]::ParameterName, 'Do not show long output in a pager [env: DASH_USERS_PAGER, PAGER] [default: less]')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never prompt for input, even on a terminal')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'dash-users;sessions;end' {
            [CompletionResult]::new('-d', '-d', [CompletionResultType]::ParameterName, 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--database', '--database', [CompletionResultType]::ParameterName, 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use color')
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'How long to wait for a database that another program has locked, in seconds')
            [CompletionResult]::new('--all', '--all', [CompletionResultType]::ParameterName, 'End the sessions of all users')
            [CompletionResult]::new('--expired', '--expired', [CompletionResultType]::ParameterName, 'Delete expired sessions, which apps do by themselves at logins')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Same as --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only results and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only results and errors')
            [CompletionResult]::new('--no-pager', '--no-pager', [CompletionResultType]::ParameterName, 'Do not show long output in a pager [env: DASH_USERS_PAGER, PAGER] [default: less]')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never prompt for input, even on a terminal')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'dash-users;sessions;help' {
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'Show who is logged in')
            [CompletionResult]::new('end', 'end', [CompletionResultType]::ParameterValue, 'End sessions: their next request leads to the login page')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'dash-users;sessions;help;list' {
            break
        }
        'dash-users;sessions;help;end' {
            break
        }
        'dash-users;sessions;help;help' {
            break
        }
        'dash-users;list' {
            [CompletionResult]::new('--group', '--group', [CompletionResultType]::ParameterName, 'Only users in this group, or in any of several (repeatable)')
            [CompletionResult]::new('--not-group', '--not-group', [CompletionResultType]::ParameterName, 'Only users who are not in this group (repeatable)')
            [CompletionResult]::new('--match', '--match', [CompletionResultType]::ParameterName, 'Only users whose name matches, such as ''a*'' or ''*@example.org''')
            [CompletionResult]::new('--password-older-than', '--password-older-than', [CompletionResultType]::ParameterName, 'Only users whose password is older than this; unknown is not older')
            [CompletionResult]::new('--created-since', '--created-since', [CompletionResultType]::ParameterName, 'Only users created at this time or later')
            [CompletionResult]::new('--sort', '--sort', [CompletionResultType]::ParameterName, 'Sort order (times: unknown first, then oldest first)')
            [CompletionResult]::new('--limit', '--limit', [CompletionResultType]::ParameterName, 'Show at most N users')
            [CompletionResult]::new('--method', '--method', [CompletionResultType]::ParameterName, 'Method of new hashes, to which existing ones are compared: scrypt, scrypt:N:r:p, pbkdf2, pbkdf2:ALGORITHM or pbkdf2:ALGORITHM:ITERATIONS [env: DASH_USERS_METHOD] [default: scrypt]')
            [CompletionResult]::new('-d', '-d', [CompletionResultType]::ParameterName, 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--database', '--database', [CompletionResultType]::ParameterName, 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use color')
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'How long to wait for a database that another program has locked, in seconds')
            [CompletionResult]::new('--outdated', '--outdated', [CompletionResultType]::ParameterName, 'Only users with an outdated hash')
            [CompletionResult]::new('--locked', '--locked', [CompletionResultType]::ParameterName, 'Only locked users')
            [CompletionResult]::new('--unlocked', '--unlocked', [CompletionResultType]::ParameterName, 'Only users who are not locked')
            [CompletionResult]::new('--password-unknown', '--password-unknown', [CompletionResultType]::ParameterName, 'Only users whose last password change is unknown')
            [CompletionResult]::new('--reverse', '--reverse', [CompletionResultType]::ParameterName, 'Reverse the order')
            [CompletionResult]::new('--names', '--names', [CompletionResultType]::ParameterName, 'Print only the usernames, one per line')
            [CompletionResult]::new('--null', '--null', [CompletionResultType]::ParameterName, 'With --names: end each name with NUL instead of a newline, unescaped, for `xargs -0`')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Same as --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only results and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only results and errors')
            [CompletionResult]::new('--no-pager', '--no-pager', [CompletionResultType]::ParameterName, 'Do not show long output in a pager [env: DASH_USERS_PAGER, PAGER] [default: less]')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never prompt for input, even on a terminal')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'dash-users;ls' {
            [CompletionResult]::new('--group', '--group', [CompletionResultType]::ParameterName, 'Only users in this group, or in any of several (repeatable)')
            [CompletionResult]::new('--not-group', '--not-group', [CompletionResultType]::ParameterName, 'Only users who are not in this group (repeatable)')
            [CompletionResult]::new('--match', '--match', [CompletionResultType]::ParameterName, 'Only users whose name matches, such as ''a*'' or ''*@example.org''')
            [CompletionResult]::new('--password-older-than', '--password-older-than', [CompletionResultType]::ParameterName, 'Only users whose password is older than this; unknown is not older')
            [CompletionResult]::new('--created-since', '--created-since', [CompletionResultType]::ParameterName, 'Only users created at this time or later')
            [CompletionResult]::new('--sort', '--sort', [CompletionResultType]::ParameterName, 'Sort order (times: unknown first, then oldest first)')
            [CompletionResult]::new('--limit', '--limit', [CompletionResultType]::ParameterName, 'Show at most N users')
            [CompletionResult]::new('--method', '--method', [CompletionResultType]::ParameterName, 'Method of new hashes, to which existing ones are compared: scrypt, scrypt:N:r:p, pbkdf2, pbkdf2:ALGORITHM or pbkdf2:ALGORITHM:ITERATIONS [env: DASH_USERS_METHOD] [default: scrypt]')
            [CompletionResult]::new('-d', '-d', [CompletionResultType]::ParameterName, 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--database', '--database', [CompletionResultType]::ParameterName, 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use color')
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'How long to wait for a database that another program has locked, in seconds')
            [CompletionResult]::new('--outdated', '--outdated', [CompletionResultType]::ParameterName, 'Only users with an outdated hash')
            [CompletionResult]::new('--locked', '--locked', [CompletionResultType]::ParameterName, 'Only locked users')
            [CompletionResult]::new('--unlocked', '--unlocked', [CompletionResultType]::ParameterName, 'Only users who are not locked')
            [CompletionResult]::new('--password-unknown', '--password-unknown', [CompletionResultType]::ParameterName, 'Only users whose last password change is unknown')
            [CompletionResult]::new('--reverse', '--reverse', [CompletionResultType]::ParameterName, 'Reverse the order')
            [CompletionResult]::new('--names', '--names', [CompletionResultType]::ParameterName, 'Print only the usernames, one per line')
            [CompletionResult]::new('--null', '--null', [CompletionResultType]::ParameterName, 'With --names: end each name with NUL instead of a newline, unescaped, for `xargs -0`')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Same as --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only results and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only results and errors')
            [CompletionResult]::new('--no-pager', '--no-pager', [CompletionResultType]::ParameterName, 'Do not show long output in a pager [env: DASH_USERS_PAGER, PAGER] [default: less]')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never prompt for input, even on a terminal')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'dash-users;show' {
            [CompletionResult]::new('--method', '--method', [CompletionResultType]::ParameterName, 'Method of new hashes, to which existing ones are compared: scrypt, scrypt:N:r:p, pbkdf2, pbkdf2:ALGORITHM or pbkdf2:ALGORITHM:ITERATIONS [env: DASH_USERS_METHOD] [default: scrypt]')
            [CompletionResult]::new('-d', '-d', [CompletionResultType]::ParameterName, 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--database', '--database', [CompletionResultType]::ParameterName, 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use color')
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'How long to wait for a database that another program has locked, in seconds')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Same as --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only results and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only results and errors')
            [CompletionResult]::new('--no-pager', '--no-pager', [CompletionResultType]::ParameterName, 'Do not show long output in a pager [env: DASH_USERS_PAGER, PAGER] [default: less]')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never prompt for input, even on a terminal')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'dash-users;history' {
            [CompletionResult]::new('--limit', '--limit', [CompletionResultType]::ParameterName, 'Show at most N events')
            [CompletionResult]::new('--since', '--since', [CompletionResultType]::ParameterName, 'Only events at this time or later')
            [CompletionResult]::new('--until', '--until', [CompletionResultType]::ParameterName, 'Only events before this time')
            [CompletionResult]::new('--action', '--action', [CompletionResultType]::ParameterName, 'Only events with this action, such as add or passwd; repeat for several')
            [CompletionResult]::new('--actor', '--actor', [CompletionResultType]::ParameterName, 'Only changes by this person (\N: unknown)')
            [CompletionResult]::new('--prune-before', '--prune-before', [CompletionResultType]::ParameterName, 'Delete all events before this time')
            [CompletionResult]::new('-d', '-d', [CompletionResultType]::ParameterName, 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--database', '--database', [CompletionResultType]::ParameterName, 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use color')
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'How long to wait for a database that another program has locked, in seconds')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'With --prune-before: do not ask for confirmation')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'With --prune-before: do not ask for confirmation')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Same as --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only results and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only results and errors')
            [CompletionResult]::new('--no-pager', '--no-pager', [CompletionResultType]::ParameterName, 'Do not show long output in a pager [env: DASH_USERS_PAGER, PAGER] [default: less]')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never prompt for input, even on a terminal')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'dash-users;check' {
            [CompletionResult]::new('--ignore', '--ignore', [CompletionResultType]::ParameterName, 'Do not report findings with this code; repeat for several [env: DASH_USERS_CHECK_IGNORE]')
            [CompletionResult]::new('--min-severity', '--min-severity', [CompletionResultType]::ParameterName, 'Report only findings of this severity or a higher one')
            [CompletionResult]::new('--method', '--method', [CompletionResultType]::ParameterName, 'Method of new hashes, to which existing ones are compared: scrypt, scrypt:N:r:p, pbkdf2, pbkdf2:ALGORITHM or pbkdf2:ALGORITHM:ITERATIONS [env: DASH_USERS_METHOD] [default: scrypt]')
            [CompletionResult]::new('-d', '-d', [CompletionResultType]::ParameterName, 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--database', '--database', [CompletionResultType]::ParameterName, 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use color')
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'How long to wait for a database that another program has locked, in seconds')
            [CompletionResult]::new('--fix', '--fix', [CompletionResultType]::ParameterName, 'Restore missing tables and triggers of dash-users, and delete groups that belong to missing or replaced users. Never changes a row of users or the file''s mode')
            [CompletionResult]::new('--unwrap', '--unwrap', [CompletionResultType]::ParameterName, 'With --fix: strip extra text around hashes, such as quotes, and convert PBKDF2 hashes from Django and passlib. Passwords stay the same')
            [CompletionResult]::new('--all', '--all', [CompletionResultType]::ParameterName, 'Show every finding; by default, tables summarize more than ten of a kind')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Same as --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only results and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only results and errors')
            [CompletionResult]::new('--no-pager', '--no-pager', [CompletionResultType]::ParameterName, 'Do not show long output in a pager [env: DASH_USERS_PAGER, PAGER] [default: less]')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never prompt for input, even on a terminal')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'dash-users;info' {
            [CompletionResult]::new('-d', '-d', [CompletionResultType]::ParameterName, 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--database', '--database', [CompletionResultType]::ParameterName, 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use color')
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'How long to wait for a database that another program has locked, in seconds')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Same as --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only results and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only results and errors')
            [CompletionResult]::new('--no-pager', '--no-pager', [CompletionResultType]::ParameterName, 'Do not show long output in a pager [env: DASH_USERS_PAGER, PAGER] [default: less]')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never prompt for input, even on a terminal')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'dash-users;import' {
            [CompletionResult]::new('--on-conflict', '--on-conflict', [CompletionResultType]::ParameterName, 'What to do with existing users')
            [CompletionResult]::new('--input-format', '--input-format', [CompletionResultType]::ParameterName, 'Format of the file [default: from its name]')
            [CompletionResult]::new('--delimiter', '--delimiter', [CompletionResultType]::ParameterName, 'Character between CSV cells, or tab [default: detected in the header row]')
            [CompletionResult]::new('--encoding', '--encoding', [CompletionResultType]::ParameterName, 'Encoding of a text file, such as windows-1252 [default: utf-8, or utf-16 with a byte order mark]')
            [CompletionResult]::new('--column', '--column', [CompletionResultType]::ParameterName, 'Read a field from the column or key with another name (repeatable)')
            [CompletionResult]::new('--generate-missing', '--generate-missing', [CompletionResultType]::ParameterName, 'Generate passwords for new users without one, and write them to a new CSV file, or - for stdout')
            [CompletionResult]::new('--jobs', '--jobs', [CompletionResultType]::ParameterName, 'Threads that hash passwords, 1 to 256 [default: one per core]; they use at most 193 MiB')
            [CompletionResult]::new('--file-mode', '--file-mode', [CompletionResultType]::ParameterName, 'Permissions of a new database file, in octal')
            [CompletionResult]::new('--file-group', '--file-group', [CompletionResultType]::ParameterName, 'Group of a new database file, by name or number [default: the group of the process]')
            [CompletionResult]::new('--method', '--method', [CompletionResultType]::ParameterName, 'Method of new hashes, to which existing ones are compared: scrypt, scrypt:N:r:p, pbkdf2, pbkdf2:ALGORITHM or pbkdf2:ALGORITHM:ITERATIONS [env: DASH_USERS_METHOD] [default: scrypt]')
            [CompletionResult]::new('-d', '-d', [CompletionResultType]::ParameterName, 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--database', '--database', [CompletionResultType]::ParameterName, 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use color')
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'How long to wait for a database that another program has locked, in seconds')
            [CompletionResult]::new('--ignore-unknown', '--ignore-unknown', [CompletionResultType]::ParameterName, 'Ignore columns and keys that are not fields')
            [CompletionResult]::new('--lock-missing', '--lock-missing', [CompletionResultType]::ParameterName, 'Lock new users without a password; run `passwd` and `unlock` later to let them log in')
            [CompletionResult]::new('--as-is', '--as-is', [CompletionResultType]::ParameterName, 'Accept names, hashes, languages and groups unchecked, exactly as `export` wrote them')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Show what would be done, without changing anything')
            [CompletionResult]::new('--allow-weak', '--allow-weak', [CompletionResultType]::ParameterName, 'Accept weak passwords (under 8 characters, or easy to guess)')
            [CompletionResult]::new('--allow-hash-like', '--allow-hash-like', [CompletionResultType]::ParameterName, 'Accept passwords that look like a digest or a hash of another program')
            [CompletionResult]::new('--allow-similar', '--allow-similar', [CompletionResultType]::ParameterName, 'Allow usernames that differ from another only in ASCII case')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Same as --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only results and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only results and errors')
            [CompletionResult]::new('--no-pager', '--no-pager', [CompletionResultType]::ParameterName, 'Do not show long output in a pager [env: DASH_USERS_PAGER, PAGER] [default: less]')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never prompt for input, even on a terminal')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'dash-users;export' {
            [CompletionResult]::new('--output-format', '--output-format', [CompletionResultType]::ParameterName, 'Format of the file [default: from its name; on stdout csv, or json with --json]')
            [CompletionResult]::new('-d', '-d', [CompletionResultType]::ParameterName, 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--database', '--database', [CompletionResultType]::ParameterName, 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use color')
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'How long to wait for a database that another program has locked, in seconds')
            [CompletionResult]::new('--without-hashes', '--without-hashes', [CompletionResultType]::ParameterName, 'Leave out the password hashes')
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'Overwrite an existing file')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Same as --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only results and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only results and errors')
            [CompletionResult]::new('--no-pager', '--no-pager', [CompletionResultType]::ParameterName, 'Do not show long output in a pager [env: DASH_USERS_PAGER, PAGER] [default: less]')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never prompt for input, even on a terminal')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'dash-users;backup' {
            [CompletionResult]::new('-d', '-d', [CompletionResultType]::ParameterName, 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--database', '--database', [CompletionResultType]::ParameterName, 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use color')
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'How long to wait for a database that another program has locked, in seconds')
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'Overwrite an existing backup')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Same as --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only results and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only results and errors')
            [CompletionResult]::new('--no-pager', '--no-pager', [CompletionResultType]::ParameterName, 'Do not show long output in a pager [env: DASH_USERS_PAGER, PAGER] [default: less]')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never prompt for input, even on a terminal')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'dash-users;restore' {
            [CompletionResult]::new('-d', '-d', [CompletionResultType]::ParameterName, 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--database', '--database', [CompletionResultType]::ParameterName, 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use color')
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'How long to wait for a database that another program has locked, in seconds')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Do not ask for confirmation')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Do not ask for confirmation')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Same as --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only results and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only results and errors')
            [CompletionResult]::new('--no-pager', '--no-pager', [CompletionResultType]::ParameterName, 'Do not show long output in a pager [env: DASH_USERS_PAGER, PAGER] [default: less]')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never prompt for input, even on a terminal')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'dash-users;hash' {
            [CompletionResult]::new('--hash-file', '--hash-file', [CompletionResultType]::ParameterName, 'File with one hash, or - for stdin (one trailing newline is stripped)')
            [CompletionResult]::new('--password-file', '--password-file', [CompletionResultType]::ParameterName, 'Read the password from a file, or - for stdin [env: DASH_USERS_PASSWORD_FILE]')
            [CompletionResult]::new('--method', '--method', [CompletionResultType]::ParameterName, 'Method of new hashes, to which existing ones are compared: scrypt, scrypt:N:r:p, pbkdf2, pbkdf2:ALGORITHM or pbkdf2:ALGORITHM:ITERATIONS [env: DASH_USERS_METHOD] [default: scrypt]')
            [CompletionResult]::new('-d', '-d', [CompletionResultType]::ParameterName, 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--database', '--database', [CompletionResultType]::ParameterName, 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use color')
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'How long to wait for a database that another program has locked, in seconds')
            [CompletionResult]::new('--check', '--check', [CompletionResultType]::ParameterName, 'Check the password against the hash in --hash-file')
            [CompletionResult]::new('--password-stdin', '--password-stdin', [CompletionResultType]::ParameterName, 'Read the password from stdin (one trailing newline is stripped)')
            [CompletionResult]::new('--generate', '--generate', [CompletionResultType]::ParameterName, 'Generate a password and print it once, to stdout')
            [CompletionResult]::new('--allow-weak', '--allow-weak', [CompletionResultType]::ParameterName, 'Accept a weak password (under 8 characters, or easy to guess)')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Same as --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only results and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only results and errors')
            [CompletionResult]::new('--no-pager', '--no-pager', [CompletionResultType]::ParameterName, 'Do not show long output in a pager [env: DASH_USERS_PAGER, PAGER] [default: less]')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never prompt for input, even on a terminal')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'dash-users;completions' {
            [CompletionResult]::new('-d', '-d', [CompletionResultType]::ParameterName, 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--database', '--database', [CompletionResultType]::ParameterName, 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use color')
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'How long to wait for a database that another program has locked, in seconds')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Same as --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only results and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only results and errors')
            [CompletionResult]::new('--no-pager', '--no-pager', [CompletionResultType]::ParameterName, 'Do not show long output in a pager [env: DASH_USERS_PAGER, PAGER] [default: less]')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never prompt for input, even on a terminal')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'dash-users;man' {
            [CompletionResult]::new('-d', '-d', [CompletionResultType]::ParameterName, 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--database', '--database', [CompletionResultType]::ParameterName, 'Database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use color')
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'How long to wait for a database that another program has locked, in seconds')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Same as --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print only results and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print only results and errors')
            [CompletionResult]::new('--no-pager', '--no-pager', [CompletionResultType]::ParameterName, 'Do not show long output in a pager [env: DASH_USERS_PAGER, PAGER] [default: less]')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never prompt for input, even on a terminal')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'dash-users;help' {
            [CompletionResult]::new('init', 'init', [CompletionResultType]::ParameterValue, 'Create the database, or update an existing one')
            [CompletionResult]::new('migrate', 'migrate', [CompletionResultType]::ParameterValue, 'Apply pending schema migrations')
            [CompletionResult]::new('seed', 'seed', [CompletionResultType]::ParameterValue, 'Add missing users from a file, or two demo users')
            [CompletionResult]::new('add', 'add', [CompletionResultType]::ParameterValue, 'Add a user')
            [CompletionResult]::new('passwd', 'passwd', [CompletionResultType]::ParameterValue, 'Set a user''s password')
            [CompletionResult]::new('verify', 'verify', [CompletionResultType]::ParameterValue, 'Check a user''s password, as the app does')
            [CompletionResult]::new('rehash', 'rehash', [CompletionResultType]::ParameterValue, 'Hash a user''s password again, with the current method')
            [CompletionResult]::new('remove', 'remove', [CompletionResultType]::ParameterValue, 'Remove users')
            [CompletionResult]::new('rename', 'rename', [CompletionResultType]::ParameterValue, 'Rename a user')
            [CompletionResult]::new('update', 'update', [CompletionResultType]::ParameterValue, 'Change the language and groups of users')
            [CompletionResult]::new('lock', 'lock', [CompletionResultType]::ParameterValue, 'Lock users without changing their passwords')
            [CompletionResult]::new('unlock', 'unlock', [CompletionResultType]::ParameterValue, 'Unlock users and restore their passwords')
            [CompletionResult]::new('group', 'group', [CompletionResultType]::ParameterValue, 'Add users to groups, remove them, or list groups')
            [CompletionResult]::new('sessions', 'sessions', [CompletionResultType]::ParameterValue, 'List or end sessions of the login page')
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List users, without their hashes')
            [CompletionResult]::new('show', 'show', [CompletionResultType]::ParameterValue, 'Show one user, without the hash')
            [CompletionResult]::new('history', 'history', [CompletionResultType]::ParameterValue, 'Show who changed what, newest first')
            [CompletionResult]::new('check', 'check', [CompletionResultType]::ParameterValue, 'Check the database and its users for problems')
            [CompletionResult]::new('info', 'info', [CompletionResultType]::ParameterValue, 'Show which database is in use, and its state')
            [CompletionResult]::new('import', 'import', [CompletionResultType]::ParameterValue, 'Add or update users from a file')
            [CompletionResult]::new('export', 'export', [CompletionResultType]::ParameterValue, 'Export all users to a file')
            [CompletionResult]::new('backup', 'backup', [CompletionResultType]::ParameterValue, 'Copy the whole database to a file')
            [CompletionResult]::new('restore', 'restore', [CompletionResultType]::ParameterValue, 'Replace the database''s contents with a backup')
            [CompletionResult]::new('hash', 'hash', [CompletionResultType]::ParameterValue, 'Hash a password, or check it against a hash, without a database')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Print a shell completion script')
            [CompletionResult]::new('man', 'man', [CompletionResultType]::ParameterValue, 'Write man pages to a directory')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'dash-users;help;init' {
            break
        }
        'dash-users;help;migrate' {
            break
        }
        'dash-users;help;seed' {
            break
        }
        'dash-users;help;add' {
            break
        }
        'dash-users;help;passwd' {
            break
        }
        'dash-users;help;verify' {
            break
        }
        'dash-users;help;rehash' {
            break
        }
        'dash-users;help;remove' {
            break
        }
        'dash-users;help;rename' {
            break
        }
        'dash-users;help;update' {
            break
        }
        'dash-users;help;lock' {
            break
        }
        'dash-users;help;unlock' {
            break
        }
        'dash-users;help;group' {
            [CompletionResult]::new('add', 'add', [CompletionResultType]::ParameterValue, 'Add a user to groups')
            [CompletionResult]::new('remove', 'remove', [CompletionResultType]::ParameterValue, 'Remove a user from groups')
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List a user''s groups, or all groups with their members')
            [CompletionResult]::new('rename', 'rename', [CompletionResultType]::ParameterValue, 'Rename a group')
            [CompletionResult]::new('delete', 'delete', [CompletionResultType]::ParameterValue, 'Delete groups: remove all their members from them')
            break
        }
        'dash-users;help;group;add' {
            break
        }
        'dash-users;help;group;remove' {
            break
        }
        'dash-users;help;group;list' {
            break
        }
        'dash-users;help;group;rename' {
            break
        }
        'dash-users;help;group;delete' {
            break
        }
        'dash-users;help;sessions' {
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'Show who is logged in')
            [CompletionResult]::new('end', 'end', [CompletionResultType]::ParameterValue, 'End sessions: their next request leads to the login page')
            break
        }
        'dash-users;help;sessions;list' {
            break
        }
        'dash-users;help;sessions;end' {
            break
        }
        'dash-users;help;list' {
            break
        }
        'dash-users;help;show' {
            break
        }
        'dash-users;help;history' {
            break
        }
        'dash-users;help;check' {
            break
        }
        'dash-users;help;info' {
            break
        }
        'dash-users;help;import' {
            break
        }
        'dash-users;help;export' {
            break
        }
        'dash-users;help;backup' {
            break
        }
        'dash-users;help;restore' {
            break
        }
        'dash-users;help;hash' {
            break
        }
        'dash-users;help;completions' {
            break
        }
        'dash-users;help;man' {
            break
        }
        'dash-users;help;help' {
            break
        }
    })

    $completions.Where{ $_.CompletionText -like "$wordToComplete*" } |
        Sort-Object -Property ListItemText
}
