package collector

import (
	"strings"

	"github.com/ycm-exporter/ycm_exporter/config"
)

// library is what is known of every firmware version of an account.
type library struct {
	editions []*edition
	settings config.Autoprovisioning
}

// autoprovisioningColumns declares what is known of phones (Query Configuration Options for Auto Provisioning).
func autoprovisioningColumns() []column[library] {
	return []column[library]{
		{
			name:   "ycm_autoprovisioning_phone_vendors",
			help:   "Vendors of phones that a firmware version can provision (phone_vendor), by their type; an empty type is one that the PBX did not give. The versions are those that PBXs of the account have.",
			labels: []string{"type", "version"},
			read: perEdition(func(e *edition, b *phonebook, _ config.Autoprovisioning, labels []string, sample func(float64)) {
				types := map[string]int{}
				for _, v := range b.vendors {
					types[v.Type]++
				}
				for kind, n := range types {
					labels[0], labels[1] = kind, e.version
					sample(float64(n))
				}
			}),
		},
		{
			name:   "ycm_autoprovisioning_phone_models",
			help:   "Models of a vendor that a firmware version can provision (phone_model), by their type. Not with depth vendors.",
			labels: []string{"type", "vendor", "version"},
			read: perEdition(func(e *edition, b *phonebook, settings config.Autoprovisioning, labels []string, sample func(float64)) {
				if settings.Depth == vendorsDepth {
					return
				}
				for vendor, m := range b.models {
					types := map[string]int{}
					for _, one := range m.list {
						types[one.Type]++
					}
					for kind, n := range types {
						labels[0], labels[1], labels[2] = kind, vendor, e.version
						sample(float64(n))
					}
				}
			}),
		},
		{
			name:   "ycm_autoprovisioning_phone_model_info",
			help:   "A phone that a firmware version can provision, always 1, with the names of its templates (phone_template) and its provisioning methods (autop_method), each joined by commas. With depth full only. A model that two vendors have has the templates of both.",
			labels: []string{"methods", "model", "templates", "type", "vendor", "version"},
			read: perEdition(func(e *edition, b *phonebook, settings config.Autoprovisioning, labels []string, sample func(float64)) {
				if settings.Depth != fullDepth {
					return
				}
				for v, m := range b.all() {
					templates, read := b.templates[m.Value]
					methods, too := b.methods[phone{v.Value, m.Value}]
					if read && too {
						copy(labels, []string{strings.Join(methods, ","), m.Value, strings.Join(templates, ","), m.Type, v.Value, e.version})
						sample(1)
					}
				}
			}),
		},
		{
			name:   "ycm_autoprovisioning_phone_supported",
			help:   "Whether a firmware version can provision a phone of required_phones (1) or not (0), whatever the case of its names; absent where the version's PBXs do not tell.",
			labels: []string{"model", "vendor", "version"},
			read: perEdition(func(e *edition, b *phonebook, settings config.Autoprovisioning, labels []string, sample func(float64)) {
				for _, p := range settings.RequiredPhones {
					if yes, ok := b.supports(p); ok {
						copy(labels, []string{p.Model, p.Vendor, e.version})
						sample(boolean(yes))
					}
				}
			}),
		},
	}
}

// perEdition reads samples from each edition of which something is known.
func perEdition(read func(*edition, *phonebook, config.Autoprovisioning, []string, func(float64))) func(*library, []string, func(float64)) {
	return func(l *library, labels []string, sample func(float64)) {
		for _, e := range l.editions {
			if b := e.shown(); b != nil {
				read(e, b, l.settings, labels, sample)
			}
		}
	}
}
