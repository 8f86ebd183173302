package api

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/palate-art/palate"
)

// open are the operations that nobody has to say who they are for: what an
// orchestrator asks.
var open = map[string]bool{"GetLiveness": true, "GetReadiness": true}

// identify puts who asks into the context, and refuses what only a caller who
// manages the collection may do. Which profile a request is about, and whether
// the caller may, is resolve's: no handler knows more of it.
func (s *Server) identify(next StrictHandlerFunc, operation string) StrictHandlerFunc {
	return func(c echo.Context, request any) (any, error) {
		if open[operation] {
			return next(c, request)
		}
		r := c.Request()
		caller := palate.Anyone
		if s.config.Authenticate != nil {
			var err error
			if caller, err = s.config.Authenticate(r); err != nil {
				return nil, err
			}
		}
		if manages(r.Method, c.Path()) && !caller.Manages {
			return nil, fmt.Errorf("only who manages the collection may do this: %w", palate.ErrForbidden)
		}
		c.SetRequest(r.WithContext(palate.WithCaller(r.Context(), caller)))
		return next(c, request)
	}
}

// manages reports whether a request changes the collection: all that change
// something do, but for what is said below one profile. A search is posted and
// changes nothing.
func manages(method, path string) bool {
	switch {
	case method == http.MethodGet, method == http.MethodHead, strings.HasPrefix(path, "/v1/search"):
		return false
	}
	return !strings.HasPrefix(path, "/v1/profiles/:profile/")
}

// resolve gives the profile of that name, if the caller may use it.
func resolve(ctx context.Context, name string) (palate.Profile, error) {
	p, err := palate.ParseProfile(name)
	if err == nil && !palate.CallerOf(ctx).May(p) {
		return "", fmt.Errorf("profile %s is not this caller's: %w", p, palate.ErrForbidden)
	}
	return p, err
}

// resolveOr is resolve where a request may name none.
func resolveOr(ctx context.Context, name *string) (palate.Profile, error) {
	if name != nil {
		return resolve(ctx, *name)
	}
	p, has := palate.CallerOf(ctx).Profile()
	if !has {
		return "", fmt.Errorf("this caller has no profile: %w", palate.ErrForbidden)
	}
	return p, nil
}
