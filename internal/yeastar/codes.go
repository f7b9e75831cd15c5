package yeastar

import (
	"slices"
	"strings"
)

// FirstYCMCode is the smallest of YCM's codes ("Error Codes"); those of a PBX are far below.
const FirstYCMCode = 1_000_000

// The codes that clients treat differently.
const (
	CodeSuccess         = 0
	CodePartialSuccess  = 1
	CodeProcessing      = 2
	CodeFailure         = -1
	CodeNoInterface     = 10001
	CodePBXTokenExpired = 10004
	CodePBXAccessDenied = 10005
	CodePBXParameter    = 40002
	CodePBXNoData       = 60001
	CodeMaxLimit        = 60002
	CodeAddressBlocked  = 70004
	CodeIPForbidden     = 70087
)

// code is a failure that the vendor documents.
type code struct {
	number int
	name   string
	class  Class
	token  bool // The access token is no longer accepted.
}

// codes are those of YCM ("Error Codes") and of a PBX ("Error Code and Error Message"). YCM's come first, because their names
// are looked up where an answer has no number.
var codes = []code{
	{1000001, "SERVER_ERROR", Server, false},
	{1000002, "AUTHENTICATION_FAILED", Auth, false},
	{1000004, "INVALID_PARAMETER", Invalid, false},
	{1000005, "DATA_NOT_FOUND", NotFound, false},
	{1000007, "DATA_ALREADY_EXISTS", Invalid, false},
	{1000011, "SESSION_EXPIRED", Auth, true},
	{1000012, "DATABASE_ERROR", Server, false},
	{1000015, "USER_NOT_FOUND", NotFound, false},
	{1000024, "CONFIGURATION_FILE_NOT_FOUND", Server, false},
	{1000027, "CMD_EXEC_ERROR", Server, false},
	{1000030, "LOCK_HAS_RELEASED_BY_OTHER_THREAD", Server, false},
	{1000031, "INVALID_LOCK_TIME", Server, false},
	{1000033, "INVALID_CLIENT", Auth, false},
	{1000035, "TOKEN_EXPIRED", Auth, true},
	{1000036, "INVALID_TOKEN", Auth, true},
	{1000040, "RATE_LIMIT_EXCEEDED", RateLimited, false},
	{1000042, "ACCESS_DENIED", Denied, false},
	{1000043, "PERMISSION_DENIED", Denied, false},
	{2000016, "DEVICE_NO_ACTIVE_ERROR", Denied, false},
	{2000024, "DEVICE_MODEL_NOT_SUPPORT", Denied, false},
	{3000009, "API_REQUEST_FAILED", Server, false},

	{-2, "INTERNAL SERVER ERROR", Server, false},
	{CodeFailure, "FAILURE", Server, false},
	{CodeNoInterface, "INTERFACE NOT EXISTED", NotFound, false},
	{10002, "API VERSION OUT OF MAINTENANCE", NotFound, false},
	{10003, "API VERSION UNSUPPORTED", NotFound, false},
	{CodePBXTokenExpired, "TOKEN EXPIRED", Auth, true},
	{CodePBXAccessDenied, "ACCESS DENIED", Denied, false},
	{10009, "OPERATION FAILED", Server, false},
	{40001, "PARAMETER SYNTAX ERROR", Invalid, false},
	{CodePBXParameter, "PARAMETER ERROR", Invalid, false},
	{40003, "DUPLICATE KEY VALUE", Invalid, false},
	{40004, "FILE SIZE EXCEEDED", Invalid, false},
	{CodePBXNoData, "DATA NOT FOUND", NotFound, false},
	{CodeMaxLimit, "MAX LIMITATION EXCEEDED", RateLimited, false},
	{CodeAddressBlocked, "ACCOUNT IP BLOCKED", Auth, false},
	{70082, "OVERLOAD_TASK_RUNNING", Server, false},
	{70084, "ACTION FORBIDDEN", Denied, false},
	{CodeIPForbidden, "IP FORBIDDEN", Denied, false},
}

// CodeName returns the vendor's name for a code, empty for one that is not documented.
func CodeName(number int) string {
	c, _ := findCode(number)
	return c.name
}

// CodeNames returns all names, those of a success included.
func CodeNames() []string {
	names := []string{"SUCCESS", "PARTIAL SUCCESS", "PROCESSING"}
	for _, c := range codes {
		names = append(names, c.name)
	}
	return names
}

// findCode finds a code by its number, else by the first of the names that is known, in any case and with any separator. OAuth's
// errors (RFC 6749) have some of the names.
func findCode(number int, names ...Words) (code, bool) {
	if i := slices.IndexFunc(codes, func(c code) bool { return c.number == number }); i >= 0 {
		return codes[i], true
	}
	for _, name := range names {
		spelled := spelling.Replace(strings.TrimSpace(string(name)))
		if head := spelled[:strings.IndexAny(spelled+".", ".:")]; head == strings.ToUpper(head) {
			spelled = head // What follows a name as the vendor writes it explains it.
		}
		isNamed := func(c code) bool { return spelled != "" && strings.EqualFold(spelled, spelling.Replace(c.name)) }
		if i := slices.IndexFunc(codes, isNamed); i >= 0 {
			return codes[i], true
		}
	}
	return code{}, false
}

var spelling = strings.NewReplacer(" ", "_", "-", "_")
