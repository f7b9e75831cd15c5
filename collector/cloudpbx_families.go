package collector

import (
	"slices"
	"strings"
	"time"

	"github.com/ycm-exporter/ycm_exporter/ycmclient"
	"github.com/ycm-exporter/ycm_exporter/yeastar"
)

// background ends the help of what a reader might take for the state at the moment of the scrape.
const background = "Polled in the background, not at the scrape."

type pbx = ycmclient.CloudPBX

// cloudPBXColumns declares what the list tells about each PBX (Query All the Cloud PBXs). polled is when it did, and
// behind how the PBXs' releases compare with the firmware that can be had.
func cloudPBXColumns(polled time.Time, behind lag) []column[pbx] {
	return []column[pbx]{
		{
			name:   "ycm_cloud_pbx_info",
			help:   "What describes a Cloud PBX, always 1: serial number (sn), host name (url), type, plan, group, firmware version, last used template (lastUsedTemplate); an empty label is one that the API did not give.",
			labels: []string{"group", "last_used_template", "plan", "sn", "type", "url", "version"},
			read: func(p *pbx, labels []string, sample func(float64)) {
				copy(labels, []string{p.Group, p.LastUsedTemplate, p.Plan, p.SN, p.Type, p.URL, p.Version})
				sample(1)
			},
		},
		statusColumn(),
		toggle("ycm_cloud_pbx_activated", "Whether the Cloud PBX is Activated (1) or Unactivated (0) (activationStatus).",
			func(p *pbx) yeastar.Switch { return p.Activated }),
		featureColumn(),
		number("ycm_cloud_pbx_active_calls", "Calls that are active on the Cloud PBX (activeCalls); YCM may go on showing the last value of one that is not Running. "+background,
			func(p *pbx) yeastar.Int { return p.ActiveCalls }),
		number("ycm_cloud_pbx_concurrent_calls_capacity", "Calls that the Cloud PBX may have at the same time (concurrentCallCapacity).",
			func(p *pbx) yeastar.Int { return p.ConcurrentCallCapacity }),
		number("ycm_cloud_pbx_extensions_used", "Extensions created on the Cloud PBX (usedExtensions).",
			func(p *pbx) yeastar.Int { return p.UsedExtensions }),
		number("ycm_cloud_pbx_extensions_capacity", "Extensions that the Cloud PBX may have (extensionCapacity).",
			func(p *pbx) yeastar.Int { return p.ExtensionCapacity }),
		minutes("ycm_cloud_pbx_recording_used_seconds", "Call recordings stored on the Cloud PBX, in seconds (usedRecording, which the API gives in minutes).",
			func(p *pbx) yeastar.Int { return p.UsedRecording }),
		minutes("ycm_cloud_pbx_recording_capacity_seconds", "Call recordings that the Cloud PBX can store, in seconds (recordingCapacity, which the API gives in minutes).",
			func(p *pbx) yeastar.Int { return p.RecordingCapacity }),
		number("ycm_cloud_pbx_plan_expiration_timestamp_seconds", "Unix time at which the Cloud PBX's plan expires, or has expired (planExpirationDate).",
			func(p *pbx) yeastar.Int { return p.PlanExpiration }),
		number("ycm_cloud_pbx_expiration_timestamp_seconds", "Unix time at which the Cloud PBX itself expires, or has expired (expirationDate).",
			func(p *pbx) yeastar.Int { return p.Expiration }),
		number("ycm_cloud_pbx_last_backup_timestamp_seconds", "Unix time of the last backup that a YCM task made of the Cloud PBX (lastBackupTime); absent if there was none.",
			func(p *pbx) yeastar.Int { return p.LastBackup }),
		number("ycm_cloud_pbx_backup_age_seconds", "Age in seconds that the last backup (lastBackupTime) had when the list was polled. Rules better use ycm_cloud_pbx_last_backup_timestamp_seconds, which is exact.",
			func(p *pbx) yeastar.Int { return backupAge(p, polled) }),
		number("ycm_cloud_pbx_created_timestamp_seconds", "Unix time at which the Cloud PBX was created (createTime).",
			func(p *pbx) yeastar.Int { return p.Created }),
		number("ycm_cloud_pbx_first_started_timestamp_seconds", "Unix time at which the Cloud PBX was started for the first time (initialStartUpTime).",
			func(p *pbx) yeastar.Int { return p.FirstStarted }),
		number("ycm_cloud_pbx_template_last_used_timestamp_seconds", "Unix time at which the Cloud PBX was last provisioned with a template (lastUsedTime).",
			func(p *pbx) yeastar.Int { return p.TemplateLastUsed }),
		{
			name: "ycm_cloud_pbx_firmware_update_available",
			help: "Whether a firmware version newer than the Cloud PBX's own (version) is listed for its region (1) or not (0); absent where the region or the version cannot be matched with the firmware that YCM lists.",
			read: func(p *pbx, _ []string, sample func(float64)) {
				if count, ok := behind[release{p.Region, p.Version}]; ok {
					sample(boolean(count > 0))
				}
			},
		},
		{
			name: "ycm_cloud_pbx_firmware_versions_behind",
			help: "Number of firmware versions listed for the Cloud PBX's region that are newer than its own (version); absent where the region or the version cannot be matched with the firmware that YCM lists.",
			read: func(p *pbx, _ []string, sample func(float64)) {
				if count, ok := behind[release{p.Region, p.Version}]; ok {
					sample(float64(count))
				}
			},
		},
	}
}

// statusColumn is a state set: of the documented statuses and Unknown, which stands for any other and for none, one
// is 1 and the others are 0.
func statusColumn() column[pbx] {
	type state struct {
		status ycmclient.Status
		name   string
	}
	var states []state
	for _, s := range ycmclient.Statuses() {
		states = append(states, state{s, s.String()})
	}
	slices.SortFunc(states, func(a, b state) int { return strings.Compare(a.name, b.name) })
	return column[pbx]{
		name:   "ycm_cloud_pbx_status",
		help:   "Running status of the Cloud PBX (pbxStatus): 1 for the present one, 0 for the others; Unknown is any that the API does not document. " + background,
		labels: []string{"status"},
		read: func(p *pbx, labels []string, sample func(float64)) {
			for _, s := range states {
				labels[0] = s.name
				sample(boolean(p.Status == s.status))
			}
		},
	}
}

// featureColumn tells which features are switched on. They are in the order of their labels.
func featureColumn() column[pbx] {
	features := []struct {
		name string
		get  func(*pbx) yeastar.Switch
	}{
		{"im", func(p *pbx) yeastar.Switch { return p.IM }},
		{"passwordless_login", func(p *pbx) yeastar.Switch { return p.PasswordlessLogin }},
		{"provisioning_via_template", func(p *pbx) yeastar.Switch { return p.ProvisioningViaTemplate }},
		{"recording", func(p *pbx) yeastar.Switch { return p.Recording }},
		{"superior_passwordless_login", func(p *pbx) yeastar.Switch { return p.SuperiorPasswordlessLogin }},
		{"upgrade_in_pbx", func(p *pbx) yeastar.Switch { return p.UpgradeInPBX }},
	}
	return column[pbx]{
		name:   "ycm_cloud_pbx_feature_enabled",
		help:   "Whether a feature of the Cloud PBX is enabled (1) or disabled (0): im, passwordlessLogin, provisioningViaTemplate, recordingStatus, allowSuperiorPasswordlessLogin, upgradeInPbx; absent where the API does not say.",
		labels: []string{"feature"},
		read: func(p *pbx, labels []string, sample func(float64)) {
			for _, f := range features {
				if on, ok := f.get(p).Get(); ok {
					labels[0] = f.name
					sample(boolean(on))
				}
			}
		},
	}
}

// backupAge is how old the last backup was at a time; one that is yet to come, by YCM's clock, is new.
func backupAge(p *pbx, at time.Time) yeastar.Int {
	backup, ok := p.LastBackup.Get()
	if !ok {
		return yeastar.Absent
	}
	return yeastar.Int(max(0, at.Unix()-backup))
}
