package collector

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/ycm-exporter/ycm_exporter/internal/pbxclient"
	"github.com/ycm-exporter/ycm_exporter/internal/sweep"
	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

// Bounds of what is kept for one firmware version. The vendor's own catalogue has a few hundred phones.
const (
	maxVendors  = 200
	maxPhones   = 3000
	longestJoin = 1000 // bytes of a label that joins several names, without an ellipsis
)

// PhoneCatalogue is what a firmware version knows of phones.
type PhoneCatalogue struct {
	Version string        `json:"version"`
	PBXs    int           `json:"pbxs"` // of the account that have the version
	Vendors []PhoneVendor `json:"vendors"`
	Problem string        `json:"problem,omitempty"` // why it could not be read, or not to its end
}

// PhoneVendor is a maker of phones, by the value that the API takes and the name that people read.
type PhoneVendor struct {
	Value   string       `json:"value"`
	Name    string       `json:"name"`
	Type    string       `json:"type,omitempty"`
	Models  []PhoneModel `json:"models,omitzero"`   // nil: not read
	Refused bool         `json:"refused,omitempty"` // no PBX told the models in a form that could be used
}

// PhoneModel is a phone.
type PhoneModel struct {
	Value     string   `json:"value"`
	Name      string   `json:"name"`
	Type      string   `json:"type,omitempty"`
	Templates []string `json:"templates,omitzero"` // names; nil: not read
	Methods   []string `json:"methods,omitzero"`   // of provisioning; nil: not read
}

// phones is the vendors that a firmware version knows, nil before they were read.
type phones struct{ Vendors []PhoneVendor }

// Clone implements sweep.Cloner.
func (p phones) Clone() phones {
	p.Vendors = slices.Clone(p.Vendors)
	for i, v := range p.Vendors {
		p.Vendors[i].Models = slices.Clone(v.Models)
	}
	return p
}

// read asks for whatever the phones lack: the vendors lead to models, and those to templates and methods. The required
// phones' vendors come first. What PBXs refuse to tell is passed over, but for the vendors.
func (p *phones) read(s *autoprovisioningSettings, ask sweep.Ask) error {
	if p.Vendors == nil {
		vendors, err := askPhones(ask, readVendors)
		if err != nil {
			return err
		}
		p.Vendors = vendors
	}
	for _, required := range []bool{true, false} {
		for i := range p.Vendors {
			v := &p.Vendors[i]
			if s.requires(v) != required || !required && s.Depth == vendorsDepth || v.Models != nil || v.Refused {
				continue
			}
			models, err := askPhones(ask, func(ctx context.Context, c *pbxclient.Client) ([]PhoneModel, error) {
				return readModels(ctx, c, v.Value, maxPhones-p.models())
			})
			switch {
			case err == nil:
				v.Models = models
			case sweep.Refused(err):
				v.Refused = true
			default:
				return err
			}
		}
	}
	if s.Depth != fullDepth {
		return nil
	}
	return p.readDetails(ask)
}

// readDetails asks for the templates and methods of each model. The API takes no vendor for templates: a model that two
// vendors have has the templates of both.
func (p *phones) readDetails(ask sweep.Ask) error {
	templates := map[string][]string{}
	for i := range p.Vendors {
		v := &p.Vendors[i]
		for j := range v.Models {
			m := &v.Models[j]
			if m.Templates == nil {
				m.Templates = templates[m.Value]
			}
			if m.Templates == nil {
				names, err := askPhones(ask, func(ctx context.Context, c *pbxclient.Client) ([]string, error) {
					list, err := c.PhoneTemplates(ctx, m.Value)
					return bounded(list, func(t pbxclient.PhoneTemplate) string { return t.Name }), err
				})
				if err != nil && !sweep.Refused(err) {
					return err
				}
				m.Templates = append([]string{}, names...)
			}
			templates[m.Value] = m.Templates
			if m.Methods == nil {
				values, err := askPhones(ask, func(ctx context.Context, c *pbxclient.Client) ([]string, error) {
					list, err := c.ProvisioningMethods(ctx, v.Value, m.Value)
					return bounded(list, func(m pbxclient.ProvisioningMethod) string { return m.Value }), err
				})
				if err != nil && !sweep.Refused(err) {
					return err
				}
				m.Methods = append([]string{}, values...)
			}
		}
	}
	return nil
}

// askPhones is an answer that is kept only once a PBX has given it.
func askPhones[T any](ask sweep.Ask, request func(context.Context, *pbxclient.Client) ([]T, error)) (answer []T, err error) {
	err = ask(func(ctx context.Context, c *pbxclient.Client) error {
		var err error
		answer, err = request(ctx, c)
		return err
	})
	if err != nil {
		return nil, err
	}
	return answer, nil
}

func readVendors(ctx context.Context, c *pbxclient.Client) ([]PhoneVendor, error) {
	list, err := c.PhoneVendors(ctx)
	if err == nil && len(list) > maxVendors {
		err = tooMany(c, "vendors of phones", maxVendors)
	}
	vendors := []PhoneVendor{}
	for _, v := range list {
		if len(v.Value) <= longestName {
			vendors = append(vendors, PhoneVendor{Value: v.Value, Name: shorten(v.Name), Type: shorten(v.Type)})
		}
	}
	return vendors, err
}

// readModels reads the models of a vendor, of which there may be so many.
func readModels(ctx context.Context, c *pbxclient.Client, vendor string, most int) ([]PhoneModel, error) {
	list, err := c.PhoneModels(ctx, vendor)
	models := []PhoneModel{}
	for _, m := range list {
		if len(m.Value) <= longestName {
			models = append(models, PhoneModel{Value: m.Value, Name: shorten(m.Name), Type: shorten(m.Type)})
		}
	}
	if err == nil && len(models) > most {
		err = tooMany(c, "phones", maxPhones)
	}
	return models, err
}

// tooMany is the error for an answer that no honest PBX gives.
func tooMany(c *pbxclient.Client, what string, most int) error {
	return &yeastar.Error{
		Endpoint: "auto_provisioning/compatibility", Class: yeastar.Invalid,
		Message: fmt.Sprintf("PBX %s lists more than %d %s", c.Name(), most, what),
	}
}

func (p *phones) models() (n int) {
	for _, v := range p.Vendors {
		n += len(v.Models)
	}
	return n
}

// supports tells whether the firmware has a phone; it is not ok where that could not be read.
func (p *phones) supports(phone RequiredPhone) (yes, ok bool) {
	if p.Vendors == nil {
		return false, false
	}
	ok = true
	for _, v := range p.Vendors {
		if !called(phone.Vendor, v.Value, v.Name) {
			continue
		}
		if slices.ContainsFunc(v.Models, func(m PhoneModel) bool { return called(phone.Model, m.Value, m.Name) }) {
			return true, true
		}
		ok = ok && v.Models != nil
	}
	return false, ok
}

// called reports whether a configured name is the value or the display name, whatever their case.
func called(configured, value, name string) bool {
	return strings.EqualFold(configured, value) || strings.EqualFold(configured, name)
}

// bounded is names, sorted, without doubles, and without what is too much for a label; an ellipsis stands for that.
func bounded[T any](list []T, name func(T) string) []string {
	names := make([]string, len(list))
	for i, one := range list {
		names[i] = shorten(name(one))
	}
	slices.Sort(names)
	names = slices.Compact(names)
	length := 0
	for i, name := range names {
		if length += len(name) + len(","); length > longestJoin {
			return append(names[:i:i], "…")
		}
	}
	return names
}

// Catalogues is what a reading of PhoneCatalogues says of each firmware version, from the oldest to the newest, and as
// deep as the settings say.
func Catalogues(reading any, settings Settings) []PhoneCatalogue {
	r, ok := reading.(*sweep.VersionsReading[phones])
	if !ok {
		return nil
	}
	depth := settings.(*autoprovisioningSettings).Depth
	var all []PhoneCatalogue
	for _, v := range r.Versions {
		c := PhoneCatalogue{Version: v.Version, PBXs: v.PBXs, Vendors: []PhoneVendor{}, Problem: v.Problem}
		if v.Problem == "" && v.At.IsZero() {
			c.Problem = fmt.Sprintf("none of its %d PBXs is Running, so there is none to ask", v.PBXs)
		}
		if v.Value != nil {
			c.Vendors = append(c.Vendors, v.Value.Clone().Vendors...)
		}
		for i := range c.Vendors {
			c.Vendors[i].prune(depth)
		}
		all = append(all, c)
	}
	slices.SortStableFunc(all, func(c, d PhoneCatalogue) int {
		older, _ := parseVersion(c.Version)
		newer, _ := parseVersion(d.Version)
		return cmp.Or(older.compare(newer))
	})
	return all
}

// prune leaves out what is deeper than the depth, and what is empty.
func (v *PhoneVendor) prune(depth string) {
	v.Refused = false
	if depth == vendorsDepth || len(v.Models) == 0 {
		v.Models = nil
	}
	for i, m := range v.Models {
		if len(m.Templates) == 0 {
			v.Models[i].Templates = nil
		}
		if len(m.Methods) == 0 {
			v.Models[i].Methods = nil
		}
	}
}
