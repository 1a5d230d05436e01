#!/bin/sh
# The worker: leaves a line in the shared folder every second, on every server.
set -eu
while :; do
    echo "$SERVER_NAME" >>"$SHARED_DIR/counter/seconds"
    sleep 1
done
