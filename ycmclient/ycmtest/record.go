package ycmtest

import (
	"encoding/json"
	"maps"
	"slices"
	"time"
)

// PBX is a Cloud PBX as YCM lists it ("Query All the Cloud PBXs"). Times are unix seconds and durations of recordings minutes; a
// time of 0 is left out of the answer, and so is an empty text where the vendor calls a field optional. Use is quoted in JSON
// and capacities are bare, as in the vendor's example.
type PBX struct {
	ID                     int64  `json:"cloudPbxId"`
	Status                 string `json:"pbxStatus"`        // Stopped, Starting, Running, Upgrading, Restoring, Provisioning
	Activation             string `json:"activationStatus"` // Activated, Unactivated
	Name                   string `json:"name"`
	SN                     string `json:"sn"`
	Plan                   string `json:"plan"` // Enterprise Plan, Ultimate Plan, Upgrading to Ultimate Plan
	PlanExpiration         int64  `json:"planExpirationDate,omitzero"`
	ExtensionCapacity      int64  `json:"extensionCapacity"`
	ConcurrentCallCapacity int64  `json:"concurrentCallCapacity"`
	Recording              string `json:"recordingStatus"` // Enabled, Disabled
	RecordingCapacity      int64  `json:"recordingCapacity"`
	Region                 string `json:"region"`
	URL                    string `json:"url"`  // host without scheme
	Type                   string `json:"type"` // Trial, Commercial
	Expiration             int64  `json:"expirationDate,omitzero"`
	Version                string `json:"version"`
	Group                  string `json:"group,omitempty"`
	Creator                Person `json:"creator"`
	Created                int64  `json:"createTime"`
	FirstStarted           int64  `json:"initialStartUpTime,omitzero"`
	UpgradeInPBX           string `json:"upgradeInPbx"`
	IM                     string `json:"im"`
	PasswordlessLogin      string `json:"passwordlessLogin"`
	SuperiorLogin          string `json:"allowSuperiorPasswordlessLogin,omitempty"`
	ViaTemplate            string `json:"provisioningViaTemplate"`
	LastUsedTemplate       string `json:"lastUsedTemplate,omitempty"`
	TemplateLastUsed       int64  `json:"lastUsedTime,omitzero"`
	ActiveCalls            int64  `json:"activeCalls,string"`
	UsedExtensions         int64  `json:"usedExtensions,string"`
	UsedRecording          int64  `json:"usedRecording,string"`
	LastBackup             int64  `json:"lastBackupTime,omitzero"`
	TranscriptionCapacity  int64  `json:"transcriptionCapacity,omitzero"` // only newer YCMs have it
	UsedTranscription      int64  `json:"usedTranscription,omitzero"`     // likewise

	// Raw replaces fields of the answer by other JSON, by JSON name: an invalid value, a number quoted or not, an unknown status,
	// a new field. An empty text leaves the field out.
	Raw map[string]string `json:"-"`

	// The following is for the PBX's own API.

	Trunks     []Trunk     `json:"-"` // nil: made from the seed
	Extensions []Extension `json:"-"` // nil: made from the seed
	Phones     []Phone     `json:"-"` // nil: made from the seed

	APIError        int  `json:"-"` // errcode of every answer: 10001, 10005, 70087, ...; 0: none
	EmptyIsNotFound bool `json:"-"` // an empty list is errcode 60001 with null data, as live PBXs do

	Silent bool          `json:"-"` // does not answer, although YCM may list it as Running
	Delay  time.Duration `json:"-"` // before every answer
}

// Person is a user of YCM.
type Person struct {
	FirstName string `json:"firstName"`
	LastName  string `json:"lastName"`
	Email     string `json:"email"`
}

// The six documented states of a PBX, and two words that several fields share.
const (
	Stopped      = "Stopped"
	Starting     = "Starting"
	Running      = "Running"
	Upgrading    = "Upgrading"
	Restoring    = "Restoring"
	Provisioning = "Provisioning"

	enabled  = "Enabled"
	disabled = "Disabled"
)

// record returns the PBX in YCM's answers, for json.Marshal.
func (p *PBX) record() any {
	if len(p.Raw) == 0 {
		return p
	}
	plain, _ := json.Marshal(p) // Strings and numbers always marshal.
	var fields map[string]json.RawMessage
	_ = json.Unmarshal(plain, &fields) // They were just marshalled.
	for name, value := range p.Raw {
		if value == "" {
			delete(fields, name)
		} else {
			fields[name] = json.RawMessage(value)
		}
	}
	return fields
}

// clone is a copy that shares nothing that can be changed.
func (p PBX) clone() PBX {
	p.Raw = maps.Clone(p.Raw)
	p.Trunks = slices.Clone(p.Trunks)
	p.Extensions = slices.Clone(p.Extensions)
	p.Phones = slices.Clone(p.Phones)
	return p
}
