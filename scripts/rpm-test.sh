#!/bin/sh
# Installs, upgrades and erases the rpm of dist/, or another one, in a folder, and fails if anything is not as an administrator
# expects. A fake systemctl records the calls of its scripts. It needs root, rpm and rpmbuild.
set -eu
cd "$(dirname "$0")/.."
arch=$(uname -m)
rpm=${1:-$(ls dist/*."$arch".rpm)}

if [ -n "${CI:-}" ] && ! command -v rpmbuild >/dev/null; then
	apt-get update -q
	apt-get install -qy --no-install-recommends rpm cpio
fi
for need in rpm rpmbuild rpm2cpio cpio; do
	command -v $need >/dev/null || { echo "rpm-test.sh: there is no $need; install rpm and cpio" >&2; exit 1; }
done
[ "$(id -u)" = 0 ] || { echo 'rpm-test.sh: installing into a folder needs root; run it with sudo' >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root
configuration=$root/etc/ycm_exporter/config.yml
holds() { # WHAT COMMAND...: the command succeeds
	what=$1
	shift
	"$@" >"$work/out" 2>&1 || { cat "$work/out" "$root/systemctl" >&2; echo "rpm-test.sh: FAILED: $what ($*)" >&2; exit 1; }
	echo "rpm-test: ok: $what"
}
in_root() { rpm --root "$root" --define '_dbpath /var/lib/rpm' "$@"; }
systemctl_calls() { # systemctl was called with these lines, and nothing else
	printf '%s\n' "$@" | cmp - "$root/systemctl" && : >"$root/systemctl"
}

# The scripts only use a shell, rm and systemctl. The fake one reports the service as running if the file "on" exists.
mkdir -p "$root/bin" "$root/usr/bin" "$root/run/systemd/system" "$root/dev"
for program in /bin/sh /bin/rm; do
	for file in $program $(ldd $program | grep -o '/[^ ]*'); do
		mkdir -p "$root${file%/*}" && cp -L "$file" "$root$file"
	done
done
cat >"$root/bin/systemctl" <<'END'
#!/bin/sh
echo "$*" >>/systemctl
case "$*" in *is-active* | *is-enabled*) [ -e /on ] ;; esac
END
chmod +x "$root/bin/systemctl"
: >"$root/systemctl"
in_root --initdb

# The next version: the same files and scripts with a higher number, and a default configuration that has changed.
mkdir "$work/next"
rpm2cpio "$rpm" | (cd "$work/next" && cpio --quiet --no-absolute-filenames -idm 2>/dev/null)
echo '# Of the next version.' >>"$work/next/etc/ycm_exporter/config.yml"
rpm -qp --qf '[%{FILEFLAGS:fflags}|%{FILENAMES}\n]' "$rpm" |
	sed 's/^[^|]*c[^|]*|/%config(noreplace) /; s/^[^|]*|//' >"$work/files"
cat >"$work/next.spec" <<END
Name: ycm-exporter
Version: 999
Release: 1
Summary: The next version
License: Apache-2.0
%global _build_id_links none
%description
%post -f $PWD/deploy/package/postinstall.sh
%preun -f $PWD/deploy/package/preremove.sh
%postun -f $PWD/deploy/package/postremove.sh
%install
cp -a $work/next/. %{buildroot}
%files -f $work/files
END
holds 'has a next version' rpmbuild -bb --quiet --nodeps --define "_topdir $work/build" --define '__os_install_post %{nil}' "$work/next.spec"

holds 'installs' in_root --nodeps --install "$rpm"
cp "$work/out" "$work/installed"
holds 'prints what to do next' grep -q 'systemctl enable --now ycm_exporter' "$work/installed"
holds 'does not start what has no account' systemctl_calls daemon-reload \
	'--quiet is-active ycm_exporter.service' '--quiet is-enabled ycm_exporter.service'
holds 'has a binary that runs' "$root/usr/bin/ycm_exporter" --version
holds 'keeps secrets for root' [ "$(stat --format '%a %U' "$root/etc/ycm_exporter/secrets")" = '700 root' ]
holds 'has its files as they were packed' in_root --nodeps --verify ycm-exporter

sed -i 's/client_id: .*/client_id: mine/' "$configuration"
cp "$configuration" "$work/mine"
printf secret >"$root/etc/ycm_exporter/secrets/main"
: >"$root/on"
holds 'upgrades' in_root --nodeps --upgrade "$work"/build/RPMS/*/*.rpm
holds 'keeps the configuration' cmp "$work/mine" "$configuration"
holds 'puts the new one next to it' grep -q '^# Of the next version' "$configuration.rpmnew"
holds 'starts a running exporter again, and does not stop it for good' systemctl_calls daemon-reload \
	'--quiet is-active ycm_exporter.service' 'restart ycm_exporter.service' daemon-reload

holds 'erases' in_root --erase ycm-exporter
holds 'stops what it erases' systemctl_calls '--no-reload disable --now ycm_exporter.service' daemon-reload
holds 'has no binary left' [ ! -e "$root/usr/bin/ycm_exporter" ]
holds 'keeps the configuration that was changed' cmp "$work/mine" "$configuration.rpmsave"
holds 'leaves the secrets, which it has not made' [ -e "$root/etc/ycm_exporter/secrets/main" ]
echo 'rpm-test: ALL WELL'
