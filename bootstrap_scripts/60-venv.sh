#!/bin/sh
# A virtual environment with the requirements of the release. An app without requirements gets none.
set -eu
cd "${SERVER_ROOT:-}/srv/app"

# Prints a value of release.json, which is flat. Not by Python: there may be none.
field() { sed -n "s/.*\"$1\"[[:space:]]*:[[:space:]]*\"\{0,1\}\([^\",}]*[^\",}[:space:]]\).*/\1/p" release/release.json; }

has() { "$1" -c "import $2" >/dev/null 2>&1; }

requirements=$(field requirements)
if [ -z "$requirements" ] || [ "$requirements" = null ]; then exit 0; fi
if [ -f venv/.digest ] && cmp -s venv/.digest release/.digest; then exit 0; fi

# pip runs from its own wheel when the release has one, so that only the venv module is asked of the system.
pip=$(echo release/wheels/pip-*.whl)
if [ -f "$pip" ]; then module=venv; else module=ensurepip; fi
python=python$(field python)
has "$python" "$module" || python=python3
has "$python" "$module" || bootstrap_scripts/python.sh "$module"
if ! has "$python" "$module"; then
    echo "The release needs a python3 with $module, and this server has none. Use an image that has it." >&2
    exit 1
fi

rm -rf venv
if [ -f "$pip" ]; then
    "$python" -m venv --without-pip venv
    pip=$pip/pip
else
    "$python" -m venv venv
    pip=-mpip
fi
# Bytecode is made by the app's own runs (see bin/run): only of what it imports, not of all that Django brings along.
set -- --quiet --disable-pip-version-check --root-user-action=ignore --no-cache-dir --no-compile
if [ "$(field wheels)" = true ]; then set -- "$@" --no-index --find-links release/wheels; fi
venv/bin/python "$pip" install "$@" -r "release/app/$requirements"
cp release/.digest venv/.digest
