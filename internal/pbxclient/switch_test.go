package pbxclient_test

import (
	"context"
	"testing"
	"time"

	"github.com/ycm-exporter/ycm_exporter/internal/yeastar"
	"github.com/ycm-exporter/ycm_exporter/ycmclient/ycmtest"
)

// The connection stays open after "101 Switching Protocols", and no time-out ends it: neither a request, nor a login, nor
// the end of the client may wait for it.
func TestPBXThatSwitchesProtocolsBlocksNothing(t *testing.T) {
	for _, endpoint := range []string{"get_token", "system/information", "del_token"} {
		pbx := newFake()
		pbx.on(endpoint, ycmtest.Switch()(nil).ServeHTTP)
		o := serve(t, pbx)
		o.Timeout = 10 * time.Second
		client := direct(t, o)
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		_, err := client.SystemInformation(ctx)
		closed := client.Close(ctx)
		if endpoint == "del_token" {
			err = closed
		}
		if yeastar.ClassOf(err) != yeastar.Invalid || ctx.Err() != nil {
			t.Errorf("%s: got %v, want at once that the answer is invalid", endpoint, err)
		}
	}
}
