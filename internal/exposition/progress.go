package exposition

import (
	"net/http"
	"time"
)

const (
	// stall is how long a client may take to read a piece of a scrape before it is dropped.
	stall     = 30 * time.Second
	pieceSize = 64 << 10
	// longestScrape is how long it may take in total, so that clients that read a little now and then cannot hold places
	// and old snapshots forever.
	longestScrape = 10 * time.Minute
)

// A progressWriter is a response to a client that has to keep reading. The deadline of the last piece stays for what
// net/http sends at the end.
type progressWriter struct {
	http.ResponseWriter
	control *http.ResponseController
	latest  time.Time
}

func (w *progressWriter) Write(b []byte) (written int, err error) {
	for err == nil && written < len(b) {
		deadline := time.Now().Add(stall)
		if deadline.After(w.latest) {
			deadline = w.latest
		}
		_ = w.control.SetWriteDeadline(deadline) // Not all writers have deadlines, such as those of tests.
		n := 0
		n, err = w.ResponseWriter.Write(b[written:min(len(b), written+pieceSize)])
		written += n
	}
	return written, err
}
