package qdrant_test

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
	"github.com/palate-art/palate/index/qdrant"
	"github.com/palate-art/palate/index/qdrant/qdranttest"
)

const dim = 8

var (
	model      = palate.ModelID(strings.Repeat("a1", 32))
	otherModel = palate.ModelID(strings.Repeat("b2", 32))
	quiet      = slog.New(slog.DiscardHandler)
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// configFor leads to a server, with short waits.
func configFor(t testing.TB, address string, edits ...func(*qdrant.Config)) qdrant.Config {
	t.Helper()
	host, port, err := net.SplitHostPort(address)
	must(t, err)
	c := qdrant.DefaultConfig()
	c.Host, c.RetryWait = host, time.Millisecond
	c.Port, err = strconv.Atoi(port)
	must(t, err)
	for _, edit := range edits {
		edit(&c)
	}
	return c
}

func open(t testing.TB, c qdrant.Config, m palate.ModelID, dim int) *qdrant.Index {
	t.Helper()
	x, err := qdrant.New(c, m, dim, quiet)
	must(t, err)
	t.Cleanup(func() { must(t, x.Close()) })
	return x
}

// newIndex is an empty index on a stand-in.
func newIndex(t testing.TB, s *qdranttest.Server, edits ...func(*qdrant.Config)) *qdrant.Index {
	t.Helper()
	x := open(t, configFor(t, s.Address(), edits...), model, dim)
	must(t, x.Clear(t.Context()))
	return x
}

func id(n int) palate.ImageID {
	return palate.ImageID{0: byte(n >> 8), 1: byte(n), 6: 0x80, 8: 0x80, 15: byte(n)}
}

func randomEmbedding(r *rand.Rand, dim int) palate.Embedding {
	e := make(palate.Embedding, dim)
	var norm float64
	for i := range e {
		e[i] = float32(r.NormFloat64())
		norm += float64(e[i]) * float64(e[i])
	}
	for i := range e {
		e[i] /= float32(math.Sqrt(norm))
	}
	return e
}

func randomPoints(n int) []index.Point {
	r := rand.New(rand.NewPCG(1, uint64(n)))
	points := make([]index.Point, n)
	for i := range points {
		points[i] = index.Point{ID: id(i), Embedding: randomEmbedding(r, dim), Attributes: index.Attributes{
			Artists: []string{fmt.Sprintf("artist %d", i%7)}, Years: []int{1800 + i%200}}}
	}
	return points
}

// seen collects what a server was asked.
type seen struct {
	mu       sync.Mutex
	requests []request
}

type request struct {
	method   string
	message  proto.Message
	deadline bool
}

func observe(s *qdranttest.Server) *seen {
	o := new(seen)
	s.Observe(func(ctx context.Context, method string, message proto.Message) {
		_, deadline := ctx.Deadline()
		o.mu.Lock()
		defer o.mu.Unlock()
		o.requests = append(o.requests, request{method, message, deadline})
	})
	return o
}

// of gives the requests whose methods end so.
func (o *seen) of(end string) (requests []request) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, r := range o.requests {
		if strings.HasSuffix(r.method, end) {
			requests = append(requests, r)
		}
	}
	return requests
}
