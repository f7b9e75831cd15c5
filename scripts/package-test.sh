#!/bin/sh
# Installs, starts, upgrades and removes the deb of dist/, or another one, in a separate Debian system with systemd, and fails
# if anything is not as an administrator expects. It needs root, systemd-nspawn and, the first time, debootstrap.
set -eu
cd "$(dirname "$0")/.."
# The separate system is kept between runs.
machine=${MACHINE:-${XDG_CACHE_HOME:-$HOME/.cache}/ycm_exporter/machine}
deb=${1:-$(ls dist/*_"$(dpkg --print-architecture)".deb)}

if [ -n "${CI:-}" ] && ! command -v systemd-nspawn >/dev/null; then
	apt-get update -q
	apt-get install -qy --no-install-recommends systemd-container debootstrap
fi
for need in systemd-nspawn dpkg-deb; do
	command -v $need >/dev/null || { echo "package-test.sh: there is no $need; install systemd-container and dpkg" >&2; exit 1; }
done
[ "$(id -u)" = 0 ] || { echo 'package-test.sh: starting a container needs root; run it with sudo' >&2; exit 1; }
if [ ! -d "$machine" ]; then
	debootstrap --variant=minbase --include=systemd,systemd-sysv,dbus,ca-certificates,curl,man-db bookworm "$machine.new"
	mv "$machine.new" "$machine"
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$deb" "$work/first.deb"
# The next version: the same files with a higher number, and a default configuration that has changed.
dpkg-deb --raw-extract "$deb" "$work/next"
sed -i 's/^Version: .*/Version: 999/' "$work/next/DEBIAN/control"
echo '# Of the next version.' >>"$work/next/etc/ycm_exporter/config.yml"
dpkg-deb --root-owner-group --build "$work/next" "$work/second.deb" >/dev/null
cp deploy/package/test/inside.sh "$work"

# With systemd.run the system only runs the script; its exit code becomes that of systemd-nspawn.
systemd-nspawn --quiet --directory="$machine" --ephemeral --machine=ycm-package-test --register=no --keep-unit \
	--private-network --bind-ro="$work:/test" --boot \
	systemd.run='"/bin/sh /test/inside.sh"' systemd.run_success_action=exit systemd.run_failure_action=exit-force \
	systemd.journald.forward_to_console=0 </dev/null 2>&1 | tee "$work/console" | grep --line-buffered -a 'package-test: ' || true
grep -aq 'package-test: ALL WELL' "$work/console" || { tail -n 60 "$work/console"; echo 'package-test.sh: FAILED' >&2; exit 1; }
