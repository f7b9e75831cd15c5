package config

import (
	"fmt"
	"strings"
)

// Problem is one thing that is wrong with the configuration. None of its parts shows a value that could be a secret.
type Problem struct {
	File    string // as it was given to Load
	Line    int    // counted from 1; 0 when the file could not be read at all
	Field   string // such as accounts[0].rate_limit.rate; empty when the problem is the file's
	Message string // what is wrong, and what would be right
}

// String is the problem in one line, such as
// "config.yml:12: accounts[0].rate_limit.rate: 75 is above burst 25; make burst at least 75".
func (p Problem) String() string {
	s := p.File + ":"
	if p.Line > 0 {
		s += fmt.Sprintf("%d:", p.Line)
	}
	if p.Field != "" {
		s += " " + p.Field + ":"
	}
	return s + " " + p.Message
}

// Problems is everything that is wrong with the configuration, sorted by line.
type Problems []Problem

// Error tells each problem in a line of its own.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}
