package ycmclient

import (
	"context"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

// The names of the endpoints of the subscription in errors and metrics.
const (
	EndpointSubscription   = "subscription"
	EndpointPlanStatistics = "plan_statistics"
	EndpointRMConnections  = "rm_connections"
)

// Capacity is an amount of what a subscription holds.
type Capacity struct {
	Extensions, ConcurrentCalls yeastar.Int
	Recording                   yeastar.Int // Minutes.
	FrozenExtensions            yeastar.Int // Only of what is used.
}

// Subscription is what the account has bought, what of it its PBXs use, and what is left.
type Subscription struct {
	Total, Used, Available          Capacity
	Expiration, RecordingExpiration yeastar.Int // Unix seconds.
	HighAvailability, WhiteLabel    yeastar.Switch
}

type capacityWire struct {
	Extensions       yeastar.Count `json:"extensionCapacity"`
	ConcurrentCalls  yeastar.Count `json:"concurrentCallCapacity"`
	Recording        yeastar.Count `json:"recordingCapacity"`
	FrozenExtensions yeastar.Count `json:"frozenExtensionCapacity"`
}

type subscriptionWire struct {
	Capacity struct {
		Total     capacityWire `json:"total"`
		Used      capacityWire `json:"used"`
		Available capacityWire `json:"available"`
	} `json:"capacity"`
	Expiration          yeastar.Timestamp `json:"expirationTime"`
	RecordingExpiration yeastar.Timestamp `json:"recordingExpireDate"`
	HighAvailability    yeastar.Toggle    `json:"highAvailability"`
	WhiteLabel          yeastar.Toggle    `json:"whiteLabel"`
}

var subscriptionFields = fieldsOf[subscriptionWire, Subscription]()

// Subscription queries the account's own subscription ("Query the Subscription of P-Series Hosting Package").
func (c *Client) Subscription(ctx context.Context) (Subscription, error) {
	return fetch(ctx, c, subscriptionFields, EndpointSubscription, "v1/subscription")
}

// PlanStatistic is how many PBXs have a plan, and how many extensions those have.
type PlanStatistic struct {
	Plan                  string // "Enterprise Plan" or "Ultimate Plan", as in the list of Cloud PBXs.
	CloudPBXs, Extensions yeastar.Int
}

// planStatistics is the answer on the wire and, with other numbers, what it says.
type planStatistics[N any] struct {
	CloudPBXs  byPlan[N] `json:"pbxNumber"`
	Extensions byPlan[N] `json:"extensionNumber"`
}

type byPlan[N any] struct {
	Enterprise N `json:"enterprisePlan"`
	Ultimate   N `json:"ultimatePlan"`
}

var planStatisticsFields = fieldsOf[planStatistics[yeastar.Count], planStatistics[yeastar.Int]]()

// PlanStatistics queries how many PBXs have each plan ("Query the P-Series Cloud Edition Feature Plan Statistics").
func (c *Client) PlanStatistics(ctx context.Context) ([]PlanStatistic, error) {
	s, err := fetch(ctx, c, planStatisticsFields, EndpointPlanStatistics, "v1/subscription/plan_statistics")
	if err != nil {
		return nil, err
	}
	return []PlanStatistic{
		{"Enterprise Plan", s.CloudPBXs.Enterprise, s.Extensions.Enterprise},
		{"Ultimate Plan", s.CloudPBXs.Ultimate, s.Extensions.Ultimate},
	}, nil
}

// RemoteService is a subscription to remote management of PBXs on premises.
type RemoteService struct {
	Service    string      // remoteManagementAccount or remoteManagementPremiumAccount.
	Expiration yeastar.Int // Unix seconds.
}

// RemoteConnections is how many PBXs and gateways on premises are managed remotely, and how many may be.
type RemoteConnections struct {
	Used, Capacity                 yeastar.Int
	ResellerUsed, ResellerCapacity yeastar.Int     // Of those assigned to resellers.
	Services                       []RemoteService // Those that YCM reported.
}

type serviceWire struct {
	Expiration yeastar.Number `json:"expirationTime"`
}

type connectionsWire struct {
	Connections struct {
		Used             yeastar.Count `json:"used"`
		Capacity         yeastar.Count `json:"capacity"`
		ResellerUsed     yeastar.Count `json:"assignedToResellerUsed"`
		ResellerCapacity yeastar.Count `json:"assignedToResellerCapacity"`
	} `json:"connections"`
	Account        *serviceWire `json:"remoteManagementAccount"`
	PremiumAccount *serviceWire `json:"remoteManagementPremiumAccount"`
}

var connectionsFields = fieldsOf[connectionsWire, RemoteConnections]()

// RemoteConnections queries the connections of remote management ("Query the Remote Management Connections").
func (c *Client) RemoteConnections(ctx context.Context) (connections RemoteConnections, err error) {
	wire, err := fetchData[yeastar.Object[connectionsWire]](ctx, c, request{endpoint: EndpointRMConnections, path: "v1/subscription/rm_connections"})
	if err != nil {
		return connections, err
	}
	connectionsFields.Copy(&connections, &wire.Value, c.observer.Unexpected)
	for i, service := range []*serviceWire{wire.Value.Account, wire.Value.PremiumAccount} {
		if service != nil {
			name := [...]string{"remoteManagementAccount", "remoteManagementPremiumAccount"}[i]
			connections.Services = append(connections.Services, RemoteService{name, service.Expiration.Time("expirationTime", c.observer.Unexpected)})
		}
	}
	return connections, nil
}
