//go:build linux

package faults_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/palate-art/palate/test/program"
	"github.com/palate-art/palate/test/race"
)

// Bodies that come in drops hold no connection for ever, and keep nobody else
// waiting.
func TestFaultSlowBodies(t *testing.T) {
	race.Long(t)
	t.Parallel()
	s := startFaultyServer(t, "--data", t.TempDir(), "--no-embed")
	address := strings.TrimPrefix(s.URL, "http://")
	begun := time.Now()
	var group sync.WaitGroup
	for i := range atLength(30, 300) {
		group.Go(func() {
			head := "PUT /v1/profiles/me/ratings/00000000-0000-8000-8000-000000000000 HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"
			if i%3 == 0 {
				head = "POST /v1/images HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 100000\r\n\r\n--b"
			}
			if begun := time.Now(); !drip(t, address, head, time.Minute) {
				t.Errorf("a connection was held for %v: %.20s", time.Since(begun).Round(time.Second), head)
			}
		})
	}
	for range 3 {
		time.Sleep(300 * time.Millisecond)
		asked := time.Now()
		if got := s.Knock("GET", "/v1/images"); got != http.StatusOK || time.Since(asked) > 5*time.Second {
			t.Errorf("beside slow bodies: got %d after %v", got, time.Since(asked))
		}
	}
	group.Wait()
	t.Logf("the last of %d connections ended after %v", atLength(30, 300), time.Since(begun).Round(time.Second))
}

// drip sends a head and then a byte every second until the server answers or
// hangs up, or for a time; it reports whether the server did.
func drip(t *testing.T, address, head string, patience time.Duration) bool {
	connection, err := net.Dial("tcp", address)
	if err != nil {
		t.Error(err)
		return false
	}
	defer connection.Close()
	answered := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, connection) // until the server closes it
		close(answered)
	}()
	if _, err := connection.Write([]byte(head)); err != nil {
		return true
	}
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		select {
		case <-answered:
			return true
		case <-time.After(time.Second):
			if _, err := connection.Write([]byte(" ")); err != nil {
				return true
			}
		}
	}
	return false
}

// An upload is bounded as a whole, however many parts it has.
func TestFaultAnUploadOfManyParts(t *testing.T) {
	race.Long(t)
	s := startFaultyServer(t, "--data", t.TempDir(), "--no-embed")
	idle := s.ResidentBytes(program.Now)
	body, writer := io.Pipe()
	var sent atomic.Int64
	go func() {
		part := "--b\r\nContent-Disposition: form-data; name=\"credit\"\r\n\r\n" + strings.Repeat("x", 1000) + "\r\n"
		parts := []byte(strings.Repeat(part, 1000))
		for range atLength(120, 1500) {
			n, err := writer.Write(parts)
			if sent.Add(int64(n)); err != nil {
				return
			}
		}
		_, _ = writer.Write([]byte("--b--\r\n"))
		_ = writer.Close()
	}()
	response, err := http.Post(s.URL+"/v1/images", "multipart/form-data; boundary=b", body)
	if err == nil {
		_ = response.Body.Close()
		if response.StatusCode != http.StatusRequestEntityTooLarge && response.StatusCode != http.StatusBadRequest {
			t.Errorf("got %d, want to be refused", response.StatusCode)
		}
	}
	_ = body.Close()
	if read := sent.Load(); read > 80<<20 {
		t.Errorf("the server took %d MB before it refused", read>>20)
	}
	s.MustStayWithin(idle, program.SlackBytes)
}

// What a body may not be is refused, in no words of Go's.
func TestFaultBodiesThatAreNoJSON(t *testing.T) {
	race.Long(t)
	t.Parallel()
	s := startFaultyServer(t, "--data", oldCollection(t), "--no-embed")
	rating := s.URL + "/v1/profiles/me/ratings/" + s.Images(url.Values{})[0]
	for name, c := range map[string]struct {
		body, coding string
		want         int
	}{
		"packed":        {`{"verdict":"like"}`, "gzip", http.StatusUnsupportedMediaType},
		"trailing":      {`{"verdict":"like"} {"verdict":"dislike"}`, "", http.StatusBadRequest},
		"trailing word": {`{"verdict":"like"}x`, "", http.StatusBadRequest},
		"doubled key":   {`{"verdict":"like","verdict":"dislike"}`, "", http.StatusBadRequest},
		"cut":           {`{"verdict":"li`, "", http.StatusBadRequest},
		"another type":  {`{"verdict":[1]}`, "", http.StatusBadRequest},
		"too long":      {`{"verdict":"like"` + strings.Repeat(" ", 2<<20) + "}", "", http.StatusRequestEntityTooLarge},
	} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPut, rating, strings.NewReader(c.body))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/json")
		if c.coding != "" {
			request.Header.Set("Content-Encoding", c.coding)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		answer := program.ReadAll(t, response.Body)
		_ = response.Body.Close()
		if response.StatusCode != c.want {
			t.Errorf("%s: got %d, want %d", name, response.StatusCode, c.want)
		}
		for _, word := range []string{"invalid character", "unmarshal", "EOF", "json:", "code="} {
			if strings.Contains(answer, word) {
				t.Errorf("%s: the answer has Go's words %q: %s", name, word, answer)
			}
		}
	}
}

// Pages that are packed by another name, or twice, are held to the same bound
// as any other.
func TestFaultPagesPackedTwice(t *testing.T) {
	race.Long(t)
	var member bytes.Buffer
	pack := func(content []byte) []byte {
		member.Reset()
		w, err := gzip.NewWriterLevel(&member, gzip.BestCompression)
		if err == nil {
			_, err = w.Write(content)
		}
		if err == nil {
			err = w.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
		return bytes.Clone(member.Bytes())
	}
	once := bytes.Repeat(pack(bytes.Repeat([]byte(" "), 64<<20)), atLength(8, 40)) // gzip members may follow one another
	for name, packed := range map[string][]byte{"x-gzip": once, "gzip, gzip": pack(once)} {
		var sent atomic.Int64
		site := startSite(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/robots.txt" {
				http.NotFound(w, r)
				return
			}
			w.Header().Set("Content-Type", "text/html")
			w.Header().Set("Content-Encoding", name)
			n, _ := w.Write(packed)
			sent.Add(int64(n))
		})
		crawl := program.StartFaulty(t, "crawl", "--museum", site, "--data", t.TempDir(), "--max-pages", "2")
		peak := crawl.PeakBytes()
		t.Logf("%s: %d bytes that unpack to %d MiB took %d MiB at most", name, len(packed), atLength(8, 40)*64, peak>>20)
		if sent.Load() == 0 {
			t.Errorf("%s: the page was never asked for: %s", name, crawl.ErrOut.String())
		}
		if peak > 256<<20 && (!race.Enabled || program.FaultsBinary != "") {
			t.Errorf("%s: the crawl took %d MiB, want at most 256", name, peak>>20)
		}
	}
}
