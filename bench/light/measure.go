package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"
)

// startPatience is how long a server may take to open a collection.
const startPatience = 2 * time.Minute

// server is a palate that serves.
type server struct {
	base string
	cmd  *exec.Cmd
}

// serve starts a server and waits until it answers.
func (o options) serve(ctx context.Context, binary, data string) (*server, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	address := listener.Addr().String()
	if err := listener.Close(); err != nil {
		return nil, err
	}
	s := &server{base: "http://" + address, cmd: o.command(ctx, binary, data, "serve", "--addr", address)}
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	for until := time.Now().Add(startPatience); time.Now().Before(until); time.Sleep(100 * time.Millisecond) {
		if _, err = s.get(ctx, "/v1/images?limit=1"); err == nil {
			return s, nil
		}
	}
	s.stop()
	return nil, fmt.Errorf("%s does not serve: %w", binary, err)
}

// stop ends the server, which may say that it was interrupted.
func (s *server) stop() {
	_ = s.cmd.Process.Signal(os.Interrupt)
	_ = s.cmd.Wait()
}

func (s *server) get(ctx context.Context, path string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.base+path, nil)
	if err != nil {
		return nil, err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(bufio.NewReader(answer.Body))
	if err = errors.Join(err, answer.Body.Close()); err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("GET %s: %s: %.200s", path, answer.Status, body)
	}
	return body, err
}

// measure asks both servers everything, in turns.
func (c *collection) measure(ctx context.Context) ([]measured, error) {
	copied := filepath.Join(c.o.folder, "new")
	if err := os.RemoveAll(copied); err != nil {
		return nil, err
	}
	if err := os.CopyFS(copied, os.DirFS(c.data)); err != nil {
		return nil, err
	}
	var servers [2]*server
	for i, of := range []struct{ binary, data string }{{c.o.old, c.data}, {c.o.new, copied}} {
		s, err := c.o.serve(ctx, of.binary, of.data)
		if err != nil {
			return nil, err
		}
		defer s.stop()
		servers[i] = s
	}
	requests := []struct{ name, path string }{
		{"page of 200 images", "/v1/images?limit=200&profile=me"},
		{"probe", "/v1/profiles/me/probe"},
		{"history of the probe", "/v1/profiles/me/probe/versions"},
		{"queue of 10", "/v1/profiles/me/queue?limit=10"},
		{"scores, the first 100", "/v1/profiles/me/scores?limit=100"},
	}
	var out []measured
	for _, r := range requests {
		m, err := c.compare(ctx, servers, r.name, [2]string{r.path, r.path})
		if err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	var deep [2]string
	for i, s := range servers {
		var err error
		if deep[i], err = s.deep(ctx, c.o.depth); err != nil {
			return nil, err
		}
	}
	m, err := c.compare(ctx, servers, fmt.Sprintf("scores, 100 behind the first %d", c.o.depth), deep)
	return append(out, m), err
}

// deep finds the request for the scores behind a depth.
func (s *server) deep(ctx context.Context, depth int) (path string, err error) {
	const first = "/v1/profiles/me/scores?limit=100"
	path = first
	for range depth / 100 {
		body, err := s.get(ctx, path)
		if err != nil {
			return "", err
		}
		var page struct {
			Next string `json:"next_cursor"`
		}
		if err := json.Unmarshal(body, &page); err != nil {
			return "", err
		}
		if page.Next == "" {
			return "", fmt.Errorf("the scores end before %d", depth)
		}
		path = first + "&cursor=" + url.QueryEscape(page.Next)
	}
	return path, nil
}

// compare gives the medians of requests that are made in turns.
func (c *collection) compare(ctx context.Context, servers [2]*server, name string, paths [2]string) (measured, error) {
	m := measured{Request: name}
	var took [2][]float64
	for round := range c.o.rounds + 2 { // two to warm up
		for i, s := range servers {
			began := time.Now()
			body, err := s.get(ctx, paths[i])
			if err != nil {
				return m, err
			}
			if round >= 2 {
				took[i] = append(took[i], float64(time.Since(began).Microseconds())/1000)
			}
			m.Bytes = len(body)
		}
	}
	m.OldMS, m.NewMS = median(took[0]), median(took[1])
	m.Ratio = m.OldMS / m.NewMS
	return m, nil
}

func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}
