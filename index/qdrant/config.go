package qdrant

import (
	"errors"
	"fmt"
	"math"
	"net"
	"net/netip"
	"regexp"
	"strconv"
	"time"

	"github.com/palate-art/palate"
)

// Quantization is how the server compresses vectors for the search.
type Quantization string

// The kinds of quantization. Scalar pays off from some 100,000 vectors.
const (
	NoQuantization     Quantization = ""
	ScalarQuantization Quantization = "scalar" // int8, a quarter of the memory
	BinaryQuantization Quantization = "binary" // one bit, for dimensions of 1024 and more
)

// Config says where the server is, how collections are laid out on it when
// they are made, and how it is asked.
type Config struct {
	Host string
	Port int // of gRPC
	// Nodes are further nodes of the server's cluster, host:port with commas
	// between. Calls go to all of them in turn, and to the others while one is
	// away. A Host whose name resolves to several addresses needs none.
	Nodes  string
	APIKey string // "" sends none
	// KeyFile holds the key in APIKey's place, on a line of its own.
	KeyFile string
	TLS     bool
	CAFile  string // PEM of who signs the server's certificate; "" is the system's
	// Collection is the name that all collections and aliases begin with.
	Collection string

	// The layout; 0 leaves it to the server.
	Shards           int
	Replicas         int
	WriteConsistency int // replicas that must have done a write before it counts
	HNSWLinks        int // m: links of a point in the graph
	HNSWBuild        int // ef_construct: candidates while the graph is built
	Quantization     Quantization
	OnDisk           bool // vectors are read from disk, for more than fit into memory

	// The search.
	Exact        bool    // compare with every vector
	HNSWSearch   int     // ef: candidates while searching; 0 leaves it to the server
	Oversampling float64 // times as many quantised candidates are scored again; 0 leaves it to the server

	// Deadlines, retries included. An attempt has half of it.
	SearchTimeout time.Duration // searches and reads; the first attempt of these has two seconds at most
	WriteTimeout  time.Duration // changes of points
	AdminTimeout  time.Duration // collections, aliases and payload indexes
	HealthTimeout time.Duration

	// Attempts is how often a call is tried that may succeed later. Before
	// the second one it waits up to RetryWait, then up to twice as long, and
	// so on, at random.
	Attempts  int
	RetryWait time.Duration

	// BatchPoints and BatchBytes bound one upsert.
	BatchPoints, BatchBytes int
}

// DefaultConfig suits a server on this machine.
func DefaultConfig() Config {
	return Config{
		Host: "127.0.0.1", Port: 6334, Collection: "palate",
		SearchTimeout: 10 * time.Second, WriteTimeout: time.Minute, AdminTimeout: 2 * time.Minute, HealthTimeout: 3 * time.Second,
		Attempts: 4, RetryWait: 100 * time.Millisecond,
		BatchPoints: 256, BatchBytes: 4 << 20,
		HNSWSearch: 512, // what recall this buys, and for what: docs/decisions/0030
	}
}

// collectionPattern leaves room for model, format and time in the 255
// characters that a name may have.
var collectionPattern = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_-]{0,99}$`)

// hostPattern is a name in DNS or of a container; no sign is in it that could
// end a key.
var hostPattern = regexp.MustCompile(`^[a-zA-Z0-9_]([a-zA-Z0-9_.-]*[a-zA-Z0-9_.])?$`)

func validHost(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil || hostPattern.MatchString(host)
}

// Validate reports everything that is wrong, as palate.ErrInvalid. It repeats
// no text that it was given: what stands in a wrong place may be a key.
func (c Config) Validate() error {
	var problems []error
	wrong := func(format string, args ...any) {
		problems = append(problems, fmt.Errorf("qdrant: "+format+": %w", append(args, palate.ErrInvalid)...))
	}
	switch {
	case c.Host == "":
		wrong("no host is given")
	case !validHost(c.Host):
		wrong("the host is neither a name nor an IP address")
	}
	if c.APIKey != "" && c.KeyFile != "" {
		wrong("a key and a key_file are given, want one of them")
	}
	if c.Port < 1 || c.Port > math.MaxUint16 {
		wrong("port is %d, want 1 to 65535 (gRPC listens at 6334 by default)", c.Port)
	}
	if !collectionPattern.MatchString(c.Collection) {
		wrong("the collection has no valid name, want 1 to 100 of letters, digits, _ and -, beginning with a letter or digit")
	}
	if _, err := c.endpoints(); err != nil {
		wrong("nodes: %w", err)
	}
	if c.CAFile != "" && !c.TLS {
		wrong("ca is given without tls")
	}
	for _, n := range []struct {
		name       string
		value, max int
	}{{"shards", c.Shards, 10_000}, {"replicas", c.Replicas, 1000}, {"consistency", c.WriteConsistency, 1000}, {"m", c.HNSWLinks, 1000}, {"ef_construct", c.HNSWBuild, 100_000}, {"ef", c.HNSWSearch, 100_000}} {
		if n.value < 0 || n.value > n.max {
			wrong("%s is %d, want 0 to %d", n.name, n.value, n.max)
		}
	}
	if c.WriteConsistency > max(c.Replicas, 1) {
		wrong("consistency is %d, more than the %d replicas", c.WriteConsistency, max(c.Replicas, 1))
	}
	switch c.Quantization {
	case NoQuantization, ScalarQuantization, BinaryQuantization:
	default:
		wrong("quantization is unknown, want scalar or binary")
	}
	if math.IsNaN(c.Oversampling) || c.Oversampling != 0 && (c.Oversampling < 1 || c.Oversampling > 100) {
		wrong("oversampling is %v, want 1 to 100", c.Oversampling)
	}
	if c.Oversampling != 0 && c.Quantization == NoQuantization {
		wrong("oversampling is given without quantization")
	}
	for _, d := range []struct {
		name  string
		value time.Duration
	}{{"search timeout", c.SearchTimeout}, {"write timeout", c.WriteTimeout}, {"admin timeout", c.AdminTimeout}, {"health timeout", c.HealthTimeout}, {"retry wait", c.RetryWait}} {
		if d.value <= 0 {
			wrong("%s is %v, want more than 0", d.name, d.value)
		}
	}
	if c.Attempts < 1 {
		wrong("attempts are %d, want at least 1", c.Attempts)
	}
	if c.BatchPoints < 1 || c.BatchBytes < 1 || c.BatchBytes > maxMessageBytes {
		wrong("a batch is %d points and %d bytes, want at least 1 of both and at most %d bytes", c.BatchPoints, c.BatchBytes, maxMessageBytes)
	}
	return errors.Join(problems...)
}

// server is host:port, for messages, with the other nodes after it.
func (c Config) server() string {
	first := net.JoinHostPort(c.Host, strconv.Itoa(c.Port))
	if c.Nodes == "" {
		return first
	}
	return first + "," + c.Nodes
}
