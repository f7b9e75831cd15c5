package ycmclient

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strconv"

	"github.com/ycm-exporter/ycm_exporter/yeastar"
)

// User is a subordinate of the account: a colleague, a reseller or a hosting user. Names and e-mail addresses are
// not read.
type User struct {
	ID        int64
	Type      string // "My Colleague", "Reseller" or "Hosting User".
	Company   string
	CloudPBXs yeastar.Int // Created by the user, for a hosting user by all below as well.
}

// Users asks for all the users ("Query All the YCM Users"), page by page as Walk does. They are sorted by ID, each
// once.
func (c *Client) Users(ctx context.Context) ([]User, error) {
	w := walker[User]{
		client: c, endpoint: endpointUsers, readers: 1, fetch: c.userPage, id: func(u *User) int64 { return u.ID },
	}
	if err := w.walk(ctx, 1); err != nil {
		return nil, err
	}
	slices.SortFunc(w.items, func(a, b User) int { return cmp.Compare(a.ID, b.ID) })
	return w.items, nil
}

// userPage asks for one page of users and appends them to room.
func (c *Client) userPage(ctx context.Context, at int, room []User) (page[User], error) {
	type wire struct {
		ID        number `json:"userId"`
		Type      text   `json:"userType"`
		Company   text   `json:"company"`
		CloudPBXs number `json:"createdCloudPbx"`
	}
	type pageWire struct {
		PageSize   number          `json:"pageSize"`
		PageNumber number          `json:"pageNumber"`
		Total      number          `json:"total"`
		List       json.RawMessage `json:"list"`
	}
	data, err := fetch[pageWire](ctx, c, question{endpoint: endpointUsers, path: "v2/users", query: pageQuery(at, "userId")})
	if err != nil {
		return page[User]{}, err
	}
	p := page[User]{number: data.PageNumber, size: data.PageSize, total: data.Total, items: room[:0]}
	if len(data.List) == 0 || string(data.List) == "null" {
		return p, nil // An empty list may be left out.
	}
	rows, e := decodeList[wire](data.List, pageSize+1)
	if e != nil {
		c.complete(e, endpointUsers, "")
		return p, e
	}
	p.rows = len(rows)
	odd := c.observer.Unexpected
	for i := range rows {
		if id, ok := rows[i].ID.id("userId", odd); ok {
			p.items = append(p.items, User{
				ID:        id,
				Type:      string(rows[i].Type.get("userType", odd)),
				Company:   string(rows[i].Company.get("company", odd)),
				CloudPBXs: rows[i].CloudPBXs.count("createdCloudPbx", odd),
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

// UserSubscription asks for the subscription of one user ("Query the Subscription of a YCM User").
func (c *Client) UserSubscription(ctx context.Context, userID int64) (UserSubscription, error) {
	type wire struct {
		TotalExtensions      number `json:"totalExtensions"`
		UsedExtensions       number `json:"usedExtensions"`
		TotalConcurrentCalls number `json:"totalConcurrentCalls"`
		UsedConcurrentCalls  number `json:"usedConcurrentCalls"`
		TotalRecordings      number `json:"totalRecordings"`
		UsedRecordings       number `json:"usedRecordings"`
	}
	path := "v1/users/" + strconv.FormatInt(userID, 10) + "/subscription_info"
	data, err := fetch[wire](ctx, c, question{endpoint: endpointUserSubscription, path: path})
	if err != nil {
		return UserSubscription{}, err
	}
	odd := c.observer.Unexpected
	return UserSubscription{
		TotalExtensions:      data.TotalExtensions.count("totalExtensions", odd),
		UsedExtensions:       data.UsedExtensions.count("usedExtensions", odd),
		TotalConcurrentCalls: data.TotalConcurrentCalls.count("totalConcurrentCalls", odd),
		UsedConcurrentCalls:  data.UsedConcurrentCalls.count("usedConcurrentCalls", odd),
		TotalRecording:       data.TotalRecordings.count("totalRecordings", odd),
		UsedRecording:        data.UsedRecordings.count("usedRecordings", odd),
	}, nil
}
