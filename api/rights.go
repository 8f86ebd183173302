package api

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/tokens"
)

// right is what a request needs of its caller.
type right int

const (
	open    right = iota // nothing: nobody is asked
	looks                // to look
	rates                // to speak for a profile
	manages              // to change the collection
)

const metricsPath = "/metrics"

// rightOf is the one table of what may be done by whom: by method and route.
// Which profile a request is about, and whether the caller may, is resolve's:
// no handler knows more of it. A route that is not here needs the most.
func (s *Server) rightOf(method, route string) right {
	reads := method == http.MethodGet || method == http.MethodHead
	switch {
	case route == "/healthz", route == "/readyz", route == signInPath, route == signOutPath:
		return open
	case route == metricsPath:
		if s.config.OpenMetrics {
			return open
		}
		return looks
	case route == "/", route == "":
		return looks
	case !strings.HasPrefix(route, "/v1/") && reads:
		return open // the page's program and the contract, which tell nothing of the collection
	case route == "/v1/jobs/:job/log":
		return manages // it names folders and addresses
	case reads, strings.HasPrefix(route, "/v1/search"), route == "/v1/profiles/:profile/upload-score", route == "/v1/profiles/:profile/snapshots":
		return looks // a search is posted and changes nothing
	case strings.HasPrefix(route, "/v1/profiles/:profile/"):
		return rates
	}
	return manages
}

// rights puts who asks into the context, refuses what that caller may not do,
// and holds callers to their pace. It is the one place that does.
func (s *Server) rights(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		need := s.rightOf(r.Method, c.Path())
		if need == open {
			return next(c)
		}
		caller, err := s.callerOf(r, c.Path())
		if err != nil {
			return s.refuseStranger(c, err)
		}
		if wait, ok := s.paces.take(callerKey(caller, r)); !ok {
			return s.tooMany(c, wait)
		}
		switch {
		case need == manages && !caller.Manages:
			return fmt.Errorf("only who manages the collection may do this: %w", palate.ErrForbidden)
		case c.Path() == metricsPath && !caller.AnyProfile:
			return fmt.Errorf("the metrics tell of every profile, and this caller may know of some alone: %w", palate.ErrForbidden)
		case need == rates && caller.LooksOnly:
			return fmt.Errorf("this caller may look, and say nothing in a profile's name: %w", palate.ErrForbidden)
		}
		c.SetRequest(r.WithContext(palate.WithCaller(r.Context(), caller)))
		return next(c)
	}
}

// callerOf says who asks, by token or by session; for a feed and its pictures
// also by the key in the address, which opens nothing else.
func (s *Server) callerOf(r *http.Request, route string) (palate.Caller, error) {
	if s.config.Accounts == nil {
		return palate.Anyone, nil
	}
	if key := r.URL.Query().Get(feedKey); key != "" && isFeedRoute(route) {
		t, err := s.config.Accounts.Open(key, tokens.Feed)
		return t.Caller(), err
	}
	// Another kind of Authorization is for a proxy that stands before the server.
	if scheme, secret, _ := strings.Cut(r.Header.Get("Authorization"), " "); strings.EqualFold(scheme, "Bearer") {
		t, err := s.config.Accounts.Open(strings.TrimSpace(secret), tokens.Program)
		return t.Caller(), err
	}
	t, err := s.sessionOf(r)
	return t.Caller(), err
}

// isFeedRoute reports a route that the key of a feed opens.
func isFeedRoute(route string) bool { return route == feedRoute || route == feedPictureRoute }

// sessionOf gives the session of a browser. A request that may come from
// another page has none: not one that says so, and not one that changes
// something and does not say where it comes from, as every browser does.
func (s *Server) sessionOf(r *http.Request) (tokens.Token, error) {
	cookie, err := r.Cookie(sessionCookie)
	if err != nil {
		return tokens.Token{}, fmt.Errorf("this server asks who is there: sign in at %s, or send a token as Authorization: Bearer: %w", signInPath, palate.ErrUnauthenticated)
	}
	origin, site := r.Header.Get("Origin"), r.Header.Get("Sec-Fetch-Site")
	safe := r.Method == http.MethodGet || r.Method == http.MethodHead
	if origin != "" && !sameHost(origin, r.Host) || origin == "" && site == "" && !safe {
		return tokens.Token{}, fmt.Errorf("a session is for the server's own page; other programs send a token: %w", palate.ErrUnauthenticated)
	}
	return s.config.Accounts.Open(cookie.Value, tokens.Browser)
}

// sameHost reports whether an Origin is of this host, by whichever scheme: a
// proxy may have taken TLS away.
func sameHost(origin, host string) bool {
	u, err := url.Parse(origin)
	return err == nil && strings.EqualFold(u.Host, host)
}

// callerKey names whom a pace is kept for.
func callerKey(caller palate.Caller, r *http.Request) string {
	if caller.Name != "" {
		return "token " + caller.Name
	}
	return "address " + addressOf(r)
}

func addressOf(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// refuseStranger answers who is not known: a person is shown where to sign in,
// a program is told. Who tries many secrets is told to wait.
func (s *Server) refuseStranger(c echo.Context, err error) error {
	r := c.Request()
	if !errors.Is(err, palate.ErrUnauthenticated) {
		return err
	}
	if c.Path() == "/" {
		return c.Redirect(http.StatusSeeOther, signInPath)
	}
	if r.Header.Get("Authorization") != "" || len(r.CookiesNamed(sessionCookie)) > 0 || isFeedRoute(c.Path()) && r.URL.Query().Has(feedKey) {
		if wait, ok := s.guesses.take(addressOf(r)); !ok {
			return s.tooMany(c, wait)
		}
	}
	c.Response().Header().Set("WWW-Authenticate", `Bearer realm="palate"`)
	return err
}

// secure says of every answer what a browser must not do with it. The page says
// more of itself.
func secure(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name, value := range map[string]string{
			"Content-Security-Policy":      "default-src 'none'; frame-ancestors 'none'",
			"Cross-Origin-Opener-Policy":   "same-origin",
			"Cross-Origin-Resource-Policy": "same-origin",
			"Permissions-Policy":           "camera=(), geolocation=(), microphone=()",
			"Referrer-Policy":              "no-referrer",
			"X-Content-Type-Options":       "nosniff",
			"X-Frame-Options":              "DENY",
		} {
			w.Header().Set(name, value)
		}
		next.ServeHTTP(w, r)
	})
}

// allowOrigins lets pages of the listed origins ask, without their cookies.
func (s *Server) allowOrigins(next http.Handler) http.Handler {
	if len(s.config.Origins) == 0 {
		return next
	}
	allowed := map[string]bool{}
	for _, origin := range s.config.Origins {
		allowed[origin] = true
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header, origin := w.Header(), r.Header.Get("Origin")
		header.Add("Vary", "Origin")
		if allowed[origin] {
			header.Set("Access-Control-Allow-Origin", origin)
			header.Set("Access-Control-Expose-Headers", "Content-Disposition, Content-Range, ETag, Idempotent-Replayed, Location, Retry-After")
			header.Set("Cross-Origin-Resource-Policy", "cross-origin")
			if r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != "" {
				header.Set("Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, PATCH, DELETE")
				header.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Last-Event-ID, Range")
				header.Set("Access-Control-Max-Age", "600")
				w.WriteHeader(http.StatusNoContent)
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}
