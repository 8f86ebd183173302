package api

import (
	"embed"
	"errors"
	"html/template"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/tokens"
)

const (
	signInPath    = "/sign-in"
	signOutPath   = "/sign-out"
	sessionCookie = "palate_session"
)

//go:embed signin.html
var signInFiles embed.FS

var signInPage = template.Must(template.ParseFS(signInFiles, "signin.html"))

// signIn is what the page shows.
type signIn struct {
	Code     string // of a link; the person has to press the button alone
	Problem  string
	SignedIn bool
}

func (s *Server) showSignIn(c echo.Context, status int, shown signIn) error {
	h := c.Response().Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	h.Set("Cache-Control", "no-store")
	c.Response().WriteHeader(status)
	return signInPage.Execute(c.Response(), shown)
}

// askSignIn shows the form. A link is used up by the button and not by opening
// it: what looks at links before a person does must not use it.
func (s *Server) askSignIn(c echo.Context) error {
	if s.config.Accounts == nil {
		return c.Redirect(http.StatusSeeOther, "/")
	}
	_, err := s.sessionOf(c.Request())
	code := c.QueryParam("code")
	return s.showSignIn(c, http.StatusOK, signIn{Code: code, SignedIn: err == nil && code == ""})
}

// doSignIn makes a session of a link's code or a token.
func (s *Server) doSignIn(c echo.Context) error {
	if s.config.Accounts == nil {
		return c.Redirect(http.StatusSeeOther, "/")
	}
	r := c.Request()
	session, err := s.config.Accounts.SignIn(r.Context(), strings.TrimSpace(c.FormValue("secret")), r.UserAgent())
	if errors.Is(err, palate.ErrUnauthenticated) {
		if wait, ok := s.guesses.take(addressOf(r)); !ok {
			return s.tooMany(c, wait)
		}
		return s.showSignIn(c, http.StatusUnauthorized, signIn{
			Problem: "This link or token is not valid, or not any more. A link works once and for an hour; “palate token link” prints a new one."})
	}
	if err != nil {
		return err
	}
	s.setSession(c, session, int(tokens.SessionFor.Seconds()))
	return c.Redirect(http.StatusSeeOther, "/")
}

// doSignOut ends the session of a browser.
func (s *Server) doSignOut(c echo.Context) error {
	if s.config.Accounts == nil {
		return c.Redirect(http.StatusSeeOther, "/")
	}
	if t, err := s.sessionOf(c.Request()); err == nil {
		if _, err := s.config.Accounts.Revoke(c.Request().Context(), t.ID); err != nil && !errors.Is(err, palate.ErrNotFound) {
			return err
		}
	}
	s.setSession(c, "", -1)
	return c.Redirect(http.StatusSeeOther, signInPath)
}

// setSession gives the browser its session, for the page alone: no script
// reads it, and no other site's form sends it.
func (s *Server) setSession(c echo.Context, value string, seconds int) {
	r := c.Request()
	c.SetCookie(&http.Cookie{Name: sessionCookie, Value: value, Path: "/", MaxAge: seconds, HttpOnly: true, SameSite: http.SameSiteLaxMode,
		Secure: cameByTLS(r)})
}

// cameByTLS reports whether the caller has asked by https, perhaps a proxy.
func cameByTLS(r *http.Request) bool {
	return r.TLS != nil || strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https")
}
