package collection_test

import (
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/palate-art/palate/internal/collection"
	"github.com/palate-art/palate/internal/models"
)

// A hub that takes the connection and says nothing costs the bounded wait.
func TestASilentHubIsWaitedForBriefly(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	t.Setenv("HF_HUB_OFFLINE", "")
	t.Setenv("HF_ENDPOINT", "http://"+listener.Addr().String())
	config := collection.DefaultConfig(t.TempDir(), t.TempDir())
	if wait := config.Models.ReachHubPatience; wait > 5*time.Second {
		t.Errorf("waits %v for the hub, want 5 s at most", wait)
	}
	config.Models.ReachHubPatience = 50 * time.Millisecond
	loader := collection.NewLoader(config.Models, config.Decoding, collection.Silent{}, slog.New(slog.DiscardHandler))
	m, err := loader.Load(t.Context(), nil, true)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if m.Settings().Model != models.Baseline || !strings.Contains(m.Advice(), "no answer from the hub") {
		t.Errorf("got %+v, %q", m.Settings(), m.Advice())
	}
}
