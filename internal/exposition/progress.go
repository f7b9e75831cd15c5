package exposition

import (
	"net/http"
	"time"
)

const (
	// stall is how long a client may take for 64 KiB of a scrape, before it gives its place up to another.
	stall = 30 * time.Second
	// longestScrape is how long it may take for the whole, so that clients who read a little now and then cannot lock
	// out the rest.
	longestScrape = 10 * time.Minute
)

// A progressWriter is a response to a client who has to read on: each piece of it has a deadline of its own. The last
// deadline stays for what net/http sends at the end.
type progressWriter struct {
	http.ResponseWriter
	control *http.ResponseController // nil without deadlines, as of a test, or of a writer that buffers
	latest  time.Time                // for the whole
}

func newProgressWriter(w http.ResponseWriter, begun time.Time) *progressWriter {
	return &progressWriter{ResponseWriter: w, control: http.NewResponseController(w), latest: begun.Add(longestScrape)}
}

func (w *progressWriter) Write(b []byte) (written int, err error) {
	for err == nil && written < len(b) {
		w.extend()
		n := 0
		n, err = w.ResponseWriter.Write(b[written:min(len(b), written+bufferSize)])
		written += n
	}
	return written, err
}

// extend gives the client time for one more piece.
func (w *progressWriter) extend() {
	if w.control == nil {
		return
	}
	deadline := time.Now().Add(stall)
	if deadline.After(w.latest) {
		deadline = w.latest
	}
	if err := w.control.SetWriteDeadline(deadline); err != nil {
		w.control = nil
	}
}
