#!/bin/sh
# Checks the Prometheus rules and runs their unit tests. promtool is taken from the PATH, else unpacked from
# Debian's prometheus package into the user's cache; where neither can be had, the check is skipped and says so.
set -eu
cd "$(dirname "$0")/../alerts"

cache=${XDG_CACHE_HOME:-$HOME/.cache}/ycm_exporter
promtool=$(command -v promtool || true)
[ -n "$promtool" ] || [ ! -x "$cache/usr/bin/promtool" ] || promtool=$cache/usr/bin/promtool
if [ -z "$promtool" ] && command -v apt-get >/dev/null; then
	mkdir -p "$cache"
	(cd "$cache" && { apt-get download -q prometheus || { apt-get update -q && apt-get download -q prometheus; }; } &&
		dpkg -x prometheus_*.deb . && rm prometheus_*.deb) >&2 || true
	[ ! -x "$cache/usr/bin/promtool" ] || promtool=$cache/usr/bin/promtool
fi
if [ -z "$promtool" ]; then
	echo 'SKIPPED: the alerting rules were not checked, because there is no promtool. Install Prometheus and try again.'
	exit 0
fi

"$promtool" check rules ycm.rules.yml ycm.alerts.yml
"$promtool" test rules ./*.test.yml
