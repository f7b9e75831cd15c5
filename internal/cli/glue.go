package cli

import "github.com/ycm-exporter/ycm_exporter/internal/app"

// The doctor checks accounts with the clients of the daemon.
var (
	transportTo   = app.TransportTo
	clientOptions = app.ClientOptions
	directPBXs    = app.DirectPBXs
)
