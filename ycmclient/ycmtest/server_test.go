package ycmtest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Anything but the documented reads is refused and remembered.
func TestViolations(t *testing.T) {
	const list = "/dm/open_api/v2/cloud_pbx/instances"
	for _, request := range []string{
		"POST " + list, "PUT /dm/open_api/v1/cloud_pbx/instances/7715", "DELETE " + list, "HEAD " + list,
		"GET " + list + "/", "GET /dm//open_api/v2/cloud_pbx/instances", "GET /", "GET /dm/open_api/v1/shared_trunk",
		"GET /dm/open_api/v1/cloud_pbx/instances/7715/activation_info", "GET /dm/open_api/oauth/token",
		"PUT /dm/open_api/v1/users/501/subscription_info",
		"POST /dm/open_api/v1/cloud_pbx/3658B43000007715/openapi/v1.0/get_token",
		"DELETE /dm/open_api/oauth/token/refresh_token",
	} {
		t.Run(request, func(t *testing.T) {
			r := dial(t, Options{})
			method, path, _ := strings.Cut(request, " ")
			response, err := r.try(method, path, "", "")
			if err != nil {
				t.Fatal(err)
			}
			response.Body.Close()
			if response.StatusCode < 400 {
				t.Errorf("it answers %d, want a failure", response.StatusCode)
			}
			if v := r.Violations(); len(v) != 1 || !strings.Contains(v[0], method) {
				t.Errorf("the violations are %q, want this one", v)
			}
		})
	}
}

func TestUserAgentIsRequired(t *testing.T) {
	r := dial(t, Options{})
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.base+"/dm/open_api/"+regionsPath, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("User-Agent", "")
	request.Header.Set("Authorization", "Bearer "+r.token)
	response, err := r.client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusBadRequest || len(r.Violations()) != 1 {
		t.Errorf("without a User-Agent it answers %d with violations %q", response.StatusCode, r.Violations())
	}
}

// Every shape is of the same failure.
func TestFailureShapes(t *testing.T) {
	r := dial(t, Options{})
	find := map[Body]func(fields) any{
		CodeMsg:     func(f fields) any { return f["code"] },
		ErrCode:     func(f fields) any { return f["errcode"] },
		ErrNo:       func(f fields) any { return f["errno"] },
		ErrorsList:  func(f fields) any { return f["errors"].([]any)[0].(fields)["code"] },
		ErrorObject: func(f fields) any { return f["error"].(fields)["errorCode"] },
		ErrMsg:      func(f fields) any { return f["errMsg"] },
		CodeName:    func(f fields) any { return f["code"] },
		OAuthError:  func(f fields) any { return f["error"] },
	}
	for _, shape := range Shapes() {
		r.SetShape(shape)
		status, answer := r.get("v1/firmware")
		want := http.StatusBadRequest
		if shape.Always200 {
			want = http.StatusOK
		}
		code := fmt.Sprint(find[shape.Body](answer))
		if status != want || !slices.Contains([]string{"1000004", "1.000004e+06", "INVALID_PARAMETER", "invalid_request"}, code) {
			t.Errorf("%v: a missing parameter answers %d with code %s: %v", shape, status, code, answer)
		}
	}
}

func TestRegionsAndFirmware(t *testing.T) {
	r := dial(t, Options{})
	named := make(map[float64]string)
	for _, row := range r.data(regionsPath).([]any) {
		named[row.(fields)["regionId"].(float64)] = row.(fields)["region"].(string)
	}
	otherCapitals := func(r region) bool { return r.name != r.listed && strings.EqualFold(r.name, r.listed) }
	if len(named) < 8 || !slices.ContainsFunc(regions, otherCapitals) {
		t.Errorf("the regions are %v, want 8 or more, of which the list spells some with other capitals", named)
	}
	versions := func(query string) (versions []string) {
		for _, row := range r.data("v1/firmware?" + query).([]any) {
			versions = append(versions, row.(fields)["version"].(string))
		}
		return versions
	}
	if got := versions("type=pbx"); len(got) < 8 || slices.IsSortedFunc(got, func(a, b string) int { return compareVersions(b, a) }) {
		t.Errorf("the firmware is %v, want 8 or more versions out of order", got)
	}
	if got := versions("type=pbx&regionIds=2,999"); len(got) == 0 || slices.Contains(got, "84.21.0.117") {
		t.Errorf("the firmware of region 2 is %v, want some, but not the newest", got)
	}
	if got := versions("type=pbx&regionIds=999"); len(got) != 0 {
		t.Errorf("the firmware of an unknown region is %v, want none", got)
	}
	if got := versions("type=cluster"); len(got) != 2 {
		t.Errorf("the cluster firmware is %v, want 2 versions", got)
	}
	for _, query := range []string{"", "?type=x", "?type=pbx&regionIds=x"} {
		if code := r.code("v1/firmware" + query); code != 1000004 {
			t.Errorf("firmware%s answers %d, want 1000004", query, code)
		}
	}
}

// The subscription and the users add up to the list, after changes too.
func TestTotalsAgreeWithTheFleet(t *testing.T) {
	r := dial(t, Options{PBXs: 100, Users: 70})
	check := func() {
		t.Helper()
		var extensions, ultimate float64
		for _, p := range r.PBXs() {
			extensions += float64(p.ExtensionCapacity)
			if p.Plan == "Ultimate Plan" {
				ultimate++
			}
		}
		capacity := r.data("v1/subscription").(fields)["capacity"].(fields)
		of := func(part string) float64 { return capacity[part].(fields)["extensionCapacity"].(float64) }
		if of("used") != extensions || of("available") != of("total")-extensions || of("available") < 0 {
			t.Errorf("the subscription has %v, want %v extensions in use", capacity, extensions)
		}
		pbxs := r.data("v1/subscription/plan_statistics").(fields)["pbxNumber"].(fields)
		if pbxs["ultimatePlan"] != ultimate || pbxs["enterprisePlan"] != float64(r.Len())-ultimate {
			t.Errorf("the plans have %v PBXs, want %v ultimate ones of %d", pbxs, ultimate, r.Len())
		}
		created, used, users := 0.0, 0.0, 0
		for number := 1; number <= 2; number++ {
			for _, user := range r.data(fmt.Sprintf("v2/users?pageSize=50&pageNumber=%d", number)).(fields)["list"].([]any) {
				users++
				created += user.(fields)["createdCloudPbx"].(float64)
				info := r.data(fmt.Sprintf("v1/users/%v/subscription_info", user.(fields)["userId"])).(fields)
				used += info["usedExtensions"].(float64)
				if info["totalExtensions"].(float64) < info["usedExtensions"].(float64) {
					t.Errorf("user %v uses more than was given: %v", user, info)
				}
			}
		}
		if users != 70 || created != float64(r.Len()) || used != extensions {
			t.Errorf("%d users have created %v PBXs with %v extensions, want 70, %d, %v", users, created, used, r.Len(), extensions)
		}
	}
	check()
	r.Delete(r.IDs()[7])
	r.Add(func(p *PBX) { p.Plan, p.ExtensionCapacity = "Ultimate Plan", 777 })
	r.Update(r.IDs()[0], func(p *PBX) { p.ExtensionCapacity = 1 })
	check()
	for path, want := range map[string]int{
		"v1/users/502/subscription_info": 1000015, "v1/users/x/subscription_info": 1000004, "v2/users?pageSize=x": 1000004,
	} {
		if code := r.code(path); code != want {
			t.Errorf("%s answers %d, want %d", path, code, want)
		}
	}
	last := r.data("v2/users?pageSize=1&sort=-userId").(fields)["list"].([]any)[0].(fields)
	if last["userId"] != float64(firstUserID+69*userIDStep) {
		t.Errorf("the last user is %v", last)
	}
	if connections := r.data("v1/subscription/rm_connections").(fields)["connections"].(fields); connections["used"].(float64) > connections["capacity"].(float64) {
		t.Errorf("more remote connections are used than there are: %v", connections)
	}
}

// In a bubble the in-memory network answers under fake time, by https as well, and leaves no goroutine behind.
func TestMemoryNetwork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := dialMemory(t, Options{Latency: 3 * time.Second})
		start := time.Now()
		r.data(regionsPath)
		if took := time.Since(start); took != 3*time.Second {
			t.Errorf("an answer took %v, want 3s", took)
		}
		r.Close()
		if response, err := r.try(http.MethodGet, "/dm/open_api/"+regionsPath, "", ""); err == nil {
			response.Body.Close()
			t.Error("a closed server still answers")
		}
	})
	s := New(Options{})
	s.Close() // Nothing was started.
	if response, err := s.Client().Get("https://ycm.example.com/"); err == nil {
		response.Body.Close()
		t.Error("a server that was closed before it was used answers")
	}
}

// The control of a demo stops a PBX and lets it go, for the machine itself alone.
func TestControl(t *testing.T) {
	r := dial(t, Options{PBXs: 3, Live: true})
	id := r.IDs()[0]
	path := fmt.Sprintf("/sim/pbx/%d", id)
	do := func(method, path string, want int) {
		t.Helper()
		response, err := r.try(method, path, "", "")
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != want {
			t.Errorf("%s %s answers %d, want %d", method, path, response.StatusCode, want)
		}
	}
	before, _ := r.PBX(id)
	do(http.MethodPost, path+"/status?value=Restoring", http.StatusNoContent)
	if p, _ := r.PBX(id); p.Status != Restoring {
		t.Errorf("the PBX is %s, want Restoring", p.Status)
	}
	do(http.MethodDelete, path+"/status", http.StatusNoContent)
	after, _ := r.PBX(id)
	if diff := cmp.Diff(before.Status, after.Status); diff != "" {
		t.Errorf("the released PBX has another status than before:\n%s", diff)
	}
	do(http.MethodPost, path+"/status", http.StatusBadRequest)
	do(http.MethodPost, "/sim/pbx/1/status?value=Stopped", http.StatusNotFound)
	do(http.MethodPost, "/sim/pbx", http.StatusCreated)
	do(http.MethodDelete, path, http.StatusNoContent)
	do(http.MethodGet, "/sim/stats", http.StatusOK)
	if r.Len() != 3 || r.IDs()[0] == id {
		t.Errorf("the fleet is %v, want one created and %d deleted", r.IDs(), id)
	}
	for address, host := range map[string]string{"192.0.2.1:1": "127.0.0.1", "127.0.0.1:1": "rebound.example.com"} {
		request := httptest.NewRequest(http.MethodGet, "/sim/stats", nil)
		request.RemoteAddr, request.Host = address, host
		recorder := httptest.NewRecorder()
		r.ServeHTTP(recorder, request)
		if recorder.Code != http.StatusForbidden {
			t.Errorf("control from %s for %s answers %d, want 403", address, host, recorder.Code)
		}
	}
}
