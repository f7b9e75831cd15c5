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
	Extensions       yeastar.Int `api:"extensionCapacity"`
	ConcurrentCalls  yeastar.Int `api:"concurrentCallCapacity"`
	Recording        yeastar.Int `api:"recordingCapacity"`       // Minutes.
	FrozenExtensions yeastar.Int `api:"frozenExtensionCapacity"` // Only of what is used.
}

// Subscription is what the account has bought, what of it its PBXs use, and what is left.
type Subscription struct {
	Total               Capacity       `api:"capacity.total."`
	Used                Capacity       `api:"capacity.used."`
	Available           Capacity       `api:"capacity.available."`
	Expiration          yeastar.Int    `api:"expirationTime,time"`
	RecordingExpiration yeastar.Int    `api:"recordingExpireDate,time"`
	HighAvailability    yeastar.Switch `api:"highAvailability"`
	WhiteLabel          yeastar.Switch `api:"whiteLabel"`
}

// Subscription queries the account's own subscription ("Query the Subscription of P-Series Hosting Package").
func (c *Client) Subscription(ctx context.Context) (Subscription, error) {
	return fetch[Subscription](ctx, c, EndpointSubscription, "v1/subscription")
}

// PlanStatistic is how many PBXs have a plan, and how many extensions those have.
type PlanStatistic struct {
	Plan                  string // "Enterprise Plan" or "Ultimate Plan", as in the list of Cloud PBXs.
	CloudPBXs, Extensions yeastar.Int
}

type planStatistics struct {
	CloudPBXs  byPlan `api:"pbxNumber."`
	Extensions byPlan `api:"extensionNumber."`
}

type byPlan struct {
	Enterprise yeastar.Int `api:"enterprisePlan"`
	Ultimate   yeastar.Int `api:"ultimatePlan"`
}

// PlanStatistics queries how many PBXs have each plan ("Query the P-Series Cloud Edition Feature Plan Statistics").
func (c *Client) PlanStatistics(ctx context.Context) ([]PlanStatistic, error) {
	s, err := fetch[planStatistics](ctx, c, EndpointPlanStatistics, "v1/subscription/plan_statistics")
	if err != nil {
		return nil, err
	}
	return []PlanStatistic{
		{"Enterprise Plan", s.CloudPBXs.Enterprise, s.Extensions.Enterprise},
		{"Ultimate Plan", s.CloudPBXs.Ultimate, s.Extensions.Ultimate},
	}, nil
}

// RemoteConnections is how many PBXs and gateways on premises are managed remotely, and how many may be.
type RemoteConnections struct {
	Used             yeastar.Int     `api:"connections.used"`
	Capacity         yeastar.Int     `api:"connections.capacity"`
	ResellerUsed     yeastar.Int     `api:"connections.assignedToResellerUsed"` // Of those assigned to resellers.
	ResellerCapacity yeastar.Int     `api:"connections.assignedToResellerCapacity"`
	Services         []RemoteService // One that the account does not have has no expiration.
}

// RemoteService is a subscription to remote management of PBXs on premises.
type RemoteService struct {
	Service    string      // remoteManagementAccount or remoteManagementPremiumAccount.
	Expiration yeastar.Int // Unix seconds.
}

type remoteConnections struct {
	RemoteConnections `api:""`

	Account        yeastar.Int `api:"remoteManagementAccount.expirationTime,time"`
	PremiumAccount yeastar.Int `api:"remoteManagementPremiumAccount.expirationTime,time"`
}

// RemoteConnections queries the connections of remote management ("Query the Remote Management Connections").
func (c *Client) RemoteConnections(ctx context.Context) (RemoteConnections, error) {
	r, err := fetch[remoteConnections](ctx, c, EndpointRMConnections, "v1/subscription/rm_connections")
	if err == nil {
		r.Services = []RemoteService{{"remoteManagementAccount", r.Account}, {"remoteManagementPremiumAccount", r.PremiumAccount}}
	}
	return r.RemoteConnections, err
}
