package qdranttest

import (
	"context"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/qdrant/go-client/qdrant"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
)

// Fault is something that goes wrong with calls. What it does comes in the
// order of its fields.
type Fault struct {
	// Methods are ends of method names, such as "Points/Query"; none is all.
	Methods []string
	// Skip lets so many calls pass first; Times is how many calls it strikes
	// after that, 0 is all until Heal.
	Skip, Times int
	// Delay answers later, or not at all if the caller gives up before.
	Delay time.Duration
	// Acknowledge answers changes as if they were merely taken on.
	Acknowledge bool
	// Fewer leaves the last answer to a batch of queries out.
	Fewer bool
	// Done does what was asked before it fails: the answer is lost.
	Done bool
	// Drop breaks the caller's connection.
	Drop bool
	// Code, if not OK, is the answer; ResourceExhausted with RetryAfter tells
	// how many seconds to wait.
	Code       codes.Code
	RetryAfter int
}

// Break lets calls fail from now on, beside the faults that are set already.
func (s *Server) Break(f Fault) { s.set(func(c *control) { c.faults = append(c.faults, &f) }) }

// Heal ends all faults.
func (s *Server) Heal() { s.set(func(c *control) { c.faults = nil }) }

// strike returns the fault that hits a call, if any, and counts it.
func (c *control) strike(method string) (Fault, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, f := range c.faults {
		if len(f.Methods) > 0 && !slices.ContainsFunc(f.Methods, func(end string) bool { return strings.HasSuffix(method, end) }) {
			continue
		}
		if f.Skip > 0 {
			f.Skip--
			continue
		}
		hit := *f
		if f.Times > 0 {
			if f.Times--; f.Times == 0 {
				c.faults = slices.Delete(c.faults, i, i+1)
			}
		}
		return hit, true
	}
	return Fault{}, false
}

func (s *Server) fail(ctx context.Context, request any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	f, hit := s.control.strike(info.FullMethod)
	if !hit {
		return handler(ctx, request)
	}
	if f.Delay > 0 {
		select {
		case <-ctx.Done():
			return nil, status.FromContextError(ctx.Err()).Err()
		case <-time.After(f.Delay):
		}
	}
	if f.Acknowledge {
		response, err := handler(ctx, request)
		if change, ok := response.(*qdrant.PointsOperationResponse); ok && err == nil {
			change.Result.Status = qdrant.UpdateStatus_Acknowledged
		}
		return response, err
	}
	if f.Fewer {
		response, err := handler(ctx, request)
		if batch, ok := response.(*qdrant.QueryBatchResponse); ok && len(batch.GetResult()) > 0 {
			batch.Result = batch.Result[:len(batch.Result)-1]
		}
		return response, err
	}
	if f.Done {
		if _, err := handler(ctx, request); err != nil {
			return nil, err
		}
	}
	if f.Drop {
		s.open.drop(ctx)
		return nil, status.Error(codes.Unavailable, "the connection is broken")
	}
	if f.Code == codes.OK {
		return handler(ctx, request)
	}
	if f.RetryAfter > 0 {
		if err := grpc.SetTrailer(ctx, metadata.Pairs("retry-after", strconv.Itoa(f.RetryAfter))); err != nil {
			return nil, err
		}
	}
	return nil, status.Error(f.Code, "told to fail")
}

// connections is a listener that remembers what it has accepted.
type connections struct {
	net.Listener
	mu    sync.Mutex
	conns map[string]net.Conn // by the caller's address
}

// Accept implements net.Listener.
func (l *connections) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err == nil {
		l.mu.Lock()
		l.conns[conn.RemoteAddr().String()] = conn
		l.mu.Unlock()
	}
	return conn, err
}

// drop closes the connection that a call came by.
func (l *connections) drop(ctx context.Context) {
	caller, ok := peer.FromContext(ctx)
	if !ok {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	address := caller.Addr.String()
	if conn := l.conns[address]; conn != nil {
		_ = conn.Close() // it may be closed already, which is what is wanted
		delete(l.conns, address)
	}
}
