package main

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

type healthCommand struct {
	Addr  string `help:"Address that the server listens at." default:"127.0.0.1:${port}"`
	Ready bool   `help:"Ask whether what is read can be answered, not only whether the server lives."`
}

// healthPatience is how long an answer is waited for.
const healthPatience = 4 * time.Second

// Run asks a running server, as HEALTHCHECK in the image does, which has no
// other client.
func (c *healthCommand) Run(ctx context.Context, s *session) error {
	ctx, cancel := context.WithTimeout(ctx, healthPatience)
	defer cancel()
	address := "http://" + reachable(c.Addr)
	// A proxy that the environment names is not what is asked for.
	api, err := client.NewClientWithResponses(address, client.WithHTTPClient(&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}))
	if err != nil {
		return usage(err)
	}
	if !c.Ready {
		answer, err := api.GetLivenessWithResponse(ctx)
		if err != nil || answer.StatusCode() != http.StatusOK {
			return notWell(address, answer, err)
		}
		return s.Done(answer.JSON200, "%s is alive", address)
	}
	answer, err := api.GetReadinessWithResponse(ctx)
	if err != nil || answer.JSON200 == nil && answer.JSON503 == nil {
		return notWell(address, answer, err)
	}
	if answer.JSON200 != nil {
		return s.Done(answer.JSON200, "%s is ready", address)
	}
	var why []string
	for _, part := range answer.JSON503.Parts {
		if !part.Ok && part.Detail != nil {
			why = append(why, part.Name+": "+*part.Detail)
		}
	}
	return fmt.Errorf("%s is not ready: %s: %w", address, strings.Join(why, "; "), palate.ErrUnavailable)
}

func notWell(address string, answer interface{ StatusCode() int }, err error) error {
	if err != nil {
		return fmt.Errorf("no answer from %s; is palate serve running there? %w: %w", address, palate.ErrUnavailable, err)
	}
	return fmt.Errorf("%s answers with status %d, which is not palate's: %w", address, answer.StatusCode(), palate.ErrUnavailable)
}

// reachable turns an address to listen at into one to ask: a server that
// listens everywhere is asked on loopback.
func reachable(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return addr
	}
	if ip, err := netip.ParseAddr(host); host == "" || err == nil && ip.IsUnspecified() {
		host = "127.0.0.1"
		if err == nil && ip.Is6() {
			host = "::1"
		}
	}
	return net.JoinHostPort(host, port)
}
