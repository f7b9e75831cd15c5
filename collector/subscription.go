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

// querySubscription queries the subscription, its plans and its remote connections. The latter two are
// optional: where they are denied or not found, their families have no samples.
func querySubscription(ctx context.Context, a Account) (r subscriptionReading, err error) {
	const requests = 3
	if r.Subscription, err = a.YCM.Subscription(ctx); err != nil {
		return r, err
	}
	a.Progress(1, requests)
	if r.Plans, err = optional(a.YCM.PlanStatistics(ctx)); err != nil {
		return r, err
	}
	a.Progress(2, requests)
	r.Remote, err = optional(a.YCM.RemoteConnections(ctx))
	return r, err
}

// optional returns what a query returned, or nothing where the account is not allowed to see it or it does not exist.
func optional[T any](answer T, err error) (T, error) {
	if class := yeastar.ClassOf(err); class == yeastar.Denied || class == yeastar.NotFound {
		return *new(T), nil
	}
	return answer, err
}

// subscriptionColumns declares what is known of the subscription (Query the Subscription of P-Series Hosting
// Package), of its plans (... Feature Plan Statistics) and of its remote connections (... Remote Management Connections).
func subscriptionColumns() []series.Column[subscriptionReading] {
	plans := func(r *subscriptionReading) []ycmclient.PlanStatistic { return r.Plans }
	services := func(r *subscriptionReading) []ycmclient.RemoteService { return r.Remote.Services }
	return []series.Column[subscriptionReading]{
		series.Number("ycm_subscription_extensions_capacity", func(r *subscriptionReading) yeastar.Int { return r.Total.Extensions }, "Number of extensions included in the subscription."),
		series.Number("ycm_subscription_extensions_used", func(r *subscriptionReading) yeastar.Int { return r.Used.Extensions }, "Number of extensions of the subscription that are assigned."),
		series.Number("ycm_subscription_extensions_available", func(r *subscriptionReading) yeastar.Int { return r.Available.Extensions }, "Number of extensions of the subscription that are not assigned."),
		series.Number("ycm_subscription_extensions_frozen", func(r *subscriptionReading) yeastar.Int { return r.Used.FrozenExtensions }, "Number of extensions of the subscription that are frozen."),
		series.Number("ycm_subscription_concurrent_calls_capacity", func(r *subscriptionReading) yeastar.Int { return r.Total.ConcurrentCalls }, "Number of concurrent calls included in the subscription."),
		series.Number("ycm_subscription_concurrent_calls_used", func(r *subscriptionReading) yeastar.Int { return r.Used.ConcurrentCalls }, "Number of concurrent calls of the subscription that are assigned."),
		series.Number("ycm_subscription_concurrent_calls_available", func(r *subscriptionReading) yeastar.Int { return r.Available.ConcurrentCalls }, "Number of concurrent calls of the subscription that are not assigned."),
		series.Minutes("ycm_subscription_recording_capacity_seconds", func(r *subscriptionReading) yeastar.Int { return r.Total.Recording }, "Length of call recordings included in the subscription, in seconds."),
		series.Minutes("ycm_subscription_recording_used_seconds", func(r *subscriptionReading) yeastar.Int { return r.Used.Recording }, "Length of call recordings of the subscription that is assigned, in seconds."),
		series.Minutes("ycm_subscription_recording_available_seconds", func(r *subscriptionReading) yeastar.Int { return r.Available.Recording }, "Length of call recordings of the subscription that is not assigned, in seconds."),
		series.Number("ycm_subscription_expiration_timestamp_seconds", func(r *subscriptionReading) yeastar.Int { return r.Expiration }, "Unix time at which the subscription expires or expired."),
		series.Number("ycm_subscription_recording_expiration_timestamp_seconds", func(r *subscriptionReading) yeastar.Int { return r.RecordingExpiration }, "Unix time at which call recording in the subscription expires or expired."),
		series.Toggle("ycm_subscription_high_availability_enabled", func(r *subscriptionReading) yeastar.Switch { return r.HighAvailability }, "Whether high availability of the subscription is enabled (1) or disabled (0)."),
		series.Toggle("ycm_subscription_white_label_enabled", func(r *subscriptionReading) yeastar.Switch { return r.WhiteLabel }, "Whether white label is included in the subscription (1) or not (0)."),
		series.Number("ycm_subscription_remote_connections_used", func(r *subscriptionReading) yeastar.Int { return r.Remote.Used }, "Number of remote management connections in use."),
		series.Number("ycm_subscription_remote_connections_capacity", func(r *subscriptionReading) yeastar.Int { return r.Remote.Capacity }, "Maximum number of remote management connections of the account."),
		series.Number("ycm_subscription_reseller_remote_connections_used", func(r *subscriptionReading) yeastar.Int { return r.Remote.ResellerUsed }, "Number of remote management connections in use by resellers."),
		series.Number("ycm_subscription_reseller_remote_connections_capacity", func(r *subscriptionReading) yeastar.Int { return r.Remote.ResellerCapacity }, "Number of remote management connections assigned to resellers."),
		series.PerItem("ycm_subscription_remote_management_expiration_timestamp_seconds", "service", services,
			func(s *ycmclient.RemoteService) (string, yeastar.Int) { return s.Service, s.Expiration }, 1,
			"Unix time at which a remote management service expires or expired."),
		series.PerItem("ycm_subscription_plan_cloud_pbxs", "plan", plans,
			func(p *ycmclient.PlanStatistic) (string, yeastar.Int) { return p.Plan, p.CloudPBXs }, 1, "Number of Cloud PBXs with the plan."),
		series.PerItem("ycm_subscription_plan_extensions", "plan", plans,
			func(p *ycmclient.PlanStatistic) (string, yeastar.Int) { return p.Plan, p.Extensions }, 1, "Number of extensions on the Cloud PBXs with the plan."),
	}
}
