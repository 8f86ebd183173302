// Package api serves palate's REST API and its page.
//
// openapi.yaml is the contract: the types, the routes and the client
// (api/client) are generated from it, requests are validated against it, and
// handlers answer by noun: images, search, ratings, scores, probe, jobs,
// server. Every error, whoever finds it, becomes a problem (RFC 9457) in
// problem.go, the one place that knows status codes.
//
// The package is the program's own: what it serves is made of parts that are
// internal. Another program talks to a running palate and imports api/client,
// or uses the packages below: embedder, index, probe, crawler.
package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/api/web"
	"github.com/palate-art/palate/embedder"
	"github.com/palate-art/palate/index"
	"github.com/palate-art/palate/internal/atlas"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/imagestore"
	"github.com/palate-art/palate/internal/ingest"
	"github.com/palate-art/palate/internal/starter"
	"github.com/palate-art/palate/internal/taste"
	"github.com/palate-art/palate/internal/tokens"
)

// Services are what the API answers from. All but Map, Starter and FreeSpace are needed.
type Services struct {
	Catalog    catalog.Catalog
	Store      imagestore.Store
	Collection *ingest.Collection
	Index      index.Index
	Follower   *ingest.Follower
	Embedder   embedder.Embedder
	Tastes     *taste.Tastes
	// Patches gives the model in a form that tells its patches, or
	// palate.ErrConflict where it has none.
	Patches func(context.Context) (embedder.PatchEmbedder, error)
	// HeatMaps says that the model tells its patches.
	HeatMaps bool
	// Map gives the map of what Embedder has embedded, or palate.ErrNotFound; nil
	// where there is none.
	Map func() (*atlas.Map, error)
	// Starter starts jobs; nil starts none.
	Starter *starter.Starter
	// FreeSpace tells how much room is on the collection's disk, if that is
	// known; nil if it never is.
	FreeSpace func() (bytes uint64, known bool)
}

// Config says how the API is served.
type Config struct {
	// Version of the program, for /v1/version.
	Version string

	// Hosts are the host names, lower-case and without a port, that requests
	// may name; others are refused, so that a foreign page can't reach the
	// server through a name of its own (DNS rebinding). The IP address that a
	// connection came in at may always be named.
	Hosts []string

	// Accounts are those who may come in: whoever asks shows a token, or has
	// signed in. If nil, everybody is palate.Anyone.
	Accounts *tokens.Store

	// OpenMetrics lets /metrics ask nobody who is there.
	OpenMetrics bool

	// Limits hold every caller to a pace; none by default.
	Limits Limits

	// Origins are other origins, such as https://art.example, whose pages may
	// ask (CORS). Their requests carry tokens and no cookies.
	Origins []string

	// MaxUploadBytes bounds the body of an upload.
	MaxUploadBytes int64

	// ShutdownTimeout is how long running requests are waited for; in its last
	// third their contexts are done.
	ShutdownTimeout time.Duration
}

// DefaultConfig suits a server on loopback.
func DefaultConfig() Config {
	return Config{
		Version:         "development",
		Hosts:           []string{"localhost", "127.0.0.1", "::1"},
		MaxUploadBytes:  65 << 20,
		ShutdownTimeout: 3 * time.Second,
	}
}

// Validate reports everything that is wrong.
func (c Config) Validate() error {
	var problems []error
	if len(c.Hosts) == 0 {
		problems = append(problems, fmt.Errorf("api: Hosts is empty, want the names that the server answers for: %w", palate.ErrInvalid))
	}
	if c.MaxUploadBytes <= 0 {
		problems = append(problems, fmt.Errorf("api: MaxUploadBytes is %d, want more than 0: %w", c.MaxUploadBytes, palate.ErrInvalid))
	}
	if c.ShutdownTimeout <= 0 {
		problems = append(problems, fmt.Errorf("api: ShutdownTimeout is %v, want more than 0: %w", c.ShutdownTimeout, palate.ErrInvalid))
	}
	if c.Limits != (Limits{}) && (c.Limits.PerSecond <= 0 || c.Limits.Burst <= 0) {
		problems = append(problems, fmt.Errorf("api: Limits are %+v, want more than 0 of each, or none: %w", c.Limits, palate.ErrInvalid))
	}
	for _, origin := range c.Origins {
		if err := http.NewCrossOriginProtection().AddTrustedOrigin(origin); err != nil || origin != strings.ToLower(origin) {
			problems = append(problems, fmt.Errorf("api: %q is no origin, want one such as https://art.example, in small letters and without a path: %w", origin, palate.ErrInvalid))
		}
	}
	return errors.Join(problems...)
}

// Server is the API and the page.
type Server struct {
	services Services
	config   Config
	logger   *slog.Logger
	handler  http.Handler
	version  string // of the contract
	writable writable
	pace     pace
	paces    *paces // of callers
	guesses  *paces // of who tries secrets

	snapshots *snapshots
	replays   *replays
	newcomers newcomers // of the map

	closing chan struct{} // closed when Run ends: streams end with it
}

// New builds the server; it starts nothing.
func New(services Services, config Config, logger *slog.Logger) (*Server, error) {
	if err := config.Validate(); err != nil {
		return nil, err
	}
	s := &Server{services: services, config: config, logger: logger, pace: usualPace, paces: newPaces(config.Limits), guesses: newPaces(guessing), snapshots: newSnapshots(), replays: newReplays(), closing: make(chan struct{})}
	document, err := contract()
	if err != nil {
		return nil, err
	}
	s.version = document.Info.Version
	validate, err := newValidator()
	if err != nil {
		return nil, err
	}
	meters := s.newMeters(document)
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.IPExtractor = echo.ExtractIPDirect()
	e.HTTPErrorHandler = s.handleError
	e.Use(middleware.RecoverWithConfig(middleware.RecoverConfig{
		DisableErrorHandler: true,
		LogErrorFunc: func(c echo.Context, err error, stack []byte) error {
			s.logger.ErrorContext(c.Request().Context(), "handler panicked", "path", c.Request().URL.Path, "error", err, "stack", string(stack))
			return err
		},
	}), withRequest, meters.measure, s.rights, validate, s.idempotent(document))
	RegisterHandlers(e, NewStrictHandler(s, nil))
	for _, file := range web.Files {
		e.GET(file.Path, echo.WrapHandler(file))
	}
	for path, file := range contractFiles(document) {
		e.GET(path, file)
	}
	e.GET(metricsPath, echo.WrapHandler(meters.handler()))
	e.GET(signInPath, s.askSignIn)
	e.POST(signInPath, s.doSignIn)
	e.POST(signOutPath, s.doSignOut)
	crossOrigin := http.NewCrossOriginProtection()
	crossOrigin.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		writeProblem(w, r, problemOf(http.StatusForbidden, "a page of another origin may not change anything here"))
	}))
	for _, origin := range config.Origins {
		if err := crossOrigin.AddTrustedOrigin(origin); err != nil {
			return nil, err // can't be: Validate has looked
		}
	}
	s.handler = secure(s.paceBodies(s.guardHost(s.allowOrigins(crossOrigin.Handler(s.boundBodies(answers(e)))))))
	return s, nil
}

// Handler serves the API and the page.
func (s *Server) Handler() http.Handler { return s.handler }

// Run serves on the listener, once, until ctx is done, then waits for the running
// requests. It closes the listener. An orderly end is nil.
func (s *Server) Run(ctx context.Context, listener net.Listener) error {
	base, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	server := &http.Server{
		Handler:           s.handler,
		ReadHeaderTimeout: s.pace.headers,
		IdleTimeout:       2 * time.Minute,
		BaseContext:       func(net.Listener) context.Context { return base },
		ErrorLog:          slog.NewLogLogger(s.logger.Handler(), slog.LevelWarn),
	}
	server.RegisterOnShutdown(func() { close(s.closing) })
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return fmt.Errorf("api: serve: %w", err)
	case <-ctx.Done():
	}
	// Most requests end by themselves; those that don't are told to end in
	// the last third of the time.
	late := time.AfterFunc(s.config.ShutdownTimeout*2/3, stop)
	defer late.Stop()
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.config.ShutdownTimeout)
	defer cancel()
	err := server.Shutdown(ending)
	if errors.Is(err, context.DeadlineExceeded) {
		err = server.Close()
	}
	<-failed
	return err
}

// guardHost refuses requests that name another host than this one.
func (s *Server) guardHost(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := r.Host
		if name, _, err := net.SplitHostPort(host); err == nil {
			host = name
		}
		if name := plainHost(host); !slices.Contains(s.config.Hosts, name) && !cameInAt(r, name) {
			writeProblem(w, r, problemOf(http.StatusMisdirectedRequest,
				fmt.Sprintf("this server does not answer for the host %q; it answers for %s", host, strings.Join(s.config.Hosts, ", "))))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// plainHost is a host as Config.Hosts has it.
func plainHost(host string) string {
	host = strings.TrimSuffix(strings.Trim(strings.ToLower(host), "[]"), ".")
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.Unmap().String()
	}
	return host
}

// cameInAt reports whether the host is the IP address at which the request's
// connection came in. No name leads there, so that no page can have moved it.
func cameInAt(r *http.Request, host string) bool {
	local, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
	return ok && plainHost(local.AddrPort().Addr().Unmap().WithZone("").String()) == host
}

type requestKey struct{}

// withRequest lets a strict handler see the request where it must: for Range
// and If-None-Match.
func withRequest(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		if requestOf(r.Context()) == nil { // else it is a HEAD, which answers sees to
			c.SetRequest(r.WithContext(context.WithValue(r.Context(), requestKey{}, r)))
		}
		return next(c)
	}
}

func requestOf(ctx context.Context) *http.Request {
	r, _ := ctx.Value(requestKey{}).(*http.Request)
	return r
}

// follow lets the index see what a handler has just written. The index may
// be out of reach: then what was written is kept all the same, and it catches
// up later.
func (s *Server) follow(ctx context.Context) {
	if err := s.services.Follower.Nudge(ctx); err != nil && ctx.Err() == nil {
		s.logger.WarnContext(ctx, "index did not follow", "error", err)
	}
}
