package main

import (
	"context"
	"errors"
	"os"

	"github.com/palate-art/palate/internal/museum"
)

type museumCommand struct {
	Addr      string `help:"Address to listen at." default:"127.0.0.1:0"`
	Pictures  int    `help:"Number of pictures." default:"420"`
	Seed      int64  `help:"Draws the pictures." default:"1"`
	AccessLog string `help:"Append every request to this file, as JSON lines." placeholder:"FILE" type:"path"`
}

// Run serves the museum until interrupted.
func (c *museumCommand) Run(ctx context.Context, s *session) error {
	config := museum.DefaultConfig()
	config.Pictures, config.Seed = c.Pictures, c.Seed
	if c.AccessLog != "" {
		log, err := os.OpenFile(c.AccessLog, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
		if err != nil {
			return err
		}
		defer log.Close()
		config.AccessLogWriter = log
	}
	m, err := museum.New(config)
	if err != nil {
		return usage(err)
	}
	stop, err := m.Start(c.Addr)
	if err != nil {
		return err
	}
	if err = s.Done(map[string]any{"addr": m.Addr(), "pictures": c.Pictures}, "The museum is at %s: palate crawl --museum %s", m.Addr(), m.Addr()); err == nil {
		<-ctx.Done()
	}
	return errors.Join(err, stop())
}
