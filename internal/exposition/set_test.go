package exposition

import (
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"weak"
)

// expectServed checks which families a scrape has, in each way it can be put together.
func expectServed(t *testing.T, set *Set, when string, want ...string) {
	t.Helper()
	for _, encoding := range encodings {
		if got := strings.Join(names(scrapeOf(t, set, "/metrics", "text", encoding)), " "); got != strings.Join(want, " ") {
			t.Errorf("%s, %s: families %q are served, want %q", when, encoding, got, want)
		}
	}
}

func TestAnExpiredSnapshotIsWithdrawnAndFreed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		set := newSet()
		publish := func() weak.Pointer[watched] {
			src := &watched{Source: one("ycm_x", "main", 1)}
			if err := set.Publish("main", "cloud_pbx", src, time.Now().Add(10*time.Minute)); err != nil {
				t.Fatal(err)
			}
			return weak.Make(src)
		}
		src := publish()
		mustPublish(t, set, "main", "firmware", one("ycm_y", "main", 1))
		time.Sleep(10*time.Minute - time.Nanosecond)
		expectServed(t, set, "before it expires", "ycm_x", "ycm_y")
		time.Sleep(time.Nanosecond)
		expectServed(t, set, "as it expires", "ycm_y")
		runtime.GC()
		if src.Value() != nil {
			t.Error("the expired source is still held")
		}
		set.Extend("main", "cloud_pbx", far())
		expectServed(t, set, "extended too late", "ycm_y")
	})
}

func TestASnapshotIsExtendedWhileAPollIsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		set := newSet()
		if err := set.Publish("main", "cloud_pbx", one("ycm_x", "main", 1), time.Now().Add(10*time.Minute)); err != nil {
			t.Fatal(err)
		}
		set.Extend("main", "cloud_pbx", time.Now().Add(20*time.Minute))
		set.Extend("main", "trunks", far()) // There is none.
		time.Sleep(15 * time.Minute)
		expectServed(t, set, "extended", "ycm_x")
		set.Extend("main", "cloud_pbx", time.Now())
		expectServed(t, set, "cut short", []string{}...)
	})
}

// Between its end and the next scrape, which takes it away, an expired snapshot is still there; it must not come back.
func TestAnExpiredSnapshotThatNobodyScrapedIsNotExtended(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		set := newSet()
		if err := set.Publish("main", "cloud_pbx", one("ycm_x", "main", 1), time.Now().Add(10*time.Minute)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Minute)
		set.Extend("main", "cloud_pbx", far())
		expectServed(t, set, "extended too late", []string{}...)
	})
}

func TestSnapshotsAreWithdrawn(t *testing.T) {
	set := newSet()
	mustPublish(t, set, "a", "cloud_pbx", one("ycm_x", "a", 1))
	mustPublish(t, set, "a", "users", one("ycm_y", "a", 1))
	mustPublish(t, set, "b", "cloud_pbx", one("ycm_z", "b", 1))
	set.Withdraw("a", "users")
	set.Withdraw("a", "trunks") // There is none.
	expectServed(t, set, "one collector withdrawn", "ycm_x", "ycm_z")
	set.Retain(func(account, _ string) bool { return account == "b" })
	expectServed(t, set, "account b retained", "ycm_z")
}

func TestABadSnapshotIsRefusedAndTheLastGoodOneStays(t *testing.T) {
	family := func(name string, labels ...string) Family { return Family{name, "Help.", labels} }
	rows := func(f Family, values ...[]string) literal {
		p := literalFamily{Family: f}
		for _, v := range values {
			p.rows = append(p.rows, row{v, 1})
		}
		return literal{p}
	}
	x := family("ycm_x", "account", "id")
	for name, c := range map[string]struct {
		src  literal
		want string
	}{
		"a duplicate":                 {rows(x, []string{"main", "1"}, []string{"main", "1"}), "samples must be sorted and distinct"},
		"a duplicate after repair":    {rows(x, []string{"main", "\xfe"}, []string{"main", "\xff"}), "samples must be sorted and distinct"},
		"samples out of order":        {rows(x, []string{"main", "2"}, []string{"main", "1"}), "samples must be sorted and distinct"},
		"too few labels":              {rows(x, []string{"main", "1"}, []string{"main"}), "has 1 label values instead of 2"},
		"too many labels":             {rows(x, []string{"main", "1", "2"}), "has 3 label values instead of 2"},
		"another account's sample":    {rows(x, []string{"other", "1"}), `does not belong to account "main"`},
		"no account label":            {rows(family("ycm_x", "id"), []string{"1"}), "the first label is not account"},
		"no labels":                   {rows(family("ycm_x")), "the first label is not account"},
		"labels out of order":         {rows(family("ycm_x", "account", "z", "id")), "labels must be sorted and distinct"},
		"a label twice":               {rows(family("ycm_x", "account", "id", "id")), "labels must be sorted and distinct"},
		"a label's name is not one":   {rows(family("ycm_x", "account", "i-d")), "is no name of a label"},
		"a reserved label":            {rows(family("ycm_x", "account", "__id")), "is no name of a label"},
		"a family's name is not one":  {rows(family("ycm x", "account")), "the name is not one of a metric"},
		"help that is not UTF-8":      {literal{{Family: Family{"ycm_x", "\xff", []string{"account"}}}}, "the help is not UTF-8"},
		"help without end":            {literal{{Family: Family{"ycm_x", strings.Repeat("x", maxHead), []string{"account"}}}}, "have over 8192 bytes"},
		"families out of order":       {append(one("ycm_z", "main", 1), one("ycm_x", "main", 1)...), "families must be sorted by name and distinct"},
		"a family twice":              {append(one("ycm_x", "main", 1), one("ycm_x", "main", 1)...), "families must be sorted by name and distinct"},
		"another collector's family":  {one("ycm_taken", "main", 1), "is published by collector users already"},
		"a family defined otherwise":  {rows(family("ycm_other", "account", "id")), "differs in help or labels from that of account other"},
		"a family with another help":  {literal{{Family: Family{"ycm_other", "Else.", []string{"account"}}}}, "differs in help or labels from that of account other"},
		"one bad family among others": {append(one("ycm_a", "main", 1), rows(x, []string{"main"})...), `family "ycm_x"`},
	} {
		t.Run(name, func(t *testing.T) {
			set := newSet()
			mustPublish(t, set, "main", "users", one("ycm_taken", "main", 1))
			mustPublish(t, set, "other", "cloud_pbx", one("ycm_other", "other", 1))
			mustPublish(t, set, "main", "cloud_pbx", one("ycm_good", "main", 1))
			err := set.Publish("main", "cloud_pbx", c.src, far())
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "publishing cloud_pbx of account main") {
				t.Errorf("got error %v, want one that says %q", err, c.want)
			}
			expectServed(t, set, "after the refusal", "ycm_good", "ycm_other", "ycm_taken")
		})
	}
}

func TestAccountsShareAFamily(t *testing.T) {
	set := newSet()
	mustPublish(t, set, "b", "cloud_pbx", one("ycm_x", "b", 2))
	mustPublish(t, set, "a", "cloud_pbx", one("ycm_x", "a", 1))
	want := "# HELP ycm_x Help.\n# TYPE ycm_x gauge\nycm_x{account=\"a\"} 1\nycm_x{account=\"b\"} 2\n"
	for _, encoding := range encodings {
		if got := scrapeOf(t, set, "/metrics", "text", encoding); got != want {
			t.Errorf("%s: got %q, want %q", encoding, got, want)
		}
	}
	var out strings.Builder
	if err := set.WriteText(&out); err != nil || out.String() != want {
		t.Errorf("WriteText: got %q and error %v, want %q", out.String(), err, want)
	}
}
