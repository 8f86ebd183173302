package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/api"
)

const (
	// defaultPort is where palate serves: 7-2-5-2-8-3 is "palate" on the
	// keys of a telephone.
	defaultPort = 7252

	// followEvery is how often the index looks for what other processes
	// wrote: they are seen within a second.
	followEvery = 250 * time.Millisecond

	// embedEvery is how often the server looks for images to embed.
	embedEvery = time.Second
)

type serveCommand struct {
	Addr    string   `help:"Address to listen at. The API has no accounts: keep it on loopback, or behind a proxy that asks who is there." default:"127.0.0.1:${port}"`
	Host    []string `help:"Further host names that requests may name, as a proxy sends them."`
	NoEmbed bool     `help:"Leave embedding to another process."`
}

// Run serves until interrupted.
func (c *serveCommand) Run(ctx context.Context, s *session) error {
	listener, err := net.Listen("tcp", c.Addr)
	if err != nil {
		return err
	}
	defer listener.Close()
	h, err := openHome(ctx, s)
	if err != nil {
		return err
	}
	err = h.openModelToEmbed(ctx)
	if err == nil && !c.NoEmbed {
		err = h.tellInt8(ctx)
	}
	if err == nil {
		err = h.serve(ctx, listener, serveOptions{announce: true, hosts: c.Host, embed: !c.NoEmbed})
	}
	return errors.Join(err, h.close())
}

type serveOptions struct {
	announce bool
	hosts    []string
	embed    bool
}

// serve answers on the listener, and meanwhile follows the catalog, embeds
// what comes in and trains after new ratings, until ctx is done.
func (h *home) serve(ctx context.Context, listener net.Listener, options serveOptions) error {
	config := api.DefaultConfig()
	config.Version = version()
	config.Hosts = append(config.Hosts, options.hosts...)
	if address, ok := listener.Addr().(*net.TCPAddr); ok && !address.IP.IsLoopback() {
		config.Hosts = options.hosts // empty: whoever opened it to the network is reached by any name
	}
	server, err := api.New(api.Services{Catalog: h.catalog, Store: h.store, Collection: h.collection, Index: h.index,
		Follower: h.follower, Embedder: h.embedder, Tastes: h.tastes, Patches: h.patches}, config, h.session.logger)
	if err != nil {
		return err
	}
	if _, err := h.catalog.EndDeadRuns(ctx); err != nil {
		return err
	}
	if err := h.loadIndex(ctx); err != nil {
		return err
	}
	if options.announce {
		h.session.finishProgress()
		fmt.Fprintf(h.session.errOut, "Serving the page and the API at http://%s — interrupt (Ctrl-C) to stop.\n", listener.Addr())
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return server.Run(ctx, listener) })
	h.followCatalog(ctx, group.Go)
	group.Go(func() error { return h.tastes.Run(ctx) })
	group.Go(func() error { return h.keepTending(ctx) })
	group.Go(func() error { return h.keepNoting(ctx) })
	if options.embed {
		group.Go(func() error { return h.keepEmbedding(ctx) })
	}
	if err := group.Wait(); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// keepEmbedding embeds whatever comes into the collection, unless another
// process is at it.
func (h *home) keepEmbedding(ctx context.Context) error {
	pipeline, err := h.embedder.Pipeline(ctx)
	if err != nil {
		return err
	}
	tick := time.NewTicker(embedEvery)
	defer tick.Stop()
	for seen := uint64(0); ; {
		last, err := h.catalog.LastChange(ctx)
		if err == nil && last != seen {
			_, err = h.collection.EmbedPending(ctx, h.embedder, pipeline, nil)
			if err == nil {
				seen = last
			}
		}
		if err != nil && ctx.Err() == nil && !errors.Is(err, palate.ErrConflict) {
			h.session.logger.ErrorContext(ctx, "embedding failed; trying on", "error", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}
