package main

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/palate-art/palate/index"
	"github.com/palate-art/palate/index/qdrant"
)

// qdrantContenders fill a collection of their own on a server, and search it
// through its graph and exactly. drop deletes it. The server may still be
// building the graph when searches begin: give it time by --settle.
func qdrantContenders(ctx context.Context, address string, c *collection, settle time.Duration) (both []contender, took time.Duration, drop func() error, err error) {
	config, err := qdrant.ParseAddress(address)
	if err != nil {
		return nil, 0, nil, err
	}
	graph, err := qdrant.New(config, model, c.dim, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, 0, nil, err
	}
	drop = func() error { return errors.Join(graph.Drop(context.WithoutCancel(ctx)), graph.Close()) }
	defer func() {
		if err != nil {
			err = errors.Join(err, drop())
		}
	}()
	begin := time.Now()
	if err := graph.Clear(ctx); err != nil {
		return nil, 0, nil, err
	}
	for from := 0; from < c.points(); from += batch {
		points := make([]index.Point, 0, batch)
		for i := from; i < min(from+batch, c.points()); i++ {
			points = append(points, c.point(i))
		}
		if err := graph.Upsert(ctx, points); err != nil {
			return nil, 0, nil, err
		}
	}
	took = time.Since(begin)
	select {
	case <-time.After(settle):
	case <-ctx.Done():
		return nil, 0, nil, ctx.Err()
	}
	config.Exact = true
	exact, err := qdrant.New(config, model, c.dim, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, 0, nil, err
	}
	dropGraph := drop
	drop = func() error { return errors.Join(exact.Close(), dropGraph()) }
	return []contender{indexContender("qdrant", graph, index.Filter{}), indexContender("qdrant, exact", exact, index.Filter{})}, took, drop, nil
}
