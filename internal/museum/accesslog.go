package museum

import (
	"encoding/json"
	"io"
	"net/http"
	"sync"
	"time"
)

// Access is one request.
type Access struct {
	Time      time.Time     `json:"time"`    // of arrival
	Elapsed   time.Duration `json:"elapsed"` // until the answer had been handed to the network, in ns
	Method    string        `json:"method"`
	Host      string        `json:"host"` // without port
	Path      string        `json:"path"` // as sent, percent-encoded
	Query     string        `json:"query,omitempty"`
	UserAgent string        `json:"user_agent,omitempty"`
	Referer   string        `json:"referer,omitempty"`
	Status    int           `json:"status"`          // 0 while unanswered or when the connection was reset before
	Bytes     int64         `json:"bytes"`           // of the body, as far as it was sent
	Fault     Fault         `json:"fault,omitempty"` // the last one applied
	Work      int           `json:"work"`            // whose original picture was sent; -1 for anything else
	Done      bool          `json:"done"`
}

// URL is the address that was asked for.
func (a Access) URL() string {
	if a.Query == "" {
		return "http://" + a.Host + a.Path
	}
	return "http://" + a.Host + a.Path + "?" + a.Query
}

// accessLog keeps requests from their arrival on, so that a client that has
// its answer finds the request in the log.
type accessLog struct {
	mu      sync.Mutex
	entries []*Access
	writer  io.Writer
}

func newAccessLog(w io.Writer) *accessLog { return &accessLog{writer: w} }

func (l *accessLog) begin(r *http.Request) *Access {
	a := &Access{
		Time: time.Now(), Method: r.Method, Host: hostOf(r), Path: r.URL.EscapedPath(), Query: r.URL.RawQuery,
		UserAgent: r.UserAgent(), Referer: r.Referer(), Work: -1,
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.entries = append(l.entries, a)
	return a
}

// change edits an entry that snapshot may be copying.
func (l *accessLog) change(f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f()
}

func (l *accessLog) end(a *Access) {
	l.mu.Lock()
	defer l.mu.Unlock()
	a.Elapsed, a.Done = time.Since(a.Time), true
	if l.writer == nil {
		return
	}
	line, err := json.Marshal(a)
	if err != nil {
		panic(err) // plain fields only
	}
	// A log that can't be written shows as missing lines to the test that
	// reads it; the site goes on.
	_, _ = l.writer.Write(append(line, '\n'))
}

func (l *accessLog) snapshot() []Access {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make([]Access, len(l.entries))
	for i, a := range l.entries {
		out[i] = *a
	}
	return out
}

func (l *accessLog) clear() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.entries = nil
}
