package health_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/health"
)

func TestTheServersAddressIsAskedOnLoopback(t *testing.T) {
	for listens, want := range map[string]string{
		"127.0.0.1:7252": "http://127.0.0.1:7252", "0.0.0.0:7252": "http://127.0.0.1:7252", ":7252": "http://127.0.0.1:7252",
		"[::]:80": "http://[::1]:80", "palate:7252": "http://palate:7252", "nonsense": "http://nonsense",
	} {
		if got := health.Address(listens); got != want {
			t.Errorf("%s: got %s, want %s", listens, got, want)
		}
	}
}

func TestWhatIsNotWellIsSaid(t *testing.T) {
	for name, tt := range map[string]struct {
		status      int
		body        string
		live, ready string // in the errors; empty is well
	}{
		"well":      {http.StatusOK, `{"status": "ok", "ready": true, "parts": []}`, "", ""},
		"not ready": {http.StatusServiceUnavailable, `{"ready": false, "parts": [{"name": "index", "ok": false, "detail": "it is away"}, {"name": "catalog", "ok": true}]}`, "status 503", "index: it is away"},
		"another":   {http.StatusTeapot, `{}`, "which is not palate's", "which is not palate's"},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(tt.status)
				_, _ = w.Write([]byte(tt.body))
			}))
			defer server.Close()
			_, live := health.Live(t.Context(), server.URL)
			_, ready := health.Ready(t.Context(), server.URL)
			for asked, c := range map[string]struct {
				err  error
				want string
			}{"live": {live, tt.live}, "ready": {ready, tt.ready}} {
				if (c.err == nil) != (c.want == "") || c.err != nil && (!errors.Is(c.err, palate.ErrUnavailable) || !strings.Contains(c.err.Error(), c.want)) {
					t.Errorf("%s: got %v, want %q", asked, c.err, c.want)
				}
			}
		})
	}
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	if _, err := health.Live(t.Context(), server.URL); !errors.Is(err, palate.ErrUnavailable) || !strings.Contains(err.Error(), "is palate serve running there?") {
		t.Errorf("nobody there: got %v", err)
	}
}
