package ycmtest

import (
	"encoding/json"
	"maps"
	"slices"
	"time"
)

// PBX is one Cloud PBX, field by field as YCM lists it ("Query All the Cloud PBXs"). Times are unix seconds and
// durations of recordings minutes; a time of 0 is left out of the answer, and so is an empty text where the vendor
// calls a field optional. Counts of use are quoted in JSON and capacities bare, as the vendor has them.
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

	// Raw answers with other JSON than the fields above say, by JSON name: rubbish, a number quoted or not, an
	// unknown status, a field that does not exist. An empty text leaves the field out.
	Raw map[string]string `json:"-"`

	// What follows is the PBX itself, behind its own API.

	Trunks     []Trunk     `json:"-"` // nil: made from the seed
	Extensions []Extension `json:"-"` // nil: made from the seed
	Phones     []Phone     `json:"-"` // nil: made from the seed

	APIError int           `json:"-"` // errcode to everything asked: 10001, 10005, 70087, ...; 0 is none
	Silent   bool          `json:"-"` // does not answer, although YCM may call it Running
	Delay    time.Duration `json:"-"` // before each answer
}

// Person is who created a PBX or uses YCM. The names are no one's.
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

// record is what YCM answers for the PBX, ready for json.Marshal.
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
	p.Trunks = append([]Trunk(nil), p.Trunks...)
	p.Extensions = slices.Clone(p.Extensions)
	p.Phones = slices.Clone(p.Phones)
	return p
}
