package pbxclient

import "github.com/ycm-exporter/ycm_exporter/internal/yeastar"

// WireFields returns the JSON names of all fields that the client reads, as yeastar.WireFields does.
func WireFields() map[string]bool {
	return yeastar.WireFields(
		yeastar.GrantAnswer{}, deviceRecord{}, capacityRecord{}, answer[trunkRecord]{}, extensionRecord{}, phoneRecord{}, optionRecord{},
	)
}
