package collector

import (
	"testing"

	"github.com/ycm-exporter/ycm_exporter/ycmclient"
)

func TestVersionsCompareNumberByNumber(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"84.10.0.1", "84.9.0.25", 1},
		{"84.8.0.25", "84.8.0.25", 0},
		{"84.8.0.25", "84.8.0.3", 1},
		{"84.8", "84.8.0.0", 0},
		{"84.8", "84.8.0.1", -1},
		{" 84.08.0.25\n", "84.8.0.25", 0},
		{"9.99.99.99", "84.0.0.0", -1},
		{"0", "0.0", 0},
		{"84.18446744073709551615", "84.1", 1},
	} {
		a, okA := parseVersion(c.a)
		b, okB := parseVersion(c.b)
		if !okA || !okB {
			t.Errorf("%q and %q can be compared: %v and %v, want both", c.a, c.b, okA, okB)
			continue
		}
		if got := a.compare(b); got != c.want {
			t.Errorf("%q against %q is %d, want %d", c.a, c.b, got, c.want)
		}
		if got := b.compare(a); got != -c.want {
			t.Errorf("%q against %q is %d, want %d", c.b, c.a, got, -c.want)
		}
	}
}

func TestRubbishIsNoVersion(t *testing.T) {
	for _, s := range []string{
		"", ".", "84.", ".84", "84..8", "84.8-beta", "v84.8", "84,8", "84.8.0.25 (LTS)", "-1.2", "+84.8", "８４.8",
		"84.18446744073709551616", "1.2.3.4.5.6.7.8.9", "1_000.2", "0x54.8",
	} {
		if v, ok := parseVersion(s); ok {
			t.Errorf("%q is read as version %v, want it to be incomparable", s, v)
		}
	}
}

func FuzzVersion(f *testing.F) {
	f.Add("84.8.0.25", "84.10")
	f.Add("0", "")
	f.Fuzz(func(t *testing.T, a, b string) {
		v, okV := parseVersion(a)
		w, okW := parseVersion(b)
		if okV && okW && v.compare(w) != -w.compare(v) {
			t.Errorf("%q against %q is %d, but the other way round %d", a, b, v.compare(w), w.compare(v))
		}
	})
}

// Which PBXs count as behind, for a catalogue with every oddity that it may have.
func TestFirmwareJoin(t *testing.T) {
	r := &firmwareReading{
		Regions: []ycmclient.Region{
			{ID: 1, Name: "China(GuangDong)"},
			{ID: 4, Name: " Asia Pacific(Singapore) "},
			{ID: 7, Name: "Europe"},
			{ID: 8, Name: "EUROPE"},
			{ID: 9, Name: "Nowhere"},
			{ID: 10, Name: "Rubbish"},
			{ID: 11, Name: ""},
		},
		Firmware: map[string][]ycmclient.Firmware{pbxFirmware: { // In no order, as the API promises none.
			{VersionID: 2, Version: "84.9.0.1", RegionIDs: []int64{4, 1}},
			{VersionID: 3, Version: "84.10.0.1", RegionIDs: []int64{1, 4, 1}},
			{VersionID: 1, Version: "84.8.0.25", RegionIDs: []int64{1, 4}},
			{VersionID: 4, Version: "84.10.0.1", RegionIDs: []int64{1}},      // the same version again
			{VersionID: 5, Version: "84.10.0.1.0", RegionIDs: []int64{1}},    // and written otherwise
			{VersionID: 6, Version: "84.11-beta", RegionIDs: []int64{1, 10}}, // cannot be compared
			{VersionID: 7, Version: "84.5", RegionIDs: []int64{7}},
			{VersionID: 8, Version: "84.6", RegionIDs: []int64{8}},
			{VersionID: 9, Version: "84.99", RegionIDs: []int64{99}}, // a region without a name
			{VersionID: 10, Version: "84.99"},                        // no region at all
		}},
	}
	for _, p := range []struct {
		why, region, version string
		behind               int
		known                bool
	}{
		{"the oldest listed", "China(GuangDong)", "84.8.0.25", 2, true},
		{"84.10 is newer than 84.9", "China(GuangDong)", "84.9.0.1", 1, true},
		{"the newest listed", "China(GuangDong)", "84.10.0.1", 0, true},
		{"not listed, but between two that are", "China(GuangDong)", "84.9.0.99", 1, true},
		{"not listed and older than all", "China(GuangDong)", "83.1", 3, true},
		{"not listed and newer than all", "China(GuangDong)", "85.0", 0, true},
		{"the region in other case", "china(guangdong)", "84.8.0.25", 2, true},
		{"the region's id with white space around its name", "Asia Pacific(Singapore)", "84.9.0.1", 1, true},
		{"two regions of the same name are one", "Europe", "84.5", 1, true},
		{"a region that is not listed", "Atlantis", "84.8.0.25", 0, false},
		{"no region", "", "84.8.0.25", 0, false},
		{"a region without firmware", "Nowhere", "84.8.0.25", 0, false},
		{"a region with incomparable firmware only", "Rubbish", "84.8.0.25", 0, false},
		{"a version that is rubbish", "China(GuangDong)", "84.8.x", 0, false},
		{"no version", "China(GuangDong)", "", 0, false},
	} {
		behind, known := versionsBehind(r, []pbx{{Region: p.region, Version: p.version}})[release{p.region, p.version}]
		if behind != p.behind || known != p.known {
			t.Errorf("%s: a PBX in %q with %q is %d behind, known: %v; want %d, %v", p.why, p.region, p.version, behind, known, p.behind, p.known)
		}
	}
}
