package main

import (
	"context"
	"strings"
	"time"

	"github.com/palate-art/palate/internal/collection"
	"github.com/palate-art/palate/internal/terminal"
	"github.com/palate-art/palate/internal/tokens"
)

type tokenCommand struct {
	Create createToken `cmd:"" help:"Make a token for a program; it is printed once."`
	List   listTokens  `cmd:"" help:"Tokens, and browsers that are signed in."`
	Revoke revokeToken `cmd:"" help:"Take a token back, or sign a browser out."`
	Link   linkToken   `cmd:"" help:"Print a link that signs a browser in, once and within an hour."`
}

type createToken struct {
	Name    string        `arg:"" help:"What it is called in lists, such as the program that has it."`
	Scope   string        `help:"What it may: read looks and searches, rate also speaks for profiles, admin changes the collection." enum:"read,rate,admin" default:"rate"`
	For     []string      `help:"Profile that it may use; may be repeated. All without it." placeholder:"PROFILE"`
	Expires time.Duration `help:"How long it holds, such as 720h; until it is revoked without it." placeholder:"DURATION"`
}

// Run makes a token.
func (c *createToken) Run(ctx context.Context, s *session) error {
	return s.withHome(ctx, func(h *collection.Collection) error {
		t, secret, err := h.Tokens().Create(ctx, tokens.Wish{Name: c.Name, Scope: tokens.Scope(c.Scope), Profiles: c.For, For: c.Expires})
		if err != nil {
			return err
		}
		s.Notef("It is kept nowhere and not shown again. Programs send it as Authorization: Bearer TOKEN.")
		return s.Done(struct {
			tokens.Token
			Secret string `json:"secret"`
		}{t, secret}, "%s", secret)
	})
}

type listTokens struct{}

// Run lists what lets somebody in.
func (c *listTokens) Run(ctx context.Context, s *session) error {
	return s.withHome(ctx, func(h *collection.Collection) error {
		list, err := h.Tokens().List()
		if err != nil {
			return err
		}
		return terminal.List(s.Terminal, list, "There is no token, and no browser is signed in: palate token create NAME, palate token link.", []string{"ID", "KIND", "NAME", "SCOPE", "PROFILES", "MADE", "UNTIL"}, func(t tokens.Token) []string {
			profiles, until := "all", "revoked"
			if len(t.Profiles) > 0 {
				names := make([]string, len(t.Profiles))
				for i, p := range t.Profiles {
					names[i] = string(p)
				}
				profiles = strings.Join(names, ", ")
			}
			if !t.ExpiresAt.IsZero() {
				until = t.ExpiresAt.Local().Format(time.DateTime)
			}
			return []string{t.ID, string(t.Kind), t.Name, string(t.Scope), profiles, t.CreatedAt.Local().Format(time.DateTime), until}
		})
	})
}

type revokeToken struct {
	Which string `arg:"" help:"ID, or the name of a token."`
}

// Run takes a token back; a running server refuses it from then on.
func (c *revokeToken) Run(ctx context.Context, s *session) error {
	return s.withHome(ctx, func(h *collection.Collection) error {
		t, err := h.Tokens().Revoke(ctx, c.Which)
		if err != nil {
			return err
		}
		return s.Done(map[string]string{"revoked": t.ID, "name": t.Name}, "%s (%s) opens nothing any more.", t.ID, t.Name)
	})
}

type linkToken struct {
	Addr string `help:"Address by which the server is reached." default:"127.0.0.1:${port}"`
}

// Run prints a link.
func (c *linkToken) Run(ctx context.Context, s *session) error {
	return s.withHome(ctx, func(h *collection.Collection) error {
		secret, err := h.Tokens().Invite(ctx)
		if err != nil {
			return err
		}
		link := collection.SignInLink(c.Addr, secret)
		return s.Done(map[string]string{"link": link}, "%s", link)
	})
}
