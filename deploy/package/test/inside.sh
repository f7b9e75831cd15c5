#!/bin/sh
# What an administrator does with the package, from installation to purge. Runs in a system of its own as root.
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
	fail "$what never came ($*)"
}
scrape_has() { curl -fsS http://127.0.0.1:10055/metrics | grep -q "$1"; }
pid() { systemctl show --value --property MainPID ycm_exporter; }
journal_has() { journalctl --no-pager --unit ycm_exporter.service | grep -q "$1"; }
mode_is() { [ "$(stat --format '%a %U' "$1")" = "$2" ]; }

export DEBIAN_FRONTEND=noninteractive PAGER=cat SYSTEMD_PAGER=cat
holds 'installs' dpkg --install /test/first.deb
cp /tmp/out /tmp/installed
holds 'says what to do next' grep -q 'systemctl enable --now ycm_exporter' /tmp/installed
holds 'is not started without an account' [ "$(systemctl is-active ycm_exporter)" = inactive ]
holds 'keeps secrets for root' mode_is /etc/ycm_exporter/secrets '700 root'
holds 'has a unit without faults' systemd-analyze verify ycm_exporter.service
holds 'has a manual page' man --where ycm_exporter
holds 'has its licences with it' grep -q 'prometheus/client_golang' /usr/share/doc/ycm-exporter/copyright
systemd-analyze security --no-pager ycm_exporter.service | tail -n 1 >/tmp/exposure
say "$(cat /tmp/exposure)"
holds 'is exposed less than 2.0' awk '{ exit !($(NF-2) < 2.0) }' /tmp/exposure

# The demo's simulator stands in for YCM.
systemd-run --quiet --unit ycm --property DynamicUser=yes /usr/bin/ycm_exporter --demo --web.listen-address=127.0.0.1:20055
comes 'a YCM to walk' sh -c "journalctl --no-pager --unit ycm | grep -o 'http://[0-9.:]*/sim' >/tmp/ycm"
ycm=$(sed 's|/sim||' /tmp/ycm)
sed -i "s|base_url: .*|base_url: $ycm|; s|client_id: .*|client_id: demo-client-id|" /etc/ycm_exporter/config.yml
printf demo-client-secret >/etc/ycm_exporter/secrets/main
chmod 600 /etc/ycm_exporter/secrets/main

holds 'starts, and is ready when it says so' systemctl enable --now ycm_exporter
holds 'is healthy at once' curl -fsS http://127.0.0.1:10055/-/healthy
comes 'the fleet, with the secret of root' scrape_has '^ycm_up{account="main"} 1'
holds 'keeps its numbers: start time' scrape_has '^process_start_time_seconds '
holds 'does not run as root' [ "$(stat --format %U /proc/$(pid))" != root ]
holds 'may write into its own folder alone' [ "$(stat --dereference --format %a /var/lib/ycm_exporter)" = 700 ]

first=$(pid)
cp /etc/ycm_exporter/config.yml /tmp/config.yml
echo 'nonsense: 1' >>/etc/ycm_exporter/config.yml
holds 'takes a reload' systemctl reload ycm_exporter
comes 'a bad configuration is refused' scrape_has '^ycm_exporter_config_last_reload_successful 0'
holds 'says why' journal_has nonsense
cp /tmp/config.yml /etc/ycm_exporter/config.yml
systemctl reload ycm_exporter
comes 'a good one is taken' scrape_has '^ycm_exporter_config_last_reload_successful 1'
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
holds 'leaves the secrets, which it has not made' [ -e /etc/ycm_exporter/secrets/main ]
say 'ALL WELL'
