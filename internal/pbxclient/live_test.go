package pbxclient_test

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ycm-exporter/ycm_exporter/internal/pbxclient"
	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
	"github.com/ycm-exporter/ycm_exporter/ycmclient/ycmtest"
)

// live is what a live PBX answered, with names, numbers and addresses replaced.
func live(t *testing.T, name string) string {
	t.Helper()
	body, err := os.ReadFile(filepath.Join("testdata", "live", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// An appliance has a fifth kind of endpoint, and no status_list for a SIP phone that is not registered.
func TestExtensionsOfALivePBX(t *testing.T) {
	got, err := proxied(live(t, "extension-list")).Extensions(t.Context())
	offline := [pbxclient.Endpoints]pbxclient.EndpointState{1, 1, 1, 1, 1}
	want := []pbxclient.Extension{offline, offline, offline, offline}
	want[0][pbxclient.LinkusWeb] = pbxclient.Online
	want[1][pbxclient.LinkusDesktop], want[1][pbxclient.LinkusWeb] = pbxclient.Online, pbxclient.Online
	want[2][pbxclient.FXSPhone] = pbxclient.Online
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("extensions, error %v (-want +got):\n%s", err, diff)
	}
	if name := pbxclient.FXSPhone.String(); name != "fxs_phone" {
		t.Errorf("the endpoint is called %q, want fxs_phone", name)
	}
}

func TestTrunksOfALivePBX(t *testing.T) {
	got, err := proxied(live(t, "trunk-list")).Trunks(t.Context())
	want := pbxclient.TrunkList{Trunks: []pbxclient.Trunk{
		{ID: 1, Name: "Carrier-SIP", Type: "peer", Status: 1}, {ID: 2, Name: "Backup_SIP", Type: "peer", Status: 1},
	}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("trunks, error %v (-want +got):\n%s", err, diff)
	}
}

// A PBX without trunks, extensions or phones has none of them, however it reports that.
func TestEmptyListsAreResults(t *testing.T) {
	for body, empty := range map[string]bool{
		live(t, "empty-list"): true,
		`{"errcode":60001,"errmsg":"DATA NOT FOUND","total_number":0}`:             true,
		`{"errcode":60001,"errmsg":"DATA NOT FOUND","data":null}`:                  true,
		`{"errcode":60001,"errmsg":"DATA NOT FOUND","total_number":"0","data":[]}`: true,
		`{"errcode":60001,"errmsg":"DATA NOT FOUND","data":[]}`:                    true,
		`{"errcode":60001,"errmsg":"DATA NOT FOUND","data":{}}`:                    true,
		`{"errcode":60001,"errmsg":"DATA NOT FOUND","data":""}`:                    true,
		`{"errcode":0,"errmsg":"SUCCESS","total_number":0,"data":""}`:              true,
		`{"errcode":0,"errmsg":"SUCCESS","total_number":2,"data":""}`:              false,
		`{"errcode":0,"errmsg":"SUCCESS"}`:                                         true,
		`{"errcode":0,"errmsg":"SUCCESS","total_number":0}`:                        true,
		`{"errcode":0,"errmsg":"SUCCESS","data":null}`:                             true,
		`{"errcode":0,"errmsg":"SUCCESS","total_number":0,"data":[]}`:              true,
		`{"errcode":60001,"total_number":3,"data":null}`:                           false,
		`{"errcode":60001,"data":[{"id":1}]}`:                                      false,
		`{"errcode":60001,"data":"none"}`:                                          false,
		`{"errcode":0,"total_number":3}`:                                           false,
		`{"errcode":10005,"total_number":0,"data":null}`:                           false,
	} {
		pbx := newFake()
		for _, path := range []string{"trunk/list", "extension/list", "phone/search", "auto_provisioning/compatibility"} {
			pbx.answer(path, body)
		}
		for way, c := range map[string]*pbxclient.Client{"through YCM": proxied(body), "directly": direct(t, serve(t, pbx))} {
			trunks, err1 := c.Trunks(t.Context())
			extensions, err2 := c.Extensions(t.Context())
			phones, err3 := c.Phones(t.Context())
			for i, err := range []error{err1, err2, err3} {
				if (err == nil) != empty {
					t.Errorf("%s, %s: list %d has the error %v, want one: %t", way, body, i+1, err, !empty)
				}
			}
			if len(trunks.Trunks)+len(extensions)+len(phones) > 0 || trunks.Capped {
				t.Errorf("%s, %s: got %v, %v and %v, want none", way, body, trunks, extensions, phones)
			}
		}
	}
	if _, err := proxied(live(t, "empty-list")).SystemInformation(t.Context()); err == nil {
		t.Error("a PBX that has no data of itself is described")
	}
	options, err := proxied(live(t, "empty-list")).PhoneVendors(t.Context())
	if err != nil || len(options) > 0 {
		t.Errorf("an empty menu: got %v and the error %v, want none", options, err)
	}
}

// Each list is sorted as the vendor documents for it: the simulator refuses all else.
func TestListsOfAPBXThatRefusesUndocumentedParameters(t *testing.T) {
	s := simulate(t, ycmtest.Options{PBXs: 1})
	id := s.IDs()[0]
	s.Update(id, func(p *ycmtest.PBX) {
		running(p)
		for i := range 250 {
			p.Phones = append(p.Phones, ycmtest.Phone{ID: int64(i + 1), Vendor: fmt.Sprint(i % 7), Model: fmt.Sprint(i % 5), Status: "Registered", Number: "1"})
			p.Extensions = append(p.Extensions, ycmtest.Extension{ID: int64(i + 1)})
			p.Trunks = append(p.Trunks, ycmtest.Trunk{ID: int64(i + 1), Name: fmt.Sprint(i), Status: 1})
		}
	})
	p, _ := s.PBX(id)
	counts := func(c *pbxclient.Client) (counts [3]int) {
		trunks, err := c.Trunks(t.Context())
		extensions, err2 := c.Extensions(t.Context())
		phones, err3 := c.Phones(t.Context())
		for _, err := range []error{err, err2, err3} {
			if err != nil {
				t.Error(err)
			}
		}
		return [3]int{len(trunks.Trunks), len(extensions), len(phones)}
	}
	for way, c := range s.both(t, p) {
		before := len(s.Requests())
		if got := counts(c); got != [3]int{250, 250, 250} {
			t.Errorf("%s: %d trunks, extensions and phones, want 250 of each", way, got)
		}
		lists := slices.DeleteFunc(s.Requests()[before:], func(r ycmtest.Request) bool { return !strings.Contains(r.Query, "page=") })
		if len(lists) != 9 {
			t.Errorf("%s: %d requests for three lists of three pages, want 9: nothing is refused", way, len(lists))
		}
	}
	// An appliance may know none of that.
	for _, refused := range []string{"sort_by", "page_size"} {
		fault := s.Inject(ycmtest.Fault{
			Match:  func(r *http.Request) bool { return r.URL.Query().Has(refused) },
			Effect: ycmtest.Answer(http.StatusOK, "application/json", `{"errcode":40002,"errmsg":"PARAMETER ERROR","invalid_param_list":[{"value":"id"}]}`),
		})
		for way, c := range s.both(t, p) {
			hits := fault.Hits()
			if got := counts(c); got != [3]int{250, 250, 250} {
				t.Errorf("%s, %s refused: %d trunks, extensions and phones, want 250 of each", way, refused, got)
			}
			if n := fault.Hits() - hits; n > 3*2 {
				t.Errorf("%s, %s refused: sent %d times for three lists, want twice for each at most", way, refused, n)
			}
		}
		fault.Remove()
	}
	pbx := newFake()
	pbx.answer("trunk/list", `{"errcode":40002,"errmsg":"PARAMETER ERROR"}`)
	_, err := direct(t, serve(t, pbx)).Trunks(t.Context())
	expect(t, err, yeastar.Answered, yeastar.Invalid, 40002)
	var queries []string
	for _, r := range pbx.requests() {
		if r.what == "GET trunk/list" {
			query := url.Values{}
			for _, name := range []string{"page", "page_size", "sort_by", "order_by"} {
				if r.form.Has(name) {
					query.Set(name, r.form.Get(name))
				}
			}
			queries = append(queries, query.Encode())
		}
	}
	want(t, "queries to a PBX that refuses them all", queries, []string{"order_by=asc&page=1&page_size=100&sort_by=id", "page=1"})
}
