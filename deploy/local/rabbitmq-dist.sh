# Sourced by `rabbitmq`: finds a RabbitMQ to run, and unpacks one where none is installed.
# It installs nothing system-wide and needs no root.
# shellcheck shell=bash disable=SC2034  # `rabbitmq` uses what is set here

DIST=$LOCAL/rabbitmq-dist

# Sets SBIN (RabbitMQ's scripts) and ERLANG_BIN (the folder of `erl`; empty for the one on PATH).
find_dist() {
    SBIN='' ERLANG_BIN=''
    case ${WARREN_RABBITMQ:-auto} in
    auto) system_dist || bundled_dist || true ;;
    system) system_dist || fail "no RabbitMQ is installed here" "install rabbitmq-server, or set WARREN_RABBITMQ=bundled" ;;
    bundled) bundled_dist || true ;;
    *) fail "WARREN_RABBITMQ=$WARREN_RABBITMQ is not a choice" "use auto, system or bundled" ;;
    esac
    [ -n "$SBIN" ]
}

system_dist() {
    SBIN=$(newest_sbin /usr/lib/rabbitmq/lib) || return 1
    command -v erl >/dev/null
}

bundled_dist() {
    SBIN=$(newest_sbin "$DIST/usr/lib/rabbitmq/lib") || return 1
    ERLANG_BIN=$DIST/usr/lib/erlang/bin
}

newest_sbin() {
    local sbin
    sbin=$(find "$1" -mindepth 2 -maxdepth 2 -path '*/rabbitmq_server-*/sbin' 2>/dev/null | sort -V | tail -n 1)
    [ -n "$sbin" ] && echo "$sbin"
}

# Downloads Debian's packages with the machine's own apt sources and unpacks them into $DIST.
unpack_dist() {
    local work=$DIST.new
    if ! command -v apt-get >/dev/null || ! command -v dpkg-deb >/dev/null; then
        fail "RabbitMQ is not installed, and without apt-get and dpkg-deb it can't be unpacked here" \
            "install rabbitmq-server (3.10 or later)" \
            "or run any RabbitMQ and set WARREN_TEST_AMQP=amqp://user:password@host:port/%2f"
    fi
    rm -rf "$work"
    make_dir "$work/debs"
    say "RabbitMQ is not installed here: unpacking Debian's packages into $DIST"
    download_packages "$work/debs" || { private_lists && download_packages "$work/debs"; } || fail \
        "could not download RabbitMQ's packages (see $DIST.log)" \
        "check the network and /etc/apt/sources.list*, or install rabbitmq-server, or set WARREN_TEST_AMQP to a broker of yours"
    local deb
    for deb in "$work"/debs/*.deb; do dpkg-deb -x "$deb" "$work"; done
    rm -rf "$work/debs"
    relocate_erlang "$work"
    rm -rf "$DIST"
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
    [ ${#packages[@]} -gt 10 ] || return 1
    bytes=$(apt-cache "${APT[@]}" show --no-all-versions "${packages[@]}" 2>/dev/null | awk '/^Size:/ {sum += $2} END {print sum}')
    [ "${bytes:-0}" -gt 0 ] || return 1
    say "downloading RabbitMQ ($((bytes / 1000000)) MB) …"
    (cd "$1" && rm -f ./*.deb && apt_quiet apt-get "${APT[@]}" download "${packages[@]}")
}

# RabbitMQ, its Erlang, and those shared libraries that this machine lacks.
needed_packages() {
    local package
    apt-cache "${APT[@]}" depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces --no-enhances \
        rabbitmq-server 2>/dev/null | grep -E '^(rabbitmq-server|erlang-|lib)[a-z0-9.+-]*$' | sort -u |
        while read -r package; do
            case $package in
            erlang-base-hipe | erlang-*-doc) ;;
            lib*) erlang_links "$package" && ! installed "$package" && echo "$package" ;;
            *) echo "$package" ;;
            esac
        done || true
}

# The libraries that Erlang's own binaries link (procps, python and other dependencies are not needed to run the node).
erlang_links() {
    case $1 in
    libssl3* | libtinfo6 | libstdc++6 | libgcc-s1 | libsystemd0 | libcap2 | libgcrypt20 | libgpg-error0 | liblz4-1 | liblzma5 | libzstd1) ;;
    *) return 1 ;;
    esac
}

installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

# Debian's two `erl` scripts say where they live; ours find out, so that the folder may move.
relocate_erlang() {
    local erl up
    for erl in "$1"/usr/lib/erlang/bin/erl "$1"/usr/lib/erlang/erts-*/bin/erl; do
        case $erl in */erts-*) up=../.. ;; *) up=.. ;; esac
        sed -i -E "s#ROOTDIR=\"?/usr/lib/erlang\"?\$#ROOTDIR=\$(cd \"\$(dirname \"\$0\")/$up\" \\&\\& pwd)#" "$erl"
        ! grep -qF /usr/lib/erlang "$erl" || fail "could not relocate the unpacked Erlang" "install rabbitmq-server instead"
    done
}

# Prints the folders of shared libraries that were unpacked beside Erlang, for LD_LIBRARY_PATH.
dist_libraries() {
    find "$DIST/usr/lib" "$DIST/lib" -maxdepth 2 -name 'lib*.so.*' -printf '%h\n' 2>/dev/null | sort -u | paste -sd: -
}
