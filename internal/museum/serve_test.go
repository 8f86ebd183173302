package museum_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/museum"
)

func TestTheDialerReachesTheMuseumsHostsAndNoOther(t *testing.T) {
	m := newMuseum(t, few(3))
	if _, err := m.DialContext(t.Context(), "tcp", museum.GalleryHost+":80"); !errors.Is(err, palate.ErrUnavailable) {
		t.Errorf("before Listen: %v, want palate.ErrUnavailable", err)
	}
	stop, err := m.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
	}()
	for _, dial := range []func(context.Context, string, string) (net.Conn, error){
		m.DialContext, museum.DialContextTo(m.Addr()),
	} {
		for _, host := range museum.Hosts() {
			conn, err := dial(t.Context(), "tcp", host+":8443")
			if err != nil {
				t.Errorf("%s: %v", host, err)
				continue
			}
			conn.Close()
		}
		for _, host := range []string{"elsewhere.test", "127.0.0.1", "x." + museum.GalleryHost} {
			if _, err := dial(t.Context(), "tcp", host+":80"); !errors.Is(err, palate.ErrUnavailable) {
				t.Errorf("%s: %v, want palate.ErrUnavailable", host, err)
			}
		}
	}
	if got := m.RefusedHosts(); len(got) != 3 || got[0] != "elsewhere.test" {
		t.Errorf("refused %v, want three hosts", got)
	}
	if err := m.Listen("127.0.0.1:0"); !errors.Is(err, palate.ErrConflict) {
		t.Errorf("a second Listen: %v, want palate.ErrConflict", err)
	}
	if err := newMuseum(t, few(1)).Listen(m.Addr()); !errors.Is(err, palate.ErrUnavailable) {
		t.Errorf("Listen on a taken port: %v, want palate.ErrUnavailable", err)
	}
}

func TestAnUnknownHostIsMisdirected(t *testing.T) {
	v := open(t, few(3))
	resp, err := http.Get("http://" + v.museum.Addr() + "/")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusMisdirectedRequest {
		t.Errorf("status %d, want 421", resp.StatusCode)
	}
}

func TestTheAccessLogHoldsEveryRequest(t *testing.T) {
	var lines bytes.Buffer // writes do not overlap; read after stop
	m := newMuseum(t, func(c *museum.Config) { c.Pictures, c.Scale, c.AccessLogWriter = 4, .3, &lines })
	stop, err := m.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	v := visitor{t, m, m.Client()}
	w := m.Works()[2]
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if _, _, err := v.try(w.CommonsImageURL); err != nil {
				t.Error(err)
			}
			m.AccessLog()
		})
	}
	all.Wait()
	v.get(m.GalleryURL() + "?utm_source=x")
	log := m.AccessLog()
	if len(log) != 9 {
		t.Fatalf("%d requests in the log, want 9", len(log))
	}
	data, _ := m.File(2)
	for _, a := range log[:8] {
		if a.URL() != w.CommonsImageURL || a.Status != 200 || a.Bytes != int64(len(data)) || a.Work != 2 || a.UserAgent != contactAgent {
			t.Errorf("entry %+v, want the picture of work 2", a)
		}
	}
	if a := log[8]; a.Query != "utm_source=x" || a.Work != -1 || a.Host != museum.GalleryHost {
		t.Errorf("entry %+v, want the start page", a)
	}
	m.ClearLog()
	if got := m.AccessLog(); len(got) != 0 {
		t.Errorf("%d entries after ClearLog", len(got))
	}
	v.client.CloseIdleConnections()
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	written := strings.Split(strings.TrimSpace(lines.String()), "\n")
	if len(written) != 9 {
		t.Fatalf("%d lines written, want 9", len(written))
	}
	for _, line := range written {
		var a museum.Access
		if err := json.Unmarshal([]byte(line), &a); err != nil || !a.Done || a.Status != 200 {
			t.Errorf("line %s: %v", line, err)
		}
	}
}

func TestAnUnchangedPictureIsNotSentAgain(t *testing.T) {
	v := open(t, few(3))
	address := v.museum.Works()[0].ImageURL
	first, _, err := v.try(address)
	if err != nil {
		t.Fatal(err)
	}
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	req.Header.Set("If-None-Match", first.Header.Get("ETag"))
	resp, err := v.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusNotModified {
		t.Errorf("status %d, want 304", resp.StatusCode)
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	m := newMuseum(t, few(1))
	ctx, cancel := context.WithCancel(t.Context())
	if err := m.Listen("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() { done <- m.Run(ctx) }()
	cancel()
	if err := <-done; err != nil {
		t.Errorf("Run: %v, want nil", err)
	}
	if err := m.Run(t.Context()); !errors.Is(err, palate.ErrConflict) {
		t.Errorf("Run after the end: %v, want palate.ErrConflict", err)
	}
}

func TestAWrongConfigIsRefusedWithAllProblems(t *testing.T) {
	_, err := museum.New(museum.Config{Pictures: 0, PageSize: -1, Behaviour: museum.Behaviour{Maxlag: -1}})
	if !errors.Is(err, palate.ErrInvalid) || strings.Count(err.Error(), "\n") != 3 {
		t.Errorf("error %v, want four problems of palate.ErrInvalid", err)
	}
}
