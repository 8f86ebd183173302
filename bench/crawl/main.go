// Crawl measures how fast pictures come into a collection, with the catalog
// and the image store that palate uses, from a site on loopback that is a
// process of its own: JPEGs of 1024×768 on 20 pages, pace off.
//
// Usage: go run ./bench/crawl [--json] [--pictures n] [--rounds n]
//
// With --serve it only serves the site, for other crawlers to be measured on.
package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"image"
	"image/jpeg"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/palate-art/palate/crawler"
	"github.com/palate-art/palate/internal/catalog/sqlite"
	"github.com/palate-art/palate/internal/imagestore/disk"
	"github.com/palate-art/palate/internal/ingest"
	"github.com/palate-art/palate/internal/picture"
)

const pages = 20

type options struct {
	json, serve      bool
	pictures, rounds int
}

func main() {
	var o options
	flag.BoolVar(&o.json, "json", false, "print the result as JSON")
	flag.BoolVar(&o.serve, "serve", false, "serve the site alone, and print its address")
	flag.IntVar(&o.pictures, "pictures", 2000, "pictures of the site")
	flag.IntVar(&o.rounds, "rounds", 3, "how often the site is crawled")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "bench/crawl:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) error {
	if o.serve {
		return serve(ctx, o.pictures)
	}
	site := exec.CommandContext(ctx, os.Args[0], "--serve", "--pictures", fmt.Sprint(o.pictures))
	out, err := site.StdoutPipe()
	if err != nil {
		return err
	}
	if err := site.Start(); err != nil {
		return err
	}
	defer func() { _ = site.Process.Kill(); _ = site.Wait() }()
	var address string
	if _, err := fmt.Fscanln(out, &address); err != nil {
		return fmt.Errorf("the site did not tell its address: %w", err)
	}
	var rounds []round
	for range o.rounds {
		r, err := measure(ctx, address, o.pictures)
		if err != nil {
			return err
		}
		rounds = append(rounds, r)
		if !o.json {
			fmt.Printf("%d pictures in %.2f s: %.0f a second, %.2f ms of CPU each\n", r.Pictures, r.Seconds, r.PerSecond, r.CPUMillisecondsEach)
		}
	}
	slices.SortFunc(rounds, func(a, b round) int { return int(a.PerSecond - b.PerSecond) })
	if o.json {
		return json.NewEncoder(os.Stdout).Encode(map[string]any{"rounds": rounds, "median": rounds[len(rounds)/2]})
	}
	fmt.Printf("median %.0f pictures a second\n", rounds[len(rounds)/2].PerSecond)
	return nil
}

type round struct {
	Pictures            int     `json:"pictures"`
	Seconds             float64 `json:"seconds"`
	PerSecond           float64 `json:"pictures_per_second"`
	CPUMillisecondsEach float64 `json:"cpu_ms_per_picture"` // of the crawling process
}

func measure(ctx context.Context, address string, pictures int) (r round, err error) {
	folder, err := os.MkdirTemp("", "palate-bench-crawl-")
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	store, err := disk.Open(filepath.Join(folder, "images"))
	if err != nil {
		return r, err
	}
	catalog, err := sqlite.Open(ctx, filepath.Join(folder, "palate.db"), sqlite.DefaultConfig())
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, catalog.Close()) }()
	cfg := crawler.DefaultConfig()
	cfg.AllowNoContact = true
	cfg.Site, cfg.Workers = crawler.SiteLimits{Parallelism: 16}, 16
	c, err := crawler.New(cfg, catalog, ingest.NewCollection(catalog, store, picture.DefaultLimits()), crawler.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return r, err
	}
	began, before := time.Now(), cpu()
	report, err := c.Run(ctx, "bench", []crawler.Seed{{URL: "http://" + address + "/"}})
	if err != nil {
		return r, err
	}
	if report.Kept != pictures {
		return r, fmt.Errorf("kept %d of %d pictures: %v", report.Kept, pictures, report.Lost)
	}
	r = round{Pictures: pictures, Seconds: time.Since(began).Seconds()}
	r.PerSecond = float64(pictures) / r.Seconds
	r.CPUMillisecondsEach = (cpu() - before).Seconds() * 1000 / float64(pictures)
	return r, nil
}

// serve answers on a free port of loopback until ctx is done.
func serve(ctx context.Context, pictures int) error {
	file, err := draw()
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(listener.Addr())
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var n int
		switch {
		case r.URL.Path == "/":
			w.Header().Set("Content-Type", "text/html")
			for i := range pages {
				fmt.Fprintf(w, `<p><a href="/page/%d">page</a>`, i)
			}
		case strings.HasPrefix(r.URL.Path, "/page/"):
			_, _ = fmt.Sscanf(r.URL.Path, "/page/%d", &n)
			w.Header().Set("Content-Type", "text/html")
			for i := n; i < pictures; i += pages {
				fmt.Fprintf(w, `<figure><img src="/i/%d.jpg" alt="Work %d"></figure>`, i, i)
			}
		default:
			if _, err := fmt.Sscanf(r.URL.Path, "/i/%d.jpg", &n); err != nil {
				http.NotFound(w, r)
				return
			}
			w.Header().Set("Content-Type", "image/jpeg")
			_, _ = w.Write(numbered(file, n))
		}
	})}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// draw makes one JPEG of a photograph's size in bytes.
func draw() ([]byte, error) {
	m := image.NewRGBA(image.Rect(0, 0, 1024, 768))
	state := uint32(1)
	for i := range m.Pix {
		state = state*1664525 + 1013904223
		m.Pix[i] = uint8(i/4096+int(state>>29)*6) | 7
	}
	var out bytes.Buffer
	err := jpeg.Encode(&out, m, &jpeg.Options{Quality: 85})
	return out.Bytes(), err
}

// numbered is a file of its own: the same pixels with a comment behind the
// start marker.
func numbered(file []byte, n int) []byte {
	comment := []byte{0xff, 0xfe, 0, 6, 0, 0, 0, 0}
	binary.BigEndian.PutUint32(comment[4:], uint32(n))
	return slices.Concat(file[:2], comment, file[2:])
}
