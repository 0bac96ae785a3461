# Sourced by `postgres`: finds a PostgreSQL to run, and unpacks one where none is installed.
# It installs nothing system-wide and needs no root. `postgres` has set DIST, where the copy is.
# shellcheck shell=bash disable=SC2034  # `postgres` uses what is set here

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

# Downloads Debian's packages with the machine's own apt sources and unpacks them into $DIST.
unpack_dist() {
    local work=$DIST.new
    if ! command -v apt-get >/dev/null || ! command -v dpkg-deb >/dev/null; then
        fail "PostgreSQL is not installed, and without apt-get and dpkg-deb it can't be unpacked here" \
            "install postgresql ($POSTGRES_MIN or later)" \
            "or run any PostgreSQL and set WARREN_TEST_POSTGRES=postgres://user:password@host:port/database"
    fi
    rm -rf "$work"
    make_dir "$work/debs"
    say "PostgreSQL is not installed here: unpacking Debian's packages into $DIST"
    download_packages "$work/debs" || { private_lists && download_packages "$work/debs"; } || fail \
        "could not download PostgreSQL's packages (see $DIST.log)" \
        "check the network and /etc/apt/sources.list*, or install postgresql, or set WARREN_TEST_POSTGRES to a server of yours"
    local deb
    for deb in "$work"/debs/*.deb; do dpkg-deb -x "$deb" "$work"; done
    rm -rf "$work/debs" "$DIST"
    chmod 755 "$work"
    mv "$work" "$DIST"
    rm -rf "$DIST.apt"
}

# apt with the lists in use: the machine's, or our own after `private_lists`.
APT=(-o APT::Sandbox::User=root)
apt_quiet() { "$@" >>"$DIST.log" 2>&1; }

# The machine's package lists are absent or stale: fetch a copy for us alone.
private_lists() {
    local apt=$DIST.apt
    make_dir "$apt/lists/partial"
    make_dir "$apt/cache/archives/partial"
    APT+=(-o "Dir::State::Lists=$apt/lists" -o "Dir::Cache=$apt/cache")
    say "reading package lists …"
    apt_quiet apt-get "${APT[@]}" update
}

download_packages() {
    local packages bytes
    mapfile -t packages < <(needed_packages)
    [ ${#packages[@]} -ge 2 ] || return 1
    bytes=$(apt-cache "${APT[@]}" show --no-all-versions "${packages[@]}" 2>/dev/null | awk '/^Size:/ {sum += $2} END {print sum}')
    [ "${bytes:-0}" -gt 0 ] || return 1
    say "downloading PostgreSQL ($((bytes / 1000000)) MB) …"
    (cd "$1" && rm -f ./*.deb && apt_quiet apt-get "${APT[@]}" download "${packages[@]}")
}

# The server, its client, and those shared libraries that this machine lacks. Not LLVM: without it there is only no
# just-in-time compiler, which Warren turns off anyway.
needed_packages() {
    local server package
    server=$(apt-cache "${APT[@]}" depends postgresql 2>/dev/null | grep -oE 'postgresql-[0-9]+' | sort -V | tail -n 1)
    [ -n "$server" ] || return 0
    echo "$server"
    echo "postgresql-client-${server#postgresql-}"
    apt-cache "${APT[@]}" depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces --no-enhances \
        "$server" 2>/dev/null | grep -E '^lib[a-z0-9.+-]*$' | sort -u |
        while read -r package; do
            case $package in
            libllvm* | *perl* | *-data | *-common | *-bin | libc6 | libgcc-s1) ;;
            *) installed "$package" || echo "$package" ;;
            esac
        done || true
}

installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

# Prints the folders of shared libraries that were unpacked with it, for LD_LIBRARY_PATH.
dist_libraries() {
    find "$DIST/usr/lib" "$DIST/lib" -maxdepth 2 -name 'lib*.so.*' -printf '%h\n' 2>/dev/null | sort -u | paste -sd: -
}
