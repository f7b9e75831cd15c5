package ycmclient

import (
	"maps"
	"slices"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

// WireFields returns the JSON names of all fields that the client reads, as yeastar.WireFields does.
func WireFields() map[string]bool {
	return yeastar.WireFields(
		yeastar.GrantAnswer{}, pageWire[record]{}, pageWire[userWire]{}, regionWire{}, firmwareWire{}, userSubscriptionWire{},
		subscriptionWire{}, planStatistics[yeastar.Count]{}, connectionsWire{},
	)
}

// ListFields returns the names of the JSON fields that are read of a Cloud PBX.
func ListFields() []string { return slices.Sorted(maps.Keys(yeastar.WireFields(record{}))) }
