package collector

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ycm-exporter/ycm_exporter/internal/exposition"
	"github.com/ycm-exporter/ycm_exporter/internal/series"
	"github.com/ycm-exporter/ycm_exporter/internal/sweep"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
)

// Depths to which the catalogue of phones is read.
const (
	vendorsDepth = "vendors"
	modelsDepth  = "models"
	fullDepth    = "full"
)

// autoprovisioningSettings is what of the phones is read.
type autoprovisioningSettings struct {
	// Depth is how far the catalogue is read: vendors, models, or full (templates and methods as well).
	Depth string `yaml:"depth"`
	// RequiredPhones are the phones that customers have, each told as supported or not for each firmware version.
	RequiredPhones RequiredPhones `yaml:"required_phones"`
}

// RequiredPhone is a phone by the names that the vendor's catalogue has for it.
type RequiredPhone struct {
	Vendor string `yaml:"vendor"`
	Model  string `yaml:"model"`
	InUse  bool   // it stands for each phone that collector phones has seen
}

// RequiredPhones is a list of phones, or the word in_use.
type RequiredPhones []RequiredPhone

// UnmarshalText reads the word.
func (r *RequiredPhones) UnmarshalText(text []byte) error {
	if string(text) != "in_use" {
		return errors.New("must be a list of phones, or in_use for those that collector phones has seen")
	}
	*r = RequiredPhones{{InUse: true}}
	return nil
}

func (r RequiredPhones) inUse() bool { return len(r) > 0 && r[0].InUse }

// Check implements Settings.
func (s *autoprovisioningSettings) Check() (problems []Problem) {
	if !slices.Contains([]string{vendorsDepth, modelsDepth, fullDepth}, s.Depth) {
		problems = append(problems, Problem{"depth", "must be vendors, models or full"})
	}
	if s.RequiredPhones.inUse() {
		if s.Depth == vendorsDepth {
			problems = append(problems, Problem{"required_phones", "in_use needs the models; make depth models or full"})
		}
		return problems
	}
	for i, phone := range s.RequiredPhones {
		path := fmt.Sprintf("required_phones[%d]", i)
		if phone.Vendor == "" {
			problems = append(problems, Problem{path + ".vendor", "is empty; write the vendor as the PBX's list of phones has it, such as Yealink"})
		}
		if phone.Model == "" {
			problems = append(problems, Problem{path + ".model", "is empty; write the model as the PBX's list of phones has it, such as VP59"})
		}
		same := func(other RequiredPhone) bool {
			return strings.EqualFold(phone.Vendor, other.Vendor) && strings.EqualFold(phone.Model, other.Model)
		}
		if slices.ContainsFunc(s.RequiredPhones[:i], same) {
			problems = append(problems, Problem{path, "is in the list already; delete it"})
		}
	}
	return problems
}

// ShowAll implements a demo's wish: to the full depth, and of each phone that PBXs have whether their firmware knows it.
func (s *autoprovisioningSettings) ShowAll() {
	s.Depth, s.RequiredPhones = fullDepth, RequiredPhones{{InUse: true}}
}

// Requires implements Requirer.
func (s *autoprovisioningSettings) Requires() (role Role, path string) {
	if s.RequiredPhones.inUse() {
		return PhonesInUse, "required_phones"
	}
	return "", ""
}

func (s *autoprovisioningSettings) requires(v *PhoneVendor) bool {
	return slices.ContainsFunc(s.RequiredPhones, func(p RequiredPhone) bool { return called(p.Vendor, v.Value, v.Name) })
}

// autoprovisioning reads which phones the firmware of an account's PBXs can provision.
func autoprovisioning() Collector {
	return Collector{
		Name: "autoprovisioning", Schedule: off(24 * time.Hour),
		Settings: func() Settings { return &autoprovisioningSettings{Depth: modelsDepth} },
		AsksPBXs: true, Endpoints: []string{ycmclient.EndpointProxy}, Needs: []Need{{Role: ListOfPBXs}}, Provides: PhoneCatalogues,
		Families:   series.AccountFamilies(autoprovisioningColumns(&autoprovisioningSettings{}, nil)),
		NewReading: empty[phonesReading],
		New: func(a Account) Poller {
			settings := a.Settings.(*autoprovisioningSettings)
			read := func(known *phones, ask sweep.Ask) error { return known.read(settings, ask) }
			return &phonePoller{account: a, settings: settings, Versions: sweep.NewVersions(a.sweepOptions(), read)}
		},
	}
}

// phonePoller polls what the firmware versions know of phones.
type phonePoller struct {
	account  Account
	settings *autoprovisioningSettings
	*sweep.Versions[phones]
}

// Poll implements Poller.
func (p *phonePoller) Poll(ctx context.Context, progress func(done, total int)) (exposition.Source, error) {
	err := p.Run(ctx, progress)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if known := p.Versions.Reading(); err == nil || len(known.Versions) > 0 {
		return p.show(known), err
	}
	return nil, err
}

func (p *phonePoller) show(known *phonesReading) exposition.Source {
	return series.PerAccount(p.account.Account, autoprovisioningColumns(p.settings, p.required()), known)
}

// required is the phones of which each firmware version is to tell whether it knows them.
func (p *phonePoller) required() []RequiredPhone {
	if !p.settings.RequiredPhones.inUse() {
		return p.settings.RequiredPhones
	}
	if phones := p.account.peer(PhonesInUse); phones != nil {
		return inUse(phones)
	}
	return nil
}

// Reading implements Poller.
func (p *phonePoller) Reading() any {
	if known := p.Versions.Reading(); known != nil {
		return known
	}
	return nil
}

// Restore implements Poller.
func (p *phonePoller) Restore(reading any) exposition.Source {
	known, ok := reading.(*phonesReading)
	if !ok {
		return nil
	}
	p.Versions.Restore(known)
	return p.show(p.Versions.Reading())
}

// phonesReading is the phones of each firmware version.
type phonesReading = sweep.VersionsReading[phones]

// autoprovisioningColumns declares what is known of phones (Query Configuration Options for Auto Provisioning).
func autoprovisioningColumns(settings *autoprovisioningSettings, required []RequiredPhone) []series.Column[phonesReading] {
	return []series.Column[phonesReading]{
		{
			Name:   "ycm_autoprovisioning_phone_vendors",
			Help:   "Vendors of phones that a firmware version can provision (phone_vendor), by their type; an empty type is one that the PBX did not give. The versions are those that PBXs of the account have.",
			Labels: []string{"type", "version"},
			Read: perVersion(func(version string, p *phones, labels []string, sample func(float64)) {
				types := map[string]int{}
				for _, v := range p.Vendors {
					types[v.Type]++
				}
				for kind, n := range types {
					labels[0], labels[1] = kind, version
					sample(float64(n))
				}
			}),
		},
		{
			Name:   "ycm_autoprovisioning_phone_models",
			Help:   "Models of a vendor that a firmware version can provision (phone_model), by their type. Not with depth vendors.",
			Labels: []string{"type", "vendor", "version"},
			Read: perVersion(func(version string, p *phones, labels []string, sample func(float64)) {
				if settings.Depth == vendorsDepth {
					return
				}
				for _, v := range p.Vendors {
					types := map[string]int{}
					for _, m := range v.Models {
						types[m.Type]++
					}
					for kind, n := range types {
						labels[0], labels[1], labels[2] = kind, v.Value, version
						sample(float64(n))
					}
				}
			}),
		},
		{
			Name:   "ycm_autoprovisioning_phone_model_info",
			Help:   "A phone that a firmware version can provision, always 1, with the names of its templates (phone_template) and its provisioning methods (autop_method), each joined by commas. With depth full only. A model that two vendors have has the templates of both.",
			Labels: []string{"methods", "model", "templates", "type", "vendor", "version"},
			Read: perVersion(func(version string, p *phones, labels []string, sample func(float64)) {
				if settings.Depth != fullDepth {
					return
				}
				for _, v := range p.Vendors {
					for _, m := range v.Models {
						if m.Templates != nil && m.Methods != nil {
							copy(labels, []string{strings.Join(m.Methods, ","), m.Value, strings.Join(m.Templates, ","), m.Type, v.Value, version})
							sample(1)
						}
					}
				}
			}),
		},
		{
			Name:   "ycm_autoprovisioning_phone_supported",
			Help:   "Whether a firmware version can provision a phone of required_phones (1) or not (0), or, where that is in_use, each phone that collector phones has seen, whatever the case of its names; absent where the version's PBXs do not tell.",
			Labels: []string{"model", "vendor", "version"},
			Read: perVersion(func(version string, p *phones, labels []string, sample func(float64)) {
				for _, phone := range required {
					if yes, ok := p.supports(phone); ok {
						copy(labels, []string{phone.Model, phone.Vendor, version})
						sample(series.Boolean(yes))
					}
				}
			}),
		},
	}
}

// perVersion reads samples from each version of which something is known.
func perVersion(read func(string, *phones, []string, func(float64))) func(*phonesReading, []string, func(float64)) {
	return func(r *phonesReading, labels []string, sample func(float64)) {
		for _, v := range r.Versions {
			if v.Value != nil {
				read(v.Version, v.Value, labels, sample)
			}
		}
	}
}
