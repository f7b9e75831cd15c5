package sweep

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/ycm-exporter/ycm_exporter/internal/pbxclient"
)

const (
	// maxVersions bounds the firmware versions of an account: those that most PBXs have.
	maxVersions = 100
	// maxPBXs is how many PBXs of a version are queried when some fail.
	maxPBXs = 3
)

// Version is a firmware version that PBXs of an account have.
type Version struct {
	Name    string
	PBXs    int // How many have it, Running or not.
	running []Target
}

// Versions returns the firmware versions of the fleet, those of most PBXs first. It queries the PBXs that YCM's list does
// not contain for theirs.
func (f *Fleet) Versions(ctx context.Context) ([]*Version, error) {
	targets, err := f.Targets()
	if err != nil {
		return nil, err
	}
	versions := map[string]*Version{}
	of := func(name string) *Version {
		if versions[name] == nil {
			versions[name] = &Version{Name: name}
		}
		return versions[name]
	}
	for i := range targets.pbxs {
		of(targets.pbxs[i].Version).PBXs++
	}
	for _, t := range targets.all {
		if t.listed != nil {
			v := of(t.listed.Version)
			v.running = append(v.running, t)
		} else if system, err := f.client(t).SystemInformation(ctx); err == nil {
			v := of(system.FirmwareVersion)
			v.PBXs++
			v.running = append(v.running, t)
		}
	}
	delete(versions, "")
	all := slices.SortedFunc(maps.Values(versions), func(a, b *Version) int {
		return cmp.Or(cmp.Compare(b.PBXs, a.PBXs), cmp.Compare(a.Name, b.Name))
	})
	return all[:min(maxVersions, len(all))], ctx.Err()
}

// Query runs a query on a PBX with the version, and on others if it fails, and calls queried for each. lost reports that YCM does not
// forward requests, so that other versions need not be tried.
func (f *Fleet) Query(ctx context.Context, v *Version, query func(context.Context, *pbxclient.Client) error, queried func(Target, error)) (lost bool, err error) {
	for _, t := range v.running[:min(maxPBXs, len(v.running))] {
		err = query(ctx, f.client(t))
		if ctx.Err() != nil {
			return true, ctx.Err()
		}
		queried(t, err)
		if lost = t.lost(err); lost || err == nil {
			return lost, err
		}
	}
	return false, err
}

// Running reports whether any PBX with the version can be queried.
func (v *Version) Running() bool { return len(v.running) > 0 }
