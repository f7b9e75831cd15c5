package pbxclient_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/ycm-exporter/ycm_exporter/internal/pbxclient"
	"github.com/ycm-exporter/ycm_exporter/ycmclient/ycmtest"
)

// TestNoErrorHoldsASecret has PBXs that quote the whole request, in every place that an error might repeat.
func TestNoErrorHoldsASecret(t *testing.T) {
	for name, echo := range map[string]func(w http.ResponseWriter, request string){
		"in errmsg": func(w http.ResponseWriter, request string) {
			json.NewEncoder(w).Encode(map[string]any{"errcode": 40002, "errmsg": request})
		},
		"in errmsg, without the head": func(w http.ResponseWriter, request string) {
			_, rest, _ := strings.Cut(request, "\r\n\r\n") // so that the secrets are at the front
			json.NewEncoder(w).Encode(map[string]any{"errcode": -2, "errmsg": rest})
		},
		"in the request id": func(w http.ResponseWriter, request string) {
			json.NewEncoder(w).Encode(map[string]any{"errcode": 10005, "requestId": request})
		},
		"in the parameters": func(w http.ResponseWriter, request string) {
			param := map[string]any{"field": request, "validation_type": request, "value": request}
			json.NewEncoder(w).Encode(map[string]any{"errcode": 40002, "invalid_param_list": []any{param}})
		},
		"in a web page":       func(w http.ResponseWriter, request string) { fmt.Fprint(w, "<html>"+request) },
		"in a gateway's page": func(w http.ResponseWriter, request string) { http.Error(w, request, http.StatusBadGateway) },
		"in malformed JSON":   func(w http.ResponseWriter, request string) { fmt.Fprint(w, `{"errcode":0,`+request) },
		"in data of wrong type": func(w http.ResponseWriter, request string) {
			json.NewEncoder(w).Encode(map[string]any{"errcode": 0, "data": request})
		},
		"in errcode": func(w http.ResponseWriter, request string) {
			json.NewEncoder(w).Encode(map[string]any{"errcode": request})
		},
		"in a redirect": func(w http.ResponseWriter, request string) {
			w.Header().Set("Location", "https://example.com/?"+url.QueryEscape(request))
			w.WriteHeader(http.StatusFound)
		},
		"in the status line": func(w http.ResponseWriter, request string) {
			conn, _, _ := w.(http.Hijacker).Hijack()
			defer conn.Close()
			fmt.Fprint(conn, request)
		},
		"in a header without an end": func(w http.ResponseWriter, request string) {
			conn, _, _ := w.(http.Hijacker).Hijack()
			defer conn.Close()
			fmt.Fprint(conn, "HTTP/1.1 200 OK\r\nContent-Length: "+request+"\r\n\r\n")
		},
		"nowhere, it hangs up": func(w http.ResponseWriter, _ string) {
			conn, _, _ := w.(http.Hijacker).Hijack()
			conn.Close()
		},
		"nowhere, it hangs": func(http.ResponseWriter, string) { time.Sleep(200 * time.Millisecond) },
	} {
		for _, endpoint := range []string{
			"get_token", "del_token", "system/information", "trunk/list", "auto_provisioning/compatibility",
		} {
			t.Run(endpoint+" echoes "+name, func(t *testing.T) {
				t.Parallel()
				pbx := newFake()
				pbx.on(endpoint, func(w http.ResponseWriter, r *http.Request) {
					dump, err := httputil.DumpRequest(r, true)
					if err != nil {
						t.Error(err)
					}
					echo(w, string(dump)+" "+r.URL.Query().Get("access_token")+" "+r.URL.RawQuery+" "+link)
				})
				o := serve(t, pbx)
				o.Timeout = 100 * time.Millisecond
				c := pbxclient.Direct(o)
				_, system := c.SystemInformation(t.Context())
				_, system2 := c.SystemInformation(t.Context())
				_, trunks := c.Trunks(t.Context())
				_, vendors := c.PhoneVendors(t.Context())
				_, methods := c.ProvisioningMethods(t.Context(), "Yealink", "CP920")
				closing := c.Close(t.Context())
				if errors.Join(system, trunks, vendors, methods, closing) == nil {
					t.Error("no call failed, so nothing was tested")
				}
				for _, err := range []error{system, system2, trunks, vendors, methods, closing} {
					noSecretIn(t, err)
				}
			})
		}
	}
}

// noSecretIn looks at an error and all that it wraps, however it is printed.
func noSecretIn(t *testing.T, err error) {
	t.Helper()
	for ; err != nil; err = errors.Unwrap(err) {
		asJSON, _ := json.Marshal(err)
		printed := fmt.Sprintf("%v %+v %#v %s", err, err, err, asJSON)
		for _, hush := range []string{
			"s3cr3t", "acc3ss", "r3fresh", "6gEzigLFhMGntjd8",
		} {
			if strings.Contains(printed, hush) {
				t.Errorf("an error shows %q: %s", hush, printed)
			}
		}
	}
}

func TestClientShowsNoSecret(t *testing.T) {
	c := direct(t, serve(t, newFake()))
	mustAnswer(t, c)
	for _, verb := range []string{"%v", "%+v", "%#v"} {
		if s := fmt.Sprintf(verb, c); strings.Contains(s, "acc3ss") || strings.Contains(s, "s3cr3t") {
			t.Errorf("%s of the client shows a secret: %s", verb, s)
		}
	}
}

func TestProvisioningLinkIsDropped(t *testing.T) {
	option := `{"text":"` + link + `","value":"rps","type":"full","link":"` + link + `"}`
	for _, body := range []string{
		`{"errcode":0,"data":[` + option + `]}`,
		`{"errcode":0,"data":[` + option + `,` + option + `]}`,
		`{"errcode":0,"data":[` + option,
		`{"errcode":0,"data":"` + link + `"}`,
		`{"errcode":0,"data":["` + link + `"]}`,
		`{"errcode":10005,"errmsg":"no https://` + link + `","data":[` + option + `]}`,
	} {
		c := proxied(body)
		methods, err := c.ProvisioningMethods(t.Context(), "Yealink", "CP920")
		noSecretIn(t, err)
		if s := fmt.Sprintf("%+v %+v", methods, c.Name); strings.Contains(s, "autoprovision") {
			t.Errorf("the link is in %s", s)
		}
		if err != nil && !strings.Contains(err.Error(), c.Name) {
			t.Errorf("got %q, want it to name the PBX %s", err, c.Name)
		}
		if err := c.Close(context.Background()); err != nil {
			t.Errorf("Close through the proxy: %v", err)
		}
	}
}

// A PBX behind YCM's proxy may see the account's token, and repeat it.
func TestErrorsOfPBXsBehindYCMHoldNoSecret(t *testing.T) {
	s := simulate(t, ycmtest.Options{PBXs: 1})
	s.Inject(ycmtest.Fault{Endpoint: ycmtest.Proxy, Effect: func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_ = json.NewEncoder(w).Encode(map[string]any{"errcode": 40002, "errmsg": "bad header " + r.Header.Get("Authorization")})
		})
	}})
	_, failed := pbxclient.Proxied(s.ycm, "main", s.PBXs()[0].SN).SystemInformation(t.Context())
	if failed == nil || !strings.Contains(failed.Error(), "bad header Bearer <secret>") {
		t.Errorf("got %v, want the PBX's text without the token", failed)
	}
	for _, token := range s.Tokens() {
		if strings.Contains(fmt.Sprintf("%#v", failed), token) {
			t.Errorf("the token is shown in %#v", failed)
		}
	}
}

// TestHTTPProxyIsNotQuoted has an HTTP proxy between the exporter and the PBX that refuses, with the request in its words.
func TestHTTPProxyIsNotQuoted(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { l.Close(); <-done })
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			line, _ := bufio.NewReader(conn).ReadString('\n')
			fmt.Fprint(conn, "HTTP/1.1 407 no acc3ss for user "+line+"\r\n\r\n")
			conn.Close()
		}
	}()
	o := serve(t, newFake())
	o.URL = &url.URL{Scheme: "https", Host: "pbx.example.com"}
	transport := &http.Transport{Proxy: http.ProxyURL(&url.URL{
		Scheme: "http", Host: l.Addr().String(), User: url.UserPassword("user", password),
	})}
	t.Cleanup(transport.CloseIdleConnections)
	o.Transport = transport
	_, failed := direct(t, o).SystemInformation(t.Context())
	if failed == nil {
		t.Fatal("got no error, want the proxy's refusal")
	}
	noSecretIn(t, failed)
}
