package exposition

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/prometheus/common/model"
)

// maxHead bounds name and help of a family together, so that its HELP and TYPE lines fit into one block of deflate.
const maxHead = 8 << 10

// verify checks that a snapshot cannot break a scrape: families and samples in order and distinct, names valid,
// each sample with all labels, the first of them the account's, so that no other account can have the same series.
// Samples are checked as they will be served, with invalid UTF-8 replaced. It returns which samples of each
// family need escaping, and how many samples there are.
func verify(account string, families []Family, src Source) (escaped []sampleSet, samples int, err error) {
	escaped = make([]sampleSet, len(families))
	for i, f := range families {
		if i > 0 && f.Name <= families[i-1].Name {
			return nil, 0, fmt.Errorf("family %q after %q: families must be sorted by name and distinct", f.Name, families[i-1].Name)
		}
		if err := verifyFamily(f); err != nil {
			return nil, 0, fmt.Errorf("family %q: %w", f.Name, err)
		}
		count := 0
		if escaped[i], count, err = verifySamples(account, i, f, src); err != nil {
			return nil, 0, fmt.Errorf("family %q: %w", f.Name, err)
		}
		samples += count
	}
	return escaped, samples, nil
}

func verifyFamily(f Family) error {
	switch {
	case !model.LegacyValidation.IsValidMetricName(f.Name):
		return errors.New("the name is not one of a metric")
	case !utf8.ValidString(f.Help):
		return errors.New("the help is not UTF-8")
	case len(f.Name)+len(f.Help) > maxHead:
		return fmt.Errorf("name and help have over %d bytes", maxHead)
	case len(f.Labels) == 0 || f.Labels[0] != accountLabel:
		return fmt.Errorf("the first label is not %s", accountLabel)
	}
	for i, label := range f.Labels {
		if !model.LegacyValidation.IsValidLabelName(label) || strings.HasPrefix(label, model.ReservedLabelPrefix) {
			return fmt.Errorf("%q is no name of a label", label)
		}
		if i > 0 && label <= f.Labels[i-1] {
			return fmt.Errorf("label %q after %q: labels must be sorted and distinct", label, f.Labels[i-1])
		}
	}
	return nil
}

func verifySamples(account string, i int, f Family, src Source) (escaped sampleSet, samples int, err error) {
	last := make([]string, 0, len(f.Labels))
	src.Each(i, Shard{}, func(labels []string, _ float64) {
		switch {
		case err != nil:
			return
		case len(labels) != len(f.Labels):
			err = fmt.Errorf("sample %q has %d label values instead of %d", labels, len(labels), len(f.Labels))
			return
		case labels[0] != account:
			err = fmt.Errorf("sample %q does not belong to account %q", labels, account)
			return
		}
		same := 0
		for same < len(last) && labels[same] == last[same] {
			same++
		}
		if len(last) > 0 && !before(last[same:], labels[same:]) {
			err = fmt.Errorf("sample %q after %q: samples must be sorted and distinct", labels, last)
			return
		}
		if slices.ContainsFunc(labels[same:], needsEscaping) {
			escaped.set(samples)
		}
		last = append(last[:same], labels[same:]...)
		samples++
	})
	return escaped, samples, err
}

// before reports whether label values a, made valid, sort before b.
func before(a, b []string) bool {
	for k := range a {
		if c := strings.Compare(valid(a[k]), valid(b[k])); c != 0 {
			return c < 0
		}
	}
	return false
}

// sampleSet is a set of samples of a family, by their index in a walk over all of them.
type sampleSet []uint64

func (s *sampleSet) set(n int) {
	for len(*s) <= n/64 {
		*s = append(*s, 0)
	}
	(*s)[n/64] |= 1 << (n % 64)
}

func (s sampleSet) has(n int) bool { return n/64 < len(s) && s[n/64]>>(n%64)&1 == 1 }
