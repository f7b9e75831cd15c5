#!/bin/sh
# Tests the package from installation to purge. Runs as root in a separate system.
set -u
say() { echo "package-test: $*" >/dev/console; }
fail() {
	say "FAILED: $*"
	journalctl --no-pager --unit ycm_exporter.service --lines 40 >/dev/console
	exit 1
}
holds() { # WHAT COMMAND...: the command succeeds
	what=$1
	shift
	"$@" >/tmp/out 2>&1 || { cat /tmp/out >/dev/console; fail "$what ($*)"; }
	say "ok: $what"
}
comes() { # WHAT COMMAND...: the command succeeds within a minute
	what=$1
	shift
	for _ in $(seq 120); do
		"$@" >/tmp/out 2>&1 && { say "ok: $what"; return; }
		sleep 0.5
	done
	cat /tmp/out >/dev/console
	fail "$what: not within a minute ($*)"
}
scrape_has() { curl -fsS http://127.0.0.1:10055/metrics | grep -q "$1"; }
pid() { systemctl show --value --property MainPID ycm_exporter; }
journal_has() { journalctl --no-pager --unit ycm_exporter.service | grep -q "$1"; }
mode_is() { [ "$(stat --format '%a %U' "$1")" = "$2" ]; }

export DEBIAN_FRONTEND=noninteractive PAGER=cat SYSTEMD_PAGER=cat
holds 'installs' dpkg --install /test/first.deb
cp /tmp/out /tmp/installed
holds 'prints the next steps' grep -q 'systemctl enable --now ycm_exporter' /tmp/installed
holds 'is not started without an account' [ "$(systemctl is-active ycm_exporter)" = inactive ]
holds 'lets only root read the secrets' mode_is /etc/ycm_exporter/secrets '700 root'
holds 'has a valid unit' systemd-analyze verify ycm_exporter.service
holds 'has a manual page' man --where ycm_exporter
holds 'contains the licences' grep -q 'prometheus/client_golang' /usr/share/doc/ycm-exporter/copyright
systemd-analyze security --no-pager ycm_exporter.service | tail -n 1 >/tmp/exposure
say "$(cat /tmp/exposure)"
holds 'has an exposure below 2.0' awk '{ exit !($(NF-2) < 2.0) }' /tmp/exposure

# The simulator of the demo replaces YCM.
systemd-run --quiet --unit ycm --property DynamicUser=yes /usr/bin/ycm_exporter --demo --web.listen-address=127.0.0.1:20055
comes 'the simulated YCM' sh -c "journalctl --no-pager --unit ycm | grep -o 'http://[0-9.:]*/sim' >/tmp/ycm"
ycm=$(sed 's|/sim||' /tmp/ycm)
sed -i "s|base_url: .*|base_url: $ycm|; s|client_id: .*|client_id: demo-client-id|" /etc/ycm_exporter/config.yml
printf demo-client-secret >/etc/ycm_exporter/secrets/main
chmod 600 /etc/ycm_exporter/secrets/main

holds 'starts' systemctl enable --now ycm_exporter
holds 'is healthy at once' curl -fsS http://127.0.0.1:10055/-/healthy
comes 'the fleet, with a secret that only root can read' scrape_has '^ycm_up{account="main"} 1'
holds 'exports its start time' scrape_has '^process_start_time_seconds '
holds 'does not run as root' [ "$(stat --format %U /proc/$(pid))" != root ]
holds 'has a private state directory' [ "$(stat --dereference --format %a /var/lib/ycm_exporter)" = 700 ]

first=$(pid)
cp /etc/ycm_exporter/config.yml /tmp/config.yml
echo 'nonsense: 1' >>/etc/ycm_exporter/config.yml
holds 'accepts a reload' systemctl reload ycm_exporter
comes 'an invalid configuration is refused' scrape_has '^ycm_exporter_config_last_reload_successful 0'
holds 'logs the error' journal_has nonsense
cp /tmp/config.yml /etc/ycm_exporter/config.yml
systemctl reload ycm_exporter
comes 'a valid one is loaded' scrape_has '^ycm_exporter_config_last_reload_successful 1'
holds 'is still the same process' [ "$(pid)" = "$first" ]

kill -9 "$first"
comes 'the next process after a kill' scrape_has '^ycm_up{account="main"} 1'
first=$(pid)
holds 'upgrades' dpkg --force-confold --install /test/second.deb
holds 'keeps the configuration' cmp /tmp/config.yml /etc/ycm_exporter/config.yml
holds 'runs again after the upgrade' [ "$(pid)" != "$first" ]
holds 'is still enabled' systemctl is-enabled ycm_exporter
comes 'the fleet, after the upgrade' scrape_has '^ycm_up{account="main"} 1'

holds 'removes' dpkg --remove ycm-exporter
holds 'stops what it removes' sh -c '! systemctl is-active ycm_exporter'
holds 'keeps the configuration of a removed package' cmp /tmp/config.yml /etc/ycm_exporter/config.yml
holds 'purges' dpkg --purge ycm-exporter
holds 'leaves no configuration after a purge' [ ! -e /etc/ycm_exporter/config.yml ]
holds 'leaves no state after a purge' [ ! -e /var/lib/ycm_exporter ]
holds 'keeps the secrets, which it did not create' [ -e /etc/ycm_exporter/secrets/main ]
say 'ALL WELL'
