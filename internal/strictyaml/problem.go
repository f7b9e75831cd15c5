package strictyaml

import (
	"fmt"
	"strings"
)

// Problem is one thing that is wrong with a file. None of its parts shows a value that could be a secret.
type Problem struct {
	File    string // as it was given to Decode
	Line    int    // counted from 1; 0 when the file could not be read at all
	Field   string // such as accounts[0].rate_limit.rate; empty when the problem is the file's
	Message string // what is wrong, and what would be right
}

// Problems is everything that is wrong with a file, sorted by line.
type Problems []Problem

// Error tells each problem in a line of its own, such as
// "config.yml:12: accounts[0].rate_limit.rate: 75 is above burst 25; make burst at least 75".
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}

// Error is Where and Message.
func (p Problem) Error() string { return p.Where() + " " + p.Message }

// Where is file, line and field, such as "config.yml:12: accounts[0].rate_limit.rate:".
func (p Problem) Where() string {
	where := p.File + ":"
	if p.Line > 0 {
		where += fmt.Sprintf("%d:", p.Line)
	}
	if p.Field != "" {
		where += " " + p.Field + ":"
	}
	return where
}
