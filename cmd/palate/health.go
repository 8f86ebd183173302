package main

import (
	"context"

	"github.com/palate-art/palate/internal/health"
)

type healthCommand struct {
	Addr  string `help:"Address that the server listens at." default:"127.0.0.1:${port}"`
	Ready bool   `help:"Ask whether what is read can be answered, not only whether the server lives."`
}

// Run asks a running server, as HEALTHCHECK in the image does.
func (c *healthCommand) Run(ctx context.Context, s *session) error {
	address := health.Address(c.Addr)
	if c.Ready {
		answer, err := health.Ready(ctx, address)
		if err != nil {
			return err
		}
		return s.Done(answer, "%s is ready", address)
	}
	answer, err := health.Live(ctx, address)
	if err != nil {
		return err
	}
	return s.Done(answer, "%s is alive", address)
}
