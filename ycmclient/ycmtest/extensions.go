package ycmtest

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// Extension is an extension of a PBX ("Query Extension List").
type Extension struct {
	ID       int64        `json:"id"`
	Number   string       `json:"number"`
	Name     string       `json:"caller_id_name"`
	Role     string       `json:"role_name"`
	Email    string       `json:"email_addr"`
	Mobile   string       `json:"mobile_number"`
	Presence string       `json:"presence_status"`
	Online   OnlineStatus `json:"online_status"`
}

// OnlineStatus is the state of an extension's endpoints.
type OnlineStatus struct {
	SIPPhone      SIPPhones     `json:"sip_phone"`
	LinkusDesktop Registration  `json:"linkus_desktop"`
	LinkusMobile  Registration  `json:"linkus_mobile"`
	LinkusWeb     Registration  `json:"linkus_web"`
	FXSPhone      *Registration `json:"fxs_phone,omitempty"` // only of appliances
}

// SIPPhones is the registrations of an extension's SIP phones.
type SIPPhones struct {
	List []Registration `json:"status_list"`
}

// Registration is the state of an endpoint: 1 is online, 0 offline.
type Registration struct {
	Status int    `json:"status"`
	Device string `json:"ext_dev_type"`
}

// extensionList is "Query Extension List", since firmware 84.7.
func (s *Server) extensionList(p PBX, query url.Values) pbxAnswer {
	if compareVersions(p.Version, "84.7") < 0 {
		return pbxError(10001)
	}
	w := s.fleet.world
	list := slices.Clone(p.Extensions)
	if p.Extensions == nil {
		list = w.extensionsOf(p, w.ordinal(p.ID), w.moment(time.Now()))
	}
	by := func(key func(Extension) string) func(a, b Extension) int {
		return func(a, b Extension) int { return cmp.Compare(key(a), key(b)) }
	}
	byID := func(a, b Extension) int { return cmp.Compare(a.ID, b.ID) }
	return listPage(p, list, query, map[string]func(a, b Extension) int{
		"": byID, "id": byID,
		"number":          by(func(e Extension) string { return e.Number }),
		"caller_id_name":  by(func(e Extension) string { return e.Name }),
		"email_addr":      by(func(e Extension) string { return e.Email }),
		"mobile_number":   by(func(e Extension) string { return e.Mobile }),
		"presence_status": by(func(e Extension) string { return e.Presence }),
	})
}

// extensionsOf makes the extensions that the n-th PBX has in use. Most have a desk phone; Linkus is online in office hours.
func (w world) extensionsOf(p PBX, n, t int64) []Extension {
	list := make([]Extension, p.UsedExtensions)
	local := t + regions[w.regionOf(n)].offset
	working := busy[local%day/hour]
	for i := range list {
		k := int64(i)
		online := func(kind, percent int64) Registration {
			on := w.below(100, aboutDevices, n, k, kind) < percent
			return Registration{Status: map[bool]int{true: 1}[on], Device: "linkus"}
		}
		number := strconv.FormatInt(1000+k, 10)
		list[i] = Extension{
			ID: k + 1, Number: number, Name: "Given Family " + number, Role: "Employee",
			Email: "user" + number + "@example.com", Mobile: "555010" + number, Presence: "available",
			Online: OnlineStatus{
				SIPPhone:      SIPPhones{w.deskPhones(n, k, t)},
				LinkusDesktop: online(1, int64(working/2)),
				LinkusMobile:  online(2, 20+int64(working/5)),
				LinkusWeb:     online(3, int64(working/10)),
			},
		}
	}
	return list
}

// deskPhones returns the registrations of an extension's desk phones. 10 % of the extensions have two, 20 % none, and one PBX
// in six has none at all.
func (w world) deskPhones(n, k, t int64) []Registration {
	phones := []Registration{}
	share := w.below(10, aboutDevices, n, k, 4)
	if share < 2 || w.below(6, aboutDevices, n) == 0 {
		return phones
	}
	for i := range 1 + share/9 {
		status := 1
		if w.siteOffline(n, t) || w.below(40, aboutDevices, n, k, 5, i) == 0 || w.live && w.below(100, aboutDevices, n, k, 6, i, t/hour) == 0 {
			status = 0
		}
		phones = append(phones, Registration{status, fmt.Sprintf("phone %d", i+1)})
	}
	return phones
}

// siteOffline reports whether the office's line is down: for about an hour at some time of the day, and in a static fleet one in
// 61. In a healthy fleet none is.
func (w world) siteOffline(n, t int64) bool {
	if w.healthy {
		return false
	}
	if !w.live {
		return w.wheel(aboutSite, n) == 0
	}
	const span = 6 * hour
	slot, into := t/span, t%span
	begin := 2*hour + w.below(2*hour, aboutSite, n, slot, 1)
	return w.below(40, aboutSite, n, slot) == 0 && into >= begin && into < begin+30*minute+w.below(hour, aboutSite, n, slot, 2)
}
