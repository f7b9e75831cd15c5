package app

// What the doctor of package cli needs.
var (
	TransportTo   = transportTo
	ClientOptions = clientOptions
	DirectPBXs    = directPBXs
	FileOf        = fileOf
	NewMemory     = newMemory
)

// Memory is what persists across restarts.
type Memory = memory

// Close frees the directory.
func (m *memory) Close() { m.close() }
