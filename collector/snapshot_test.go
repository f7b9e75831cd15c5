package collector

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-kit/log"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/ycm-exporter/ycm_exporter/internal/exposition"
	"github.com/ycm-exporter/ycm_exporter/internal/series"
	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
)

// anyFleet makes a list of PBXs in which everything that may vary does, hostile texts included.
func anyFleet(seed uint64, n int, texts ...string) ycmclient.List {
	r := rand.New(rand.NewPCG(seed, 1))
	texts = append(texts, "", "a", "A", "a\n", "\"", `\`, "ü", "\u2028", "a,b={}", "Running")
	text := func() string { return texts[r.IntN(len(texts))] }
	number := func() yeastar.Int {
		if r.IntN(3) == 0 {
			return yeastar.Absent
		}
		return yeastar.IntOf(r.Int64() >> r.IntN(63))
	}
	toggle := func() yeastar.Switch { return yeastar.Switch(r.IntN(3)) }
	list := ycmclient.List{Total: int64(n)}
	for len(list.PBXs) < n {
		list.PBXs = append(list.PBXs, ycmclient.CloudPBX{
			ID: r.Int64()>>r.IntN(62) + 1, Name: text(), SN: text(), URL: text(), Region: text(), Type: text(), Plan: text(),
			Group: text(), Version: strconv.Itoa(r.IntN(5)), LastUsedTemplate: text(),
			Status: ycmclient.Status(r.IntN(len(ycmclient.Statuses()))), Activated: toggle(), Recording: toggle(),
			UpgradeInPBX: toggle(), IM: toggle(), PasswordlessLogin: toggle(), SuperiorPasswordlessLogin: toggle(),
			ProvisioningViaTemplate: toggle(), ActiveCalls: number(), ConcurrentCallCapacity: number(),
			UsedExtensions: number(), ExtensionCapacity: number(), UsedRecording: number(), RecordingCapacity: number(),
			PlanExpiration: number(), Expiration: number(), LastBackup: number(), Created: number(),
			FirstStarted: number(), TemplateLastUsed: number(),
		})
	}
	slices.SortFunc(list.PBXs, func(a, b ycmclient.CloudPBX) int { return int(min(1, max(-1, a.ID-b.ID))) })
	list.PBXs = slices.CompactFunc(list.PBXs, func(a, b ycmclient.CloudPBX) bool { return a.ID == b.ID })
	return list
}

func snapshotOf(list ycmclient.List) exposition.Source {
	firmware := &firmwareReading{
		Regions:  []ycmclient.Region{{ID: 1, Name: "a"}},
		Firmware: map[string][]ycmclient.Firmware{pbxFirmware: {{Version: "2", RegionIDs: []int64{1}}, {Version: "4", RegionIDs: []int64{1}}}},
	}
	return showList(series.Account{Name: "main"}, &listReading{List: list, Polled: time.Unix(1_700_000_000, 0)}, firmware)
}

// sample is a sample as a source emits it.
type sample struct {
	labels []string
	value  float64
}

// samples is what a source emits: labels and value of each sample by family.
func samples(source exposition.Source, shard exposition.Shard) map[string][]sample {
	all := map[string][]sample{}
	for i, f := range source.Families() {
		source.Each(i, shard, func(labels []string, value float64) {
			all[f.Name] = append(all[f.Name], sample{slices.Clone(labels), value})
		})
	}
	return all
}

// checkOrder fails the test where a source breaks what exposition.Source promises.
func checkOrder(t *testing.T, source exposition.Source) {
	t.Helper()
	families := source.Families()
	if !slices.IsSortedFunc(families, func(a, b exposition.Family) int { return strings.Compare(a.Name, b.Name) }) {
		t.Error("the families are not sorted by name")
	}
	all := samples(source, exposition.Shard{})
	for _, f := range families {
		if !slices.IsSorted(f.Labels) {
			t.Errorf("the labels of %s are not sorted: %q", f.Name, f.Labels)
		}
		for i, s := range all[f.Name] {
			if i > 0 && slices.Compare(all[f.Name][i-1].labels, s.labels) >= 0 {
				t.Fatalf("%s: sample %q comes after %q, want them in order and distinct", f.Name, s.labels, all[f.Name][i-1].labels)
			}
		}
	}
}

// Whatever the records hold, the samples are sorted and distinct, a set accepts them, and client_golang reads each.
func FuzzFleet(f *testing.F) {
	f.Add(uint64(1), uint8(3), "Harbour Dental")
	f.Add(uint64(2), uint8(40), "quote\" backslash\\ newline\n")
	f.Add(uint64(3), uint8(0), "")
	f.Fuzz(func(t *testing.T, seed uint64, n uint8, name string) {
		source := snapshotOf(anyFleet(seed, int(n), strings.ToValidUTF8(name, "")))
		checkOrder(t, source)
		set := exposition.NewSet(prometheus.NewRegistry(), log.NewNopLogger())
		if err := set.Publish("main", "cloud_pbx", source, time.Now().Add(time.Hour)); err != nil {
			t.Errorf("a set refuses the snapshot: %v", err)
		}
		emitted := 0
		for _, s := range samples(source, exposition.Shard{}) {
			emitted += len(s)
		}
		var text bytes.Buffer
		if err := set.WriteText(&text); err != nil {
			t.Fatal(err)
		}
		parser := expfmt.NewTextParser(model.UTF8Validation)
		parsed, err := parser.TextToMetricFamilies(&text)
		if err != nil {
			t.Fatal(err)
		}
		shown := 0
		for _, family := range parsed {
			shown += len(family.GetMetric())
		}
		if shown != emitted {
			t.Errorf("client_golang reads %d of %d samples", shown, emitted)
		}
	})
}

// Ids are labels, so they are in the order of texts, not of numbers.
func TestIDsAreOrderedAsText(t *testing.T) {
	list := ycmclient.List{}
	for _, id := range []int64{1, 9, 10, 88, 100, 7715, 9223372036854775807} {
		list.PBXs = append(list.PBXs, ycmclient.CloudPBX{ID: id})
	}
	var got []string
	for _, s := range samples(snapshotOf(list), exposition.Shard{})["ycm_cloud_pbx_info"] {
		got = append(got, s.labels[1])
	}
	want := []string{"1", "10", "100", "7715", "88", "9", "9223372036854775807"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("order of ids (-want +got):\n%s", diff)
	}
}

// The shards of a snapshot have each PBX once, and what is not per PBX in the first.
func TestShardsAreAPartition(t *testing.T) {
	source := snapshotOf(anyFleet(7, 100))
	const count = 3
	joined := map[string][]sample{}
	for index := range count {
		for name, some := range samples(source, exposition.Shard{Index: index, Count: count}) {
			if name == "ycm_cloud_pbxs" && index != 0 {
				t.Errorf("shard %d has ycm_cloud_pbxs, want it in shard 0 alone", index)
			}
			if name == "ycm_cloud_pbx_info" && len(some) < 10 {
				t.Errorf("shard %d has %d of 100 PBXs, want about a third", index, len(some))
			}
			for _, s := range some {
				if id, err := strconv.ParseInt(s.labels[min(1, len(s.labels)-1)], 10, 64); err == nil && exposition.Hash("main", id)%count != uint32(index) {
					t.Errorf("shard %d has the PBX %d of account main, which by its hash belongs to another", index, id)
				}
			}
			joined[name] = append(joined[name], some...)
		}
	}
	for name := range joined {
		slices.SortFunc(joined[name], func(a, b sample) int { return slices.Compare(a.labels, b.labels) })
	}
	if diff := cmp.Diff(samples(source, exposition.Shard{}), joined, cmp.AllowUnexported(sample{})); diff != "" {
		t.Errorf("the shards together are not the whole (-whole +shards):\n%s", diff)
	}
}

// A scrape may walk the snapshot of a large fleet, so its cost in memory must not depend on the fleet's size.
func TestSamplesAreNotAllocated(t *testing.T) {
	allocations := func(n int) float64 {
		source := snapshotOf(anyFleet(5, n))
		return testing.AllocsPerRun(10, func() {
			for i := range source.Families() {
				source.Each(i, exposition.Shard{Index: 1, Count: 2}, func([]string, float64) {})
				source.Each(i, exposition.Shard{}, func([]string, float64) {})
			}
		})
	}
	few, many := allocations(10), allocations(1000)
	if few != many {
		t.Errorf("walking 10 PBXs makes %v allocations and walking 1,000 makes %v, want the same", few, many)
	}
	if limit := 200.0; many > limit {
		t.Errorf("walking a snapshot twice makes %v allocations, want at most %v", many, limit)
	}
}

// What repeats in an answer must not break the exposition.
func TestDoublesOfAnAnswerAreDropped(t *testing.T) {
	o := &firmwareReading{
		Regions: []ycmclient.Region{{ID: 2, Name: "Europe"}, {ID: 1, Name: ""}, {ID: 2, Name: "Europa"}, {ID: 1, Name: "Asia"}},
		Firmware: map[string][]ycmclient.Firmware{
			"pbx": {
				{VersionID: 8, Version: "84.9", RegionIDs: []int64{2, 1, 2}},
				{VersionID: 8, Version: "84.9", RegionIDs: []int64{1, 3}},
				{VersionID: 9, Version: "84.9", RegionIDs: []int64{1}},
				{VersionID: 10, Version: "84.9.0", RegionIDs: []int64{4, 3}},
				{VersionID: 11, Version: "84.9", RegionIDs: []int64{4}},
			},
			"cm": {},
		},
	}
	source := series.PerAccount(series.Account{Name: "main"}, firmwareColumns(), o)
	checkOrder(t, source)
	var got []string
	for name, some := range samples(source, exposition.Shard{}) {
		for _, s := range some {
			got = append(got, fmt.Sprintf("%s %s", strings.TrimPrefix(name, "ycm_"), strings.Join(s.labels[1:], " ")))
		}
	}
	slices.Sort(got)
	want := []string{
		"firmware_available pbx  3 84.9 8",
		"firmware_available pbx  3 84.9.0 10",
		"firmware_available pbx  4 84.9 11",
		"firmware_available pbx  4 84.9.0 10",
		"firmware_available pbx Asia 1 84.9 8",
		"firmware_available pbx Asia 1 84.9 9",
		"firmware_available pbx Europe 2 84.9 8",
		"firmware_latest_info pbx  3 84.9.0",
		"firmware_latest_info pbx  4 84.9.0",
		"firmware_latest_info pbx Asia 1 84.9",
		"firmware_latest_info pbx Europe 2 84.9",
		"region_info Asia 1",
		"region_info Europe 2",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("samples of an answer with doubles (-want +got):\n%s", diff)
	}
}
