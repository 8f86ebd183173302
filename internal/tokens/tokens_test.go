package tokens_test

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/tokens"
)

// clock is a time that a test moves.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

func newStore(t *testing.T) (*tokens.Store, *clock, string) {
	t.Helper()
	c := &clock{time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	dir := t.TempDir()
	return tokens.In(dir, c.now), c, dir
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestATokenOpensUntilItIsRevokedOrHasExpired(t *testing.T) {
	s, clock, dir := newStore(t)
	if _, err := s.Open("palate_token_x", tokens.Program); !errors.Is(err, palate.ErrUnauthenticated) {
		t.Errorf("without any token: got %v", err)
	}
	lasting, secret, err := s.Create(t.Context(), tokens.Wish{Name: "phone", Scope: tokens.Rate, Profiles: []string{"ada"}})
	must(t, err)
	_, hour, err := s.Create(t.Context(), tokens.Wish{Name: "guest", Scope: tokens.Read, For: time.Hour})
	must(t, err)
	got, err := s.Open(secret, tokens.Program)
	if err != nil || got.ID != lasting.ID {
		t.Fatalf("got %+v, %v", got, err)
	}
	if c := got.Caller(); c.Manages || c.LooksOnly || c.AnyProfile || !c.May("ada") || c.May("me") {
		t.Errorf("got the caller %+v", c)
	}
	if got, err := s.Open(hour, tokens.Program); err != nil || !got.Caller().LooksOnly || !got.Caller().AnyProfile {
		t.Errorf("for an hour: got %+v, %v", got, err)
	}
	for name, err := range map[string]error{
		"a session's place": second(s.Open(secret, tokens.Browser)), "cut": second(s.Open(secret[:len(secret)-1], tokens.Program)), "nothing": second(s.Open("", tokens.Program)),
	} {
		if !errors.Is(err, palate.ErrUnauthenticated) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	clock.at = clock.at.Add(time.Hour)
	if _, err := s.Open(hour, tokens.Program); !errors.Is(err, palate.ErrUnauthenticated) {
		t.Errorf("an hour later: got %v", err)
	}
	if list, err := s.List(); err != nil || len(list) != 1 || list[0].Name != "phone" {
		t.Errorf("got %+v, %v", list, err)
	}
	// Another process revokes it.
	if _, err := tokens.In(dir, clock.now).Revoke(t.Context(), "phone"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Open(secret, tokens.Program); !errors.Is(err, palate.ErrUnauthenticated) {
		t.Errorf("revoked: got %v", err)
	}
	if _, err := s.Revoke(t.Context(), "phone"); !errors.Is(err, palate.ErrNotFound) {
		t.Errorf("revoked twice: got %v", err)
	}
}

func second[T any](_ T, err error) error { return err }

func TestALinkSignsInOnce(t *testing.T) {
	s, clock, _ := newStore(t)
	unused, err := s.Invite(t.Context())
	must(t, err)
	link, err := s.Invite(t.Context())
	must(t, err)
	if _, err := s.SignIn(t.Context(), unused, ""); !errors.Is(err, palate.ErrUnauthenticated) {
		t.Errorf("a link before the last: got %v", err)
	}
	if _, err := s.Open(link, tokens.Link); !errors.Is(err, palate.ErrUnauthenticated) {
		t.Errorf("a link as a token: got %v", err)
	}
	session, err := s.SignIn(t.Context(), link, "Browser of "+strings.Repeat("long\n", 50))
	must(t, err)
	if got, err := s.Open(session, tokens.Browser); err != nil || !got.Caller().Manages || strings.Contains(got.Name, "\n") {
		t.Errorf("got %+v, %v", got, err)
	}
	for _, used := range []string{link, session, "", "x"} {
		if _, err := s.SignIn(t.Context(), used, ""); !errors.Is(err, palate.ErrUnauthenticated) {
			t.Errorf("%.14s again: got %v", used, err)
		}
	}
	late, err := s.Invite(t.Context())
	must(t, err)
	clock.at = clock.at.Add(tokens.LinkFor)
	if _, err := s.SignIn(t.Context(), late, ""); !errors.Is(err, palate.ErrUnauthenticated) {
		t.Errorf("a link that has expired: got %v", err)
	}
	clock.at = clock.at.Add(tokens.SessionFor)
	if _, err := s.Open(session, tokens.Browser); !errors.Is(err, palate.ErrUnauthenticated) {
		t.Errorf("a session that has expired: got %v", err)
	}
}

func TestASessionGoesWithItsToken(t *testing.T) {
	s, _, _ := newStore(t)
	token, secret, err := s.Create(t.Context(), tokens.Wish{Name: "ada", Scope: tokens.Rate, Profiles: []string{"ada"}, For: time.Hour})
	must(t, err)
	session, err := s.SignIn(t.Context(), secret, "")
	must(t, err)
	got, err := s.Open(session, tokens.Browser)
	if err != nil || got.Scope != tokens.Rate || len(got.Profiles) != 1 || !got.ExpiresAt.Equal(token.ExpiresAt) {
		t.Fatalf("got %+v, %v, want what the token has", got, err)
	}
	_, err = s.Revoke(t.Context(), token.ID)
	must(t, err)
	if _, err := s.Open(session, tokens.Browser); !errors.Is(err, palate.ErrUnauthenticated) {
		t.Errorf("got %v", err)
	}
}

func TestNoSecretIsKept(t *testing.T) {
	s, _, dir := newStore(t)
	_, secret, err := s.Create(t.Context(), tokens.Wish{Name: "phone", Scope: tokens.Admin})
	must(t, err)
	link, err := s.Invite(t.Context())
	must(t, err)
	session, err := s.SignIn(t.Context(), link, "")
	must(t, err)
	path := filepath.Join(dir, "tokens.json")
	content, err := os.ReadFile(path)
	must(t, err)
	for _, secret := range []string{secret, link, session} {
		if _, random, _ := strings.Cut(strings.TrimPrefix(secret, "palate_"), "_"); len(random) != 43 || strings.Contains(string(content), random) {
			t.Errorf("%s is in the file, or short", random)
		}
	}
	if info, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("got %v, %v, want it readable by its owner alone", info.Mode(), err)
	}
}

func TestWhatNoTokenCanBe(t *testing.T) {
	s, _, dir := newStore(t)
	_, _, err := s.Create(t.Context(), tokens.Wish{Name: "phone", Scope: tokens.Read})
	must(t, err)
	for name, wish := range map[string]tokens.Wish{
		"no name": {Scope: tokens.Read}, "two lines": {Name: "a\nb", Scope: tokens.Read}, "no scope": {Name: "a"}, "another scope": {Name: "a", Scope: "root"},
		"no profile": {Name: "a", Scope: tokens.Read, Profiles: []string{"A B"}}, "a time before": {Name: "a", Scope: tokens.Read, For: -1},
		"an admin of one profile": {Name: "a", Scope: tokens.Admin, Profiles: []string{"me"}},
	} {
		if _, _, err := s.Create(t.Context(), wish); !errors.Is(err, palate.ErrInvalid) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if _, _, err := s.Create(t.Context(), tokens.Wish{Name: "phone", Scope: tokens.Read}); !errors.Is(err, palate.ErrConflict) {
		t.Errorf("a name that is taken: got %v", err)
	}
	for name, content := range map[string]string{"newer": `{"version": 3, "tokens": []}`, "damaged": `{"version": 1, "tok`} {
		must(t, os.WriteFile(filepath.Join(dir, "tokens.json"), []byte(content), 0o600))
		if _, err := s.List(); !errors.Is(err, palate.ErrInvalid) {
			t.Errorf("%s: got %v", name, err)
		}
		if _, _, err := s.Create(t.Context(), tokens.Wish{Name: "b", Scope: tokens.Read}); !errors.Is(err, palate.ErrInvalid) {
			t.Errorf("%s: got %v for a new one", name, err)
		}
		if left, err := os.ReadFile(filepath.Join(dir, "tokens.json")); err != nil || string(left) != content {
			t.Errorf("%s: the file was changed", name)
		}
	}
}

// Several processes make tokens at once, and none is lost.
func TestNoTokenIsLostAmongProcesses(t *testing.T) {
	_, clock, dir := newStore(t)
	var wait sync.WaitGroup
	for i := range 8 {
		wait.Go(func() {
			if _, _, err := tokens.In(dir, clock.now).Create(t.Context(), tokens.Wish{Name: string(rune('a' + i)), Scope: tokens.Read}); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if list, err := tokens.In(dir, clock.now).List(); err != nil || len(list) != 8 {
		t.Errorf("got %d tokens, %v", len(list), err)
	}
}
