package ycmclient

import (
	"context"
	"net/url"
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

// Users queries all users ("Query All the YCM Users"), page by page as Walk does. They are sorted by ID, each
// once.
func (c *Client) Users(ctx context.Context) ([]User, error) {
	state := WalkState{Walks: 2} // Users come and go rarely: one reading is enough.
	w, _, err := whole(ctx, &state, func(s WalkState) *walker[User] {
		return &walker[User]{
			client: c, endpoint: EndpointUsers, readers: 1, state: s, fetch: c.userPage, id: func(u *User) int64 { return u.ID },
		}
	}, nil)
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

// userPage asks for one page of users and appends them to room.
func (c *Client) userPage(ctx context.Context, at int, room []User) (page[User], error) {
	var data userPageWire
	err := c.askPage(EndpointUsers, at, "userId", func(query url.Values) error {
		object, err := fetchData[yeastar.Object[userPageWire]](ctx, c, request{endpoint: EndpointUsers, path: "v2/users", query: query})
		data = object.Value
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

// UserSubscription is what a user was given and what of it the user's PBXs use.
type UserSubscription struct {
	TotalExtensions, UsedExtensions           yeastar.Int
	TotalConcurrentCalls, UsedConcurrentCalls yeastar.Int
	TotalRecording, UsedRecording             yeastar.Int // Minutes.
}

type userSubscriptionWire struct {
	TotalExtensions      yeastar.Count `json:"totalExtensions"`
	UsedExtensions       yeastar.Count `json:"usedExtensions"`
	TotalConcurrentCalls yeastar.Count `json:"totalConcurrentCalls"`
	UsedConcurrentCalls  yeastar.Count `json:"usedConcurrentCalls"`
	TotalRecording       yeastar.Count `json:"totalRecordings"`
	UsedRecording        yeastar.Count `json:"usedRecordings"`
}

var userSubscriptionFields = yeastar.FieldsOf[userSubscriptionWire, UserSubscription]()

// UserSubscription queries the subscription of one user ("Query the Subscription of a YCM User").
func (c *Client) UserSubscription(ctx context.Context, userID int64) (UserSubscription, error) {
	path := "v1/users/" + strconv.FormatInt(userID, 10) + "/subscription_info"
	return fetch(ctx, c, userSubscriptionFields, EndpointUserSubscription, path)
}
