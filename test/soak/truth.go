package main

import (
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/ycm-exporter/ycm_exporter/internal/exposition"
	"github.com/ycm-exporter/ycm_exporter/ycmclient/ycmtest"
)

// truth is what the exporter should serve of a PBX, by family and its own label. It is written a second time here, not taken
// from the exporter.
func truth(p *ycmtest.PBX) map[string]float64 {
	t := map[string]float64{
		"ycm_cloud_pbx_info " + p.SN + " " + p.Version: 1,
		"ycm_cloud_pbx_active_calls ":                  float64(p.ActiveCalls),
		"ycm_cloud_pbx_concurrent_calls_capacity ":     float64(p.ConcurrentCallCapacity),
		"ycm_cloud_pbx_extensions_used ":               float64(p.UsedExtensions),
		"ycm_cloud_pbx_extensions_capacity ":           float64(p.ExtensionCapacity),
		"ycm_cloud_pbx_recording_used_seconds ":        60 * float64(p.UsedRecording),
		"ycm_cloud_pbx_recording_capacity_seconds ":    60 * float64(p.RecordingCapacity),
		"ycm_cloud_pbx_created_timestamp_seconds ":     float64(p.Created),
		"ycm_cloud_pbx_activated ":                     0,
		"ycm_cloud_pbx_status Unknown":                 0,
	}
	if p.Activation == "Activated" {
		t["ycm_cloud_pbx_activated "] = 1
	}
	for _, s := range []string{ycmtest.Stopped, ycmtest.Starting, ycmtest.Running, ycmtest.Upgrading, ycmtest.Restoring, ycmtest.Provisioning} {
		t["ycm_cloud_pbx_status "+s] = number(p.Status == s)
	}
	for feature, is := range map[string]string{
		"recording": p.Recording, "upgrade_in_pbx": p.UpgradeInPBX, "im": p.IM, "passwordless_login": p.PasswordlessLogin,
		"superior_passwordless_login": p.SuperiorLogin, "provisioning_via_template": p.ViaTemplate,
	} {
		if is != "" {
			t["ycm_cloud_pbx_feature_enabled "+feature] = number(is == "Enabled")
		}
	}
	for family, at := range map[string]int64{
		"ycm_cloud_pbx_plan_expiration_timestamp_seconds ": p.PlanExpiration, "ycm_cloud_pbx_expiration_timestamp_seconds ": p.Expiration,
		"ycm_cloud_pbx_last_backup_timestamp_seconds ": p.LastBackup, "ycm_cloud_pbx_first_started_timestamp_seconds ": p.FirstStarted,
	} {
		if at != 0 {
			t[family] = float64(at)
		}
	}
	return t
}

func number(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// unchecked are the families of a PBX that do not follow from its state alone.
func unchecked(family string) bool {
	switch family {
	case "ycm_cloud_pbx_backup_age_seconds", "ycm_cloud_pbx_firmware_update_available", "ycm_cloud_pbx_firmware_versions_behind",
		"ycm_cloud_pbx_template_last_used_timestamp_seconds", "ycm_cloud_pbx_api_up", "ycm_cloud_pbx_uptime_seconds",
		"ycm_cloud_pbx_trunk_status", "ycm_cloud_pbx_trunk_up", "ycm_cloud_pbx_trunks_truncated", "ycm_cloud_pbx_transcription_capacity_seconds",
		"ycm_cloud_pbx_transcription_used_seconds":
		return true
	}
	return false
}

// check compares what is served of the list with what was true between two moments: the begin of the walk that it comes of, or
// earlier, and the scrape. Each PBX that was there all the time must be served, none that never was may be, and what is served of
// one must have been true of it at one moment, all together.
func (f *fleet) check(served map[int64]map[string]float64, shard exposition.Shard, from, to time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, id := range slices.Sorted(maps.Keys(f.states)) {
		if !shard.Has(f.account, id) {
			continue
		}
		samples, is := served[id]
		throughout := f.states[id][0].since.Before(from) && f.states[id][len(f.states[id])-1].until.IsZero()
		switch {
		case !is && throughout:
			f.found.add("lost PBX", "account %s: PBX %d has been there since before %s and is not served at %s", f.account, id, clock(from), clock(to))
		case is:
			f.checkPBX(id, samples, from, to)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(served)) {
		if _, known := f.states[id]; !known {
			f.found.add("PBX that is not there", "account %s: PBX %d is served at %s, and was gone long before %s", f.account, id, clock(to), clock(from))
		}
	}
}

func (f *fleet) checkPBX(id int64, samples map[string]float64, from, to time.Time) {
	const confirming = time.Minute // A PBX that is not listed, and whose query by id fails, is served for one more walk.
	var nearest string
	found := false
	for _, s := range f.states[id] {
		found = found || s.overlaps(from.Add(-confirming), to)
		if !s.overlaps(from, to) {
			continue
		}
		if nearest = difference(truth(&s.pbx), samples); nearest == "" {
			return
		}
	}
	switch {
	case !found:
		f.found.add("PBX that is not there", "account %s: PBX %d is served at %s, and was gone before %s", f.account, id, clock(to), clock(from))
	case nearest != "":
		f.found.add("false series", "account %s: PBX %d at %s, of a walk since %s: %s", f.account, id, clock(to), clock(from), nearest)
	}
}

// difference returns the first thing that is not as it should be, empty if all is.
func difference(want, got map[string]float64) string {
	for _, key := range slices.Sorted(maps.Keys(want)) {
		value, ok := got[key]
		if !ok || value != want[key] {
			return key + " is " + strconv.FormatFloat(value, 'g', -1, 64) + " (served: " + strconv.FormatBool(ok) + "), want " + strconv.FormatFloat(want[key], 'g', -1, 64)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(got)) {
		if _, ok := want[key]; !ok {
			return key + " is served, and should not be"
		}
	}
	return ""
}

func clock(t time.Time) string { return t.Format("15:04:05.000") }
