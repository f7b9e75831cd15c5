package cli

import (
	"github.com/go-kit/log"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/ycm-exporter/ycm_exporter/internal/app"
	"github.com/ycm-exporter/ycm_exporter/internal/storage"
)

// The doctor checks accounts with the clients and the storage of the daemon.
var (
	transportTo   = app.TransportTo
	clientOptions = app.ClientOptions
	directPBXs    = app.DirectPBXs
	fileOf        = app.FileOf
)

type memory struct{ *app.Memory }

func newMemory(folder *storage.Folder, path string, registry prometheus.Registerer, logger log.Logger) *memory {
	return &memory{app.NewMemory(folder, path, registry, logger)}
}

func (m *memory) close() { m.Close() }
