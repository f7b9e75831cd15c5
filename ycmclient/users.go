package ycmclient

import (
	"context"
	"strconv"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

// The names of the endpoints of users and their subscriptions in errors and metrics.
const (
	EndpointUsers            = "users"
	EndpointUserSubscription = "user_subscription"
)

// User is a subordinate of the account: a colleague, a reseller or a hosting user. Names and e-mail addresses are
// not read.
type User struct {
	ID        int64       `api:"userId"`
	Type      string      `api:"userType"` // "My Colleague", "Reseller" or "Hosting User".
	Company   string      `api:"company"`
	CloudPBXs yeastar.Int `api:"createdCloudPbx"` // Created by the user, for a hosting user by all below as well.
}

// Users requests all users ("Query All the YCM Users"), sorted by ID, each once. Users come and go rarely, so that nothing is
// kept from one walk to the next.
func (c *Client) Users(ctx context.Context) ([]User, error) {
	l := &pagedList[User]{client: c, endpoint: EndpointUsers, concurrency: 1, id: func(u *User) int64 { return u.ID }}
	l.fetch = func(ctx context.Context, number int) (page[User], error) {
		return fetchPage[User](ctx, c, request{endpoint: EndpointUsers, path: "v2/users"}, number, "userId")
	}
	w, err := l.read(ctx, new(WalkState), nil)
	if err != nil {
		return nil, err
	}
	return w.items, nil
}

// UserSubscription is what a user was given and what of it the user's PBXs use. Recording and transcription are in minutes,
// connections are those of remote management.
type UserSubscription struct {
	TotalExtensions         yeastar.Int `api:"totalExtensions"`
	UsedExtensions          yeastar.Int `api:"usedExtensions"`
	TotalConcurrentCalls    yeastar.Int `api:"totalConcurrentCalls"`
	UsedConcurrentCalls     yeastar.Int `api:"usedConcurrentCalls"`
	TotalRecording          yeastar.Int `api:"totalRecordings"`
	UsedRecording           yeastar.Int `api:"usedRecordings"`
	TotalUltimateExtensions yeastar.Int `api:"totalUltimatePlan"`
	UsedUltimateExtensions  yeastar.Int `api:"usedUltimatePlan"`
	TotalConnections        yeastar.Int `api:"totalConnections"`
	UsedConnections         yeastar.Int `api:"usedConnections"`
	TotalTranscription      yeastar.Int `api:"totalTranscription"`
}

// UserSubscription queries the subscription of one user ("Query the Subscription of a YCM User").
func (c *Client) UserSubscription(ctx context.Context, userID int64) (UserSubscription, error) {
	path := "v1/users/" + strconv.FormatInt(userID, 10) + "/subscription_info"
	return fetch[UserSubscription](ctx, c, EndpointUserSubscription, path)
}
