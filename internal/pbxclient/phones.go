package pbxclient

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

const compatibility path = "auto_provisioning/compatibility"

// PhoneVendor is a maker of phones that the PBX's firmware knows.
type PhoneVendor struct {
	Value string // what PhoneModels takes, e.g. Ale
	Name  string // as people write it, e.g. Alcatel-Lucent Enterprise
	Type  string // e.g. Deskphone; may be empty
}

// PhoneModel is a phone that the PBX's firmware can provision.
type PhoneModel struct {
	Value string // what PhoneTemplates and ProvisioningMethods take
	Name  string
	Type  string // e.g. Deskphone, Conferencephone, DECT; may be empty
}

// PhoneTemplate is a template to provision a phone from.
type PhoneTemplate struct{ ID, Name string }

// ProvisioningMethod is a way in which a phone gets its configuration. The link that the PBX gives with it is a
// secret, and is dropped when the answer is decoded.
type ProvisioningMethod struct {
	Value string // e.g. rps
	Type  string // e.g. full; may be empty
}

// option is one line of a menu, without its text, which is a link in one of the menus.
type option struct {
	Value yeastar.Text `json:"value"`
	Type  yeastar.Text `json:"type"`
}

func (o option) key() string { return strings.TrimSpace(o.Value.String()) }

// namedOption is one line of a menu whose text is a name.
type namedOption struct {
	option
	Text yeastar.Text `json:"text"`
}

// PhoneVendors lists the vendors that the PBX's firmware knows, distinct and sorted by value. This and the three
// methods below are the menus of "Query Configuration Options for Auto Provisioning".
func (c *Client) PhoneVendors(ctx context.Context) ([]PhoneVendor, error) {
	return menu(ctx, c, url.Values{"menu": {"phone_vendor"}}, func(o namedOption) PhoneVendor {
		return PhoneVendor{Value: o.key(), Name: o.Text.String(), Type: o.Type.String()}
	})
}

// PhoneModels lists the models of a vendor, which is a PhoneVendor's Value, distinct and sorted by value.
func (c *Client) PhoneModels(ctx context.Context, vendor string) ([]PhoneModel, error) {
	query := url.Values{"menu": {"phone_model"}, "vendor": {vendor}}
	return menu(ctx, c, query, func(o namedOption) PhoneModel {
		return PhoneModel{Value: o.key(), Name: o.Text.String(), Type: o.Type.String()}
	})
}

// PhoneTemplates lists the templates of a model, which is a PhoneModel's Value, distinct and sorted by id. The API
// takes no vendor here: a model name that two vendors share has the templates of both.
func (c *Client) PhoneTemplates(ctx context.Context, model string) ([]PhoneTemplate, error) {
	query := url.Values{"menu": {"phone_template"}, "model": {model}}
	return menu(ctx, c, query, func(o namedOption) PhoneTemplate {
		return PhoneTemplate{ID: o.key(), Name: o.Text.String()}
	})
}

// ProvisioningMethods lists the methods of a vendor's model, both given by Value, distinct and sorted by value.
func (c *Client) ProvisioningMethods(ctx context.Context, vendor, model string) ([]ProvisioningMethod, error) {
	query := url.Values{"menu": {"autop_method"}, "vendor": {vendor}, "model": {model}}
	return menu(ctx, c, query, func(o option) ProvisioningMethod {
		return ProvisioningMethod{Value: o.key(), Type: o.Type.String()}
	})
}

// menu queries one menu of the catalogue and makes an R of each O that has a value, of equal ones the first alone.
func menu[O interface{ key() string }, R any](
	ctx context.Context, c *Client, query url.Values, convert func(O) R,
) ([]R, error) {
	answer, err := fetch[O](ctx, c, compatibility, query)
	if err != nil {
		return nil, err
	}
	options := answer.Data.Items
	if answer.Data.More {
		return nil, c.invalid(compatibility, fmt.Sprintf("the menu has more than %d options", yeastar.MaxItems))
	}
	slices.SortStableFunc(options, func(a, b O) int { return cmp.Compare(a.key(), b.key()) })
	var result []R
	for i, o := range options {
		if o.key() != "" && (i == 0 || o.key() != options[i-1].key()) {
			result = append(result, convert(o))
		}
	}
	return result, nil
}
