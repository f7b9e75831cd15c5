package ycmtest

// A healthy fleet has an ordinary day: what needs somebody is little, and the same at every hour.

// notable is what sets a PBX of a healthy fleet apart. There is one PBX of each kind, if the fleet is not tiny.
type notable int64

const (
	silent       notable = iota + 2 // runs, is large, and does not answer
	stopped                         // small
	neglected                       // was backed up long ago
	unregistered                    // its second trunk cannot register
)

// tiny is the size below which a healthy fleet has nothing notable.
const tiny = 20

func (w world) isNotable(n int64, kind notable) bool {
	return w.healthy && w.size >= tiny && n == w.size/int64(kind)
}

// operateWell gives the PBX its state at the time t in a healthy fleet.
func (w world) operateWell(p *PBX, n, t int64) {
	p.Status, p.Activation = Running, activated
	switch {
	case w.size >= tiny && n == w.size-1: // A customer of today, who has not begun yet.
		p.Status, p.Activation = Stopped, unactivated
	case w.isNotable(n, stopped):
		p.Status = Stopped
	case w.isNotable(n, silent):
		p.Silent = true
	case w.live:
		w.stumble(p, n, t)
	}
	p.Version = w.version(n, t)
	if p.Activation == activated {
		p.FirstStarted = p.Created
		p.LastBackup = w.backupWell(p, n, t)
		p.UsedExtensions = p.ExtensionCapacity * (25 + w.below(55, aboutExtensions, n)) / 100
		if w.wheel(aboutExtensions, n) == 0 {
			p.UsedExtensions = p.ExtensionCapacity * 19 / 20
		}
	}
	p.PlanExpiration = w.planEndWell(n, t)
	p.Expiration = w.endWell(p, n, t)
	p.UsedRecording = min(w.recorded(p, n, t), p.RecordingCapacity*8/10)
	p.ActiveCalls = w.calls(p, n, t, 0.05+0.4*float64(w.below(1000, aboutCalls, n))/1000)
}

// sellWell makes the PBX that does not answer a large one of a customer, and the one that is stopped a small one.
func (w world) sellWell(p *PBX, n int64) {
	switch {
	case w.isNotable(n, silent):
		p.Type, p.ExtensionCapacity = "Commercial", 150
	case w.isNotable(n, stopped):
		p.Type, p.ExtensionCapacity = "Commercial", 20
	default:
		return
	}
	p.ConcurrentCallCapacity = p.ExtensionCapacity / 4
}

// backupWell is the last night, or the last of the nights once a week.
func (w world) backupWell(p *PBX, n, t int64) int64 {
	last := w.night(n, t, 1)
	switch {
	case w.isNotable(n, neglected):
		last = w.epoch - 9*day
	case w.wheel(aboutBackup, n) < 8:
		last = w.night(n, t, 7)
	}
	if last < p.FirstStarted {
		return 0
	}
	return last
}

// planEndWell lies within the month for one plan in 61, and is put off a year when eight days are left.
func (w world) planEndWell(n, t int64) int64 {
	end := w.epoch + 40*day + w.below(325*day, aboutPlanEnd, n)
	if w.wheel(aboutPlanEnd, n) == 0 {
		end = w.epoch + 10*day + w.below(18*day, aboutPlanEnd, n)
	}
	for t > end-8*day {
		end += 365 * day
	}
	return end
}

// endWell gives trials a month, which is put off as often as it takes; half of the others have no end.
func (w world) endWell(p *PBX, n, t int64) int64 {
	throw := w.below(30*day, aboutEnd, n)
	if p.Type != "Trial" {
		if w.below(2, aboutEnd, n, 1) == 0 {
			return 0
		}
		return w.epoch + 400*day + throw*10
	}
	end := w.epoch + 10*day + throw*18/30
	for t > end-8*day {
		end += 30 * day
	}
	return end
}

// trunkStatusWell is a trunk that serves, or was left unused on purpose.
func (w world) trunkStatusWell(p PBX, n, k int64) int {
	switch place := w.wheel(aboutTrunks, n+k); {
	case w.isNotable(n, unregistered) && k == 1:
		return TrunkRegistrationFailed
	case place == 0 && k > 0:
		return TrunkDisabled
	case place == 1:
		return TrunkUnmonitored
	case p.ActiveCalls > k:
		return TrunkBusy
	}
	return TrunkIdle
}
