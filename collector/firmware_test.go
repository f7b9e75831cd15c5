package collector

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/ycm-exporter/ycm_exporter/internal/secret"
	"github.com/ycm-exporter/ycm_exporter/internal/series"
	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
	"github.com/ycm-exporter/ycm_exporter/ycmclient/ycmtest"
)

// An answer of a few megabytes can list 330 versions in thousands of regions each: millions of series, if nothing bounds them.
func TestFirmwareOfAHostileAnswerIsRefused(t *testing.T) {
	ycm := ycmtest.New(ycmtest.Options{PBXs: -1})
	t.Cleanup(ycm.Close)
	account := Account{
		Account: series.Account{Name: "main"}, Settings: &firmwareSettings{Types: []string{pbxFirmware}}, Progress: func(int, int) {},
		YCM: ycmclient.New(ycmclient.Options{
			Servers: ycmclient.NewServers(nil), Observer: ycmclient.Unobserved,
			Account: "main", BaseURL: &url.URL{Scheme: "https", Host: "ycm.example.com"}, ClientID: "demo-client-id",
			Secret: secret.Static(secret.New("demo-client-secret")), RateLimit: ycmclient.RateLimit{Burst: 100_000, Rate: 100_000, Interval: time.Minute},
			Timeout: 30 * time.Second, PageConcurrency: 1, Transport: ycm.Transport(),
		}),
	}
	for regions, refused := range map[int]bool{4000: false, 4001: true} {
		var versions []string
		for i := range 5 {
			versions = append(versions, fmt.Sprintf(`{"versionId":%d,"version":"84.%[1]d","regionIds":[1%s]}`, i+1, strings.Repeat(",2", regions-1)))
		}
		body := fmt.Sprintf(`{"status":"Success","data":[%s]}`, strings.Join(versions, ","))
		fault := ycm.Inject(ycmtest.Fault{Endpoint: ycmtest.Firmware, Effect: ycmtest.Answer(http.StatusOK, "application/json", body)})
		if r, err := queryFirmware(t.Context(), account); (err != nil) != refused || refused && yeastar.ClassOf(err) != yeastar.Invalid || !refused && len(r.Firmware[pbxFirmware]) != 5 {
			t.Errorf("five versions in %d regions each: %d versions and the error %v, want one: %t", regions, len(r.Firmware[pbxFirmware]), err, refused)
		}
		fault.Remove()
	}
}
