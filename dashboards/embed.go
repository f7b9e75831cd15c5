// Package dashboards holds Grafana dashboards, so that the exporter can tell which of their panels need a metric.
package dashboards

import "embed"

// Boards are the dashboards.
//
//go:embed ycm-*.json
var Boards embed.FS
