package qdranttest

import (
	"context"
	"crypto/subtle"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/qdrant/go-client/qdrant"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// Version is what a new server says it is: the one that was recorded.
const Version = "1.17.1"

// maxRequestBytes bounds a request. A real server takes more, but slows down
// beyond it.
const maxRequestBytes = 5 << 20

// Server is one server. Its methods are safe for concurrent use.
type Server struct {
	mu          sync.RWMutex
	collections map[string]*collection
	aliases     map[string]string // name -> collection
	strict      strict            // of new collections
	graphs      graphs            // of new collections

	control control

	running sync.Mutex
	grpc    *grpc.Server
	open    *connections
	address string
	ended   chan struct{}
}

// control is what tests set.
type control struct {
	mu      sync.Mutex
	version string
	key     string
	observe func(ctx context.Context, method string, request proto.Message)
	faults  []*Fault
}

// New returns a server without collections that does not run yet.
func New() *Server {
	return &Server{collections: make(map[string]*collection), aliases: make(map[string]string), strict: strict{new(qdrant.StrictModeConfig)},
		graphs: graphs{threshold: defaultThreshold}, control: control{version: Version}}
}

// Run starts a new server for one test, and stops it at the test's end.
func Run(t testing.TB, options ...grpc.ServerOption) *Server {
	t.Helper()
	s := New()
	if err := s.Start("127.0.0.1:0", options...); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	return s
}

// Start serves at the address until Stop. A server that ran before has the
// points that it had.
func (s *Server) Start(address string, options ...grpc.ServerOption) error {
	s.running.Lock()
	defer s.running.Unlock()
	if s.grpc != nil {
		return fmt.Errorf("already serving at %s", s.address)
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	s.address = listener.Addr().String()
	s.open = &connections{Listener: listener, conns: make(map[string]net.Conn)}
	options = append([]grpc.ServerOption{
		grpc.MaxRecvMsgSize(maxRequestBytes), grpc.MaxSendMsgSize(1 << 30),
		grpc.ChainUnaryInterceptor(s.authorize, s.watch, s.fail),
		// A real server has nothing against a client that asks whether it is there.
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: time.Millisecond, PermitWithoutStream: true}),
	}, options...)
	server := grpc.NewServer(options...)
	qdrant.RegisterQdrantServer(server, health{s: s})
	qdrant.RegisterCollectionsServer(server, collectionsService{s: s})
	qdrant.RegisterPointsServer(server, pointsService{s: s})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = server.Serve(s.open) // ends with Stop
	}()
	s.grpc, s.ended = server, ended
	return nil
}

// Stop ends the server at once, as a kill would: calls under way break off.
func (s *Server) Stop() {
	s.running.Lock()
	defer s.running.Unlock()
	if s.grpc == nil {
		return
	}
	s.grpc.Stop()
	<-s.ended
	s.grpc = nil
}

// Address is host:port of the server, also while it is stopped.
func (s *Server) Address() string {
	s.running.Lock()
	defer s.running.Unlock()
	return s.address
}

// Wipe forgets everything, as a server that lost its disk.
func (s *Server) Wipe() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.collections)
	clear(s.aliases)
}

// SetStrictMode is the strict mode of collections that are made from now on, as
// a server's configuration or a hosted one's operator sets it.
func (s *Server) SetStrictMode(config *qdrant.StrictModeConfig) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.strict = strict{proto.CloneOf(config)}
}

// RequireKey refuses callers without this API key from now on.
func (s *Server) RequireKey(key string) { s.set(func(c *control) { c.key = key }) }

// SetVersion lets the server say that it is another version.
func (s *Server) SetVersion(version string) { s.set(func(c *control) { c.version = version }) }

// Observe shows every request to f from now on, before it is answered. f must
// be safe for concurrent use.
func (s *Server) Observe(f func(ctx context.Context, method string, request proto.Message)) {
	s.set(func(c *control) { c.observe = f })
}

func (s *Server) set(change func(*control)) {
	s.control.mu.Lock()
	defer s.control.mu.Unlock()
	change(&s.control)
}

func (s *Server) authorize(ctx context.Context, request any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	s.control.mu.Lock()
	key := s.control.key
	s.control.mu.Unlock()
	if key != "" {
		given := metadata.ValueFromIncomingContext(ctx, "api-key")
		if len(given) != 1 || subtle.ConstantTimeCompare([]byte(given[0]), []byte(key)) == 0 {
			return nil, status.Error(codes.Unauthenticated, "Must provide an API key or an Authorization bearer token")
		}
	}
	return handler(ctx, request)
}

func (s *Server) watch(ctx context.Context, request any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	s.control.mu.Lock()
	observe := s.control.observe
	s.control.mu.Unlock()
	if message, ok := request.(proto.Message); ok && observe != nil {
		observe(ctx, info.FullMethod, message)
	}
	return handler(ctx, request)
}

type health struct {
	qdrant.UnimplementedQdrantServer
	s *Server
}

func (h health) HealthCheck(context.Context, *qdrant.HealthCheckRequest) (*qdrant.HealthCheckReply, error) {
	h.s.control.mu.Lock()
	defer h.s.control.mu.Unlock()
	return &qdrant.HealthCheckReply{Title: "qdrant - vector search engine", Version: h.s.control.version}, nil
}
