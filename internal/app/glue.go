package app

// What the doctor of package cli needs.
var (
	TransportTo   = transportTo
	ClientOptions = clientOptions
	DirectPBXs    = directPBXs
)
