//go:build linux

package faults_test

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/palate-art/palate/test/program"
	"github.com/palate-art/palate/test/race"
)

// letters are text without end.
type letters struct{}

func (letters) Read(p []byte) (int, error) { return copy(p, bytes.Repeat([]byte("a"), len(p))), nil }

// A JSON body in chunks, which does not say how long it is: one string.
func TestFaultAChunkedBodyWithoutEnd(t *testing.T) {
	race.Long(t)
	s := startFaultyServer(t, "--data", oldCollection(t), "--no-embed")
	address := s.URL + "/v1/profiles/me/ratings/" + s.Images(url.Values{})[0]
	idle := s.ResidentBytes(program.Now)
	body := io.MultiReader(strings.NewReader(`{"verdict":"`), io.LimitReader(letters{}, int64(atLength(256, 1536))<<20))
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPut, address, body)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err == nil { // the server may also hang up while the rest is sent
		_ = response.Body.Close()
		if response.StatusCode != http.StatusRequestEntityTooLarge {
			t.Errorf("got %d, want 413", response.StatusCode)
		}
	}
	s.MustStayWithin(idle, program.SlackBytes)
}
