package pbxclient_test

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ycm-exporter/ycm_exporter/internal/pbxclient"
	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

// trunkServer gives n trunks with ids from 1, at most limit a page.
func trunkServer(n, limit int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		size, _ := strconv.Atoi(q.Get("page_size"))
		page, _ := strconv.Atoi(q.Get("page"))
		size = min(size, limit)
		var items []string
		for id := (page-1)*size + 1; id <= min(page*size, n); id++ {
			items = append(items, fmt.Sprintf(`{"id":%d,"name":"trunk %d","status":1,"type":"register"}`, id, id))
		}
		fmt.Fprintf(w, `{"errcode":0,"total_number":%d,"data":[%s]}`, n, strings.Join(items, ","))
	}
}

func TestTrunksOfAllPages(t *testing.T) {
	for name, c := range map[string]struct{ trunks, limit, want, requests int }{
		"none":                          {0, 100, 0, 1},
		"one page":                      {9, 100, 9, 1},
		"a page that is full":           {100, 100, 100, 1},
		"three pages":                   {201, 100, 201, 3},
		"a PBX with pages of its own":   {201, 20, 201, 11},
		"as many as are exported":       {500, 100, 500, 5},
		"one more":                      {501, 100, 500, 6},
		"thousands":                     {9000, 100, 500, 90},
		"thousands on pages of its own": {3000, 30, 500, 100},
	} {
		t.Run(name, func(t *testing.T) {
			pbx := newFake()
			pbx.on("trunk/list", trunkServer(c.trunks, c.limit))
			got, err := direct(t, serve(t, pbx)).Trunks(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for i, trunk := range got.Trunks {
				if trunk.ID != int64(i+1) {
					t.Fatalf("trunk %d has id %d, want them all in order", i, trunk.ID)
				}
			}
			if len(got.Trunks) != c.want || got.Capped != (c.trunks > pbxclient.MaxTrunks) {
				t.Errorf("got %d trunks, capped %t; want %d of %d", len(got.Trunks), got.Capped, c.want, c.trunks)
			}
			if n := len(pbx.requested()) - 1; n != c.requests {
				t.Errorf("it took %d requests, want %d", n, c.requests)
			}
		})
	}
}

func TestTrunksAreAllOrNothing(t *testing.T) {
	page := func(total string, ids ...int) string {
		var items []string
		for _, id := range ids {
			items = append(items, fmt.Sprintf(`{"id":%d}`, id))
		}
		return fmt.Sprintf(`{"errcode":0,"total_number":%s,"data":[%s]}`, total, strings.Join(items, ","))
	}
	for name, c := range map[string]struct {
		pages []string
		want  int // trunks; -1: an error
	}{
		"a PBX that ignores paging":             {[]string{page("5", 1, 2, 3)}, -1},
		"a total that is wrong":                 {[]string{page("9", 1, 2), page("9")}, -1},
		"a trunk more on each page, for ever":   {[]string{page("99", 1), page("99", 1, 2), page("99")}, -1},
		"a trunk that goes while it is read":    {[]string{page("3", 1, 2), page("2")}, 2},
		"a trunk that comes while it is read":   {[]string{page("3", 1, 2), page("4", 3, 4)}, 4},
		"doubles":                               {[]string{page("3", 1, 2), page("3", 2, 3)}, 3},
		"no total":                              {[]string{page("null", 1, 2), page("null", 3), page("null")}, 3},
		"no total, no paging":                   {[]string{page("null", 1, 2)}, 2},
		"a total below what is there":           {[]string{page("1", 1, 2)}, 2},
		"a total below what is there, and more": {[]string{page("1", 1, 2), page("1", 3), page("1")}, 3},
		"a negative total":                      {[]string{page("-4", 1, 2)}, 2},
		"a second page that fails":              {[]string{page("3", 1, 2), `{"errcode":-2}`}, -1},
		"trunks of wrong types count, unshown":  {[]string{`{"errcode":0,"total_number":"3","data":[7,{"id":"2"},{"name":"x"}]}`}, 1},
		"one trunk that is not in an array":     {[]string{`{"errcode":0,"total_number":1,"data":{"id":7}}`}, 1},
		"null for none":                         {[]string{`{"errcode":0,"total_number":0,"data":null}`}, 0},
		"a page of rubbish without end":         {[]string{`{"errcode":0,"data":[{"id":1}` + strings.Repeat(`,{}`, 100_000) + `]}`}, -1},
		"a list of the wrong type":              {[]string{`{"errcode":0,"total_number":1,"data":"x"}`}, -1},
		"an array that is no array of anything": {[]string{`{"errcode":0,"total_number":1,"data":true}`}, -1},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := proxied(c.pages...).Trunks(t.Context())
			if c.want < 0 {
				if err == nil {
					t.Errorf("got %v, want an error", got)
				}
				if len(got.Trunks) > 0 {
					t.Errorf("got %v beside the error, want nothing", got)
				}
				return
			}
			if err != nil || len(got.Trunks) != c.want || got.Capped {
				t.Errorf("got %v and error %v, want %d trunks", got, err, c.want)
			}
		})
	}
}

func TestTrunkPagesWithoutEnd(t *testing.T) {
	pbx := newFake()
	pbx.on("trunk/list", trunkServer(402, 2))
	_, err := direct(t, serve(t, pbx)).Trunks(t.Context())
	expect(t, err, yeastar.Answered, yeastar.Invalid, 0)
	if n := len(pbx.requested()); n != 201 {
		t.Errorf("it took %d requests, want a login and 200 pages", n)
	}
}

func TestTrunkStatusAndTypeAreClosedSets(t *testing.T) {
	body := `{"errcode":0,"total_number":14,"data":[
		{"id":0,"status":0,"type":"register"}, {"id":1,"status":"1","type":"PEER_DID"}, {"id":2,"status":2,"type":"peer_port"},
		{"id":3,"status":3,"type":"peer_private"}, {"id":4,"status":4,"type":"account"}, {"id":41,"status":41,"type":"webtrunk"},
		{"id":42,"status":42,"type":"peer"}, {"id":43,"status":43,"type":"FXO"}, {"id":44,"status":44}, {"id":45,"status":45,"type":7},
		{"id":50,"status":5}, {"id":51,"status":297}, {"id":52,"status":null}, {"id":53,"status":-1}]}`
	list, err := proxied(body).Trunks(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, trunk := range list.Trunks {
		got = append(got, fmt.Sprint(trunk.ID, " ", trunk.Status, " ", trunk.Type))
	}
	want(t, "trunks", got, []string{
		"0 Unknown register", "1 Idle peer_did", "2 Busy peer_port", "3 IdleUnmonitored peer_private", "4 Registering account",
		"41 RegistrationFailed webtrunk", "42 Unreachable peer", "43 AccountTrunkUnavailable other", "44 Disabled other",
		"45 AuthenticationFailed other", "50 Unknown other", "51 Unknown other", "52 Unknown other", "53 Unknown other",
	})
	var names []string
	for _, s := range pbxclient.TrunkStatuses() {
		names = append(names, s.String())
	}
	want(t, "all statuses", names, []string{
		"Unknown", "Idle", "Busy", "IdleUnmonitored", "Registering", "RegistrationFailed", "Unreachable",
		"AccountTrunkUnavailable", "Disabled", "AuthenticationFailed",
	})
}

func TestTrunksHoldNothingPrivate(t *testing.T) {
	pbx := newFake()
	pbx.on("trunk/list", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"errcode":0,"total_number":1,"data":[{"id":27,"status":1,"name":"to the harbour","type":"account",
			"host_port":"sip.example.com:5060","def_outbound_cid":"5550100","username":"6708"}]}`)
	})
	got, err := direct(t, serve(t, pbx)).Trunks(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := pbxclient.TrunkList{Trunks: []pbxclient.Trunk{
		{ID: 27, Name: "to the harbour", Type: "account", Status: 1},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
