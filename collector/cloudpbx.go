package collector

import (
	"context"
	"time"

	"github.com/ycm-exporter/ycm_exporter/exposition"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
	"github.com/ycm-exporter/ycm_exporter/yeastar"
)

// firmwareWait is how long the first list waits for the first poll of the firmware, so that the first scrape
// already tells which PBXs are behind.
const firmwareWait = 10 * time.Second

// cloudPBX walks the list of PBXs.
type cloudPBX struct {
	account string
	client  *ycmclient.Client
	known   *knowledge
	// firmware is the job whose catalogue the PBXs' versions are compared with; nil when it is switched off.
	firmware *job
	waited   bool
}

// Poll walks the list, remembers it, and joins it with the firmware that can be had.
func (c *cloudPBX) Poll(ctx context.Context, progress func(done, total int)) (exposition.Source, error) {
	list, err := c.client.Walk(ctx, c.known.pbxs(), progress)
	if err != nil {
		return nil, err
	}
	c.known.list.Store(&list)
	return newFleet(c.account, list, time.Now(), c.catalogue(ctx)), nil
}

// catalogue is the firmware as it is being served, or nil.
func (c *cloudPBX) catalogue(ctx context.Context) *catalogue {
	if c.firmware == nil {
		return nil
	}
	if !c.waited {
		c.waited = true
		late := time.NewTimer(firmwareWait)
		defer late.Stop()
		select {
		case <-c.firmware.polled:
		case <-late.C:
		case <-ctx.Done():
		}
	}
	if !c.firmware.serving() {
		return nil
	}
	return c.known.firmware.Load()
}

// newFleet makes a snapshot of a walk that ended at the time polled. The source keeps the list's records.
func newFleet(account string, list ycmclient.List, polled time.Time, c *catalogue) exposition.Source {
	return newUnion(
		newPerPBX(account, cloudPBXColumns(polled, lagOf(c, list.PBXs)), list.PBXs, identifyCloudPBX),
		newSheet(account, cloudPBXTotal(), &list),
	)
}

func identifyCloudPBX(p *ycmclient.CloudPBX) (id int64, name, region string) {
	return p.ID, p.Name, p.Region
}

// cloudPBXTotal declares what the list tells about the fleet as a whole.
func cloudPBXTotal() []column[ycmclient.List] {
	return []column[ycmclient.List]{number(
		"ycm_cloud_pbxs", "Number of Cloud PBXs, as YCM reports it with its list (total). "+background,
		func(l *ycmclient.List) yeastar.Int { return yeastar.Int(l.Total) },
	)}
}
