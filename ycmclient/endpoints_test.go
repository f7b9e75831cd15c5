package ycmclient_test

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
	"github.com/ycm-exporter/ycm_exporter/ycmclient/ycmtest"
)

// n is a number, -1 if it is absent.
func n(i yeastar.Int) int64 {
	if n, ok := i.Get(); ok {
		return n
	}
	return -1
}

// expected is what the client should make of a PBX of the simulator.
func expected(p ycmtest.PBX) ycmclient.CloudPBX {
	statuses := map[string]ycmclient.Status{}
	for _, s := range ycmclient.Statuses() {
		statuses[s.String()] = s
	}
	number := yeastar.IntOf
	orAbsent := func(n int64) yeastar.Int {
		if n == 0 {
			return yeastar.Absent
		}
		return yeastar.IntOf(n)
	}
	toggle := func(word string) yeastar.Switch {
		switch word {
		case "":
			return yeastar.SwitchAbsent
		case "Enabled", "Activated", "yes":
			return yeastar.SwitchOn
		default:
			return yeastar.SwitchOff
		}
	}
	return ycmclient.CloudPBX{
		ID: p.ID, Name: shown(p.Name), SN: p.SN, URL: p.URL, Region: p.Region, Type: p.Type, Plan: p.Plan, Group: p.Group,
		Version: p.Version, LastUsedTemplate: p.LastUsedTemplate,
		Status: statuses[p.Status], Activated: toggle(p.Activation),
		Recording: toggle(p.Recording), UpgradeInPBX: toggle(p.UpgradeInPBX), IM: toggle(p.IM),
		PasswordlessLogin: toggle(p.PasswordlessLogin), SuperiorPasswordlessLogin: toggle(p.SuperiorLogin),
		ProvisioningViaTemplate: toggle(p.ViaTemplate),
		ActiveCalls:             number(p.ActiveCalls), ConcurrentCallCapacity: number(p.ConcurrentCallCapacity),
		UsedExtensions: number(p.UsedExtensions), ExtensionCapacity: number(p.ExtensionCapacity),
		UsedRecording: number(p.UsedRecording), RecordingCapacity: number(p.RecordingCapacity),
		TranscriptionCapacity: orAbsent(p.TranscriptionCapacity), UsedTranscription: orAbsent(p.UsedTranscription),
		PlanExpiration: orAbsent(p.PlanExpiration), Expiration: orAbsent(p.Expiration), LastBackup: orAbsent(p.LastBackup),
		Created: orAbsent(p.Created), FirstStarted: orAbsent(p.FirstStarted), TemplateLastUsed: orAbsent(p.TemplateLastUsed),
	}
}

func TestWalkReadsEveryFieldOfEveryPBX(t *testing.T) {
	ycm, client, w := overTCP(t, ycmtest.Options{PBXs: 430, Seed: 3, Shape: ycmtest.Shape{Always200: true}}, func(o *ycmclient.Options) { o.PageConcurrency = 4 })
	ycm.UpdateAll(func(p *ycmtest.PBX) { p.Raw = nil }) // Nothing is left out of a record.
	var want []ycmclient.CloudPBX
	for _, p := range ycm.PBXs() {
		want = append(want, expected(p))
	}
	slices.SortFunc(want, func(a, b ycmclient.CloudPBX) int { return cmp.Compare(a.ID, b.ID) })
	list, err := client.Walk(t.Context(), nil, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(want, list.PBXs); diff != "" {
		t.Errorf("PBXs (-want +got):\n%s", diff)
	}
	if len(w.unexpected) > 0 {
		t.Errorf("unexpected values %v, want none", w.unexpected)
	}

	// The next walk sees the same, with what has changed.
	ycm.Update(want[7].ID, func(p *ycmtest.PBX) { p.Name, p.Region, p.ActiveCalls = "Harbour Dental", "Europe(London)", 99 })
	p, _ := ycm.PBX(want[7].ID)
	want[7] = expected(p)
	list, err = client.Walk(t.Context(), nil, list.PBXs, nil)
	if diff := gocmp.Diff(want, list.PBXs); diff != "" || err != nil {
		t.Errorf("the second walk fails with %v or differs (-want +got):\n%s", err, diff)
	}

	one, err := client.CloudPBX(t.Context(), want[7].ID)
	if diff := gocmp.Diff(want[7], one); diff != "" || err != nil {
		t.Errorf("the single PBX fails with %v or differs (-want +got):\n%s", err, diff)
	}
	if _, err := client.CloudPBX(t.Context(), 1); yeastar.ClassOf(err) != yeastar.NotFound {
		t.Errorf("a PBX that does not exist: %v, want not_found", err)
	}
}

func TestWalkPassesTheSearchOn(t *testing.T) {
	ycm, client, _ := overTCP(t, ycmtest.Options{PBXs: 100}, func(o *ycmclient.Options) { o.Search = "harbour dental & sons" })
	ycm.Add(func(p *ycmtest.PBX) { p.Name = "Harbour Dental & Sons" })
	list, err := client.Walk(t.Context(), nil, nil, nil)
	if err != nil || len(list.PBXs) != 1 || list.PBXs[0].Name != "Harbour Dental & Sons" {
		t.Errorf("got %v and the error %v, want one PBX", list.PBXs, err)
	}
	for _, r := range ycm.Requests() {
		query, _ := url.ParseQuery(r.Query)
		if r.Endpoint == ycmtest.CloudPBXList && (query.Get("sort") != "cloudPbxId" || query.Get("pageSize") != "50" || query.Get("search") != "harbour dental & sons") {
			t.Errorf("the list was requested with %v", query)
		}
	}
}

func TestSmallEndpoints(t *testing.T) {
	ycm, client, w := overTCP(t, ycmtest.Options{PBXs: 61, Users: 120}, nil)
	ctx := t.Context()
	check := func(what string, err error, good bool, got any) {
		t.Helper()
		if err != nil || !good {
			t.Errorf("%s: got %+v and the error %v", what, got, err)
		}
	}
	regions, err := client.Regions(ctx)
	check("regions", err, len(regions) == 10 && regions[0] == ycmclient.Region{ID: 1, Name: "China(GuangDong)"}, regions)

	firmwares, err := client.Firmware(ctx, "pbx")
	check("firmware", err, len(firmwares) > 5 && firmwares[0].VersionID == 1203 && firmwares[0].Version == "84.21.0.117" &&
		slices.Equal(firmwares[0].RegionIDs, []int64{16, 4, 24}), firmwares)
	_, err = client.Firmware(ctx, "toaster")
	check("firmware of no type", nil, yeastar.ClassOf(err) == yeastar.Invalid, err)

	s, err := client.Subscription(ctx)
	check("subscription", err, n(s.Total.Extensions) == n(s.Used.Extensions)+n(s.Available.Extensions) && n(s.Used.Extensions) > 0 &&
		n(s.Total.ConcurrentCalls) == n(s.Used.ConcurrentCalls)+n(s.Available.ConcurrentCalls) && n(s.Used.ConcurrentCalls) > 0 &&
		n(s.Total.Recording) == n(s.Used.Recording)+n(s.Available.Recording) && n(s.Used.Recording) > 0 && n(s.Used.FrozenExtensions) == 0 &&
		n(s.Expiration) > n(s.RecordingExpiration) && n(s.RecordingExpiration) > 1e9 &&
		s.HighAvailability == yeastar.SwitchOn && s.WhiteLabel == yeastar.SwitchOn, s)

	plans, err := client.PlanStatistics(ctx)
	check("plan statistics", err, len(plans) == 2 && plans[0].Plan == "Enterprise Plan" && plans[1].Plan == "Ultimate Plan" &&
		n(plans[0].CloudPBXs)+n(plans[1].CloudPBXs) == 61 && n(plans[0].Extensions) > 0 && n(plans[1].Extensions) > 0, plans)

	rm, err := client.RemoteConnections(ctx)
	check("remote connections", err, n(rm.Used) == 20 && n(rm.Capacity) == 35 && n(rm.ResellerUsed) == 4 && n(rm.ResellerCapacity) == 5 && len(rm.Services) == 2 &&
		rm.Services[0].Service == "remoteManagementAccount" && n(rm.Services[0].Expiration) > 1e9 &&
		rm.Services[1].Service == "remoteManagementPremiumAccount", rm)

	users, err := client.Users(ctx)
	check("users", err, len(users) == 120 && users[0].ID == 501 && users[0].Type == "My Colleague" && users[1].Company == `Voice & "Data" Partners` &&
		slices.IsSortedFunc(users, func(a, b ycmclient.User) int { return cmp.Compare(a.ID, b.ID) }), users)
	var created int64
	for _, u := range users {
		created += n(u.CloudPBXs)
	}
	check("PBXs of all users", nil, created == 61, created)

	of, err := client.UserSubscription(ctx, 501)
	check("subscription of a user", err, n(of.TotalExtensions) >= 100 && n(of.UsedExtensions) >= 0 && n(of.TotalConcurrentCalls) >= 25 &&
		n(of.UsedConcurrentCalls) >= 0 && n(of.TotalRecording) >= 1000 && n(of.UsedRecording) >= 0 && n(of.TotalUltimateExtensions) >= 5 &&
		n(of.UsedUltimateExtensions) >= 0 && n(of.TotalConnections) == 20 && n(of.UsedConnections) == 3 && n(of.TotalTranscription) == 1200, of)
	_, err = client.UserSubscription(ctx, 502)
	check("subscription of no user", nil, yeastar.ClassOf(err) == yeastar.NotFound, err)

	if len(w.unexpected) > 0 {
		t.Errorf("unexpected values %v, want none", w.unexpected)
	}
	if n := ycm.Count(ycmtest.Token); n != 1 {
		t.Errorf("%d logins for all of that, want 1", n)
	}
}

// Whatever a field holds, the rest of its answer is read.
func TestSmallEndpointsWithRubbish(t *testing.T) {
	for _, rubbish := range []string{`"n/a"`, `{"a":[1]}`, `[1,2]`, `-1`, `1.5`, `true`, `1e400`} {
		t.Run(rubbish, func(t *testing.T) {
			ycm, client, w := overTCP(t, ycmtest.Options{PBXs: 61, Users: 3}, nil)
			for _, field := range []string{
				"regionId", "versionId", "total", "expirationTime", "highAvailability", "pbxNumber", "connections", "createdCloudPbx", "usedRecordings",
			} {
				fault := ycmtest.Fault{Effect: ycmtest.Set(field, rubbish)}
				if field == "total" { // Of the subscription; of a list it is fatal.
					fault.Endpoint = ycmtest.Subscription
				}
				ycm.Inject(fault)
			}
			ctx := t.Context()
			regions, err1 := client.Regions(ctx)
			firmwares, err2 := client.Firmware(ctx, "pbx")
			s, err3 := client.Subscription(ctx)
			plans, err4 := client.PlanStatistics(ctx)
			rm, err5 := client.RemoteConnections(ctx)
			users, err6 := client.Users(ctx)
			of, err7 := client.UserSubscription(ctx, 501)
			for _, err := range []error{err1, err2, err3, err4, err5, err6, err7} {
				if err != nil {
					t.Error(err)
				}
			}
			if len(regions) != 0 || len(firmwares) != 0 {
				t.Errorf("got the regions %v and firmwares %v, want none without an id", regions, firmwares)
			}
			if s.Expiration != yeastar.Absent || s.Total.Extensions != yeastar.Absent || n(s.Used.Extensions) <= 0 || n(s.RecordingExpiration) <= 0 {
				t.Errorf("subscription: got %+v, want all but expiration and total", s)
			}
			if plans[0].CloudPBXs != yeastar.Absent || n(plans[0].Extensions) <= 0 || rm.Used != yeastar.Absent || len(rm.Services) != 2 {
				t.Errorf("got the plans %+v and connections %+v, want all but pbxNumber and connections", plans, rm)
			}
			if len(users) != 3 || users[0].CloudPBXs != yeastar.Absent || of.UsedRecording != yeastar.Absent || n(of.UsedExtensions) < 0 {
				t.Errorf("got the users %+v and %+v, want all but createdCloudPbx and usedRecordings", users, of)
			}
			for _, field := range []string{"regionId", "versionId", "expirationTime", "createdCloudPbx", "usedRecordings"} {
				if w.unexpected[field] == 0 {
					t.Errorf("%s is not among the unexpected values %v", field, w.unexpected)
				}
			}
		})
	}
}

func TestProxyPassesAPBXsAnswerOn(t *testing.T) {
	ycm, client, w := overTCP(t, ycmtest.Options{PBXs: -1}, nil)
	var sn []string
	for _, status := range []string{ycmtest.Running, ycmtest.Stopped} {
		sn = append(sn, ycm.Add(func(p *ycmtest.PBX) { p.Status, p.Activation = status, "Activated" }).SN)
	}
	body, err := proxied(t.Context(), client, sn[0], "openapi/v1.0/auto_provisioning/compatibility", url.Values{"menu": {"phone_model"}, "vendor": {"Yealink"}})
	var answer struct {
		ErrCode   int    `json:"errcode"`
		RequestID string `json:"requestId"`
		Data      []any  `json:"data"`
	}
	if err != nil || json.Unmarshal(body, &answer) != nil || answer.ErrCode != 0 || len(answer.Data) == 0 || answer.RequestID == "" {
		t.Errorf("got %s and the error %v, want the PBX's own answer", body, err)
	}
	// A PBX's refusal is its own affair; one of YCM is an error.
	body, err = proxied(t.Context(), client, sn[0], "openapi/v1.0/auto_provisioning/compatibility", url.Values{"menu": {"phone_model"}})
	if err != nil || !strings.Contains(string(body), `"errcode":40002`) {
		t.Errorf("got %s and the error %v, want the PBX's refusal", body, err)
	}
	for shape, code := range map[ycmtest.Shape]int{{}: 3000009, {Body: ycmtest.ErrCode, Always200: true}: 3000009} {
		ycm.SetShape(shape)
		before := ycm.Count(ycmtest.Proxy)
		_, err = proxied(t.Context(), client, sn[1], "openapi/v1.0/system/information", nil)
		if e := (*yeastar.Error)(nil); !errors.As(err, &e) || e.Code != code || e.Class != yeastar.Server {
			t.Errorf("a stopped PBX: %v, want code %d", err, code)
		}
		if n := ycm.Count(ycmtest.Proxy) - before; n != 1 {
			t.Errorf("a PBX that does not answer was queried %d times, want once", n)
		}
	}
	if len(w.retries) > 0 {
		t.Errorf("retries %v, want none", w.retries)
	}
	fault := ycm.Inject(ycmtest.Fault{Endpoint: ycmtest.Proxy, Effect: ycmtest.Answer(200, "application/json", `{"errcode":1000043}`)})
	if _, err := proxied(t.Context(), client, sn[0], "openapi/v1.0/system/information", nil); yeastar.ClassOf(err) != yeastar.Denied {
		t.Errorf("a code of YCM's without a status: %v, want a denied error", err)
	}
	fault.Remove()
	for name, effect := range map[string]ycmtest.Effect{
		"HTML": ycmtest.HTML(http.StatusOK), "a list": ycmtest.Answer(200, "application/json", " [1]"),
		"nothing": ycmtest.Empty(), "too much": ycmtest.Oversize(17 << 20),
	} {
		fault := ycm.Inject(ycmtest.Fault{Endpoint: ycmtest.Proxy, Effect: effect})
		if _, err := proxied(t.Context(), client, sn[0], "openapi/v1.0/system/information", nil); yeastar.ClassOf(err) != yeastar.Invalid {
			t.Errorf("%s: %v, want an invalid error", name, err)
		}
		fault.Remove()
	}
}

// A serial number comes from YCM and could lead a request anywhere.
func TestProxyRefusesToBeLedAstray(t *testing.T) {
	ycm, client, _ := overTCP(t, ycmtest.Options{}, nil)
	for _, c := range [][2]string{
		{"", "openapi/v1.0/system/information"},
		{"..", "instances/1"},
		{"3658/../7", "x"},
		{"3658?a=b", "x"},
		{"3658#", "x"},
		{"3658 ", "x"},
		{strings.Repeat("3", 65), "x"},
		{"36%2e", "x"},
		{"3658B4311", "openapi/../../instances/1"},
	} {
		if _, err := proxied(t.Context(), client, c[0], c[1], nil); yeastar.ClassOf(err) != yeastar.Invalid {
			t.Errorf("serial number %q, path %q: %v, want an invalid error", c[0], c[1], err)
		}
	}
	if n := ycm.Stats().Requests; n > 0 {
		t.Errorf("%d requests were sent", n)
	}
}

func TestStatusesHaveTheVendorsNames(t *testing.T) {
	want := "[Stopped Starting Running Upgrading Restoring Provisioning Unknown]"
	if got := fmt.Sprint(ycmclient.Statuses()); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
