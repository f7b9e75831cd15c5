package ycmclient

import (
	"context"

	"github.com/ycm-exporter/ycm_exporter/yeastar"
)

// Capacity is an amount of what a subscription holds.
type Capacity struct {
	Extensions, ConcurrentCalls yeastar.Int
	Recording                   yeastar.Int // Minutes.
}

// Subscription is what the account has bought, what of it its PBXs take, and what is left.
type Subscription struct {
	Total, Used, Available          Capacity
	Expiration, RecordingExpiration yeastar.Int // Unix seconds.
	HighAvailability                yeastar.Switch
}

type capacityWire struct {
	Extensions      number `json:"extensionCapacity"`
	ConcurrentCalls number `json:"concurrentCallCapacity"`
	Recording       number `json:"recordingCapacity"`
}

func (w capacityWire) capacity(odd oddities) Capacity {
	return Capacity{
		Extensions:      w.Extensions.count("extensionCapacity", odd),
		ConcurrentCalls: w.ConcurrentCalls.count("concurrentCallCapacity", odd),
		Recording:       w.Recording.count("recordingCapacity", odd),
	}
}

// Subscription asks for the account's own subscription ("Query the Subscription of P-Series Hosting Package").
func (c *Client) Subscription(ctx context.Context) (Subscription, error) {
	type wire struct {
		Capacity struct {
			Total     capacityWire `json:"total"`
			Used      capacityWire `json:"used"`
			Available capacityWire `json:"available"`
		} `json:"capacity"`
		Expiration          number `json:"expirationTime"`
		RecordingExpiration number `json:"recordingExpireDate"`
		HighAvailability    toggle `json:"highAvailability"`
	}
	data, err := fetch[wire](ctx, c, question{endpoint: endpointSubscription, path: "v1/subscription"})
	if err != nil {
		return Subscription{}, err
	}
	odd := c.observer.Unexpected
	return Subscription{
		Total:               data.Capacity.Total.capacity(odd),
		Used:                data.Capacity.Used.capacity(odd),
		Available:           data.Capacity.Available.capacity(odd),
		Expiration:          data.Expiration.time("expirationTime", odd),
		RecordingExpiration: data.RecordingExpiration.time("recordingExpireDate", odd),
		HighAvailability:    data.HighAvailability.get("highAvailability", odd),
	}, nil
}

// PlanStatistic is how many PBXs have a plan, and how many extensions those have.
type PlanStatistic struct {
	Plan                  string // "Enterprise Plan" or "Ultimate Plan", as in the list of Cloud PBXs.
	CloudPBXs, Extensions yeastar.Int
}

// PlanStatistics asks how the PBXs spread over the plans ("Query the P-Series Cloud Edition Feature Plan Statistics").
func (c *Client) PlanStatistics(ctx context.Context) ([]PlanStatistic, error) {
	type byPlan struct {
		Enterprise number `json:"enterprisePlan"`
		Ultimate   number `json:"ultimatePlan"`
	}
	type wire struct {
		CloudPBXs  byPlan `json:"pbxNumber"`
		Extensions byPlan `json:"extensionNumber"`
	}
	data, err := fetch[wire](ctx, c, question{endpoint: endpointPlanStatistics, path: "v1/subscription/plan_statistics"})
	if err != nil {
		return nil, err
	}
	odd := c.observer.Unexpected
	return []PlanStatistic{
		{"Enterprise Plan", data.CloudPBXs.Enterprise.count("enterprisePlan", odd), data.Extensions.Enterprise.count("enterprisePlan", odd)},
		{"Ultimate Plan", data.CloudPBXs.Ultimate.count("ultimatePlan", odd), data.Extensions.Ultimate.count("ultimatePlan", odd)},
	}, nil
}

// RemoteService is a subscription to remote management of PBXs on premises.
type RemoteService struct {
	Service    string      // remoteManagementAccount or remoteManagementPremiumAccount.
	Status     string      // "Subscribed", "Trial" or "Not Subscribed".
	Expiration yeastar.Int // Unix seconds.
}

// RemoteConnections is how many PBXs and gateways on premises are managed remotely, and how many may be.
type RemoteConnections struct {
	Used, Capacity yeastar.Int
	Services       []RemoteService // Those that YCM told of.
}

// RemoteConnections asks for the connections of remote management ("Query the Remote Management Connections").
func (c *Client) RemoteConnections(ctx context.Context) (RemoteConnections, error) {
	type service struct {
		Status     text   `json:"status"`
		Expiration number `json:"expirationTime"`
	}
	type wire struct {
		Connections struct {
			Used     number `json:"used"`
			Capacity number `json:"capacity"`
		} `json:"connections"`
		Account        *service `json:"remoteManagementAccount"`
		PremiumAccount *service `json:"remoteManagementPremiumAccount"`
	}
	data, err := fetch[wire](ctx, c, question{endpoint: endpointRMConnections, path: "v1/subscription/rm_connections"})
	if err != nil {
		return RemoteConnections{}, err
	}
	odd := c.observer.Unexpected
	connections := RemoteConnections{
		Used:     data.Connections.Used.count("used", odd),
		Capacity: data.Connections.Capacity.count("capacity", odd),
	}
	add := func(name string, s *service) {
		if s != nil {
			connections.Services = append(connections.Services, RemoteService{
				Service: name, Status: string(s.Status.get("status", odd)), Expiration: s.Expiration.time("expirationTime", odd),
			})
		}
	}
	add("remoteManagementAccount", data.Account)
	add("remoteManagementPremiumAccount", data.PremiumAccount)
	return connections, nil
}
