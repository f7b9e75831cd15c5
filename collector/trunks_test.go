package collector

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/ycm-exporter/ycm_exporter/internal/exposition"
	"github.com/ycm-exporter/ycm_exporter/internal/pbxclient"
	"github.com/ycm-exporter/ycm_exporter/internal/series"
)

func TestNamesOfTrunksAreDistinctAndBounded(t *testing.T) {
	long := strings.Repeat("電", 100)
	cut := strings.Repeat("電", 42)
	for name, c := range map[string]struct{ names, want []string }{
		"distinct":                {[]string{"b", "a"}, []string{"a", "b"}},
		"one name three times":    {[]string{"a", "a", "a"}, []string{"a", "a #2", "a #3"}},
		"none":                    {[]string{"", ""}, []string{"#1", "#2"}},
		"one that looks the same": {[]string{"a", "a", "a #2"}, []string{"a", "a #2", "a #2 #3"}},
		"one that came first":     {[]string{"a #2", "a", "a"}, []string{"a", "a #2", "a #3"}},
		"long ones that are cut":  {[]string{long, long + "x"}, []string{cut, cut + " #2"}},
	} {
		t.Run(name, func(t *testing.T) {
			var list []pbxclient.Trunk
			for i, n := range c.names {
				list = append(list, pbxclient.Trunk{ID: int64(i + 1), Name: n})
			}
			var got []string
			for _, l := range named(list) {
				got = append(got, l.Name)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("names of trunks (-want +got):\n%s", diff)
			}
		})
	}
}

// Whatever trunks are called, their series are distinct, in order, valid, and client_golang accepts them.
func FuzzTrunks(f *testing.F) {
	f.Add("Main line", "Main line", "Main line #2", uint8(41))
	f.Add("", "\"", "\\\n", uint8(0))
	f.Fuzz(func(t *testing.T, a, b, c string, status uint8) {
		var list []pbxclient.Trunk
		for i, name := range []string{a, b, c, a, b, a + " #1"} {
			list = append(list, pbxclient.Trunk{ID: int64(i), Name: strings.ToValidUTF8(name, "?"), Type: "peer", Status: pbxclient.TrunkStatus(status)})
		}
		lines := named(list)
		source := series.PerPBX(series.Account{Name: "main"}, trunksColumns(), []trunkReading{{Trunks: lines}},
			func(r *trunkReading) (series.PBX, *trunkReading) { return series.PBX{ID: 1, Name: a}, r })
		checkOrder(t, source)
		documented, up := 0, 0
		if s := pbxclient.TrunkStatus(status); slices.Contains(pbxclient.TrunkStatuses(), s) {
			documented = len(list)
			if s != pbxclient.TrunkUnknown {
				up = len(list)
			}
		}
		all := samples(source, exposition.Shard{})
		if got := len(all["ycm_cloud_pbx_trunk_status"]); got != documented {
			t.Errorf("%d trunks have %d samples of their status %d, want %d", len(list), got, status, documented)
		}
		if got := len(all["ycm_cloud_pbx_trunk_up"]); got != up {
			t.Errorf("%d trunks with status %d have %d samples of being up, want %d", len(list), status, got, up)
		}
		for _, l := range lines {
			if !utf8.ValidString(l.Name) || len(l.Name) > 2*maxName {
				t.Errorf("a trunk is called %q", l.Name)
			}
		}
	})
}
