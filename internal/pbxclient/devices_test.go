package pbxclient_test

import (
	"fmt"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ycm-exporter/ycm_exporter/internal/pbxclient"
	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

// Whatever form a state comes in, it is online, offline or not reported; of several registrations the best counts.
func TestStatesOfEndpoints(t *testing.T) {
	for online, want := range map[string]pbxclient.Extension{
		`{"sip_phone":{"status_list":[{"status":0},{"status":1}]},"linkus_desktop":{"status":0},"linkus_mobile":{"status":1},"linkus_web":{"status":0}}`:                      {2, 1, 2, 1, 0},
		`{"sip_phone":{"status_list":[]},"linkus_desktop":{"status":"1"},"linkus_mobile":{"status":null},"linkus_web":{}}`:                                                    {1, 2, 0, 0, 0},
		`{"sip_phone":{"status_list":[{"status":2},{"status":-1}]},"linkus_desktop":{"status":2},"linkus_mobile":7,"linkus_web":"1","fxs_phone":{"status":0}}`:                {0, 0, 0, 0, 1},
		`{"sip_phone":{"status_list":{"status":1}},"linkus_desktop":[{"status":0},{"status":1}],"linkus_mobile":{"status":1.0},"linkus_web":null,"fxs_phone":{"status":"1"}}`: {2, 2, 2, 0, 2},
		`{"sip_phone":{"status_list":null,"status":1}}`:             {2, 0, 0, 0, 0},
		`{"sip_phone":{"status_list":[{"status":0},{"status":7}]}}`: {1, 0, 0, 0, 0},
		`null`: {}, `"online"`: {}, `[]`: {}, `{}`: {},
	} {
		got, err := proxied(`{"errcode":0,"total_number":1,"data":[{"id":1,"online_status":` + online + `}]}`).Extensions(t.Context())
		if diff := cmp.Diff([]pbxclient.Extension{want}, got); err != nil || diff != "" {
			t.Errorf("online_status %s: error %v (-want +got):\n%s", online, err, diff)
		}
	}
}

// Nothing personal is kept: no field could hold it.
func TestDevicesHoldNothingPersonal(t *testing.T) {
	const personal = `"number":"6708","caller_id_name":"Given Family","email_addr":"user@example.com","mobile_number":"5550100",
		"mac":"805ec0123456","ip":"192.0.2.1","assigned_ext_name":"Given Family","assigned_ext_num":"6708"`
	pbx := newFake()
	for _, endpoint := range []string{"extension/list", "phone/search"} {
		pbx.answer(endpoint, `{"errcode":0,"total_number":1,"data":[{"id":1,"vendor":"Yealink","model":"T54W","assigned_ext_status":"Registered",`+personal+`}]}`)
	}
	c := direct(t, serve(t, pbx))
	extensions, err := c.Extensions(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	phones, err := c.Phones(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]pbxclient.Phone{{Vendor: "Yealink", Model: "T54W", State: pbxclient.PhoneRegistered}}, phones); diff != "" {
		t.Errorf("phones (-want +got):\n%s", diff)
	}
	if kind := reflect.TypeOf(extensions).Elem().Elem().Kind(); kind != reflect.Uint8 {
		t.Errorf("an extension is made of %v, want states alone", kind)
	}
}

// A list is as long as a PBX may be, whatever the size of its pages; one without end is an error after a bounded number of
// requests.
func TestDevicesOfAllPages(t *testing.T) {
	for name, c := range map[string]struct {
		records, limit int
		want, requests int // want -1: an error
	}{
		"none":                         {0, 100, 0, 1},
		"three pages":                  {250, 100, 250, 3},
		"pages of the PBX's own size":  {250, 30, 250, 9},
		"as many as a PBX may have":    {10_000, 100, 10_000, 100},
		"more than a PBX may have":     {10_001, 100, -1, 101},
		"pages so small that it is no": {3000, 2, -1, 200},
	} {
		t.Run(name, func(t *testing.T) {
			pbx := newFake()
			for _, endpoint := range []string{"extension/list", "phone/search"} {
				pbx.on(endpoint, trunkServer(c.records, c.limit))
			}
			client := direct(t, serve(t, pbx))
			count := func(n int, err error) string {
				if err != nil {
					expect(t, err, yeastar.Answered, yeastar.Invalid, 0)
					n = -1
				}
				return fmt.Sprint(n)
			}
			extensions, err := client.Extensions(t.Context())
			got := []string{count(len(extensions), err)}
			phones, err := client.Phones(t.Context())
			got = append(got, count(len(phones), err), fmt.Sprint(len(pbx.requested())-1))
			want(t, "extensions, phones and requests", got, []string{fmt.Sprint(c.want), fmt.Sprint(c.want), fmt.Sprint(2 * c.requests)})
		})
	}
}
