package ycmtest

import "net/url"

// route is an endpoint of YCM and its handler.
type route struct {
	name   Endpoint
	answer answer
}

// routes is YCM's API below /dm/open_api/, without tokens and the proxy to PBXs. All are queried by GET, with a token.
func (s *Server) routes() map[string]route {
	return map[string]route{
		"v2/cloud_pbx/instances":          {CloudPBXList, s.listCloudPBXs},
		"v1/cloud_pbx/instances/{id}":     {CloudPBX, s.cloudPBX},
		"v1/cluster/regions":              {Regions, s.regions},
		"v1/firmware":                     {Firmware, s.firmware},
		"v1/subscription":                 {Subscription, s.subscription},
		"v1/subscription/plan_statistics": {PlanStatistics, s.planStatistics},
		"v1/subscription/rm_connections":  {RMConnections, s.rmConnections},
		"v2/users":                        {Users, s.users},
		"v1/users/{id}/subscription_info": {UserSubscription, s.userSubscription},
		"v1/did_management":               {DIDs, s.dids},
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
