package pbxclient

import (
	"context"
	"strings"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

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
	return allRecords(ctx, c, phoneSearch, phoneRecord.phone)
}

// phoneRecord leaves out whose the phone is: its MAC, its address, the extension's name. The extension's number is only compared.
type phoneRecord struct {
	ID        yeastar.Number `json:"id"`
	Vendor    yeastar.Text   `json:"vendor"`
	Model     yeastar.Text   `json:"model"`
	Status    yeastar.Text   `json:"assigned_ext_status"`
	Extension yeastar.Text   `json:"assigned_ext_num"`
}

func (r phoneRecord) phone() (yeastar.Number, Phone) {
	state := PhoneUnreported
	switch status := r.Status.String(); {
	case strings.EqualFold(r.Extension.String(), "Unassigned"):
		state = PhoneUnassigned
	case strings.EqualFold(status, "Registered"):
		state = PhoneRegistered
	case strings.EqualFold(status, "Unregistered"):
		state = PhoneUnregistered
	}
	return r.ID, Phone{Vendor: r.Vendor.String(), Model: r.Model.String(), State: state}
}
