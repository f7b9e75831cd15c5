package ycmtest

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"time"
)

// Trunk is a trunk of a PBX ("Query Trunk List").
type Trunk struct {
	ID         int64  `json:"id"`
	Name       string `json:"name"`
	Status     int    `json:"status"` // one of the constants below, or any number
	Type       string `json:"type"`   // register, peer_did, peer_port, peer_private, account, webtrunk
	HostPort   string `json:"host_port"`
	OutboundID string `json:"def_outbound_cid"`
	Username   string `json:"username"`
}

// The vendor's numbers for the status of a trunk.
const (
	TrunkUnknown              = 0
	TrunkIdle                 = 1
	TrunkBusy                 = 2
	TrunkUnmonitored          = 3
	TrunkRegistering          = 4
	TrunkRegistrationFailed   = 41
	TrunkUnreachable          = 42
	TrunkAccountUnavailable   = 43
	TrunkDisabled             = 44
	TrunkAuthenticationFailed = 45
)

// trunks makes the trunks of the n-th PBX: one to five, most of them idle or busy. In a live fleet a trunk sometimes loses its
// registration for an hour.
func (w world) trunks(p PBX, n, t int64) []Trunk {
	list := make([]Trunk, w.trunkCount(n))
	for i := range list {
		k := int64(i)
		host := []string{"sip.example.com", "trunk.example.net", "gw.example.org"}[w.below(3, aboutTrunks, n, k)]
		list[i] = Trunk{
			ID:         k + 1,
			Name:       [...]string{"Main line", "Failover", `Carrier "B"`, "Fax & alarm", "Conference (Süd)"}[i],
			Status:     w.trunkStatus(p, n, k, t),
			Type:       [...]string{"register", "peer_did", "register", "account", "peer_port"}[i],
			HostPort:   host + ":5060",
			OutboundID: fmt.Sprintf("555010%04d", w.below(10_000, aboutTrunks, n, k, 1)),
			Username:   fmt.Sprintf("sip%d", p.ID*10+k),
		}
	}
	return list
}

func (w world) trunkCount(n int64) int64 {
	count := 1 + w.below(5, aboutTrunks, n)
	if w.isNotable(n, unregistered) {
		return max(count, 2)
	}
	return count
}

func (w world) trunkStatus(p PBX, n, k, t int64) int {
	if w.healthy {
		return w.healthyTrunkStatus(p, n, k)
	}
	switch place := w.wheel(aboutTrunks, n+k); {
	case place < 5:
		return [...]int{TrunkRegistrationFailed, TrunkUnreachable, TrunkAuthenticationFailed, TrunkDisabled, TrunkUnmonitored}[place]
	case w.live && w.below(100, aboutTrunks, n, k, t/hour) == 0:
		return TrunkRegistering
	case p.ActiveCalls > k:
		return TrunkBusy
	}
	return TrunkIdle
}

// trunkList is "Query Trunk List".
func (s *Server) trunkList(p PBX, query url.Values) pbxAnswer {
	w := s.fleet.world
	list := slices.Clone(p.Trunks)
	if p.Trunks == nil {
		list = w.trunks(p, w.ordinal(p.ID), w.moment(time.Now()))
	}
	byID := func(a, b Trunk) int { return cmp.Compare(a.ID, b.ID) }
	return listPage(p, list, query, map[string]func(a, b Trunk) int{"": byID, "id": byID})
}
