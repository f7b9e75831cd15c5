package pbxclient

import (
	"context"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

const extensionList path = "extension/list"

const (
	// maxExtensions is more than any PBX may have, and what is kept of one is a few bytes.
	maxExtensions     = 10_000
	maxExtensionPages = 200
)

// Endpoint is what an extension can be reached on.
type Endpoint uint8

// The endpoints of "Query Extension List".
const (
	SIPPhone Endpoint = iota
	LinkusDesktop
	LinkusMobile
	LinkusWeb
	Endpoints int = iota // how many there are
)

// String is the endpoint's name in the API.
func (e Endpoint) String() string {
	return [Endpoints]string{"sip_phone", "linkus_desktop", "linkus_mobile", "linkus_web"}[e]
}

// EndpointState is whether an endpoint is online.
type EndpointState uint8

// The states. Untold is of an endpoint without a documented state.
const (
	Untold EndpointState = iota
	Offline
	Online
)

// Extension is the state of each endpoint of an extension. Whose it is, is not known here.
type Extension [Endpoints]EndpointState

// Extensions reads the PBX's extensions ("Query Extension List"), all or nothing. A record without an id is left out.
func (c *Client) Extensions(ctx context.Context) ([]Extension, error) {
	return allPages(ctx, c, list{extensionList, maxExtensions, maxExtensionPages, "extensions"}, extensionRecord.extension)
}

// extensionRecord leaves out whose the extension is: number, names, addresses, presence.
type extensionRecord struct {
	ID     yeastar.Number `json:"id"`
	Online yeastar.Object[struct {
		SIPPhone      endpointState `json:"sip_phone"`
		LinkusDesktop endpointState `json:"linkus_desktop"`
		LinkusMobile  endpointState `json:"linkus_mobile"`
		LinkusWeb     endpointState `json:"linkus_web"`
	}] `json:"online_status"`
}

func (r extensionRecord) extension() (int64, Extension, bool) {
	o := r.Online.Value
	return r.ID.Value, Extension{
		SIPPhone: o.SIPPhone.state, LinkusDesktop: o.LinkusDesktop.state, LinkusMobile: o.LinkusMobile.state, LinkusWeb: o.LinkusWeb.state,
	}, r.ID.Given
}

// endpointState is a status, or a list of one for each registration: the endpoint is online if one of them is, and
// offline without any.
type endpointState struct{ state EndpointState }

// UnmarshalJSON takes any JSON value.
func (s *endpointState) UnmarshalJSON(wire []byte) error {
	*s = endpointState{}
	if wire[0] != '{' && wire[0] != '[' {
		return nil
	}
	return yeastar.Each(wire, func(o struct {
		Status yeastar.Number `json:"status"`
		List   registrations  `json:"status_list"`
	},
	) bool {
		s.state = max(s.state, stateOf(o.Status), o.List.state)
		return true
	})
}

// registrations is the state of several, of which none is kept.
type registrations struct{ state EndpointState }

// UnmarshalJSON takes any JSON value.
func (s *registrations) UnmarshalJSON(wire []byte) error {
	*s = registrations{}
	if wire[0] != '{' && wire[0] != '[' {
		return nil
	}
	none := true
	err := yeastar.Each(wire, func(one struct {
		Status yeastar.Number `json:"status"`
	},
	) bool {
		none, s.state = false, max(s.state, stateOf(one.Status))
		return s.state < Online
	})
	if none {
		s.state = Offline
	}
	return err
}

// stateOf takes a number that is not documented for none.
func stateOf(n yeastar.Number) EndpointState {
	switch {
	case n.Given && n.Value == 0:
		return Offline
	case n.Given && n.Value == 1:
		return Online
	default:
		return Untold
	}
}
