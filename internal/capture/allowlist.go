package capture

import (
	"net/http"
	"regexp"
	"strings"
	"sync"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

// newScrubber allows the documented fields and those that the clients read.
func newScrubber(fields []map[string]bool) scrubber {
	s := scrubber{map[string]bool{}, map[string]string{}}
	for field := range strings.FieldsSeq(documentedTexts) {
		s.fields[strings.ToLower(field)] = false
	}
	for field := range strings.FieldsSeq(documentedNumbers) {
		s.fields[strings.ToLower(field)] = true
	}
	for _, some := range fields {
		for field, isNumber := range some {
			s.fields[strings.ToLower(field)] = s.fields[strings.ToLower(field)] || isNumber
		}
	}
	return s
}

// The fields of the envelope, of errors in every spelling, of requests, and of what the clients do not read.
const (
	documentedNumbers = `code errcode errno errorCode time effect_time id total total_number page page_size pageNumber pageSize expires_in
		domainId didIds customerIds regionIds createdReseller minimumExtPerPbx frozenExtensionCapacity assignedToResellerUsed
		assignedToResellerCapacity totalUltimatePlan usedUltimatePlan totalConnections usedConnections totalCustomDomains totalTranscription
		transcriptionCapacity transcriptionCapacityPlan transcriptionCapacityAddon usedTranscription
		receptionistCapacity receptionistCapacityPlan receptionistCapacityAddon usedReceptionist`

	documentedTexts = `data list status requestId error errors msg message errmsg errorMsg errorMessage error_description detail detailMsg
		detailMessage invalid_param_list field validation_type value grant_type client_id access_token refresh_token token_type jti scope
		authorities search sort sort_by order_by search_value menu type vendor model creator firstName lastName email domain whiteLabel
		twoFactorAuthenticationEnable model_name system_time system_date_format system_time_format number caller_id_name role_name email_addr
		mobile_number presence_status status_list ext_dev_type host_port def_outbound_cid username mac template_name ip firmware
		assigned_ext_name`
)

// words are the values of closed sets that the vendor's pages list, and states that a PBX may have besides.
var words = sync.OnceValue(func() map[string]bool {
	known := map[string]bool{}
	add := func(word string) { known[folded(word)] = true }
	for word := range strings.SplitSeq(`Stopped,Starting,Running,Upgrading,Restoring,Provisioning,Activated,Unactivated,Enterprise Plan,Ultimate Plan,
Upgrading to Ultimate Plan,Trial,Commercial,Enabled,Disabled,enable,disable,yes,no,true,false,on,off,Success,Failed,My Colleague,Reseller,
Hosting User,Subscribed,Not Subscribed,bearer,register,peer,peer_did,peer_port,peer_private,account,webtrunk,Registered,Unregistered,Unassigned,
available,away,business_trip,do_not_disturb,lunch,off_work,Deskphone,Conferencephone,DECT,rps,pnp,dhcp,full,pbx,cluster,cm,asc,desc,
phone_vendor,phone_model,phone_template,autop_method,client_credentials,refresh_token,required,enum,integer,string,
Stopping,Creating,Deleting,Migrating,Restarting,Rebooting,Backing up,Suspended,Expired,Frozen,Error,Abnormal,Offline,Online,Maintenance,Unknown,
Pending,Initializing,invalid_client,invalid_grant,invalid_request,invalid_scope,invalid_token,unauthorized_client,unsupported_grant_type,
access_denied,server_error,temporarily_unavailable,rate_limit_exceeded,not_found`, ",") {
		add(word)
	}
	for _, name := range yeastar.CodeNames() {
		add(name)
	}
	for status := 400; status < 600; status++ {
		add(http.StatusText(status))
	}
	return known
})

// folded writes the spellings of a word alike: the vendor's APIs write TOKEN_EXPIRED and TOKEN EXPIRED.
func folded(word string) string {
	return strings.ReplaceAll(strings.ToLower(strings.TrimSpace(word)), "_", " ")
}

// KnownWord reports whether a text is a documented value or the vendor's name of an error, so that it says nothing else.
func KnownWord(text string) bool { return len(text) <= 64 && words()[folded(text)] }

// KnownName reports whether a text looks like the name of a field, in any of the usual spellings.
func KnownName(name string) bool { return len(name) <= 40 && fieldName.MatchString(name) }

var fieldName = regexp.MustCompile(`^[a-z]{2,}(_?[A-Z]{0,4}[a-z]+)*(_?[A-Z]{1,3})?[0-9]?$|^[a-z]$|^Status$`)

// KnownVersion reports whether a text is a firmware version: addresses of private networks begin with other numbers.
func KnownVersion(text string) bool { return firmwareVersion.MatchString(text) }

var firmwareVersion = regexp.MustCompile(`^[3-9][0-9](\.[0-9]{1,5}){2,4}$`)
