package config

import (
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"go.yaml.in/yaml/v3"

	"github.com/ycm-exporter/ycm_exporter/collector"
)

func (c *Collectors) check(p place) {
	for key, schedule := range c.schedules() {
		checkSchedule(schedule, p.key(key))
	}
	c.Firmware.check(p.key("firmware").key("types"))
	c.Autoprovisioning.check(p.key("autoprovisioning"))
}

// schedules yields the schedule of each collector by its key in the file.
func (c *Collectors) schedules() iter.Seq2[string, *Schedule] {
	return func(yield func(string, *Schedule) bool) {
		_ = yield("cloud_pbx", &c.CloudPBX) &&
			yield("firmware", &c.Firmware.Schedule) &&
			yield("subscription", &c.Subscription) &&
			yield("users", &c.Users) &&
			yield("pbx_api", &c.PBXAPI) &&
			yield("trunks", &c.Trunks) &&
			yield("autoprovisioning", &c.Autoprovisioning.Schedule)
	}
}

func checkSchedule(s *Schedule, p place) {
	interval, staleAfter := p.key("interval"), p.key("stale_after")
	interval.upTo(30*day, s.Interval)
	staleAfter.upTo(365*day, s.StaleAfter)
	if !staleAfter.given() {
		s.StaleAfter = max(3*s.Interval, 10*time.Minute)
	}
	if !interval.failed() {
		staleAfter.must(s.StaleAfter >= s.Interval, "%s is below interval %s; make stale_after at least %[2]s",
			model.Duration(s.StaleAfter), model.Duration(s.Interval))
	}
}

func (f *Firmware) check(types place) {
	types.must(len(f.Types) > 0, "is empty; write pbx, cluster or cm, or enabled: false to switch the collector off")
	for i, typ := range f.Types {
		at := types.item(i)
		at.must(slices.Contains([]string{"pbx", "cluster", "cm"}, typ), "must be pbx, cluster or cm")
		at.must(!slices.Contains(f.Types[:i], typ), "is in the list already; delete it")
	}
}

func (a *Autoprovisioning) check(p place) {
	p.key("depth").must(slices.Contains([]string{"vendors", "models", "full"}, a.Depth), "must be vendors, models or full")

	phones := p.key("required_phones")
	for i, phone := range a.RequiredPhones {
		at := phones.item(i)
		if !at.mapping() || at.failed() {
			continue
		}
		at.key("vendor").needText(phone.Vendor, "write the vendor as the PBX's list of phones has it, such as Yealink")
		at.key("model").needText(phone.Model, "write the model as the PBX's list of phones has it, such as VP59")
		same := func(other Phone) bool {
			return strings.EqualFold(phone.Vendor, other.Vendor) && strings.EqualFold(phone.Model, other.Model)
		}
		at.must(!slices.ContainsFunc(a.RequiredPhones[:i], same), "is in the list already; delete it")
	}
}

// checkSources reports the collectors that have no PBX to ask: without the list, an account knows only the PBXs that
// it names itself.
func (c *content) checkSources(p place) {
	if c.Collectors.CloudPBX.Enabled {
		return
	}
	alone := slices.IndexFunc(c.Accounts, func(a Account) bool { return len(a.PBXs) == 0 })
	if alone < 0 || p.key("accounts").item(alone).key("pbxs").failed() {
		return
	}
	for key, schedule := range c.Collectors.schedules() {
		if schedule.Enabled && slices.Contains([]string{"pbx_api", "trunks", "autoprovisioning"}, key) {
			p.key("collectors").key(key).problem(
				"has no PBX to ask in accounts[%d]; enable collectors.cloud_pbx, or write pbxs into that account", alone)
		}
	}
}

// configured gives each collector what the file says of it. Schedule and settings were checked.
func (c *Collectors) configured() (all []collector.Configured, err error) {
	settings := map[string]any{"firmware": c.Firmware, "autoprovisioning": c.Autoprovisioning}
	for _, one := range collector.All() {
		configured := collector.Configured{Collector: one}
		for name, schedule := range c.schedules() {
			if name == one.Name {
				configured.Schedule = *schedule
			}
		}
		if one.Settings != nil {
			configured.Settings = one.Settings()
			written, err := yaml.Marshal(settings[one.Name])
			if err != nil {
				return nil, err
			}
			if err := yaml.Unmarshal(written, configured.Settings); err != nil {
				return nil, err
			}
		}
		all = append(all, configured)
	}
	return all, nil
}
