#!/bin/sh
# Runs after an installation or an upgrade, for deb and rpm.
set -e
[ -d /run/systemd/system ] || exit 0
systemctl daemon-reload
if systemctl --quiet is-active ycm_exporter.service; then
	systemctl restart ycm_exporter.service
elif ! systemctl --quiet is-enabled ycm_exporter.service 2>/dev/null; then
	# Not started: it needs an account of YCM first.
	echo 'Put your account into /etc/ycm_exporter/config.yml and its secret into /etc/ycm_exporter/secrets/main, then:'
	echo '  systemctl enable --now ycm_exporter'
fi
