// Command ycm_exporter exports a Yeastar Central Management fleet of Cloud PBXs to Prometheus.
package main

import (
	"context"
	"os"

	"github.com/ycm-exporter/ycm_exporter/internal/cli"
)

func main() { os.Exit(cli.Run(context.Background(), os.Args[1:], os.Stdout, os.Stderr)) }
