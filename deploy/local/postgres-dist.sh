# Sourced by `postgres`: finds a PostgreSQL to run, and unpacks one where none is installed.
# It installs nothing system-wide and needs no root. `postgres` has set DIST, where the copy is.
# shellcheck shell=bash disable=SC2034  # `postgres` uses what is set here
# shellcheck source=apt.sh
. "$(dirname "${BASH_SOURCE[0]}")/apt.sh"

# Oldest major version that Warren is tried with.
POSTGRES_MIN=13

# Sets BIN, the folder of `postgres`, `initdb` and `psql`.
find_dist() {
    BIN=''
    case ${WARREN_POSTGRES:-auto} in
    auto) system_dist || bundled_dist || true ;;
    system) system_dist || fail "no PostgreSQL $POSTGRES_MIN or later is installed here" "install postgresql, or set WARREN_POSTGRES=bundled" ;;
    bundled) bundled_dist || true ;;
    *) fail "WARREN_POSTGRES=$WARREN_POSTGRES is not a choice" "use auto, system or bundled" ;;
    esac
    [ -n "$BIN" ]
}

system_dist() { BIN=$(newest_bin /usr/lib/postgresql); }

bundled_dist() {
    BIN=$(newest_bin "$DIST/usr/lib/postgresql") || return 1
    LD_LIBRARY_PATH=$(dist_libraries)${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
    export LD_LIBRARY_PATH
}

# The version of the data, if there are any, else the newest: data of one version can't be read by another.
newest_bin() {
    local bin version
    version=$(cat "${DATA:-}/PG_VERSION" 2>/dev/null || true)
    while read -r bin; do
        [ -x "$bin/initdb" ] && [ -x "$bin/psql" ] && echo "$bin" && return
    done < <(for bin in "$1"/${version:-*}/bin; do
        [ -x "$bin/postgres" ] && [ "$(version_of "$bin")" -ge "$POSTGRES_MIN" ] && echo "$bin"
    done | sort -rV)
    return 1
}

version_of() { basename "$(dirname "$1")" | cut -d. -f1; }

unpack_dist() {
    unpack_packages PostgreSQL '' "or install postgresql ($POSTGRES_MIN or later)" \
        "or run any PostgreSQL and set WARREN_TEST_POSTGRES=postgres://user:password@host:port/database"
    keep_unpacked
}

# The server, its client, and those shared libraries that this machine lacks. Not LLVM: without it there is only no
# just-in-time compiler, which Warren turns off anyway.
needed_packages() {
    local server package
    server=$(apt-cache "${APT[@]}" depends postgresql 2>/dev/null | grep -oE 'postgresql-[0-9]+' | sort -V | tail -n 1)
    [ -n "$server" ] || return 0
    echo "$server"
    echo "postgresql-client-${server#postgresql-}"
    depends_of "$server" | grep '^lib' | while read -r package; do
        case $package in
        libllvm* | *perl* | *-data | *-common | *-bin | libc6 | libgcc-s1) ;;
        *) installed "$package" || echo "$package" ;;
        esac
    done || true
}

# Prints the folders of shared libraries that were unpacked with it, for LD_LIBRARY_PATH.
dist_libraries() {
    find "$DIST/usr/lib" "$DIST/lib" -maxdepth 2 -name 'lib*.so.*' -printf '%h\n' 2>/dev/null | sort -u | paste -sd: -
}
