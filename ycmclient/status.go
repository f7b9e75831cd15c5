package ycmclient

import (
	"strings"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

// Status is what YCM says a Cloud PBX is doing. Running does not prove that the PBX serves its users.
type Status uint8

// The statuses of "Query All the Cloud PBXs". StatusUnknown is any other word, or none.
const (
	StatusUnknown Status = iota
	Stopped
	Starting
	Running
	Upgrading
	Restoring
	Provisioning
)

// Statuses returns the six documented statuses, then StatusUnknown.
func Statuses() []Status {
	return []Status{Stopped, Starting, Running, Upgrading, Restoring, Provisioning, StatusUnknown}
}

// String returns the status as YCM writes it, "Unknown" for StatusUnknown.
func (s Status) String() string {
	switch s {
	case Stopped:
		return "Stopped"
	case Starting:
		return "Starting"
	case Running:
		return "Running"
	case Upgrading:
		return "Upgrading"
	case Restoring:
		return "Restoring"
	case Provisioning:
		return "Provisioning"
	default:
		return "Unknown"
	}
}

// parseStatus reads a status in any case. A word that is not documented is odd; none at all is not.
func parseStatus(word []byte, field string, unexpected yeastar.Unexpected) Status {
	name := strings.TrimSpace(string(word))
	if name == "" {
		return StatusUnknown
	}
	for _, s := range Statuses() {
		if s != StatusUnknown && strings.EqualFold(name, s.String()) {
			return s
		}
	}
	unexpected(field)
	return StatusUnknown
}
