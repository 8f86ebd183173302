package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/picture"
	"github.com/palate-art/palate/internal/taste"
	"github.com/palate-art/palate/probe"
)

// kinds are the problems by status: a stable name and a title.
var kinds = map[int]struct{ name, title string }{
	http.StatusBadRequest:                   {"invalid", "The request can't be used"},
	http.StatusUnauthorized:                 {"unauthenticated", "Say who you are"},
	http.StatusForbidden:                    {"forbidden", "This caller may not do it"},
	http.StatusNotFound:                     {"not-found", "There is no such thing"},
	http.StatusMethodNotAllowed:             {"method-not-allowed", "This address does not know the method"},
	http.StatusRequestTimeout:               {"timeout", "The body came too slowly"},
	http.StatusConflict:                     {"conflict", "The present state does not allow it"},
	http.StatusGone:                         {"gone", "The list has changed: begin again without a cursor"},
	http.StatusRequestEntityTooLarge:        {"too-large", "The body is too large"},
	http.StatusPreconditionFailed:           {"precondition", "The condition does not hold"},
	http.StatusUnsupportedMediaType:         {"media-type", "The body is of another kind"},
	http.StatusUnprocessableEntity:          {"key-reused", "The key was used for another request"},
	http.StatusRequestedRangeNotSatisfiable: {"range", "There is no such range"},
	http.StatusMisdirectedRequest:           {"host", "Another host is named"},
	http.StatusTooManyRequests:              {"too-many", "Too many requests"},
	http.StatusInternalServerError:          {"internal", "Something went wrong here"},
	http.StatusServiceUnavailable:           {"unavailable", "A part can't be reached now"},
}

func problemOf(status int, detail string) Problem {
	p := Problem{Type: "about:blank", Title: http.StatusText(status), Status: status}
	if kind, ok := kinds[status]; ok {
		p.Type, p.Title = "urn:palate:problem:"+kind.name, kind.title
	}
	if detail != "" {
		p.Detail = &detail
	}
	return p
}

// invalid carries every part of a request that breaks the contract.
type invalid struct {
	parts []part
}

type part struct{ detail, parameter, pointer string }

func (e *invalid) Error() string {
	texts := make([]string, len(e.parts))
	for i, p := range e.parts {
		texts[i] = p.detail
	}
	return strings.Join(texts, "; ")
}

func (e *invalid) Unwrap() error { return palate.ErrInvalid }

// invalidParameter says what is wrong with one parameter.
func invalidParameter(name, format string, args ...any) error {
	return &invalid{[]part{{detail: name + ": " + fmt.Sprintf(format, args...), parameter: name}}}
}

// statusOf gives the status of an error by its kind.
func statusOf(err error) int {
	var echoed *echo.HTTPError
	var tooLarge *http.MaxBytesError
	var missing *probe.NotEnoughError
	var picturesLimit *picture.LimitError
	switch {
	case errors.As(err, &tooLarge), errors.As(err, &picturesLimit) && picturesLimit.TooLarge():
		return http.StatusRequestEntityTooLarge
	case errors.Is(err, taste.ErrProbeChanged):
		return http.StatusGone
	case errors.As(err, &missing), errors.Is(err, palate.ErrConflict):
		return http.StatusConflict
	case errors.Is(err, palate.ErrUnauthenticated):
		return http.StatusUnauthorized
	case errors.Is(err, palate.ErrForbidden):
		return http.StatusForbidden
	case errors.Is(err, palate.ErrInvalid):
		return http.StatusBadRequest
	case errors.Is(err, palate.ErrNotFound):
		return http.StatusNotFound
	case errors.Is(err, palate.ErrUnavailable):
		return http.StatusServiceUnavailable
	case errors.As(err, &echoed):
		return echoed.Code
	}
	return http.StatusInternalServerError
}

// handleError turns whatever a handler, the router or a middleware returns
// into a problem.
func (s *Server) handleError(err error, c echo.Context) {
	r := c.Request()
	if c.Response().Committed {
		if r.Context().Err() == nil {
			s.logger.ErrorContext(r.Context(), "answer broke off", "method", r.Method, "path", r.URL.Path, "error", err)
			panic(http.ErrAbortHandler) // so that what was sent does not look whole
		}
		return
	}
	if errors.Is(err, context.Canceled) && r.Context().Err() != nil {
		return // the client has gone
	}
	status := statusOf(err)
	var detail string
	var tooLarge *http.MaxBytesError
	var echoed *echo.HTTPError
	var mistyped *json.UnmarshalTypeError
	switch {
	case errors.As(err, &mistyped): // what the contract leaves open and no number of Go's holds
		detail = fmt.Sprintf("body/%s: %s is not a value that this field can have", strings.ReplaceAll(mistyped.Field, ".", "/"), mistyped.Value)
	case status == http.StatusNotFound && !errors.Is(err, palate.ErrNotFound):
		detail = "nothing is served at " + r.URL.Path
	case status == http.StatusMethodNotAllowed:
		if allowed := c.Response().Header().Get("Allow"); strings.Contains(allowed, http.MethodGet) {
			c.Response().Header().Set("Allow", allowed+", "+http.MethodHead)
		}
		detail = r.Method + " is not known at " + r.URL.Path
	case status == http.StatusInternalServerError:
		// What went wrong inside is for the log, not for the caller.
		s.logger.ErrorContext(r.Context(), "request failed", "method", r.Method, "path", r.URL.Path, "error", err)
		detail = "the server's log says more"
	case errors.As(err, &echoed) && echoed.Internal == nil:
		detail = fmt.Sprint(echoed.Message)
	case errors.As(err, &tooLarge):
		detail = *tooLargeProblem(tooLarge.Limit).Detail
	default:
		detail = palate.Message(err)
	}
	p := problemOf(status, detail)
	var parts *invalid
	if errors.As(err, &parts) {
		p.Errors = partsOf(parts)
	}
	if status == http.StatusServiceUnavailable {
		c.Response().Header().Set("Retry-After", "5")
	}
	writeProblem(c.Response(), r, p)
}

func partsOf(e *invalid) *[]ProblemPart {
	list := make([]ProblemPart, len(e.parts))
	for i, p := range e.parts {
		list[i] = ProblemPart{Detail: p.detail, Parameter: optional(p.parameter), Pointer: optional(p.pointer)}
	}
	return &list
}

func writeProblem(w http.ResponseWriter, r *http.Request, p Problem) {
	p.Instance = optional(r.URL.Path)
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	if r.Method != http.MethodHead {
		// The client may have gone; there is nobody left to tell.
		_ = json.NewEncoder(w).Encode(p)
	}
}

// optional gives a pointer to v, or nil for the zero value.
func optional[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}

// valueOr gives what p points to, or fallback.
func valueOr[T any](p *T, fallback T) T {
	if p == nil {
		return fallback
	}
	return *p
}
