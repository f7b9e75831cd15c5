package main

import (
	"strconv"
	"strings"
	"unicode"
)

// The colours, and the one thing that each of them means.
const (
	good    = "green"
	warning = "orange"
	bad     = "red"
	busy    = "blue" // under way, and plain numbers
	plain   = "light-blue"
	past    = "purple" // the same, earlier; a limit; a forecast
	unknown = "#8e8e8e"
)

// state is one value of a state set and its colour.
type state struct{ name, colour string }

// words is the name of a state with spaces between its words.
func (s state) words() string {
	var b strings.Builder
	for i, r := range s.name {
		if i > 0 && unicode.IsUpper(r) {
			b.WriteByte(' ')
			r = unicode.ToLower(r)
		}
		b.WriteRune(r)
	}
	return b.String()
}

// pbxStates are the states of a Cloud PBX, as ycm_cloud_pbx_status has them.
var pbxStates = []state{
	{"Running", good},
	{"Stopped", bad},
	{"Starting", busy},
	{"Upgrading", busy},
	{"Restoring", busy},
	{"Provisioning", busy},
	{"Unknown", bad},
}

// trunkStates are the states of a trunk, as ycm_cloud_pbx_trunk_status has them.
var trunkStates = []state{
	{"Idle", good},
	{"Busy", busy},
	{"IdleUnmonitored", good},
	{"Registering", warning},
	{"RegistrationFailed", bad},
	{"Unreachable", "dark-red"},
	{"AccountTrunkUnavailable", "semi-dark-red"},
	{"AuthenticationFailed", "light-red"},
	{"Disabled", unknown},
	{"Unknown", unknown},
}

// trunkFault matches the states in which a trunk takes no calls although it is switched on.
const trunkFault = `status=~"Registering|RegistrationFailed|Unreachable|AccountTrunkUnavailable|AuthenticationFailed"`

// stateMapping gives the values that encoded makes their names and colours.
func stateMapping(states []state) Mapping {
	options := map[string]any{}
	for i, s := range states {
		options[strconv.Itoa(i+1)] = result{Text: s.words(), Color: s.colour, Index: i}
	}
	return Mapping{Type: "value", Options: options}
}

// nameMapping gives the names of states, where they are shown as words, their colours.
func nameMapping(states []state) Mapping {
	options := map[string]any{}
	for i, s := range states {
		options[s.name] = result{Text: s.words(), Color: s.colour, Index: i}
	}
	return Mapping{Type: "value", Options: options}
}

// result is what a mapping shows instead of a value.
type result struct {
	Text  string `json:"text,omitempty"`
	Color string `json:"color,omitempty"`
	Index int    `json:"index"`
}

// word shows a word for one value.
func word(value float64, text, colour string) Mapping {
	key := strconv.FormatFloat(value, 'f', -1, 64)
	return Mapping{Type: "value", Options: map[string]any{key: result{Text: text, Color: colour}}}
}

// yesNo shows words for 1, which is good, and 0.
func yesNo(yes, no, noColour string) Mapping {
	return Mapping{Type: "value", Options: map[string]any{
		"1": result{Text: yes, Color: good},
		"0": result{Text: no, Color: noColour, Index: 1},
	}}
}
