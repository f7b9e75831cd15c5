package ycmtest

import "math"

// What changes with time is computed on request and never stored: nothing runs between two requests, and a demo that is
// restarted with the same epoch continues. Without Options.Live the time is always the epoch, so the same functions make a
// static fleet.

// operate gives the PBX its state at the time t.
func (w world) operate(p *PBX, n, t int64) {
	if w.healthy {
		w.operateHealthy(p, n, t)
		return
	}
	p.Status, p.Activation = w.baseState(n)
	p.Version = w.version(n, t)
	if w.live {
		w.applyEvent(p, n, t)
	}
	if p.Activation == activated {
		p.FirstStarted = p.Created
		if w.below(3, aboutStart, n, 1) > 0 {
			p.FirstStarted += w.below(hour, aboutStart, n, 2)
		}
		p.LastBackup = w.backup(p, n, t)
	}
	p.PlanExpiration = w.planEnd(n, t)
	p.Expiration = w.end(p, n)
	p.UsedExtensions = w.extensions(p, n)
	p.UsedRecording = w.recorded(p, n, t)
	p.ActiveCalls = w.calls(p, n, t, w.intensity(n))
	if w.wheel(aboutShape, n) == 1 {
		p.APIError = 10005 // Its API is disabled.
	}
}

const (
	activated   = "Activated"
	unactivated = "Unactivated"
)

// baseState is the state of a PBX outside of events. In a live fleet none is in transition without end, except for one in 61 whose
// provisioning never ends.
func (w world) baseState(n int64) (status, activation string) {
	switch place := w.wheel(aboutState, n); {
	case place < 2:
		return Stopped, activated
	case place < 4:
		return Stopped, unactivated
	case place == 4:
		return Provisioning, unactivated
	case place == 5:
		return Running, unactivated
	case place < 9 && !w.live:
		return [...]string{Starting, Upgrading, Restoring}[place-6], activated
	}
	return Running, activated
}

// version is the PBX's firmware: often the newest of its region, else an older one.
func (w world) version(n, t int64) string {
	versions := w.versions[w.regionOf(n)]
	behind := w.behind(n)
	if at, ok := w.upgrade(n); ok && t >= at+upgradeTime {
		behind = 0
	}
	return versions[min(behind, len(versions)-1)]
}

func (w world) behind(n int64) int {
	switch place := w.wheel(aboutVersion, n); {
	case place < 33:
		return 0
	case place < 46:
		return 1
	case place < 54:
		return 2
	case place < 59:
		return 3
	default:
		return math.MaxInt
	}
}

// backup is when the PBX was last backed up by a task: for most every night, for some every week, long ago or never.
func (w world) backup(p *PBX, n, t int64) int64 {
	var last int64
	switch place := w.wheel(aboutBackup, n); {
	case place < 48:
		last = w.night(n, t, 1)
	case place < 52:
		last = w.night(n, t, 7)
	case place < 56:
		last = w.epoch - 8*day - w.below(80*day, aboutBackup, n)
	}
	if last < p.FirstStarted {
		return 0
	}
	return last
}

// night is the last run before t of a task that runs every so many nights, between 1 and 4 o'clock local time.
func (w world) night(n, t, every int64) int64 {
	phase := w.below(every, aboutBackup, n, 1)*day + hour + w.below(3*hour, aboutBackup, n, 2) - regions[w.regionOf(n)].offset
	return t - (t-phase)%(every*day)
}

// planEnd is when the plan expires: for most within a year, for some within days. It is renewed after two days, unless it
// expired before the epoch.
func (w world) planEnd(n, t int64) int64 {
	within := func(days int64) int64 { return w.below(days*day, aboutPlanEnd, n) }
	end := w.epoch + 30*day + within(335)
	switch place := w.wheel(aboutPlanEnd, n); {
	case place < 2:
		return w.epoch - hour - within(40)
	case place < 5:
		end = w.epoch + hour + within(7)
	case place < 10:
		end = w.epoch + 7*day + within(23)
	}
	for t > end+2*day {
		end += 365 * day
	}
	return end
}

// end is when the PBX itself expires: a trial soon or not long ago; half of the others never do.
func (w world) end(p *PBX, n int64) int64 {
	random := w.below(30*day, aboutEnd, n)
	if p.Type == "Trial" {
		return w.epoch - 5*day + random
	}
	if w.below(2, aboutEnd, n, 1) == 0 {
		return 0
	}
	if w.wheel(aboutEnd, n) == 0 {
		return w.epoch + random/4
	}
	return w.epoch + 20*day + random*24
}

func (w world) extensions(p *PBX, n int64) int64 {
	if p.Activation == unactivated {
		return 0
	}
	switch place := w.wheel(aboutExtensions, n); {
	case place < 2:
		return p.ExtensionCapacity
	case place < 5:
		return p.ExtensionCapacity * 19 / 20
	}
	return p.ExtensionCapacity * (25 + w.below(60, aboutExtensions, n)) / 100
}

// recorded grows steadily until the store is cleared, and then starts again.
func (w world) recorded(p *PBX, n, t int64) int64 {
	period := 30*day + w.below(300*day, aboutRecording, n, 1)
	grown := float64((t+w.below(period, aboutRecording, n, 2))%period) / float64(period)
	highest := 0.85
	switch place := w.wheel(aboutRecording, n); {
	case place < 2:
		highest = 1
	case p.Activation == unactivated || place < 10:
		return 0
	}
	return int64(float64(p.RecordingCapacity) * (0.1 + (highest-0.1)*grown))
}

// busy is how busy offices are at every hour of a working day, in percent.
var busy = [25]float64{1, 1, 0, 0, 1, 2, 6, 20, 55, 88, 100, 97, 72, 70, 90, 98, 92, 70, 38, 18, 10, 6, 3, 2, 1}

// intensity is the share of the capacity that is in use in the busiest hour of a working day.
func (w world) intensity(n int64) float64 {
	switch w.wheel(aboutCalls, n) {
	case 0:
		return 1.3
	case 1, 2:
		return 0.95
	}
	return 0.1 + 0.5*float64(w.below(1000, aboutCalls, n))/1000
}

// calls follow the local time of day, with random changes every ten minutes. A stopped PBX has a few, as in the vendor's example.
func (w world) calls(p *PBX, n, t int64, intensity float64) int64 {
	if p.Status != Running {
		return w.below(3, aboutCalls, n, 1)
	}
	if p.Activation == unactivated {
		return 0
	}
	local := t + regions[w.regionOf(n)].offset
	clock := float64(local%day) / float64(hour)
	h := int(clock)
	load := (busy[h] + (busy[h+1]-busy[h])*(clock-float64(h))) / 100
	if weekday := (local/day + 4) % 7; weekday == 0 || weekday == 6 {
		load *= 0.4
	}
	const beat = 10 * minute
	noise := func(beats int64) float64 { return 0.6 + 0.8*float64(w.below(1000, aboutNoise, n, beats))/1000 }
	part := float64(t%beat) / float64(beat)
	load *= noise(t/beat)*(1-part) + noise(t/beat+1)*part
	return min(p.ConcurrentCallCapacity, int64(math.Round(float64(p.ConcurrentCallCapacity)*intensity*load)))
}
