// Command ycm_exporter exports a Yeastar Central Management fleet of Cloud PBXs to Prometheus.
package main

import (
	"context"
	"os"

	"github.com/ycm-exporter/ycm_exporter/internal/app"
)

func main() { os.Exit(app.Run(context.Background(), os.Args[1:], os.Stdout, os.Stderr)) }
