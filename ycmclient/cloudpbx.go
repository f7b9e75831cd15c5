package ycmclient

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

// The names of the list of Cloud PBXs and of the query for one PBX by its ID in errors and metrics.
const (
	EndpointList     = "cloud_pbx_list"
	EndpointCloudPBX = "cloud_pbx"
)

// CloudPBX is one record of "Query All the Cloud PBXs". It is compact, because a fleet may have 100,000 of them. What must not be
// kept (the creator) and what is not used is not read.
type CloudPBX struct {
	ID int64 `api:"cloudPbxId"` // The only key: names and serial numbers may repeat.

	Name             string `api:"name"`
	SN               string `api:"sn"`
	URL              string `api:"url,host"`      // Its host, with the port if there is one, and nothing else.
	Region           string `api:"region,shared"` // The region's name.
	Type             string `api:"type,shared"`   // "Trial" or "Commercial".
	Plan             string `api:"plan,shared"`   // "Enterprise Plan", "Ultimate Plan", "Upgrading to Ultimate Plan".
	Group            string `api:"group,shared"`
	Version          string `api:"version,shared"` // Of the firmware.
	LastUsedTemplate string `api:"lastUsedTemplate,shared"`

	Status                    Status         `api:"pbxStatus"`
	Activated                 yeastar.Switch `api:"activationStatus"`
	Recording                 yeastar.Switch `api:"recordingStatus"`
	UpgradeInPBX              yeastar.Switch `api:"upgradeInPbx"`
	IM                        yeastar.Switch `api:"im"`
	PasswordlessLogin         yeastar.Switch `api:"passwordlessLogin"`
	SuperiorPasswordlessLogin yeastar.Switch `api:"allowSuperiorPasswordlessLogin"`
	ProvisioningViaTemplate   yeastar.Switch `api:"provisioningViaTemplate"`

	ActiveCalls            yeastar.Int `api:"activeCalls"`
	ConcurrentCallCapacity yeastar.Int `api:"concurrentCallCapacity"`
	UsedExtensions         yeastar.Int `api:"usedExtensions"`
	ExtensionCapacity      yeastar.Int `api:"extensionCapacity"`
	UsedRecording          yeastar.Int `api:"usedRecording"` // Minutes, as the next three.
	RecordingCapacity      yeastar.Int `api:"recordingCapacity"`
	TranscriptionCapacity  yeastar.Int `api:"transcriptionCapacity"`
	UsedTranscription      yeastar.Int `api:"usedTranscription"`

	PlanExpiration   yeastar.Int `api:"planExpirationDate,time"`
	Expiration       yeastar.Int `api:"expirationDate,time"`
	LastBackup       yeastar.Int `api:"lastBackupTime,time"` // Of backups that a task of YCM made, no others.
	Created          yeastar.Int `api:"createTime,time"`
	FirstStarted     yeastar.Int `api:"initialStartUpTime,time"`
	TemplateLastUsed yeastar.Int `api:"lastUsedTime,time"`
}

// CloudPBX queries one Cloud PBX ("Query a Specific Cloud PBX"). Its error is of class NotFound if YCM reports that there is none with
// that id.
func (c *Client) CloudPBX(ctx context.Context, id int64) (CloudPBX, error) {
	path := "v1/cloud_pbx/instances/" + strconv.FormatInt(id, 10)
	pbx, err := fetch[CloudPBX](ctx, c, EndpointCloudPBX, path)
	if err == nil && pbx.ID != id {
		err = &yeastar.Error{
			Account: c.Account, Endpoint: EndpointCloudPBX, Class: yeastar.Invalid,
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

// Read takes the word in any case. One that is not documented cannot be read; none at all is unknown.
func (s *Status) Read(wire []byte) (ok bool) {
	word, ok := yeastar.TextOf(wire)
	word = strings.TrimSpace(word)
	*s = StatusUnknown
	for _, known := range Statuses() {
		if strings.EqualFold(word, known.String()) {
			*s = known
		}
	}
	return ok && (*s != StatusUnknown || word == "")
}
