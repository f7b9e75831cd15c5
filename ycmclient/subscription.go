package ycmclient

import (
	"context"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

// The endpoints of the subscription and what belongs to it, as errors and metrics name them.
const (
	EndpointSubscription   = "subscription"
	EndpointPlanStatistics = "plan_statistics"
	EndpointRMConnections  = "rm_connections"
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
	Extensions      yeastar.Number `json:"extensionCapacity"`
	ConcurrentCalls yeastar.Number `json:"concurrentCallCapacity"`
	Recording       yeastar.Number `json:"recordingCapacity"`
}

func (w capacityWire) capacity(unexpected yeastar.Unexpected) Capacity {
	return Capacity{
		Extensions:      w.Extensions.Count("extensionCapacity", unexpected),
		ConcurrentCalls: w.ConcurrentCalls.Count("concurrentCallCapacity", unexpected),
		Recording:       w.Recording.Count("recordingCapacity", unexpected),
	}
}

type subscriptionWire struct {
	Capacity struct {
		Total     capacityWire `json:"total"`
		Used      capacityWire `json:"used"`
		Available capacityWire `json:"available"`
	} `json:"capacity"`
	Expiration          yeastar.Number `json:"expirationTime"`
	RecordingExpiration yeastar.Number `json:"recordingExpireDate"`
	HighAvailability    yeastar.Toggle `json:"highAvailability"`
}

// Subscription asks for the account's own subscription ("Query the Subscription of P-Series Hosting Package").
func (c *Client) Subscription(ctx context.Context) (Subscription, error) {
	data, err := fetch[subscriptionWire](ctx, c, request{endpoint: EndpointSubscription, path: "v1/subscription"})
	if err != nil {
		return Subscription{}, err
	}
	unexpected := c.observer.Unexpected
	return Subscription{
		Total:               data.Capacity.Total.capacity(unexpected),
		Used:                data.Capacity.Used.capacity(unexpected),
		Available:           data.Capacity.Available.capacity(unexpected),
		Expiration:          data.Expiration.Time("expirationTime", unexpected),
		RecordingExpiration: data.RecordingExpiration.Time("recordingExpireDate", unexpected),
		HighAvailability:    data.HighAvailability.Get("highAvailability", unexpected),
	}, nil
}

// PlanStatistic is how many PBXs have a plan, and how many extensions those have.
type PlanStatistic struct {
	Plan                  string // "Enterprise Plan" or "Ultimate Plan", as in the list of Cloud PBXs.
	CloudPBXs, Extensions yeastar.Int
}

type byPlan struct {
	Enterprise yeastar.Number `json:"enterprisePlan"`
	Ultimate   yeastar.Number `json:"ultimatePlan"`
}

type planStatisticsWire struct {
	CloudPBXs  byPlan `json:"pbxNumber"`
	Extensions byPlan `json:"extensionNumber"`
}

// PlanStatistics asks how the PBXs spread over the plans ("Query the P-Series Cloud Edition Feature Plan Statistics").
func (c *Client) PlanStatistics(ctx context.Context) ([]PlanStatistic, error) {
	data, err := fetch[planStatisticsWire](ctx, c, request{endpoint: EndpointPlanStatistics, path: "v1/subscription/plan_statistics"})
	if err != nil {
		return nil, err
	}
	unexpected := c.observer.Unexpected
	return []PlanStatistic{
		{"Enterprise Plan", data.CloudPBXs.Enterprise.Count("enterprisePlan", unexpected), data.Extensions.Enterprise.Count("enterprisePlan", unexpected)},
		{"Ultimate Plan", data.CloudPBXs.Ultimate.Count("ultimatePlan", unexpected), data.Extensions.Ultimate.Count("ultimatePlan", unexpected)},
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

type serviceWire struct {
	Status     yeastar.Text   `json:"status"`
	Expiration yeastar.Number `json:"expirationTime"`
}

type connectionsWire struct {
	Connections struct {
		Used     yeastar.Number `json:"used"`
		Capacity yeastar.Number `json:"capacity"`
	} `json:"connections"`
	Account        *serviceWire `json:"remoteManagementAccount"`
	PremiumAccount *serviceWire `json:"remoteManagementPremiumAccount"`
}

// RemoteConnections asks for the connections of remote management ("Query the Remote Management Connections").
func (c *Client) RemoteConnections(ctx context.Context) (RemoteConnections, error) {
	data, err := fetch[connectionsWire](ctx, c, request{endpoint: EndpointRMConnections, path: "v1/subscription/rm_connections"})
	if err != nil {
		return RemoteConnections{}, err
	}
	unexpected := c.observer.Unexpected
	connections := RemoteConnections{
		Used:     data.Connections.Used.Count("used", unexpected),
		Capacity: data.Connections.Capacity.Count("capacity", unexpected),
	}
	add := func(name string, s *serviceWire) {
		if s != nil {
			connections.Services = append(connections.Services, RemoteService{
				Service: name, Status: string(s.Status.Get("status", unexpected)), Expiration: s.Expiration.Time("expirationTime", unexpected),
			})
		}
	}
	add("remoteManagementAccount", data.Account)
	add("remoteManagementPremiumAccount", data.PremiumAccount)
	return connections, nil
}
