package ycmclient

import (
	"context"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

// The names of the list of Cloud PBXs and of the query for one PBX by its ID in errors and metrics.
const (
	EndpointList     = "cloud_pbx_list"
	EndpointCloudPBX = "cloud_pbx"
)

// CloudPBX is one record of "Query All the Cloud PBXs". It is compact, because a fleet may have 100,000 of them.
type CloudPBX struct {
	ID int64 // The only key: names and serial numbers may repeat.

	Name, SN string
	URL      string // Its host, with the port if there is one, and nothing else.
	Region   string // The region's name.
	Type     string // "Trial" or "Commercial".
	Plan     string // "Enterprise Plan", "Ultimate Plan", "Upgrading to Ultimate Plan".
	Group    string
	Version  string // Of the firmware.

	LastUsedTemplate string

	Status    Status
	Activated yeastar.Switch

	Recording, UpgradeInPBX, IM, PasswordlessLogin, SuperiorPasswordlessLogin, ProvisioningViaTemplate yeastar.Switch

	ActiveCalls, ConcurrentCallCapacity      yeastar.Int
	UsedExtensions, ExtensionCapacity        yeastar.Int
	UsedRecording, RecordingCapacity         yeastar.Int // Minutes.
	TranscriptionCapacity, UsedTranscription yeastar.Int // Minutes.

	// Unix seconds. LastBackup counts backups that a task of YCM made, no others.
	PlanExpiration, Expiration, LastBackup, Created, FirstStarted, TemplateLastUsed yeastar.Int
}

// CloudPBX queries one Cloud PBX ("Query a Specific Cloud PBX"). Its error is of class NotFound if YCM reports that there is none with
// that id.
func (c *Client) CloudPBX(ctx context.Context, id int64) (CloudPBX, error) {
	path := "v1/cloud_pbx/instances/" + strconv.FormatInt(id, 10)
	pbx, err := fetch(ctx, c, cloudPBXRows.fields, EndpointCloudPBX, path)
	if err == nil && pbx.ID != id {
		err = &yeastar.Error{
			Account: c.account, Endpoint: EndpointCloudPBX, Class: yeastar.Invalid,
			Message: fmt.Sprintf("the response to a query for PBX %d describes another PBX", id),
		}
	}
	return pbx, err
}

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
