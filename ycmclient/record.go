package ycmclient

import (
	"net/netip"
	"net/url"
	"reflect"
	"strings"
	"unicode"
	"unique"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

// record is a Cloud PBX on the wire; each field fills the one of its name in a CloudPBX. What must not be kept (the creator) and what
// is not used is not read.
type record struct {
	ID                        identifier        `json:"cloudPbxId"`
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
	URL                       host              `json:"url"`
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
	TranscriptionCapacity     yeastar.Count     `json:"transcriptionCapacity"`
	UsedTranscription         yeastar.Count     `json:"usedTranscription"`
	LastBackup                yeastar.Timestamp `json:"lastBackupTime"`
}

var cloudPBXRows = rows[record, CloudPBX]{fieldsOf[record, CloudPBX](), func(p *CloudPBX) int64 { return p.ID }}

// rows makes records R of the rows W of a list.
type rows[W, R any] struct {
	fields yeastar.Fields[W, R]
	id     func(*R) int64
}

// read leaves out the rows without a usable id.
func (r rows[W, R]) read(wire []W, unexpected yeastar.Unexpected) []R {
	records := make([]R, 0, len(wire))
	for i := range wire {
		var record R
		if r.fields.Copy(&record, &wire[i], unexpected); r.id(&record) > 0 {
			records = append(records, record)
		}
	}
	return records
}

// identifier is an id on the wire. Its record has an int64, which is 0 if the id is not usable.
type identifier struct{ yeastar.Number }

// Set implements yeastar.Value.
func (n *identifier) Set(record reflect.Value, name string, unexpected yeastar.Unexpected) {
	id, _ := n.ID(name, unexpected)
	record.SetInt(id)
}

// identifiers are ids on the wire. Their record has a slice of int64.
type identifiers struct{ yeastar.List[yeastar.Number] }

// Set implements yeastar.Value.
func (l *identifiers) Set(record reflect.Value, name string, unexpected yeastar.Unexpected) {
	if l.Problem() != "" && !l.Absent() {
		unexpected(name)
		return
	}
	var ids []int64
	for _, n := range l.Items {
		if id, ok := n.ID(name, unexpected); ok {
			ids = append(ids, id)
		}
	}
	record.Set(reflect.ValueOf(ids))
}

// word is a text that many records share, so that a fleet holds it once.
type word struct{ yeastar.Text }

// Set implements yeastar.Value.
func (w *word) Set(record reflect.Value, name string, unexpected yeastar.Unexpected) {
	record.SetString(unique.Make(string(w.Get(name, unexpected))).Value())
}

// host is a URL on the wire, which by the vendor's pages is a host without a scheme. Its record has the host and port, and nothing of
// what else a URL may hold.
type host struct{ yeastar.Text }

// Set implements yeastar.Value.
func (h *host) Set(record reflect.Value, name string, unexpected yeastar.Unexpected) {
	text := strings.TrimSpace(string(h.Get(name, unexpected)))
	found := hostOf(text)
	if found == "" && text != "" {
		unexpected(name)
	}
	if record.String() != found {
		record.SetString(found)
	}
}

// hostOf returns the host and port of a URL with or without a scheme, empty if it has none that is valid.
func hostOf(text string) string {
	if ip, err := netip.ParseAddr(text); err == nil {
		return ip.String()
	}
	if scheme, rest, found := strings.Cut(text, "://"); found && !strings.ContainsAny(scheme, "/?#@") {
		text = rest
	}
	u, err := url.Parse("//" + strings.TrimPrefix(text, "//"))
	if err != nil || u.Hostname() == "" || strings.HasSuffix(u.Host, ":") || strings.ContainsFunc(u.Host, func(r rune) bool {
		return !unicode.In(r, unicode.L, unicode.M, unicode.N) && !strings.ContainsRune("-._:[]%", r)
	}) {
		return ""
	}
	return u.Host
}

// wires are the structs that hold answers on the wire.
var wires = []any{yeastar.GrantAnswer{}, pageWire[record]{}}

// fieldsOf finds the fields of a wire struct, as yeastar.FieldsOf does, and adds it to wires.
func fieldsOf[W, R any]() yeastar.Fields[W, R] {
	wires = append(wires, *new(W))
	return yeastar.FieldsOf[W, R]()
}

// WireFields returns the JSON names of all fields that the client reads, as yeastar.WireFields does.
func WireFields() map[string]bool { return yeastar.WireFields(wires...) }
