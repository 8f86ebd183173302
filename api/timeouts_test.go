package api_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

const bodyGraceInTests = 300 * time.Millisecond

// serveQuickly serves on a port of its own as palate serve does, but for the
// times, and gives the address.
func (f *fixture) serveQuickly(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	f.server.Hurry(bodyGraceInTests, bodyGraceInTests)
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- f.server.Run(ctx, listener) }()
	t.Cleanup(func() {
		stop()
		must(t, <-done)
	})
	return listener.Addr().String()
}

// hold opens a connection to the server, sends the beginning of a request, and
// then a piece of it every now and then until the server answers or hangs up.
func hold(t *testing.T, address, beginning, piece string, every time.Duration) (status int, err error) {
	t.Helper()
	connection, err := net.Dial("tcp", address)
	if err != nil {
		return 0, err
	}
	defer connection.Close()
	if err := connection.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		return 0, err
	}
	if _, err := connection.Write([]byte(beginning)); err != nil {
		return 0, err
	}
	ended := make(chan struct{})
	defer close(ended)
	go func() {
		for {
			select {
			case <-ended:
				return
			case <-time.After(every):
				if _, err := connection.Write([]byte(piece)); err != nil {
					return
				}
			}
		}
	}()
	response, err := http.ReadResponse(bufio.NewReader(connection), nil)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	return response.StatusCode, nil
}

// Bodies and headers that come in drops hold no connection for long, however
// many of them there are, and nobody else is kept waiting.
func TestSlowRequestsAreGivenUp(t *testing.T) {
	f := newFixture(t)
	address := f.serveQuickly(t)
	rate := "/v1/profiles/me/ratings/" + f.add(t, 1, red, "Roth")[0].String()
	json := "PUT " + rate + " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
	upload := "POST /v1/images HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=b\r\nTransfer-Encoding: chunked\r\n\r\n"
	var group sync.WaitGroup
	for i := range 120 {
		kind, beginning, piece, want := "a JSON body", json+"Content-Length: 900000\r\n\r\n{", " ", http.StatusRequestTimeout
		switch i % 4 {
		case 3:
			kind, want = "a body that nobody reads", http.StatusMisdirectedRequest
			beginning = "PUT " + rate + " HTTP/1.1\r\nHost: evil.example\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"
		case 1:
			kind, beginning, piece = "chunks", upload, "1\r\n-\r\n"
		case 2:
			kind, beginning, piece, want = "headers", "GET /v1/images HTTP/1.1\r\nHost: localhost\r\n", fmt.Sprintf("X-%d: x\r\n", i), 0
		}
		group.Go(func() {
			begun := time.Now()
			status, err := hold(t, address, beginning, piece, 20*time.Millisecond)
			took := time.Since(begun)
			if want != 0 && (err != nil || status != want) {
				t.Errorf("%s: got %d (%v), want %d", kind, status, err, want)
			}
			if status != 0 && status < 400 {
				t.Errorf("%s: got %d, want no success", kind, status)
			}
			if took > 15*time.Second {
				t.Errorf("%s: held for %v", kind, took)
			}
		})
	}
	time.Sleep(50 * time.Millisecond)
	response, err := http.Get("http://" + address + "/v1/images")
	must(t, err)
	_ = response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Errorf("meanwhile somebody else got %d, want 200", response.StatusCode)
	}
	group.Wait()
}

// A body that comes fast enough is read to its end, however long that takes.
func TestABodyThatMakesProgressIsRead(t *testing.T) {
	f := newFixture(t)
	address := f.serveQuickly(t)
	rate := "/v1/profiles/me/ratings/" + f.add(t, 1, red, "Roth")[0].String()
	connection, err := net.Dial("tcp", address)
	must(t, err)
	defer connection.Close()
	must(t, connection.SetDeadline(time.Now().Add(20*time.Second)))
	body := `{"verdict":"like"` + strings.Repeat(" ", 64<<10) + "}"
	_, err = fmt.Fprintf(connection, "PUT %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", rate, len(body))
	must(t, err)
	for begun := time.Now(); len(body) > 0; time.Sleep(20 * time.Millisecond) {
		n := min(len(body), 2<<10) // 100 kB/s, for 0.7 s: twice the grace
		_, err := connection.Write([]byte(body[:n]))
		must(t, err)
		if body = body[n:]; len(body) == 0 && time.Since(begun) < bodyGraceInTests {
			t.Fatal("the body came too fast to show anything")
		}
	}
	response, err := http.ReadResponse(bufio.NewReader(connection), nil)
	must(t, err)
	_ = response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Errorf("got %d, want 200", response.StatusCode)
	}
}
