#!/bin/sh
# Prints the licences of everything that is linked into the binary, on every system that it is built for. A module
# without a licence file is an error: such a binary must not be distributed.
set -eu
cd "$(dirname "$0")/.."
GO=${GO:-go}

modules=$(
	for os in linux darwin windows; do
		GOOS=$os CGO_ENABLED=0 $GO list -deps -f '{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}} {{.Dir}}{{end}}{{end}}' .
	done | sort -u
)
[ -n "$modules" ] || { echo 'licenses.sh: go list named no module' >&2; exit 1; }

echo 'ycm_exporter contains the software named below, each under its own licence.'
printf '%s\n' "The Go standard library $($GO env GOVERSION) $($GO env GOROOT)" "$modules" | while read -r line; do
	dir=${line##* }
	found=
	for file in "$dir"/LICEN[CS]E* "$dir"/COPYING* "$dir"/NOTICE*; do
		[ -f "$file" ] || continue
		found=yes
		printf '\n%s\n%s (%s)\n%s\n\n' "$(printf '%072d' 0 | tr 0 =)" "${line% *}" "${file##*/}" "$(printf '%072d' 0 | tr 0 =)"
		cat "$file"
	done
	[ -n "$found" ] || { echo "licenses.sh: ${line% *} has no licence file in $dir" >&2; exit 1; }
done
