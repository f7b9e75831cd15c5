package ycmtest

import "net/url"

// route is an endpoint of YCM, and what answers there.
type route struct {
	name   Endpoint
	answer answer
}

// routes is what YCM's API has below /dm/open_api/, but for tokens and the calls that it passes on to PBXs. Each is asked
// by GET, with a token.
func (s *Server) routes() map[string]route {
	return map[string]route{
		"v2/cloud_pbx/instances":             {CloudPBXList, s.listCloudPBXs},
		"v1/cloud_pbx/instances/{id}":        {CloudPBX, s.cloudPBX},
		"v1/cloud_pbx/instances/get":         {CloudPBXByURL, s.cloudPBXByURL},
		"v1/cloud_pbx/instances/{id}/status": {CloudPBXStatus, s.cloudPBXStatus},
		"v1/cluster/regions":                 {Regions, s.regions},
		"v1/firmware":                        {Firmware, s.firmware},
		"v1/subscription":                    {Subscription, s.subscription},
		"v1/subscription/plan_statistics":    {PlanStatistics, s.planStatistics},
		"v1/subscription/rm_connections":     {RMConnections, s.rmConnections},
		"v2/users":                           {Users, s.users},
		"v1/users/{id}/subscription_info":    {UserSubscription, s.userSubscription},
	}
}

// readsOfPBX is what an exporter may read of a PBX, below openapi/v1.0/.
func (s *Server) readsOfPBX() map[string]func(PBX, url.Values) pbxAnswer {
	return map[string]func(PBX, url.Values) pbxAnswer{
		"system/information":              s.information,
		"system/capacity":                 s.capacity,
		"trunk/list":                      s.trunkList,
		"extension/list":                  s.extensionList,
		"phone/search":                    s.phoneSearch,
		"auto_provisioning/compatibility": s.compatibility,
	}
}
