package collector

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/ycm-exporter/ycm_exporter/config"
	"github.com/ycm-exporter/ycm_exporter/pbxclient"
	"github.com/ycm-exporter/ycm_exporter/yeastar"
)

// Depths to which the catalogue is read, as in the configuration.
const (
	vendorsDepth = "vendors"
	fullDepth    = "full"
)

// Bounds of what is kept for one firmware version. The vendor's own catalogue has a few hundred phones.
const (
	maxVendors  = 200
	maxPhones   = 3000
	longestJoin = 1000 // bytes of a label that joins several names, without an ellipsis
)

// phonebook is what a firmware version knows of phones, as far as it has been read. What is not in a map has not.
type phonebook struct {
	vendors   []pbxclient.PhoneVendor // nil before they were read
	models    map[string]models       // by the vendor's value
	templates map[string][]string     // names by the model's value: the API takes no vendor here
	methods   map[phone][]string      // values
	phones    int                     // models kept
}

// models is the models of a vendor; unknown if no PBX told them in a form that could be used.
type models struct {
	known bool
	list  []pbxclient.PhoneModel
}

// phone is a model by the values that the API takes.
type phone struct{ vendor, model string }

func newPhonebook() *phonebook {
	return &phonebook{models: map[string]models{}, templates: map[string][]string{}, methods: map[phone][]string{}}
}

// question is one request of reading a phonebook.
type question struct {
	ask  func(ctx context.Context, c *pbxclient.Client) error // and keep the answer
	pass func()                                               // go on without an answer; nil if there is no going on
}

// open yields the questions that are left to ask, as far as they are known: the vendors lead to models, and those to
// templates and methods. The required phones' vendors come first.
func (b *phonebook) open(want config.Autoprovisioning) iter.Seq[question] {
	return func(yield func(question) bool) {
		if b.vendors == nil {
			yield(question{ask: b.readVendors})
			return
		}
		for _, v := range b.wanted(want) {
			if _, read := b.models[v.Value]; !read && !yield(b.askModels(v.Value)) {
				return
			}
		}
		if want.Depth != fullDepth {
			return
		}
		for v, m := range b.all() {
			if _, read := b.templates[m.Value]; !read && !yield(b.askTemplates(m.Value)) {
				return
			}
			p := phone{v.Value, m.Value}
			if _, read := b.methods[p]; !read && !yield(b.askMethods(p)) {
				return
			}
		}
	}
}

// next is the question to ask next; it is not ok when all have been.
func (b *phonebook) next(want config.Autoprovisioning) (q question, ok bool) {
	for q := range b.open(want) {
		return q, true
	}
	return q, false
}

// asked is how many questions have been asked, none before there is a phonebook; left how many are known to be left.
func (b *phonebook) asked() int {
	if b == nil {
		return 0
	}
	n := len(b.models) + len(b.templates) + len(b.methods)
	if b.vendors != nil {
		n++
	}
	return n
}

func (b *phonebook) left(want config.Autoprovisioning) (n int) {
	for range b.open(want) {
		n++
	}
	return n
}

// wanted is the vendors whose models are asked for.
func (b *phonebook) wanted(want config.Autoprovisioning) []pbxclient.PhoneVendor {
	required := func(v pbxclient.PhoneVendor) bool {
		return slices.ContainsFunc(want.RequiredPhones, func(p config.Phone) bool { return named(p.Vendor, v.Value, v.Name) })
	}
	var first, others []pbxclient.PhoneVendor
	for _, v := range b.vendors {
		if required(v) {
			first = append(first, v)
		} else if want.Depth != vendorsDepth {
			others = append(others, v)
		}
	}
	return append(first, others...)
}

// all yields each model with its vendor.
func (b *phonebook) all() iter.Seq2[pbxclient.PhoneVendor, pbxclient.PhoneModel] {
	return func(yield func(pbxclient.PhoneVendor, pbxclient.PhoneModel) bool) {
		for _, v := range b.vendors {
			for _, m := range b.models[v.Value].list {
				if !yield(v, m) {
					return
				}
			}
		}
	}
}

// supports tells whether the firmware has a phone; it is not ok where that could not be read.
func (b *phonebook) supports(p config.Phone) (yes, ok bool) {
	if b.vendors == nil {
		return false, false
	}
	ok = true
	for _, v := range b.vendors {
		if !named(p.Vendor, v.Value, v.Name) {
			continue
		}
		m := b.models[v.Value]
		if slices.ContainsFunc(m.list, func(m pbxclient.PhoneModel) bool { return named(p.Model, m.Value, m.Name) }) {
			return true, true
		}
		ok = ok && m.known
	}
	return false, ok
}

// named reports whether a configured name is the value or the display name, whatever their case.
func named(configured, value, name string) bool {
	return strings.EqualFold(configured, value) || strings.EqualFold(configured, name)
}

func (b *phonebook) readVendors(ctx context.Context, c *pbxclient.Client) error {
	vendors, err := c.PhoneVendors(ctx)
	if err != nil {
		return err
	}
	if len(vendors) > maxVendors {
		return tooMany(c, "vendors of phones", maxVendors)
	}
	b.vendors = append([]pbxclient.PhoneVendor{}, slices.DeleteFunc(vendors, func(v pbxclient.PhoneVendor) bool { return len(v.Value) > longestName })...)
	for i, v := range b.vendors {
		b.vendors[i].Name, b.vendors[i].Type = shorten(v.Name), shorten(v.Type)
	}
	return nil
}

func (b *phonebook) askModels(vendor string) question {
	return question{
		ask: func(ctx context.Context, c *pbxclient.Client) error {
			list, err := c.PhoneModels(ctx, vendor)
			if err != nil {
				return err
			}
			list = slices.DeleteFunc(list, func(m pbxclient.PhoneModel) bool { return len(m.Value) > longestName })
			if b.phones+len(list) > maxPhones {
				return tooMany(c, "phones", maxPhones)
			}
			for i, m := range list {
				list[i].Name, list[i].Type = shorten(m.Name), shorten(m.Type)
			}
			b.phones += len(list)
			b.models[vendor] = models{true, list}
			return nil
		},
		pass: func() { b.models[vendor] = models{} },
	}
}

func (b *phonebook) askTemplates(model string) question {
	return question{
		ask: func(ctx context.Context, c *pbxclient.Client) error {
			list, err := c.PhoneTemplates(ctx, model)
			if err != nil {
				return err
			}
			names := make([]string, len(list))
			for i, t := range list {
				names[i] = t.Name
			}
			b.templates[model] = bounded(names)
			return nil
		},
		pass: func() { b.templates[model] = nil },
	}
}

func (b *phonebook) askMethods(p phone) question {
	return question{
		ask: func(ctx context.Context, c *pbxclient.Client) error {
			list, err := c.ProvisioningMethods(ctx, p.vendor, p.model)
			if err != nil {
				return err
			}
			values := make([]string, len(list))
			for i, m := range list {
				values[i] = m.Value
			}
			b.methods[p] = bounded(values)
			return nil
		},
		pass: func() { b.methods[p] = nil },
	}
}

// tooMany is the error for an answer that no honest PBX gives.
func tooMany(c *pbxclient.Client, what string, most int) error {
	return &yeastar.Error{
		Endpoint: "auto_provisioning/compatibility", Class: yeastar.Invalid,
		Message: fmt.Sprintf("PBX %s lists more than %d %s", c.Name(), most, what),
	}
}

// bounded sorts names and leaves out doubles, and what is too much for a label; an ellipsis stands for that.
func bounded(names []string) []string {
	for i, name := range names {
		names[i] = shorten(name)
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
