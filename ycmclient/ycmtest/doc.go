// Package ycmtest simulates Yeastar Central Management: its OAuth, its rate limit and its read-only API as the
// vendor's pages describe them, with a fleet of Cloud PBXs and each PBX's own Open API. It is the test bed of the
// exporter and, with Options.Live, its demo. Where the vendor's pages are silent there is a switch for each way that
// YCM may turn out to behave.
//
// # Serving
//
// A [Server] is an [http.Handler]. Over real TCP put it behind net/http/httptest; in a testing/synctest bubble use
// [Server.Transport] or [Server.Client], whose connections are pipes in memory that every address, http and https,
// leads to. The only clock is time.Now.
//
//	s := ycmtest.New(ycmtest.Options{PBXs: 1000, Seed: 7, RateLimit: &ycmtest.RateLimit{Burst: 75, Rate: 75}})
//	defer s.Close() // ends the in-memory network; not needed over TCP
//	client := s.Client()
//
// # The fleet
//
// Each PBX is a pure function of Options.Seed, its id and the time; nothing is stored for it until it is changed. Of
// any 61 that follow one another fixed shares are stopped, unactivated, near their end, behind with their firmware,
// never backed up and so on, so that a fleet of a few hundred shows everything. Names hold quotes, newlines and
// scripts from elsewhere. [Server.PBX] and [Server.PBXs] tell what a reader should see; [Server.Add],
// [Server.Update], [Server.SetStatus] and [Server.Delete] change it; PBX.Raw puts any JSON in any field of a record.
// Exactly these PBXs: start with Options{PBXs: -1} and Add each.
//
// [Listing] is how the list deviates from its documentation: smaller pages, other orders, a total that is wrong, records
// twice or not at all, and whatever may come past the end.
//
// Between two requests: [Server.OnRequest] hooks run just before a request is looked at, and [Churn] deletes and
// creates PBXs at each page of the list.
//
// # What goes wrong
//
// [Server.Inject] puts a [Fault] to work: which requests, after how many, how often, with which [Effect]. Effects
// compose with [Chain]:
//
//	s.Inject(ycmtest.Fault{Endpoint: ycmtest.CloudPBXList, Skip: 1, Times: 2, Effect: ycmtest.Chain(
//		ycmtest.Header("Retry-After", "7"), ycmtest.Failure(1000040, ycmtest.Shape{Body: ycmtest.ErrNo}),
//	)})
//	s.Inject(ycmtest.Fault{Effect: ycmtest.Set("total", "-1")})              // a total that lies
//	s.Inject(ycmtest.Fault{Effect: ycmtest.Set("pbxStatus", `"Exploding"`)}) // a value that no page mentions
//	s.Inject(ycmtest.Fault{Endpoint: ycmtest.Token, Effect: ycmtest.Set("expires_in", "0")})
//
// [Server.SetShape] and Options.LoginShape choose among the forms that a failed answer may have; [Shapes] lists them
// for tables.
//
// # What came
//
// [Server.Requests] are the latest requests with their times, [Server.Stats] the counts, [Server.MostWithin] the
// busiest stretch of time. [Server.Violations] must be empty after every test: it names each request that an
// exporter must never make. [Server.Tokens], Options.ClientSecret and [Server.ProvisioningLink] are the secrets to
// search logs for.
//
// # PBXs themselves
//
// A PBX is asked through YCM at /dm/open_api/v1/cloud_pbx/{sn}/openapi/v1.0/..., or directly in one of two ways: the
// request's Host is the PBX's URL and the path begins with /openapi/v1.0/ (any https URL, with Transport), or the
// path begins with /pbx/{url}/openapi/v1.0/ (over TCP, as http://127.0.0.1:port/pbx/{url}). What does not run, or is
// Silent, fails with 3000009 through YCM and resets the connection directly. A PBX that YCM's list does not have is
// one of another Server.
//
// # Life
//
// With Options.Live calls follow the time of day of each region, PBXs stop, restart, are restored and upgraded or go
// silent for a while, nightly backups are made, recordings fill, plans end and are renewed. A PBX that somebody has
// changed holds still until [Server.Release].
//
// With Options.Healthy the fleet has an ordinary day, as an operator would like it: PBXs are restarted and upgraded, and
// that is all that happens to them. One large PBX runs, but does not answer; a small one is stopped; one has an old
// backup, one a trunk that cannot register; a few are short of extensions, and some plans and trials end within 30 days.
//
// A demo in another process is steered from the same machine, without a token:
//
//	curl -X POST   'http://127.0.0.1:PORT/sim/pbx/7738/status?value=Stopped'  # holds still so
//	curl -X DELETE  http://127.0.0.1:PORT/sim/pbx/7738/status                 # back to life
//	curl -X POST    http://127.0.0.1:PORT/sim/pbx                             # creates a PBX
//	curl -X DELETE  http://127.0.0.1:PORT/sim/pbx/7738                        # deletes it
//	curl            http://127.0.0.1:PORT/sim/stats                           # counts and violations
package ycmtest
