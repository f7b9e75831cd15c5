// Package ycmtest simulates Yeastar Central Management: its OAuth, its rate limit and its read-only API as the vendor's
// pages describe them, with a fleet of Cloud PBXs and the Open API of each PBX. It is the test bed of the exporter and, with
// Options.Live, its demo. It does not know the exporter. Where the vendor's pages are silent there is an option for each way
// that YCM may behave.
//
// A [Server] is an [http.Handler]. In a testing/synctest bubble use [Server.Transport] or [Server.Client], whose connections
// are in memory. PBXs are queried through YCM, or directly at /pbx/{url}/openapi/v1.0/. Each PBX is a pure function of
// Options.Seed, its id and the time; [Server.Add], [Server.Update] and [Server.Delete] change the fleet, and PBX.Raw puts any
// JSON into a record. [Server.Inject] adds a [Fault]: which requests, after how many, how often, with which [Effect].
//
//	s := ycmtest.New(ycmtest.Options{PBXs: 1000, Seed: 7, RateLimit: &ycmtest.RateLimit{Burst: 75, Rate: 75}})
//	defer s.Close() // ends the in-memory network; not needed over TCP
//	s.Inject(ycmtest.Fault{Endpoint: ycmtest.CloudPBXList, Skip: 1, Times: 2, Effect: ycmtest.Failure(1000040, ycmtest.Shape{})})
//
// [Server.Violations] must be empty after every test: it has each request that an exporter must never send.
//
// A demo is controlled from the same machine: POST /sim/pbx/{id}/status?value=Stopped, DELETE /sim/pbx/{id}/status,
// POST /sim/pbx, DELETE /sim/pbx/{id} and GET /sim/stats.
package ycmtest
