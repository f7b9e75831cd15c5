package pbxclient

import (
	"context"
	"strings"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

const phoneSearch path = "phone/search"

const (
	// maxPhones is more than any PBX has.
	maxPhones     = 10_000
	maxPhonePages = 200
)

// Phone is a phone that the PBX provisions. Whose it is, is not known here.
type Phone struct {
	Vendor, Model string
	State         PhoneState
}

// PhoneState is whether a phone serves its extension.
type PhoneState uint8

// The states. PhoneUntold is of a phone that has an extension and no documented state.
const (
	PhoneRegistered PhoneState = iota
	PhoneUnassigned
	PhoneUnregistered
	PhoneStates int = iota // how many of them are exported
	PhoneUntold     = PhoneState(PhoneStates)
)

// String is the state as a label value.
func (s PhoneState) String() string {
	return [...]string{"registered", "unassigned", "unregistered", "untold"}[s]
}

// Phones reads the phones that the PBX provisions ("Search Specific IP Phones", for all of them), all or nothing. A record
// without an id is left out.
func (c *Client) Phones(ctx context.Context) ([]Phone, error) {
	return allPages(ctx, c, list{phoneSearch, maxPhones, maxPhonePages, "phones"}, phoneRecord.phone)
}

// phoneRecord leaves out whose the phone is: its MAC, its address, the extension's name.
type phoneRecord struct {
	ID         yeastar.Number `json:"id"`
	Vendor     yeastar.Text   `json:"vendor"`
	Model      yeastar.Text   `json:"model"`
	Status     yeastar.Text   `json:"assigned_ext_status"`
	Unassigned unassigned     `json:"assigned_ext_num"`
}

func (r phoneRecord) phone() (int64, Phone, bool) {
	state := PhoneUntold
	switch status := r.Status.String(); {
	case bool(r.Unassigned):
		state = PhoneUnassigned
	case strings.EqualFold(status, "Registered"):
		state = PhoneRegistered
	case strings.EqualFold(status, "Unregistered"):
		state = PhoneUnregistered
	}
	return r.ID.Value, Phone{Vendor: r.Vendor.String(), Model: r.Model.String(), State: state}, r.ID.Given
}

// unassigned reports whether the number of the phone's extension is that of none. The number itself is not kept.
type unassigned bool

// UnmarshalJSON takes any JSON value.
func (u *unassigned) UnmarshalJSON(wire []byte) error {
	var number yeastar.Text
	err := number.UnmarshalJSON(wire)
	*u = unassigned(strings.EqualFold(number.String(), "Unassigned"))
	return err
}
