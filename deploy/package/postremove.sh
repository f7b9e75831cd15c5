#!/bin/sh
# After a removal. What is kept of restarts goes with the configuration only: a deb's purge.
set -e
[ ! -d /run/systemd/system ] || systemctl daemon-reload
case "$1" in
purge) rm -rf /var/lib/ycm_exporter /var/lib/private/ycm_exporter ;;
esac
