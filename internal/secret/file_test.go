package secret

import (
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// A network mount that hangs does so in a system call, which nothing can cancel. A login must not wait for it, and the logins
// after it must not add another call each.
func TestHangingSecretFileIsGivenUpAndReadOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var reads atomic.Int32
		mounted := make(chan struct{})
		source := bounded("/run/secrets/ycm", func() (Text, error) {
			reads.Add(1)
			<-mounted
			return New("after all"), nil
		})
		for i := range 3 {
			begin := time.Now()
			_, err := source()
			if err == nil || !strings.Contains(err.Error(), "reading secret /run/secrets/ycm: the file does not respond within 5s") {
				t.Errorf("read %d: got error %v, want that the file does not answer", i, err)
			}
			if took := time.Since(begin); took > patience || i == 0 && took != patience {
				t.Errorf("read %d: took %v, want %v for the first and no more for the others", i, took, patience)
			}
		}
		if n := reads.Load(); n != 1 {
			t.Errorf("got %d reads under way, want the first alone", n)
		}

		close(mounted)
		synctest.Wait()
		if text, err := source(); err != nil || text.Reveal() != "after all" {
			t.Errorf("once the file system answers: got %q and error %v, want the secret", text.Reveal(), err)
		}
	})
}
