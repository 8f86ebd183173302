package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/palate-art/palate/api"
	"github.com/palate-art/palate/internal/starter"
)

const (
	// defaultPort is where palate serves: 7-2-5-2-8-3 is "palate" on the
	// keys of a telephone.
	defaultPort = 7252

	// followAgain is how long after a failure the index tries to follow again.
	followAgain = time.Second

	// embedAgain is how long after a failure the server tries to embed again.
	embedAgain = 5 * time.Second
)

type serveCommand struct {
	Addr    string   `help:"Address to listen at. The API has no accounts: keep it on loopback, or behind a proxy that asks who is there." default:"127.0.0.1:${port}"`
	Host    []string `help:"Further host name that requests may name, such as the one that a proxy serves; may be repeated. The names of loopback always may be named, and beyond it this machine's addresses and name." placeholder:"NAME"`
	NoEmbed bool     `help:"Leave embedding to another process."`

	ImportRoot   []string `help:"Folder that the API may import from, with what is below it; none by default." placeholder:"DIR" type:"path"`
	Contact      string   `help:"Your e-mail address or page, which crawls that the API starts introduce themselves with; without it none is started." placeholder:"ADDRESS"`
	CrawlPrivate []string `help:"Host on a private address that crawls which the API starts may visit." placeholder:"HOST"`
}

// Run serves until interrupted.
func (c *serveCommand) Run(ctx context.Context, s *session) error {
	listener, err := net.Listen("tcp", c.Addr)
	if err != nil {
		return err
	}
	defer listener.Close()
	if _, err := hostsFor(listener.Addr(), c.Host); err != nil {
		return err
	}
	h, err := openHome(ctx, s)
	if err != nil {
		return err
	}
	err = h.openModelToEmbed(ctx)
	if err == nil && !c.NoEmbed {
		err = h.tellInt8(ctx)
	}
	if err == nil {
		err = h.serveOn(ctx, listener, serveOptions{announce: true, hosts: c.Host, embed: !c.NoEmbed, opened: c.opened()})
	}
	return errors.Join(err, h.close())
}

type serveOptions struct {
	announce bool
	hosts    []string
	embed    bool
	opened   starter.Config // what the API may start jobs on
}

// opened is what the flags open to whoever reaches the API.
func (c *serveCommand) opened() starter.Config {
	config := starter.DefaultConfig()
	config.ImportRoots = c.ImportRoot
	config.Crawler.Contact, config.Crawler.Version, config.Crawler.PrivateHosts = c.Contact, version(), c.CrawlPrivate
	return config
}

// serve answers on the listener, and meanwhile follows the catalog, embeds
// what comes in and trains after new ratings, until ctx is done, or until
// another model is to serve, which it then returns.
func (h *home) serve(ctx context.Context, listener net.Listener, options serveOptions) (next *home, err error) {
	config := api.DefaultConfig()
	config.Version = version()
	if config.Hosts, err = hostsFor(listener.Addr(), options.hosts); err != nil {
		return nil, err
	}
	jobs := starter.New(starter.Parts{Catalog: h.catalog, Collection: h.collection, Embedder: h.embedder, Pipeline: h.embedder.Pipeline,
		Follower: h.follower, Tastes: h.tastes}, options.opened, h.session.logger)
	server, err := api.New(api.Services{Catalog: h.catalog, Store: h.store, Collection: h.collection, Index: h.index,
		Follower: h.follower, Embedder: h.embedder, Tastes: h.tastes, Patches: h.patches, Starter: jobs}, config, h.session.logger)
	if err != nil {
		return nil, err
	}
	if h.readOnly() == nil {
		if _, err := h.catalog.EndDeadRuns(ctx); err != nil {
			return nil, err
		}
		if err := h.letGoOn(ctx); err != nil {
			return nil, err
		}
	}
	if err := h.loadIndex(ctx); err != nil {
		return nil, err
	}
	if options.announce {
		h.session.finishProgress()
		warnOfListening(h.session.logger, listener.Addr(), config.Hosts)
		fmt.Fprintf(h.session.errOut, "Serving the page and the API at %s — interrupt (Ctrl-C) to stop.\n", browsable(listener.Addr()))
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return server.Run(ctx, listener) })
	h.followCatalog(ctx, group.Go)
	group.Go(func() error { return h.tastes.Run(ctx) })
	group.Go(func() error { return jobs.Run(ctx) })
	group.Go(func() (err error) {
		if next, err = h.watchUpgrade(ctx, options.embed && h.readOnly() == nil); err == nil {
			err = errSwitched
		}
		return err
	})
	if h.readOnly() == nil {
		group.Go(func() error { return h.keepTending(ctx) })
		group.Go(func() error { return h.keepNoting(ctx) })
		group.Go(func() error { return h.keepSubscribed(ctx) })
	}
	if options.embed && h.readOnly() == nil {
		group.Go(func() error { return h.keepEmbedding(ctx) })
	}
	switch err := group.Wait(); {
	case errors.Is(err, errSwitched):
		return next, nil
	case err != nil && !errors.Is(err, context.Canceled):
		return nil, err
	}
	return nil, nil
}

// keepEmbedding embeds whatever comes into the collection, together with other
// processes that are at it. What fails again and again is logged once.
func (h *home) keepEmbedding(ctx context.Context) error {
	pipeline, err := h.embedder.Pipeline(ctx)
	if err != nil {
		return err
	}
	for failing := ""; ; {
		last, err := h.catalog.LastChange(ctx)
		if err == nil {
			_, err = h.collection.EmbedPending(ctx, h.embedder, pipeline, nil)
		}
		if err == nil {
			_, err = h.catalog.Wait(ctx, last)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err == nil {
			failing = ""
			continue
		}
		if text := err.Error(); text != failing {
			failing = text
			h.session.logger.ErrorContext(ctx, "embedding failed; trying on", "error", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(embedAgain):
		}
	}
}
