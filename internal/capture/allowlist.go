package capture

import (
	"strings"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
)

// newScrubber allows what is documented, and the fields that the clients read.
func newScrubber(fields []map[string]bool) scrubber {
	s := scrubber{map[string]bool{}, map[string]bool{}, map[string]string{}}
	for isNumber, names := range map[bool]string{false: documentedTexts, true: documentedNumbers} {
		for field := range strings.FieldsSeq(names) {
			s.fields[strings.ToLower(field)] = isNumber
		}
	}
	for _, some := range fields {
		for field, isNumber := range some {
			s.fields[strings.ToLower(field)] = s.fields[strings.ToLower(field)] || isNumber
		}
	}
	for _, word := range append(strings.Split(documentedWords, ","), yeastar.CodeNames()...) {
		s.words[folded(word)] = true
	}
	return s
}

// folded writes the spellings of a word alike: the vendor's APIs write TOKEN_EXPIRED and TOKEN EXPIRED.
func folded(word string) string {
	return strings.ReplaceAll(strings.ToLower(strings.TrimSpace(word)), "_", " ")
}

// What the API documents besides the fields that the clients read: the fields of the envelope, of requests, and of errors in
// every spelling.
const (
	documentedNumbers = `code errcode errno errorCode time timestamp effect_time id total total_number page page_size pageNumber pageSize expires_in
		access_token_expire_time refresh_token_expire_time`
	documentedTexts = `data list status requestId error errors msg message errmsg errorMsg errorMessage error_description detail detailMsg
		detailMessage status_list invalid_param_list field validation_type value grant_type client_id access_token refresh_token token_type jti scope
		authorities search sort sort_by order_by search_value menu type vendor model`

	// The values of closed sets.
	documentedWords = `Stopped,Starting,Running,Upgrading,Restoring,Provisioning,Activated,Unactivated,Enterprise Plan,Ultimate Plan,
Upgrading to Ultimate Plan,Trial,Commercial,Enabled,Disabled,enable,disable,yes,no,true,false,on,off,Success,Failed,My Colleague,Reseller,
Hosting User,Subscribed,Not Subscribed,bearer,register,peer,peer_did,peer_port,peer_private,account,webtrunk,Registered,Unregistered,Unassigned,
available,away,business_trip,do_not_disturb,lunch,off_work,Deskphone,Conferencephone,DECT,rps,pnp,dhcp,full,pbx,cluster,cm,asc,desc,
phone_vendor,phone_model,phone_template,autop_method,client_credentials,refresh_token,required,enum,integer,string,
invalid_grant,invalid_request,invalid_scope,unauthorized_client,unsupported_grant_type,temporarily_unavailable,not_found`
)
