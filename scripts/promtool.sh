#!/bin/sh
# Checks the metrics of the demo and the rules with promtool, and runs the unit tests of the rules. promtool is taken from
# the PATH, or unpacked from Debian's prometheus package into the user's cache. If neither is available, the checks are
# skipped with a message.
set -eu
cd "$(dirname "$0")/.."

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
	echo 'SKIPPED: metrics and alerting rules were not checked, because there is no promtool. Install Prometheus and try again.'
	exit 0
fi

scrape=$(mktemp)
trap 'rm -f "$scrape"' EXIT
${GO:-go} run . --once --demo >"$scrape"
"$promtool" check metrics <"$scrape"
echo "SUCCESS: $(grep -c '^[^#]' "$scrape") samples have nothing that promtool objects to"

cd alerts
"$promtool" check rules --lint=all ycm.*.yml
# Concurrently, because each file simulates days.
printf '%s\n' ./*.test.yml | xargs -n 1 -P "$(getconf _NPROCESSORS_ONLN)" "$promtool" test rules
