package cli

import (
	"maps"
	"regexp"
	"strings"
	"testing"

	"github.com/ycm-exporter/ycm_exporter/collector"
	"github.com/ycm-exporter/ycm_exporter/internal/pbxclient"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
)

// apiFields are the fields of the API from which a metric is made, for the column of docs/metrics.md.
var apiFields = map[string]string{
	"ycm_firmware_available":   "version, versionId, regionIds, region",
	"ycm_firmware_latest_info": "version, regionIds, region",
	"ycm_region_info":          "regionId, region",

	"ycm_cloud_pbx_activated":                            "activationStatus",
	"ycm_cloud_pbx_active_calls":                         "activeCalls",
	"ycm_cloud_pbx_backup_age_seconds":                   "lastBackupTime",
	"ycm_cloud_pbx_concurrent_calls_capacity":            "concurrentCallCapacity",
	"ycm_cloud_pbx_created_timestamp_seconds":            "createTime",
	"ycm_cloud_pbx_expiration_timestamp_seconds":         "expirationDate",
	"ycm_cloud_pbx_extensions_capacity":                  "extensionCapacity",
	"ycm_cloud_pbx_extensions_used":                      "usedExtensions",
	"ycm_cloud_pbx_feature_enabled":                      "im, passwordlessLogin, provisioningViaTemplate, recordingStatus, allowSuperiorPasswordlessLogin, upgradeInPbx",
	"ycm_cloud_pbx_firmware_update_available":            "version, region",
	"ycm_cloud_pbx_firmware_versions_behind":             "version, region",
	"ycm_cloud_pbx_first_started_timestamp_seconds":      "initialStartUpTime",
	"ycm_cloud_pbx_info":                                 "sn, url, type, plan, group, version, lastUsedTemplate",
	"ycm_cloud_pbx_last_backup_timestamp_seconds":        "lastBackupTime",
	"ycm_cloud_pbx_plan_expiration_timestamp_seconds":    "planExpirationDate",
	"ycm_cloud_pbx_recording_capacity_seconds":           "recordingCapacity (minutes)",
	"ycm_cloud_pbx_recording_used_seconds":               "usedRecording (minutes)",
	"ycm_cloud_pbx_status":                               "pbxStatus",
	"ycm_cloud_pbx_template_last_used_timestamp_seconds": "lastUsedTime",
	"ycm_cloud_pbx_transcription_capacity_seconds":       "transcriptionCapacity (minutes)",
	"ycm_cloud_pbx_transcription_used_seconds":           "usedTranscription (minutes)",
	"ycm_cloud_pbxs":                                     "list",
	"ycm_cloud_pbxs_reported":                            "total",

	"ycm_subscription_concurrent_calls_available":                     "available.concurrentCallCapacity",
	"ycm_subscription_concurrent_calls_capacity":                      "total.concurrentCallCapacity",
	"ycm_subscription_concurrent_calls_used":                          "used.concurrentCallCapacity",
	"ycm_subscription_expiration_timestamp_seconds":                   "expirationTime",
	"ycm_subscription_extensions_available":                           "available.extensionCapacity",
	"ycm_subscription_extensions_capacity":                            "total.extensionCapacity",
	"ycm_subscription_extensions_frozen":                              "used.frozenExtensionCapacity",
	"ycm_subscription_extensions_used":                                "used.extensionCapacity",
	"ycm_subscription_high_availability_enabled":                      "highAvailability",
	"ycm_subscription_plan_cloud_pbxs":                                "pbxNumber",
	"ycm_subscription_plan_extensions":                                "extensionNumber",
	"ycm_subscription_recording_available_seconds":                    "available.recordingCapacity (minutes)",
	"ycm_subscription_recording_capacity_seconds":                     "total.recordingCapacity (minutes)",
	"ycm_subscription_recording_expiration_timestamp_seconds":         "recordingExpireDate",
	"ycm_subscription_recording_used_seconds":                         "used.recordingCapacity (minutes)",
	"ycm_subscription_remote_connections_capacity":                    "connections.capacity",
	"ycm_subscription_remote_connections_used":                        "connections.used",
	"ycm_subscription_remote_management_expiration_timestamp_seconds": "remoteManagementAccount.expirationTime, remoteManagementPremiumAccount.expirationTime",
	"ycm_subscription_reseller_remote_connections_capacity":           "connections.assignedToResellerCapacity",
	"ycm_subscription_reseller_remote_connections_used":               "connections.assignedToResellerUsed",
	"ycm_subscription_white_label_enabled":                            "whiteLabel",

	"ycm_user_cloud_pbxs":                     "createdCloudPbx",
	"ycm_user_concurrent_calls_capacity":      "totalConcurrentCalls",
	"ycm_user_concurrent_calls_used":          "usedConcurrentCalls",
	"ycm_user_extensions_capacity":            "totalExtensions",
	"ycm_user_extensions_used":                "usedExtensions",
	"ycm_user_info":                           "userId, userType, company",
	"ycm_user_recording_capacity_seconds":     "totalRecordings (minutes)",
	"ycm_user_recording_used_seconds":         "usedRecordings (minutes)",
	"ycm_user_remote_connections_capacity":    "totalConnections",
	"ycm_user_remote_connections_used":        "usedConnections",
	"ycm_user_transcription_capacity_seconds": "totalTranscription (minutes)",
	"ycm_user_ultimate_extensions_capacity":   "totalUltimatePlan",
	"ycm_user_ultimate_extensions_used":       "usedUltimatePlan",

	"ycm_dids": "cloudPbxId",

	"ycm_cloud_pbx_api_up":                  "",
	"ycm_cloud_pbx_uptime_seconds":          "up_time",
	"ycm_cloud_pbx_trunk_status":            "name, type, status, id",
	"ycm_cloud_pbx_trunk_up":                "name, type, status, id",
	"ycm_cloud_pbx_trunks_truncated":        "total_number",
	"ycm_cloud_pbx_endpoints":               "online_status",
	"ycm_cloud_pbx_extensions_reachable":    "online_status",
	"ycm_cloud_pbx_phones":                  "vendor, model, assigned_ext_status, assigned_ext_num",
	"ycm_cloud_pbx_phones_truncated":        "vendor, model",
	"ycm_cloud_pbx_ai_capacity_seconds":     "ai_transcription_onetime_capacity, ai_transcription_pack_capacity, ai_receptionist_onetime_capacity, ai_receptionist_pack_capacity",
	"ycm_cloud_pbx_ai_used_seconds":         "ai_transcription_onetime_used, ai_transcription_pack_used, ai_receptionist_onetime_used, ai_receptionist_pack_used",
	"ycm_autoprovisioning_phone_vendors":    "value, type",
	"ycm_autoprovisioning_phone_models":     "value, type",
	"ycm_autoprovisioning_phone_model_info": "value, text, type",
	"ycm_autoprovisioning_phone_supported":  "value, text",
}

// The API fields of metrics in the documentation are fields that the clients read. Those of a metric that is not listed stay empty.
func TestDocsListAPIFields(t *testing.T) {
	t.Parallel()
	collected := map[string]bool{}
	for _, c := range collector.All() {
		for _, f := range c.Families {
			collected[f.Name] = true
		}
	}
	read := map[string]bool{"list": true, "total": true, "total_number": true} // Of every list.
	maps.Copy(read, ycmclient.RecordFields())
	maps.Copy(read, pbxclient.RecordFields())
	for metric, fields := range apiFields {
		if !collected[metric] {
			t.Errorf("apiFields has %s, which no collector exports", metric)
		}
		for _, field := range regexp.MustCompile(`\w+`).FindAllString(strings.ReplaceAll(fields, " (minutes)", ""), -1) {
			if _, ok := read[field]; !ok {
				t.Errorf("%s has the API field %s, which no client reads", metric, field)
			}
		}
	}
}
