#!/bin/sh
# Unpacks the release into release/: app/, wheels/ and release.json. Once per artifact: the same one is left alone.
set -eu
cd "${SERVER_ROOT:-}/srv/app"

digest=$(sha256sum release.tar.gz | cut -d ' ' -f 1)
if [ -f release/.digest ] && [ "$(cat release/.digest)" = "$digest" ]; then exit 0; fi

# tar would strip such names and go on. An archive that has them is not one of ours.
if tar -tzf release.tar.gz | grep -E '^/|(^|/)\.\.(/|$)' >&2; then
    echo "release.tar.gz: the names above lead out of its folder; nothing was unpacked. Build the release again." >&2
    exit 1
fi
rm -rf release.new
mkdir release.new
tar -xzf release.tar.gz -C release.new --no-same-owner --no-same-permissions
echo "$digest" >release.new/.digest
rm -rf release
mv release.new release
