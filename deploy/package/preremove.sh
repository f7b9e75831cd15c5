#!/bin/sh
# Runs before a removal (argument "remove" for deb, 0 for rpm). During an upgrade the exporter keeps running until postinstall.
set -e
[ -d /run/systemd/system ] || exit 0
case "$1" in
remove | 0) systemctl --no-reload disable --now ycm_exporter.service ;;
esac
