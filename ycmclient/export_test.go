package ycmclient

import "github.com/ycm-exporter/ycm_exporter/internal/yeastar"

// DecodePage returns the PBXs of a page, without a request for it.
func DecodePage(body []byte) ([]CloudPBX, error) {
	var wire struct {
		Data pageWire[CloudPBX] `json:"data"`
	}
	if failure := yeastar.Decode(body, &wire); failure != nil {
		return nil, failure
	}
	return usable(wire.Data.List.Items), nil
}
