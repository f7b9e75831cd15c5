package ycmtest

import "net/http"

// capacity is a size in the terms of the hosting package; recordings in minutes.
type capacity struct {
	Extensions int64 `json:"extensionCapacity"`
	Calls      int64 `json:"concurrentCallCapacity"`
	Recording  int64 `json:"recordingCapacity"`
}

// subscription is the hosting package ("Query the Subscription of P-Series Hosting Package"). The capacities of the PBXs are
// what is used of it.
func (s *Server) subscription(*http.Request) (any, *failure) {
	fleet, w := s.fleet.sum().all, s.fleet.world
	used := capacity{fleet.extensions, fleet.calls, fleet.recording}
	total := capacity{ // a quarter more than PBXs of the seed need on average
		max(used.Extensions, 100*w.size), max(used.Calls, 25*w.size), max(used.Recording, 17_000*w.size),
	}
	recordingEnd := w.epoch + 21*day
	if w.healthy {
		total = capacity{used.Extensions*5/4 + 100, used.Calls*5/4 + 25, used.Recording*5/4 + 17_000}
		recordingEnd = w.epoch + 210*day
	}
	return map[string]any{
		"capacity": map[string]any{
			"total": total,
			"used": struct {
				capacity
				Frozen int64 `json:"frozenExtensionCapacity"`
			}{used, 0},
			"available": capacity{total.Extensions - used.Extensions, total.Calls - used.Calls, total.Recording - used.Recording},
		},
		"expirationTime":      w.epoch + 74*day,
		"recordingExpireDate": recordingEnd,
		"highAvailability":    enabled,
		"whiteLabel":          "Subscribed",
	}, nil
}

// planStatistics counts PBXs and extensions by plan. A PBX that is upgrading to the Ultimate Plan does not have it yet.
func (s *Server) planStatistics(*http.Request) (any, *failure) {
	type plans struct {
		Enterprise int64 `json:"enterprisePlan"`
		Ultimate   int64 `json:"ultimatePlan"`
	}
	fleet := s.fleet.sum()
	ultimate := fleet.byPlan["Ultimate Plan"]
	return map[string]plans{
		"pbxNumber":       {fleet.all.pbxs - ultimate.pbxs, ultimate.pbxs},
		"extensionNumber": {fleet.all.extensions - ultimate.extensions, ultimate.extensions},
	}, nil
}

// rmConnections is the remote management of PBXs on premises.
func (s *Server) rmConnections(*http.Request) (any, *failure) {
	type service struct {
		Status     string `json:"status"` // Subscribed, Trial, Not Subscribed
		Expiration int64  `json:"expirationTime,omitzero"`
	}
	used := s.fleet.world.size / 3
	premium := service{"Trial", s.fleet.world.epoch + 12*day}
	if s.fleet.world.healthy {
		premium = service{Status: "Not Subscribed"}
	}
	return map[string]any{
		"connections": map[string]int64{
			"used": used, "capacity": used + used/4 + 10, "assignedToResellerUsed": used / 5, "assignedToResellerCapacity": used / 4,
		},
		"remoteManagementAccount":        service{"Subscribed", s.fleet.world.epoch + 190*day},
		"remoteManagementPremiumAccount": premium,
	}, nil
}
