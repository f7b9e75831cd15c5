package doctor

import (
	"fmt"
	"io"
	"strings"
)

// Verdict is what a finding means for the exporter.
type Verdict string

// The verdicts.
const (
	OK      Verdict = "ok"
	Skipped Verdict = "skipped" // It was not checked.
	Warning Verdict = "warning" // It differs from the documentation or is worth knowing; the exporter works nevertheless.
	Problem Verdict = "problem" // Something must be done.
)

// Report is the findings of all accounts.
type Report struct {
	Version  string    `json:"version"` // of the exporter
	Works    bool      `json:"works"`
	Accounts []Account `json:"accounts"`
}

// Account is the findings of one account. Its name is left out; accounts come in the order of the configuration.
type Account struct {
	Works    bool      `json:"works"`    // no finding is a problem
	Requests int       `json:"requests"` // that were sent
	Findings []Finding `json:"findings"`
}

// Finding is the result of one check.
type Finding struct {
	Section string  `json:"section"`
	Check   string  `json:"check"` // the name of the check, for programs
	Verdict Verdict `json:"verdict"`
	Text    string  `json:"text"`
	Advice  string  `json:"advice,omitempty"`
}

// The sections of a report, in their order.
const (
	connectionSection = "Connection"
	loginSection      = "Login"
	listSection       = "PBX list"
	collectorsSection = "Collectors"
	proxySection      = "PBXs through YCM"
	directSection     = "PBXs with direct access"
	rateSection       = "Rate limit"
)

// WriteText writes the report for people.
func (r *Report) WriteText(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "ycm_exporter doctor, version %s\n", r.Version)
	for i, a := range r.Accounts {
		if len(r.Accounts) > 1 {
			fmt.Fprintf(&b, "\n== Account %d of %d ==\n", i+1, len(r.Accounts))
		}
		a.writeText(&b)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (a *Account) writeText(b *strings.Builder) {
	section, counts := "", map[Verdict]int{}
	for _, f := range a.Findings {
		if f.Section != section {
			section = f.Section
			fmt.Fprintf(b, "\n%s\n", section)
		}
		counts[f.Verdict]++
		fmt.Fprintf(b, "  %-7s  %s\n", f.Verdict, f.Text)
		if f.Advice != "" {
			fmt.Fprintf(b, "           -> %s\n", f.Advice)
		}
	}
	conclusion := "The exporter will work with this account"
	if !a.Works {
		conclusion = "The exporter will not work as configured, see the problems above"
	}
	fmt.Fprintf(b, "\n%s: %d ok, %d skipped, %s, %s. %s sent.\n", conclusion, counts[OK], counts[Skipped],
		Count(counts[Warning], "warning"), Count(counts[Problem], "problem"), Count(a.Requests, "request"))
}

// Count writes a number with its noun.
func Count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
