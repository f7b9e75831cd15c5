package collector

import (
	"context"
	"time"

	"github.com/ycm-exporter/ycm_exporter/internal/series"
	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
)

// subscriptionReading is the result of one poll.
type subscriptionReading struct {
	ycmclient.Subscription
	Plans  []ycmclient.PlanStatistic
	Remote ycmclient.RemoteConnections
}

// subscription queries what the account has subscribed to and how much of it is used.
func subscription() Collector {
	return ofAccount("subscription", on(15*time.Minute), subscriptionColumns(), querySubscription,
		ycmclient.EndpointSubscription, ycmclient.EndpointPlanStatistics, ycmclient.EndpointRMConnections)
}

// querySubscription queries the subscription, its plans and its remote connections. Not every edition of YCM and not
// every account has the latter two: where they are denied or not found, their families have no samples.
func querySubscription(ctx context.Context, a Account) (r subscriptionReading, err error) {
	const requests = 3
	if r.Subscription, err = a.YCM.Subscription(ctx); err != nil {
		return r, err
	}
	a.Progress(1, requests)
	if plans, err := a.YCM.PlanStatistics(ctx); err == nil {
		r.Plans = plans
	} else if !withheld(err) {
		return r, err
	}
	a.Progress(2, requests)
	if remote, err := a.YCM.RemoteConnections(ctx); err == nil {
		r.Remote = remote
	} else if !withheld(err) {
		return r, err
	}
	return r, nil
}

// withheld reports whether the account is not allowed to see something, or it does not exist.
func withheld(err error) bool {
	class := yeastar.ClassOf(err)
	return class == yeastar.Denied || class == yeastar.NotFound
}

// subscriptionColumns declares what is known of the subscription (Query the Subscription of P-Series Hosting
// Package), of its plans (... Feature Plan Statistics) and of its remote connections (... Remote Management Connections).
func subscriptionColumns() []series.Column[subscriptionReading] {
	plans := func(r *subscriptionReading) []ycmclient.PlanStatistic { return r.Plans }
	services := func(r *subscriptionReading) []ycmclient.RemoteService { return r.Remote.Services }
	return []series.Column[subscriptionReading]{
		series.Number("ycm_subscription_extensions_capacity", func(r *subscriptionReading) yeastar.Int { return r.Total.Extensions }, "Extensions that the account has subscribed to (total extensionCapacity)."),
		series.Number("ycm_subscription_extensions_used", func(r *subscriptionReading) yeastar.Int { return r.Used.Extensions }, "Extensions of the subscription that are assigned (used extensionCapacity)."),
		series.Number("ycm_subscription_extensions_available", func(r *subscriptionReading) yeastar.Int { return r.Available.Extensions }, "Extensions of the subscription that are left (available extensionCapacity)."),
		series.Number("ycm_subscription_extensions_frozen", func(r *subscriptionReading) yeastar.Int { return r.Used.FrozenExtensions }, "Extensions of the subscription that are frozen (frozenExtensionCapacity)."),
		series.Number("ycm_subscription_concurrent_calls_capacity", func(r *subscriptionReading) yeastar.Int { return r.Total.ConcurrentCalls }, "Concurrent calls that the account has subscribed to (total concurrentCallCapacity)."),
		series.Number("ycm_subscription_concurrent_calls_used", func(r *subscriptionReading) yeastar.Int { return r.Used.ConcurrentCalls }, "Concurrent calls of the subscription that are assigned (used concurrentCallCapacity)."),
		series.Number("ycm_subscription_concurrent_calls_available", func(r *subscriptionReading) yeastar.Int { return r.Available.ConcurrentCalls }, "Concurrent calls of the subscription that are left (available concurrentCallCapacity)."),
		series.Minutes("ycm_subscription_recording_capacity_seconds", func(r *subscriptionReading) yeastar.Int { return r.Total.Recording }, "Call recording that the account has subscribed to, in seconds (total recordingCapacity, which the API gives in minutes)."),
		series.Minutes("ycm_subscription_recording_used_seconds", func(r *subscriptionReading) yeastar.Int { return r.Used.Recording }, "Call recording of the subscription that is assigned, in seconds (used recordingCapacity, which the API gives in minutes)."),
		series.Minutes("ycm_subscription_recording_available_seconds", func(r *subscriptionReading) yeastar.Int { return r.Available.Recording }, "Call recording of the subscription that is left, in seconds (available recordingCapacity, which the API gives in minutes)."),
		series.Number("ycm_subscription_expiration_timestamp_seconds", func(r *subscriptionReading) yeastar.Int { return r.Expiration }, "Unix time at which the subscription expires, or has expired (expirationTime)."),
		series.Number("ycm_subscription_recording_expiration_timestamp_seconds", func(r *subscriptionReading) yeastar.Int { return r.RecordingExpiration }, "Unix time at which the subscription's call recording expires, or has expired (recordingExpireDate)."),
		series.Toggle("ycm_subscription_high_availability_enabled", func(r *subscriptionReading) yeastar.Switch { return r.HighAvailability }, "Whether the subscription's high availability is enabled (1) or disabled (0) (highAvailability)."),
		series.Toggle("ycm_subscription_white_label_enabled", func(r *subscriptionReading) yeastar.Switch { return r.WhiteLabel }, "Whether the subscription's white label is subscribed to (1) or not (0) (whiteLabel)."),
		series.Number("ycm_subscription_remote_connections_used", func(r *subscriptionReading) yeastar.Int { return r.Remote.Used }, "Remote management connections in use (connections used)."),
		series.Number("ycm_subscription_remote_connections_capacity", func(r *subscriptionReading) yeastar.Int { return r.Remote.Capacity }, "Remote management connections that the account may have (connections capacity)."),
		series.Number("ycm_subscription_reseller_remote_connections_used", func(r *subscriptionReading) yeastar.Int { return r.Remote.ResellerUsed }, "Remote management connections that resellers use (assignedToResellerUsed)."),
		series.Number("ycm_subscription_reseller_remote_connections_capacity", func(r *subscriptionReading) yeastar.Int { return r.Remote.ResellerCapacity }, "Remote management connections that are assigned to resellers (assignedToResellerCapacity)."),
		series.PerItem("ycm_subscription_remote_management_expiration_timestamp_seconds", "service", services,
			func(s *ycmclient.RemoteService) (string, yeastar.Int) { return s.Service, s.Expiration }, 1,
			"Unix time at which a remote management service expires, or has expired (expirationTime of remoteManagementAccount, remoteManagementPremiumAccount)."),
		series.PerItem("ycm_subscription_plan_cloud_pbxs", "plan", plans,
			func(p *ycmclient.PlanStatistic) (string, yeastar.Int) { return p.Plan, p.CloudPBXs }, 1, "Number of Cloud PBXs that have the plan (pbxNumber)."),
		series.PerItem("ycm_subscription_plan_extensions", "plan", plans,
			func(p *ycmclient.PlanStatistic) (string, yeastar.Int) { return p.Plan, p.Extensions }, 1, "Number of extensions on the Cloud PBXs that have the plan (extensionNumber)."),
	}
}
