package doctor

import (
	"cmp"
	"context"
	"fmt"

	"github.com/ycm-exporter/ycm_exporter/collector"
	"github.com/ycm-exporter/ycm_exporter/internal/pbxclient"
	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
)

// Why something is not checked.
const (
	noPBX     = "no Running PBX is listed"
	noRequest = "the doctor had no request left"
)

// listRequests is how many requests the list may take, the login included: enough for a complete walk of 300 PBXs.
const listRequests = 8

// fleet is what was read of the list of Cloud PBXs, also by a walk that did not end.
type fleet struct {
	ycmclient.List
	pages    int
	running  int
	sample   ycmclient.CloudPBX // a Running one; zero if there is none
	versions map[string]bool    // of the firmware of Running PBXs
}

func newFleet(list ycmclient.List, pages int) fleet {
	f := fleet{List: list, pages: pages, versions: map[string]bool{}}
	for _, pbx := range list.PBXs {
		if pbx.Status != ycmclient.Running {
			continue
		}
		f.running++
		f.versions[pbx.Version] = true
		if f.sample.ID == 0 && yeastar.IsSerialNumber(pbx.SN) {
			f.sample = pbx
		}
	}
	return f
}

// size returns what the demand depends on. PBXs of one firmware version are alike.
func (f *fleet) size() collector.FleetSize {
	return collector.FleetSize{
		Pages: float64(f.pages), PBXs: float64(f.Total) * float64(f.running) / float64(max(1, f.Listed)), Versions: float64(len(f.versions)),
	}
}

// checkList walks the list with a limited number of requests, and reports on the list and the login. It returns whether more can be checked.
func (x *examination) checkList(ctx context.Context) bool {
	r := x.check(ctx, listRequests, func(ctx context.Context) error {
		list, pages, err := x.client.PartialWalk(ctx)
		x.fleet = newFleet(list, pages)
		return err
	})
	if !x.checkLogin(r) {
		return false
	}
	switch {
	case r.err == nil && x.fleet.Total == 0 && len(x.fleet.PBXs) == 0:
		x.add(listSection, "list", Warning, "The PBX list is empty.", "check which PBXs the account may access in YCM, and search in the configuration")
	case r.err == nil:
		x.add(listSection, "list", OK, "The complete list was read: %s.", "", Count(len(x.fleet.PBXs), "PBX"))
		if int64(x.fleet.Listed) != x.fleet.Total {
			x.add(listSection, "total", Warning, "YCM reports a total of %d PBXs but lists %d.", "no action needed: the exporter exports the PBXs that are listed", x.fleet.Total, x.fleet.Listed)
		}
	case r.ended && len(x.fleet.PBXs) > 0 && ctx.Err() == nil:
		x.add(listSection, "list", OK, "The PBX list can be read. Only a part of its %d PBXs was read, to limit the number of requests.", "", x.fleet.Total)
	default:
		class := yeastar.ClassOf(r.err)
		advice := map[yeastar.Class]string{
			yeastar.Denied:   "grant the account access to its Cloud PBXs in YCM",
			yeastar.NotFound: "check base_url; if it is right, this version of YCM may be too old: update YCM",
			yeastar.Invalid:  "the response differs from the documentation of YCM: report it with a file of --capture",
		}[class]
		x.add(listSection, "list", Problem, "The PBX list cannot be read: %s.", cmp.Or(advice, class.Advice()), r.describe(r.err))
	}
	// If the server does not respond, each further request would take a timeout.
	return r.failure == nil && ctx.Err() == nil
}

// checkSinglePBX queries one PBX by its id, as the exporter does with one that a walk did not list.
func (x *examination) checkSinglePBX(ctx context.Context) {
	if len(x.fleet.PBXs) == 0 {
		return
	}
	x.probe(ctx, Finding{listSection, "single", Warning, "A single PBX cannot be queried by its id: %s.", "no action needed: if a PBX is missing from the list, the exporter reads the list again instead"},
		1, "A single PBX can be queried by its id.", func(ctx context.Context) error {
			_, err := x.client.CloudPBX(ctx, x.fleet.PBXs[0].ID)
			return err
		})
}

// checkProxy queries a Running PBX through YCM, also if no collector does, because that decides whether they can be enabled.
func (x *examination) checkProxy(ctx context.Context) {
	if x.fleet.sample.ID == 0 {
		x.add(proxySection, "proxy", Skipped, "Not checked, because %s.", "", noPBX)
		return
	}
	x.probe(ctx, Finding{
		proxySection, "proxy", Warning, "A Running PBX cannot be queried through YCM: %s.",
		"its firmware may be too old, or its API disabled; if this applies to all PBXs, disable the collectors that query PBXs",
	}, 1, "A Running PBX can be queried through YCM.", func(ctx context.Context) error {
		_, err := pbxclient.Proxied(x.client, x.Client.Account, x.fleet.sample.SN).SystemInformation(ctx)
		return err
	})
}

const (
	maxDirect      = 2 // PBXs with direct access that are checked
	directRequests = 3 // a login, a query, and revoking the token
)

// checkDirect queries the first PBXs with direct access.
func (x *examination) checkDirect(ctx context.Context) {
	for i, pbx := range x.PBXs[:min(len(x.PBXs), maxDirect)] {
		pbx.Transport = limitedTransport{pbx.Transport, x.recorder}
		check := fmt.Sprintf("pbxs[%d]", i)
		x.probe(ctx, Finding{directSection, check, Problem, check + ": the PBX cannot be queried: %s.", "check its url and credentials, and that its API is enabled for the IP address of the exporter"},
			directRequests, check+": the PBX can be queried.", func(ctx context.Context) error {
				client := pbxclient.Direct(pbx)
				_, err := client.SystemInformation(ctx)
				_ = client.Close(ctx) // If the token cannot be revoked it expires.
				return err
			})
	}
	if rest := len(x.PBXs) - maxDirect; rest > 0 {
		x.add(directSection, "pbxs", Skipped, "%s: not checked, because the doctor checks at most %d.", "", Count(rest, "more PBX"), maxDirect)
	}
}

// probe runs a check of PBXs and adds its result. The text of failed contains %s for the cause.
func (x *examination) probe(ctx context.Context, failed Finding, requests int, succeeds string, do func(context.Context) error) {
	switch r := x.check(ctx, requests, do); {
	case r.requests == 0 && r.ended:
		x.add(failed.Section, failed.Check, Skipped, "%s: not checked, because %s.", "", failed.Check, noRequest)
	case r.err != nil:
		x.add(failed.Section, failed.Check, failed.Verdict, failed.Text, failed.Advice, r.describe(r.err))
	default:
		x.add(failed.Section, failed.Check, OK, succeeds, "")
	}
}
