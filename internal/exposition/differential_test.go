package exposition

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/prometheus/common/model"
)

var (
	formats   = []string{"text", "openmetrics", "protobuf"}
	encodings = []string{"identity", "gzip"}
)

// expectSameBytes checks that what is served is, byte for byte, what client_golang and expfmt make of the same snapshots: in
// each format and encoding, on the first scrape and from kept segments.
func expectSameBytes(t *testing.T, sources map[string]Source) {
	t.Helper()
	set := newSet()
	var all []Source
	for account, src := range sources {
		mustPublish(t, set, account, "cloud_pbx", src)
		all = append(all, src)
	}
	registry := registryOf(t, all...)
	for _, format := range formats {
		want := encoded(t, registry, format)
		for _, encoding := range encodings {
			for _, how := range []string{"first scrape", "kept segments"} {
				if got := scrapeOf(t, set, "/metrics", format, encoding); got != want {
					t.Errorf("%s, %s, %s: differs from expfmt:%s", format, encoding, how, firstDifference(got, want))
				}
			}
		}
	}
}

func TestServedBytesEqualClientGolang(t *testing.T) {
	family := Family{"ycm_cloud_pbx_active_calls", "Calls now.", []string{"account", "cloud_pbx_id", "name"}}
	values := []float64{
		0, 1, -1, 9, 10, 99, 100, 12345, 999_999, 1e6, 1_000_001, -999_999, -1e6, 1_763_798_400, 1_760_000_000, 123_456_789_012_345,
		1e15, 1e15 + 2, -1e15, 1 << 53, 1<<53 + 2, 1e21, 0.5, -0.25, 1.0 / 3, 1e-7, 123456.789, 1e300, math.MaxFloat64, math.SmallestNonzeroFloat64,
		math.NaN(), math.Inf(1), math.Inf(-1), math.Copysign(0, -1), math.MaxInt64, math.MinInt64,
	}
	numbers := literalFamily{Family: family}
	for i, v := range values {
		numbers.rows = append(numbers.rows, row{[]string{"main", fmt.Sprintf("%03d", i), "Harbour Dental"}, v})
	}
	odd := []string{
		"", " ", `The "Corner" Shop`, `C:\new\name`, "line\nbreak", `ends in \`, `\\`, `a\`, `a\\`, "Café Zürich", "日本語", "\x00\x01", "\r\t",
		"# HELP x", `",evil="1`, "} 1", strings.Repeat("long ", 300), "\u2028", "\uFFFD",
	}
	strange := literalFamily{Family: family}
	for i, name := range odd {
		strange.rows = append(strange.rows, row{[]string{"main", fmt.Sprintf("%03d", i), name}, float64(i)})
	}
	for name, src := range map[string]literal{
		"no family":            {},
		"no samples":           {{Family: family}},
		"values":               {numbers},
		"odd names":            {strange},
		"help that is escaped": {{Family{"ycm_x", "A \"quoted\"\nline with \\ and é.", []string{"account"}}, []row{{[]string{"main"}, 1}}}},
		"no help":              {{Family{"ycm_x", "", []string{"account"}}, []row{{[]string{"main"}, 1}}}},
		"a family in between without samples": {
			{Family{"ycm_a", "A.", []string{"account"}}, []row{{[]string{"main"}, 1}}},
			{Family{"ycm_b", "B.", []string{"account", "b"}}, nil},
			{Family{"ycm_c:d", "C.", []string{"account", "z"}}, []row{{[]string{"main", ""}, 1}, {[]string{"main", "z"}, 2}}},
		},
	} {
		t.Run(name, func(t *testing.T) { expectSameBytes(t, map[string]Source{"main": src}) })
	}
}

func TestServedFleetEqualsClientGolang(t *testing.T) {
	expectSameBytes(t, map[string]Source{"main": newFleet("main", 400)})
}

func TestFamilyIsOneGroupOverAllAccounts(t *testing.T) {
	expectSameBytes(t, map[string]Source{
		"north": newFleet("north", 60), "east": newFleet("east", 1), "west": newFleet("west", 90), "void": newFleet("void", 0),
		"small": one("ycm_cloud_pbx_zz", "small", 3),
	})
}

// FuzzServedBytes looks for names, labels and values that are served differently from client_golang.
func FuzzServedBytes(f *testing.F) {
	f.Add("ycm_x", "Help.", "name", "Harbour Dental", "Lakeside", `a\b`, 17.5, 1e6)
	f.Add("ycm_x", "a\\\n\"é", "region", "\u00ff", "\u00fe\u00ff", "\n", math.NaN(), math.Inf(-1))
	f.Add("ycm:x", "", "zone", "", "a", "a\u00ff", math.Copysign(0, -1), 1_763_798_400.0)
	f.Fuzz(func(t *testing.T, name, help, label, a, b, c string, v, w float64) {
		for _, value := range []*string{&a, &b, &c} {
			*value = strings.ToValidUTF8(*value, "?")
		}
		labels := []string{"account", "id", label}
		family := literalFamily{Family: Family{name, help, labels}}
		for i, value := range []string{a, b, c, a + b, b + c} {
			family.rows = append(family.rows, row{[]string{"main", "same", value}, v}, row{[]string{"main", a + fmt.Sprint(i), value}, w})
		}
		slices.SortFunc(family.rows, func(x, y row) int {
			return slices.Compare(x.labels, y.labels)
		})
		family.rows = slices.CompactFunc(family.rows, func(x, y row) bool { return slices.Equal(x.labels, y.labels) })
		other := one(name, "other", v)
		other[0].Help, other[0].Labels, other[0].rows[0].labels = help, labels, []string{"other", c, b}

		if !model.LegacyValidation.IsValidMetricName(name) || !model.LegacyValidation.IsValidLabelName(label) ||
			strings.HasPrefix(label, "__") || label <= "id" || !utf8.ValidString(help) || len(name+help) > 8<<10 {
			t.Skip("names and help are constants of the program, and valid")
		}
		expectSameBytes(t, map[string]Source{"main": literal{family}, "other": other})
	})
}

// FuzzNumber compares values with strconv, which expfmt uses.
func FuzzNumber(f *testing.F) {
	for _, bits := range []uint64{0, 1, 1 << 63, math.Float64bits(1e6), math.Float64bits(999_999), math.Float64bits(1e15)} {
		f.Add(bits, int64(bits))
	}
	f.Fuzz(func(t *testing.T, bits uint64, whole int64) {
		for _, v := range []float64{math.Float64frombits(bits), float64(whole), float64(whole % 1e7), float64(whole) / 16} {
			src := one("ycm_x", "main", v)
			registry := registryOf(t, src)
			for f, format := range map[format]string{text: "text", openMetrics: "openmetrics"} {
				want := encoded(t, registry, format)
				if got := string(appendNumber([]byte(`ycm_x{account="main"} `), v, f)); !strings.Contains(want, "\n"+got+"\n") {
					t.Errorf("%v in %s is written as %q, want what is in %q", v, format, got, want)
				}
			}
		}
	})
}
