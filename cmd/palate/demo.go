package main

import (
	"context"
	"net"
	"os"

	"github.com/palate-art/palate/internal/collection"
	"github.com/palate-art/palate/internal/demo"
	"github.com/palate-art/palate/internal/settings"
	"github.com/palate-art/palate/internal/show"
)

type demoCommand struct {
	Once     bool   `help:"End after the report instead of serving the page."`
	Seed     int64  `help:"Draws the visitor's taste and ratings." default:"1"`
	Pictures int    `help:"Pictures in the museum." default:"420"`
	Ratings  int    `help:"Pictures that the visitor rates." default:"120"`
	Keep     bool   `help:"Use and keep the collection in --data, instead of a temporary one."`
	Addr     string `help:"Address to serve at." default:"127.0.0.1:${port}"`

	Host []string `help:"Further host name that requests may name, as for serve." placeholder:"NAME"`
	guardFlags
}

// Run does the whole job on the museum.
func (c *demoCommand) Run(ctx context.Context, s *session) error {
	profile, err := s.profile()
	if err != nil {
		return err
	}
	var listener net.Listener
	if !c.Once { // a port in use is told before the work, not after it
		if listener, err = net.Listen("tcp", c.Addr); err != nil {
			return err
		}
		defer listener.Close()
		if _, err := collection.HostsFor(listener.Addr(), c.Host); err != nil {
			return err
		}
		if _, err := c.guard().Asks(listener.Addr()); err != nil {
			return err
		}
	}
	if !c.Keep {
		if s.Data != settings.DataFolder() {
			s.Notef("Note: the demo's collection goes when it ends; --keep puts it into %s.", s.Data)
		}
		folder, err := os.MkdirTemp("", "palate-demo-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(folder)
		s.Data, s.temporary = folder, true
	}
	h, err := openHome(ctx, s)
	if err != nil {
		return err
	}
	defer h.Close()
	d := demo.New(h, demo.Config{Pictures: c.Pictures, Version: version(), Visit: demo.Visit{Profile: profile, Ratings: c.Ratings, Seed: c.Seed}})
	defer d.Close()
	report, err := d.Run(ctx)
	if err != nil {
		return err
	}
	if err := show.Demo(s.Terminal, report); err != nil || c.Once {
		return err
	}
	return s.serve(ctx, d.Model, listener, serveOptions{hosts: c.Host, guard: c.guard()})
}
