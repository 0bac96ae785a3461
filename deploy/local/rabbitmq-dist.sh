# Sourced by `rabbitmq`: finds a RabbitMQ to run, and unpacks one where none is installed.
# It installs nothing system-wide and needs no root. `rabbitmq` has set SERIES.
# shellcheck shell=bash disable=SC2034  # `rabbitmq` uses what is set here
# shellcheck source=apt.sh
. "$(dirname "${BASH_SOURCE[0]}")/apt.sh"

DIST=$LOCAL/rabbitmq$SERIES-dist

# Sets SBIN (RabbitMQ's scripts) and ERLANG_BIN (the folder of `erl`; empty for the one on PATH).
find_dist() {
    SBIN='' ERLANG_BIN=''
    case ${WARREN_RABBITMQ:-auto} in
    auto) system_dist || bundled_dist || true ;;
    4) system_dist 4 || bundled_dist || true ;;
    system) system_dist || fail "no RabbitMQ is installed here" "install rabbitmq-server, or set WARREN_RABBITMQ=bundled" ;;
    bundled) bundled_dist || true ;;
    *) fail "WARREN_RABBITMQ=$WARREN_RABBITMQ is not a choice" "use auto, system, bundled or 4" ;;
    esac
    [ -n "$SBIN" ]
}

# $1: the major version that it must have, if any.
system_dist() {
    SBIN=$(newest_sbin /usr/lib/rabbitmq/lib "${1:-}") || return 1
    command -v erl >/dev/null
}

bundled_dist() {
    SBIN=$(newest_sbin "$DIST/usr/lib/rabbitmq/lib" '') || return 1
    ERLANG_BIN=$DIST/usr/lib/erlang/bin
}

newest_sbin() {
    local sbin
    sbin=$(find "$1" -mindepth 2 -maxdepth 2 -path "*/rabbitmq_server-$2*/sbin" 2>/dev/null | sort -V | tail -n 1)
    [ -n "$sbin" ] && echo "$sbin"
}

# The major version of the RabbitMQ that was found.
dist_major() {
    local version=${SBIN##*/rabbitmq_server-}
    echo "${version%%.*}"
}

unpack_dist() {
    local release=''
    # The release that has RabbitMQ 4.
    [ "${WARREN_RABBITMQ:-}" != 4 ] || release=trixie
    unpack_packages "RabbitMQ${SERIES/-/ }" "$release" \
        "or install rabbitmq-server (3.10 or later)" \
        "or run any RabbitMQ and set WARREN_TEST_AMQP=amqp://user:password@host:port/%2f"
    relocate_erlang "$DIST.new"
    wrap_binaries "$DIST.new"
    keep_unpacked
}

# RabbitMQ, its Erlang, and the shared libraries that Erlang's binaries link, the C library included: procps, python and
# other dependencies are not needed to run a node.
needed_packages() {
    local package
    depends_of rabbitmq-server | while read -r package; do
        case $package in
        erlang-base-hipe | erlang-*-doc) ;;
        rabbitmq-server | erlang-*) echo "$package" ;;
        libc6 | libgcc-s1 | libstdc++6 | libssl3* | libtinfo6 | libsystemd0 | libcap2 | zlib1g) echo "$package" ;;
        libgcrypt20 | libgpg-error0 | liblz4-1 | liblzma5 | libzstd1) echo "$package" ;;
        esac
    done
}

# Debian's `erl` scripts say where they live; ours find out, so that the folder may move.
relocate_erlang() {
    local erl up
    for erl in "$1"/usr/lib/erlang/bin/erl "$1"/usr/lib/erlang/erts-*/bin/erl; do
        case $erl in */erts-*) up=../.. ;; *) up=.. ;; esac
        sed -i -E "s#ROOTDIR=\"?/usr/lib/erlang\"?\$#ROOTDIR=\$(cd \"\$(dirname \"\$0\")/$up\" \\&\\& pwd)#" "$erl"
        ! grep -qF /usr/lib/erlang "$erl" || fail "could not relocate the unpacked Erlang" "install rabbitmq-server instead"
    done
}

# Erlang's binaries may need a later C library than this machine has. Each becomes a script that runs it with the
# libraries unpacked beside it, and only it: what it starts in turn (a shell, say) keeps the machine's own.
wrap_binaries() {
    local binary loader libraries
    loader=$(cd "$1" && find . -name 'ld-linux*.so.*' -type f | head -n 1 | cut -c3-)
    # shellcheck disable=SC2016  # for the scripts to expand
    libraries=$(cd "$1" && find . -maxdepth 4 -name 'lib*.so.*' -printf '%h\n' | sort -u | sed 's#^\.#$root#' | paste -sd:)
    find "$1/usr/lib/erlang" -type f -perm -u+x -not -name '*.so' | while read -r binary; do
        [ "$(head -c 4 "$binary" | tail -c 3)" = ELF ] || continue
        mv "$binary" "$binary.elf"
        cat >"$binary" <<SH
#!/bin/sh
self=\$(readlink -f "\$0")
root=\${self%/usr/lib/erlang/*}
exec "\$root/$loader" --library-path "$libraries" --argv0 "\$0" "\$self.elf" "\$@"
SH
        chmod 755 "$binary"
    done
}
