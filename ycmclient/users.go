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
	ID        int64
	Type      string // "My Colleague", "Reseller" or "Hosting User".
	Company   string
	CloudPBXs yeastar.Int // Created by the user, for a hosting user by all below as well.
}

// Users requests all users ("Query All the YCM Users"), sorted by ID, each once. Users come and go rarely, so that nothing is
// kept from one walk to the next.
func (c *Client) Users(ctx context.Context) ([]User, error) {
	l := &pagedList[User]{client: c, endpoint: EndpointUsers, concurrency: 1, id: userRows.id}
	l.fetch = func(ctx context.Context, number int) (page[User], error) {
		return fetchPage(ctx, c, request{endpoint: EndpointUsers, path: "v2/users"}, number, "userId", userRows)
	}
	w, err := l.read(ctx, new(WalkState), nil)
	if err != nil {
		return nil, err
	}
	return w.items, nil
}

type userWire struct {
	ID        identifier    `json:"userId"`
	Type      yeastar.Text  `json:"userType"`
	Company   yeastar.Text  `json:"company"`
	CloudPBXs yeastar.Count `json:"createdCloudPbx"`
}

var userRows = rows[userWire, User]{fieldsOf[userWire, User](), func(u *User) int64 { return u.ID }}

// UserSubscription is what a user was given and what of it the user's PBXs use.
type UserSubscription struct {
	TotalExtensions, UsedExtensions                 yeastar.Int
	TotalConcurrentCalls, UsedConcurrentCalls       yeastar.Int
	TotalRecording, UsedRecording                   yeastar.Int // Minutes.
	TotalUltimateExtensions, UsedUltimateExtensions yeastar.Int
	TotalConnections, UsedConnections               yeastar.Int // Of remote management.
	TotalTranscription                              yeastar.Int // Minutes.
}

type userSubscriptionWire struct {
	TotalExtensions         yeastar.Count `json:"totalExtensions"`
	UsedExtensions          yeastar.Count `json:"usedExtensions"`
	TotalConcurrentCalls    yeastar.Count `json:"totalConcurrentCalls"`
	UsedConcurrentCalls     yeastar.Count `json:"usedConcurrentCalls"`
	TotalRecording          yeastar.Count `json:"totalRecordings"`
	UsedRecording           yeastar.Count `json:"usedRecordings"`
	TotalUltimateExtensions yeastar.Count `json:"totalUltimatePlan"`
	UsedUltimateExtensions  yeastar.Count `json:"usedUltimatePlan"`
	TotalConnections        yeastar.Count `json:"totalConnections"`
	UsedConnections         yeastar.Count `json:"usedConnections"`
	TotalTranscription      yeastar.Count `json:"totalTranscription"`
}

var userSubscriptionFields = fieldsOf[userSubscriptionWire, UserSubscription]()

// UserSubscription queries the subscription of one user ("Query the Subscription of a YCM User").
func (c *Client) UserSubscription(ctx context.Context, userID int64) (UserSubscription, error) {
	path := "v1/users/" + strconv.FormatInt(userID, 10) + "/subscription_info"
	return fetch(ctx, c, userSubscriptionFields, EndpointUserSubscription, path)
}
