package terminal_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/palate-art/palate/internal/terminal"
)

// No terminal has no colours, unless they are asked for; NO_COLOR forbids them.
func TestColoursAreAskedFor(t *testing.T) {
	for _, tt := range []struct {
		no, force string
		want      bool
	}{{"", "", false}, {"", "1", true}, {"", "0", false}, {"1", "1", false}} {
		t.Setenv("NO_COLOR", tt.no)
		t.Setenv("CLICOLOR_FORCE", tt.force)
		for _, json := range []bool{false, true} {
			h := listen(terminal.Style{JSON: json})
			h.Table([]string{"A", "B"}, []string{"1", "2"})
			want := "A  B\n1  2\n"
			if tt.want && !json {
				want = "\x1b[1mA  B\x1b[0m\n1  2\n"
			}
			if got := h.out.String(); got != want {
				t.Errorf("NO_COLOR %q, CLICOLOR_FORCE %q: got %q, want %q", tt.no, tt.force, got, want)
			}
			if got := strings.Contains(terminal.Name(&h.errOut, "palate:"), "\x1b"); got != tt.want {
				t.Errorf("NO_COLOR %q, CLICOLOR_FORCE %q: the name stands out: %v", tt.no, tt.force, got)
			}
		}
	}
}

// broken takes so many bytes and then fails.
type broken struct{ room int }

func (b *broken) Write(p []byte) (int, error) {
	if b.room -= len(p); b.room < 0 {
		return 0, errors.New("no space left")
	}
	return len(p), nil
}

func TestAWriteThatFailedIsRemembered(t *testing.T) {
	w := terminal.NewWriter(&broken{room: 4})
	h := terminal.New(w, new(bytes.Buffer), terminal.Style{})
	h.Say("one")
	if w.Err() != nil {
		t.Fatal(w.Err())
	}
	h.Say("two")
	if w.Err() == nil {
		t.Error("a write that failed is forgotten")
	}
}
