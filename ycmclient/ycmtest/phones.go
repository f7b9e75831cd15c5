package ycmtest

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// phoneVendor is a vendor of phones that a PBX can provision, with its models by kind and first firmware. Two vendors have
// different phones with the name H3.
type phoneVendor struct {
	text, value string
	rps         bool // has a redirection service
	series      []phoneSeries
}

type phoneSeries struct {
	kind, since, template string
	models                string // separated by spaces
}

const (
	deskphone       = "Deskphone"
	conferencephone = "Conferencephone"
	dect            = "DECT"
)

var phoneVendors = []phoneVendor{
	{"Alcatel-Lucent Enterprise", "Ale", true, []phoneSeries{
		{deskphone, "84.6", "Ale", "M3 M5 M7 H2 H3 H6"},
		{deskphone, "84.16", "AleMyriad", "M8"},
	}},
	{"Cisco", "Cisco", false, []phoneSeries{
		{deskphone, "84.10", "CiscoMPP", "CP-7821 CP-7841 CP-7861 CP-8811 CP-8841 CP-8851"},
		{conferencephone, "84.18", "CiscoConf", "CP-7832 CP-8832"},
	}},
	{"Dinstar", "Dinstar", false, []phoneSeries{{deskphone, "84.12", "Dinstar", "C60U C62U C66GP"}}},
	{"Fanvil", "Fanvil", true, []phoneSeries{
		{deskphone, "84.6", "FanvilX", "X1S X3S X3U X4U X5U X6U X7 X7A X7C H2U H3 H5"},
		{deskphone, "84.19", "FanvilV", "V62 V64 V65 V67"},
		{conferencephone, "84.20", "FanvilCS", "CS30"},
	}},
	{"Flyingvoice", "Flyingvoice", false, []phoneSeries{{deskphone, "84.9", "Flyingvoice", "FIP10P FIP11C FIP12WP FIP13G FIP14G FIP15G"}}},
	{"Gigaset", "Gigaset", true, []phoneSeries{
		{dect, "84.8", "GigasetN", "N610 N670 N870"},
		{deskphone, "84.8", "GigasetMaxwell", "Maxwell-2 Maxwell-3 Maxwell-4"},
	}},
	{"Grandstream", "Grandstream", false, []phoneSeries{
		{deskphone, "84.7", "GrandstreamGRP", "GRP2601 GRP2602 GRP2612 GRP2613 GRP2614 GRP2615 GRP2616"},
		{deskphone, "84.21", "GrandstreamGXV", "GXV3470 GXV3480"},
	}},
	{"Htek", "Htek", true, []phoneSeries{{deskphone, "84.6", "Htek", "UC902 UC903 UC912 UC921 UC923 UC924 UC926"}}},
	{"Snom", "Snom", true, []phoneSeries{
		{deskphone, "84.6", "SnomD", "D120 D315 D335 D385 D713 D735 D785"},
		{dect, "84.12", "SnomM", "M300 M700 M900"},
	}},
	{"Yealink", "Yealink", true, []phoneSeries{
		{deskphone, "84.6", "YealinkT", "T19P_E2 T21P_E2 T23G T27G T29G T31G T33G T41S T42S T43U T46S T46U T48S T48U T53W T54W T57W"},
		{conferencephone, "84.6", "YealinkCP", "CP920 CP930W CP960"},
		{dect, "84.7", "YealinkW", "W60B W70B W73P SIP-W80DM SIP-W90DM"},
		{deskphone, "84.9", "YealinkVP", "VP59"},
		{deskphone, "84.20", "YealinkT7", "T73W T74W T77U T85W T87W T88W"},
		{conferencephone, "84.21", "YealinkCP9", "CP925 CP935W CP965"},
	}},
}

// option is one row of an answer.
type option struct {
	Text  string `json:"text"`
	Value string `json:"value"`
	Type  string `json:"type,omitempty"`
}

// compatibility is "Query Configuration Options for Auto Provisioning", since firmware 84.8. Newer firmware has more models.
func (s *Server) compatibility(p PBX, query url.Values) pbxAnswer {
	if compareVersions(p.Version, "84.8") < 0 {
		return pbxError(10001)
	}
	menu := query.Get("menu")
	required, ok := map[string][]string{
		"phone_vendor":   nil,
		"phone_model":    {"vendor"},
		"phone_template": {"model"},
		"autop_method":   {"vendor", "model"},
	}[menu]
	if !ok {
		if menu == "" {
			return invalid("menu", "required")
		}
		return invalid("menu", "enum")
	}
	for _, name := range required {
		if query.Get(name) == "" {
			return invalid(name, "required")
		}
	}
	options := []option{}
	for i, v := range phoneVendors {
		if wanted := query.Get("vendor"); menu != "phone_vendor" && wanted != "" && wanted != v.value {
			continue
		}
		for j, series := range v.series {
			if compareVersions(p.Version, series.since) < 0 {
				continue
			}
			if menu == "phone_vendor" {
				options = append(options, option{v.text, v.value, series.kind})
				break
			}
			for model := range strings.FieldsSeq(series.models) {
				switch {
				case menu == "phone_model":
					options = append(options, option{model, model, series.kind})
				case model != query.Get("model"):
				case menu == "phone_template": // Its id is a string, and it has no type.
					options = append(options, option{Text: "YSDP_" + series.template, Value: strconv.Itoa(20 + 10*i + j)})
				case menu == "autop_method":
					options = append(options, v.methods(s.fleet.world.link(p))...)
				}
			}
		}
	}
	answer := pbxError(0)
	answer["data"] = options
	return answer
}

// methods have the PBX's provisioning link as text, which is as secret as a password.
func (v phoneVendor) methods(link string) (options []option) {
	for _, method := range []string{"rps", "pnp", "dhcp"} {
		if method != "rps" || v.rps {
			options = append(options, option{link, method, "full"})
		}
	}
	return options
}

// link is where the phones of a PBX get their configuration: a host with a secret path, without a scheme.
func (w world) link(p PBX) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d %d", w.seed, p.ID))
	return p.URL + ":443/api/autoprovision/" + base64.RawURLEncoding.EncodeToString(sum[:12])
}

// ProvisioningLink is the secret link of a PBX, for tests that search logs and pages for it.
func (s *Server) ProvisioningLink(id int64) string {
	p, _ := s.PBX(id)
	return s.fleet.world.link(p)
}
