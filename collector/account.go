package collector

import (
	"time"

	"github.com/ycm-exporter/ycm_exporter/internal/series"
	"github.com/ycm-exporter/ycm_exporter/internal/sweep"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
)

// Role is something that one collector provides and others need.
type Role string

// The roles. An account is up, and ready, by the polls of its ListOfPBXs.
const (
	ListOfPBXs      Role = "list of PBXs"
	FirmwareOfYCM   Role = "firmware that YCM offers"
	PhoneCatalogues Role = "phones that firmware can provision"
	PhonesInUse     Role = "phones in use"
)

// Need is a role whose first poll a collector waits for before its own, if a collector with that role is enabled.
type Need struct {
	Role     Role
	Patience time.Duration // how long it waits at most; 0: as long as it takes
}

// Peer is what collectors of an account see of one that provides a role.
type Peer interface {
	// Reading is its Poller's.
	Reading() any
	// Serving reports whether its last snapshot is being served.
	Serving() bool
	// LastPoll tells when the last poll began that has ended, and whether it succeeded.
	LastPoll() (began time.Time, succeeded bool)
}

// Account is what a collector works with.
type Account struct {
	series.Account
	YCM      *ycmclient.Client
	Fleet    *sweep.Fleet
	Schedule Schedule // the collector's own
	Settings Settings // the collector's own; nil if it has none
	// Asked is told of each PBX that the collector asked.
	Asked    func(t sweep.Target, result any, err error)
	Progress func(done, total int) // is told how far the present poll is

	peer func(Role) Peer
}

// NewAccount makes an account for collectors, of which peer finds the one with a role; nil if that is switched off.
func NewAccount(name string, ycm *ycmclient.Client, direct []sweep.Direct, peer func(Role) Peer) Account {
	var list sweep.List
	if p := peer(ListOfPBXs); p != nil {
		list = listOf{p}
	}
	return Account{Account: series.Account{Name: name}, YCM: ycm, Fleet: sweep.NewFleet(name, ycm, direct, list), peer: peer}
}

// readingOf is the last reading of the collector with a role, nil if there is none.
func readingOf[R any](p Peer) *R {
	reading, _ := p.Reading().(*R)
	return reading
}
