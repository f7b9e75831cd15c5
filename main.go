// Command ycm_exporter exports a Yeastar Central Management fleet of Cloud PBXs to Prometheus.
package main

import (
	"context"
	_ "embed"
	"os"
	"strings"

	"github.com/prometheus/common/version"

	"github.com/ycm-exporter/ycm_exporter/internal/cli"
)

//go:embed VERSION
var release string

func main() {
	version.Version = strings.TrimSpace(release)
	os.Exit(cli.Run(context.Background(), os.Args[1:], os.Stdout, os.Stderr))
}
