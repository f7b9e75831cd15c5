package series

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ycm-exporter/ycm_exporter/internal/exposition"
)

// given is a value that the API sent, or not.
type given struct {
	n  int64
	ok bool
}

func (g given) Get() (int64, bool) { return g.n, g.ok }

// state is a switch that the API sent, or not.
type state struct{ on, ok bool }

func (s state) Get() (on, ok bool) { return s.on, s.ok }

// line is a record with what columns can read.
type line struct {
	pbx    PBX
	calls  given
	record given
	active state
	words  []string
}

func columns() []Column[line] {
	return []Column[line]{
		Number("z_calls", func(l *line) given { return l.calls }, ""),
		Minutes("m_recording_seconds", func(l *line) given { return l.record }, ""),
		Toggle("a_active", func(l *line) state { return l.active }, ""),
		{Name: "k_words", Labels: []string{"word", "beside"}, Read: func(l *line, labels []string, sample func(float64)) {
			for i, word := range l.words {
				labels[0], labels[1] = word, "b"
				sample(float64(i))
			}
		}},
	}
}

// shown is what a source emits, as text.
func shown(source exposition.Source, shard exposition.Shard) (lines []string) {
	for i, f := range source.Families() {
		source.Each(i, shard, func(labels []string, value float64) {
			line := f.Name
			for j, name := range f.Labels {
				line += fmt.Sprintf(" %s=%s", name, labels[j])
			}
			lines = append(lines, fmt.Sprintf("%s %v", line, value))
		})
	}
	return lines
}

// Families are sorted by name, labels too, ids as text; a value that was not sent has no sample.
func TestSamplesOfPBXs(t *testing.T) {
	source := PerPBX(Account{Name: "main"}, columns(), []line{
		{pbx: PBX{Name: "host"}, calls: given{5, true}, active: state{false, true}},
		{pbx: PBX{ID: 9, Name: "nine"}, record: given{2, true}, active: state{true, true}, words: []string{"x", "y"}},
		{pbx: PBX{ID: 10, Name: "ten", Region: "Europe"}, calls: given{0, true}},
	}, func(l *line) (PBX, *line) { return l.pbx, l })
	want := []string{
		"a_active account=main cloud_pbx_id= name=host region= 0",
		"a_active account=main cloud_pbx_id=9 name=nine region= 1",
		"k_words account=main beside=b cloud_pbx_id=9 name=nine region= word=x 0",
		"k_words account=main beside=b cloud_pbx_id=9 name=nine region= word=y 1",
		"m_recording_seconds account=main cloud_pbx_id=9 name=nine region= 120",
		"z_calls account=main cloud_pbx_id= name=host region= 5",
		"z_calls account=main cloud_pbx_id=10 name=ten region=Europe 0",
	}
	if diff := cmp.Diff(want, shown(source, exposition.Shard{})); diff != "" {
		t.Errorf("samples of PBXs (-want +got):\n%s", diff)
	}
}

// An excluded family is neither declared nor read.
func TestExcludedFamiliesAreNotMade(t *testing.T) {
	account := Account{Name: "main", Excluded: []string{"z_calls", "m_recording_seconds", "k_words"}}
	l := line{pbx: PBX{ID: 9}, calls: given{5, true}, active: state{true, true}, words: []string{"x"}}
	for what, source := range map[string]exposition.Source{
		"a_active account=main cloud_pbx_id=9 name= region= 1": PerPBX(account, columns(), []line{l}, func(l *line) (PBX, *line) { return l.pbx, l }),
		"a_active account=main 1":                              PerAccount(account, columns(), &l),
	} {
		if diff := cmp.Diff([]string{what}, shown(source, exposition.Shard{})); diff != "" || len(source.Families()) != 1 {
			t.Errorf("%d families of four are left although three are excluded (-want +got):\n%s", len(source.Families()), diff)
		}
	}
}

// Samples of an account are sorted, of duplicates the first is kept, and they are in the first shard alone; joined with
// another source, families stay sorted.
func TestSamplesOfAccountsJoined(t *testing.T) {
	source := Join(
		PerAccount(Account{Name: "main"}, columns()[3:], &line{words: []string{"b", "a", "b"}}),
		PerAccount(Account{Name: "main"}, columns()[:1], &line{calls: given{3, true}}),
		PerAccount(Account{Name: "main"}, columns()[2:3], &line{}),
	)
	want := []string{"k_words account=main beside=b word=a 1", "k_words account=main beside=b word=b 0", "z_calls account=main 3"}
	if diff := cmp.Diff(want, shown(source, exposition.Shard{})); diff != "" {
		t.Errorf("samples of an account (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want, shown(source, exposition.Shard{Index: 0, Count: 2})); diff != "" {
		t.Errorf("samples of the first shard (-want +got):\n%s", diff)
	}
	if got := shown(source, exposition.Shard{Index: 1, Count: 2}); got != nil {
		t.Errorf("the second shard has %q, want no samples of accounts", got)
	}
}
