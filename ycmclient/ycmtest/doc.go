// Package ycmtest simulates Yeastar Central Management: its OAuth, its rate limit and its read-only API as the vendor's
// pages describe them, with a fleet of Cloud PBXs and the Open API of each PBX. It is the test bed of the exporter and, with
// Options.Live, its demo. It does not know the exporter. Where the vendor's pages are silent there is an option for each way
// that YCM may behave.
//
// # Serving
//
// A [Server] is an [http.Handler]. Over real TCP put it behind net/http/httptest; in a testing/synctest bubble use
// [Server.Transport] or [Server.Client], whose connections are pipes in memory. The only clock is time.Now.
//
//	s := ycmtest.New(ycmtest.Options{PBXs: 1000, Seed: 7, RateLimit: &ycmtest.RateLimit{Burst: 75, Rate: 75}})
//	defer s.Close() // ends the in-memory network; not needed over TCP
//	client := s.Client()
//
// PBXs are queried through YCM at /dm/open_api/v1/cloud_pbx/{sn}/openapi/v1.0/..., or with direct access: the request's Host is
// the PBX's URL, or the path begins with /pbx/{url}/openapi/v1.0/ (over TCP, as http://127.0.0.1:port/pbx/{url}).
//
// # The fleet
//
// Each PBX is a pure function of Options.Seed, its id and the time. Of any 61 in a row, fixed shares are stopped, unactivated,
// close to their expiration, behind with their firmware, never backed up and so on, so that a fleet of a few hundred has every
// case. [Server.Add], [Server.Update], [Server.SetStatus] and [Server.Delete] change it; PBX.Raw puts any JSON into a record.
// [Server.OnRequest] hooks change it between two requests, and [Listing] is how the list deviates from its documentation.
//
// With Options.Live calls follow the time of day, PBXs stop, restart, are upgraded or do not answer for a while, backups are
// made, plans expire and are renewed. A changed PBX does not change by itself until [Server.Release]. With Options.Healthy
// PBXs are only restarted and upgraded; one large PBX does not answer, a small one is stopped, one has an old backup, one a
// trunk that cannot register, a few are short of extensions, and some plans and trials expire within 30 days.
//
// # Faults
//
// [Server.Inject] adds a [Fault]: which requests, after how many, how often, with which [Effect]. [Chain] composes effects:
//
//	s.Inject(ycmtest.Fault{Endpoint: ycmtest.CloudPBXList, Skip: 1, Times: 2, Effect: ycmtest.Chain(
//		ycmtest.Header("Retry-After", "7"), ycmtest.Failure(1000040, ycmtest.Shape{Body: ycmtest.ErrNo}),
//	)})
//	s.Inject(ycmtest.Fault{Effect: ycmtest.Set("total", "-1")})
//
// # Requests
//
// [Server.Requests], [Server.Stats] and [Server.MostWithin] are about the requests that were received. [Server.Violations]
// must be empty after every test: it has each request that an exporter must never send. [Server.Tokens],
// Options.ClientSecret and [Server.ProvisioningLink] are the secrets to search logs for.
//
// # Control
//
// A demo is controlled from the same machine, without a token:
//
//	curl -X POST   'http://127.0.0.1:PORT/sim/pbx/7738/status?value=Stopped'  # stays so
//	curl -X DELETE  http://127.0.0.1:PORT/sim/pbx/7738/status                 # ends that
//	curl -X POST    http://127.0.0.1:PORT/sim/pbx                             # creates a PBX
//	curl -X DELETE  http://127.0.0.1:PORT/sim/pbx/7738                        # deletes it
//	curl            http://127.0.0.1:PORT/sim/stats                           # counts and violations
package ycmtest
