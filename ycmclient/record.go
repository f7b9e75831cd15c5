package ycmclient

import (
	"strings"
	"sync"
)

// record is a Cloud PBX on the wire. What must not be kept (the creator) and what is not used is not read.
type record struct {
	there bool // Set before a page is read; the records that the page does not reach are zeroed.

	ID                        number `json:"cloudPbxId"`
	Status                    text   `json:"pbxStatus"`
	Activated                 toggle `json:"activationStatus"`
	Name                      text   `json:"name"`
	SN                        text   `json:"sn"`
	Plan                      text   `json:"plan"`
	PlanExpiration            number `json:"planExpirationDate"`
	ExtensionCapacity         number `json:"extensionCapacity"`
	ConcurrentCallCapacity    number `json:"concurrentCallCapacity"`
	Recording                 toggle `json:"recordingStatus"`
	RecordingCapacity         number `json:"recordingCapacity"`
	Region                    text   `json:"region"`
	URL                       text   `json:"url"`
	Type                      text   `json:"type"`
	Expiration                number `json:"expirationDate"`
	Version                   text   `json:"version"`
	Group                     text   `json:"group"`
	Created                   number `json:"createTime"`
	FirstStarted              number `json:"initialStartUpTime"`
	UpgradeInPBX              toggle `json:"upgradeInPbx"`
	IM                        toggle `json:"im"`
	PasswordlessLogin         toggle `json:"passwordlessLogin"`
	SuperiorPasswordlessLogin toggle `json:"allowSuperiorPasswordlessLogin"`
	ProvisioningViaTemplate   toggle `json:"provisioningViaTemplate"`
	LastUsedTemplate          text   `json:"lastUsedTemplate"`
	TemplateLastUsed          number `json:"lastUsedTime"`
	ActiveCalls               number `json:"activeCalls"`
	UsedExtensions            number `json:"usedExtensions"`
	UsedRecording             number `json:"usedRecording"`
	LastBackup                number `json:"lastBackupTime"`
}

// reset empties the record and keeps the room of its texts, for the next page that is read into it.
func (r *record) reset() {
	*r = record{
		there:  true,
		Status: text{bytes: r.Status.bytes[:0]}, Name: text{bytes: r.Name.bytes[:0]}, SN: text{bytes: r.SN.bytes[:0]},
		Plan: text{bytes: r.Plan.bytes[:0]}, Region: text{bytes: r.Region.bytes[:0]}, URL: text{bytes: r.URL.bytes[:0]},
		Type: text{bytes: r.Type.bytes[:0]}, Version: text{bytes: r.Version.bytes[:0]}, Group: text{bytes: r.Group.bytes[:0]},
		LastUsedTemplate: text{bytes: r.LastUsedTemplate.bytes[:0]},
	}
}

// compact makes the record a CloudPBX that shares no memory with it. Texts that old, the PBX as it was before,
// already holds are taken from there. It is false if the record has no usable id.
func (r *record) compact(old *CloudPBX, shared *interner, odd oddities) (CloudPBX, bool) {
	id, ok := r.ID.id("cloudPbxId", odd)
	if !ok {
		return CloudPBX{}, false
	}
	pbx := CloudPBX{
		ID: id,

		Region:           shared.intern(r.Region.get("region", odd), old.Region),
		Type:             shared.intern(r.Type.get("type", odd), old.Type),
		Plan:             shared.intern(r.Plan.get("plan", odd), old.Plan),
		Group:            shared.intern(r.Group.get("group", odd), old.Group),
		Version:          shared.intern(r.Version.get("version", odd), old.Version),
		LastUsedTemplate: shared.intern(r.LastUsedTemplate.get("lastUsedTemplate", odd), old.LastUsedTemplate),

		Status:                    parseStatus(r.Status.get("pbxStatus", odd), "pbxStatus", odd),
		Activated:                 r.Activated.get("activationStatus", odd),
		Recording:                 r.Recording.get("recordingStatus", odd),
		UpgradeInPBX:              r.UpgradeInPBX.get("upgradeInPbx", odd),
		IM:                        r.IM.get("im", odd),
		PasswordlessLogin:         r.PasswordlessLogin.get("passwordlessLogin", odd),
		SuperiorPasswordlessLogin: r.SuperiorPasswordlessLogin.get("allowSuperiorPasswordlessLogin", odd),
		ProvisioningViaTemplate:   r.ProvisioningViaTemplate.get("provisioningViaTemplate", odd),

		ActiveCalls:            r.ActiveCalls.count("activeCalls", odd),
		ConcurrentCallCapacity: r.ConcurrentCallCapacity.count("concurrentCallCapacity", odd),
		UsedExtensions:         r.UsedExtensions.count("usedExtensions", odd),
		ExtensionCapacity:      r.ExtensionCapacity.count("extensionCapacity", odd),
		UsedRecording:          r.UsedRecording.count("usedRecording", odd),
		RecordingCapacity:      r.RecordingCapacity.count("recordingCapacity", odd),

		PlanExpiration:   r.PlanExpiration.time("planExpirationDate", odd),
		Expiration:       r.Expiration.time("expirationDate", odd),
		LastBackup:       r.LastBackup.time("lastBackupTime", odd),
		Created:          r.Created.time("createTime", odd),
		FirstStarted:     r.FirstStarted.time("initialStartUpTime", odd),
		TemplateLastUsed: r.TemplateLastUsed.time("lastUsedTime", odd),
	}
	pbx.Name, pbx.SN, pbx.URL = r.own(old, odd)
	return pbx, true
}

// own returns the texts that are the PBX's own, in one piece of memory.
func (r *record) own(old *CloudPBX, odd oddities) (name, sn, url string) {
	n, s, u := r.Name.get("name", odd), r.SN.get("sn", odd), r.URL.get("url", odd)
	if old.Name == string(n) && old.SN == string(s) && old.URL == string(u) {
		return old.Name, old.SN, old.URL
	}
	var all strings.Builder
	all.Grow(len(n) + len(s) + len(u))
	for _, part := range [][]byte{n, s, u} {
		all.Write(part)
	}
	name, rest := all.String()[:len(n)], all.String()[len(n):]
	return name, rest[:len(s)], rest[len(s):]
}

// interner gives equal strings one piece of memory. It holds a bounded number of them, so that a server that never
// repeats itself cannot grow it. It is safe for concurrent use.
type interner struct {
	mu      sync.Mutex
	strings map[string]string
}

// maxInterned is how many different strings an interner holds: far more than the plans, regions, groups and
// versions of a fleet.
const maxInterned = 4096

// intern returns b as a string: old, if that is equal, or the one that was made of the same bytes before.
func (i *interner) intern(b []byte, old string) string {
	if string(b) == old {
		return old
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if known, ok := i.strings[string(b)]; ok {
		return known
	}
	s := string(b)
	if len(i.strings) < maxInterned {
		if i.strings == nil {
			i.strings = make(map[string]string)
		}
		i.strings[s] = s
	}
	return s
}
