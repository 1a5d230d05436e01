#!/bin/sh
# The commands that run and start the app, and an rc.local that starts it at every boot.
set -eu
root=${SERVER_ROOT:-}
cd "$root/srv/app"

mkdir -p bin "$root/etc"
install -m 755 bootstrap_scripts/bin/* bin/

rc_local=$root/etc/rc.local
# On Red Hat's family the init looks in rc.d/.
if [ -d "$root/etc/rc.d" ] && [ ! -e "$rc_local" ]; then ln -sf rc.d/rc.local "$rc_local"; fi
if [ ! -s "$rc_local" ]; then echo '#!/bin/sh' >"$rc_local"; fi
start=$root/srv/app/bin/start
# Where a folder stands for the server, somebody has named it; rc.local is read by a shell.
case $start in *[!A-Za-z0-9_./-]*) start="'$(printf '%s\n' "$start" | sed "s/'/'\\\\''/g")'" ;; esac
# First, not last: an image's own rc.local may end with "exit 0". It returns at once.
if ! grep -qxF -- "$start" "$rc_local"; then
    sed -i --follow-symlinks "1a $(printf '%s\n' "$start" | sed 's/\\/\\\\/g')" "$rc_local"
fi
chmod 755 "$rc_local"

# systemd brings a unit for rc.local itself, unless the distribution has dropped it.
if [ -z "$root" ] && [ -d /run/systemd/system ] && ! systemctl cat rc-local.service >/dev/null 2>&1; then
    cat >/etc/systemd/system/app-rc-local.service <<'UNIT'
[Unit]
Description=/etc/rc.local, which starts the app
After=network-online.target
Wants=network-online.target

[Service]
Type=oneshot
ExecStart=/etc/rc.local
RemainAfterExit=yes

[Install]
WantedBy=multi-user.target
UNIT
    systemctl enable app-rc-local.service
fi
