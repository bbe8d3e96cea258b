
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
            [CompletionResult]::new('-d', '-d', [CompletionResultType]::ParameterName, 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--database', '--database', [CompletionResultType]::ParameterName, 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How results are written')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use color')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Write results and errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Write results and errors only')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask, not even on a terminal')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('init', 'init', [CompletionResultType]::ParameterValue, 'Create the database, or bring an existing one up to date')
            [CompletionResult]::new('migrate', 'migrate', [CompletionResultType]::ParameterValue, 'Apply pending migrations of the database''s schema')
            [CompletionResult]::new('seed', 'seed', [CompletionResultType]::ParameterValue, 'Add the users of a file who are missing, or two demo users')
            [CompletionResult]::new('add', 'add', [CompletionResultType]::ParameterValue, 'Add a user')
            [CompletionResult]::new('create', 'create', [CompletionResultType]::ParameterValue, 'Add a user')
            [CompletionResult]::new('passwd', 'passwd', [CompletionResultType]::ParameterValue, 'Set a new password')
            [CompletionResult]::new('verify', 'verify', [CompletionResultType]::ParameterValue, 'Check a password as the app does')
            [CompletionResult]::new('rehash', 'rehash', [CompletionResultType]::ParameterValue, 'Store a new hash of the same password')
            [CompletionResult]::new('remove', 'remove', [CompletionResultType]::ParameterValue, 'Remove users')
            [CompletionResult]::new('rm', 'rm', [CompletionResultType]::ParameterValue, 'Remove users')
            [CompletionResult]::new('rename', 'rename', [CompletionResultType]::ParameterValue, 'Give a user another name')
            [CompletionResult]::new('update', 'update', [CompletionResultType]::ParameterValue, 'Change what is not a secret: the language')
            [CompletionResult]::new('lock', 'lock', [CompletionResultType]::ParameterValue, 'Lock users out, and keep their passwords')
            [CompletionResult]::new('unlock', 'unlock', [CompletionResultType]::ParameterValue, 'Let locked users in again, with the passwords they had')
            [CompletionResult]::new('group', 'group', [CompletionResultType]::ParameterValue, 'Put users into groups, take them out, or list groups')
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List the users, never their hashes')
            [CompletionResult]::new('ls', 'ls', [CompletionResultType]::ParameterValue, 'List the users, never their hashes')
            [CompletionResult]::new('show', 'show', [CompletionResultType]::ParameterValue, 'Show one user, never the hash')
            [CompletionResult]::new('history', 'history', [CompletionResultType]::ParameterValue, 'Tell who did what to users, and when, the newest first')
            [CompletionResult]::new('check', 'check', [CompletionResultType]::ParameterValue, 'Look for whatever is wrong with the database and its users')
            [CompletionResult]::new('import', 'import', [CompletionResultType]::ParameterValue, 'Add or change the users of a file, all or none')
            [CompletionResult]::new('export', 'export', [CompletionResultType]::ParameterValue, 'Write all users to a file that `import --as-is` reads back')
            [CompletionResult]::new('backup', 'backup', [CompletionResultType]::ParameterValue, 'Write a copy of the whole database to a file')
            [CompletionResult]::new('restore', 'restore', [CompletionResultType]::ParameterValue, 'Put a backup back in the place of all that the database holds')
            [CompletionResult]::new('hash', 'hash', [CompletionResultType]::ParameterValue, 'Print the hash of a password, or check one, without a database')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Print a script by which a shell completes commands and names')
            [CompletionResult]::new('man', 'man', [CompletionResultType]::ParameterValue, 'Write a man page for each command to a directory')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'dash-users;init' {
            [CompletionResult]::new('--file-mode', '--file-mode', [CompletionResultType]::ParameterName, 'Permission bits of a new database file, in octal')
            [CompletionResult]::new('--file-group', '--file-group', [CompletionResultType]::ParameterName, 'Group of a new database file, by name or number; by default that of the process')
            [CompletionResult]::new('-d', '-d', [CompletionResultType]::ParameterName, 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--database', '--database', [CompletionResultType]::ParameterName, 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How results are written')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use color')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Write results and errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Write results and errors only')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask, not even on a terminal')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'dash-users;migrate' {
            [CompletionResult]::new('-d', '-d', [CompletionResultType]::ParameterName, 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--database', '--database', [CompletionResultType]::ParameterName, 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How results are written')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use color')
            [CompletionResult]::new('--status', '--status', [CompletionResultType]::ParameterName, 'List the migrations, applied and pending; status 4 if any is pending')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Say what would be applied, and change nothing')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Write results and errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Write results and errors only')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask, not even on a terminal')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'dash-users;seed' {
            [CompletionResult]::new('--input-format', '--input-format', [CompletionResultType]::ParameterName, 'Format of the file, where its name does not tell')
            [CompletionResult]::new('--generate-missing', '--generate-missing', [CompletionResultType]::ParameterName, 'Give each new user without a password a generated one, and write them to a new CSV file')
            [CompletionResult]::new('--jobs', '--jobs', [CompletionResultType]::ParameterName, 'How many passwords are hashed at once, 1 to 256; by default one per core, all in 192 MiB or one hash')
            [CompletionResult]::new('--file-mode', '--file-mode', [CompletionResultType]::ParameterName, 'Permission bits of a new database file, in octal')
            [CompletionResult]::new('--file-group', '--file-group', [CompletionResultType]::ParameterName, 'Group of a new database file, by name or number; by default that of the process')
            [CompletionResult]::new('--method', '--method', [CompletionResultType]::ParameterName, 'Hash method: scrypt, scrypt:N:r:p, pbkdf2, pbkdf2:ALGORITHM or pbkdf2:ALGORITHM:ITERATIONS [env: DASH_USERS_METHOD] [default: scrypt]')
            [CompletionResult]::new('-d', '-d', [CompletionResultType]::ParameterName, 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--database', '--database', [CompletionResultType]::ParameterName, 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How results are written')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use color')
            [CompletionResult]::new('--lock-missing', '--lock-missing', [CompletionResultType]::ParameterName, 'Lock each new user without a password; `passwd` and `unlock` let the user in later')
            [CompletionResult]::new('--as-is', '--as-is', [CompletionResultType]::ParameterName, 'Take names, hashes, languages and groups without judging them, as `export` wrote them')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Only say what would be done')
            [CompletionResult]::new('--allow-weak', '--allow-weak', [CompletionResultType]::ParameterName, 'Take weak passwords: under 8 characters, or easy to guess')
            [CompletionResult]::new('--allow-hash-like', '--allow-hash-like', [CompletionResultType]::ParameterName, 'Take passwords that look like a digest or a hash of another program')
            [CompletionResult]::new('--allow-similar', '--allow-similar', [CompletionResultType]::ParameterName, 'Allow names that differ from another one only by ASCII case')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Write results and errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Write results and errors only')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask, not even on a terminal')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'dash-users;add' {
            [CompletionResult]::new('--language', '--language', [CompletionResultType]::ParameterName, 'The user''s language, a BCP 47 tag')
            [CompletionResult]::new('--group', '--group', [CompletionResultType]::ParameterName, 'Put the user into a group; may be given several times')
            [CompletionResult]::new('--password-file', '--password-file', [CompletionResultType]::ParameterName, 'Read the password from a file; one line end is taken off [env: DASH_USERS_PASSWORD_FILE]')
            [CompletionResult]::new('--method', '--method', [CompletionResultType]::ParameterName, 'Hash method: scrypt, scrypt:N:r:p, pbkdf2, pbkdf2:ALGORITHM or pbkdf2:ALGORITHM:ITERATIONS [env: DASH_USERS_METHOD] [default: scrypt]')
            [CompletionResult]::new('-d', '-d', [CompletionResultType]::ParameterName, 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--database', '--database', [CompletionResultType]::ParameterName, 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How results are written')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use color')
            [CompletionResult]::new('--locked', '--locked', [CompletionResultType]::ParameterName, 'Lock the user from the start: `unlock` lets the user in')
            [CompletionResult]::new('--if-not-exists', '--if-not-exists', [CompletionResultType]::ParameterName, 'Change nothing if there is a user of that name')
            [CompletionResult]::new('--allow-similar', '--allow-similar', [CompletionResultType]::ParameterName, 'Allow a name that differs from another one only by ASCII case')
            [CompletionResult]::new('--password-stdin', '--password-stdin', [CompletionResultType]::ParameterName, 'Read the password from stdin; one line end is taken off')
            [CompletionResult]::new('--generate', '--generate', [CompletionResultType]::ParameterName, 'Generate a password, and write it to stdout once')
            [CompletionResult]::new('--allow-weak', '--allow-weak', [CompletionResultType]::ParameterName, 'Take a weak password: under 8 characters, or easy to guess')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Write results and errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Write results and errors only')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask, not even on a terminal')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'dash-users;create' {
            [CompletionResult]::new('--language', '--language', [CompletionResultType]::ParameterName, 'The user''s language, a BCP 47 tag')
            [CompletionResult]::new('--group', '--group', [CompletionResultType]::ParameterName, 'Put the user into a group; may be given several times')
            [CompletionResult]::new('--password-file', '--password-file', [CompletionResultType]::ParameterName, 'Read the password from a file; one line end is taken off [env: DASH_USERS_PASSWORD_FILE]')
            [CompletionResult]::new('--method', '--method', [CompletionResultType]::ParameterName, 'Hash method: scrypt, scrypt:N:r:p, pbkdf2, pbkdf2:ALGORITHM or pbkdf2:ALGORITHM:ITERATIONS [env: DASH_USERS_METHOD] [default: scrypt]')
            [CompletionResult]::new('-d', '-d', [CompletionResultType]::ParameterName, 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--database', '--database', [CompletionResultType]::ParameterName, 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How results are written')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use color')
            [CompletionResult]::new('--locked', '--locked', [CompletionResultType]::ParameterName, 'Lock the user from the start: `unlock` lets the user in')
            [CompletionResult]::new('--if-not-exists', '--if-not-exists', [CompletionResultType]::ParameterName, 'Change nothing if there is a user of that name')
            [CompletionResult]::new('--allow-similar', '--allow-similar', [CompletionResultType]::ParameterName, 'Allow a name that differs from another one only by ASCII case')
            [CompletionResult]::new('--password-stdin', '--password-stdin', [CompletionResultType]::ParameterName, 'Read the password from stdin; one line end is taken off')
            [CompletionResult]::new('--generate', '--generate', [CompletionResultType]::ParameterName, 'Generate a password, and write it to stdout once')
            [CompletionResult]::new('--allow-weak', '--allow-weak', [CompletionResultType]::ParameterName, 'Take a weak password: under 8 characters, or easy to guess')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Write results and errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Write results and errors only')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask, not even on a terminal')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'dash-users;passwd' {
            [CompletionResult]::new('--password-file', '--password-file', [CompletionResultType]::ParameterName, 'Read the password from a file; one line end is taken off [env: DASH_USERS_PASSWORD_FILE]')
            [CompletionResult]::new('--method', '--method', [CompletionResultType]::ParameterName, 'Hash method: scrypt, scrypt:N:r:p, pbkdf2, pbkdf2:ALGORITHM or pbkdf2:ALGORITHM:ITERATIONS [env: DASH_USERS_METHOD] [default: scrypt]')
            [CompletionResult]::new('-d', '-d', [CompletionResultType]::ParameterName, 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--database', '--database', [CompletionResultType]::ParameterName, 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How results are written')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use color')
            [CompletionResult]::new('--password-stdin', '--password-stdin', [CompletionResultType]::ParameterName, 'Read the password from stdin; one line end is taken off')
            [CompletionResult]::new('--generate', '--generate', [CompletionResultType]::ParameterName, 'Generate a password, and write it to stdout once')
            [CompletionResult]::new('--allow-weak', '--allow-weak', [CompletionResultType]::ParameterName, 'Take a weak password: under 8 characters, or easy to guess')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Write results and errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Write results and errors only')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask, not even on a terminal')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'dash-users;verify' {
            [CompletionResult]::new('--password-file', '--password-file', [CompletionResultType]::ParameterName, 'Read the password from a file; one line end is taken off [env: DASH_USERS_PASSWORD_FILE]')
            [CompletionResult]::new('--method', '--method', [CompletionResultType]::ParameterName, 'Hash method: scrypt, scrypt:N:r:p, pbkdf2, pbkdf2:ALGORITHM or pbkdf2:ALGORITHM:ITERATIONS [env: DASH_USERS_METHOD] [default: scrypt]')
            [CompletionResult]::new('-d', '-d', [CompletionResultType]::ParameterName, 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--database', '--database', [CompletionResultType]::ParameterName, 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How results are written')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use color')
            [CompletionResult]::new('--upgrade', '--upgrade', [CompletionResultType]::ParameterName, 'Store a new hash if the password is right and the stored hash outdated')
            [CompletionResult]::new('--explain', '--explain', [CompletionResultType]::ParameterName, 'Tell why, for an administrator''s eyes')
            [CompletionResult]::new('--password-stdin', '--password-stdin', [CompletionResultType]::ParameterName, 'Read the password from stdin; one line end is taken off')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Write results and errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Write results and errors only')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask, not even on a terminal')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'dash-users;rehash' {
            [CompletionResult]::new('--password-file', '--password-file', [CompletionResultType]::ParameterName, 'Read the password from a file; one line end is taken off [env: DASH_USERS_PASSWORD_FILE]')
            [CompletionResult]::new('--method', '--method', [CompletionResultType]::ParameterName, 'Hash method: scrypt, scrypt:N:r:p, pbkdf2, pbkdf2:ALGORITHM or pbkdf2:ALGORITHM:ITERATIONS [env: DASH_USERS_METHOD] [default: scrypt]')
            [CompletionResult]::new('-d', '-d', [CompletionResultType]::ParameterName, 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--database', '--database', [CompletionResultType]::ParameterName, 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How results are written')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use color')
            [CompletionResult]::new('--plaintext', '--plaintext', [CompletionResultType]::ParameterName, 'Take the stored value for a clear password')
            [CompletionResult]::new('--all', '--all', [CompletionResultType]::ParameterName, 'With --plaintext: all users')
            [CompletionResult]::new('--allow-hash-like', '--allow-hash-like', [CompletionResultType]::ParameterName, 'With --plaintext: accept passwords that look like a hash')
            [CompletionResult]::new('--password-stdin', '--password-stdin', [CompletionResultType]::ParameterName, 'Read the password from stdin; one line end is taken off')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Write results and errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Write results and errors only')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask, not even on a terminal')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'dash-users;remove' {
            [CompletionResult]::new('-d', '-d', [CompletionResultType]::ParameterName, 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--database', '--database', [CompletionResultType]::ParameterName, 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How results are written')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use color')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Do not ask')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Do not ask')
            [CompletionResult]::new('--if-exists', '--if-exists', [CompletionResultType]::ParameterName, 'Pass over those who are not there')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Write results and errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Write results and errors only')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask, not even on a terminal')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'dash-users;rm' {
            [CompletionResult]::new('-d', '-d', [CompletionResultType]::ParameterName, 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--database', '--database', [CompletionResultType]::ParameterName, 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How results are written')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use color')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Do not ask')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Do not ask')
            [CompletionResult]::new('--if-exists', '--if-exists', [CompletionResultType]::ParameterName, 'Pass over those who are not there')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Write results and errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Write results and errors only')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask, not even on a terminal')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'dash-users;rename' {
            [CompletionResult]::new('-d', '-d', [CompletionResultType]::ParameterName, 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--database', '--database', [CompletionResultType]::ParameterName, 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How results are written')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use color')
            [CompletionResult]::new('--allow-similar', '--allow-similar', [CompletionResultType]::ParameterName, 'Allow a name that differs from another user''s only by ASCII case')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Write results and errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Write results and errors only')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask, not even on a terminal')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'dash-users;update' {
            [CompletionResult]::new('--language', '--language', [CompletionResultType]::ParameterName, 'The new language, a BCP 47 tag')
            [CompletionResult]::new('-d', '-d', [CompletionResultType]::ParameterName, 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--database', '--database', [CompletionResultType]::ParameterName, 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How results are written')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use color')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Write results and errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Write results and errors only')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask, not even on a terminal')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'dash-users;lock' {
            [CompletionResult]::new('-d', '-d', [CompletionResultType]::ParameterName, 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--database', '--database', [CompletionResultType]::ParameterName, 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How results are written')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use color')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Write results and errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Write results and errors only')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask, not even on a terminal')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'dash-users;unlock' {
            [CompletionResult]::new('-d', '-d', [CompletionResultType]::ParameterName, 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--database', '--database', [CompletionResultType]::ParameterName, 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How results are written')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use color')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Write results and errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Write results and errors only')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask, not even on a terminal')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'dash-users;group' {
            [CompletionResult]::new('-d', '-d', [CompletionResultType]::ParameterName, 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--database', '--database', [CompletionResultType]::ParameterName, 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How results are written')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use color')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Write results and errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Write results and errors only')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask, not even on a terminal')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('add', 'add', [CompletionResultType]::ParameterValue, 'Put a user into groups')
            [CompletionResult]::new('remove', 'remove', [CompletionResultType]::ParameterValue, 'Take a user out of groups')
            [CompletionResult]::new('rm', 'rm', [CompletionResultType]::ParameterValue, 'Take a user out of groups')
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List a user''s groups, or all groups and who is in them')
            [CompletionResult]::new('ls', 'ls', [CompletionResultType]::ParameterValue, 'List a user''s groups, or all groups and who is in them')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'dash-users;group;add' {
            [CompletionResult]::new('-d', '-d', [CompletionResultType]::ParameterName, 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--database', '--database', [CompletionResultType]::ParameterName, 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How results are written')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use color')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Write results and errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Write results and errors only')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask, not even on a terminal')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'dash-users;group;remove' {
            [CompletionResult]::new('-d', '-d', [CompletionResultType]::ParameterName, 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--database', '--database', [CompletionResultType]::ParameterName, 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How results are written')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use color')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Write results and errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Write results and errors only')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask, not even on a terminal')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'dash-users;group;rm' {
            [CompletionResult]::new('-d', '-d', [CompletionResultType]::ParameterName, 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--database', '--database', [CompletionResultType]::ParameterName, 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How results are written')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use color')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Write results and errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Write results and errors only')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask, not even on a terminal')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'dash-users;group;list' {
            [CompletionResult]::new('-d', '-d', [CompletionResultType]::ParameterName, 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--database', '--database', [CompletionResultType]::ParameterName, 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How results are written')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use color')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Write results and errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Write results and errors only')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask, not even on a terminal')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'dash-users;group;ls' {
            [CompletionResult]::new('-d', '-d', [CompletionResultType]::ParameterName, 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--database', '--database', [CompletionResultType]::ParameterName, 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How results are written')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use color')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Write results and errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Write results and errors only')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask, not even on a terminal')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'dash-users;group;help' {
            [CompletionResult]::new('add', 'add', [CompletionResultType]::ParameterValue, 'Put a user into groups')
            [CompletionResult]::new('remove', 'remove', [CompletionResultType]::ParameterValue, 'Take a user out of groups')
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List a user''s groups, or all groups and who is in them')
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
        'dash-users;group;help;help' {
            break
        }
        'dash-users;list' {
            [CompletionResult]::new('--group', '--group', [CompletionResultType]::ParameterName, 'Only users in this group')
            [CompletionResult]::new('--sort', '--sort', [CompletionResultType]::ParameterName, 'In which order; the oldest time is the first, and unknown ones are before it')
            [CompletionResult]::new('--method', '--method', [CompletionResultType]::ParameterName, 'Hash method: scrypt, scrypt:N:r:p, pbkdf2, pbkdf2:ALGORITHM or pbkdf2:ALGORITHM:ITERATIONS [env: DASH_USERS_METHOD] [default: scrypt]')
            [CompletionResult]::new('-d', '-d', [CompletionResultType]::ParameterName, 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--database', '--database', [CompletionResultType]::ParameterName, 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How results are written')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use color')
            [CompletionResult]::new('--outdated', '--outdated', [CompletionResultType]::ParameterName, 'Only users with an outdated hash')
            [CompletionResult]::new('--locked', '--locked', [CompletionResultType]::ParameterName, 'Only locked users')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Write results and errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Write results and errors only')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask, not even on a terminal')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'dash-users;ls' {
            [CompletionResult]::new('--group', '--group', [CompletionResultType]::ParameterName, 'Only users in this group')
            [CompletionResult]::new('--sort', '--sort', [CompletionResultType]::ParameterName, 'In which order; the oldest time is the first, and unknown ones are before it')
            [CompletionResult]::new('--method', '--method', [CompletionResultType]::ParameterName, 'Hash method: scrypt, scrypt:N:r:p, pbkdf2, pbkdf2:ALGORITHM or pbkdf2:ALGORITHM:ITERATIONS [env: DASH_USERS_METHOD] [default: scrypt]')
            [CompletionResult]::new('-d', '-d', [CompletionResultType]::ParameterName, 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--database', '--database', [CompletionResultType]::ParameterName, 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How results are written')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use color')
            [CompletionResult]::new('--outdated', '--outdated', [CompletionResultType]::ParameterName, 'Only users with an outdated hash')
            [CompletionResult]::new('--locked', '--locked', [CompletionResultType]::ParameterName, 'Only locked users')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Write results and errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Write results and errors only')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask, not even on a terminal')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'dash-users;show' {
            [CompletionResult]::new('--method', '--method', [CompletionResultType]::ParameterName, 'Hash method: scrypt, scrypt:N:r:p, pbkdf2, pbkdf2:ALGORITHM or pbkdf2:ALGORITHM:ITERATIONS [env: DASH_USERS_METHOD] [default: scrypt]')
            [CompletionResult]::new('-d', '-d', [CompletionResultType]::ParameterName, 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--database', '--database', [CompletionResultType]::ParameterName, 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How results are written')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use color')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Write results and errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Write results and errors only')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask, not even on a terminal')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'dash-users;history' {
            [CompletionResult]::new('--limit', '--limit', [CompletionResultType]::ParameterName, 'At most so many events')
            [CompletionResult]::new('-d', '-d', [CompletionResultType]::ParameterName, 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--database', '--database', [CompletionResultType]::ParameterName, 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How results are written')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use color')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Write results and errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Write results and errors only')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask, not even on a terminal')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'dash-users;check' {
            [CompletionResult]::new('--method', '--method', [CompletionResultType]::ParameterName, 'Hash method: scrypt, scrypt:N:r:p, pbkdf2, pbkdf2:ALGORITHM or pbkdf2:ALGORITHM:ITERATIONS [env: DASH_USERS_METHOD] [default: scrypt]')
            [CompletionResult]::new('-d', '-d', [CompletionResultType]::ParameterName, 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--database', '--database', [CompletionResultType]::ParameterName, 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How results are written')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use color')
            [CompletionResult]::new('--fix', '--fix', [CompletionResultType]::ParameterName, 'Put back what is missing of dash-users'' own tables and triggers, and drop groups of users who are not there. Never changes a user or the file''s mode')
            [CompletionResult]::new('--unwrap', '--unwrap', [CompletionResultType]::ParameterName, 'With --fix: restore hashes that have something around them, such as quotes, and convert PBKDF2 hashes of Django and passlib; passwords stay the same')
            [CompletionResult]::new('--all', '--all', [CompletionResultType]::ParameterName, 'Show every finding: without it, more than ten of a kind are summed up for people')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Write results and errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Write results and errors only')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask, not even on a terminal')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'dash-users;import' {
            [CompletionResult]::new('--on-conflict', '--on-conflict', [CompletionResultType]::ParameterName, 'What to do about users who exist already')
            [CompletionResult]::new('--input-format', '--input-format', [CompletionResultType]::ParameterName, 'Format of the file, where its name does not tell')
            [CompletionResult]::new('--generate-missing', '--generate-missing', [CompletionResultType]::ParameterName, 'Give each new user without a password a generated one, and write them to a new CSV file')
            [CompletionResult]::new('--jobs', '--jobs', [CompletionResultType]::ParameterName, 'How many passwords are hashed at once, 1 to 256; by default one per core, all in 192 MiB or one hash')
            [CompletionResult]::new('--file-mode', '--file-mode', [CompletionResultType]::ParameterName, 'Permission bits of a new database file, in octal')
            [CompletionResult]::new('--file-group', '--file-group', [CompletionResultType]::ParameterName, 'Group of a new database file, by name or number; by default that of the process')
            [CompletionResult]::new('--method', '--method', [CompletionResultType]::ParameterName, 'Hash method: scrypt, scrypt:N:r:p, pbkdf2, pbkdf2:ALGORITHM or pbkdf2:ALGORITHM:ITERATIONS [env: DASH_USERS_METHOD] [default: scrypt]')
            [CompletionResult]::new('-d', '-d', [CompletionResultType]::ParameterName, 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--database', '--database', [CompletionResultType]::ParameterName, 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How results are written')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use color')
            [CompletionResult]::new('--lock-missing', '--lock-missing', [CompletionResultType]::ParameterName, 'Lock each new user without a password; `passwd` and `unlock` let the user in later')
            [CompletionResult]::new('--as-is', '--as-is', [CompletionResultType]::ParameterName, 'Take names, hashes, languages and groups without judging them, as `export` wrote them')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Only say what would be done')
            [CompletionResult]::new('--allow-weak', '--allow-weak', [CompletionResultType]::ParameterName, 'Take weak passwords: under 8 characters, or easy to guess')
            [CompletionResult]::new('--allow-hash-like', '--allow-hash-like', [CompletionResultType]::ParameterName, 'Take passwords that look like a digest or a hash of another program')
            [CompletionResult]::new('--allow-similar', '--allow-similar', [CompletionResultType]::ParameterName, 'Allow names that differ from another one only by ASCII case')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Write results and errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Write results and errors only')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask, not even on a terminal')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'dash-users;export' {
            [CompletionResult]::new('--output-format', '--output-format', [CompletionResultType]::ParameterName, 'Format of the file, where its name does not tell; on stdout csv, or json with --json')
            [CompletionResult]::new('-d', '-d', [CompletionResultType]::ParameterName, 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--database', '--database', [CompletionResultType]::ParameterName, 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How results are written')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use color')
            [CompletionResult]::new('--without-hashes', '--without-hashes', [CompletionResultType]::ParameterName, 'Leave the password hashes out')
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'Replace an existing file')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Write results and errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Write results and errors only')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask, not even on a terminal')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'dash-users;backup' {
            [CompletionResult]::new('-d', '-d', [CompletionResultType]::ParameterName, 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--database', '--database', [CompletionResultType]::ParameterName, 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How results are written')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use color')
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'Replace an older backup')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Write results and errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Write results and errors only')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask, not even on a terminal')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'dash-users;restore' {
            [CompletionResult]::new('-d', '-d', [CompletionResultType]::ParameterName, 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--database', '--database', [CompletionResultType]::ParameterName, 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How results are written')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use color')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Do not ask')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Do not ask')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Write results and errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Write results and errors only')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask, not even on a terminal')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'dash-users;hash' {
            [CompletionResult]::new('--hash-file', '--hash-file', [CompletionResultType]::ParameterName, 'A file with one hash; one line end is taken off')
            [CompletionResult]::new('--password-file', '--password-file', [CompletionResultType]::ParameterName, 'Read the password from a file; one line end is taken off [env: DASH_USERS_PASSWORD_FILE]')
            [CompletionResult]::new('--method', '--method', [CompletionResultType]::ParameterName, 'Hash method: scrypt, scrypt:N:r:p, pbkdf2, pbkdf2:ALGORITHM or pbkdf2:ALGORITHM:ITERATIONS [env: DASH_USERS_METHOD] [default: scrypt]')
            [CompletionResult]::new('-d', '-d', [CompletionResultType]::ParameterName, 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--database', '--database', [CompletionResultType]::ParameterName, 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How results are written')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use color')
            [CompletionResult]::new('--check', '--check', [CompletionResultType]::ParameterName, 'Check the password against the hash in --hash-file')
            [CompletionResult]::new('--password-stdin', '--password-stdin', [CompletionResultType]::ParameterName, 'Read the password from stdin; one line end is taken off')
            [CompletionResult]::new('--generate', '--generate', [CompletionResultType]::ParameterName, 'Generate a password, and write it to stdout once')
            [CompletionResult]::new('--allow-weak', '--allow-weak', [CompletionResultType]::ParameterName, 'Take a weak password: under 8 characters, or easy to guess')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Write results and errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Write results and errors only')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask, not even on a terminal')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'dash-users;completions' {
            [CompletionResult]::new('-d', '-d', [CompletionResultType]::ParameterName, 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--database', '--database', [CompletionResultType]::ParameterName, 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How results are written')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use color')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Write results and errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Write results and errors only')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask, not even on a terminal')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'dash-users;man' {
            [CompletionResult]::new('-d', '-d', [CompletionResultType]::ParameterName, 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--database', '--database', [CompletionResultType]::ParameterName, 'The database: a path, sqlite:///relative, sqlite:////absolute or postgresql://user@host/name [env: DASH_USERS_DATABASE] [default: users.db]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How results are written')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use color')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Write results and errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Write results and errors only')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask, not even on a terminal')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'dash-users;help' {
            [CompletionResult]::new('init', 'init', [CompletionResultType]::ParameterValue, 'Create the database, or bring an existing one up to date')
            [CompletionResult]::new('migrate', 'migrate', [CompletionResultType]::ParameterValue, 'Apply pending migrations of the database''s schema')
            [CompletionResult]::new('seed', 'seed', [CompletionResultType]::ParameterValue, 'Add the users of a file who are missing, or two demo users')
            [CompletionResult]::new('add', 'add', [CompletionResultType]::ParameterValue, 'Add a user')
            [CompletionResult]::new('passwd', 'passwd', [CompletionResultType]::ParameterValue, 'Set a new password')
            [CompletionResult]::new('verify', 'verify', [CompletionResultType]::ParameterValue, 'Check a password as the app does')
            [CompletionResult]::new('rehash', 'rehash', [CompletionResultType]::ParameterValue, 'Store a new hash of the same password')
            [CompletionResult]::new('remove', 'remove', [CompletionResultType]::ParameterValue, 'Remove users')
            [CompletionResult]::new('rename', 'rename', [CompletionResultType]::ParameterValue, 'Give a user another name')
            [CompletionResult]::new('update', 'update', [CompletionResultType]::ParameterValue, 'Change what is not a secret: the language')
            [CompletionResult]::new('lock', 'lock', [CompletionResultType]::ParameterValue, 'Lock users out, and keep their passwords')
            [CompletionResult]::new('unlock', 'unlock', [CompletionResultType]::ParameterValue, 'Let locked users in again, with the passwords they had')
            [CompletionResult]::new('group', 'group', [CompletionResultType]::ParameterValue, 'Put users into groups, take them out, or list groups')
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List the users, never their hashes')
            [CompletionResult]::new('show', 'show', [CompletionResultType]::ParameterValue, 'Show one user, never the hash')
            [CompletionResult]::new('history', 'history', [CompletionResultType]::ParameterValue, 'Tell who did what to users, and when, the newest first')
            [CompletionResult]::new('check', 'check', [CompletionResultType]::ParameterValue, 'Look for whatever is wrong with the database and its users')
            [CompletionResult]::new('import', 'import', [CompletionResultType]::ParameterValue, 'Add or change the users of a file, all or none')
            [CompletionResult]::new('export', 'export', [CompletionResultType]::ParameterValue, 'Write all users to a file that `import --as-is` reads back')
            [CompletionResult]::new('backup', 'backup', [CompletionResultType]::ParameterValue, 'Write a copy of the whole database to a file')
            [CompletionResult]::new('restore', 'restore', [CompletionResultType]::ParameterValue, 'Put a backup back in the place of all that the database holds')
            [CompletionResult]::new('hash', 'hash', [CompletionResultType]::ParameterValue, 'Print the hash of a password, or check one, without a database')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Print a script by which a shell completes commands and names')
            [CompletionResult]::new('man', 'man', [CompletionResultType]::ParameterValue, 'Write a man page for each command to a directory')
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
            [CompletionResult]::new('add', 'add', [CompletionResultType]::ParameterValue, 'Put a user into groups')
            [CompletionResult]::new('remove', 'remove', [CompletionResultType]::ParameterValue, 'Take a user out of groups')
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List a user''s groups, or all groups and who is in them')
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
