#!/bin/sh
# Before a removal ("remove" of a deb, 0 of an rpm); an upgrade leaves the exporter running until the new one is there.
set -e
[ -d /run/systemd/system ] || exit 0
case "$1" in
remove | 0) systemctl --no-reload disable --now ycm_exporter.service ;;
esac
