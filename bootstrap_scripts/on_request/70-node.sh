#!/bin/sh
# Node, from the system's packages where it is missing, and the packages that package.json names: those of the lock file,
# if there is one. Once per release. A Node of another version: replace the first half.
set -eu
cd "${SERVER_ROOT:-}/srv/app"
release=$(cat release/.digest)

install_packages() {
    if command -v apt-get >/dev/null; then
        # A new server's own updates may hold the lock for a while.
        apt-get -q -o DPkg::Lock::Timeout=120 update
        DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends "$@"
    elif command -v dnf >/dev/null; then
        dnf install -q -y "$@"
    else
        echo "There is no $1 here, and neither apt-get nor dnf to install it." >&2
        exit 1
    fi
}

command -v node >/dev/null || install_packages nodejs

cd release/app
if ! grep -q '"dependencies"' package.json; then exit 0; fi
if [ -f ../.node ] && [ "$(cat ../.node)" = "$release" ]; then exit 0; fi
command -v npm >/dev/null || install_packages npm
set -- --omit=dev --no-audit --no-fund --cache "$(pwd -P)/../.npm"
if [ -f package-lock.json ]; then npm ci "$@"; else npm install --no-save "$@"; fi
rm -rf ../.npm
echo "$release" >../.node
