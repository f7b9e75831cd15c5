package capture

import (
	"regexp"
	"strings"
)

// kind is what may stay of a field's values.
type kind uint8

const (
	replaced  kind = iota // nothing
	counted               // numbers that count something
	dated                 // times
	closed                // the words of a closed set
	versioned             // firmware versions
	identity              // ids
)

// kindOf tells what may stay of the values of a field.
func kindOf(field string) kind {
	const longest = 64
	switch {
	case len(field) > longest:
		return replaced
	case countedField.MatchString(field):
		return counted
	case closedField.MatchString(field):
		return closed
	case versionedField.MatchString(field):
		return versioned
	case idField.MatchString(field):
		return identity
	case datedField.MatchString(field):
		return dated
	default:
		return replaced
	}
}

// kindOf is the same, found once for each field: there may be a million of them.
func (s *scrubber) kindOf(field string) kind {
	known, ok := s.kinds[field]
	if !ok {
		known = kindOf(field)
		s.kinds[field] = known
	}
	return known
}

var (
	countedField = regexp.MustCompile(`^(activeCalls|total|total_number|used|capacity|pageSize|pageNumber|expires_in|code|errcode|errno|errorCode|` +
		`enterprisePlan|ultimatePlan|createdCloudPbx|createdReseller|minimumExtPerPbx|up_time|enable|assignedToReseller[A-Za-z]*|` +
		`[a-z]*(E|e)xtensionCapacity|[A-Za-z]*(C|c)apacity(Plan|Addon)?|(total|used)[A-Z][A-Za-z]*|[a-z_]+_(capacity|used)|page|page_size)$`)
	closedField = regexp.MustCompile(`^(pbxStatus|activationStatus|plan|type|recordingStatus|upgradeInPbx|im|passwordlessLogin|` +
		`allowSuperiorPasswordlessLogin|provisioningViaTemplate|status|Status|highAvailability|whiteLabel|userType|token_type|menu|` +
		`twoFactorAuthenticationEnable|presence_status|assigned_ext_status|msg|message|errmsg|error|error_description|detail|order_by)$`)
	versionedField = regexp.MustCompile(`^(version|firmware_version|firmware)$`)
	idField        = regexp.MustCompile(`^(id|[A-Za-z]+Ids?|[a-z_]+_ids?)$`)
	datedField     = regexp.MustCompile(`(?i)(time|date|timestamp)$`)
)

// space is what ids of a field are counted in: regionId and regionIds are the same.
func space(field string) string { return strings.TrimSuffix(strings.ToLower(field), "s") }
