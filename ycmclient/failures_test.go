package ycmclient_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
	"github.com/ycm-exporter/ycm_exporter/ycmclient"
	"github.com/ycm-exporter/ycm_exporter/ycmclient/ycmtest"
)

// What the body says is a failure, whatever stands beside it.
func TestFailuresUnderHTTP200AreRead(t *testing.T) {
	for body, want := range map[string]yeastar.Class{
		`{"code":1000040,"message":"RATE_LIMIT_EXCEEDED","data":{}}`:        yeastar.RateLimited,
		`{"code":"RATE_LIMIT_EXCEEDED","data":{}}`:                          yeastar.RateLimited,
		`{"errno":"1000043","data":{}}`:                                     yeastar.Denied,
		`{"errorCode":"ACCESS_DENIED","data":{}}`:                           yeastar.Denied,
		`{"error":{"code":"1000043"},"data":{}}`:                            yeastar.Denied,
		`{"errors":[{"code":"DATABASE_ERROR"}],"data":{}}`:                  yeastar.Server,
		`{"status":"Success","code":"RATE_LIMIT_EXCEEDED","data":{}}`:       yeastar.RateLimited,
		`{"code":429,"data":{}}`:                                            yeastar.RateLimited,
		`{"code":"429","message":"slow down"}`:                              yeastar.RateLimited,
		`{"code":"503","message":"under maintenance"}`:                      yeastar.Server,
		`{"errors":["RATE_LIMIT_EXCEEDED"]}`:                                yeastar.RateLimited,
		`{"status":"RATE_LIMIT_EXCEEDED","data":{}}`:                        yeastar.RateLimited,
		`{"message":"RATE_LIMIT_EXCEEDED."}`:                                yeastar.RateLimited,
		`{"message":"RATE_LIMIT_EXCEEDED: 75 per minute"}`:                  yeastar.RateLimited,
		`{"code":"RATE_LIMIT_EXCEEDED","message":"Permission denied"}`:      yeastar.RateLimited,
		`{"message":"Invalid parameter","error":{"code":"DATA_NOT_FOUND"}}`: yeastar.NotFound,
		`{"code":0,"message":"SUCCESS","data":{}}`:                          yeastar.OK,
		`{"code":"SUCCESS","data":{}}`:                                      yeastar.OK,
		`{"code":200,"errors":[],"error":null,"errno":"","data":{}}`:        yeastar.OK,
		`{"status":"Success","message":"Data not found","data":{}}`:         yeastar.OK,
	} {
		t.Run(body, func(t *testing.T) {
			bubble(t, ycmtest.Options{}, nil, func(t *testing.T, ycm *ycmtest.Server, client *ycmclient.Client, _ *watch) {
				ycm.Inject(ycmtest.Fault{Endpoint: ycmtest.Subscription, Effect: ycmtest.Answer(200, "application/json", body)})
				if _, err := client.Subscription(t.Context()); yeastar.ClassOf(err) != want {
					t.Errorf("got %v, want class %s", err, want)
				}
			})
		})
	}
}

func TestTokenThatExpiredIsRenewedHoweverThatIsReported(t *testing.T) {
	for _, body := range []string{
		`{"code":"TOKEN_EXPIRED","data":{}}`,
		`{"code":"TOKEN_EXPIRED","message":"Authentication failed"}`,
		`{"status":"TOKEN_EXPIRED"}`,
	} {
		t.Run(body, func(t *testing.T) {
			bubble(t, ycmtest.Options{}, nil, func(t *testing.T, ycm *ycmtest.Server, client *ycmclient.Client, w *watch) {
				ycm.Inject(ycmtest.Fault{Endpoint: ycmtest.Subscription, Effect: ycmtest.Answer(200, "application/json", body), Times: 1})
				if _, err := client.Subscription(t.Context()); err != nil || len(w.logins) != 2 {
					t.Errorf("got %v and the logins %v, want a new token and the data", err, w.logins)
				}
			})
		})
	}
}

func TestEmptyListBesideAFailureIsNone(t *testing.T) {
	body := `{"code":"RATE_LIMIT_EXCEEDED","data":{"total":0,"list":[]}}`
	bubble(t, ycmtest.Options{PBXs: 3}, nil, func(t *testing.T, ycm *ycmtest.Server, client *ycmclient.Client, _ *watch) {
		ycm.Inject(ycmtest.Fault{Endpoint: ycmtest.CloudPBXList, Effect: ycmtest.Answer(200, "application/json", body)})
		if list, err := client.Walk(t.Context(), nil, nil, nil); yeastar.ClassOf(err) != yeastar.RateLimited {
			t.Errorf("got %v and error %v, want a rate_limited error", list, err)
		}
	})
}

func TestOrderThatIsRefusedByNameIsLeftOut(t *testing.T) {
	bubble(t, ycmtest.Options{PBXs: 60}, nil, func(t *testing.T, ycm *ycmtest.Server, client *ycmclient.Client, _ *watch) {
		ycm.Inject(ycmtest.Fault{
			Match:  func(r *http.Request) bool { return r.URL.Query().Get("sort") != "" },
			Effect: ycmtest.Answer(200, "application/json", `{"status":"Failed","errMsg":"INVALID_PARAMETER"}`),
		})
		walks(t, ycm, client)
	})
}

// Only what the vendor or OAuth documents ends the logins until the credentials change.
func TestAnswersToALoginThatAreAGateways(t *testing.T) {
	for body, gateway := range map[string]bool{
		`{"error":"forbidden"}`:                               true,
		`{"error":"access denied by policy"}`:                 true,
		`{"error":"access denied: policy 7"}`:                 true,
		`{"requestId":"5ed0"}`:                                true,
		`{"error":"invalid_client"}`:                          false,
		`{"error":"unauthorized_client"}`:                     false,
		`{"error":"unauthorized","error_description":"none"}`: false,
		`{"requestId":"5ed0","errMsg":"WRONG_SECRET"}`:        false,
		`{"status":"Failed"}`:                                 false,
	} {
		for _, status := range []int{http.StatusUnauthorized, http.StatusForbidden} {
			t.Run(strconv.Itoa(status)+" "+body, func(t *testing.T) {
				bubble(t, ycmtest.Options{}, nil, func(t *testing.T, ycm *ycmtest.Server, client *ycmclient.Client, _ *watch) {
					ycm.Inject(ycmtest.Fault{Endpoint: ycmtest.Token, Effect: ycmtest.Answer(status, "application/json", body)})
					_, err := client.Regions(t.Context())
					if yeastar.ClassOf(err) != yeastar.Auth || strings.Contains(err.Error(), "a gateway responded") != gateway {
						t.Errorf("got %v, want an auth error that blames a gateway: %v", err, gateway)
					}
				})
			})
		}
	}
}
