package yeastar

import "math"

// Int is a whole number that an answer may leave out.
type Int int64

// Absent is the Int that was not given, or given as rubbish.
const Absent Int = math.MinInt64

// Get returns the number, and whether there is one.
func (i Int) Get() (int64, bool) { return int64(i), i != Absent }

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
