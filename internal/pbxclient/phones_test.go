package pbxclient_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ycm-exporter/ycm_exporter/internal/pbxclient"
	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

const link = "pbx.example.com:443/api/autoprovision/6gEzigLFhMGntjd8"

// catalogue answers the four menus as the vendor's page shows them.
func catalogue(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	data := map[string]string{
		"phone_vendor//": `{"text":"Yealink","value":"Yealink","type":"Deskphone"},
			{"text":"Alcatel-Lucent Enterprise","value":"Ale","type":"Deskphone"}`,
		"phone_model/Yealink/": `{"text":"VP59","value":"VP59","type":"Deskphone"},{"text":"CP920","value":"CP920","type":"Conferencephone"},
			{"text":"SIP-W80DM","value":"SIP-W80DM","type":"DECT"}`,
		"phone_template//CP920":      `{"text":"YSDP_YealinkCP","value":"24"}`,
		"autop_method/Yealink/CP920": `{"text":"` + link + `","value":"rps","type":"full"}`,
	}[q.Get("menu")+"/"+q.Get("vendor")+"/"+q.Get("model")]
	if data == "" {
		fmt.Fprint(w, `{"errcode":40002,"errmsg":"PARAMETER ERROR"}`)
		return
	}
	fmt.Fprintf(w, `{"errcode":0,"errmsg":"SUCCESS","data":[%s]}`, data)
}

func TestCatalogueFromVendorToMethod(t *testing.T) {
	pbx := newFake()
	pbx.on("auto_provisioning/compatibility", catalogue)
	c := direct(t, serve(t, pbx))
	vendors, err := c.PhoneVendors(t.Context())
	same(t, vendors, err, []pbxclient.PhoneOption{
		{Value: "Ale", Name: "Alcatel-Lucent Enterprise", Type: "Deskphone"},
		{Value: "Yealink", Name: "Yealink", Type: "Deskphone"},
	})
	models, err := c.PhoneModels(t.Context(), "Yealink")
	same(t, models, err, []pbxclient.PhoneOption{
		{Value: "CP920", Name: "CP920", Type: "Conferencephone"},
		{Value: "SIP-W80DM", Name: "SIP-W80DM", Type: "DECT"},
		{Value: "VP59", Name: "VP59", Type: "Deskphone"},
	})
	templates, err := c.PhoneTemplates(t.Context(), "CP920")
	same(t, templates, err, []pbxclient.PhoneOption{{Value: "24", Name: "YSDP_YealinkCP"}})
	methods, err := c.ProvisioningMethods(t.Context(), "Yealink", "CP920")
	same(t, methods, err, []pbxclient.PhoneOption{{Value: "rps", Type: "full"}})

	_, err = c.PhoneModels(t.Context(), "Alcatel-Lucent Enterprise")
	expect(t, err, yeastar.Answered, yeastar.Invalid, 40002)
}

func TestOddMenus(t *testing.T) {
	for name, c := range map[string]struct {
		data string
		want []pbxclient.PhoneOption
	}{
		"null":                   {`null`, nil},
		"nothing":                {`[]`, nil},
		"one that is no array":   {`{"value":"Ale"}`, []pbxclient.PhoneOption{{Value: "Ale"}}},
		"numbers":                {`[{"value":24,"text":7,"type":1.5}]`, []pbxclient.PhoneOption{{Value: "24", Name: "7", Type: "1.5"}}},
		"doubles, the first won": {`[{"value":"b"},{"value":"a","text":"1"},{"value":"a","text":"2"}]`, []pbxclient.PhoneOption{{Value: "a", Name: "1"}, {Value: "b"}}},
		"no value":               {`[{"text":"x"},{"value":"","text":"y"},{"value":null},{"value":" "}]`, nil},
		"wrong types":            {`[1,"x",null,[],{"value":{"a":1}},{"value":"a","text":[],"type":{}}]`, []pbxclient.PhoneOption{{Value: "a"}}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := proxied(`{"errcode":0,"data":` + c.data + `}`).PhoneVendors(t.Context())
			same(t, got, err, c.want)
		})
	}
}

func TestMenuWithoutBounds(t *testing.T) {
	var b strings.Builder
	for i := range 5001 {
		fmt.Fprintf(&b, `{"value":"%d"},`, i)
	}
	_, err := proxied(`{"errcode":0,"data":[` + strings.TrimSuffix(b.String(), ",") + `]}`).PhoneVendors(t.Context())
	expect(t, err, yeastar.Answered, yeastar.Invalid, 0)
}

func same[T any](t *testing.T, got T, err error, want T) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
