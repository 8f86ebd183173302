package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// mostInFlight bounds an open load: a server that falls so far behind is
// overloaded, and the measurement says so.
const mostInFlight = 1024

// request gives one request of an operation.
type request func(*rand.Rand) (method, path, body string)

// client asks one server.
type client struct {
	base string
	http *http.Client
}

func newClient(base string) *client {
	return &client{base, &http.Client{Transport: &http.Transport{MaxIdleConns: mostInFlight, MaxIdleConnsPerHost: mostInFlight}, Timeout: time.Minute}}
}

// ask sends a request as a browser does, that takes gzip, and gives the answer
// as it came.
func (c *client) ask(ctx context.Context, method, path, body string) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, method, c.base+path, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Accept-Encoding", "gzip")
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	answer, err := c.http.Do(r)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	content, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode >= 300 {
		err = fmt.Errorf("%s %s: %s", method, path, answer.Status)
	}
	return content, err
}

// closed lets clients ask one request after another, and gives how many answers
// a second they got.
func (c *client) closed(ctx context.Context, ask request, clients int, part time.Duration, seed uint64) (perSecond float64, err error) {
	group, ctx := errgroup.WithContext(ctx)
	counts := make([]int, clients)
	begun := time.Now()
	for i := range clients {
		group.Go(func() error {
			random := rand.New(rand.NewPCG(seed, uint64(i)))
			for time.Since(begun) < part {
				method, path, body := ask(random)
				if _, err := c.ask(ctx, method, path, body); err != nil {
					return err
				}
				counts[i]++
			}
			return nil
		})
	}
	err = group.Wait()
	total := 0
	for _, n := range counts {
		total += n
	}
	return float64(total) / time.Since(begun).Seconds(), err
}

// load is what an open load came to.
type load struct {
	answers       int
	p50, p99      time.Duration
	cpuPerRequest time.Duration
	bytes         int // of the median answer
}

// errBehind is what a load ends with that the server does not keep up with.
var errBehind = errors.New("the server does not keep up")

// open asks at a rate by chance (a Poisson process), whatever comes back; an
// answer's time counts from when it was due.
func (c *client) open(ctx context.Context, ask request, perSecond float64, part time.Duration, seed uint64) (load, error) {
	random := rand.New(rand.NewPCG(seed, 1))
	before, err := c.used(ctx, false)
	if err != nil {
		return load{}, err
	}
	var mu sync.Mutex
	var times []time.Duration
	var sizes []int
	group, asking := errgroup.WithContext(ctx)
	group.SetLimit(mostInFlight)
	begun := time.Now()
	for due := time.Duration(0); due < part; due += time.Duration(random.ExpFloat64() / perSecond * float64(time.Second)) {
		time.Sleep(time.Until(begun.Add(due)))
		if asking.Err() != nil {
			break
		}
		method, path, body := ask(random)
		started := group.TryGo(func() error {
			content, err := c.ask(asking, method, path, body)
			took := time.Since(begun) - due
			mu.Lock()
			defer mu.Unlock()
			times, sizes = append(times, took), append(sizes, len(content))
			return err
		})
		if !started {
			_ = group.Wait() // they have nothing more to tell
			return load{}, fmt.Errorf("%d requests wait at %.0f a second: %w", mostInFlight, perSecond, errBehind)
		}
	}
	if err := group.Wait(); err != nil {
		return load{}, err
	}
	after, err := c.used(ctx, false)
	if err != nil {
		return load{}, err
	}
	return load{answers: len(times), p50: quantile(times, .5), p99: quantile(times, .99), bytes: quantile(sizes, .5),
		cpuPerRequest: (after.cpu - before.cpu) / time.Duration(len(times))}, nil
}

// quantile sorts.
func quantile[T ~int | ~int64 | ~float64](of []T, q float64) T {
	slices.Sort(of)
	return of[min(int(q*float64(len(of))), len(of)-1)]
}

// used asks what the server's process has used.
func (c *client) used(ctx context.Context, collect bool) (u used, err error) {
	path := "/bench/used"
	if collect {
		path += "?collect=1"
	}
	text, err := c.ask(ctx, http.MethodGet, path, "")
	if err != nil {
		return u, err
	}
	var cpu int64
	_, err = fmt.Sscanf(string(text), "%d %d %d", &cpu, &u.resident, &u.heap)
	u.cpu = time.Duration(cpu)
	return u, err
}
