package capture

import (
	"regexp"
	"strings"
	"sync"
)

// KnownWord tells whether a value says nothing but one of the states, kinds and plans that an API may have: it is made of
// words of a fixed vocabulary. Where a field has a closed set of values, one that no page lists can be shown then.
func KnownWord(value string) bool {
	if value == "" || len(value) > 64 {
		return false
	}
	known := vocabulary()
	for _, word := range strings.FieldsFunc(value, func(r rune) bool { return r == ' ' || r == '_' || r == '-' }) {
		if !known[strings.ToLower(word)] {
			return false
		}
	}
	return true
}

var vocabulary = sync.OnceValue(func() map[string]bool {
	words := map[string]bool{}
	for _, word := range strings.Fields(`
		stopped stopping starting started running upgrading restoring provisioning restarting rebooting creating created deleting
		deleted migrating moving backing up error failed failure abnormal normal offline online expired suspended suspend frozen
		pending initializing maintenance unknown active inactive activated unactivated enabled disabled enable disable yes no
		true false on off trial commercial free test enterprise ultimate basic standard premium plan to subscribed not success
		my colleague reseller hosting user bearer deskphone conferencephone dect register registered unregistered unassigned
		peer did port based private account webtrunk available away business trip do disturb lunch work connected disconnected
		idle busy full rps pnp dhcp conflict locked unlocked warning exploding new old
		server authentication invalid parameter client token session access permission denied rate limit exceeded data found
		already exists api request internal interface existed version out of maintenance unsupported operation syntax duplicate
		key value ip blocked forbidden device grant parameters action partial processing database unauthorized scope
		system information overload task
		phone vendor model template method pbx cluster cm asc desc autop`) {
		words[word] = true
	}
	return words
})

// KnownName tells whether the name of a field looks like one that a program gave it, in any of the usual spellings,
// rather than something that happens to be a key. Those of people and companies begin with a capital letter, and those of
// the vendor's fields do not.
func KnownName(name string) bool { return len(name) <= 40 && fieldName.MatchString(name) }

var fieldName = regexp.MustCompile(`^[a-z]{2,}(_?[A-Z]{0,4}[a-z]+)*(_?[A-Z]{1,3})?[0-9]?$|^[a-z]$|^Status$`)

// KnownVersion tells whether a text is the version of a firmware.
func KnownVersion(text string) bool { return firmwareVersion.MatchString(text) }

var firmwareVersion = regexp.MustCompile(`^[0-9]{1,4}(\.[0-9]{1,5}){2,4}$`)
