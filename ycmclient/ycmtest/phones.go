package ycmtest

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// phoneVendor is a maker of phones that a PBX can provision, with its models by their kind and by the firmware that
// brought them. Two makers have a phone called H3, and they are different phones.
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

// compatibility is "Query Configuration Options for Auto Provisioning", which firmware before 84.8 does not have.
// What a firmware knows grows with its version.
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
		if menu != "phone_vendor" && query.Get("vendor") != "" && query.Get("vendor") != v.value {
			continue
		}
		v.series = slices.DeleteFunc(slices.Clone(v.series), func(s phoneSeries) bool { return compareVersions(p.Version, s.since) < 0 })
		if len(v.series) == 0 {
			continue
		}
		switch menu {
		case "phone_vendor":
			options = append(options, option{v.text, v.value, v.series[0].kind})
		case "phone_model":
			options = append(options, v.models()...)
		case "phone_template":
			options = append(options, v.templates(i, query.Get("model"))...)
		case "autop_method":
			options = append(options, v.methods(query.Get("model"), s.fleet.world.link(p))...)
		}
	}
	answer := pbxError(0)
	answer["data"] = options
	return answer
}

func (v phoneVendor) models() (options []option) {
	for _, s := range v.series {
		for model := range strings.FieldsSeq(s.models) {
			options = append(options, option{model, model, s.kind})
		}
	}
	return options
}

// templates have ids, written as strings, and no type.
func (v phoneVendor) templates(vendor int, model string) (options []option) {
	for i, s := range v.series {
		if slices.Contains(strings.Fields(s.models), model) {
			options = append(options, option{Text: "YSDP_" + s.template, Value: strconv.Itoa(20 + 10*vendor + i)})
		}
	}
	return options
}

// methods have the PBX's provisioning link for a text. It is as good as a password.
func (v phoneVendor) methods(model, link string) (options []option) {
	if !slices.ContainsFunc(v.models(), func(o option) bool { return o.Value == model }) {
		return nil
	}
	for _, method := range []string{"rps", "pnp", "dhcp"} {
		if method != "rps" || v.rps {
			options = append(options, option{link, method, "full"})
		}
	}
	return options
}

// link is where phones of a PBX fetch their configuration: a host with a secret path, without a scheme.
func (w world) link(p PBX) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d %d", w.seed, p.ID))
	return p.URL + ":443/api/autoprovision/" + base64.RawURLEncoding.EncodeToString(sum[:12])
}

// ProvisioningLink is the secret link of a PBX, for tests that search logs and pages for it.
func (s *Server) ProvisioningLink(id int64) string {
	p, _ := s.PBX(id)
	return s.fleet.world.link(p)
}
