package collector

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ycm-exporter/ycm_exporter/internal/exposition"
	"github.com/ycm-exporter/ycm_exporter/internal/pbxclient"
	"github.com/ycm-exporter/ycm_exporter/internal/series"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
)

// Depths to which the catalogue of phones is read.
const (
	vendorsDepth = "vendors"
	modelsDepth  = "models"
	fullDepth    = "full"
)

var depths = []string{vendorsDepth, modelsDepth, fullDepth}

// autoprovisioningSettings is what of the phones is read.
type autoprovisioningSettings struct {
	// Depth is how far the catalogue is read: vendors, models, or full (templates and methods as well).
	Depth string `yaml:"depth"`
	// RequiredPhones are the phones that customers have, each reported as supported or not for each firmware version.
	RequiredPhones RequiredPhones `yaml:"required_phones"`
}

// RequiredPhone is a phone by the names that the vendor's catalogue has for it.
type RequiredPhone struct {
	Vendor string `yaml:"vendor"`
	Model  string `yaml:"model"`
	InUse  bool   // stands for each phone that collector phones has found
}

// RequiredPhones is a list of phones, or the word in_use.
type RequiredPhones []RequiredPhone

// UnmarshalText reads the word.
func (r *RequiredPhones) UnmarshalText(text []byte) error {
	if string(text) != "in_use" {
		return errors.New("must be a list of phones, or in_use for those that collector phones has found")
	}
	*r = RequiredPhones{{InUse: true}}
	return nil
}

func (r RequiredPhones) inUse() bool { return len(r) > 0 && r[0].InUse }

// Check implements Settings.
func (s *autoprovisioningSettings) Check() (problems []Problem) {
	if !slices.Contains(depths, s.Depth) {
		problems = append(problems, Problem{Path: "depth", Message: "must be vendors, models or full"})
	}
	if s.RequiredPhones.inUse() {
		if s.Depth == vendorsDepth {
			problems = append(problems, Problem{Path: "required_phones", Message: "in_use needs the models; set depth to models or full"})
		}
		return append(problems, Problem{Path: "required_phones", Needs: Phones})
	}
	for i, phone := range s.RequiredPhones {
		path := fmt.Sprintf("required_phones[%d]", i)
		if phone.Vendor == "" || len(phone.Vendor) > maxName {
			problems = append(problems, Problem{Path: path + ".vendor", Message: "is empty or too long; write the vendor as in the PBX's phone list, such as Yealink"})
		}
		if phone.Model == "" || len(phone.Model) > maxName {
			problems = append(problems, Problem{Path: path + ".model", Message: "is empty or too long; write the model as in the PBX's phone list, such as VP59"})
		}
		same := func(other RequiredPhone) bool {
			return strings.EqualFold(phone.Vendor, other.Vendor) && strings.EqualFold(phone.Model, other.Model)
		}
		if slices.ContainsFunc(s.RequiredPhones[:i], same) {
			problems = append(problems, Problem{Path: path, Message: "is a duplicate; delete it"})
		}
	}
	return problems
}

// ShowAll enables everything that a demo shows.
func (s *autoprovisioningSettings) ShowAll() {
	s.Depth, s.RequiredPhones = fullDepth, RequiredPhones{{InUse: true}}
}

// wantsModels reports whether the models of a vendor are read.
func (s *autoprovisioningSettings) wantsModels(v *PhoneVendor) bool {
	return s.Depth != vendorsDepth || slices.ContainsFunc(s.RequiredPhones, func(p RequiredPhone) bool { return matchesName(p.Vendor, v.Value, v.Name) })
}

// satisfiedBy reports whether a catalogue was read as deep as the settings say. At depth vendors that depends on the required
// phones.
func (s *autoprovisioningSettings) satisfiedBy(v *versionReading) bool {
	return slices.Index(depths, v.Depth) >= slices.Index(depths, s.Depth) &&
		(v.Depth != vendorsDepth || slices.Equal(v.Required, s.RequiredPhones))
}

const (
	// checkVersions is how often the account's firmware versions are checked for new ones.
	checkVersions = 5 * time.Minute
	// retryVersion is how often a version that cannot be read is tried.
	retryVersion = time.Hour
)

// cataloguesReading is the phone catalogues of the account's firmware versions.
type cataloguesReading struct{ Versions []versionReading }

// versionReading is the phone catalogue of one firmware version.
type versionReading struct {
	PhoneCatalogue
	Depth    string          // To which it was read.
	Required []RequiredPhone // For which it was read.
	At       time.Time       // When it was read.
	Tried    time.Time       // When reading it was last tried.
}

// autoprovisioning reads which phones the firmware of an account's PBXs can provision.
func autoprovisioning() Collector {
	return Collector{
		Name: Autoprovisioning, Schedule: off(24 * time.Hour), Check: checkVersions,
		Settings:    func() Settings { return &autoprovisioningSettings{Depth: modelsDepth} },
		QueriesPBXs: true, Endpoints: []string{ycmclient.EndpointProxy},
		Families: series.AccountFamilies(autoprovisioningColumns("", nil)),
		New: func(a Account) Poller {
			settings := a.Settings.(*autoprovisioningSettings)
			return &accountPoller[cataloguesReading]{account: a, query: pollCatalogues, show: func(r *cataloguesReading) exposition.Source {
				required := settings.RequiredPhones
				if required.inUse() {
					required = nil
					if phones, ok := a.pollers[Phones].(*pbxPoller[phonesReading]); ok {
						required = inUse(phones.Results())
					}
				}
				return series.PerAccount(a.Account, autoprovisioningColumns(settings.Depth, required), r)
			}}
		},
	}
}

// pollCatalogues reads the catalogues that are due, each from one PBX with the version. If YCM does not forward requests,
// that is the error, and what is known stays.
func pollCatalogues(ctx context.Context, a Account, before *cataloguesReading) (*cataloguesReading, error) {
	settings := a.Settings.(*autoprovisioningSettings)
	versions, err := a.Fleet.Versions(ctx)
	if err != nil {
		return nil, err
	}
	known := map[string]versionReading{}
	if before != nil {
		for _, v := range before.Versions {
			known[v.Version] = v
		}
	}
	after := &cataloguesReading{}
	lost := false
	for i, version := range versions {
		a.Progress(i, len(versions))
		v := known[version.Name]
		v.Version, v.PBXs = version.Name, version.PBXs
		now := time.Now()
		due := v.Vendors == nil || now.Sub(v.At) >= a.Schedule.Interval || !settings.satisfiedBy(&v)
		switch {
		case lost || !due || v.Problem != "" && now.Sub(v.Tried) < min(retryVersion, a.Schedule.Interval):
		case !version.Running():
			v.Problem = "no PBX with this version is running"
		default:
			var vendors []PhoneVendor
			lost, err = a.Fleet.Query(ctx, version, func(ctx context.Context, c *pbxclient.Client) (err error) {
				vendors, err = (&catalogueReader{pbx: c, settings: settings, templates: map[string][]string{}}).read(ctx)
				return err
			}, a.Queried)
			switch {
			case err == nil:
				v.Vendors, v.Depth, v.Required, v.At, v.Problem = vendors, settings.Depth, settings.RequiredPhones, time.Now(), ""
			case !lost:
				v.Tried, v.Problem = now, err.Error()
			}
		}
		if time.Since(v.At) > a.Schedule.StaleAfter {
			v.Vendors = nil
		}
		after.Versions = append(after.Versions, v)
	}
	if !lost {
		err = nil
	}
	return after, err
}

// autoprovisioningColumns declares what is known of phones (Query Configuration Options for Auto Provisioning).
func autoprovisioningColumns(depth string, required []RequiredPhone) []series.Column[cataloguesReading] {
	return []series.Column[cataloguesReading]{
		{
			Name:   "ycm_autoprovisioning_phone_vendors",
			Help:   "Number of phone vendors that a firmware version in use can provision, by type; the type is empty if the PBX does not report it.",
			Labels: []string{"type", "version"},
			Read: perVersion(func(r *versionReading, labels []string, sample func(float64)) {
				types := map[string]int{}
				for _, v := range r.Vendors {
					types[v.Type]++
				}
				for kind, n := range types {
					labels[0], labels[1] = kind, r.Version
					sample(float64(n))
				}
			}),
		},
		{
			Name:   "ycm_autoprovisioning_phone_models",
			Help:   "Number of phone models of a vendor that a firmware version in use can provision, by type; absent with depth vendors.",
			Labels: []string{"type", "vendor", "version"},
			Read: perVersion(func(r *versionReading, labels []string, sample func(float64)) {
				if depth == vendorsDepth {
					return
				}
				for _, v := range r.Vendors {
					types := map[string]int{}
					for _, m := range v.Models {
						types[m.Type]++
					}
					for kind, n := range types {
						labels[0], labels[1], labels[2] = kind, v.Value, r.Version
						sample(float64(n))
					}
				}
			}),
		},
		{
			Name:   "ycm_autoprovisioning_phone_model_info",
			Help:   "Phone model that a firmware version in use can provision, with comma-separated templates and provisioning methods; value is always 1. Only with depth full.",
			Labels: []string{"methods", "model", "templates", "type", "vendor", "version"},
			Read: perVersion(func(r *versionReading, labels []string, sample func(float64)) {
				for _, v := range r.Vendors {
					for _, m := range v.Models {
						if depth == fullDepth && m.Templates != nil && m.Methods != nil {
							copy(labels, []string{strings.Join(m.Methods, ","), m.Value, strings.Join(m.Templates, ","), m.Type, v.Value, r.Version})
							sample(1)
						}
					}
				}
			}),
		},
		{
			Name:   "ycm_autoprovisioning_phone_supported",
			Help:   "Whether a firmware version in use can provision a phone of required_phones (1) or not (0); absent if no PBX with the version reports it.",
			Labels: []string{"model", "vendor", "version"},
			Read: perVersion(func(r *versionReading, labels []string, sample func(float64)) {
				for _, phone := range required {
					if yes, ok := supports(r.Vendors, phone); ok {
						copy(labels, []string{phone.Model, phone.Vendor, r.Version})
						sample(series.Boolean(yes))
					}
				}
			}),
		},
	}
}

// perVersion reads samples from each version whose catalogue is known.
func perVersion(read func(*versionReading, []string, func(float64))) func(*cataloguesReading, []string, func(float64)) {
	return func(r *cataloguesReading, labels []string, sample func(float64)) {
		for i := range r.Versions {
			if r.Versions[i].Vendors != nil {
				read(&r.Versions[i], labels, sample)
			}
		}
	}
}
