package collector

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"
	"unique"

	"github.com/ycm-exporter/ycm_exporter/internal/exposition"
	"github.com/ycm-exporter/ycm_exporter/internal/series"
	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
)

// pbx is a record of the list.
type pbx = ycmclient.CloudPBX

// listReading is the list as a poll saw it.
type listReading struct {
	ycmclient.List
	State  ycmclient.WalkState // Of the walks up to this one.
	Polled time.Time
}

// cloudPBX walks the list of PBXs and compares it with the firmware that can be had.
func cloudPBX() Collector {
	return Collector{
		Name: CloudPBX, Schedule: on(time.Minute), Endpoints: []string{ycmclient.EndpointList, ycmclient.EndpointCloudPBX},
		Families: slices.Concat(series.PBXFamilies(cloudPBXColumns(time.Time{}, nil)), series.AccountFamilies(listColumns())),
		New: func(a Account) Poller {
			p := &accountPoller[listReading]{account: a, goesOn: true, show: func(r *listReading) exposition.Source {
				var firmware *firmwareReading
				if a.serving(Firmware) {
					firmware = readingOf[firmwareReading](a.pollers, Firmware)
				}
				return showList(a.Account, r, firmware)
			}}
			var state *ycmclient.WalkState // Walks that fail update it too.
			p.query = func(ctx context.Context, a Account) (*listReading, error) {
				before := p.reading.Load()
				if before == nil {
					before = &listReading{}
				}
				if state == nil {
					first := before.State
					state = &first
				}
				list, err := a.YCM.Walk(ctx, state, before.PBXs, a.Progress)
				if err != nil {
					return nil, err
				}
				return &listReading{list, *state, time.Now()}, nil
			}
			a.pollers[CloudPBX] = p
			return p
		},
	}
}

// showList makes a snapshot that keeps the list's records.
func showList(account series.Account, r *listReading, firmware *firmwareReading) exposition.Source {
	columns := cloudPBXColumns(r.Polled, versionsBehind(firmware, r.PBXs))
	return series.Join(
		series.PerPBX(account, columns, r.PBXs, func(p *pbx) (series.PBX, *pbx) {
			return series.PBX{ID: p.ID, Name: p.Name, Region: p.Region}, p
		}),
		series.PerAccount(account, listColumns(), &r.List),
	)
}

// listHead is the first record of a list's reading; the PBXs follow one by one.
type listHead struct {
	PBXs int // In the place of the list itself.
	listReading
}

func (r *listReading) write(write func(record any) error) error {
	return writeAll(write, listHead{len(r.PBXs), *r}, r.PBXs)
}

func (r *listReading) read(next func(record any) error) error {
	var head listHead
	if err := next(&head); err != nil {
		return err
	}
	last := int64(math.MinInt64)
	pbxs, err := readAll[pbx](func(record any) error {
		if err := next(record); err != nil {
			return err
		}
		p := record.(*pbx)
		if p.ID <= last {
			return fmt.Errorf("PBX %d follows PBX %d, but must have a higher id", p.ID, last)
		}
		last = p.ID
		for _, text := range []*string{&p.Region, &p.Type, &p.Plan, &p.Group, &p.Version, &p.LastUsedTemplate} {
			*text = unique.Make(*text).Value() // A fleet has few versions, regions and plans.
		}
		return nil
	}, head.PBXs)
	*r = head.listReading
	r.PBXs = pbxs
	return err
}

// listColumns declares what the list reports of the whole fleet.
func listColumns() []series.Column[ycmclient.List] {
	return []series.Column[ycmclient.List]{
		series.Number("ycm_cloud_pbxs", func(l *ycmclient.List) yeastar.Int { return yeastar.IntOf(int64(len(l.PBXs))) }, "Number of Cloud PBXs that are served. May differ from the total reported by YCM (ycm_cloud_pbxs_reported). "+background),
		series.Number("ycm_cloud_pbxs_reported", func(l *ycmclient.List) yeastar.Int { return yeastar.IntOf(l.Total) }, "Number of Cloud PBXs, as YCM reports it with its list (total). "+background),
	}
}

// cloudPBXColumns declares what the list reports of each PBX (Query All the Cloud PBXs). polled is when it did, and
// behind how the PBXs' releases compare with the firmware that can be had.
func cloudPBXColumns(polled time.Time, behind map[release]int) []series.Column[pbx] {
	statuses := byLabel(ycmclient.Statuses())
	ofRelease := func(name string, value func(behind int) float64, help string) series.Column[pbx] {
		return series.Column[pbx]{Name: name, Help: help, Read: func(p *pbx, _ []string, sample func(float64)) {
			if count, ok := behind[release{p.Region, p.Version}]; ok {
				sample(value(count))
			}
		}}
	}
	return []series.Column[pbx]{
		{
			Name:   "ycm_cloud_pbx_info",
			Help:   "Cloud PBX metadata; value is always 1: serial number (sn), host and port (of url), type, plan, group, firmware version, last used template (lastUsedTemplate); a label that the API did not give is empty.",
			Labels: []string{"group", "host", "last_used_template", "plan", "sn", "type", "version"},
			Read: func(p *pbx, labels []string, sample func(float64)) {
				copy(labels, []string{p.Group, p.URL, p.LastUsedTemplate, p.Plan, p.SN, p.Type, p.Version})
				sample(1)
			},
		},
		{
			// Unknown stands for any status that is not documented, and for none.
			Name:   "ycm_cloud_pbx_status",
			Help:   "Status of the Cloud PBX (pbxStatus): 1 for the current one of Stopped, Starting, Running, Upgrading, Restoring, Provisioning and Unknown, which is any that the API does not document, 0 for the others. " + background,
			Labels: []string{"status"},
			Read: func(p *pbx, labels []string, sample func(float64)) {
				for _, s := range statuses {
					labels[0] = s.String()
					sample(series.Boolean(p.Status == s))
				}
			},
		},
		series.Toggle("ycm_cloud_pbx_activated", func(p *pbx) yeastar.Switch { return p.Activated }, "Whether the Cloud PBX is Activated (1) or Unactivated (0) (activationStatus)."),
		featureColumn(),
		series.Number("ycm_cloud_pbx_active_calls", func(p *pbx) yeastar.Int { return p.ActiveCalls }, "Calls that are active on the Cloud PBX (activeCalls); YCM may go on showing the last value of one that is not Running. "+background),
		series.Number("ycm_cloud_pbx_concurrent_calls_capacity", func(p *pbx) yeastar.Int { return p.ConcurrentCallCapacity }, "Calls that the Cloud PBX may have at the same time (concurrentCallCapacity)."),
		series.Number("ycm_cloud_pbx_extensions_used", func(p *pbx) yeastar.Int { return p.UsedExtensions }, "Extensions created on the Cloud PBX (usedExtensions)."),
		series.Number("ycm_cloud_pbx_extensions_capacity", func(p *pbx) yeastar.Int { return p.ExtensionCapacity }, "Extensions that the Cloud PBX may have (extensionCapacity)."),
		series.Minutes("ycm_cloud_pbx_recording_used_seconds", func(p *pbx) yeastar.Int { return p.UsedRecording }, "Call recordings stored on the Cloud PBX, in seconds (usedRecording, which the API gives in minutes)."),
		series.Minutes("ycm_cloud_pbx_recording_capacity_seconds", func(p *pbx) yeastar.Int { return p.RecordingCapacity }, "Call recordings that the Cloud PBX can store, in seconds (recordingCapacity, which the API gives in minutes)."),
		series.Minutes("ycm_cloud_pbx_transcription_capacity_seconds", func(p *pbx) yeastar.Int { return p.TranscriptionCapacity }, "AI transcription that the Cloud PBX may use, all quotas together, in seconds (transcriptionCapacity, which the API gives in minutes); absent where YCM does not list it. ycm_cloud_pbx_ai_capacity_seconds has it by quota, at a request per PBX."),
		series.Minutes("ycm_cloud_pbx_transcription_used_seconds", func(p *pbx) yeastar.Int { return p.UsedTranscription }, "AI transcription that the Cloud PBX has used, in seconds (usedTranscription, which the API gives in minutes); absent where YCM does not list it."),
		series.Number("ycm_cloud_pbx_plan_expiration_timestamp_seconds", func(p *pbx) yeastar.Int { return p.PlanExpiration }, "Unix time at which the Cloud PBX's plan expires, or has expired (planExpirationDate)."),
		series.Number("ycm_cloud_pbx_expiration_timestamp_seconds", func(p *pbx) yeastar.Int { return p.Expiration }, "Unix time at which the Cloud PBX itself expires, or has expired (expirationDate)."),
		series.Number("ycm_cloud_pbx_last_backup_timestamp_seconds", func(p *pbx) yeastar.Int { return p.LastBackup }, "Unix time of the last backup that a YCM task made of the Cloud PBX (lastBackupTime); absent if there was none."),
		series.Number("ycm_cloud_pbx_backup_age_seconds", func(p *pbx) yeastar.Int { return backupAge(p, polled) }, "Age in seconds that the last backup (lastBackupTime) had when the list was polled. Prefer time() - ycm_cloud_pbx_last_backup_timestamp_seconds."),
		series.Number("ycm_cloud_pbx_created_timestamp_seconds", func(p *pbx) yeastar.Int { return p.Created }, "Unix time at which the Cloud PBX was created (createTime)."),
		series.Number("ycm_cloud_pbx_first_started_timestamp_seconds", func(p *pbx) yeastar.Int { return p.FirstStarted }, "Unix time at which the Cloud PBX was started for the first time (initialStartUpTime)."),
		series.Number("ycm_cloud_pbx_template_last_used_timestamp_seconds", func(p *pbx) yeastar.Int { return p.TemplateLastUsed }, "Unix time at which the Cloud PBX was last provisioned with a template (lastUsedTime)."),
		ofRelease("ycm_cloud_pbx_firmware_update_available", func(count int) float64 { return series.Boolean(count > 0) },
			"Whether a firmware version newer than the Cloud PBX's own (version) is listed for its region (1) or not (0); absent where the region or the version cannot be matched with the firmware that YCM lists."),
		ofRelease("ycm_cloud_pbx_firmware_versions_behind", func(count int) float64 { return float64(count) },
			"Number of firmware versions listed for the Cloud PBX's region that are newer than its own (version); absent where the region or the version cannot be matched with the firmware that YCM lists."),
	}
}

// featureColumn reports which features are enabled. They are in the order of their labels.
func featureColumn() series.Column[pbx] {
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
	return series.Column[pbx]{
		Name:   "ycm_cloud_pbx_feature_enabled",
		Help:   "Whether a feature of the Cloud PBX is enabled (1) or disabled (0): im, passwordless_login, provisioning_via_template, recording (recordingStatus), superior_passwordless_login (allowSuperiorPasswordlessLogin), upgrade_in_pbx; absent where the API does not report it.",
		Labels: []string{"feature"},
		Read: func(p *pbx, labels []string, sample func(float64)) {
			for _, f := range features {
				if on, ok := f.get(p).Get(); ok {
					labels[0] = f.name
					sample(series.Boolean(on))
				}
			}
		},
	}
}

// backupAge is how old the last backup was when the list was polled. One in the future, by YCM's clock, has the age 0.
func backupAge(p *pbx, at time.Time) yeastar.Int {
	backup, ok := p.LastBackup.Get()
	if !ok {
		return yeastar.Absent
	}
	return yeastar.IntOf(max(0, at.Unix()-backup))
}
