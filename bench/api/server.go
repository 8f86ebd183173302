package main

import (
	"context"
	"errors"
	"fmt"
	"image"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/api"
	"github.com/palate-art/palate/embedder"
	"github.com/palate-art/palate/index/flat"
	"github.com/palate-art/palate/internal/catalog/sqlite"
	"github.com/palate-art/palate/internal/imagestore/disk"
	"github.com/palate-art/palate/internal/ingest"
	"github.com/palate-art/palate/internal/picture"
	"github.com/palate-art/palate/internal/taste"
)

// still is the model of the collection. Nothing is embedded in this benchmark.
type still struct{ dim int }

var errStill = errors.New("this benchmark embeds nothing")

func (still) Prepare(image.Image) (embedder.Input, error) { return embedder.Input{}, errStill }
func (still) Embed(context.Context, []embedder.Input) ([]palate.Embedding, error) {
	return nil, errStill
}
func (still) Reading() picture.Reading { return picture.Reading{} }
func (s still) Dim() int               { return s.dim }
func (still) Model() palate.ModelID    { return model }
func (still) Name() string             { return "bench" }
func (still) Provider() string         { return "cpu" }

// serve serves a collection on loopback until it is interrupted, and prints its
// address. Beside the API there are a static file of any size, what the process
// has used, and Go's profiler.
func serve(ctx context.Context, folder string) (err error) {
	quiet := slog.New(slog.DiscardHandler)
	c, err := sqlite.Open(ctx, filepath.Join(folder, catalogDB), sqlite.DefaultConfig())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	models, err := c.Models(ctx)
	if err != nil || len(models) != 1 {
		return fmt.Errorf("want one model in %s: %w", folder, err)
	}
	store, err := disk.Open(filepath.Join(folder, "images"))
	if err != nil {
		return err
	}
	ix, err := flat.New(model, models[0].Dim)
	if err != nil {
		return err
	}
	follower := ingest.NewFollower(c, ix, "", quiet)
	if _, err := follower.CatchUp(ctx); err != nil {
		return err
	}
	tasteConfig := taste.DefaultConfig()
	tasteConfig.RetrainAfter = 0
	tastes, err := taste.New(c, ix, tasteConfig, quiet)
	if err != nil {
		return err
	}
	server, err := api.New(api.Services{Catalog: c, Store: store, Collection: ingest.NewCollection(c, store, picture.DefaultLimits()), Index: ix,
		Follower: follower, Embedder: still{models[0].Dim}, Tastes: tastes}, api.DefaultConfig(), quiet)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("/", server.Handler())
	mux.HandleFunc("/bench/static/{bytes}", func(w http.ResponseWriter, r *http.Request) { sendFile(w, r, folder) })
	mux.HandleFunc("/bench/used", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Has("collect") {
			runtime.GC()
		}
		u := usedByThis()
		fmt.Fprintf(w, "%d %d %d", u.cpu, u.resident, u.heap)
	})
	mux.HandleFunc("/bench/profile", pprof.Profile)
	web := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	fmt.Println("http://" + listener.Addr().String())
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return tastes.Run(ctx) })
	group.Go(func() error {
		if err := web.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	group.Go(func() error { <-ctx.Done(); return web.Close() })
	if err := group.Wait(); err != nil && ctx.Err() == nil {
		return err
	}
	return nil
}

// sendFile sends a file of that many bytes, as a web server sends one.
func sendFile(w http.ResponseWriter, r *http.Request, folder string) {
	n, err := strconv.Atoi(r.PathValue("bytes"))
	if err != nil || n < 0 || n > 64<<20 {
		http.Error(w, "no such size", http.StatusBadRequest)
		return
	}
	name := filepath.Join(folder, fmt.Sprintf("static-%d.bin", n))
	if _, err := os.Stat(name); err != nil {
		if err := os.WriteFile(name, make([]byte, n), 0o600); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
	}
	http.ServeFile(w, r, name)
}

// used is what a process has used so far.
type used struct {
	cpu            time.Duration
	resident, heap int64 // bytes
}
