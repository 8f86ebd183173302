//go:build linux

package main

import (
	"bytes"
	"io"
	"net/http"
	"testing"
)

// spaces is white space without end.
type spaces struct{}

func (spaces) Read(p []byte) (int, error) { return copy(p, bytes.Repeat([]byte(" "), len(p))), nil }

// A JSON body in chunks, which does not say how long it is.
func TestFaultAChunkedBodyWithoutEnd(t *testing.T) {
	s := startFaultyServer(t, "--data", t.TempDir(), "--no-embed")
	idle := s.residentBytes(now)
	body := io.LimitReader(spaces{}, int64(atLength(256, 1536))<<20)
	response, err := http.Post(s.url+"/v1/profiles/me/train", "application/json", body)
	if err == nil { // the server may also hang up while the rest is sent
		_ = response.Body.Close()
		if response.StatusCode != http.StatusRequestEntityTooLarge {
			t.Errorf("got %d, want 413", response.StatusCode)
		}
	}
	s.mustStayWithin(idle, slackBytes)
}
