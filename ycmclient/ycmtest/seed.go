package ycmtest

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

const (
	firstID = 7715 // the first id in the vendor's example
	idStep  = 3    // ids leave gaps of 0 to 4

	minute = int64(60)
	hour   = 60 * minute
	day    = 24 * hour
)

// id returns the id of the n-th PBX, and ordinal the reverse.
func (w world) id(n int64) int64 { return firstID + idStep*n + w.below(idStep, aboutGap, n) }

func (w world) ordinal(id int64) int64 { return max(0, id-firstID) / idStep }

func (w world) idAfter(last int64) int64 {
	if last < firstID {
		return w.id(0)
	}
	return w.id(w.ordinal(last) + 1)
}

// moment returns the fleet's time: in a static fleet it is always the epoch.
func (w world) moment(now time.Time) int64 {
	if w.live {
		return now.Unix()
	}
	return w.epoch
}

// pbx makes the PBX with an id as it is at the time t. created is 0 if it existed at the start.
func (w world) pbx(id, created, t int64) PBX {
	n := w.ordinal(id)
	p := PBX{ID: id}
	w.identify(&p, n)
	w.sell(&p, n)
	w.equip(&p, n)
	p.Created = created
	if created == 0 {
		step := 3 * 365 * day / max(w.size, 1)
		p.Created = w.epoch - 2*hour - (w.size-1-n)*step - w.below(max(step, 1), aboutStart, n)
	}
	w.operate(&p, n, t)
	if w.wheel(aboutShape, n) == 0 && !w.healthy { // The older shape of the record, as in the vendor's "Response Results".
		p.Raw = map[string]string{"activeCalls": "", "usedExtensions": "", "usedRecording": "", "group": ""}
	}
	return p
}

// identify gives the PBX its names.
func (w world) identify(p *PBX, n int64) {
	p.Name = w.name(n)
	p.SN = fmt.Sprintf("3658B43%09d", p.ID)
	p.Region = regions[w.regionOf(n)].listed
	domain := "example.yeastarcloud.com"
	if w.below(10, aboutRegion, n, 1) == 0 {
		domain = "example.yeastar.com"
	}
	p.URL = fmt.Sprintf("%s-%d.%s", strings.ToLower(firstWords[w.below(int64(len(firstWords)), aboutName, n, 1)]), p.ID, domain)
	p.Group = groups[w.below(int64(len(groups)), aboutGroup, n)]
	p.Creator = Person{"Demo", "Operator", "operator@example.com"}
}

// idOfSN and idOfURL return the id that identify made them of; -1 for others.
func idOfSN(sn string) int64 {
	digits, ok := strings.CutPrefix(sn, "3658B43")
	if !ok {
		return -1
	}
	return idOf(digits)
}

func idOfURL(host string) int64 {
	label, _, _ := strings.Cut(host, ".")
	return idOf(label[strings.LastIndexByte(label, '-')+1:])
}

func idOf(digits string) int64 {
	id, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		return -1
	}
	return id
}

// sell gives the PBX its plan and capacities, which do not depend on the time.
func (w world) sell(p *PBX, n int64) {
	p.Plan = "Enterprise Plan"
	switch place := w.wheel(aboutPlan, n); {
	case place < 2:
		p.Plan = "Upgrading to Ultimate Plan"
	case place < 20:
		p.Plan = "Ultimate Plan"
	}
	p.ExtensionCapacity = []int64{10, 20, 20, 30, 50, 50, 75, 100, 150, 300}[w.below(10, aboutSize, n, 1)]
	p.ConcurrentCallCapacity = max(4, p.ExtensionCapacity/4)
	p.Recording, p.RecordingCapacity = enabled, []int64{500, 1_000, 5_000, 20_000, 50_000}[w.below(5, aboutSize, n, 2)]
	if w.below(8, aboutSize, n, 3) == 0 {
		p.Recording, p.RecordingCapacity = disabled, 0
	}
	if w.below(4, aboutShape, n, 1) == 0 {
		p.TranscriptionCapacity, p.UsedTranscription = 120, 1+w.below(120, aboutShape, n, 2)
	}
	p.Type = "Commercial"
	if w.wheel(aboutType, n) < 7 {
		p.Type = "Trial"
	}
	w.sizeHealthy(p, n)
}

// equip gives the PBX its features.
func (w world) equip(p *PBX, n int64) {
	chances := w.random(aboutFeatures, n)
	chance := func(inSixteen uint64) bool {
		chances = mix(chances)
		return chances%16 < inSixteen
	}
	onOff := func(inSixteen uint64) string {
		if chance(inSixteen) {
			return enabled
		}
		return disabled
	}
	p.UpgradeInPBX, p.IM, p.PasswordlessLogin = onOff(10), onOff(8), onOff(5)
	switch {
	case chance(6):
		p.SuperiorLogin = "no" // as in the vendor's example, not as in the vendor's table
	case chance(10):
		p.SuperiorLogin = onOff(8)
	}
	p.ViaTemplate = onOff(9)
	if p.ViaTemplate == enabled && chance(12) {
		p.LastUsedTemplate = []string{"PCE-Provision-Template", "Retail 2", `Hotel "Standard"`, "Büro"}[chances%4]
		p.TemplateLastUsed = w.epoch - 30*day - int64(chances%uint64(300*day))
	}
}
