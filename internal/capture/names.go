package capture

import (
	"regexp"
	"strings"
	"sync"
)

// objects is what was seen of the objects that a field has.
type objects struct {
	count int
	keys  map[string]int // how many of the objects have each
	known int            // how many of the keys are documented ones
}

// learnKeys notes the names in an object.
func (s *scrubber) learnKeys(field string, object map[string]any) {
	o := s.seen[field]
	if o == nil {
		o = &objects{keys: map[string]int{}}
		s.seen[field] = o
	}
	o.count++
	for key := range object {
		if o.keys[key]++; o.keys[key] == 1 && s.documented(key) {
			o.known++
		}
	}
}

// name is what may be shown of a name in an object that a field has. Names that the documentation has stay. Another that
// looks like the name of a field stays if it is made of the words that programs use, or if it stands in at least half of
// the objects, several, whose other names are mostly documented: an object may also be a map, by the names of people.
func (s *scrubber) name(field, key string) string {
	if s.documented(key) {
		return key
	}
	o := s.seen[field]
	record := o != nil && o.count > 1 && 2*o.known >= len(o.keys) && 2*o.keys[key] >= o.count
	if KnownName(key) && !s.values[strings.ToLower(key)] && (record || programs(key)) {
		return key
	}
	return s.standIn(key)
}

// documented tells whether the vendor's pages have a field or a parameter of that name.
func (s *scrubber) documented(key string) bool {
	known, ok := s.pages[key]
	if !ok {
		kind := s.kindOf(key)
		known = names()[key] || kind != replaced && kind != identity && kind != dated && KnownName(key)
		s.pages[key] = known
	}
	return known
}

// programs tells whether most of a name's words are such as programs use.
func programs(key string) bool {
	words := word.FindAllString(key, -1)
	known := 0
	for _, w := range words {
		if names()[strings.ToLower(w)] || vocabulary()[strings.ToLower(w)] {
			known++
		}
	}
	return 2*known > len(words)
}

var word = regexp.MustCompile(`[A-Z]*[a-z]+|[A-Z]+|[0-9]+`)

// names is the names in the documentation that are not those of numbers and closed sets, and words that names are made of.
var names = sync.OnceValue(func() map[string]bool {
	names := map[string]bool{}
	for _, name := range strings.Fields(`
		data list errors requestId name sn url region group creator firstName lastName email createTime expirationDate planExpirationDate
		initialStartUpTime lastUsedTemplate lastUsedTime lastBackupTime time cloudPbxId id regionId regionIds versionId userId company
		expirationTime recordingExpireDate effect_time client_id access_token refresh_token jti scope authorities
		access_token_expire_time refresh_token_expire_time device_name model_name system_time system_date_format system_time_format timestamp
		number caller_id_name role_name email_addr mobile_number custom_presence_status online_status sip_phone linkus_desktop
		linkus_mobile linkus_web status_list ext_dev_type host_port def_outbound_cid username mac vendor model template_name ip
		assigned_ext_num assigned_ext_name phone_vendor phone_model phone_template autop_method text value vendors models templates methods
		invalid_param_list field validation_type pbxNumber extensionNumber connections remoteManagementAccount remoteManagementPremiumAccount
		customerIds domainId domain didIds trunk trunks search sort sort_by search_value grant_type rows records items content result results
		count max min size limit level kind mode date day days hour hours minute minutes second seconds ai minimum maximum average
		capacity total last first next start end expiration expire expires created updated create update version firmware
		cloud call calls extension extensions recording backup license plan storage disk memory cpu usage address host port queue
		concurrent transcription receptionist addon bytes percent format language zone country currency price order state reason flag tag tags
		label note remark comment description brand product package edition feature features option options setting settings config`) {
		names[name] = true
	}
	return names
})
