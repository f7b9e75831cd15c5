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

const (
	// MaxTrunks is how many trunks of one PBX are exported at most.
	MaxTrunks = 500

	maxTrunkPages = 25 // enough for MaxTrunks from a PBX that gives only 20 a page
)

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

// Trunks reads the PBX's trunks ("Query Trunk List"), all or nothing. A record without an id is left out.
func (c *Client) Trunks(ctx context.Context) (TrunkList, error) {
	trunks, capped, err := pages(ctx, c, list{trunkList, MaxTrunks, maxTrunkPages, "trunks"}, trunkRecord.trunk)
	return TrunkList{Trunks: trunks, Capped: capped}, err
}

// trunkRecord leaves out what an exporter has no business with: user names, hosts and caller ids.
type trunkRecord struct {
	ID     yeastar.Number `json:"id"`
	Name   yeastar.Text   `json:"name"`
	Type   yeastar.Text   `json:"type"`
	Status yeastar.Number `json:"status"`
}

func (t trunkRecord) trunk() (int64, Trunk, bool) {
	return t.ID.Value, Trunk{ID: t.ID.Value, Name: t.Name.String(), Type: trunkType(t.Type.String()), Status: trunkStatus(t.Status)}, t.ID.Given
}

// TrunkType is one of the documented types, or TrunkOther.
type TrunkType string

// The types of "Query Trunk List"; peer is that of firmware which does not distinguish the peer types.
const (
	TrunkRegister    TrunkType = "register"
	TrunkPeer        TrunkType = "peer"
	TrunkPeerDID     TrunkType = "peer_did"
	TrunkPeerPort    TrunkType = "peer_port"
	TrunkPeerPrivate TrunkType = "peer_private"
	TrunkAccount     TrunkType = "account"
	TrunkWeb         TrunkType = "webtrunk"
	TrunkOther       TrunkType = "other"
)

func trunkType(s string) TrunkType {
	switch t := TrunkType(strings.ToLower(strings.TrimSpace(s))); t {
	case TrunkRegister, TrunkPeer, TrunkPeerDID, TrunkPeerPort, TrunkPeerPrivate, TrunkAccount, TrunkWeb:
		return t
	}
	return TrunkOther
}

// TrunkStatus is one of the states of a trunk; its number is the PBX's.
type TrunkStatus uint8

// The states of "Query Trunk List" on a Cloud PBX.
const (
	TrunkUnknown              TrunkStatus = 0
	TrunkIdle                 TrunkStatus = 1
	TrunkBusy                 TrunkStatus = 2
	TrunkIdleUnmonitored      TrunkStatus = 3
	TrunkRegistering          TrunkStatus = 4
	TrunkRegistrationFailed   TrunkStatus = 41
	TrunkUnreachable          TrunkStatus = 42
	TrunkAccountUnavailable   TrunkStatus = 43
	TrunkDisabled             TrunkStatus = 44
	TrunkAuthenticationFailed TrunkStatus = 45
)

var trunkStatuses = map[TrunkStatus]string{
	TrunkUnknown: "Unknown", TrunkIdle: "Idle", TrunkBusy: "Busy", TrunkIdleUnmonitored: "IdleUnmonitored",
	TrunkRegistering: "Registering", TrunkRegistrationFailed: "RegistrationFailed", TrunkUnreachable: "Unreachable",
	TrunkAccountUnavailable: "AccountTrunkUnavailable", TrunkDisabled: "Disabled", TrunkAuthenticationFailed: "AuthenticationFailed",
}

// TrunkStatuses returns every status that a Trunk can have, in the order of the PBX's numbers.
func TrunkStatuses() []TrunkStatus { return slices.Sorted(maps.Keys(trunkStatuses)) }

// String is the status as a label value.
func (s TrunkStatus) String() string { return trunkStatuses[s] }

// trunkStatus takes a number that is not documented, as the appliances have for their other ports, for unknown.
func trunkStatus(n yeastar.Number) TrunkStatus {
	status := TrunkStatus(min(max(n.Value, 0), math.MaxUint8))
	if _, documented := trunkStatuses[status]; !documented {
		return TrunkUnknown
	}
	return status
}
