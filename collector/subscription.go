package collector

import (
	"context"

	"github.com/ycm-exporter/ycm_exporter/exposition"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
	"github.com/ycm-exporter/ycm_exporter/yeastar"
)

// subscription asks what the account has subscribed to and how much of it is used.
type subscription struct {
	account string
	client  *ycmclient.Client
}

// holding is what one poll learned.
type holding struct {
	ycmclient.Subscription
	plans  []ycmclient.PlanStatistic
	remote ycmclient.RemoteConnections
}

// Poll asks for the subscription, its plans and its remote connections. Not every edition of YCM and not every
// account has the latter two: where they are denied or not found, their families have no samples.
func (s *subscription) Poll(ctx context.Context, progress func(done, total int)) (exposition.Source, error) {
	const requests = 3
	h := holding{remote: ycmclient.RemoteConnections{Used: yeastar.Absent, Capacity: yeastar.Absent}}
	var err error
	if h.Subscription, err = s.client.Subscription(ctx); err != nil {
		return nil, err
	}
	progress(1, requests)
	if plans, err := s.client.PlanStatistics(ctx); err == nil {
		h.plans = plans
	} else if !withheld(err) {
		return nil, err
	}
	progress(2, requests)
	if remote, err := s.client.RemoteConnections(ctx); err == nil {
		h.remote = remote
	} else if !withheld(err) {
		return nil, err
	}
	return newSheet(s.account, subscriptionColumns(), &h), nil
}

// withheld reports whether the API will not tell, rather than fails to.
func withheld(err error) bool {
	class := yeastar.ClassOf(err)
	return class == yeastar.Denied || class == yeastar.NotFound
}

// subscriptionColumns declares what is known of the subscription (Query the Subscription of P-Series Hosting
// Package), of its plans (... Feature Plan Statistics) and of its remote connections (... Remote Management Connections).
func subscriptionColumns() []column[holding] {
	return []column[holding]{
		number("ycm_subscription_extensions_capacity", "Extensions that the account has subscribed to (total extensionCapacity).",
			func(h *holding) yeastar.Int { return h.Total.Extensions }),
		number("ycm_subscription_extensions_used", "Extensions of the subscription that are assigned (used extensionCapacity).",
			func(h *holding) yeastar.Int { return h.Used.Extensions }),
		number("ycm_subscription_extensions_available", "Extensions of the subscription that are left (available extensionCapacity).",
			func(h *holding) yeastar.Int { return h.Available.Extensions }),
		number("ycm_subscription_concurrent_calls_capacity", "Concurrent calls that the account has subscribed to (total concurrentCallCapacity).",
			func(h *holding) yeastar.Int { return h.Total.ConcurrentCalls }),
		number("ycm_subscription_concurrent_calls_used", "Concurrent calls of the subscription that are assigned (used concurrentCallCapacity).",
			func(h *holding) yeastar.Int { return h.Used.ConcurrentCalls }),
		number("ycm_subscription_concurrent_calls_available", "Concurrent calls of the subscription that are left (available concurrentCallCapacity).",
			func(h *holding) yeastar.Int { return h.Available.ConcurrentCalls }),
		minutes("ycm_subscription_recording_capacity_seconds", "Call recording that the account has subscribed to, in seconds (total recordingCapacity, which the API gives in minutes).",
			func(h *holding) yeastar.Int { return h.Total.Recording }),
		minutes("ycm_subscription_recording_used_seconds", "Call recording of the subscription that is assigned, in seconds (used recordingCapacity, which the API gives in minutes).",
			func(h *holding) yeastar.Int { return h.Used.Recording }),
		minutes("ycm_subscription_recording_available_seconds", "Call recording of the subscription that is left, in seconds (available recordingCapacity, which the API gives in minutes).",
			func(h *holding) yeastar.Int { return h.Available.Recording }),
		number("ycm_subscription_expiration_timestamp_seconds", "Unix time at which the subscription expires, or has expired (expirationTime).",
			func(h *holding) yeastar.Int { return h.Expiration }),
		number("ycm_subscription_recording_expiration_timestamp_seconds", "Unix time at which the subscription's call recording expires, or has expired (recordingExpireDate).",
			func(h *holding) yeastar.Int { return h.RecordingExpiration }),
		toggle("ycm_subscription_high_availability_enabled", "Whether the subscription's high availability is enabled (1) or disabled (0) (highAvailability).",
			func(h *holding) yeastar.Switch { return h.HighAvailability }),
		number("ycm_subscription_remote_connections_used", "Remote management connections in use (connections used).",
			func(h *holding) yeastar.Int { return h.remote.Used }),
		number("ycm_subscription_remote_connections_capacity", "Remote management connections that the account may have (connections capacity).",
			func(h *holding) yeastar.Int { return h.remote.Capacity }),
		perService("ycm_subscription_remote_management_expiration_timestamp_seconds", "Unix time at which a remote management service expires, or has expired (expirationTime of remoteManagementAccount, remoteManagementPremiumAccount)."),
		perPlan("ycm_subscription_plan_cloud_pbxs", "Number of Cloud PBXs that have the plan (pbxNumber).",
			func(p ycmclient.PlanStatistic) yeastar.Int { return p.CloudPBXs }),
		perPlan("ycm_subscription_plan_extensions", "Number of extensions on the Cloud PBXs that have the plan (extensionNumber).",
			func(p ycmclient.PlanStatistic) yeastar.Int { return p.Extensions }),
	}
}

func perPlan(name, help string, get func(ycmclient.PlanStatistic) yeastar.Int) column[holding] {
	return column[holding]{name: name, help: help, labels: []string{"plan"}, read: func(h *holding, labels []string, sample func(float64)) {
		for _, p := range h.plans {
			if n, ok := get(p).Get(); ok {
				labels[0] = p.Plan
				sample(float64(n))
			}
		}
	}}
}

func perService(name, help string) column[holding] {
	return column[holding]{name: name, help: help, labels: []string{"service"}, read: func(h *holding, labels []string, sample func(float64)) {
		for _, s := range h.remote.Services {
			if at, ok := s.Expiration.Get(); ok {
				labels[0] = s.Service
				sample(float64(at))
			}
		}
	}}
}
