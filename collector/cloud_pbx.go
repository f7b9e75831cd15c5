package collector

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/ycm-exporter/ycm_exporter/internal/exposition"
	"github.com/ycm-exporter/ycm_exporter/internal/series"
	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
)

// listReading is the list as a poll saw it.
type listReading struct {
	List   ycmclient.List
	State  ycmclient.WalkState // What the walks up to this one have learned of the list itself.
	Polled time.Time
}

// cloudPBX walks the list of PBXs and compares it with the firmware that can be had.
func cloudPBX() Collector {
	return Collector{
		Name: CloudPBX, Schedule: on(time.Minute), Endpoints: []string{ycmclient.EndpointList, ycmclient.EndpointCloudPBX},
		Families: slices.Concat(series.PBXFamilies(cloudPBXColumns(time.Time{}, nil)), series.AccountFamilies(listColumns())),
		New: func(a Account) Poller {
			firmware := servedFirmware{account: a}
			a.pollers.list = &accountPoller[listReading]{account: a, query: new(listWalks).walk, show: func(r *listReading) exposition.Source {
				return showList(a.Account, r, firmware.get())
			}}
			return a.pollers.list
		},
	}
}

// listWalks is what walks learn of the list, also those that fail.
type listWalks struct {
	state   ycmclient.WalkState
	resumed bool
}

// walk is told the list before, as the walk is. The first walk goes on with what the reading before has learned.
func (w *listWalks) walk(ctx context.Context, a Account, before *listReading) (*listReading, error) {
	var previous []ycmclient.CloudPBX
	if before != nil {
		previous = before.List.PBXs
		if !w.resumed {
			w.state = before.State
		}
	}
	w.resumed = true
	list, err := a.YCM.Walk(ctx, &w.state, previous, a.Progress)
	if err != nil {
		return nil, err
	}
	return &listReading{list, w.state, time.Now()}, nil
}

// showList makes a snapshot that keeps the list's records.
func showList(account series.Account, r *listReading, c *catalogue) exposition.Source {
	return series.Join(
		series.PerPBX(account, cloudPBXColumns(r.Polled, lagOf(c, r.List.PBXs)), r.List.PBXs, identifyCloudPBX),
		series.PerAccount(account, listColumns(), &r.List),
	)
}

func identifyCloudPBX(p *ycmclient.CloudPBX) (series.PBX, *ycmclient.CloudPBX) {
	return series.PBX{ID: p.ID, Name: p.Name, Region: p.Region}, p
}

// listColumns declares what the list reports of the whole fleet.
func listColumns() []series.Column[ycmclient.List] {
	return []series.Column[ycmclient.List]{
		series.Number("ycm_cloud_pbxs", "Number of Cloud PBXs, as YCM reports it with its list (total). "+background,
			func(l *ycmclient.List) yeastar.Int { return yeastar.Int(l.Total) }),
		series.Number("ycm_cloud_pbxs_listed", "Number of Cloud PBXs that YCM's list has. It differs from ycm_cloud_pbxs where YCM counts otherwise than it lists. "+background,
			func(l *ycmclient.List) yeastar.Int { return yeastar.Int(l.Listed) }),
	}
}

// cloudPBXColumns declares what the list reports of each PBX (Query All the Cloud PBXs). polled is when it did, and
// behind how the PBXs' releases compare with the firmware that can be had.
func cloudPBXColumns(polled time.Time, behind lag) []series.Column[ycmclient.CloudPBX] {
	return []series.Column[ycmclient.CloudPBX]{
		{
			Name:   "ycm_cloud_pbx_info",
			Help:   "What describes a Cloud PBX, always 1: serial number (sn), host name (url), type, plan, group, firmware version, last used template (lastUsedTemplate); an empty label is one that the API did not give.",
			Labels: []string{"group", "host", "last_used_template", "plan", "sn", "type", "version"},
			Read: func(p *ycmclient.CloudPBX, labels []string, sample func(float64)) {
				copy(labels, []string{p.Group, p.URL, p.LastUsedTemplate, p.Plan, p.SN, p.Type, p.Version})
				sample(1)
			},
		},
		statusColumn(),
		series.Toggle("ycm_cloud_pbx_activated", "Whether the Cloud PBX is Activated (1) or Unactivated (0) (activationStatus).",
			func(p *ycmclient.CloudPBX) yeastar.Switch { return p.Activated }),
		featureColumn(),
		series.Number("ycm_cloud_pbx_active_calls", "Calls that are active on the Cloud PBX (activeCalls); YCM may go on showing the last value of one that is not Running. "+background,
			func(p *ycmclient.CloudPBX) yeastar.Int { return p.ActiveCalls }),
		series.Number("ycm_cloud_pbx_concurrent_calls_capacity", "Calls that the Cloud PBX may have at the same time (concurrentCallCapacity).",
			func(p *ycmclient.CloudPBX) yeastar.Int { return p.ConcurrentCallCapacity }),
		series.Number("ycm_cloud_pbx_extensions_used", "Extensions created on the Cloud PBX (usedExtensions).",
			func(p *ycmclient.CloudPBX) yeastar.Int { return p.UsedExtensions }),
		series.Number("ycm_cloud_pbx_extensions_capacity", "Extensions that the Cloud PBX may have (extensionCapacity).",
			func(p *ycmclient.CloudPBX) yeastar.Int { return p.ExtensionCapacity }),
		series.Minutes("ycm_cloud_pbx_recording_used_seconds", "Call recordings stored on the Cloud PBX, in seconds (usedRecording, which the API gives in minutes).",
			func(p *ycmclient.CloudPBX) yeastar.Int { return p.UsedRecording }),
		series.Minutes("ycm_cloud_pbx_recording_capacity_seconds", "Call recordings that the Cloud PBX can store, in seconds (recordingCapacity, which the API gives in minutes).",
			func(p *ycmclient.CloudPBX) yeastar.Int { return p.RecordingCapacity }),
		series.Number("ycm_cloud_pbx_plan_expiration_timestamp_seconds", "Unix time at which the Cloud PBX's plan expires, or has expired (planExpirationDate).",
			func(p *ycmclient.CloudPBX) yeastar.Int { return p.PlanExpiration }),
		series.Number("ycm_cloud_pbx_expiration_timestamp_seconds", "Unix time at which the Cloud PBX itself expires, or has expired (expirationDate).",
			func(p *ycmclient.CloudPBX) yeastar.Int { return p.Expiration }),
		series.Number("ycm_cloud_pbx_last_backup_timestamp_seconds", "Unix time of the last backup that a YCM task made of the Cloud PBX (lastBackupTime); absent if there was none.",
			func(p *ycmclient.CloudPBX) yeastar.Int { return p.LastBackup }),
		series.Number("ycm_cloud_pbx_backup_age_seconds", "Age in seconds that the last backup (lastBackupTime) had when the list was polled. Rules better use ycm_cloud_pbx_last_backup_timestamp_seconds, which is exact.",
			func(p *ycmclient.CloudPBX) yeastar.Int { return backupAge(p, polled) }),
		series.Number("ycm_cloud_pbx_created_timestamp_seconds", "Unix time at which the Cloud PBX was created (createTime).",
			func(p *ycmclient.CloudPBX) yeastar.Int { return p.Created }),
		series.Number("ycm_cloud_pbx_first_started_timestamp_seconds", "Unix time at which the Cloud PBX was started for the first time (initialStartUpTime).",
			func(p *ycmclient.CloudPBX) yeastar.Int { return p.FirstStarted }),
		series.Number("ycm_cloud_pbx_template_last_used_timestamp_seconds", "Unix time at which the Cloud PBX was last provisioned with a template (lastUsedTime).",
			func(p *ycmclient.CloudPBX) yeastar.Int { return p.TemplateLastUsed }),
		{
			Name: "ycm_cloud_pbx_firmware_update_available",
			Help: "Whether a firmware version newer than the Cloud PBX's own (version) is listed for its region (1) or not (0); absent where the region or the version cannot be matched with the firmware that YCM lists.",
			Read: func(p *ycmclient.CloudPBX, _ []string, sample func(float64)) {
				if count, ok := behind[release{p.Region, p.Version}]; ok {
					sample(series.Boolean(count > 0))
				}
			},
		},
		{
			Name: "ycm_cloud_pbx_firmware_versions_behind",
			Help: "Number of firmware versions listed for the Cloud PBX's region that are newer than its own (version); absent where the region or the version cannot be matched with the firmware that YCM lists.",
			Read: func(p *ycmclient.CloudPBX, _ []string, sample func(float64)) {
				if count, ok := behind[release{p.Region, p.Version}]; ok {
					sample(float64(count))
				}
			},
		},
	}
}

// statusColumn is a state set: of the documented statuses and Unknown, which stands for any other and for none, one
// is 1 and the others are 0.
func statusColumn() series.Column[ycmclient.CloudPBX] {
	type state struct {
		status ycmclient.Status
		name   string
	}
	var states []state
	for _, s := range ycmclient.Statuses() {
		states = append(states, state{s, s.String()})
	}
	slices.SortFunc(states, func(a, b state) int { return strings.Compare(a.name, b.name) })
	return series.Column[ycmclient.CloudPBX]{
		Name:   "ycm_cloud_pbx_status",
		Help:   "Running status of the Cloud PBX (pbxStatus): 1 for the present one, 0 for the others; Unknown is any that the API does not document. " + background,
		Labels: []string{"status"},
		Read: func(p *ycmclient.CloudPBX, labels []string, sample func(float64)) {
			for _, s := range states {
				labels[0] = s.name
				sample(series.Boolean(p.Status == s.status))
			}
		},
	}
}

// featureColumn reports which features are enabled. They are in the order of their labels.
func featureColumn() series.Column[ycmclient.CloudPBX] {
	features := []struct {
		name string
		get  func(*ycmclient.CloudPBX) yeastar.Switch
	}{
		{"im", func(p *ycmclient.CloudPBX) yeastar.Switch { return p.IM }},
		{"passwordless_login", func(p *ycmclient.CloudPBX) yeastar.Switch { return p.PasswordlessLogin }},
		{"provisioning_via_template", func(p *ycmclient.CloudPBX) yeastar.Switch { return p.ProvisioningViaTemplate }},
		{"recording", func(p *ycmclient.CloudPBX) yeastar.Switch { return p.Recording }},
		{"superior_passwordless_login", func(p *ycmclient.CloudPBX) yeastar.Switch { return p.SuperiorPasswordlessLogin }},
		{"upgrade_in_pbx", func(p *ycmclient.CloudPBX) yeastar.Switch { return p.UpgradeInPBX }},
	}
	return series.Column[ycmclient.CloudPBX]{
		Name:   "ycm_cloud_pbx_feature_enabled",
		Help:   "Whether a feature of the Cloud PBX is enabled (1) or disabled (0): im, passwordlessLogin, provisioningViaTemplate, recordingStatus, allowSuperiorPasswordlessLogin, upgradeInPbx; absent where the API does not say.",
		Labels: []string{"feature"},
		Read: func(p *ycmclient.CloudPBX, labels []string, sample func(float64)) {
			for _, f := range features {
				if on, ok := f.get(p).Get(); ok {
					labels[0] = f.name
					sample(series.Boolean(on))
				}
			}
		},
	}
}

// backupAge is how old the last backup was at a time; one that is yet to come, by YCM's clock, is new.
func backupAge(p *ycmclient.CloudPBX, at time.Time) yeastar.Int {
	backup, ok := p.LastBackup.Get()
	if !ok {
		return yeastar.Absent
	}
	return yeastar.Int(max(0, at.Unix()-backup))
}
