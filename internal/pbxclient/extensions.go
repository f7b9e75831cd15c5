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
	ID            yeastar.Int   `api:"id"`
	SIPPhone      EndpointState `api:"online_status.sip_phone"`
	LinkusDesktop EndpointState `api:"online_status.linkus_desktop"`
	LinkusMobile  EndpointState `api:"online_status.linkus_mobile"`
	LinkusWeb     EndpointState `api:"online_status.linkus_web"`
	FXSPhone      EndpointState `api:"online_status.fxs_phone"`
}

func (r extensionRecord) extension() (yeastar.Int, Extension) {
	return r.ID, Extension{
		SIPPhone: r.SIPPhone, LinkusDesktop: r.LinkusDesktop, LinkusMobile: r.LinkusMobile, LinkusWeb: r.LinkusWeb, FXSPhone: r.FXSPhone,
	}
}

type endpointRecord struct {
	Status yeastar.Number `json:"status"`
	List   yeastar.List[struct {
		Status yeastar.Number `json:"status"`
	}] `json:"status_list"`
}

// Read takes a status, or a list of one for each registration: the endpoint is online if one of them is, and offline without any.
func (s *EndpointState) Read(wire []byte) (ok bool) {
	err := yeastar.Each(wire, func(o endpointRecord) bool {
		*s = max(*s, stateOf(o.Status))
		if len(o.List.Items) == 0 && !o.List.Absent() && !o.List.Unreadable() {
			*s = max(*s, Offline)
		}
		for _, registration := range o.List.Items {
			*s = max(*s, stateOf(registration.Status))
		}
		return *s < Online
	})
	return err == nil
}

func stateOf(n yeastar.Number) EndpointState {
	if !n.Given || n.Value < 0 || n.Value > 1 {
		return Unreported
	}
	return Offline + EndpointState(n.Value)
}
