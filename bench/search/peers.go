package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"
)

// peers is the running command in the folder of that name.
type peers struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

// startPeers builds the command, gives it the vectors and starts it.
func startPeers(ctx context.Context, c *collection, folder string) (*peers, error) {
	binary := filepath.Join(folder, "peers")
	build := exec.CommandContext(ctx, "go", "build", "-C", "bench/search/peers", "-o", binary, ".")
	build.Env = os.Environ()
	if runtime.GOARCH == "amd64" { // sqlite-vec is several times faster with it
		build.Env = append(build.Env, "CGO_CFLAGS=-O3 -mavx -DSQLITE_VEC_ENABLE_AVX")
	}
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build peers (run this in the repository's root): %w: %s", err, out)
	}
	path := filepath.Join(folder, "vectors")
	if err := writeVectors(path, c.vectors); err != nil {
		return nil, err
	}
	p := &peers{cmd: exec.CommandContext(ctx, binary, "--vectors", path, "--dim", fmt.Sprint(c.dim))}
	p.cmd.Stderr = os.Stderr
	var err error
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.out = bufio.NewReader(out)
	return p, p.cmd.Start()
}

func writeVectors(path string, vectors []float32) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	out := bufio.NewWriterSize(f, 1<<20)
	var raw [4]byte
	for _, v := range vectors {
		binary.LittleEndian.PutUint32(raw[:], math.Float32bits(v))
		if _, err := out.Write(raw[:]); err != nil {
			return errors.Join(err, f.Close())
		}
	}
	return errors.Join(out.Flush(), f.Close())
}

type peerRequest struct {
	Peer   string    `json:"peer"`
	Vector []float32 `json:"vector,omitempty"`
	K      int       `json:"k"`
}

func (p *peers) ask(q peerRequest) (rows []int, took time.Duration, err error) {
	line, err := json.Marshal(q)
	if err != nil {
		return nil, 0, err
	}
	if _, err := p.in.Write(append(line, '\n')); err != nil {
		return nil, 0, err
	}
	if line, err = p.out.ReadBytes('\n'); err != nil {
		return nil, 0, fmt.Errorf("peer %s: %w", q.Peer, err)
	}
	var a struct {
		Nanoseconds int64  `json:"ns"`
		Rows        []int  `json:"rows"`
		Error       string `json:"error"`
	}
	if err := json.Unmarshal(line, &a); err != nil {
		return nil, 0, err
	}
	if a.Error != "" {
		return nil, 0, fmt.Errorf("peer %s: %s", q.Peer, a.Error)
	}
	return a.Rows, time.Duration(a.Nanoseconds), nil
}

// contender gets a peer ready and makes a contender of it.
func (p *peers) contender(name string, every int) (contender, time.Duration, error) {
	_, took, err := p.ask(peerRequest{Peer: name})
	return contender{name, every, func(_ context.Context, q []float32, k int) ([]int, time.Duration, error) {
		return p.ask(peerRequest{Peer: name, Vector: q, K: k})
	}}, took, err
}

func (p *peers) stop() error {
	return errors.Join(p.in.Close(), p.cmd.Wait())
}
