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
	Value string `api:"value"` // What the other menus take, e.g. Ale; the id of a template.
	Name  string `api:"text"`  // As people write it, e.g. Alcatel-Lucent Enterprise; of a provisioning method there is none.
	Type  string `api:"type"`  // E.g. Deskphone, Conferencephone, DECT; may be empty.
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

// menu queries one menu of the catalogue. Options without a value are left out, and of equal ones the first is kept.
func (c *Client) menu(ctx context.Context, query url.Values) ([]PhoneOption, error) {
	answer, err := fetch[PhoneOption](ctx, c, compatibility, query)
	if err != nil {
		return nil, err
	}
	if answer.Data.More {
		return nil, c.invalid(compatibility, fmt.Sprintf("the menu has more than %d options", yeastar.MaxItems))
	}
	var options []PhoneOption
	for _, r := range answer.Data.Items {
		option := r.Value
		option.Value = strings.TrimSpace(option.Value)
		if query.Get("menu") == methodMenu {
			option.Name = "" // A link.
		}
		if option.Value != "" {
			options = append(options, option)
		}
	}
	slices.SortStableFunc(options, func(a, b PhoneOption) int { return cmp.Compare(a.Value, b.Value) })
	return slices.CompactFunc(options, func(a, b PhoneOption) bool { return a.Value == b.Value }), nil
}

const phoneSearch path = "phone/search"

// Phone is a phone that the PBX provisions. Whose it is, is not known here.
type Phone struct {
	Vendor, Model string
	State         PhoneState
}

// PhoneState is whether a phone serves its extension.
type PhoneState uint8

// The states. PhoneUnreported is of a phone that has an extension and no documented state.
const (
	PhoneRegistered PhoneState = iota
	PhoneUnassigned
	PhoneUnregistered
	PhoneStates     int = iota // How many of them are exported.
	PhoneUnreported     = PhoneState(PhoneStates)
)

// String is the state as a label value.
func (s PhoneState) String() string {
	return [...]string{"registered", "unassigned", "unregistered", "unreported"}[s]
}

// Phones reads the phones that the PBX provisions ("Search Specific IP Phones", for all of them), all or nothing.
func (c *Client) Phones(ctx context.Context) ([]Phone, error) {
	return pages(ctx, c, phoneSearch, "vendor", phoneRecord.phone)
}

// phoneRecord leaves out whose the phone is: its MAC, its address, the extension's name. The extension's number is only compared.
type phoneRecord struct {
	ID        yeastar.Int `api:"id"`
	Vendor    string      `api:"vendor"`
	Model     string      `api:"model"`
	Status    string      `api:"assigned_ext_status"`
	Extension string      `api:"assigned_ext_num"`
}

func (r phoneRecord) phone() (yeastar.Int, Phone) {
	state := PhoneUnreported
	switch {
	case strings.EqualFold(r.Extension, "Unassigned"):
		state = PhoneUnassigned
	case strings.EqualFold(r.Status, "Registered"):
		state = PhoneRegistered
	case strings.EqualFold(r.Status, "Unregistered"):
		state = PhoneUnregistered
	}
	return r.ID, Phone{Vendor: r.Vendor, Model: r.Model, State: state}
}
