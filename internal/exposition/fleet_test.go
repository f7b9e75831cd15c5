package exposition

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
)

// A fleet is a source of any size: PBXs with the families and label lengths of the collector cloud_pbx, 30 series each.
type fleet struct {
	account string
	pbxs    []pbx
}

type pbx struct {
	id                                                       int64
	label                                                    string // the id, as its label
	name, sn, url, region, kind, plan, group, version, model string
	status                                                   int
	features                                                 uint8
	numbers                                                  [16]float64 // NaN: the API gave none
}

var (
	statuses = []string{"Provisioning", "Restoring", "Running", "Starting", "Stopped", "Unknown", "Upgrading"}
	features = []string{"im", "passwordless_login", "provisioning_via_template", "recording", "superior_passwordless_login", "upgrade_in_pbx"}
	regions  = []string{"Europe (Frankfurt)", "North America (Virginia)", "Asia Pacific (Singapore)", "South America (São Paulo)"}

	identityLabels = []string{"account", "cloud_pbx_id", "name", "region"}
	gauges         = []string{
		"activated", "active_calls", "backup_age_seconds", "concurrent_calls_capacity", "created_timestamp_seconds",
		"expiration_timestamp_seconds", "extensions_capacity", "extensions_used", "firmware_update_available",
		"firmware_versions_behind", "first_started_timestamp_seconds", "last_backup_timestamp_seconds",
		"plan_expiration_timestamp_seconds", "recording_capacity_seconds", "recording_used_seconds",
		"template_last_used_timestamp_seconds",
	}
)

// fleetFamily is a family and its content: a gauge by its number, or one of the three with further labels.
type fleetFamily struct {
	Family
	gauge int
}

const (
	infoFamily = -1 - iota
	featureFamily
	statusFamily
)

var fleetFamilies = func() []fleetFamily {
	family := func(name string, gauge int, labels ...string) fleetFamily {
		labels = append(labels, identityLabels...)
		slices.Sort(labels)
		help := fmt.Sprintf("What the list of Cloud PBXs says about %s, as of the last walk that ended well.", name)
		return fleetFamily{Family{Name: "ycm_cloud_pbx_" + name, Help: help, Labels: labels}, gauge}
	}
	families := []fleetFamily{
		family("info", infoFamily, "sn", "url", "type", "plan", "group", "version", "last_used_template"),
		family("feature_enabled", featureFamily, "feature"),
		family("status", statusFamily, "status"),
	}
	for g, name := range gauges {
		families = append(families, family(name, g))
	}
	slices.SortFunc(families, func(a, b fleetFamily) int {
		if a.Name < b.Name {
			return -1
		}
		return 1
	})
	return families
}()

func newFleet(account string, n int) *fleet {
	const start = 1_763_800_000
	random := rand.New(rand.NewPCG(1, uint64(n)))
	f := &fleet{account: account, pbxs: make([]pbx, n)}
	for i := range f.pbxs {
		id := int64(100_000 + i*3)
		p := pbx{
			id: id, label: strconv.FormatInt(id, 10),
			name:   fmt.Sprintf("%s %s %d", pick(random, "Harbour", "Lakeside", "Summit", "Orchard", "Old Mill"), pick(random, "Dental", "Logistics", "Hotel", "Café", "School"), i),
			sn:     fmt.Sprintf("3631%08d", random.IntN(1e8)),
			region: regions[random.IntN(len(regions))],
			kind:   pick(random, "Normal", "Trial"), plan: pick(random, "Enterprise Plan", "Ultimate Plan"),
			group: pick(random, "Default", "Reseller North", "Reseller South"), version: pick(random, "84.20.0.128", "84.19.0.66", "84.18.0.50"),
			model: pick(random, "", "Office template"), status: 2, features: uint8(random.UintN(64)),
		}
		p.url = fmt.Sprintf("https://pbx%d.example.yeastarcloud.com", id)
		if i%100 == 7 {
			p.name = `The "Corner" ` + p.name // Some names always need escaping.
		}
		if random.IntN(20) == 0 {
			p.status = random.IntN(len(statuses))
		}
		used := float64(random.IntN(200))
		p.numbers = [...]float64{
			1, float64(random.IntN(30)), float64(random.IntN(700_000)), 50, start - float64(random.IntN(1e8)),
			start + float64(random.IntN(1e7)), 200, used, float64(random.IntN(2)), float64(random.IntN(4)), start - float64(random.IntN(1e8)),
			start - float64(random.IntN(700_000)), start + float64(random.IntN(1e7)), 600_000, 60 * float64(random.IntN(10_000)), start - float64(random.IntN(1e8)),
		}
		f.pbxs[i] = p
	}
	// The labels of ids are ordered as text.
	slices.SortFunc(f.pbxs, func(a, b pbx) int {
		if a.label < b.label {
			return -1
		}
		return 1
	})
	return f
}

func pick(random *rand.Rand, from ...string) string { return from[random.IntN(len(from))] }

func (f *fleet) Families() []Family {
	var families []Family
	for _, family := range fleetFamilies {
		families = append(families, family.Family)
	}
	return families
}

func (f *fleet) Each(i int, shard Shard, emit func([]string, float64)) {
	var labels [11]string
	gauge := fleetFamilies[i].gauge
	for n := range f.pbxs {
		p := &f.pbxs[n]
		if shard.Count > 1 && !shard.Has(f.account, p.id) {
			continue
		}
		switch gauge {
		case infoFamily:
			labels = [11]string{f.account, p.label, p.group, p.model, p.name, p.plan, p.region, p.sn, p.kind, p.url, p.version}
			emit(labels[:], 1)
		case featureFamily:
			for k, feature := range features {
				labels[0], labels[1], labels[2], labels[3], labels[4] = f.account, p.label, feature, p.name, p.region
				emit(labels[:5], float64(p.features>>k&1))
			}
		case statusFamily:
			for k, status := range statuses {
				labels[0], labels[1], labels[2], labels[3], labels[4] = f.account, p.label, p.name, p.region, status
				value := 0.0
				if k == p.status {
					value = 1
				}
				emit(labels[:5], value)
			}
		default:
			if value := p.numbers[gauge]; !math.IsNaN(value) {
				labels[0], labels[1], labels[2], labels[3] = f.account, p.label, p.name, p.region
				emit(labels[:4], value)
			}
		}
	}
}
