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

// PhoneOption is one line of a menu of the phones that the PBX's firmware can provision.
type PhoneOption struct {
	Value string // What the other menus take, e.g. Ale; the id of a template.
	Name  string // As people write it, e.g. Alcatel-Lucent Enterprise; of a provisioning method there is none.
	Type  string // E.g. Deskphone, Conferencephone, DECT; may be empty.
}

// PhoneVendors lists the vendors that the PBX's firmware knows, distinct and sorted by value. This and the three methods below are the
// menus of "Query Configuration Options for Auto Provisioning".
func (c *Client) PhoneVendors(ctx context.Context) ([]PhoneOption, error) {
	return c.menu(ctx, url.Values{"menu": {"phone_vendor"}})
}

// PhoneModels lists the models of a vendor, given by its value.
func (c *Client) PhoneModels(ctx context.Context, vendor string) ([]PhoneOption, error) {
	return c.menu(ctx, url.Values{"menu": {"phone_model"}, "vendor": {vendor}})
}

// PhoneTemplates lists the templates of a model, given by its value. The API takes no vendor here: a model name that two vendors share
// has the templates of both.
func (c *Client) PhoneTemplates(ctx context.Context, model string) ([]PhoneOption, error) {
	return c.menu(ctx, url.Values{"menu": {"phone_template"}, "model": {model}})
}

const methodMenu = "autop_method"

// ProvisioningMethods lists the methods of a vendor's model, both given by value. The link that the PBX gives with a method is a secret
// and is dropped.
func (c *Client) ProvisioningMethods(ctx context.Context, vendor, model string) ([]PhoneOption, error) {
	return c.menu(ctx, url.Values{"menu": {methodMenu}, "vendor": {vendor}, "model": {model}})
}

type optionRecord struct {
	Value yeastar.Text `json:"value"`
	Text  yeastar.Text `json:"text"`
	Type  yeastar.Text `json:"type"`
}

// menu queries one menu of the catalogue. Options without a value are left out, and of equal ones the first is kept.
func (c *Client) menu(ctx context.Context, query url.Values) ([]PhoneOption, error) {
	answer, err := fetch[optionRecord](ctx, c, compatibility, query)
	if err != nil {
		return nil, err
	}
	if answer.Data.More {
		return nil, c.invalid(compatibility, fmt.Sprintf("the menu has more than %d options", yeastar.MaxItems))
	}
	var options []PhoneOption
	for _, r := range answer.Data.Items {
		option := PhoneOption{Value: strings.TrimSpace(r.Value.String()), Type: r.Type.String()}
		if query.Get("menu") != methodMenu {
			option.Name = r.Text.String()
		}
		if option.Value != "" {
			options = append(options, option)
		}
	}
	slices.SortStableFunc(options, func(a, b PhoneOption) int { return cmp.Compare(a.Value, b.Value) })
	return slices.CompactFunc(options, func(a, b PhoneOption) bool { return a.Value == b.Value }), nil
}
