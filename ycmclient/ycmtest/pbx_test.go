package ycmtest

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// healthy makes the PBX one that answers everything.
func healthy(p *PBX) {
	p.Status, p.Activation, p.APIError, p.Version = Running, activated, 0, "84.21.0.117"
}

// dialPBX serves a fleet whose first PBX is healthy and edited, and returns it.
func dialPBX(t *testing.T, edit func(*PBX)) (*reader, PBX) {
	t.Helper()
	r := dial(t, Options{PBXs: 3, Epoch: epoch})
	r.Update(r.IDs()[0], func(p *PBX) {
		healthy(p)
		if edit != nil {
			edit(p)
		}
	})
	p, _ := r.PBX(r.IDs()[0])
	return r, p
}

// through queries a PBX through YCM.
func (r *reader) through(p PBX, call string) (int, fields) {
	r.t.Helper()
	return r.get("v1/cloud_pbx/" + p.SN + "/openapi/v1.0/" + call)
}

// at queries a PBX by direct access.
func (r *reader) at(p PBX, method, call, body string) fields {
	r.t.Helper()
	_, answer := r.send(method, "/pbx/"+p.URL+"/openapi/v1.0/"+call, "application/json", body)
	return answer
}

const rightLogin = `{"username":"demo-pbx-client-id","password":"demo-pbx-client-secret"}`

// Through YCM a PBX answers with its own fields and YCM's requestId, and needs no token of its own.
func TestProxy(t *testing.T) {
	r, p := dialPBX(t, nil)
	status, answer := r.through(p, "system/information")
	data, _ := answer["data"].(fields)
	if status != http.StatusOK || answer["errcode"] != 0.0 || answer["errmsg"] != "SUCCESS" || answer["requestId"] == nil || answer["status"] != nil {
		t.Errorf("the proxy answers %d: %v", status, answer)
	}
	if data["sn"] != p.SN || data["firmware_version"] != p.Version || data["up_time"].(float64) <= 0 {
		t.Errorf("the PBX reports %v, want it to be %s with version %s", data, p.SN, p.Version)
	}
	_, answer = r.through(p, "system/capacity")
	if used := answer["data"].(fields)["extension_used"]; used != float64(p.UsedExtensions) {
		t.Errorf("the PBX uses %v extensions, want %d as in the list", used, p.UsedExtensions)
	}
	if len(r.Violations()) != 0 {
		t.Errorf("the violations are %q, want none", r.Violations())
	}
	for _, call := range []string{"extension/getpassword?id=43&type=reg_password", "extension/delete?id=1", "del_token", "nothing"} {
		if _, answer := r.through(p, call); answer["errcode"] != 10001.0 {
			t.Errorf("%s answers %v, want 10001", call, answer)
		}
	}
	if len(r.Violations()) != 4 {
		t.Errorf("the violations are %q, want one for each call that is not an allowed read", r.Violations())
	}
	r.token = ""
	if _, answer := r.through(p, "system/information"); answer["code"] != 1000036.0 {
		t.Errorf("without YCM's token the proxy answers %v, want 1000036", answer)
	}
}

// What YCM and the PBX itself do when the PBX cannot or will not answer.
func TestUnreachablePBXs(t *testing.T) {
	tests := []struct {
		name   string
		edit   func(*PBX)
		proxy  any // code of YCM, else errcode of the PBX
		direct any // errcode, or nil for a reset connection
	}{
		{"stopped", func(p *PBX) { p.Status = Stopped }, 3000009.0, nil},
		{"silent", func(p *PBX) { p.Silent = true }, 3000009.0, nil},
		{"unactivated", func(p *PBX) { p.Activation = unactivated }, 2000016.0, 0.0},
		{"API off", func(p *PBX) { p.APIError = 10005 }, 10005.0, 10005.0},
		{"old firmware", func(p *PBX) { p.APIError = 10001 }, 10001.0, 10001.0},
		{"address not allowed", func(p *PBX) { p.APIError = 70087 }, 70087.0, 70087.0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r, p := dialPBX(t, test.edit)
			_, answer := r.through(p, "system/information")
			code := answer["code"]
			if code == nil {
				code = answer["errcode"]
			}
			if code != test.proxy {
				t.Errorf("the proxy answers %v, want %v", answer, test.proxy)
			}
			response, err := r.try(http.MethodPost, "/pbx/"+p.URL+"/openapi/v1.0/get_token", "application/json", rightLogin)
			if test.direct == nil {
				if err == nil {
					response.Body.Close()
				}
				if !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, io.EOF) {
					t.Errorf("directly it answers %v, want a reset connection", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if body := text(t, response); !strings.Contains(body, fmt.Sprintf(`"errcode":%v`, test.direct)) {
				t.Errorf("directly it answers %s, want errcode %v", body, test.direct)
			}
		})
	}
	r, _ := dialPBX(t, nil)
	if _, answer := r.through(PBX{SN: "unknown"}, "system/information"); answer["code"] != 1000005.0 {
		t.Errorf("an unknown serial number answers %v, want 1000005", answer)
	}
	response, err := r.try(http.MethodGet, "/openapi/v1.0/system/information", "", "")
	if err != nil {
		t.Fatal(err)
	}
	if text(t, response); response.StatusCode != http.StatusNotFound {
		t.Errorf("a host that is not a PBX answers %d, want 404", response.StatusCode)
	}
}

// A slow PBX takes its time; over the in-memory network it is reached by its own https address.
func TestSlowPBXByItsOwnAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := dialMemory(t, Options{PBXs: 1})
		id := r.IDs()[0]
		r.Update(id, func(p *PBX) {
			healthy(p)
			p.Delay = 8 * time.Second
		})
		p, _ := r.PBX(id)
		start := time.Now()
		_, answer := r.send(http.MethodPost, "https://"+p.URL+"/openapi/v1.0/get_token", "application/json", rightLogin)
		if answer["errcode"] != 0.0 || time.Since(start) != 8*time.Second {
			t.Errorf("the slow PBX answers %v after %v, want success after 8s", answer, time.Since(start))
		}
	})
}

// Tokens of a PBX: eight at once, ended by del_token or by time.
func TestPBXTokens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := dialMemory(t, Options{PBXs: 2, TokenLife: 24 * time.Hour})
		r.UpdateAll(healthy)
		p, _ := r.PBX(r.IDs()[0])
		other, _ := r.PBX(r.IDs()[1])
		read := func(p PBX, token any) any {
			return r.at(p, http.MethodGet, fmt.Sprintf("system/information?access_token=%v", token), "")["errcode"]
		}
		first := r.at(p, http.MethodPost, "get_token", rightLogin)
		if len(first["access_token"].(string)) != 32 || first["access_token_expire_time"] != 1800.0 || first["refresh_token_expire_time"] != 86400.0 {
			t.Errorf("get_token answers %v", first)
		}
		if code := read(p, first["access_token"]); code != 0.0 {
			t.Errorf("the token reads %v, want 0", code)
		}
		if code := read(other, first["access_token"]); code != 10004.0 {
			t.Errorf("the token of another PBX reads %v, want 10004", code)
		}
		for r.PBXTokens(p.ID) < 8 {
			r.at(p, http.MethodPost, "get_token", rightLogin)
		}
		if ninth := r.at(p, http.MethodPost, "get_token", rightLogin); ninth["errcode"] != 60002.0 {
			t.Errorf("the ninth token is %v, want 60002", ninth)
		}
		r.at(p, http.MethodGet, fmt.Sprintf("del_token?access_token=%v", first["access_token"]), "")
		if n, code := r.PBXTokens(p.ID), read(p, first["access_token"]); n != 7 || code != 10004.0 {
			t.Errorf("after del_token there are %d tokens and the ended one reads %v, want 7 and 10004", n, code)
		}
		time.Sleep(30 * time.Minute)
		if n := r.PBXTokens(p.ID); n != 0 {
			t.Errorf("after half an hour there are %d tokens, want none", n)
		}
		last := r.at(p, http.MethodPost, "get_token", rightLogin)
		r.ExpirePBXTokens()
		if code := read(p, last["access_token"]); code != 10004.0 {
			t.Errorf("an expired token reads %v, want 10004", code)
		}
	})
}

// The fifth refused login in a row blocks the address for that PBX.
func TestPBXLockout(t *testing.T) {
	r, p := dialPBX(t, nil)
	if answer := r.at(p, http.MethodPost, "get_token", "{"); answer["errcode"] != 40001.0 {
		t.Errorf("a login that is not JSON answers %v, want 40001", answer)
	}
	for try := range 5 {
		answer := r.at(p, http.MethodPost, "get_token", `{"username":"demo-pbx-client-id","password":"wrong"}`)
		if answer["errcode"] != -1.0 || answer["invalid_param_list"] == nil {
			t.Errorf("refusal %d is %v, want -1 with an invalid_param_list", try+1, answer)
		}
	}
	if answer := r.at(p, http.MethodPost, "get_token", rightLogin); answer["errcode"] != 70004.0 {
		t.Errorf("after five refusals the right login answers %v, want 70004", answer)
	}
	if stats := r.Stats(); stats.Lockouts != 1 || stats.PBXLoginsRefused != 6 {
		t.Errorf("there were %d lock-outs and %d refused logins, want 1 and 6", stats.Lockouts, stats.PBXLoginsRefused)
	}
	r.Unblock()
	if answer := r.at(p, http.MethodPost, "get_token", rightLogin); answer["errcode"] != 0.0 {
		t.Errorf("unblocked, the right login answers %v, want success", answer)
	}
}

// Trunks come in pages, and a fleet has failing ones.
func TestTrunks(t *testing.T) {
	r, p := dialPBX(t, func(p *PBX) {
		for i := range 250 {
			p.Trunks = append(p.Trunks, Trunk{ID: int64(i + 1), Name: fmt.Sprintf("T%03d", i), Status: TrunkIdle, Type: "register"})
		}
	})
	var names []string
	for page := 1; page <= 4; page++ {
		_, answer := r.through(p, fmt.Sprintf("trunk/list?page=%d&page_size=1000&sort_by=id&order_by=desc", page))
		if answer["total_number"] != 250.0 {
			t.Fatalf("page %d answers %v, want 250 in all", page, answer)
		}
		for _, trunk := range answer["data"].([]any) {
			names = append(names, trunk.(fields)["name"].(string))
		}
	}
	slices.Reverse(names)
	if len(names) != 250 || !slices.IsSorted(names) {
		t.Errorf("the pages have %d trunks, want 250 in order", len(names))
	}
	if _, answer := r.through(p, "trunk/list?page=0"); answer["errcode"] != 40002.0 {
		t.Errorf("page 0 answers %v, want 40002", answer)
	}
	for query, code := range map[string]float64{
		"trunk/list?sort_by=name": 40002, "trunk/list?sort_by=id": 0, "extension/list?sort_by=vendor": 40002, "extension/list?sort_by=number": 0,
		"phone/search?sort_by=id": 40002, "phone/search?sort_by=ip": 40002, "phone/search?sort_by=model": 0,
	} {
		if status, answer := r.through(p, query); answer["errcode"] != code || status != http.StatusOK {
			t.Errorf("%s answers %v with HTTP status %d, want errcode %v under 200: only some orders are documented", query, answer, status, code)
		}
	}
	r.Update(p.ID, func(p *PBX) { p.Trunks, p.EmptyIsNotFound = []Trunk{}, true })
	if _, answer := r.through(p, "trunk/list"); answer["errcode"] != 60001.0 || answer["total_number"] != 0.0 || answer["data"] != nil {
		t.Errorf("a PBX without trunks answers %v, want 60001 with null data", answer)
	}
	statuses := make(map[int]int)
	world := New(Options{Epoch: epoch}).fleet.world
	for n := range int64(200) {
		for _, trunk := range world.trunks(PBX{ActiveCalls: n % 3}, n, epoch.Unix()) {
			statuses[trunk.Status]++
		}
	}
	for _, status := range []int{TrunkIdle, TrunkBusy, TrunkUnmonitored, TrunkRegistrationFailed, TrunkUnreachable, TrunkDisabled, TrunkAuthenticationFailed} {
		if statuses[status] == 0 {
			t.Errorf("no trunk of the fleet has status %d: %v", status, statuses)
		}
	}
	if most := statuses[TrunkIdle] + statuses[TrunkBusy]; most < 400 {
		t.Errorf("%d trunks serve, want most of them: %v", most, statuses)
	}
}

// The four menus of the phone catalogue, from the vendors down to a provisioning link.
func TestPhoneCatalogue(t *testing.T) {
	r, p := dialPBX(t, nil)
	menu := func(query string) (options []fields) {
		t.Helper()
		_, answer := r.through(p, "auto_provisioning/compatibility?menu="+query)
		if answer["errcode"] != 0.0 {
			t.Fatalf("menu %s answers %v", query, answer)
		}
		for _, o := range answer["data"].([]any) {
			options = append(options, o.(fields))
		}
		return options
	}
	count := func() (vendors, models int, twice []string) {
		known := make(map[any]bool)
		for _, vendor := range menu("phone_vendor") {
			vendors++
			for _, model := range menu(fmt.Sprintf("phone_model&vendor=%v", vendor["value"])) {
				models++
				if known[model["value"]] {
					twice = append(twice, model["value"].(string))
				}
				known[model["value"]] = true
			}
		}
		return vendors, models, twice
	}
	vendors, models, twice := count()
	if vendors < 8 || models < 60 || !slices.Equal(twice, []string{"H3"}) {
		t.Errorf("there are %d vendors, %d models, twice %v, want 8, 60 and a name that two vendors use", vendors, models, twice)
	}
	if first := menu("phone_vendor")[0]; first["text"] != "Alcatel-Lucent Enterprise" || first["value"] != "Ale" || first["type"] != "Deskphone" {
		t.Errorf("the first vendor is %v", first)
	}
	if templates := menu("phone_template&model=H3"); len(templates) != 2 || templates[0]["type"] != nil || templates[0]["value"] != "20" {
		t.Errorf("the templates of an ambiguous model are %v, want one of each vendor, an id as text, no type", templates)
	}
	if templates := menu("phone_template&model=CP920"); len(templates) != 1 || templates[0]["text"] != "YSDP_YealinkCP" {
		t.Errorf("the templates of the CP920 are %v, want YSDP_YealinkCP", templates)
	}
	methods := menu("autop_method&vendor=Yealink&model=CP920")
	if len(methods) != 3 || methods[0]["value"] != "rps" || methods[0]["text"] != r.ProvisioningLink(p.ID) || !strings.HasPrefix(r.ProvisioningLink(p.ID), p.URL+":443/") {
		t.Errorf("the methods of the CP920 are %v, want three with the PBX's link", methods)
	}
	if options := menu("phone_model&vendor=NoVendor"); len(options) != 0 {
		t.Errorf("an unknown vendor has %v, want nothing", options)
	}
	for query, field := range map[string]string{"": "menu", "?menu=x": "menu", "?menu=phone_model": "vendor", "?menu=phone_template": "model", "?menu=autop_method&vendor=Yealink": "model"} {
		_, answer := r.through(p, "auto_provisioning/compatibility"+query)
		list, _ := answer["invalid_param_list"].([]any)
		if answer["errcode"] != 40002.0 || len(list) != 1 || list[0].(fields)["field"] != field {
			t.Errorf("%q answers %v, want 40002 for %s", query, answer, field)
		}
	}
	r.Update(p.ID, func(p *PBX) { p.Version = "84.9.0.61" })
	if v, m, _ := count(); v >= vendors || m >= models || v < 4 {
		t.Errorf("older firmware knows %d vendors and %d models, want fewer than %d and %d", v, m, vendors, models)
	}
	r.Update(p.ID, func(p *PBX) { p.Version = "84.7.0.51" })
	if _, answer := r.through(p, "auto_provisioning/compatibility?menu=phone_vendor"); answer["errcode"] != 10001.0 {
		t.Errorf("firmware before 84.8 answers %v, want 10001", answer)
	}
}
