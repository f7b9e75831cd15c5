package ycmclient

import (
	"reflect"
	"unique"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

// record is a Cloud PBX on the wire; each field fills the one of its name in a CloudPBX. What must not be kept (the creator) and what
// is not used is not read.
type record struct {
	there bool // Set before a page is read; the records that the page does not reach are zeroed.

	ID                        yeastar.Number    `json:"cloudPbxId"`
	Status                    statusWord        `json:"pbxStatus"`
	Activated                 yeastar.Toggle    `json:"activationStatus"`
	Name                      yeastar.Text      `json:"name"`
	SN                        yeastar.Text      `json:"sn"`
	Plan                      word              `json:"plan"`
	PlanExpiration            yeastar.Timestamp `json:"planExpirationDate"`
	ExtensionCapacity         yeastar.Count     `json:"extensionCapacity"`
	ConcurrentCallCapacity    yeastar.Count     `json:"concurrentCallCapacity"`
	Recording                 yeastar.Toggle    `json:"recordingStatus"`
	RecordingCapacity         yeastar.Count     `json:"recordingCapacity"`
	Region                    word              `json:"region"`
	URL                       yeastar.Text      `json:"url"`
	Type                      word              `json:"type"`
	Expiration                yeastar.Timestamp `json:"expirationDate"`
	Version                   word              `json:"version"`
	Group                     word              `json:"group"`
	Created                   yeastar.Timestamp `json:"createTime"`
	FirstStarted              yeastar.Timestamp `json:"initialStartUpTime"`
	UpgradeInPBX              yeastar.Toggle    `json:"upgradeInPbx"`
	IM                        yeastar.Toggle    `json:"im"`
	PasswordlessLogin         yeastar.Toggle    `json:"passwordlessLogin"`
	SuperiorPasswordlessLogin yeastar.Toggle    `json:"allowSuperiorPasswordlessLogin"`
	ProvisioningViaTemplate   yeastar.Toggle    `json:"provisioningViaTemplate"`
	LastUsedTemplate          word              `json:"lastUsedTemplate"`
	TemplateLastUsed          yeastar.Timestamp `json:"lastUsedTime"`
	ActiveCalls               yeastar.Count     `json:"activeCalls"`
	UsedExtensions            yeastar.Count     `json:"usedExtensions"`
	UsedRecording             yeastar.Count     `json:"usedRecording"`
	LastBackup                yeastar.Timestamp `json:"lastBackupTime"`
}

var recordFields = yeastar.FieldsOf[record, CloudPBX]()

// reset empties the record and keeps the room of its texts, for the next page that is read into it.
func (r *record) reset() {
	recordFields.Reset(r)
	r.ID, r.there = yeastar.Number{}, true
}

// fill makes pbx, the PBX as it was before, what the record says. It shares no memory with the record, and texts that did not change
// stay the same piece of memory. It reports whether the record has a usable id.
func (r *record) fill(pbx *CloudPBX, unexpected yeastar.Unexpected) bool {
	id, ok := r.ID.ID("cloudPbxId", unexpected)
	if ok {
		pbx.ID = id
		recordFields.Copy(pbx, r, unexpected)
	}
	return ok
}

// word is a text that many records share, so that a fleet holds it once.
type word struct{ yeastar.Text }

// Set implements yeastar.Value.
func (w *word) Set(record reflect.Value, name string, unexpected yeastar.Unexpected) {
	if text := w.Get(name, unexpected); record.String() != string(text) {
		record.SetString(unique.Make(string(text)).Value())
	}
}
