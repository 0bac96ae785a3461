# Sourced by the -dist scripts beside it: unpacks Debian's packages with this machine's own apt, into a folder. It
# installs nothing system-wide and needs no root. They have set DIST, the folder, and define `needed_packages`.
# shellcheck shell=bash

# apt with the lists in use: the machine's, or our own after `private_lists`.
APT=(-o APT::Sandbox::User=root)
apt_quiet() { "$@" >>"$DIST.log" 2>&1; }

# Unpacks `needed_packages` of $1 into $DIST.new; `keep_unpacked` makes that $DIST. $2: the release of Debian, or
# nothing for this machine's own. The rest: what else the user can do.
unpack_packages() {
    local what=$1 release=$2 work=$DIST.new deb
    shift 2
    if ! command -v apt-get >/dev/null || ! command -v dpkg-deb >/dev/null; then
        fail "$what is not installed, and without apt-get and dpkg-deb it can't be unpacked here" "$@"
    fi
    rm -rf "$work"
    make_dir "$work/debs"
    say "$what is not installed here: unpacking Debian's packages into $DIST"
    if [ -n "$release" ]; then lists_of "$release"; fi
    download_packages "$what" "$work/debs" || { private_lists && download_packages "$what" "$work/debs"; } || fail \
        "could not download the packages of $what (see $DIST.log)" "check the network and /etc/apt/sources.list*" "$@"
    for deb in "$work"/debs/*.deb; do dpkg-deb -x "$deb" "$work"; done
    rm -rf "$work/debs"
}

keep_unpacked() {
    rm -rf "$DIST"
    chmod 755 "$DIST.new"
    mv "$DIST.new" "$DIST"
    rm -rf "$DIST.apt"
}

# The machine's package lists are absent or stale: fetch a copy for us alone.
private_lists() {
    local apt=$DIST.apt
    make_dir "$apt/lists/partial"
    make_dir "$apt/cache/archives/partial"
    APT+=(-o "Dir::State::Lists=$apt/lists" -o "Dir::Cache=$apt/cache")
    say "reading package lists …"
    apt_quiet apt-get "${APT[@]}" update
}

# Uses the lists of Debian release $1 alone, from wherever this machine gets its own Debian from.
lists_of() {
    local mirror keyring=/usr/share/keyrings/debian-archive-keyring.gpg codename
    # shellcheck source=/dev/null
    codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
    # shellcheck disable=SC2016  # apt's own variables
    mirror=$(apt-get indextargets --format '$(RELEASE) $(COMPONENT) $(REPO_URI)' 'Created-By: Packages' |
        awk -v release="$codename" '$1 == release && $2 == "main" {print $3; exit}')
    if [ -z "$mirror" ] || [ ! -r "$keyring" ]; then
        fail "this machine has no apt sources of Debian to get its release $1 from" \
            "use a Debian machine, or run any RabbitMQ and set WARREN_TEST_AMQP=amqp://user:password@host:port/%2f"
    fi
    make_dir "$DIST.apt"
    echo "deb [signed-by=$keyring] $mirror $1 main" >"$DIST.apt/sources.list"
    APT+=(-o "Dir::Etc::SourceList=$DIST.apt/sources.list" -o Dir::Etc::SourceParts=/dev/null)
    private_lists || true
}

download_packages() {
    local packages bytes
    mapfile -t packages < <(needed_packages)
    [ ${#packages[@]} -gt 0 ] || return 1
    bytes=$(apt-cache "${APT[@]}" show --no-all-versions "${packages[@]}" 2>/dev/null | awk '/^Size:/ {sum += $2} END {print sum}')
    [ "${bytes:-0}" -gt 0 ] || return 1
    say "downloading $1 ($((bytes / 1000000)) MB) …"
    (cd "$2" && rm -f ./*.deb && apt_quiet apt-get "${APT[@]}" download "${packages[@]}")
}

# Prints all packages that $1 depends on, itself included.
depends_of() {
    apt-cache "${APT[@]}" depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces --no-enhances \
        "$1" 2>/dev/null | grep -E '^[a-z0-9.+-]+$' | sort -u
}

installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }
