package collector

import "testing"

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
