#!/bin/sh
# Unpacks the release into release/: app/, wheels/ and release.json. Once per artifact: the same one is left alone.
# The archive is not believed: what leads out of the folder, or gives anybody rights, is refused before it is unpacked.
set -eu
LC_ALL=C
export LC_ALL
umask 022
cd "${SERVER_ROOT:-}/srv/app"

# refuse WHY WHAT: nothing at all, if there is no WHAT.
refuse() {
    if [ -z "$2" ]; then return; fi
    echo "release.tar.gz $1; nothing was unpacked. Build the release again." >&2
    printf '%s\n' "$2" | head -n 10 >&2
    exit 1
}

digest=$(sha256sum <release.tar.gz | cut -d ' ' -f 1)
if [ "$digest" != "$(cat release.sha256)" ]; then refuse "is not the one that was sent" "Its SHA-256 is $digest."; fi
if [ -f release/.digest ] && [ "$(cat release/.digest)" = "$digest" ]; then exit 0; fi

# A line for each: kind and mode, owner, size, date, time, name; behind an arrow what a symlink points to.
listing=$(tar --quoting-style=escape --numeric-owner -tvzf release.tar.gz)
odd=$(printf '%s\n' "$listing" | grep -v '^[-dl][-rwx]\{9\} ' || :)
refuse "has devices, pipes, hard links or setuid bits" "$odd"
names=$(printf '%s\n' "$listing" | sed -E -e '/^l/s/ -> .*//' -e 's/^([^ ]+ +){4}[^ ]+ //')
stray=$(printf '%s\n' "$names" | sed -nE -e '\:(^|/)\.\.(/|$):{p;d;}' -e '\:^(release\.json|(app|wheels)(/.*)?)$:!p')
refuse "has names that lead out of its folders" "$stray"

rm -rf release.new
trap 'rm -rf release.new' EXIT
mkdir release.new
tar -xzf release.tar.gz -C release.new --no-same-owner --no-same-permissions
new=$(pwd -P)/release.new
leading_out=$(find "$new" -type l -exec sh -c '
    for link do
        case $(realpath -m -- "$link") in "$0/app" | "$0/app/"*) ;; *) printf "%s\n" "$link" ;; esac
    done' "$new" {} +)
refuse "has symlinks that lead out of the app" "$leading_out"
echo "$digest" >release.new/.digest
rm -rf release
mv release.new release
