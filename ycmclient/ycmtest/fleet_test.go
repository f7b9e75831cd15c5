package ycmtest

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var epoch = time.Date(2026, 3, 4, 11, 0, 0, 0, time.UTC)

// The same seed gives the same fleet to the byte, another seed another one.
func TestSameSeedMakesSameFleet(t *testing.T) {
	fleet := func(seed uint64, live bool) []PBX { return New(Options{Seed: seed, Epoch: epoch, Live: live}).PBXs() }
	if diff := cmp.Diff(fleet(1, false), fleet(1, false)); diff != "" {
		t.Errorf("two fleets of one seed differ:\n%s", diff)
	}
	if cmp.Equal(fleet(1, false), fleet(2, false)) {
		t.Error("two seeds give the same fleet")
	}
}

// A fleet of a few hundred has every case that a reader has to cope with.
func TestFleetHasEveryCase(t *testing.T) {
	for seed := range uint64(5) {
		pbxs := New(Options{PBXs: 250, Seed: seed, Epoch: epoch}).PBXs()
		have := make(map[string]int)
		for i, p := range pbxs {
			if i > 0 && (p.ID <= pbxs[i-1].ID || p.Created <= pbxs[i-1].Created) {
				t.Fatalf("seed %d: PBX %d follows %d", seed, p.ID, pbxs[i-1].ID)
			}
			days := func(at int64) float64 { return time.Unix(at, 0).Sub(epoch).Hours() / 24 }
			for property, holds := range map[string]bool{
				"status " + p.Status:               true,
				"activation " + p.Activation:       true,
				"plan " + p.Plan:                   true,
				"type " + p.Type:                   true,
				"region " + p.Region:               true,
				"version " + p.Version:             true,
				"sn " + p.SN:                       true,
				"name " + p.Name:                   slices.Contains(oddNames, p.Name),
				"no group":                         p.Group == "",
				"no end":                           p.Expiration == 0,
				"never started":                    p.FirstStarted == 0,
				"superior " + p.SuperiorLogin:      true,
				"older shape":                      p.Raw != nil,
				"API off":                          p.APIError != 0,
				"plan past":                        days(p.PlanExpiration) < 0,
				"plan within 7 days":               days(p.PlanExpiration) > 0 && days(p.PlanExpiration) < 7,
				"plan within 30 days":              days(p.PlanExpiration) > 7 && days(p.PlanExpiration) < 30,
				"trial past":                       p.Type == "Trial" && days(p.Expiration) < 0,
				"trial soon":                       p.Type == "Trial" && days(p.Expiration) > 0,
				"backup fresh":                     days(p.LastBackup) > -1,
				"backup old":                       p.LastBackup > 0 && days(p.LastBackup) < -8,
				"backup missing":                   p.LastBackup == 0 && p.Activation == activated,
				"template " + p.ViaTemplate:        true,
				"extensions full":                  p.UsedExtensions == p.ExtensionCapacity,
				"domain .yeastar.com":              strings.HasSuffix(p.URL, ".yeastar.com"),
				"calls":                            p.ActiveCalls > 0,
				"calls of what does not run":       p.ActiveCalls > 0 && p.Status != Running,
				"recording off":                    p.Recording == disabled,
				"recording nearly full":            p.RecordingCapacity > 0 && p.UsedRecording*100 > 80*p.RecordingCapacity,
				"IM " + p.IM:                       true,
				"upgrade in PBX " + p.UpgradeInPBX: true,
			} {
				if holds {
					have[property]++
				}
			}
		}
		wanted := []string{
			"type Trial", "type Commercial", "plan Enterprise Plan", "plan Ultimate Plan", "plan Upgrading to Ultimate Plan",
			"activation Unactivated", "no group", "no end", "never started", "superior ", "superior no", "superior Enabled",
			"superior Disabled", "older shape", "API off", "plan past", "plan within 7 days", "plan within 30 days", "trial past",
			"trial soon", "backup fresh", "backup old", "backup missing", "template Disabled", "extensions full",
			"domain .yeastar.com", "calls", "calls of what does not run", "recording off", "recording nearly full",
			"IM Enabled", "IM Disabled", "upgrade in PBX Enabled", "upgrade in PBX Disabled",
		}
		for _, status := range []string{Stopped, Starting, Running, Upgrading, Restoring, Provisioning} {
			wanted = append(wanted, "status "+status)
		}
		for _, region := range regions {
			wanted = append(wanted, "region "+region.listed)
		}
		for _, name := range oddNames {
			wanted = append(wanted, "name "+name)
		}
		for _, property := range wanted {
			if have[property] == 0 {
				t.Errorf("seed %d: no PBX has %q", seed, property)
			}
		}
		if running := have["status Running"]; running < 200 {
			t.Errorf("seed %d: %d of 250 run, want most of them", seed, running)
		}
		versions, serials := 0, 0
		for property := range have {
			if strings.HasPrefix(property, "version ") {
				versions++
			} else if strings.HasPrefix(property, "sn ") {
				serials++
			}
		}
		if versions < 5 || serials != 250 {
			t.Errorf("seed %d: there are %d versions and %d serial numbers, want 5 or more and 250", seed, versions, serials)
		}
	}
}

// A record looks as the vendor's example does: use in quotes, capacities bare, optional fields left out.
func TestRecordHasTheVendorsForm(t *testing.T) {
	r := dial(t, Options{PBXs: -1, Epoch: epoch})
	r.Add(func(p *PBX) {
		*p = PBX{Name: "One\n\"Two\" <b>&", Status: Running, UsedExtensions: 5, ExtensionCapacity: 10, Created: 1_635_737_324}
	})
	r.Add(func(p *PBX) {
		p.ID = 7738
		p.Raw = map[string]string{"pbxStatus": `"Exploding"`, "activeCalls": "2", "usedExtensions": `" 7 "`, "group": "", "version": "null", "new": "[]"}
	})
	response, err := r.try(http.MethodGet, "/dm/open_api/v2/cloud_pbx/instances", "", "")
	if err != nil {
		t.Fatal(err)
	}
	var answer struct {
		Data struct{ List []map[string]json.RawMessage }
	}
	if err := json.Unmarshal([]byte(text(t, response)), &answer); err != nil || len(answer.Data.List) != 2 {
		t.Fatalf("the list has %d records, error %v", len(answer.Data.List), err)
	}
	for i, want := range []map[string]string{
		{
			"cloudPbxId": "7716", "name": `"One\n\"Two\" <b>&"`, "usedExtensions": `"5"`, "extensionCapacity": "10", "activeCalls": `"0"`,
			"createTime": "1635737324", "lastBackupTime": "", "group": "", "expirationDate": "", "initialStartUpTime": "",
		},
		{"cloudPbxId": "7738", "pbxStatus": `"Exploding"`, "activeCalls": "2", "usedExtensions": `" 7 "`, "group": "", "version": "null", "new": "[]"},
	} {
		for field, value := range want {
			if got := string(answer.Data.List[i][field]); got != value {
				t.Errorf("record %d has %s=%s, want %s", i, field, got, value)
			}
		}
	}
}

// Whatever is created and deleted, in whatever order and size it is read: the pages together are the fleet.
func TestPagesHaveTheWholeFleet(t *testing.T) {
	r := dial(t, Options{PBXs: 120})
	random := rand.New(rand.NewPCG(1, 2))
	for range 15 {
		for range random.IntN(20) {
			ids := r.IDs()
			r.Delete(ids[random.IntN(len(ids))])
			r.Delete(ids[0] - 1) // No PBX has this id.
		}
		for range random.IntN(25) {
			r.Add(nil)
		}
		want := r.IDs()
		size := 1 + random.IntN(60)
		sort := []string{"", "cloudPbxId", "-cloudPbxId", "createTime", "-createTime"}[random.IntN(5)]
		if strings.HasPrefix(sort, "-") {
			slices.Reverse(want)
		}
		var got []int64
		for number := 1; ; number++ {
			ids, total := r.page(fmt.Sprintf("pageSize=%d&pageNumber=%d&sort=%s", size, number, sort))
			if total != len(want) {
				t.Fatalf("page %d has total %d, want %d", number, total, len(want))
			}
			if full := min(size, 50); len(ids) != min(full, len(want)-len(got)) {
				t.Fatalf("page %d of %d has %d records after %d of %d", number, full, len(ids), len(got), len(want))
			}
			if got = append(got, ids...); len(ids) == 0 {
				break
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("pages of %d sorted by %q differ from the fleet:\n%s", size, sort, diff)
		}
	}
}

func TestListParameters(t *testing.T) {
	r := dial(t, Options{PBXs: 30})
	r.Update(r.IDs()[3], func(p *PBX) { p.Name = "Needle & Haystack" })
	if ids, total := r.page("search=" + "needle+%26"); len(ids) != 1 || total != 1 || ids[0] != r.IDs()[3] {
		t.Errorf("a search finds %v of %d, want the one PBX of that name", ids, total)
	}
	if ids, total := r.page("search=no+such+name"); len(ids) != 0 || total != 0 {
		t.Errorf("a search for what is not there finds %v of %d", ids, total)
	}
	if ids, total := r.page(""); len(ids) != 10 || total != 30 {
		t.Errorf("the first page has %d of %d records, want 10 of 30", len(ids), total)
	}
	if ids, total := r.page("pageNumber=2147483647"); len(ids) != 0 || total != 30 {
		t.Errorf("a page past the end has %d records of %d, want none of 30", len(ids), total)
	}
	if code := dial(t, Options{PBXs: 30, Listing: Listing{PastEnd: RefusedPage}}).code("v2/cloud_pbx/instances?pageNumber=4"); code != 1000005 {
		t.Errorf("a page past the end answers %d, want the refusal 1000005", code)
	}
	for _, query := range []string{"pageSize=0", "pageSize=x", "pageNumber=-1", "pageNumber=99999999999", "sort=name"} {
		if code := r.code("v2/cloud_pbx/instances?" + query); code != 1000004 {
			t.Errorf("%s answers %d, want 1000004", query, code)
		}
	}
}

// A hook changes the fleet between two pages: its effect is visible to the request that it precedes.
func TestHookRunsBeforeTheRequest(t *testing.T) {
	r := dial(t, Options{PBXs: 60})
	first := r.IDs()[0]
	r.OnRequest(func(request *http.Request) {
		if request.URL.Query().Get("pageNumber") == "2" {
			r.Delete(first)
		}
	})
	if _, total := r.page("pageSize=50"); total != 60 {
		t.Errorf("page 1 has total %d, want 60", total)
	}
	if ids, total := r.page("pageSize=50&pageNumber=2"); total != 59 || len(ids) != 9 {
		t.Errorf("page 2 has %d of %d, want 9 of 59", len(ids), total)
	}
}

// A PBX can be queried by its id, and is gone when it is deleted.
func TestSinglePBX(t *testing.T) {
	r := dial(t, Options{PBXs: 5})
	id := r.IDs()[2]
	p, _ := r.PBX(id)
	path := fmt.Sprintf("v1/cloud_pbx/instances/%d", id)
	if record := r.data(path).(fields); record["sn"] != p.SN {
		t.Errorf("%s answers the PBX %v, want %s", path, record["sn"], p.SN)
	}
	r.SetStatus(id, Restoring)
	if record := r.data(path).(fields); record["pbxStatus"] != Restoring {
		t.Errorf("the status is %v, want Restoring", record["pbxStatus"])
	}
	if !r.Delete(id) || r.Delete(id) || r.SetStatus(id, Running) || r.Release(id) {
		t.Error("a PBX that was deleted exists")
	}
	if code := r.code(path); code != 1000005 {
		t.Errorf("%s of a deleted PBX answers %d, want 1000005", path, code)
	}
	if code := r.code("v1/cloud_pbx/instances/x"); code != 1000004 {
		t.Errorf("an id that is not a number answers %d, want 1000004", code)
	}
}
