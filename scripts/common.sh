# What the scripts share. Sourced by them, with the repository as the current directory.
# shellcheck shell=bash

# say TEXT: prints a line to stderr, apart from the actual output.
say() { printf '%s\n' "$*" >&2; }

# quietly WHAT COMMAND...: runs a command and shows its output only if it fails.
quietly() {
    local what=$1 log status=0
    shift
    log=$(mktemp)
    "$@" >"$log" 2>&1 </dev/null || status=$?
    if [ "$status" -ne 0 ]; then
        cat "$log" >&2
        say "$what failed (exit status $status): $*"
    fi
    rm -f "$log"
    return "$status"
}

# build PRESET: configures and builds a preset of CMakePresets.json.
build() {
    say "Building ($1) ..."
    quietly "Configuring" cmake --preset "$1" && quietly "Building" cmake --build --preset "$1" --parallel "$(nproc)"
}
