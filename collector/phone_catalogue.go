package collector

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/ycm-exporter/ycm_exporter/internal/pbxclient"
	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

// Bounds for one firmware version. The vendor's own catalogue has a few hundred phones.
const (
	maxVendors     = 200
	maxModels      = 3000
	maxJoinedNames = 1000 // Bytes of a label that joins several names, without an ellipsis.
)

// PhoneCatalogue is the phones that a firmware version can provision.
type PhoneCatalogue struct {
	Version string        `json:"version"`
	PBXs    int           `json:"pbxs"` // How many of the account have the version.
	Vendors []PhoneVendor `json:"vendors"`
	Problem string        `json:"problem,omitempty"` // Why it could not be read.
}

// PhoneVendor is a vendor of phones, by the value that the API takes and the name that people read.
type PhoneVendor struct {
	Value  string       `json:"value"`
	Name   string       `json:"name"`
	Type   string       `json:"type,omitempty"`
	Models []PhoneModel `json:"models,omitzero"` // nil: not read

	// Refused is set when the PBX gave no usable list of models.
	Refused bool `json:"refused,omitempty"`
}

// PhoneModel is a model of phone.
type PhoneModel struct {
	Value     string   `json:"value"`
	Name      string   `json:"name"`
	Type      string   `json:"type,omitempty"`
	Templates []string `json:"templates,omitzero"` // Names; nil: not read.
	Methods   []string `json:"methods,omitzero"`   // Of provisioning; nil: not read.
}

// catalogueReader reads the phone catalogue of one PBX, as deep as the settings say.
type catalogueReader struct {
	settings  *autoprovisioningSettings
	pbx       *pbxclient.Client
	vendors   []PhoneVendor
	models    int
	failures  int                 // Requests in a row.
	templates map[string][]string // By model: the API takes no vendor for templates.
}

// read reads vendors, then models, then templates and methods. What the PBX fails to return is left out, except the
// vendors, until several requests in a row have failed.
func (r *catalogueReader) read(ctx context.Context) error {
	vendors, err := request(r, func() ([]pbxclient.PhoneOption, error) { return r.pbx.PhoneVendors(ctx) })
	if err == nil && len(vendors) > maxVendors {
		err = r.tooMany("vendors of phones", maxVendors)
	}
	if err != nil {
		return err
	}
	r.vendors, r.templates = []PhoneVendor{}, map[string][]string{}
	for _, v := range vendors {
		if len(v.Value) > maxName {
			continue
		}
		vendor := PhoneVendor{Value: v.Value, Name: shorten(v.Name), Type: shorten(v.Type)}
		if r.settings.wantsModels(&vendor) {
			if err := r.readModels(ctx, &vendor); err != nil {
				return err
			}
		}
		r.vendors = append(r.vendors, vendor)
	}
	return nil
}

func (r *catalogueReader) readModels(ctx context.Context, v *PhoneVendor) error {
	models, err := request(r, func() ([]pbxclient.PhoneOption, error) { return r.pbx.PhoneModels(ctx, v.Value) })
	if err == nil && r.models+len(models) > maxModels {
		err = r.tooMany("phones", maxModels)
	}
	if err != nil {
		v.Refused = true
		return r.unlessFew(err)
	}
	r.models += len(models)
	v.Models = []PhoneModel{}
	for _, m := range models {
		if len(m.Value) > maxName {
			continue
		}
		model := PhoneModel{Value: m.Value, Name: shorten(m.Name), Type: shorten(m.Type)}
		if r.settings.Depth == fullDepth {
			if err := r.readDetails(ctx, v.Value, &model); err != nil {
				return err
			}
		}
		v.Models = append(v.Models, model)
	}
	return nil
}

// readDetails reads the templates and methods of a model. A model that two vendors have has the templates of both.
func (r *catalogueReader) readDetails(ctx context.Context, vendor string, m *PhoneModel) error {
	if m.Templates = r.templates[m.Value]; m.Templates == nil {
		templates, err := request(r, func() ([]pbxclient.PhoneOption, error) { return r.pbx.PhoneTemplates(ctx, m.Value) })
		if r.unlessFew(err) != nil {
			return err
		}
		m.Templates = boundedNames(templates, err, func(t pbxclient.PhoneOption) string { return t.Name })
		r.templates[m.Value] = m.Templates
	}
	methods, err := request(r, func() ([]pbxclient.PhoneOption, error) { return r.pbx.ProvisioningMethods(ctx, vendor, m.Value) })
	m.Methods = boundedNames(methods, err, func(m pbxclient.PhoneOption) string { return m.Value })
	return r.unlessFew(err)
}

// request repeats a request that may succeed soon: a catalogue takes hundreds of them, and starts over after a failure.
func request[T any](r *catalogueReader, send func() ([]T, error)) (answer []T, err error) {
	for range 3 {
		if answer, err = send(); !yeastar.ClassOf(err).Retryable() {
			break
		}
	}
	if r.failures++; err == nil {
		r.failures = 0
	}
	return answer, err
}

// unlessFew returns nil while few requests in a row have failed.
func (r *catalogueReader) unlessFew(err error) error {
	if r.failures < 3 {
		return nil
	}
	return err
}

// tooMany is the error of an answer that no regular PBX gives.
func (r *catalogueReader) tooMany(what string, most int) error {
	return &yeastar.Error{
		Endpoint: "auto_provisioning/compatibility", Class: yeastar.Invalid,
		Message: fmt.Sprintf("PBX %s lists more than %d %s", r.pbx.Name(), most, what),
	}
}

// supports reports whether a phone is in the catalogue; ok is false where that could not be read.
func supports(vendors []PhoneVendor, phone RequiredPhone) (yes, ok bool) {
	ok = true
	for _, v := range vendors {
		if !matchesName(phone.Vendor, v.Value, v.Name) {
			continue
		}
		if slices.ContainsFunc(v.Models, func(m PhoneModel) bool { return matchesName(phone.Model, m.Value, m.Name) }) {
			return true, true
		}
		ok = ok && v.Models != nil
	}
	return false, ok
}

// matchesName reports whether a configured name is the value or the display name, whatever their case.
func matchesName(configured, value, name string) bool {
	return strings.EqualFold(configured, value) || strings.EqualFold(configured, name)
}

// boundedNames returns names sorted, without duplicates, and with an ellipsis for what is too long for a label. They are
// empty if the PBX refused the request, and nil if it failed.
func boundedNames[T any](list []T, err error, name func(T) string) []string {
	if err != nil && yeastar.ReachOf(err) != yeastar.Answered && yeastar.ClassOf(err) != yeastar.Invalid {
		return nil
	}
	names := make([]string, len(list))
	for i, one := range list {
		names[i] = shorten(name(one))
	}
	slices.Sort(names)
	names = slices.Compact(names)
	length := 0
	for i, name := range names {
		if length += len(name) + len(","); length > maxJoinedNames {
			return append(names[:i:i], "…")
		}
	}
	return names
}

// PhoneCatalogues returns what collector autoprovisioning has read of each firmware version, from the oldest to the newest, and
// as deep as its settings say.
func (a Account) PhoneCatalogues() []PhoneCatalogue {
	if a.pollers.catalogues == nil {
		return nil
	}
	r, depth := a.pollers.catalogues.reading.Load(), a.pollers.catalogues.account.Settings.(*autoprovisioningSettings).Depth
	if r == nil {
		return nil
	}
	var all []PhoneCatalogue
	for _, v := range r.Versions {
		c := PhoneCatalogue{Version: v.Version, PBXs: v.PBXs, Vendors: slices.Clone(v.Vendors), Problem: v.Problem}
		if c.Vendors == nil {
			c.Vendors = []PhoneVendor{}
		}
		for i := range c.Vendors {
			if c.Vendors[i].Refused = false; depth == vendorsDepth { // Models of required phones are read at any depth.
				c.Vendors[i].Models = nil
			}
		}
		all = append(all, c)
	}
	slices.SortStableFunc(all, func(c, d PhoneCatalogue) int {
		older, _ := parseVersion(c.Version)
		newer, _ := parseVersion(d.Version)
		return cmp.Or(older.compare(newer), cmp.Compare(c.Version, d.Version))
	})
	return all
}
