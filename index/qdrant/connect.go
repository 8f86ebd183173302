package qdrant

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"math"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/qdrant/go-client/qdrant"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/resolver"
	"google.golang.org/grpc/resolver/manual"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/regular"
)

// maxCAFile is far above what a system's whole bundle takes.
const maxCAFile = 16 << 20

const (
	// maxMessageBytes bounds what is sent and received at a time; gRPC's
	// default of 4 MB is passed by 1,300 vectors of 768 values.
	maxMessageBytes = 64 << 20

	// reconnectWait is how long a lost connection goes without being looked
	// for at most: gRPC's default is two minutes.
	reconnectWait = 2 * time.Second
)

// connect makes a client; it does not reach for the server yet.
//
// It has one connection, over which calls run side by side. The client's own
// pool hands its interceptors on from each connection to the next, so that
// the third one would retry retries.
func connect(c Config) (*qdrant.Client, error) {
	config := &qdrant.Config{
		Host: c.Host, Port: c.Port, UseTLS: c.TLS, PoolSize: 1, SkipCompatibilityCheck: true,
		GrpcOptions: []grpc.DialOption{
			grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxMessageBytes), grpc.MaxCallSendMsgSize(maxMessageBytes)),
			grpc.WithConnectParams(grpc.ConnectParams{
				Backoff:           backoff.Config{BaseDelay: c.RetryWait, Multiplier: 1.6, Jitter: .2, MaxDelay: reconnectWait},
				MinConnectTimeout: c.HealthTimeout,
			}),
			// The chain form: the other one would replace an interceptor of the client's.
			grpc.WithChainUnaryInterceptor(caller{c, new(atomic.Int64)}.intercept),
		},
	}
	if c.Nodes != "" {
		if err := c.useNodes(config); err != nil {
			return nil, err
		}
	} else if strings.Contains(c.Host, ":") { // the client joins host and port as they are
		config.Host = "[" + c.Host + "]"
	}
	if c.APIKey != "" {
		config.GrpcOptions = append(config.GrpcOptions, grpc.WithPerRPCCredentials(apiKey(c.APIKey)))
	}
	if c.TLS {
		config.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12}
		if c.CAFile != "" {
			pem, err := regular.ReadFile(c.CAFile, maxCAFile)
			if errors.Is(err, palate.ErrInvalid) {
				return nil, fmt.Errorf("qdrant: certificates: %w", err)
			}
			if err != nil {
				return nil, fmt.Errorf("qdrant: certificates: %w: %w", palate.ErrInvalid, err)
			}
			config.TLSConfig.RootCAs = x509.NewCertPool()
			if !config.TLSConfig.RootCAs.AppendCertsFromPEM(pem) {
				return nil, fmt.Errorf("qdrant: %s holds no certificate in PEM: %w", c.CAFile, palate.ErrInvalid)
			}
		}
	}
	client, err := qdrant.NewClient(config)
	if err != nil {
		return nil, fmt.Errorf("qdrant: %s: %w: %w", c.server(), palate.ErrInvalid, err)
	}
	return client, nil
}

// useNodes lets calls go to all nodes in turn. gRPC leaves out those that are
// away, and a call that breaks off with its node is tried again with the next.
func (c Config) useNodes(config *qdrant.Config) error {
	endpoints, err := c.endpoints()
	if err != nil {
		return fmt.Errorf("qdrant: nodes: %w: %w", palate.ErrInvalid, err)
	}
	nodes := manual.NewBuilderWithScheme("nodes")
	nodes.InitialState(resolver.State{Endpoints: endpoints})
	config.Host = nodes.Scheme() + ":///" + config.Host
	config.GrpcOptions = append(config.GrpcOptions, grpc.WithResolvers(nodes),
		grpc.WithDefaultServiceConfig(`{"loadBalancingConfig": [{"round_robin": {}}]}`))
	return nil
}

// endpoints are the nodes, Host and Port first.
func (c Config) endpoints() ([]resolver.Endpoint, error) {
	var endpoints []resolver.Endpoint
	add := func(address, host string) {
		endpoints = append(endpoints, resolver.Endpoint{Addresses: []resolver.Address{{Addr: address, ServerName: host}}})
	}
	add(net.JoinHostPort(c.Host, strconv.Itoa(c.Port)), c.Host)
	if c.Nodes == "" {
		return endpoints, nil
	}
	for address := range strings.SplitSeq(c.Nodes, ",") {
		host, port, err := net.SplitHostPort(address)
		if err != nil {
			return nil, fmt.Errorf("number %d of them is not host:port", len(endpoints))
		}
		if n, err := strconv.Atoi(port); err != nil || n < 1 || n > math.MaxUint16 || !validHost(host) {
			return nil, fmt.Errorf("number %d of them is not host:port, with a port of 1 to %d and without a key", len(endpoints), math.MaxUint16)
		}
		add(address, host)
	}
	return endpoints, nil
}

// exposesKey reports whether the key leaves this machine and its private
// networks unencrypted. A name without a dot is one of a private network.
func (c Config) exposesKey() bool {
	if c.APIKey == "" || c.TLS {
		return false
	}
	endpoints, _ := c.endpoints() // a configuration that was validated
	return slices.ContainsFunc(endpoints, func(e resolver.Endpoint) bool {
		host := e.Addresses[0].ServerName
		if ip := net.ParseIP(host); ip != nil {
			return !ip.IsLoopback() && !ip.IsPrivate()
		}
		return strings.Contains(host, ".")
	})
}

// apiKey goes along with every call.
type apiKey string

// GetRequestMetadata implements credentials.PerRPCCredentials.
func (k apiKey) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return map[string]string{"api-key": string(k)}, nil
}

// RequireTransportSecurity implements credentials.PerRPCCredentials. Servers
// on loopback or in a network of their own have no certificate.
func (apiKey) RequireTransportSecurity() bool { return false }
