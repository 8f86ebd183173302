// Package health asks a running server whether it is well, for whoever has no
// other client, as HEALTHCHECK in the image.
package health

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/api/client"
)

// patience is how long an answer is waited for.
const patience = 4 * time.Second

// Live asks the server at an address, as Address gives it, whether it lives.
// One that does not answer so within four seconds is palate.ErrUnavailable.
func Live(ctx context.Context, address string) (*client.Liveness, error) {
	api, ctx, cancel, err := reach(ctx, address)
	if err != nil {
		return nil, err
	}
	defer cancel()
	answer, err := api.GetLivenessWithResponse(ctx)
	if err != nil || answer.StatusCode() != http.StatusOK {
		return nil, notWell(address, answer, err)
	}
	return answer.JSON200, nil
}

// Ready asks the server whether what is read of it can be answered. One that
// is not ready is palate.ErrUnavailable, and the error says which part isn't.
func Ready(ctx context.Context, address string) (*client.Health, error) {
	api, ctx, cancel, err := reach(ctx, address)
	if err != nil {
		return nil, err
	}
	defer cancel()
	answer, err := api.GetReadinessWithResponse(ctx)
	if err != nil || answer.JSON200 == nil && answer.JSON503 == nil {
		return nil, notWell(address, answer, err)
	}
	if answer.JSON200 != nil {
		return answer.JSON200, nil
	}
	var why []string
	for _, part := range answer.JSON503.Parts {
		if !part.Ok && part.Detail != nil {
			why = append(why, part.Name+": "+*part.Detail)
		}
	}
	return answer.JSON503, fmt.Errorf("%s is not ready: %s: %w", address, strings.Join(why, "; "), palate.ErrUnavailable)
}

// reach makes the client. A proxy that the environment names is not what is
// asked for.
func reach(ctx context.Context, address string) (*client.ClientWithResponses, context.Context, func(), error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	api, err := client.NewClientWithResponses(address, client.WithHTTPClient(&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}))
	if err != nil {
		cancel()
		return nil, nil, nil, fmt.Errorf("%w: %w", err, palate.ErrInvalid)
	}
	return api, ctx, cancel, nil
}

func notWell(address string, answer interface{ StatusCode() int }, err error) error {
	if err != nil {
		return fmt.Errorf("no answer from %s; is palate serve running there? %w: %w", address, palate.ErrUnavailable, err)
	}
	return fmt.Errorf("%s answers with status %d, which is not palate's: %w", address, answer.StatusCode(), palate.ErrUnavailable)
}

// Address turns an address that a server listens at into one to ask: a server
// that listens everywhere is asked on loopback.
func Address(listens string) string {
	host, port, err := net.SplitHostPort(listens)
	if err != nil {
		return "http://" + listens
	}
	if ip, err := netip.ParseAddr(host); host == "" || err == nil && ip.IsUnspecified() {
		host = "127.0.0.1"
		if err == nil && ip.Is6() {
			host = "::1"
		}
	}
	return "http://" + net.JoinHostPort(host, port)
}
