package collector

import (
	"context"
	"fmt"
	"slices"

	"github.com/ycm-exporter/ycm_exporter/pbxclient"
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
	Value  string       `json:"value"`
	Name   string       `json:"name"`
	Type   string       `json:"type,omitempty"`
	Models []PhoneModel `json:"models,omitempty"` // not with depth vendors
}

// PhoneModel is a phone.
type PhoneModel struct {
	Value     string   `json:"value"`
	Name      string   `json:"name"`
	Type      string   `json:"type,omitempty"`
	Templates []string `json:"templates,omitempty"` // names, with depth full
	Methods   []string `json:"methods,omitempty"`   // of provisioning, with depth full
}

// Phones reads the catalogue of each firmware version that PBXs of the account have, from the oldest to the newest, as deep as the
// collector autoprovisioning is configured, whether that is enabled or not. An account that polls must not be asked; this one is
// closed afterwards. The error is YCM's. progress, which may be nil, is told how far the reading is.
func (a *Account) Phones(ctx context.Context, progress func(done, total int)) ([]PhoneCatalogue, error) {
	defer a.close(ctx)
	if progress == nil {
		progress = func(int, int) {}
	}
	if a.job(cloudPBXName) != nil {
		list, err := a.options.Client.Walk(ctx, nil, nil)
		if err != nil {
			return nil, err
		}
		a.known.list.Store(&list)
	}
	reader := newAutoprovisioning(a, a.options.Collectors.Autoprovisioning)
	reader.hurry()
	if _, err := reader.Poll(ctx, progress); err != nil {
		return nil, err
	}
	catalogues := make([]PhoneCatalogue, len(reader.editions))
	for i, e := range reader.editions {
		catalogues[i] = e.catalogue(reader.settings.Depth)
	}
	slices.SortStableFunc(catalogues, func(c, d PhoneCatalogue) int {
		older, _ := parseVersion(c.Version)
		newer, _ := parseVersion(d.Version)
		return older.compare(newer)
	})
	return catalogues, nil
}

func (e *edition) catalogue(depth string) PhoneCatalogue {
	c := PhoneCatalogue{Version: e.version, PBXs: e.pbxs, Vendors: []PhoneVendor{}}
	switch {
	case e.err != nil:
		c.Problem = e.err.Error()
	case e.book == nil:
		c.Problem = fmt.Sprintf("none of its %d PBXs is Running, so there is none to ask", e.pbxs)
	}
	b := e.shown()
	if b == nil {
		return c
	}
	for _, v := range b.vendors {
		vendor := PhoneVendor{Value: v.Value, Name: v.Name, Type: v.Type}
		if depth != vendorsDepth {
			vendor.Models = b.modelsOf(v)
		}
		c.Vendors = append(c.Vendors, vendor)
	}
	return c
}

func (b *phonebook) modelsOf(v pbxclient.PhoneVendor) []PhoneModel {
	var all []PhoneModel
	for _, m := range b.models[v.Value].list {
		all = append(all, PhoneModel{
			Value: m.Value, Name: m.Name, Type: m.Type,
			Templates: b.templates[m.Value], Methods: b.methods[phone{v.Value, m.Value}],
		})
	}
	return all
}
