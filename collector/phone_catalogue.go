package collector

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/ycm-exporter/ycm_exporter/internal/pbxclient"
	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

// Bounds for one firmware version. The vendor's own catalogue has a few hundred phones.
const (
	maxFailures    = 3 // In a row.
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
	Models []PhoneModel `json:"models,omitzero"` // nil: not read, or refused
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
	pbx       *pbxclient.Client
	settings  *autoprovisioningSettings
	failures  int                 // Requests in a row.
	failed    error               // Why nothing more is requested.
	templates map[string][]string // By model: the API takes no vendor for templates.
}

// read reads vendors, then models, then templates and methods. What the PBX fails to return is left out, except the
// vendors, until several requests in a row have failed.
func (r *catalogueReader) read(ctx context.Context) ([]PhoneVendor, error) {
	listed, err := r.list("vendors of phones", maxVendors, func() ([]pbxclient.PhoneOption, error) { return r.pbx.PhoneVendors(ctx) })
	if err != nil {
		return nil, err
	}
	vendors, phones := []PhoneVendor{}, 0
	for _, v := range listed {
		vendor := PhoneVendor{Value: v.Value, Name: shorten(v.Name), Type: shorten(v.Type)}
		if r.settings.wantsModels(&vendor) {
			vendor.Models = r.readModels(ctx, v.Value)
		}
		if phones += len(vendor.Models); phones > maxModels {
			r.failed = r.tooMany("phones", maxModels)
		}
		vendors = append(vendors, vendor)
	}
	return vendors, r.failed
}

func (r *catalogueReader) readModels(ctx context.Context, vendor string) []PhoneModel {
	listed, err := r.list("phones", maxModels, func() ([]pbxclient.PhoneOption, error) { return r.pbx.PhoneModels(ctx, vendor) })
	if err != nil {
		return nil
	}
	models := []PhoneModel{}
	for _, m := range listed {
		model := PhoneModel{Value: m.Value, Name: shorten(m.Name), Type: shorten(m.Type)}
		if r.settings.Depth == fullDepth {
			model.Templates, model.Methods = r.readDetails(ctx, vendor, m.Value)
		}
		models = append(models, model)
	}
	return models
}

// readDetails reads the templates and methods of a model. A model that two vendors have has the templates of both.
func (r *catalogueReader) readDetails(ctx context.Context, vendor, model string) (templates, methods []string) {
	if r.templates[model] == nil {
		listed, err := r.request(func() ([]pbxclient.PhoneOption, error) { return r.pbx.PhoneTemplates(ctx, model) })
		r.templates[model] = boundedNames(listed, err, func(t pbxclient.PhoneOption) string { return t.Name })
	}
	listed, err := r.request(func() ([]pbxclient.PhoneOption, error) { return r.pbx.ProvisioningMethods(ctx, vendor, model) })
	return r.templates[model], boundedNames(listed, err, func(m pbxclient.PhoneOption) string { return m.Value })
}

// list requests vendors or models, without those whose values are too long to be regular. More than most are an error.
func (r *catalogueReader) list(what string, most int, send func() ([]pbxclient.PhoneOption, error)) ([]pbxclient.PhoneOption, error) {
	listed, err := r.request(send)
	if len(listed) > most {
		r.failed = r.tooMany(what, most)
		return nil, r.failed
	}
	return slices.DeleteFunc(listed, func(o pbxclient.PhoneOption) bool { return len(o.Value) > maxName }), err
}

// request repeats a request that may succeed soon: a catalogue takes hundreds of them, and starts over after a failure.
func (r *catalogueReader) request(send func() ([]pbxclient.PhoneOption, error)) (answer []pbxclient.PhoneOption, err error) {
	if r.failed != nil {
		return nil, r.failed
	}
	for range 3 {
		if answer, err = send(); !yeastar.ClassOf(err).Retryable() {
			break
		}
	}
	if r.failures++; err == nil {
		r.failures = 0
	} else if r.failures >= maxFailures {
		r.failed = err
	}
	return answer, err
}

// tooMany is the error of an answer that no regular PBX gives.
func (r *catalogueReader) tooMany(what string, most int) error {
	return &yeastar.Error{
		Endpoint: "auto_provisioning/compatibility", Class: yeastar.Invalid,
		Message: fmt.Sprintf("PBX %s lists more than %d %s", r.pbx.Name, most, what),
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
func boundedNames(list []pbxclient.PhoneOption, err error, name func(pbxclient.PhoneOption) string) []string {
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
func (a Account) PhoneCatalogues() (all []PhoneCatalogue) {
	r := readingOf[cataloguesReading](a.pollers, Autoprovisioning)
	if r == nil {
		return nil
	}
	for _, v := range r.Versions {
		c := v.PhoneCatalogue
		c.Vendors = append([]PhoneVendor{}, v.Vendors...)
		for i := range c.Vendors {
			if v.Depth == vendorsDepth { // Models of required phones are read at any depth.
				c.Vendors[i].Models = nil
			}
		}
		all = append(all, c)
	}
	slices.SortStableFunc(all, func(c, d PhoneCatalogue) int { return compareVersions(c.Version, d.Version) })
	return all
}
