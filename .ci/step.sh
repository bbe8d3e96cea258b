# Sourced by .ci/run and the justfile.

# Runs a command, then prints its wall time and the CPU time of all its processes.
step() {
    local TIMEFORMAT="ci: $1: %R s (CPU: %U user, %S system)"
    shift
    # Bash writes the times to stderr. Only they go to stdout.
    { time "$@" 2>&3; } 3>&2 2>&1
}
