#!/bin/sh
# Runs after a removal. Only a purge (deb) deletes the persistent state.
set -e
[ ! -d /run/systemd/system ] || systemctl daemon-reload
case "$1" in
purge) rm -rf /var/lib/ycm_exporter /var/lib/private/ycm_exporter ;;
esac
