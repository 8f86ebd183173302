package tokens_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/tokens"
)

func TestTheKeyOfAFeedOpensNothingElse(t *testing.T) {
	s, _, dir := newStore(t)
	version := func() string {
		content, err := os.ReadFile(filepath.Join(dir, "tokens.json"))
		must(t, err)
		return string(content[:strings.IndexByte(string(content), ',')])
	}
	_, _, err := s.Create(t.Context(), tokens.Wish{Name: "phone", Scope: tokens.Read})
	must(t, err)
	if got := version(); !strings.HasSuffix(got, `"version": 1`) {
		t.Errorf("without a feed the file begins with %s, want what an older palate reads", got)
	}
	key, err := s.CreateFeed(t.Context(), "ada")
	must(t, err)
	if got := version(); !strings.HasSuffix(got, `"version": 2`) {
		t.Errorf("with a feed the file begins with %s: an older palate would let its reader sign in", got)
	}
	got, err := s.Open(key, tokens.Feed)
	must(t, err)
	if c := got.Caller(); c.Manages || !c.LooksOnly || !c.May("ada") || c.May("me") {
		t.Errorf("got the caller %+v", c)
	}
	for what, err := range map[string]error{"as a token": second(s.Open(key, tokens.Program)), "as a session": second(s.Open(key, tokens.Browser)),
		"to sign in": second(s.SignIn(t.Context(), key, "browser"))} {
		if !errors.Is(err, palate.ErrUnauthenticated) {
			t.Errorf("%s: got %v", what, err)
		}
	}
	if _, err := s.CreateFeed(t.Context(), "No profile"); !errors.Is(err, palate.ErrInvalid) {
		t.Errorf("a profile that can't be: got %v", err)
	}
}

func TestOfManyAddressesOfAFeedTheNewestHold(t *testing.T) {
	s, _, _ := newStore(t)
	other, err := s.CreateFeed(t.Context(), "me")
	must(t, err)
	var keys []string
	for range 22 {
		key, err := s.CreateFeed(t.Context(), "ada")
		must(t, err)
		keys = append(keys, key)
	}
	holds := func(key string) bool { return second(s.Open(key, tokens.Feed)) == nil }
	if i := slices.IndexFunc(keys, holds); i != 2 || !holds(keys[21]) || !holds(other) {
		t.Errorf("the first that holds is %d, want 2; the last holds: %v, another profile's: %v", i, holds(keys[21]), holds(other))
	}
	if n, err := s.RevokeFeeds(t.Context(), "ada"); n != 20 || err != nil || holds(keys[21]) || !holds(other) {
		t.Errorf("revoked %d, %v; the last holds: %v, another profile's: %v", n, err, holds(keys[21]), holds(other))
	}
}
