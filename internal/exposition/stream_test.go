package exposition

import (
	"bytes"
	"hash/crc32"
	"math/rand/v2"
	"net/http/httptest"
	"os/exec"
	"testing"
)

// streamed is a set whose scrapes are joined from many parts, one of them large, one of them empty.
func streamed(t *testing.T) *Set {
	t.Helper()
	set := publish(t, newFleet("empty", 0), newFleet("main", 1), newFleet("other", 600))
	mustPublish(t, set, "main", "firmware", one("ycm_firmware_available", "main", 1))
	return set
}

// Not every client reads beyond the first member of a gzip stream, so a scrape must be one member, which other readers than
// Go's read alike.
func TestCompressedScrapeIsOneGzipMember(t *testing.T) {
	for _, reader := range [][]string{
		{"python3", "-c", `
import gzip, sys, zlib
stream = sys.stdin.buffer.read()
member = zlib.decompressobj(wbits=31)
plain = member.decompress(stream)
assert member.eof, "the member does not end"
assert not member.unused_data, "something follows the first member"
assert plain == gzip.decompress(stream)
sys.stdout.buffer.write(plain)`},
		{"gzip", "-dc"},
	} {
		t.Run(reader[0], func(t *testing.T) { expectReadAlike(t, reader...) })
	}
}

// expectReadAlike gives compressed scrapes to a program and compares what it reads with what Go reads.
func expectReadAlike(t *testing.T, program ...string) {
	t.Helper()
	if _, err := exec.LookPath(program[0]); err != nil {
		t.Skipf("%s is not installed: %v", program[0], err)
	}
	set := streamed(t)
	for i, target := range []string{"/metrics", "/metrics?shard=1&shards=2", "/metrics?account=main"} {
		format := formats[i]
		_, body := get(t, set, target, accepts[format], "gzip")
		var read, complaint bytes.Buffer
		command := exec.CommandContext(t.Context(), program[0], program[1:]...)
		command.Stdin, command.Stdout, command.Stderr = bytes.NewReader(body), &read, &complaint
		if err := command.Run(); err != nil {
			t.Fatalf("%s, GET %s: %s cannot read it: %v %s", format, target, program[0], err, complaint.String())
		}
		if want := decompress(t, "gzip", body); read.String() != want {
			t.Errorf("%s, GET %s: %s reads it differently from Go:%s", format, target, program[0], firstDifference(read.String(), want))
		}
	}
}

func TestCurlReadsScrapes(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skipf("curl is not installed: %v", err)
	}
	server := httptest.NewServer(streamed(t))
	defer server.Close()
	curl := func(arguments ...string) string {
		plain, err := exec.CommandContext(t.Context(), "curl", append(arguments, "-sSf", server.URL+"/metrics?shard=1&shards=2")...).Output()
		if err != nil {
			t.Fatalf("curl %q: %v", arguments, err)
		}
		return string(plain)
	}
	want := curl()
	if families := parsed(t, want); len(families) != len(fleetFamilies)+1 {
		t.Errorf("curl reads %d families, want %d and shard_info", len(families), len(fleetFamilies))
	}
	if got := curl("--compressed"); got != want {
		t.Errorf("curl reads gzip differently:%s", firstDifference(got, want))
	}
}

func TestChecksumsAreJoined(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	text := make([]byte, 1<<17)
	for i := range text {
		text[i] = byte(random.Uint32())
	}
	for _, sizes := range [][]int{{0}, {1}, {1, 1}, {3, 0, 5}, {255, 256, 257}, {65536, 65536}, {100, 99_999, 7}} {
		var joined checksum
		whole := 0
		for n, size := range sizes {
			part := text[whole : whole+size]
			whole += size
			if n == 0 {
				joined.add(part)
				continue
			}
			joined.join(segment{checksum: checksum{crc32.ChecksumIEEE(part), int64(size)}, shift: shift(int64(size))})
		}
		if want := (checksum{crc32.ChecksumIEEE(text[:whole]), int64(whole)}); joined != want {
			t.Errorf("parts of %d bytes: got %+v, want %+v", sizes, joined, want)
		}
	}
	// The length of a segment of 100 GiB does not fit in 32 bits, and must not be cut.
	if got, want := shift(100<<30), multiply(shift(60<<30), shift(40<<30)); got != want {
		t.Errorf("shift over 100 GiB is %#x, want %#x", got, want)
	}
}

// Allocations can be counted exactly, unlike time. A scrape allocates for the exporter's own metrics and the request,
// whatever the size of the fleet.
func TestAllocationsDoNotGrowWithTheFleet(t *testing.T) {
	few, many := newFleet("main", 100), newFleet("main", 5_000)
	for _, format := range formats {
		small, large := publish(t, few), publish(t, many)
		for _, encoding := range encodings {
			least := func(set *Set) float64 { // The rest of the process allocates too.
				once := func() float64 { return testing.AllocsPerRun(1, func() { serve(set, format, encoding) }) }
				return min(once(), once(), once())
			}
			if small, large := least(small), least(large); large > small+50 || large >= 2_000 {
				t.Errorf("%s %s: a scrape of 100 PBXs allocates %.0f times, one of 5,000 %.0f times, want the same and below 2,000",
					format, encoding, small, large)
			}
		}
	}
}
