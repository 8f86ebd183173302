package hub

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/palate-art/palate"
)

// Config says where the hub and its cache are. Begin with DefaultConfig.
type Config struct {
	// Endpoint is the hub's address, or a mirror's.
	Endpoint string
	// CacheDir is the hub's cache folder, shared with other programs. Empty
	// if the user's home is not known: then nothing is found or fetched.
	CacheDir string
	// Token is sent to the hub, and to no other host. Empty sends none.
	Token string
	// Offline forbids the network.
	Offline bool

	// ConnectTimeout bounds connecting to a host and the start of TLS,
	// StallTimeout the time without a byte.
	ConnectTimeout, StallTimeout time.Duration
	// Attempts is how often the same thing is tried that fails for a reason
	// that may pass (no connection, 408, 429, 5xx, a cut transfer). An
	// attempt that came further than all before starts the count again.
	Attempts int
	// Backoff is the wait before the second attempt; it doubles up to
	// MaxWait. A server that asks for a longer wait (Retry-After) than
	// MaxWait is given up.
	Backoff, MaxWait time.Duration

	// UserAgent names the program to the hub.
	UserAgent string
	// Progress, if not nil, hears of a download: done and total are bytes.
	// It is called from one goroutine at a time.
	Progress func(stage string, done, total int64)
	// Logger hears of attempts that failed.
	Logger *slog.Logger

	// Wait lets d pass, or returns ctx's error. Nil is the clock.
	Wait func(ctx context.Context, d time.Duration) error
	// Symlink makes a symbolic link. Nil is os.Symlink.
	Symlink func(old, new string) error
}

// DefaultEndpoint is the public hub.
const DefaultEndpoint = "https://huggingface.co"

// DefaultConfig is the public hub and the user's cache, without a token.
func DefaultConfig() Config {
	c := Config{
		Endpoint:       DefaultEndpoint,
		ConnectTimeout: 5 * time.Second,
		StallTimeout:   30 * time.Second,
		Attempts:       5,
		Backoff:        time.Second,
		MaxWait:        2 * time.Minute,
		UserAgent:      "palate",
	}
	if home, err := os.UserHomeDir(); err == nil {
		c.CacheDir = filepath.Join(home, ".cache", "huggingface", "hub")
	}
	return c
}

// ConfigFromEnv is DefaultConfig changed by the variables that every client of
// the hub honours: HF_ENDPOINT, HF_HOME, HF_HUB_CACHE, HF_TOKEN,
// HF_TOKEN_PATH and HF_HUB_OFFLINE. A token file that can't be read is as
// none.
func ConfigFromEnv() Config {
	c := DefaultConfig()
	if endpoint := os.Getenv("HF_ENDPOINT"); endpoint != "" {
		c.Endpoint = strings.TrimRight(endpoint, "/")
	}
	home := expandHome(os.Getenv("HF_HOME"))
	if home == "" && c.CacheDir != "" {
		home = filepath.Dir(c.CacheDir)
		if base := os.Getenv("XDG_CACHE_HOME"); base != "" {
			home = filepath.Join(base, "huggingface")
		}
	}
	if home != "" {
		c.CacheDir = absolute(filepath.Join(home, "hub"))
	}
	if dir := expandHome(os.Getenv("HF_HUB_CACHE")); dir != "" {
		c.CacheDir = absolute(dir)
	}
	c.Token = strings.TrimSpace(os.Getenv("HF_TOKEN"))
	if c.Token == "" {
		c.Token = tokenFromFile(home)
	}
	c.Offline = slices.Contains([]string{"1", "on", "yes", "true"}, strings.ToLower(os.Getenv("HF_HUB_OFFLINE")))
	return c
}

func tokenFromFile(home string) string {
	path := expandHome(os.Getenv("HF_TOKEN_PATH"))
	if path == "" && home != "" {
		path = filepath.Join(home, "token")
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}

// expandHome replaces a leading ~, which a shell leaves alone within quotes
// and a service file always.
func expandHome(path string) string {
	rest, found := strings.CutPrefix(path, "~")
	if !found || rest != "" && rest[0] != '/' && rest[0] != filepath.Separator {
		return path
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return path
	}
	return filepath.Join(home, rest)
}

func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}

// Validate reports everything that is wrong with c, as ErrInvalid.
func (c Config) Validate() error {
	var errs []error
	u, err := url.Parse(c.Endpoint)
	switch {
	case err != nil:
		errs = append(errs, fmt.Errorf("endpoint: %w", err))
	case u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		errs = append(errs, fmt.Errorf("endpoint %q is no http or https address", c.Endpoint))
	}
	if c.CacheDir != "" && !filepath.IsAbs(c.CacheDir) {
		errs = append(errs, fmt.Errorf("cache folder %q is not an absolute path", c.CacheDir))
	}
	if strings.ContainsFunc(c.Token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		errs = append(errs, errors.New("the token has characters that no token has"))
	}
	for _, t := range []struct {
		name  string
		value time.Duration
	}{{"connect time-out", c.ConnectTimeout}, {"stall time-out", c.StallTimeout}, {"backoff", c.Backoff}, {"longest wait", c.MaxWait}} {
		if t.value <= 0 {
			errs = append(errs, fmt.Errorf("%s %v is not positive", t.name, t.value))
		}
	}
	if c.Attempts < 1 {
		errs = append(errs, fmt.Errorf("attempts %d, want at least 1", c.Attempts))
	}
	if len(errs) > 0 {
		return fmt.Errorf("hub configuration: %w: %w", palate.ErrInvalid, errors.Join(errs...))
	}
	return nil
}
