package qdrant_test

import (
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/palate-art/palate/index"
	"github.com/palate-art/palate/index/qdrant"
	"github.com/palate-art/palate/index/qdrant/qdranttest"
)

// node is a way to a server that can be killed alone: a cluster's nodes hold
// the same points.
type node struct {
	listener net.Listener
	mu       sync.Mutex
	conns    []net.Conn // nil once killed
	carried  int        // bytes that came from callers
}

func startNode(t *testing.T, to string) *node {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	n := &node{listener: listener, conns: []net.Conn{}}
	var copying sync.WaitGroup
	copying.Go(func() {
		for {
			in, err := listener.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", to)
			if err != nil {
				in.Close()
				continue
			}
			n.mu.Lock()
			dead := n.conns == nil
			n.conns = append(n.conns, in, out)
			n.mu.Unlock()
			if dead {
				n.kill()
			}
			copying.Go(func() { _, _ = io.Copy(in, out); in.Close() })
			copying.Go(func() { _, _ = io.Copy(counting{out, n}, in); out.Close() })
		}
	})
	t.Cleanup(func() { n.kill(); copying.Wait() })
	return n
}

type counting struct {
	io.Writer
	n *node
}

func (c counting) Write(p []byte) (int, error) {
	c.n.mu.Lock()
	c.n.carried += len(p)
	c.n.mu.Unlock()
	return c.Writer.Write(p)
}

func (n *node) kill() {
	n.listener.Close()
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, c := range n.conns {
		c.Close()
	}
	n.conns = nil
}

func (n *node) bytes() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.carried
}

func TestANodeThatIsKilledIsGoneWithout(t *testing.T) {
	s := qdranttest.Run(t)
	nodes := []*node{startNode(t, s.Address()), startNode(t, s.Address()), startNode(t, s.Address())}
	address := func(i int) string { return nodes[i].listener.Addr().String() }
	x := open(t, configFor(t, address(0), func(c *qdrant.Config) { c.Nodes = address(1) + "," + address(2) }), model, dim)
	must(t, x.Clear(t.Context()))
	must(t, x.Upsert(t.Context(), randomPoints(40)))
	search := func() {
		t.Helper()
		for range 30 {
			hits, err := x.Search(t.Context(), index.Query{Vector: randomPoints(1)[0].Embedding, Limit: 5})
			if err != nil || len(hits) != 5 {
				t.Fatalf("got %d hits and %v", len(hits), err)
			}
		}
	}
	// A node takes part once its connection stands.
	idle := func() int { return slices.IndexFunc(nodes, func(n *node) bool { return n.bytes() < 1000 }) }
	for begun := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		search()
		if i := idle(); i < 0 {
			break
		} else if time.Since(begun) > 20*time.Second {
			t.Fatalf("node %d was sent %d bytes of all searches, want about a third", i, nodes[i].bytes())
		}
	}
	nodes[0].kill() // even the one that is named first
	search()
	must(t, x.Upsert(t.Context(), randomPoints(60)))
	nodes[2].kill()
	search()
	if count, err := x.Count(t.Context(), index.Filter{}); err != nil || count != 60 {
		t.Errorf("got %d points and %v, want all 60", count, err)
	}
	nodes[1].kill()
	_, err := x.Search(t.Context(), index.Query{Vector: randomPoints(1)[0].Embedding, Limit: 5})
	if err == nil || !strings.Contains(err.Error(), address(1)) {
		t.Errorf("without any node: got %v, want their addresses", err)
	}
}
