package ycmtest

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"encoding/json"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Chain is several effects at once; the first is the outermost.
func Chain(effects ...Effect) Effect {
	return func(next http.Handler) http.Handler {
		for _, e := range slices.Backward(effects) {
			next = e(next)
		}
		return next
	}
}

// instead makes an effect that answers in place of the server.
func instead(answer http.HandlerFunc) Effect {
	return func(http.Handler) http.Handler { return answer }
}

// Failure answers with a code of the vendor's table, in the given shape and with its HTTP status.
func Failure(code int, shape Shape) Effect {
	return instead(func(w http.ResponseWriter, _ *http.Request) { failureOf(code).write(w, shape) })
}

// Header adds a header to an answer, such as Retry-After.
func Header(name, value string) Effect {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set(name, value)
			next.ServeHTTP(w, r)
		})
	}
}

// Answer answers with any text.
func Answer(status int, contentType, body string) Effect {
	return instead(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	})
}

// Status answers with a bare HTTP status.
func Status(status int) Effect { return Answer(status, "text/plain", "") }

// HTML answers with a page, as a proxy in front of YCM does.
func HTML(status int) Effect {
	return Answer(status, "text/html", "<!DOCTYPE html><html><head><title>nginx</title></head><body><h1>"+http.StatusText(status)+"</h1></body></html>")
}

// Redirect sends the client elsewhere.
func Redirect(to string) Effect {
	return instead(func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, to, http.StatusFound) })
}

// Malformed answers with HTTP 200 and JSON that ends in the middle.
func Malformed() Effect {
	return Answer(http.StatusOK, "application/json", `{"data":{"pageSize":50,"list":[{"cloudPb`)
}

// Empty answers with HTTP 200 and no body.
func Empty() Effect { return Status(http.StatusOK) }

// Oversize answers with HTTP 200 and valid JSON of more than n bytes.
func Oversize(n int) Effect {
	return Answer(http.StatusOK, "application/json", `{"status":"Success","data":"`+strings.Repeat("0", n)+`"}`)
}

// Switch answers with another protocol, which was not requested, and keeps the connection until the client closes it.
func Switch() Effect {
	return instead(func(w http.ResponseWriter, _ *http.Request) {
		conn, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		defer func() { _ = conn.Close() }() // The client may have.
		_, _ = buffered.WriteString("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n")
		_ = buffered.Flush()
		_, _ = io.Copy(io.Discard, conn)
	})
}

// Reset closes the connection without an answer, over TCP with a reset.
func Reset() Effect {
	return instead(func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
		_ = conn.Close()
	})
}

// Hang never answers: it holds the request until the client gives up.
func Hang() Effect {
	return instead(func(_ http.ResponseWriter, r *http.Request) {
		<-r.Context().Done()
		panic(http.ErrAbortHandler)
	})
}

// Slow waits before it answers.
func Slow(d time.Duration) Effect {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			sleep(r, d)
			next.ServeHTTP(w, r)
		})
	}
}

// Trickle sends the answer in about ten pieces over the time d.
func Trickle(d time.Duration) Effect {
	return rewrite(func(w http.ResponseWriter, r *http.Request, answer *recorder) {
		answer.writeHead(w)
		for piece := range slices.Chunk(answer.body.Bytes(), answer.body.Len()/10+1) {
			sleep(r, d/10)
			if _, err := w.Write(piece); err != nil || http.NewResponseController(w).Flush() != nil {
				return
			}
		}
	})
}

// Truncate announces the complete answer and closes the connection after n bytes of it.
func Truncate(n int) Effect {
	return rewrite(func(w http.ResponseWriter, _ *http.Request, answer *recorder) {
		answer.writeHead(w)
		_, _ = w.Write(answer.body.Bytes()[:min(n, answer.body.Len())])
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	})
}

// BOM begins the answer with a byte order mark, as some Windows servers do.
func BOM() Effect {
	return rewrite(func(w http.ResponseWriter, _ *http.Request, answer *recorder) {
		answer.header.Del("Content-Length")
		answer.writeHead(w)
		_, _ = io.WriteString(w, "\ufeff")
		_, _ = w.Write(answer.body.Bytes())
	})
}

// Compress answers with a Content-Encoding that was not requested: gzip, deflate, or another one that is not what it says.
func Compress(coding string) Effect {
	return rewrite(func(w http.ResponseWriter, _ *http.Request, answer *recorder) {
		compressor := io.WriteCloser(gzip.NewWriter(w))
		if coding == "deflate" {
			compressor = zlib.NewWriter(w)
		}
		answer.header.Del("Content-Length")
		answer.header.Set("Content-Encoding", coding)
		answer.writeHead(w)
		_, _ = compressor.Write(answer.body.Bytes()) // The client may have gone.
		_ = compressor.Close()
	})
}

// Set answers with other JSON for every field of that name, at any depth: an unknown status, an invalid number, a wrong
// total, null data, an expires_in of 0. An empty value leaves the field out.
func Set(field, value string) Effect {
	return rewrite(func(w http.ResponseWriter, _ *http.Request, answer *recorder) {
		decoder := json.NewDecoder(&answer.body)
		decoder.UseNumber()
		var body any
		if err := decoder.Decode(&body); err != nil {
			panic(http.ErrAbortHandler) // It is not JSON, because of another fault.
		}
		setIn(body, field, value)
		maps.Copy(w.Header(), answer.header)
		writeJSON(w, answer.status, body)
	})
}

func setIn(node any, field, value string) {
	switch node := node.(type) {
	case []any:
		for _, item := range node {
			setIn(item, field, value)
		}
	case map[string]any:
		for name, item := range node {
			switch {
			case name != field:
				setIn(item, field, value)
			case value == "":
				delete(node, name)
			default:
				node[name] = json.RawMessage(value)
			}
		}
	}
}

// rewrite makes an effect that sends the answer in another way.
func rewrite(send func(w http.ResponseWriter, r *http.Request, answer *recorder)) Effect {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			answer := recorder{header: make(http.Header), status: http.StatusOK}
			next.ServeHTTP(&answer, r)
			send(w, r, &answer)
		})
	}
}

// recorder is a ResponseWriter that keeps the answer.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (a *recorder) Header() http.Header         { return a.header }
func (a *recorder) WriteHeader(status int)      { a.status = status }
func (a *recorder) Write(p []byte) (int, error) { return a.body.Write(p) }

// writeHead sends everything but the body.
func (a *recorder) writeHead(w http.ResponseWriter) {
	maps.Copy(w.Header(), a.header)
	w.WriteHeader(a.status)
}
