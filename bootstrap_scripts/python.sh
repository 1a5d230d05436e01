#!/bin/sh
# python.sh MODULE: a python3 that has the module (venv, ensurepip), from the system's packages where it is missing. Called
# by 60-venv.sh: servers of an app that needs no Python get none.
set -eu
module=$1

if python3 -c "import $module" >/dev/null 2>&1; then exit 0; fi
if command -v apt-get >/dev/null; then
    # A new server's own updates may hold the lock for a while.
    set -- -q -o DPkg::Lock::Timeout=120
    apt-get "$@" update
    DEBIAN_FRONTEND=noninteractive apt-get "$@" install -y --no-install-recommends python3 python3-venv
elif command -v dnf >/dev/null; then
    dnf install -q -y python3 python3-pip
else
    echo "No python3 with $module here, and neither apt-get nor dnf to install it." >&2
fi
