#!/bin/sh
# The release phase: run once per deploy, before any new server takes traffic.
set -eu
mkdir -p "$SHARED_DIR/counter"
: >>"$SHARED_DIR/counter/seconds"
