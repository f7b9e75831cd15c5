package ycmclient

import (
	"strings"
	"sync"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

// record is a Cloud PBX on the wire. What must not be kept (the creator) and what is not used is not read.
type record struct {
	there bool // Set before a page is read; the records that the page does not reach are zeroed.

	ID                        yeastar.Number `json:"cloudPbxId"`
	Status                    yeastar.Text   `json:"pbxStatus"`
	Activated                 yeastar.Toggle `json:"activationStatus"`
	Name                      yeastar.Text   `json:"name"`
	SN                        yeastar.Text   `json:"sn"`
	Plan                      yeastar.Text   `json:"plan"`
	PlanExpiration            yeastar.Number `json:"planExpirationDate"`
	ExtensionCapacity         yeastar.Number `json:"extensionCapacity"`
	ConcurrentCallCapacity    yeastar.Number `json:"concurrentCallCapacity"`
	Recording                 yeastar.Toggle `json:"recordingStatus"`
	RecordingCapacity         yeastar.Number `json:"recordingCapacity"`
	Region                    yeastar.Text   `json:"region"`
	URL                       yeastar.Text   `json:"url"`
	Type                      yeastar.Text   `json:"type"`
	Expiration                yeastar.Number `json:"expirationDate"`
	Version                   yeastar.Text   `json:"version"`
	Group                     yeastar.Text   `json:"group"`
	Created                   yeastar.Number `json:"createTime"`
	FirstStarted              yeastar.Number `json:"initialStartUpTime"`
	UpgradeInPBX              yeastar.Toggle `json:"upgradeInPbx"`
	IM                        yeastar.Toggle `json:"im"`
	PasswordlessLogin         yeastar.Toggle `json:"passwordlessLogin"`
	SuperiorPasswordlessLogin yeastar.Toggle `json:"allowSuperiorPasswordlessLogin"`
	ProvisioningViaTemplate   yeastar.Toggle `json:"provisioningViaTemplate"`
	LastUsedTemplate          yeastar.Text   `json:"lastUsedTemplate"`
	TemplateLastUsed          yeastar.Number `json:"lastUsedTime"`
	ActiveCalls               yeastar.Number `json:"activeCalls"`
	UsedExtensions            yeastar.Number `json:"usedExtensions"`
	UsedRecording             yeastar.Number `json:"usedRecording"`
	LastBackup                yeastar.Number `json:"lastBackupTime"`
}

// reset empties the record and keeps the room of its texts, for the next page that is read into it.
func (r *record) reset() {
	*r = record{
		there:  true,
		Status: r.Status.Emptied(), Name: r.Name.Emptied(), SN: r.SN.Emptied(), Plan: r.Plan.Emptied(),
		Region: r.Region.Emptied(), URL: r.URL.Emptied(), Type: r.Type.Emptied(), Version: r.Version.Emptied(),
		Group: r.Group.Emptied(), LastUsedTemplate: r.LastUsedTemplate.Emptied(),
	}
}

// compact makes the record a CloudPBX that shares no memory with it. Texts that old, the PBX as it was before,
// already holds are taken from there. It is false if the record has no usable id.
func (r *record) compact(old *CloudPBX, shared *interner, unexpected yeastar.Unexpected) (CloudPBX, bool) {
	id, ok := r.ID.ID("cloudPbxId", unexpected)
	if !ok {
		return CloudPBX{}, false
	}
	pbx := CloudPBX{
		ID: id,

		Region:           shared.intern(r.Region.Get("region", unexpected), old.Region),
		Type:             shared.intern(r.Type.Get("type", unexpected), old.Type),
		Plan:             shared.intern(r.Plan.Get("plan", unexpected), old.Plan),
		Group:            shared.intern(r.Group.Get("group", unexpected), old.Group),
		Version:          shared.intern(r.Version.Get("version", unexpected), old.Version),
		LastUsedTemplate: shared.intern(r.LastUsedTemplate.Get("lastUsedTemplate", unexpected), old.LastUsedTemplate),

		Status:                    parseStatus(r.Status.Get("pbxStatus", unexpected), "pbxStatus", unexpected),
		Activated:                 r.Activated.Get("activationStatus", unexpected),
		Recording:                 r.Recording.Get("recordingStatus", unexpected),
		UpgradeInPBX:              r.UpgradeInPBX.Get("upgradeInPbx", unexpected),
		IM:                        r.IM.Get("im", unexpected),
		PasswordlessLogin:         r.PasswordlessLogin.Get("passwordlessLogin", unexpected),
		SuperiorPasswordlessLogin: r.SuperiorPasswordlessLogin.Get("allowSuperiorPasswordlessLogin", unexpected),
		ProvisioningViaTemplate:   r.ProvisioningViaTemplate.Get("provisioningViaTemplate", unexpected),

		ActiveCalls:            r.ActiveCalls.Count("activeCalls", unexpected),
		ConcurrentCallCapacity: r.ConcurrentCallCapacity.Count("concurrentCallCapacity", unexpected),
		UsedExtensions:         r.UsedExtensions.Count("usedExtensions", unexpected),
		ExtensionCapacity:      r.ExtensionCapacity.Count("extensionCapacity", unexpected),
		UsedRecording:          r.UsedRecording.Count("usedRecording", unexpected),
		RecordingCapacity:      r.RecordingCapacity.Count("recordingCapacity", unexpected),

		PlanExpiration:   r.PlanExpiration.Time("planExpirationDate", unexpected),
		Expiration:       r.Expiration.Time("expirationDate", unexpected),
		LastBackup:       r.LastBackup.Time("lastBackupTime", unexpected),
		Created:          r.Created.Time("createTime", unexpected),
		FirstStarted:     r.FirstStarted.Time("initialStartUpTime", unexpected),
		TemplateLastUsed: r.TemplateLastUsed.Time("lastUsedTime", unexpected),
	}
	pbx.Name, pbx.SN, pbx.URL = r.own(old, unexpected)
	return pbx, true
}

// own returns the texts that are the PBX's own, in one piece of memory.
func (r *record) own(old *CloudPBX, unexpected yeastar.Unexpected) (name, sn, url string) {
	n, s, u := r.Name.Get("name", unexpected), r.SN.Get("sn", unexpected), r.URL.Get("url", unexpected)
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
