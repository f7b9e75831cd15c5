// Package doctor looks at an account of a YCM that nobody has seen before, with few and careful requests, and tells
// whether the exporter will work with it, and in what it differs from its documentation.
//
// Nothing in a report is secret or personal. It is made of fixed sentences, numbers, times, the paths of the
// documentation, and of what a server says only what a fixed list allows: codes, the words of closed sets, versions,
// names of fields. There is neither a host, nor an account's name, nor any text that the server chose.
package doctor

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// Verdict is what a finding means for the exporter.
type Verdict string

// The verdicts.
const (
	Fine    Verdict = "fine"
	Note    Verdict = "note"    // It is otherwise than documented, or worth knowing, and the exporter works all the same.
	Problem Verdict = "problem" // Something must be done.
)

// Report is what was found.
type Report struct {
	Version  string    `json:"version"` // of the exporter
	Works    bool      `json:"works"`
	Accounts []Account `json:"accounts"`
}

// Account is what was found about one account. Its name is not told; accounts come in the order of the configuration.
type Account struct {
	Works    bool      `json:"works"`    // no finding is a problem
	Requests int       `json:"requests"` // that were sent
	Findings []Finding `json:"findings"`
}

// Finding is one thing that was looked at.
type Finding struct {
	Section string  `json:"section"`
	Check   string  `json:"check"` // names what was looked at, for programs
	Verdict Verdict `json:"verdict"`
	Text    string  `json:"text"`
	Advice  string  `json:"advice,omitempty"`
}

// WriteJSON writes the report for programs.
func (r *Report) WriteJSON(w io.Writer) error {
	out := json.NewEncoder(w)
	out.SetEscapeHTML(false)
	out.SetIndent("", "  ")
	return out.Encode(r)
}

// WriteText writes the report for people, in colour if that can be seen.
func (r *Report) WriteText(w io.Writer, colour bool) error {
	var b strings.Builder
	fmt.Fprintf(&b, "ycm_exporter doctor, version %s\n", r.Version)
	for i, a := range r.Accounts {
		if len(r.Accounts) > 1 {
			fmt.Fprintf(&b, "\n== Account %d of %d ==\n", i+1, len(r.Accounts))
		}
		a.writeText(&b, colour)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// textWidth is where lines of text are broken.
const textWidth = 110

func (a *Account) writeText(b *strings.Builder, colour bool) {
	section, counts := "", map[Verdict]int{}
	for _, f := range a.Findings {
		if f.Section != section {
			section = f.Section
			fmt.Fprintf(b, "\n%s\n", section)
		}
		counts[f.Verdict]++
		fmt.Fprintf(b, "  %s  %s\n", paint(f.Verdict, colour), wrap(f.Text, 11))
		if f.Advice != "" {
			fmt.Fprintf(b, "           -> %s\n", wrap(f.Advice, 14))
		}
	}
	verdict := "The exporter will work with this account."
	if !a.Works {
		verdict = "The exporter will not work as configured: see the problems above."
	}
	fmt.Fprintf(b, "\n%s %d fine, %s, %s; %s sent.\n", verdict, counts[Fine], count(counts[Note], "note"), count(counts[Problem], "problem"), count(a.Requests, "request"))
}

func paint(v Verdict, colour bool) string {
	padded := fmt.Sprintf("%-7s", v)
	if !colour {
		return padded
	}
	codes := map[Verdict]string{Fine: "32", Note: "33", Problem: "1;31"}
	return "\x1b[" + codes[v] + "m" + padded + "\x1b[0m"
}

// wrap breaks a text between words; lines after the first are indented.
func wrap(text string, indent int) string {
	var b strings.Builder
	length := indent
	for i, word := range strings.Fields(text) {
		switch {
		case i == 0:
		case length+1+len(word) > textWidth:
			b.WriteString("\n" + strings.Repeat(" ", indent))
			length = indent
		default:
			b.WriteByte(' ')
			length++
		}
		b.WriteString(word)
		length += len(word)
	}
	return b.String()
}
