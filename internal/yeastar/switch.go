package yeastar

import "bytes"

// Switch is a yes-or-no value that an answer may leave out. The zero value is absent.
type Switch uint8

// The states of a Switch.
const (
	SwitchAbsent Switch = iota
	SwitchOff
	SwitchOn
)

// Get returns whether the switch is on, and whether that was given.
func (s Switch) Get() (on, ok bool) { return s == SwitchOn, s != SwitchAbsent }

// Toggle is a Switch on the wire: Enabled, enable, yes, true, on, 1, Activated or their opposites, in any case.
type Toggle struct {
	value      Switch
	unreadable bool
}

// UnmarshalJSON takes any JSON value.
func (t *Toggle) UnmarshalJSON(wire []byte) error {
	*t = Toggle{}
	word, ok := scalar(wire)
	word = bytes.TrimSpace(word)
	switch {
	case !ok:
		t.unreadable = true
	case len(word) == 0:
	case isAny(word, "enabled", "activated", "yes", "true", "on", "1", "enable"):
		t.value = SwitchOn
	case isAny(word, "disabled", "unactivated", "no", "false", "off", "0", "disable"):
		t.value = SwitchOff
	default:
		t.unreadable = true
	}
	return nil
}

// Get returns the switch.
func (t Toggle) Get(field string, unexpected Unexpected) Switch {
	if t.unreadable {
		unexpected.report(field)
	}
	return t.value
}
