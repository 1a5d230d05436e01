#!/bin/sh
# The user that the app runs as, and the folders it may write to: log/, run/ and the shared volume.
set -eu
root=${SERVER_ROOT:-}
cd "$root/srv/app"
PATH=$PATH:/usr/sbin:/sbin
user=$(id -un)

ids=0
while read -r _ _ count; do ids=$((ids + count)); done </proc/self/uid_map

# A whole server gets a user for the app. Where the "server" is a folder on somebody's machine, or a user namespace
# that knows nobody but root, the app runs as who is there.
if [ -z "$root" ] && [ "$(id -u)" -eq 0 ] && [ "$ids" -gt 1 ]; then
    user=app
    # The same number on every server: on a shared volume, files belong to numbers.
    id app >/dev/null 2>&1 ||
        useradd --system --uid 880 --user-group --no-create-home --home-dir /srv/app/run --shell /usr/sbin/nologin app
fi

chmod 755 .
mkdir -p log run
chown -R "$user:" log run
chmod 750 log run
if [ ! -d "$root/srv/shared" ]; then install -d -m 750 -o "$user" "$root/srv/shared"; fi
