package collection

import (
	"context"
	"fmt"
	"net"
	"strings"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/api"
	"github.com/palate-art/palate/internal/tokens"
)

// usualLimits hold every caller of a server beyond loopback to a pace that a
// person who flings through thousands of thumbnails does not reach.
var usualLimits = api.Limits{PerSecond: 200, Burst: 2000}

// Guard says whom a server lets in. The zero Guard lets everybody in on
// loopback, and beyond it who has signed in or has a token.
type Guard struct {
	Insecure    bool     // beyond loopback too, everybody comes in
	SignIn      bool     // on loopback too, nobody comes in who is not known
	Origins     []string // whose pages may ask, with tokens
	OpenMetrics bool     // /metrics asks nobody
}

// Tokens are those of the collection.
func (c *Collection) Tokens() *tokens.Store { return tokens.In(c.Folder(), nil) }

// Asks reports whether a server at the address asks who is there. Both at once
// is an AskedError.
func (g Guard) Asks(address net.Addr) (bool, error) {
	if g.Insecure && g.SignIn {
		return false, askedf("--insecure lets everybody in and --sign-in nobody who is not known; leave one out")
	}
	return g.SignIn || beyondLoopback(address) && !g.Insecure, nil
}

// Guard lets the server at an address ask who is there, as far as the guard
// says, and gives what to tell the person who started it. Where nobody could
// come in yet, that has a link to sign in by.
func (c *Collection) Guard(ctx context.Context, g Guard, config *api.Config, address net.Addr) (tell string, err error) {
	config.Origins, config.OpenMetrics = g.Origins, g.OpenMetrics
	if err := config.Validate(); err != nil {
		return "", askedf("%s", palate.Message(err))
	}
	asks, err := g.Asks(address)
	if err != nil || !asks {
		return "", err
	}
	config.Accounts, config.Limits = c.Tokens(), usualLimits
	known, err := config.Accounts.List()
	if err != nil {
		return "", err
	}
	for _, t := range known {
		if t.Kind == tokens.Program || t.Kind == tokens.Browser {
			return "Whoever asks must have signed in, or send a token: palate token link prints a link to sign in by, palate token create makes a token.", nil
		}
	}
	secret, err := config.Accounts.Invite(ctx)
	if err != nil {
		return "", fmt.Errorf("whoever asks must sign in, and the link for it can't be kept; --insecure lets everybody in without: %w", err)
	}
	return fmt.Sprintf(`This server asks who is there. Sign in by this link, once and within an hour:

    %s

From another machine, put the name or address of this one in the place of 127.0.0.1. "palate token link" prints a new link, "palate token create NAME" makes a token for a program.
Until now a server that listens beyond this machine asked nobody; --insecure lets everybody in as before.
It answers for %s; --host NAME adds a name.
`, SignInLink(Browsable(address), secret), strings.Join(config.Hosts, ", ")), nil
}

// SignInLink is the address at which a link's secret signs in.
func SignInLink(server, secret string) string {
	if !strings.Contains(server, "://") {
		server = "http://" + server
	}
	return strings.TrimSuffix(server, "/") + "/sign-in?code=" + secret
}
