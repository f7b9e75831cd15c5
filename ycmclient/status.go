package ycmclient

import (
	"reflect"
	"strings"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

// Status is what YCM reports that a Cloud PBX is doing. Running does not prove that the PBX serves its users.
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
	return [...]string{"Unknown", "Stopped", "Starting", "Running", "Upgrading", "Restoring", "Provisioning"}[s]
}

// statusWord is a Status on the wire, in any case. A word that is not documented is unexpected; none at all is not.
type statusWord struct{ yeastar.Text }

// Set implements yeastar.Value.
func (w *statusWord) Set(record reflect.Value, name string, unexpected yeastar.Unexpected) {
	word := strings.TrimSpace(string(w.Get(name, unexpected)))
	status := StatusUnknown
	for _, s := range Statuses() {
		if strings.EqualFold(word, s.String()) {
			status = s
		}
	}
	if status == StatusUnknown && word != "" {
		unexpected(name)
	}
	record.SetUint(uint64(status))
}
