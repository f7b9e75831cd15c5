package ycmclient_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"testing"

	"github.com/ycm-exporter/ycm_exporter/ycmclient"
)

// rendered is a fleet whose pages are made before the benchmark begins, with every field of the vendor's example.
type rendered [][]byte

func render(pbxs int) rendered {
	var pages rendered
	for from := 0; from < pbxs; from += 50 {
		var b bytes.Buffer
		fmt.Fprintf(&b, `{"data":{"pageSize":50,"pageNumber":%d,"total":%d,"list":[`, from/50+1, pbxs)
		for i := from; i < min(from+50, pbxs); i++ {
			if i > from {
				b.WriteByte(',')
			}
			fmt.Fprintf(&b, `{"cloudPbxId":%d,"pbxStatus":"Running","activationStatus":"Activated","name":"Harbour Dental %[1]d",`+
				`"sn":"3658B431%08[1]d","plan":"Ultimate Plan","planExpirationDate":1638427632,"extensionCapacity":15,`+
				`"concurrentCallCapacity":15,"recordingStatus":"Enabled","recordingCapacity":500,"region":"China(GuangDong)",`+
				`"url":"harbour-dental-%[1]d.example.yeastarcloud.com","type":"Commercial","expirationDate":1638427632,"version":"84.8.0.%[2]d",`+
				`"group":"commercial PCE","creator":{"firstName":"A","lastName":"B","email":"a.b@example.com"},"createTime":1635749236,`+
				`"initialStartUpTime":1635749236,"upgradeInPbx":"Enabled","im":"Enabled","passwordlessLogin":"Disabled",`+
				`"allowSuperiorPasswordlessLogin":"no","provisioningViaTemplate":"Enabled","lastUsedTemplate":"PCE-Provision-Template",`+
				`"lastUsedTime":1680138886,"activeCalls":"10","usedExtensions":"10","usedRecording":"150","lastBackupTime":1729786748}`,
				7738+i, i%20)
		}
		b.WriteString(`]},"requestId":"5ed01d8b-44f2-44a7-a868-2c7ba3a090d4","status":"Success","time":1639012740}`)
		pages = append(pages, b.Bytes())
	}
	return pages
}

func (p rendered) RoundTrip(r *http.Request) (*http.Response, error) {
	body := []byte(`{"access_token":"abc","expires_in":86400}`)
	if r.Method == http.MethodGet {
		page, err := strconv.Atoi(r.URL.Query().Get("pageNumber"))
		if err != nil || page > len(p) {
			body = fmt.Appendf(nil, `{"data":{"total":%d,"list":[]}}`, len(p)*50)
		} else {
			body = p[page-1]
		}
	}
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(body)), Request: r}, nil
}

func BenchmarkDecodePageOf50(b *testing.B) {
	body := render(50)[0]
	b.ReportAllocs()
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		if list, err := ycmclient.DecodePage(body); err != nil || len(list) != 50 {
			b.Fatalf("%d PBXs and the error %v", len(list), err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/50, "µs/PBX")
}

func BenchmarkWalk(b *testing.B) {
	for _, pages := range []int{100, 2000} {
		fleet := render(pages * 50)
		for _, readers := range []int{1, 8} {
			for name, repeat := range map[string]bool{"first": false, "unchanged": true} {
				b.Run(fmt.Sprintf("%d pages, %d readers, %s", pages, readers, name), func(b *testing.B) {
					client := newClient(b, fleet, func(o *ycmclient.Options) { o.PageConcurrency = readers })
					var previous []ycmclient.CloudPBX
					if repeat {
						list, err := client.Walk(context.Background(), nil, nil, nil)
						if err != nil {
							b.Fatal(err)
						}
						previous = list.PBXs
					}
					b.ReportAllocs()
					for b.Loop() {
						list, err := client.Walk(context.Background(), nil, previous, nil)
						if err != nil || len(list.PBXs) != pages*50 {
							b.Fatalf("%d PBXs and the error %v", len(list.PBXs), err)
						}
					}
					b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/float64(pages*50), "µs/PBX")
				})
			}
		}
	}
}
