package capture_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/ycm-exporter/ycm_exporter/internal/capture"
)

// The names of fields that are read or documented are kept. Other keys may be the names of people, whatever they look like.
func TestCaptureKeepsNamesOfKnownFieldsOnly(t *testing.T) {
	_, content := recordedFrom(t, "", `{"status":"Success","data":{"total":3,"owners":{"johndoe":1,"jane_roe":2},"list":[
		{"cloudPbxId":1,"NAME":"n1","createTime":{"expirationTime":"max"},"users":{"maxMuster":1}},
		{"cloudPbxId":2,"ai_transcription_pack_used":5,"Doe":{"pbxStatus":"x"}}]}}`)
	for _, key := range []string{"status", "data", "total", "list", "cloudPbxId", "NAME", "createTime", "expirationTime", "ai_transcription_pack_used", "pbxStatus"} {
		if !strings.Contains(content, `"`+key+`":`) {
			t.Errorf("the field %q is missing:\n%s", key, content)
		}
	}
	for _, key := range []string{"owners", "johndoe", "jane_roe", "users", "maxMuster", "Doe"} {
		if strings.Contains(content, key) {
			t.Errorf("the key %q is in the file:\n%s", key, content)
		}
	}
}

func TestNothingIsCapturedWithoutARecorder(t *testing.T) {
	var none *capture.Recorder
	if transport := none.Transport(http.DefaultTransport); transport != http.DefaultTransport {
		t.Error("a nil Recorder wraps the transport")
	}
}
