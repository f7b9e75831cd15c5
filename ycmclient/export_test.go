package ycmclient

import "github.com/ycm-exporter/ycm_exporter/internal/yeastar"

// DecodePage returns the PBXs of a page, without a request for it.
func DecodePage(body []byte) ([]CloudPBX, error) {
	var wire struct {
		Data pageWire[record] `json:"data"`
	}
	if failure := yeastar.Decode(body, &wire); failure != nil {
		return nil, failure
	}
	return cloudPBXRows.read(wire.Data.List.Items, func(string) {}), nil
}
