package doctor

import (
	"context"
	"fmt"

	"github.com/ycm-exporter/ycm_exporter/internal/pbxclient"
)

// checkProxy queries a Running PBX through YCM, also if no collector does, because that decides whether they can be enabled.
func (x *examination) checkProxy(ctx context.Context) {
	if x.list.running == 0 {
		x.add(proxySection, "proxy", OK, "Not checked, because no Running PBX was listed.", "")
		return
	}
	r := x.check(ctx, 1, func(ctx context.Context) error {
		_, err := pbxclient.Proxied(x.client, x.Client.Account, x.list.sample.SN).SystemInformation(ctx)
		return err
	})
	switch {
	case r.requests == 0:
		x.add(proxySection, "proxy", OK, "Not checked, because the doctor had no request left.", "")
	case r.err != nil:
		x.add(proxySection, "proxy", Warning, "A Running PBX does not answer through YCM: %s.",
			"a PBX that is too old or has its API disabled reports nothing here; leave collectors that query PBXs disabled if no PBX answers", describe(r.err, r.last()))
	default:
		x.add(proxySection, "proxy", OK, "A Running PBX answered through YCM in %s.", "", short(r.last().took()))
	}
}

const (
	maxDirect      = 2 // PBXs with direct access that are checked
	directRequests = 3 // a login, a query, and revoking the token
)

// checkDirect queries the first PBXs with direct access.
func (x *examination) checkDirect(ctx context.Context) error {
	if x.Direct == nil {
		return nil
	}
	pbxs, err := x.Direct(x.limit)
	if err != nil {
		return fmt.Errorf("making the clients of PBXs with direct access: %w", err)
	}
	for i, pbx := range pbxs[:min(len(pbxs), maxDirect)] {
		r := x.check(ctx, directRequests, func(ctx context.Context) error {
			_, err := pbx.Client.SystemInformation(ctx)
			_ = pbx.Client.Close(ctx) // If the token cannot be revoked it expires.
			return err
		})
		check := fmt.Sprintf("pbxs[%d]", i)
		switch {
		case r.requests == 0:
			x.add(directSection, check, OK, "%s: not checked, because the doctor had no request left.", "", check)
		case r.err != nil:
			x.add(directSection, check, Problem, "%s: the PBX cannot be queried: %s.", "check its url and credentials, and whether its API is enabled for this address", check, describe(r.err, nil))
		default:
			x.add(directSection, check, OK, "%s: the PBX answered in %s.", "", check, short(r.exchanges[min(1, len(r.exchanges)-1)].took()))
		}
	}
	if rest := len(pbxs) - maxDirect; rest > 0 {
		x.add(directSection, "pbxs", OK, "%s not checked.", "", count(rest, "further PBX"))
	}
	return nil
}
