#!/bin/sh
# Runs an image as in production, with 1,000 PBXs: a read-only file system except for the volume, no capabilities, 64 MiB of memory.
# DOCKER and RUN_FLAGS can select another engine and its flags, such as --network=host instead of the published port.
set -eu
image=$1
docker=${DOCKER:-docker}
name=ycm-image-test-$$

fail() {
	echo "image-test.sh: FAILED: $*" >&2
	$docker logs "$name" 2>&1 | tail -n 20 >&2
	exit 1
}
size=$($docker save "$image" | gzip -6 | wc -c)
[ "$size" -lt 15000000 ] || fail "the image has $size bytes compressed, want less than 15000000"
echo "ok: $size bytes compressed"

trap '$docker rm -f --volumes "$name" >/dev/null 2>&1 || true' EXIT
# shellcheck disable=SC2086 # The flags are several words.
$docker run --detach --name "$name" --read-only --cap-drop=ALL --security-opt=no-new-privileges --memory=64m \
	--env YCM_EXPORTER_WEB_LISTEN_ADDRESS=:20055 ${RUN_FLAGS:---publish=127.0.0.1:20055:20055} \
	"$image" --demo --demo.pbxs=1000 >/dev/null
for _ in $(seq 120); do
	! curl -fsS http://127.0.0.1:20055/metrics 2>/dev/null | grep '^ycm_cloud_pbxs{account="demo"} 1000' >/dev/null || break
	sleep 0.5
done
curl -fsS http://127.0.0.1:20055/metrics | grep '^ycm_cloud_pbxs{account="demo"} 1000' >/dev/null || fail 'the fleet of 1,000 PBXs never came'
echo 'ok: serves 1,000 PBXs'

$docker exec "$name" /ycm_exporter --healthcheck || fail 'its own health check says that it is not healthy'
echo 'ok: finds itself healthy'

# Scrapers of each format, during two more walks.
for _ in $(seq 20); do
	for encoding in identity gzip; do
		curl -fsS -o /dev/null -H "Accept-Encoding: $encoding" http://127.0.0.1:20055/metrics || fail "a scrape ($encoding) failed"
	done
	sleep 1
done
resident=$(curl -fsS http://127.0.0.1:20055/metrics | awk '$1 == "process_resident_memory_bytes" { printf "%d", $2 }')
echo "ok: 40 scrapes, $resident bytes of memory"

began=$(date +%s)
$docker stop --time=15 "$name" >/dev/null
took=$(($(date +%s) - began))
code=$($docker inspect --format '{{.State.ExitCode}}' "$name")
[ "$code" = 0 ] || fail "SIGTERM ended it with exit code $code, want 0 (137 is out of memory, or too slow)"
echo "ok: stopped within $took s"
