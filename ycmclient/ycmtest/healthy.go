package ycmtest

// A healthy fleet has few problems, and the same at every hour.

// notable is a problem of a PBX in a healthy fleet. There is one PBX of each kind, if the fleet is not tiny.
type notable int64

const (
	silent       notable = iota + 2 // runs, is large, and does not answer
	stopped                         // small: no page
	neglected                       // was backed up long ago
	unregistered                    // its second trunk cannot register
)

// tiny is the size below which a healthy fleet has no problems.
const tiny = 20

func (w world) isNotable(n int64, kind notable) bool {
	return w.healthy && w.size >= tiny && n == w.size/int64(kind)
}

// operateHealthy gives the PBX its state at the time t in a healthy fleet.
func (w world) operateHealthy(p *PBX, n, t int64) {
	p.Status, p.Activation = Running, activated
	switch {
	case w.size >= tiny && n == w.size-1: // Created today, not activated yet.
		p.Status, p.Activation = Stopped, unactivated
	case w.isNotable(n, stopped):
		p.Status = Stopped
	case w.isNotable(n, silent):
		p.Silent = true
	case w.live:
		w.applyEvent(p, n, t)
	}
	p.Version = w.version(n, t)
	if p.Activation == activated {
		p.FirstStarted = p.Created
		p.LastBackup = w.healthyBackup(p, n, t)
		p.UsedExtensions = p.ExtensionCapacity * (25 + w.below(55, aboutExtensions, n)) / 100
		if w.wheel(aboutExtensions, n) == 0 {
			p.UsedExtensions = p.ExtensionCapacity * 19 / 20
		}
	}
	p.PlanExpiration = w.healthyPlanEnd(n, t)
	p.Expiration = w.healthyEnd(p, n, t)
	p.UsedRecording = min(w.recorded(p, n, t), p.RecordingCapacity*8/10)
	p.ActiveCalls = w.calls(p, n, t, 0.05+0.4*float64(w.below(1000, aboutCalls, n))/1000)
}

// sizeHealthy makes the PBX that does not answer a large one, and the one that is stopped a small one.
func (w world) sizeHealthy(p *PBX, n int64) {
	switch {
	case w.isNotable(n, silent):
		p.Type, p.ExtensionCapacity = "Commercial", 150
	case w.isNotable(n, stopped):
		p.Type, p.ExtensionCapacity = "Commercial", 10
	default:
		return
	}
	p.ConcurrentCallCapacity = max(4, p.ExtensionCapacity/4)
}

// healthyBackup is the last night, or the last of the nights once a week.
func (w world) healthyBackup(p *PBX, n, t int64) int64 {
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

// healthyPlanEnd is within the month for one plan in 61, and is renewed by a year when eight days are left.
func (w world) healthyPlanEnd(n, t int64) int64 {
	end := w.epoch + 40*day + w.below(325*day, aboutPlanEnd, n)
	if w.wheel(aboutPlanEnd, n) == 0 {
		end = w.epoch + 10*day + w.below(18*day, aboutPlanEnd, n)
	}
	for t > end-8*day {
		end += 365 * day
	}
	return end
}

// healthyEnd is within the month for trials, and is renewed; half of the others have no end.
func (w world) healthyEnd(p *PBX, n, t int64) int64 {
	random := w.below(30*day, aboutEnd, n)
	if p.Type != "Trial" {
		if w.below(2, aboutEnd, n, 1) == 0 {
			return 0
		}
		return w.epoch + 400*day + random*10
	}
	end := w.epoch + 10*day + random*18/30
	for t > end-8*day {
		end += 30 * day
	}
	return end
}

// healthyTrunkStatus is one of a trunk that works, or is disabled on purpose.
func (w world) healthyTrunkStatus(p PBX, n, k int64) int {
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
