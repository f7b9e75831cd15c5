package ycmtest

// Events of the PBXs of a live fleet: in some slots of two hours a PBX is stopped, restarted, restored or does not answer for a
// while. It is upgraded once, usually soon after the epoch.

const (
	slotTime    = 2 * hour
	upgradeTime = 25 * minute // after it the new version starts
	startTime   = 3 * minute
)

// event is a change of state for a while.
type event struct {
	status     string // during the event
	silent     bool   // the PBX runs, but does not answer
	start, end int64
}

// applyEvent gives the PBX the state of its current event.
func (w world) applyEvent(p *PBX, n, t int64) {
	if p.Status != Running || p.Activation != activated {
		return
	}
	e, ok := w.upgradeEvent(n)
	if !ok || t < e.start || t >= e.end+startTime {
		e, ok = w.eventIn(n, w.slot(n, t))
	}
	switch {
	case !ok || t < e.start || e.silent && t >= e.end || t >= e.end+startTime:
	case e.silent:
		p.Silent = true
	case t < e.end:
		p.Status = e.status
	default:
		p.Status = Starting
	}
}

// slot returns the number of the PBX's slot at the time t.
func (w world) slot(n, t int64) int64 { return (t + w.below(slotTime, aboutEvent, n)) / slotTime }

// eventIn returns the event of the PBX in a slot; it ends within the slot.
func (w world) eventIn(n, slot int64) (event, bool) {
	length := func(least, most int64) int64 { return least + w.below(most-least, aboutEvent, n, slot, 1) }
	var e event
	switch place := w.below(1000, aboutEvent, n, slot, 2); {
	case place < 12:
		e = event{status: Stopped, end: length(5*minute, 25*minute)}
	case place < 22:
		e = event{status: Starting, end: length(minute, 3*minute)}
	case place < 26:
		e = event{status: Restoring, end: length(10*minute, 30*minute)}
	case place < 28:
		e = event{status: Stopped, end: length(60*minute, 80*minute)}
	case place < 36:
		e = event{status: Running, silent: true, end: length(15*minute, 60*minute)}
	default:
		return event{}, false
	}
	if w.healthy && e.status != Starting {
		return event{}, false
	}
	e.start = slot*slotTime - w.below(slotTime, aboutEvent, n) + w.below(30*minute, aboutEvent, n, slot, 3)
	e.end += e.start
	return e, true
}

// upgrade returns when the PBX is upgraded. Half of those that are behind never are.
func (w world) upgrade(n int64) (at int64, ok bool) {
	if !w.live || w.behind(n) == 0 || w.below(2, aboutUpgrade, n) == 0 {
		return 0, false
	}
	late := float64(w.below(1000, aboutUpgrade, n, 1)) / 1000
	return w.epoch + int64(late*late*float64(5*day)), true
}

func (w world) upgradeEvent(n int64) (event, bool) {
	at, ok := w.upgrade(n)
	return event{status: Upgrading, start: at, end: at + upgradeTime}, ok
}

// startedAt returns when the PBX started last; before the epoch that is random.
func (w world) startedAt(n, t int64) int64 {
	last := w.epoch - hour - w.below(40*day, aboutStart, n, 3)
	if !w.live {
		return last
	}
	if e, ok := w.upgradeEvent(n); ok && e.end <= t {
		last = e.end
	}
	for slot := w.slot(n, t); slot*slotTime > last; slot-- {
		if e, ok := w.eventIn(n, slot); ok && !e.silent && e.end <= t {
			return max(last, e.end)
		}
	}
	return last
}
