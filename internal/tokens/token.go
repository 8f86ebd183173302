package tokens

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/palate-art/palate"
)

// Scope is how much its holder may do; each has what is before it.
type Scope string

const (
	Read  Scope = "read"  // look at everything of its profiles, and at the pictures
	Rate  Scope = "rate"  // say what these profiles like, and train them
	Admin Scope = "admin" // change the collection: pictures, profiles, jobs
)

// Kind is what a token is for.
type Kind string

const (
	Program Kind = "token"   // made by hand, for a program
	Browser Kind = "session" // made by signing in
	Link    Kind = "link"    // lets a person sign in once
	Feed    Kind = "feed"    // opens the feed of one profile and its pictures, in their addresses
)

// Token is what is kept of one of them.
type Token struct {
	ID        string           `json:"id"` // names it and opens nothing
	Kind      Kind             `json:"kind"`
	Name      string           `json:"name"`
	Scope     Scope            `json:"scope"`
	Profiles  []palate.Profile `json:"profiles,omitempty"` // none: all
	CreatedAt time.Time        `json:"created_at"`
	ExpiresAt time.Time        `json:"expires_at,omitzero"` // zero: never
	From      string           `json:"from,omitempty"`      // ID of the token that a session came from
}

// Caller is who comes in by the token.
func (t Token) Caller() palate.Caller {
	return palate.Caller{Name: t.ID, Manages: t.Scope == Admin, LooksOnly: t.Scope == Read, AnyProfile: len(t.Profiles) == 0, Profiles: t.Profiles}
}

// Wish is what a token is made for.
type Wish struct {
	Name     string
	Scope    Scope
	Profiles []string
	For      time.Duration // how long it holds; 0 is until it is revoked
}

// maxNameBytes bounds what a token is called.
const maxNameBytes = 200

// token gives what is asked for, or everything that is wrong with it.
func (w Wish) token(kind Kind, now time.Time) (Token, error) {
	t := Token{Kind: kind, Name: strings.TrimSpace(w.Name), Scope: w.Scope, CreatedAt: now.UTC().Truncate(time.Second)}
	var problems []error
	if t.Name == "" || len(t.Name) > maxNameBytes || !utf8.ValidString(t.Name) || strings.ContainsFunc(t.Name, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		problems = append(problems, fmt.Errorf("the name of a token is %q, want 1 to %d bytes on one line: %w", w.Name, maxNameBytes, palate.ErrInvalid))
	}
	if w.Scope != Read && w.Scope != Rate && w.Scope != Admin {
		problems = append(problems, fmt.Errorf("the scope is %q, want read, rate or admin: %w", w.Scope, palate.ErrInvalid))
	}
	if w.For < 0 {
		problems = append(problems, fmt.Errorf("a token can't hold for %v, want more than 0: %w", w.For, palate.ErrInvalid))
	} else if w.For > 0 {
		t.ExpiresAt = t.CreatedAt.Add(w.For)
	}
	for _, name := range w.Profiles {
		p, err := palate.ParseProfile(name)
		if problems = append(problems, err); err == nil {
			t.Profiles = append(t.Profiles, p)
		}
	}
	if w.Scope == Admin && len(w.Profiles) > 0 {
		problems = append(problems, fmt.Errorf("a token of the scope admin manages every profile; leave the profiles out, or give it rate: %w", palate.ErrInvalid))
	}
	return t, errors.Join(problems...)
}

// prefixes tell a person, and whoever looks for leaked secrets, what a secret is.
var prefixes = map[Kind]string{Program: "palate_token_", Browser: "palate_session_", Link: "palate_link_", Feed: "palate_feed_"}

// newSecret gives a secret and the id of what it opens.
func newSecret(kind Kind) (secret, id string) {
	var random [32]byte
	_, _ = rand.Read(random[:]) // never fails
	secret = prefixes[kind] + base64.RawURLEncoding.EncodeToString(random[:])
	_, _ = rand.Read(random[:4])
	return secret, hex.EncodeToString(random[:4])
}

func hashOf(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}
