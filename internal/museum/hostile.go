package museum

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"time"
)

// recorder counts what is sent into the log entry as it goes out.
type recorder struct {
	http.ResponseWriter
	log   *accessLog
	entry *Access
}

func (w *recorder) WriteHeader(status int) {
	w.log.change(func() { w.entry.Status = status })
	w.ResponseWriter.WriteHeader(status)
}

func (w *recorder) Write(p []byte) (int, error) {
	// Counted first: the client may look at the log as soon as it has the
	// last byte.
	w.log.change(func() { w.entry.Bytes += int64(len(p)) })
	n, err := w.ResponseWriter.Write(p)
	if n < len(p) {
		w.log.change(func() { w.entry.Bytes -= int64(len(p) - n) })
	}
	return n, err
}

func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// pause waits unless the request or the museum ends first.
func pause(r *http.Request, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-r.Context().Done():
		return false
	}
}

// send writes the answer with the faults that apply to it.
func (m *Museum) send(w *recorder, r *http.Request, a reply) {
	for _, rule := range m.faults.apply(a.target, a.work, "http://"+hostOf(r)+r.URL.RequestURI()) {
		m.log.change(func() { w.entry.Fault = rule.Fault })
		if rule.Fault == Slow {
			if !pause(r, rule.Delay) {
				panic(http.ErrAbortHandler)
			}
			continue
		}
		spoil(w, r, a, rule)
		return
	}
	write(w, r, a)
}

// write sends the answer as it is.
func write(w *recorder, r *http.Request, a reply) {
	h := w.Header()
	for key, value := range map[string]string{
		"Content-Type": a.contentType, "Location": a.location, "Retry-After": a.retryAfter, "ETag": a.etag,
	} {
		if value != "" {
			h.Set(key, value)
		}
	}
	if a.etag != "" && r.Header.Get("If-None-Match") == a.etag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	if h.Get("Content-Length") == "" {
		h.Set("Content-Length", strconv.Itoa(len(a.body)))
	}
	w.WriteHeader(a.status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(a.body) // the client has gone: nobody to tell
	}
}

// spoil sends the answer with one fault.
func spoil(w *recorder, r *http.Request, a reply, rule Rule) {
	switch rule.Fault {
	case Trickle:
		trickle(w, r, a, rule.Delay)
		return
	case EndlessBody:
		endless(w, r, a)
		return
	case ConnectionReset:
		reset(w, a)
		return
	case RedirectLoop:
		a = redirect(a.target, a.work, "/loop/0")
	case RedirectScheme:
		a = redirect(a.target, a.work, "ftp://"+hostOf(r)+r.URL.RequestURI())
	case RedirectHost:
		a = redirect(a.target, a.work, "http://elsewhere.test"+r.URL.RequestURI())
	case HTMLAsPicture:
		a.contentType, a.body, a.etag = "image/jpeg", failure(0, http.StatusNotFound).body, ""
	case PictureAsHTML:
		a.contentType = "text/html; charset=utf-8"
	case ShortLength:
		understate(w, a)
		return
	case LongLength:
		w.Header().Set("Content-Length", strconv.Itoa(2*len(a.body)+1))
	case Truncated:
		a.body, a.etag = a.body[:len(a.body)/2], ""
	case Garbage:
		a.body, a.etag = garbage(len(a.body)), ""
	case Bomb:
		a.contentType, a.body, a.etag = "image/png", bomb(), ""
	case StatusOnly:
		a = failure(a.target, rule.Status)
		if rule.RetryAfter > 0 {
			a.retryAfter = strconv.Itoa(seconds(rule.RetryAfter))
			if rule.RetryDate {
				a.retryAfter = time.Now().Add(rule.RetryAfter).UTC().Format(http.TimeFormat)
			}
		}
	}
	write(w, r, a)
}

// seconds rounds up: a client told to wait must not come early.
func seconds(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }

const tricklePieces = 64

func trickle(w *recorder, r *http.Request, a reply, delay time.Duration) {
	w.Header().Set("Content-Type", a.contentType)
	w.Header().Set("Content-Length", strconv.Itoa(len(a.body)))
	w.WriteHeader(a.status)
	out := http.NewResponseController(w)
	step := len(a.body)/tricklePieces + 1
	for rest := a.body; len(rest) > 0; {
		n := min(step, len(rest))
		if out.Flush() != nil || !pause(r, delay) {
			panic(http.ErrAbortHandler)
		}
		if _, err := w.Write(rest[:n]); err != nil {
			return
		}
		rest = rest[n:]
	}
}

func endless(w *recorder, r *http.Request, a reply) {
	w.Header().Set("Content-Type", a.contentType)
	w.WriteHeader(a.status)
	if _, err := w.Write(a.body); err != nil {
		return
	}
	more := bytes.Repeat([]byte("<p>and so on</p>\n"), 1<<12)
	for r.Context().Err() == nil {
		if _, err := w.Write(more); err != nil {
			return
		}
	}
	panic(http.ErrAbortHandler)
}

// reset sends half of the body and then a TCP reset.
func reset(w *recorder, a reply) {
	w.Header().Set("Content-Type", a.contentType)
	w.Header().Set("Content-Length", strconv.Itoa(len(a.body)))
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body[:len(a.body)/2])
	out := http.NewResponseController(w)
	_ = out.Flush()
	conn, _, err := out.Hijack()
	if err != nil {
		panic(http.ErrAbortHandler) // not a TCP server: the nearest thing
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // closing now sends RST instead of FIN
	}
	_ = conn.Close()
}

// understate states half of the length and sends all. net/http would not
// send it, so it is written to the connection.
func understate(w *recorder, a reply) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	defer conn.Close()
	head := fmt.Sprintf("HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n",
		a.status, http.StatusText(a.status), a.contentType, len(a.body)/2)
	w.log.change(func() { w.entry.Status, w.entry.Bytes = a.status, int64(len(a.body)) })
	_, _ = conn.Write(append([]byte(head), a.body...))
}

func garbage(n int) []byte {
	s := rand.New(rand.NewPCG(1, 2))
	out := make([]byte, n)
	for i := range out {
		out[i] = byte(s.Uint32())
	}
	return out
}

// bomb is a PNG header of 60000×60000 pixels, 14 GB once decoded, with next
// to nothing behind it.
func bomb() []byte {
	chunk := func(kind string, body []byte) []byte {
		out := binary.BigEndian.AppendUint32(nil, uint32(len(body)))
		out = append(append(out, kind...), body...)
		return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(out[4:]))
	}
	header := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, 60000), 60000)
	header = append(header, 8, 6, 0, 0, 0) // 8 bits, RGBA
	out := []byte("\x89PNG\r\n\x1a\n")
	out = append(out, chunk("IHDR", header)...)
	out = append(out, chunk("IDAT", []byte{0x78, 0x9c, 0xed, 0xc1, 0x01, 0x01})...)
	return append(out, chunk("IEND", nil)...)
}
