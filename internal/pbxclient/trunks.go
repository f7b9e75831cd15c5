package pbxclient

import (
	"context"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

const trunkList path = "trunk/list"

// MaxTrunks is how many trunks of one PBX are exported at most.
const MaxTrunks = 500

// Trunk is one trunk of a PBX. Its name is the operator's and need not be the only one of that name.
type Trunk struct {
	ID     int64
	Name   string
	Type   TrunkType
	Status TrunkStatus
}

// TrunkList is the trunks of one PBX.
type TrunkList struct {
	Trunks []Trunk // distinct, sorted by ID
	Capped bool    // the PBX has more than MaxTrunks; the others are left out
}

// Trunks reads the PBX's trunks ("Query Trunk List"), all or nothing.
func (c *Client) Trunks(ctx context.Context) (TrunkList, error) {
	trunks, err := pages(ctx, c, trunkList, "id", trunkRecord.trunk)
	return TrunkList{Trunks: trunks[:min(len(trunks), MaxTrunks)], Capped: len(trunks) > MaxTrunks}, err
}

// trunkRecord leaves out what an exporter does not need: user names, hosts and caller ids.
type trunkRecord struct {
	ID     yeastar.Int `api:"id"`
	Name   string      `api:"name"`
	Type   string      `api:"type"`
	Status yeastar.Int `api:"status"`
}

func (t trunkRecord) trunk() (yeastar.Int, Trunk) {
	kind := TrunkType(strings.ToLower(strings.TrimSpace(t.Type)))
	if !slices.Contains(trunkTypes, kind) {
		kind = TrunkOther
	}
	number, _ := t.Status.Get()
	status := TrunkStatus(min(max(number, 0), math.MaxUint8))
	if _, documented := trunkStatuses[status]; !documented { // The appliances have numbers of their own for other ports.
		status = TrunkUnknown
	}
	id, _ := t.ID.Get()
	return t.ID, Trunk{ID: id, Name: t.Name, Type: kind, Status: status}
}

// TrunkType is one of the documented types, or TrunkOther.
type TrunkType string

// TrunkOther is any type that is not documented.
const TrunkOther TrunkType = "other"

// trunkTypes are those of "Query Trunk List"; peer is that of firmware which does not distinguish the peer types.
var trunkTypes = []TrunkType{"register", "peer", "peer_did", "peer_port", "peer_private", "account", "webtrunk"}

// TrunkStatus is one of the states of a trunk; its number is the PBX's.
type TrunkStatus uint8

// TrunkUnknown is also any status that is not documented. From trunkRegistering on, a trunk carries no calls.
const (
	TrunkUnknown     TrunkStatus = 0
	trunkRegistering TrunkStatus = 4
)

// trunkStatuses are those of "Query Trunk List" on a Cloud PBX.
var trunkStatuses = map[TrunkStatus]string{
	TrunkUnknown: "Unknown", 1: "Idle", 2: "Busy", 3: "IdleUnmonitored", trunkRegistering: "Registering", 41: "RegistrationFailed", 42: "Unreachable",
	43: "AccountTrunkUnavailable", 44: "Disabled", 45: "AuthenticationFailed",
}

// TrunkStatuses returns every status that a Trunk can have, in the order of the PBX's numbers.
func TrunkStatuses() []TrunkStatus { return slices.Sorted(maps.Keys(trunkStatuses)) }

// String is the status as a label value.
func (s TrunkStatus) String() string { return trunkStatuses[s] }

// Up reports whether a trunk with the status can carry calls; known is false of TrunkUnknown.
func (s TrunkStatus) Up() (up, known bool) { return s < trunkRegistering, s != TrunkUnknown }
