package tokens

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/gofrs/flock"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/atomicfile"
	"github.com/palate-art/palate/internal/regular"
)

const (
	fileName = "tokens.json"
	lockName = "tokens.lock"
	version  = 2

	// withoutFeeds is the version of a file that an older palate reads: it
	// would let whoever has the address of a feed sign in by it.
	withoutFeeds = 1

	// maxFileBytes is beyond what many thousand tokens take.
	maxFileBytes = 16 << 20

	// maxSessions is how many browsers stay signed in; of more the oldest are
	// signed out.
	maxSessions = 1000

	// SessionFor is how long a browser stays signed in.
	SessionFor = 30 * 24 * time.Hour

	// LinkFor is how long a link lets a person sign in.
	LinkFor = time.Hour

	// maxFeeds is how many addresses the feed of a profile has; of more the
	// oldest hold no longer.
	maxFeeds = 20

	// lockFor is how long another process is waited for.
	lockFor = 10 * time.Second
)

// kept is a token as it lies in the file.
type kept struct {
	Token
	Hash string `json:"sha256"`
}

type file struct {
	Version int    `json:"version"`
	Tokens  []kept `json:"tokens"`
}

// Store is the file of one collection. It is safe for concurrent use, and
// several processes share it.
type Store struct {
	folder string
	now    func() time.Time

	mu     sync.Mutex
	seen   os.FileInfo // the file that byHash was read from; nil: there was none
	byHash map[string]Token
	read   bool
}

// In gives the store of the collection in a folder, by a clock; nil is the
// system's. Nothing is read or written yet.
func In(folder string, now func() time.Time) *Store {
	if now == nil {
		now = time.Now
	}
	return &Store{folder: folder, now: now}
}

func (s *Store) path() string { return filepath.Join(s.folder, fileName) }

// load reads the file.
func (s *Store) load() (file, error) {
	content, err := regular.ReadFile(s.path(), maxFileBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return file{Version: version}, nil
	}
	if err != nil {
		return file{}, fmt.Errorf("read the tokens: %w", err)
	}
	var all file
	if err := json.Unmarshal(content, &all); err != nil {
		return file{}, fmt.Errorf("%s is damaged; move it away, and make tokens anew: %w", s.path(), palate.ErrInvalid)
	}
	if all.Version < withoutFeeds || all.Version > version {
		return file{}, fmt.Errorf("%s is of version %d, and this palate reads versions up to %d: %w", s.path(), all.Version, version, palate.ErrInvalid)
	}
	return all, nil
}

// change lets edit change the tokens, one process at a time. What has expired
// goes.
func (s *Store) change(ctx context.Context, edit func(*file) error) error {
	lock := flock.New(filepath.Join(s.folder, lockName), flock.SetPermissions(0o600))
	ctx, cancel := context.WithTimeout(ctx, lockFor)
	defer cancel()
	if held, err := lock.TryLockContext(ctx, 10*time.Millisecond); err != nil || !held {
		return fmt.Errorf("the tokens are locked by another process, or can't be (%w): %w", err, palate.ErrUnavailable)
	}
	defer func() { _ = lock.Unlock() }() // the process's end frees it too
	all, err := s.load()
	if err != nil {
		return err
	}
	now := s.now()
	all.Tokens = slices.DeleteFunc(all.Tokens, func(t kept) bool { return t.expired(now) })
	if err := edit(&all); err != nil {
		return err
	}
	all.Version = withoutFeeds
	if slices.ContainsFunc(all.Tokens, func(t kept) bool { return t.Kind == Feed }) {
		all.Version = version
	}
	content, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return err
	}
	if err := atomicfile.WriteBytes(s.path(), 0o600, append(content, '\n')); err != nil {
		return fmt.Errorf("write the tokens: %w", err)
	}
	s.mu.Lock()
	s.read = false // whatever the clock of the files says
	s.mu.Unlock()
	return nil
}

func (t Token) expired(now time.Time) bool { return !t.ExpiresAt.IsZero() && !now.Before(t.ExpiresAt) }

// add makes a token of a kind and gives its secret, which nobody can give again.
func (s *Store) add(ctx context.Context, kind Kind, wish Wish, from string) (Token, string, error) {
	t, err := wish.token(kind, s.now())
	if err != nil {
		return Token{}, "", err
	}
	t.From = from
	secret, id := newSecret(kind)
	t.ID = id
	err = s.change(ctx, func(all *file) error {
		for _, other := range all.Tokens {
			if kind == Program && other.Kind == Program && other.Name == t.Name {
				return fmt.Errorf("there is a token called %q; revoke it, or take another name: %w", t.Name, palate.ErrConflict)
			}
		}
		all.Tokens = append(all.Tokens, kept{t, hashOf(secret)})
		if kind == Feed {
			all.Tokens = forgetFeeds(all.Tokens, t.Profiles[0])
		}
		return nil
	})
	if err != nil {
		return Token{}, "", err
	}
	return t, secret, nil
}

// Create makes a token for a program. Its secret is told here and nowhere else.
// ErrConflict if there is one of that name, ErrInvalid with all that is wrong.
func (s *Store) Create(ctx context.Context, wish Wish) (Token, string, error) {
	return s.add(ctx, Program, wish, "")
}

// Invite makes a link by which a person signs in once, within LinkFor, to do
// everything. Links that were not used hold no longer.
func (s *Store) Invite(ctx context.Context) (secret string, err error) {
	err = s.change(ctx, func(all *file) error {
		all.Tokens = slices.DeleteFunc(all.Tokens, func(t kept) bool { return t.Kind == Link })
		return nil
	})
	if err == nil {
		_, secret, err = s.add(ctx, Link, Wish{Name: "sign-in link", Scope: Admin, For: LinkFor}, "")
	}
	return secret, err
}

// SignIn makes a session of the secret of a link, which it uses up, or of a
// token. ErrUnauthenticated if the secret opens nothing.
func (s *Store) SignIn(ctx context.Context, secret, browser string) (session string, err error) {
	err = s.change(ctx, func(all *file) error {
		i := slices.IndexFunc(all.Tokens, func(t kept) bool { return t.Hash == hashOf(secret) })
		if i < 0 || all.Tokens[i].Kind != Link && all.Tokens[i].Kind != Program {
			return fmt.Errorf("the link or token is not valid, or not any more: %w", palate.ErrUnauthenticated)
		}
		by := all.Tokens[i].Token
		t, err := Wish{Name: "browser", Scope: by.Scope, For: SessionFor}.token(Browser, s.now())
		if err != nil {
			return err
		}
		t.Profiles = by.Profiles
		if by.Kind == Link {
			all.Tokens = slices.Delete(all.Tokens, i, i+1)
		} else {
			t.From = by.ID
			if !by.ExpiresAt.IsZero() && by.ExpiresAt.Before(t.ExpiresAt) {
				t.ExpiresAt = by.ExpiresAt
			}
		}
		if browser != "" {
			t.Name = shortened(browser)
		}
		session, t.ID = newSecret(Browser)
		all.Tokens = forgetSessions(append(all.Tokens, kept{t, hashOf(session)}))
		return nil
	})
	if err != nil {
		return "", err
	}
	return session, nil
}

// shortened is a name as a token may have it.
func shortened(name string) string {
	runes := []rune(name)
	for i, r := range runes {
		if r < ' ' || r == 0x7f {
			runes[i] = ' '
		}
	}
	return string(runes[:min(len(runes), 40)])
}

// forgetSessions leaves the newest.
func forgetSessions(all []kept) []kept {
	sessions := 0
	for _, t := range all {
		if t.Kind == Browser {
			sessions++
		}
	}
	return slices.DeleteFunc(all, func(t kept) bool {
		gone := t.Kind == Browser && sessions > maxSessions
		if gone {
			sessions--
		}
		return gone
	})
}

// Open gives what a secret opens, of a program or a browser. A link opens
// nothing but the way to sign in. ErrUnauthenticated if there is no such, or it
// has expired or was revoked.
func (s *Store) Open(secret string, kind Kind) (Token, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	info, err := os.Stat(s.path())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return Token{}, fmt.Errorf("read the tokens: %w", err)
	}
	if !s.read || !same(info, s.seen) {
		all, err := s.load()
		if err != nil {
			return Token{}, err
		}
		s.byHash = make(map[string]Token, len(all.Tokens))
		for _, t := range all.Tokens {
			s.byHash[t.Hash] = t.Token
		}
		s.seen, s.read = info, true
	}
	t, known := s.byHash[hashOf(secret)]
	if !known || t.Kind != kind || kind == Link || t.expired(s.now()) {
		return Token{}, fmt.Errorf("the %s is not valid, or not any more: %w", kind, palate.ErrUnauthenticated)
	}
	return t, nil
}

// same reports whether nothing was written between two looks at the file: a
// written one is another file.
func same(a, b os.FileInfo) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return os.SameFile(a, b) && a.ModTime().Equal(b.ModTime()) && a.Size() == b.Size()
}

// List gives all that hold, the oldest first.
func (s *Store) List() ([]Token, error) {
	all, err := s.load()
	var list []Token
	for _, t := range all.Tokens {
		if !t.expired(s.now()) {
			list = append(list, t.Token)
		}
	}
	return list, err
}

// Revoke takes a token or a session back, by its id, or a program's by its name, and with a
// token all sessions that came from it. ErrNotFound if there is none.
func (s *Store) Revoke(ctx context.Context, which string) (Token, error) {
	var revoked Token
	err := s.change(ctx, func(all *file) error {
		i := slices.IndexFunc(all.Tokens, func(t kept) bool { return t.ID == which || t.Kind == Program && t.Name == which })
		if i < 0 {
			return fmt.Errorf("token %q: %w", which, palate.ErrNotFound)
		}
		revoked = all.Tokens[i].Token
		all.Tokens = slices.DeleteFunc(all.Tokens, func(t kept) bool { return t.ID == revoked.ID || t.From == revoked.ID })
		return nil
	})
	return revoked, err
}
