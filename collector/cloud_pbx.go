package collector

import (
	"cmp"
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
			var state *ycmclient.WalkState // Walks that fail update it too.
			query := func(ctx context.Context, a Account, before *listReading) (*listReading, error) {
				before = cmp.Or(before, &listReading{})
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
			return &accountPoller[listReading]{account: a, continues: true, query: query, show: func(r *listReading) exposition.Source {
				var firmware *firmwareReading
				if a.serving(Firmware) {
					firmware = readingOf[firmwareReading](a.pollers, Firmware)
				}
				return showList(a.Account, r, firmware)
			}}
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
		series.Number("ycm_cloud_pbxs", func(l *ycmclient.List) yeastar.Int { return yeastar.IntOf(int64(len(l.PBXs))) }, "Number of Cloud PBXs exported. May differ from ycm_cloud_pbxs_reported, the total that YCM reports."),
		series.Number("ycm_cloud_pbxs_reported", func(l *ycmclient.List) yeastar.Int { return yeastar.IntOf(l.Total) }, "Total number of Cloud PBXs reported by YCM."),
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
			Help:   "Cloud PBX metadata; value is always 1. A label is empty if YCM does not report it.",
			Labels: []string{"group", "host", "last_used_template", "plan", "sn", "type", "version"},
			Read: func(p *pbx, labels []string, sample func(float64)) {
				copy(labels, []string{p.Group, p.URL, p.LastUsedTemplate, p.Plan, p.SN, p.Type, p.Version})
				sample(1)
			},
		},
		{
			// Unknown stands for any status that is not documented, and for none.
			Name:   "ycm_cloud_pbx_status",
			Help:   "Status of the Cloud PBX: 1 for the current status, 0 otherwise. Undocumented values are reported as Unknown.",
			Labels: []string{"status"},
			Read: func(p *pbx, labels []string, sample func(float64)) {
				for _, s := range statuses {
					labels[0] = s.String()
					sample(series.Boolean(p.Status == s))
				}
			},
		},
		series.Toggle("ycm_cloud_pbx_activated", func(p *pbx) yeastar.Switch { return p.Activated }, "Whether the Cloud PBX is activated (1) or not (0)."),
		featureColumn(),
		series.Number("ycm_cloud_pbx_active_calls", func(p *pbx) yeastar.Int { return p.ActiveCalls }, "Active calls on the Cloud PBX. For a PBX that is not running, YCM may report the last value."),
		series.Number("ycm_cloud_pbx_concurrent_calls_capacity", func(p *pbx) yeastar.Int { return p.ConcurrentCallCapacity }, "Maximum number of concurrent calls on the Cloud PBX."),
		series.Number("ycm_cloud_pbx_extensions_used", func(p *pbx) yeastar.Int { return p.UsedExtensions }, "Number of extensions created on the Cloud PBX."),
		series.Number("ycm_cloud_pbx_extensions_capacity", func(p *pbx) yeastar.Int { return p.ExtensionCapacity }, "Maximum number of extensions on the Cloud PBX."),
		series.Minutes("ycm_cloud_pbx_recording_used_seconds", func(p *pbx) yeastar.Int { return p.UsedRecording }, "Length of the call recordings stored on the Cloud PBX, in seconds."),
		series.Minutes("ycm_cloud_pbx_recording_capacity_seconds", func(p *pbx) yeastar.Int { return p.RecordingCapacity }, "Maximum length of the call recordings stored on the Cloud PBX, in seconds."),
		series.Minutes("ycm_cloud_pbx_transcription_capacity_seconds", func(p *pbx) yeastar.Int { return p.TranscriptionCapacity }, "AI transcription quota of the Cloud PBX, in seconds; absent if YCM does not report it. For each quota see ycm_cloud_pbx_ai_capacity_seconds."),
		series.Minutes("ycm_cloud_pbx_transcription_used_seconds", func(p *pbx) yeastar.Int { return p.UsedTranscription }, "AI transcription used by the Cloud PBX, in seconds; absent if YCM does not report it."),
		series.Number("ycm_cloud_pbx_plan_expiration_timestamp_seconds", func(p *pbx) yeastar.Int { return p.PlanExpiration }, "Unix time at which the plan of the Cloud PBX expires or expired."),
		series.Number("ycm_cloud_pbx_expiration_timestamp_seconds", func(p *pbx) yeastar.Int { return p.Expiration }, "Unix time at which the Cloud PBX expires or expired; absent if YCM does not report it."),
		series.Number("ycm_cloud_pbx_last_backup_timestamp_seconds", func(p *pbx) yeastar.Int { return p.LastBackup }, "Unix time of the last backup of the Cloud PBX by a YCM task; absent if there is none."),
		series.Number("ycm_cloud_pbx_backup_age_seconds", func(p *pbx) yeastar.Int { return backupAge(p, polled) }, "Age of the last backup at the last poll, in seconds; absent if there is none. Prefer time() - ycm_cloud_pbx_last_backup_timestamp_seconds."),
		series.Number("ycm_cloud_pbx_created_timestamp_seconds", func(p *pbx) yeastar.Int { return p.Created }, "Unix time at which the Cloud PBX was created."),
		series.Number("ycm_cloud_pbx_first_started_timestamp_seconds", func(p *pbx) yeastar.Int { return p.FirstStarted }, "Unix time of the first start of the Cloud PBX; absent if it was never started."),
		series.Number("ycm_cloud_pbx_template_last_used_timestamp_seconds", func(p *pbx) yeastar.Int { return p.TemplateLastUsed }, "Unix time at which a template was last applied to the Cloud PBX; absent if there is none."),
		ofRelease("ycm_cloud_pbx_firmware_update_available", func(count int) float64 { return series.Boolean(count > 0) },
			"Whether newer firmware is available in the region of the Cloud PBX (1) or not (0); absent if its region or version cannot be compared with the available firmware."),
		ofRelease("ycm_cloud_pbx_firmware_versions_behind", func(count int) float64 { return float64(count) },
			"Number of newer firmware versions available in the region of the Cloud PBX; absent if its region or version cannot be compared with the available firmware."),
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
		Help:   "Whether a feature of the Cloud PBX is enabled (1) or disabled (0); absent if YCM does not report it.",
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
