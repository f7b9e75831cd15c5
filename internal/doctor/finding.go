package doctor

import (
	"fmt"
	"time"
)

// add adds a finding. All of args are numbers, or texts that findings may show.
func (x *examination) add(section, check string, v Verdict, text, advice string, args ...any) {
	x.findings = append(x.findings, Finding{section, check, v, fmt.Sprintf(text, args...), advice})
}

// either is the first if that is so, else the second.
func either[T any](so bool, then, otherwise T) T {
	if so {
		return then
	}
	return otherwise
}

// count writes a number with its noun.
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// short writes a duration with no more digits than are of use.
func short(d time.Duration) string {
	switch {
	case d < 10*time.Millisecond:
		return d.Round(100 * time.Microsecond).String()
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	case d < time.Minute:
		return d.Round(100 * time.Millisecond).String()
	default:
		return d.Round(time.Second).String()
	}
}
