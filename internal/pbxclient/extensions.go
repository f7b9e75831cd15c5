package pbxclient

import (
	"context"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

const extensionList path = "extension/list"

// Endpoint is what an extension can be reached on.
type Endpoint uint8

// The endpoints of "Query Extension List".
const (
	SIPPhone Endpoint = iota
	LinkusDesktop
	LinkusMobile
	LinkusWeb
	FXSPhone             // Of the appliances.
	Endpoints int = iota // How many there are.
)

// String is the endpoint's name in the API.
func (e Endpoint) String() string {
	return [Endpoints]string{"sip_phone", "linkus_desktop", "linkus_mobile", "linkus_web", "fxs_phone"}[e]
}

// EndpointState is whether an endpoint is online.
type EndpointState uint8

// The states. Unreported is of an endpoint without a documented state.
const (
	Unreported EndpointState = iota
	Offline
	Online
)

// Extension is the state of each endpoint of an extension. Whose it is, is not known here.
type Extension [Endpoints]EndpointState

// Extensions reads the PBX's extensions ("Query Extension List"), all or nothing.
func (c *Client) Extensions(ctx context.Context) ([]Extension, error) {
	return pages(ctx, c, extensionList, "id", extensionRecord.extension)
}

// extensionRecord leaves out whose the extension is: number, names, addresses, presence.
type extensionRecord struct {
	ID     yeastar.Number `json:"id"`
	Online struct {
		SIPPhone      endpointState `json:"sip_phone"`
		LinkusDesktop endpointState `json:"linkus_desktop"`
		LinkusMobile  endpointState `json:"linkus_mobile"`
		LinkusWeb     endpointState `json:"linkus_web"`
		FXSPhone      endpointState `json:"fxs_phone"`
	} `json:"online_status"`
}

func (r extensionRecord) extension() (yeastar.Number, Extension) {
	o := r.Online
	return r.ID, Extension{
		SIPPhone: o.SIPPhone.best, LinkusDesktop: o.LinkusDesktop.best, LinkusMobile: o.LinkusMobile.best, LinkusWeb: o.LinkusWeb.best,
		FXSPhone: o.FXSPhone.best,
	}
}

type endpointRecord struct {
	Status yeastar.Number `json:"status"`
	List   yeastar.List[struct {
		Status yeastar.Number `json:"status"`
	}] `json:"status_list"`
}

// endpointState is a status, or a list of one for each registration: the endpoint is online if one of them is, and offline without any.
type endpointState struct{ best EndpointState }

// UnmarshalJSON takes any JSON value.
func (s *endpointState) UnmarshalJSON(wire []byte) error {
	return yeastar.Each(wire, func(o endpointRecord) bool {
		s.best = max(s.best, stateOf(o.Status))
		if len(o.List.Items) == 0 && !o.List.Absent() && !o.List.Unreadable() {
			s.best = max(s.best, Offline)
		}
		for _, registration := range o.List.Items {
			s.best = max(s.best, stateOf(registration.Status))
		}
		return s.best < Online
	})
}

func stateOf(n yeastar.Number) EndpointState {
	if !n.Given || n.Value < 0 || n.Value > 1 {
		return Unreported
	}
	return Offline + EndpointState(n.Value)
}
