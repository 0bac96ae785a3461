# Sourced by the scripts beside it: where local things live, free ports, own processes.
# It never touches a process that it can't prove to be ours.
# shellcheck shell=bash disable=SC2034  # the scripts use what is set here

REPO=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
LOCAL=${WARREN_LOCAL:-$REPO/.local}

# Progress goes to stderr: stdout carries only what a caller may capture.
say() { printf '%s: %s\n' "$NAME" "$*" >&2; }

fail() {
    say "error: $1"
    shift
    local remedy
    for remedy in "$@"; do say "  $remedy"; done
    exit 1
}

# Creates directory $1 and makes sure that this user may write there.
make_dir() {
    mkdir -p "$1" 2>/dev/null && [ -w "$1" ] && return
    fail "cannot write to $1" "it may belong to another user; set WARREN_LOCAL to a folder of your own"
}

port_answers() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# Prints the first port from $1 on that nobody answers on.
next_free_port() {
    local port=$1
    while port_answers "$port"; do
        port=$((port + 1))
        [ "$port" -lt $(($1 + 200)) ] || fail "no free port between $1 and $port" "stop something that listens there"
    done
    echo "$port"
}

# Prints the pid kept in file $1 if that process lives and its command line contains $2.
own_pid() {
    local pid
    pid=$(cat "$1" 2>/dev/null) || return 1
    [[ $pid =~ ^[0-9]+$ ]] || return 1
    tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -qF -- "$2" || return 1
    echo "$pid"
}

# Runs "$2 …" until it succeeds, for at most $1 seconds.
wait_until() {
    local deadline=$((SECONDS + $1))
    shift
    until "$@"; do
        [ "$SECONDS" -lt "$deadline" ] || return 1
        sleep 0.1
    done
}

# Ends process $1 (whose command line contains $2): politely, and after $3 seconds for good.
end_process() {
    local pid=$1 mark=$2 seconds=$3
    gone() { ! tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -qF -- "$mark"; }
    kill -TERM "$pid" 2>/dev/null || true
    wait_until "$seconds" gone && return
    say "process $pid did not stop within $seconds s: killing it"
    kill -KILL "$pid" 2>/dev/null || true
    wait_until 5 gone
}
