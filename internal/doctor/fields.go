package doctor

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/ycm-exporter/ycm_exporter/internal/capture"
	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
)

// documented is every field of a Cloud PBX ("Query All the Cloud PBXs"), with the values of those that have a closed set.
func documented() map[string][]string {
	var statuses []string
	for _, s := range ycmclient.Statuses() {
		if s != ycmclient.StatusUnknown {
			statuses = append(statuses, s.String())
		}
	}
	toggle := []string{"Enabled", "Disabled"}
	fields := map[string][]string{
		"pbxStatus":        statuses,
		"activationStatus": {"Activated", "Unactivated"},
		"plan":             {"Enterprise Plan", "Ultimate Plan", "Upgrading to Ultimate Plan"},
		"type":             {"Trial", "Commercial"},
		"recordingStatus":  toggle, "upgradeInPbx": toggle, "im": toggle, "passwordlessLogin": toggle,
		"provisioningViaTemplate":        toggle,
		"allowSuperiorPasswordlessLogin": {"Enabled", "Disabled", "yes", "no"}, // An example has "no".
	}
	for _, name := range strings.Fields(`cloudPbxId name sn planExpirationDate extensionCapacity concurrentCallCapacity
		recordingCapacity region url expirationDate version group creator createTime initialStartUpTime lastUsedTemplate
		lastUsedTime activeCalls usedExtensions usedRecording lastBackupTime`) {
		fields[name] = nil
	}
	return fields
}

// newer are fields that only newer pages of the vendor have, of single PBXs.
func newer() []string {
	return []string{
		"transcriptionCapacity", "transcriptionCapacityPlan", "transcriptionCapacityAddon", "usedTranscription",
		"receptionistCapacity", "receptionistCapacityPlan", "receptionistCapacityAddon", "usedReceptionist",
	}
}

// tellFields tells which fields came, and which values of closed sets.
func (x *examination) tellFields(records []record) {
	fields := documented()
	came, unknown, others, texts := map[string]bool{}, map[string]bool{}, map[string]bool{}, false
	unnamed := 0
	for _, r := range records {
		for name, wire := range r {
			came[name] = true
			values, known := fields[name]
			switch {
			case known && values != nil:
				if value := r.text(name); value != "" && !slices.Contains(values, value) {
					others[otherValue(name, value)] = true
				}
			case known || slices.Contains(newer(), name):
			case capture.KnownName(name):
				unknown[name] = true
			default:
				unnamed++
			}
			texts = texts || name == byID && wire[0] == '"'
		}
	}
	var missing []string
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if !came[name] {
			missing = append(missing, name)
		}
	}
	told := len(x.findings)
	if texts {
		x.add(listing, "ids", Note, "Ids are strings, not numbers.", "nothing needs to be done: the exporter reads both")
	}
	if missing != nil {
		x.add(listing, "fields_missing", Note, "Documented fields that no record has: %s.", "what they tell has no series", strings.Join(missing, ", "))
	}
	if unnamed > 0 {
		unknown["names that do not look like ones"] = true
	}
	if len(unknown) > 0 {
		names := slices.Sorted(maps.Keys(unknown))
		x.add(listing, "fields_unknown", Note, "Fields that the exporter does not know: %s.", "report them, so that it may learn to read them", strings.Join(names[:min(len(names), 40)], ", "))
	}
	if len(others) > 0 {
		values := slices.Sorted(maps.Keys(others))
		x.add(listing, "values_unknown", Note, "Values that are not documented: %s.", "report them; where a status is not known, status=\"Unknown\" is served, and other fields have no series", strings.Join(values[:min(len(values), 40)], ", "))
	}
	if told == len(x.findings) {
		x.add(listing, "fields", Fine, "All documented fields came, and no others; all values are documented ones.", "")
	}
	x.tellMatches(records)
}

// otherValue writes a value of a closed set that no page lists, as far as it is made of known words.
func otherValue(field, value string) string {
	if capture.KnownWord(value) {
		return fmt.Sprintf("%s=%q", field, value)
	}
	return field + "=(a word of its own)"
}

// tellMatches tells of how many PBXs the region and the firmware are found in YCM's other lists.
func (x *examination) tellMatches(records []record) {
	regions, firmware := dataOf(x.tap.last("v1/cluster/regions")), dataOf(x.tap.last("v1/firmware"))
	if regions == nil || firmware == nil {
		return
	}
	ids, versions := map[string]string{}, map[string]bool{} // Region ids by name, and versions with a region's id.
	for _, r := range regions {
		ids[strings.ToLower(r.text("region"))] = r.text("regionId")
	}
	offered := map[string]bool{}
	for _, r := range firmware {
		var list yeastar.List[yeastar.Text]
		_ = json.Unmarshal(r["regionIds"], &list) // It takes anything.
		for _, id := range list.Items {
			offered[id.String()] = true
			versions[r.text("version")+" "+id.String()] = true
		}
	}
	inRegion, compares, listed := 0, 0, 0
	for _, r := range records {
		id, ok := ids[strings.ToLower(r.text("region"))]
		if !ok {
			continue
		}
		inRegion++
		if offered[id] && capture.KnownVersion(r.text("version")) {
			compares++
		}
		if versions[r.text("version")+" "+id] {
			listed++
		}
	}
	percent := func(n int) int { return 100 * n / max(1, len(records)) }
	v, advice := Fine, ""
	if compares < len(records) {
		v, advice = Note, "the others have no ycm_cloud_pbx_firmware_update_available; report the share"
	}
	x.add(listing, "matches", v, "Of the PBXs that were looked at, %d %% have a region that YCM lists, %d %% a firmware that can be compared with what YCM offers there, and %d %% run a version that is still offered.",
		advice, percent(inRegion), percent(compares), percent(listed))
}

// dataOf is the data of an answer that is a list of objects; nil if it is none.
func dataOf(e *exchange) []record {
	if e == nil || e.failure() != nil {
		return nil
	}
	var a struct {
		Data yeastar.List[record] `json:"data"`
	}
	if yeastar.Decode(e.body, &a) != nil {
		return nil
	}
	return a.Data.Items
}
