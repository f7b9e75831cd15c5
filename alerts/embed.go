// Package alerts holds the rules, so that the exporter can tell which of them need a metric.
package alerts

import "embed"

// Rules are the files of recording and alerting rules.
//
//go:embed ycm.*.yml
var Rules embed.FS
