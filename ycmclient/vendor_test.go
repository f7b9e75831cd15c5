package ycmclient_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
)

// The example of "Query All the Cloud PBXs", without the comma too many that it has there. The first record lacks
// what the vendor calls optional, the second has a word where another was documented; counts of use are quoted.
const vendorsExample = `{
  "data": {"pageSize": 50, "pageNumber": 1, "total": 2, "list": [
    {
      "cloudPbxId": 7715, "pbxStatus": "Stopped", "activationStatus": "Unactivated", "name": "Yeastar P-Series Cloud PBX1",
      "sn": "3658B431119XXXXX", "plan": "Enterprise Plan", "planExpirationDate": 1667035676, "extensionCapacity": 10,
      "concurrentCallCapacity": 5, "recordingStatus": "Enabled", "recordingCapacity": 500, "region": "China(GuangDong)",
      "url": "cloud.example.yeastarcloud.com", "type": "Commercial", "version": "84.8.0.25", "group": "commercial PCE",
      "creator": {"firstName": "A", "lastName": "B", "email": "a.b@example.com"},
      "createTime": 1635737324, "initialStartUpTime": 1671158324, "upgradeInPbx": "Enabled", "im": "Disabled",
      "passwordlessLogin": "Disabled", "provisioningViaTemplate": "Disabled",
      "activeCalls": "2", "usedExtensions": "5", "usedRecording": "50", "lastBackupTime": 1729786748
    },
    {
      "cloudPbxId": 7738, "pbxStatus": "Running", "activationStatus": "Activated", "name": "Yeastar P-Series Cloud PBX2",
      "sn": "3658B431119XXXXX", "plan": "Ultimate Plan", "planExpirationDate": 1638427632, "extensionCapacity": 15,
      "concurrentCallCapacity": 15, "recordingStatus": "Enabled", "recordingCapacity": 500, "region": "China(GuangDong)",
      "url": "cloud2.example.yeastarcloud.com", "type": "Commercial", "expirationDate": 1638427632, "version": "84.8.0.25",
      "group": "commercial PCE", "creator": {"firstName": "C", "lastName": "D", "email": "c.d@example.com"},
      "createTime": 1635749236, "initialStartUpTime": 1635749236, "upgradeInPbx": "Enabled", "im": "Enabled",
      "passwordlessLogin": "Disabled", "allowSuperiorPasswordlessLogin": "no", "provisioningViaTemplate": "Enabled",
      "lastUsedTemplate": "PCE-Provision-Template", "lastUsedTime": 1680138886,
      "activeCalls": "10", "usedExtensions": "10", "usedRecording": "150", "lastBackupTime": 1729786748
    }
  ]},
  "requestId": "5ed01d8b-44f2-44a7-a868-2c7ba3a090d4", "status": "Success", "time": 1639012740
}`

func TestVendorsOwnExample(t *testing.T) {
	w := newWatch()
	list, err := newClient(t, listOf(vendorsExample), func(o *ycmclient.Options) { o.Observer = w }).Walk(t.Context(), nil, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	on, off, of := yeastar.SwitchOn, yeastar.SwitchOff, yeastar.IntOf
	want := []ycmclient.CloudPBX{
		{
			ID: 7715, Name: "Yeastar P-Series Cloud PBX1", SN: "3658B431119XXXXX", URL: "cloud.example.yeastarcloud.com",
			Region: "China(GuangDong)", Type: "Commercial", Plan: "Enterprise Plan", Group: "commercial PCE", Version: "84.8.0.25",
			Status: ycmclient.Stopped, Activated: off, Recording: on, UpgradeInPBX: on, IM: off, PasswordlessLogin: off,
			ProvisioningViaTemplate: off, ActiveCalls: of(2), ConcurrentCallCapacity: of(5), UsedExtensions: of(5), ExtensionCapacity: of(10),
			UsedRecording: of(50), RecordingCapacity: of(500), PlanExpiration: of(1667035676), LastBackup: of(1729786748),
			Created: of(1635737324), FirstStarted: of(1671158324),
		},
		{
			ID: 7738, Name: "Yeastar P-Series Cloud PBX2", SN: "3658B431119XXXXX", URL: "cloud2.example.yeastarcloud.com",
			Region: "China(GuangDong)", Type: "Commercial", Plan: "Ultimate Plan", Group: "commercial PCE", Version: "84.8.0.25",
			LastUsedTemplate: "PCE-Provision-Template", Status: ycmclient.Running, Activated: on, Recording: on, UpgradeInPBX: on,
			IM: on, PasswordlessLogin: off, SuperiorPasswordlessLogin: off, ProvisioningViaTemplate: on,
			ActiveCalls: of(10), ConcurrentCallCapacity: of(15), UsedExtensions: of(10), ExtensionCapacity: of(15), UsedRecording: of(150),
			RecordingCapacity: of(500), PlanExpiration: of(1638427632), Expiration: of(1638427632), LastBackup: of(1729786748),
			Created: of(1635749236), FirstStarted: of(1635749236), TemplateLastUsed: of(1680138886),
		},
	}
	if diff := cmp.Diff(want, list.PBXs); diff != "" || len(w.unexpected) > 0 {
		t.Errorf("unexpected values %v, PBXs (-want +got):\n%s", w.unexpected, diff)
	}
}
