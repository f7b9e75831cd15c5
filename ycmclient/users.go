package ycmclient

import (
	"context"
	"net/url"
	"strconv"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

// The endpoints of users and of what they may use, as errors and metrics name them.
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
	l := &pagedList[User]{client: c, endpoint: EndpointUsers, concurrency: 1, fetch: c.userPage, id: func(u *User) int64 { return u.ID }}
	w, err := l.read(ctx, new(WalkState), nil)
	if err != nil {
		return nil, err
	}
	return w.items, nil
}

type userWire struct {
	ID        yeastar.Number `json:"userId"`
	Type      yeastar.Text   `json:"userType"`
	Company   yeastar.Text   `json:"company"`
	CloudPBXs yeastar.Number `json:"createdCloudPbx"`
}

type userPageWire struct {
	Total yeastar.Number         `json:"total"`
	List  yeastar.List[userWire] `json:"list"`
}

// userPage requests one page of users, and puts it into room.
func (c *Client) userPage(ctx context.Context, number int, room, _ []User) (page[User], error) {
	var data userPageWire
	err := c.askPage(EndpointUsers, number, "userId", func(query url.Values) (err error) {
		data, err = fetch[userPageWire](ctx, c, request{endpoint: EndpointUsers, path: "v2/users", query: query})
		return err
	})
	if err != nil {
		return page[User]{}, err
	}
	p := page[User]{total: data.Total, items: room[:0]}
	if problem := data.List.Problem(); problem != "" && !data.List.Absent() { // An empty list may be left out.
		return p, &yeastar.Error{Account: c.account, Endpoint: EndpointUsers, Class: yeastar.Invalid, Message: problem}
	}
	rows := data.List.Items
	p.rows = len(rows)
	unexpected := func(field string) { p.unexpected = append(p.unexpected, field) }
	for i := range rows {
		if id, ok := rows[i].ID.ID("userId", unexpected); ok {
			p.items = append(p.items, User{
				ID:        id,
				Type:      string(rows[i].Type.Get("userType", unexpected)),
				Company:   string(rows[i].Company.Get("company", unexpected)),
				CloudPBXs: rows[i].CloudPBXs.Count("createdCloudPbx", unexpected),
			})
		}
	}
	return p, nil
}

// UserSubscription is what a user was given and what of it the user's PBXs take.
type UserSubscription struct {
	TotalExtensions, UsedExtensions           yeastar.Int
	TotalConcurrentCalls, UsedConcurrentCalls yeastar.Int
	TotalRecording, UsedRecording             yeastar.Int // Minutes.
}

type userSubscriptionWire struct {
	TotalExtensions      yeastar.Number `json:"totalExtensions"`
	UsedExtensions       yeastar.Number `json:"usedExtensions"`
	TotalConcurrentCalls yeastar.Number `json:"totalConcurrentCalls"`
	UsedConcurrentCalls  yeastar.Number `json:"usedConcurrentCalls"`
	TotalRecordings      yeastar.Number `json:"totalRecordings"`
	UsedRecordings       yeastar.Number `json:"usedRecordings"`
}

// UserSubscription asks for the subscription of one user ("Query the Subscription of a YCM User").
func (c *Client) UserSubscription(ctx context.Context, userID int64) (UserSubscription, error) {
	path := "v1/users/" + strconv.FormatInt(userID, 10) + "/subscription_info"
	data, err := fetch[userSubscriptionWire](ctx, c, request{endpoint: EndpointUserSubscription, path: path})
	if err != nil {
		return UserSubscription{}, err
	}
	unexpected := c.observer.Unexpected
	return UserSubscription{
		TotalExtensions:      data.TotalExtensions.Count("totalExtensions", unexpected),
		UsedExtensions:       data.UsedExtensions.Count("usedExtensions", unexpected),
		TotalConcurrentCalls: data.TotalConcurrentCalls.Count("totalConcurrentCalls", unexpected),
		UsedConcurrentCalls:  data.UsedConcurrentCalls.Count("usedConcurrentCalls", unexpected),
		TotalRecording:       data.TotalRecordings.Count("totalRecordings", unexpected),
		UsedRecording:        data.UsedRecordings.Count("usedRecordings", unexpected),
	}, nil
}
