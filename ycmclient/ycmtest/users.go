package ycmtest

import (
	"fmt"
	"net/http"
	"strconv"
)

const (
	firstUserID = 501
	userIDStep  = 7
)

// owner returns the user who created the n-th PBX.
func (w world) owner(n int64) int { return int(w.below(int64(w.users), aboutOwner, n)) }

// users lists colleagues and resellers ("Query All the YCM Users"), who have created the fleet.
func (s *Server) users(r *http.Request) (any, *failure) {
	q, failed := pageOf(r.URL.Query())
	if failed != nil {
		return nil, failed
	}
	owned := s.fleet.sum().byOwner
	answer := page{q.size, q.number, len(owned), []any{}}
	for i := q.offset(); i < min(q.offset()+q.size, len(owned)); i++ {
		place := i
		if sort := r.URL.Query().Get("sort"); len(sort) > 0 && sort[0] == '-' {
			place = len(owned) - 1 - i
		}
		answer.List = append(answer.List, user(place, owned[place]))
	}
	return answer, nil
}

func user(i int, owned sum) any {
	kind, twoFactor := "Reseller", "disable"
	if i%4 == 0 {
		kind, twoFactor = "My Colleague", "enable"
	}
	company := firstWords[i%len(firstWords)] + " Telecom"
	switch {
	case i == 1:
		company = `Voice & "Data" Partners`
	case i >= len(firstWords):
		company += fmt.Sprintf(" %d", i/len(firstWords)+1)
	}
	return struct {
		ID int64 `json:"userId"`
		Person
		Company   string `json:"company"`
		Type      string `json:"userType"`
		PBXs      int64  `json:"createdCloudPbx"`
		TwoFactor string `json:"twoFactorAuthenticationEnable"`
	}{
		firstUserID + userIDStep*int64(i),
		Person{"User", strconv.Itoa(i + 1), fmt.Sprintf("user%d@example.com", i+1)},
		company, kind, owned.pbxs, twoFactor,
	}
}

// userSubscription is a user's subscription ("Query the Subscription of a YCM User"). The capacities of the user's PBXs are what is
// used of it.
func (s *Server) userSubscription(r *http.Request) (any, *failure) {
	id, err := strconv.Atoi(r.PathValue("id"))
	if err != nil {
		return nil, invalidParameter("userId")
	}
	owned := s.fleet.sum().byOwner
	i := (id - firstUserID) / userIDStep
	if id < firstUserID || (id-firstUserID)%userIDStep != 0 || i >= len(owned) {
		return nil, &failure{http.StatusNotFound, 1000015, "USER_NOT_FOUND", "not_found"}
	}
	used := owned[i]
	given := func(used, least int64) int64 { return max(least, used+used*int64(i%5)/10) } // nothing to 40 % to spare
	return map[string]any{
		"totalExtensions": given(used.extensions, 100), "usedExtensions": used.extensions,
		"totalConcurrentCalls": given(used.calls, 25), "usedConcurrentCalls": used.calls,
		"totalRecordings": given(used.recording, 1000), "usedRecordings": used.recording,
		"totalUltimatePlan": given(used.ultimate, 5), "usedUltimatePlan": used.ultimate,
		"minimumExtPerPbx": 10, "highAvailability": enabled, "whiteLabel": disabled,
		"totalConnections": 20, "usedConnections": 3, "totalCustomDomains": 1, "totalTranscription": 1200,
	}, nil
}
