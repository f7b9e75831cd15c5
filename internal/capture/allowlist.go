package capture

import (
	"net/http"
	"strings"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

// newScrubber allows what is documented, and the fields that the clients read.
func newScrubber(fields []map[string]bool) scrubber {
	s := scrubber{map[string]bool{}, map[string]bool{}, map[string]string{}}
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
	words := append(strings.Split(documentedWords, ","), yeastar.CodeNames()...)
	for status := 400; status < 600; status++ {
		words = append(words, http.StatusText(status))
	}
	for _, word := range words {
		s.words[folded(word)] = true
	}
	return s
}

// folded writes the spellings of a word alike: the vendor's APIs write TOKEN_EXPIRED and TOKEN EXPIRED.
func folded(word string) string {
	return strings.ReplaceAll(strings.ToLower(strings.TrimSpace(word)), "_", " ")
}

// The fields of the envelope, of errors in every spelling, of requests, and of what the clients do not read.
const (
	documentedNumbers = `code errcode errno errorCode time timestamp effect_time id total total_number page page_size pageNumber pageSize expires_in refresh_token_expire_time
		domainId didIds customerIds regionIds createdReseller minimumExtPerPbx frozenExtensionCapacity assignedToResellerUsed
		assignedToResellerCapacity totalUltimatePlan usedUltimatePlan totalConnections usedConnections totalCustomDomains totalTranscription
		transcriptionCapacity transcriptionCapacityPlan transcriptionCapacityAddon usedTranscription
		receptionistCapacity receptionistCapacityPlan receptionistCapacityAddon usedReceptionist`

	documentedTexts = `data list status requestId error errors msg message errmsg errorMsg errorMessage error_description detail detailMsg
		detailMessage invalid_param_list field validation_type value grant_type client_id access_token refresh_token token_type jti scope
		authorities search sort sort_by order_by search_value menu type vendor model creator firstName lastName email domain whiteLabel
		twoFactorAuthenticationEnable model_name device_name system_time system_date_format system_time_format number caller_id_name role_name email_addr
		mobile_number presence_status status_list ext_dev_type host_port def_outbound_cid username mac template_name ip firmware
		assigned_ext_name`

	// The values of closed sets, and states that a PBX may have besides.
	documentedWords = `Stopped,Starting,Running,Upgrading,Restoring,Provisioning,Activated,Unactivated,Enterprise Plan,Ultimate Plan,
Upgrading to Ultimate Plan,Trial,Commercial,Enabled,Disabled,enable,disable,yes,no,true,false,on,off,Success,Failed,My Colleague,Reseller,
Hosting User,Subscribed,Not Subscribed,bearer,register,peer,peer_did,peer_port,peer_private,account,webtrunk,Registered,Unregistered,Unassigned,
available,away,business_trip,do_not_disturb,lunch,off_work,Deskphone,Conferencephone,DECT,rps,pnp,dhcp,full,pbx,cluster,cm,asc,desc,
phone_vendor,phone_model,phone_template,autop_method,client_credentials,refresh_token,required,enum,integer,string,
Stopping,Creating,Deleting,Migrating,Restarting,Rebooting,Backing up,Suspended,Expired,Frozen,Error,Abnormal,Offline,Online,Maintenance,Unknown,
Pending,Initializing,invalid_client,invalid_grant,invalid_request,invalid_scope,invalid_token,unauthorized_client,unsupported_grant_type,
access_denied,server_error,temporarily_unavailable,rate_limit_exceeded,not_found`
)
