package qdrant_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
	"github.com/palate-art/palate/index/qdrant"
	"github.com/palate-art/palate/index/qdrant/qdranttest"
)

func TestWhatMaySucceedLaterIsTriedAgain(t *testing.T) {
	query := index.Query{Vector: randomPoints(1)[0].Embedding, Limit: 5}
	search := func(ctx context.Context, x *qdrant.Index) error { _, err := x.Search(ctx, query); return err }
	upsert := func(ctx context.Context, x *qdrant.Index) error { return x.Upsert(ctx, randomPoints(5)) }
	batch := func(ctx context.Context, x *qdrant.Index) error {
		_, err := x.SearchBatch(ctx, []index.Query{query, query})
		return err
	}
	clear := func(ctx context.Context, x *qdrant.Index) error { return x.Clear(ctx) }
	judge := func(ctx context.Context, x *qdrant.Index) error {
		return x.Judge(ctx, []index.Judgement{{ID: id(1), Profile: "me", Verdict: palate.Like}})
	}
	for _, tt := range []struct {
		name  string
		do    func(context.Context, *qdrant.Index) error
		fault qdranttest.Fault
		calls int // of the method that fails
		want  error
	}{
		{"unavailable twice", search, qdranttest.Fault{Methods: []string{"Points/Query"}, Code: codes.Unavailable, Times: 2}, 3, nil},
		{"unavailable for good", search, qdranttest.Fault{Methods: []string{"Points/Query"}, Code: codes.Unavailable}, 4, palate.ErrUnavailable},
		{"the server gives up once", search, qdranttest.Fault{Methods: []string{"Points/Query"}, Code: codes.DeadlineExceeded, Times: 1}, 2, nil},
		{"many searches, unavailable once", batch, qdranttest.Fault{Methods: []string{"Points/QueryBatch"}, Code: codes.Unavailable, Times: 1}, 2, nil},
		{"many searches, one without an answer", batch, qdranttest.Fault{Methods: []string{"Points/QueryBatch"}, Fewer: true}, 1, palate.ErrUnavailable},
		{"aborted once", upsert, qdranttest.Fault{Methods: []string{"Points/Upsert"}, Code: codes.Aborted, Times: 1}, 2, nil},
		{"exhausted once", upsert, qdranttest.Fault{Methods: []string{"Points/Upsert"}, Code: codes.ResourceExhausted, Times: 1}, 2, nil},
		{"asked to come back later than there is time", search, qdranttest.Fault{Methods: []string{"Points/Query"}, Code: codes.ResourceExhausted, RetryAfter: 3600}, 1, palate.ErrUnavailable},
		{"the answer of an upsert is lost", upsert, qdranttest.Fault{Methods: []string{"Points/Upsert"}, Done: true, Code: codes.Unavailable, Times: 1}, 2, nil},
		{"the answer of a new collection is lost", clear, qdranttest.Fault{Methods: []string{"Collections/Create"}, Done: true, Code: codes.Unavailable, Times: 1}, 2, nil},
		{"the answer of a moved alias is lost", clear, qdranttest.Fault{Methods: []string{"UpdateAliases"}, Done: true, Drop: true, Times: 1}, 2, nil},
		{"the connection breaks", search, qdranttest.Fault{Methods: []string{"Points/Query"}, Drop: true, Times: 1}, 2, nil},
		{"the connection breaks in a judgement", judge, qdranttest.Fault{Methods: []string{"UpdateBatch"}, Done: true, Drop: true, Times: 1}, 2, nil},
		{"merely acknowledged", upsert, qdranttest.Fault{Methods: []string{"Points/Upsert"}, Acknowledge: true, Times: 1}, 1, palate.ErrUnavailable},
		{"refused", search, qdranttest.Fault{Methods: []string{"Points/Query"}, Code: codes.InvalidArgument}, 1, palate.ErrUnavailable},
		{"a node without its shards yet", search, qdranttest.Fault{Methods: []string{"Points/Query"}, Code: codes.Internal, Times: 1}, 2, nil},
		{"broken inside", upsert, qdranttest.Fault{Methods: []string{"Points/Upsert"}, Code: codes.Internal}, 1, palate.ErrUnavailable},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := qdranttest.Run(t)
			x := newIndex(t, s, func(c *qdrant.Config) { c.RetryWait = 10 * time.Millisecond })
			must(t, x.Upsert(t.Context(), randomPoints(5)))
			asked := observe(s)
			s.Break(tt.fault)
			err := tt.do(t.Context(), x)
			if tt.want == nil && err != nil || tt.want != nil && !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
			if got := len(asked.of(tt.fault.Methods[0])); got != tt.calls {
				t.Errorf("got %d calls, want %d", got, tt.calls)
			}
			s.Heal()
			if err := search(t.Context(), x); err != nil {
				t.Errorf("after it has healed: %v", err)
			}
		})
	}
}

func TestASlowServerIsWaitedForWithinTheDeadline(t *testing.T) {
	s := qdranttest.Run(t)
	x := newIndex(t, s, func(c *qdrant.Config) { c.SearchTimeout = 300 * time.Millisecond })
	must(t, x.Upsert(t.Context(), randomPoints(5)))
	query := index.Query{Vector: randomPoints(1)[0].Embedding, Limit: 5}
	s.Break(qdranttest.Fault{Methods: []string{"Points/Query"}, Delay: time.Hour, Times: 1})
	if _, err := x.Search(t.Context(), query); err != nil {
		t.Errorf("one answer that does not come: got %v, want the second attempt's", err)
	}
	s.Break(qdranttest.Fault{Methods: []string{"Points/Query"}, Delay: time.Hour})
	begun := time.Now()
	if _, err := x.Search(t.Context(), query); !errors.Is(err, palate.ErrUnavailable) {
		t.Errorf("no answer comes: got %v, want %v", err, palate.ErrUnavailable)
	}
	if took := time.Since(begun); took > 5*time.Second {
		t.Errorf("gave up after %v, want about the 300 ms that a search may take", took)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := x.Search(ctx, query); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, palate.ErrUnavailable) {
		t.Errorf("the caller's time is up: got %v, want %v alone", err, context.DeadlineExceeded)
	}
}

func TestAServerThatStopsAndComesBack(t *testing.T) {
	s := qdranttest.New()
	must(t, s.Start("127.0.0.1:0"))
	t.Cleanup(s.Stop)
	x := newIndex(t, s)
	must(t, x.Upsert(t.Context(), randomPoints(5)))
	s.Stop()
	query := index.Query{Vector: randomPoints(1)[0].Embedding, Limit: 5}
	for name, do := range map[string]func() error{
		"search": func() error { _, err := x.Search(t.Context(), query); return err },
		"upsert": func() error { return x.Upsert(t.Context(), randomPoints(2)) },
		"ready":  func() error { return x.Ready(t.Context()) },
		"clear":  func() error { return x.Clear(t.Context()) },
		"status": func() error { _, err := x.Status(t.Context()); return err },
	} {
		if err := do(); !errors.Is(err, palate.ErrUnavailable) {
			t.Errorf("%s while the server is down: got %v, want %v", name, err, palate.ErrUnavailable)
		}
	}
	must(t, s.Start(s.Address()))
	// The connection is looked for every two seconds.
	for deadline := time.Now().Add(20 * time.Second); ; {
		hits, err := x.Search(t.Context(), query)
		if err == nil && len(hits) == 5 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("after the server came back: got %d hits, %v", len(hits), err)
		}
	}
}

func TestAnIndexWithoutAServerOpensAndSaysWhy(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	address := listener.Addr().String()
	must(t, listener.Close())
	x := open(t, configFor(t, address), model, dim)
	if err := x.Ready(t.Context()); !errors.Is(err, palate.ErrUnavailable) || !strings.Contains(err.Error(), address) {
		t.Errorf("got %v, want it unavailable and the address", err)
	}
	must(t, x.Close())
	if _, err := x.Search(t.Context(), index.Query{Vector: randomPoints(1)[0].Embedding, Limit: 1}); !errors.Is(err, palate.ErrUnavailable) || !strings.Contains(err.Error(), "closed") {
		t.Errorf("after Close: got %v, want it unavailable because it is closed", err)
	}
}

func TestAPIKey(t *testing.T) {
	s := qdranttest.Run(t)
	s.RequireKey("right")
	for key, want := range map[string]error{"right": nil, "wrong": palate.ErrUnavailable, "": palate.ErrUnavailable} {
		x := open(t, configFor(t, s.Address(), func(c *qdrant.Config) { c.APIKey = key }), model, dim)
		err := x.Clear(t.Context())
		if !errors.Is(err, want) || want != nil && !strings.Contains(err.Error(), "does not accept the API key") {
			t.Errorf("key %q: got %v, want %v", key, err, want)
		}
	}
}

func TestAKeyThatOthersCanReadIsWarnedOf(t *testing.T) {
	for _, tt := range []struct {
		host, key string
		tls, warn bool
	}{
		{"vectors.example.org", "secret", false, true}, {"203.0.113.9", "secret", false, true}, {"2001:db8::1", "secret", false, true},
		{"vectors.example.org", "secret", true, false}, {"vectors.example.org", "", false, false},
		{"127.0.0.1", "secret", false, false}, {"::1", "secret", false, false}, {"localhost", "secret", false, false},
		{"qdrant", "secret", false, false}, {"10.1.2.3", "secret", false, false},
	} {
		var log bytes.Buffer
		c := qdrant.DefaultConfig()
		c.Host, c.APIKey, c.TLS = tt.host, tt.key, tt.tls
		x, err := qdrant.New(c, model, dim, slog.New(slog.NewTextHandler(&log, nil)))
		must(t, err)
		must(t, x.Close())
		if warned := strings.Contains(log.String(), "level=WARN"); warned != tt.warn || strings.Contains(log.String(), "secret") {
			t.Errorf("%+v: got the log %q, want a warning: %v", tt, log.String(), tt.warn)
		}
	}
}

func TestTLS(t *testing.T) {
	certificate, caFile := selfSigned(t)
	s := qdranttest.Run(t, grpc.Creds(credentials.NewServerTLSFromCert(&certificate)))
	s.RequireKey("secret")
	trusting := func(c *qdrant.Config) { c.TLS, c.CAFile, c.APIKey = true, caFile, "secret" }
	must(t, open(t, configFor(t, s.Address(), trusting), model, dim).Clear(t.Context()))
	for name, edit := range map[string]func(*qdrant.Config){
		"an unknown certificate": func(c *qdrant.Config) { c.TLS = true },
		"no TLS":                 func(*qdrant.Config) {},
	} {
		c := configFor(t, s.Address(), edit, func(c *qdrant.Config) { c.Attempts = 1 })
		if err := open(t, c, model, dim).Ready(t.Context()); !errors.Is(err, palate.ErrUnavailable) {
			t.Errorf("%s: got %v, want %v", name, err, palate.ErrUnavailable)
		}
	}
	empty := filepath.Join(t.TempDir(), "empty.pem")
	must(t, os.WriteFile(empty, nil, 0o600))
	for _, file := range []string{empty, empty + "-that-is-not-there"} {
		if _, err := qdrant.New(configFor(t, s.Address(), func(c *qdrant.Config) { c.TLS, c.CAFile = true, file }), model, dim, quiet); !errors.Is(err, palate.ErrInvalid) {
			t.Errorf("certificates in %s: got %v, want it invalid", file, err)
		}
	}
}

// selfSigned makes a certificate of 127.0.0.1 and the file to trust it by.
func selfSigned(t *testing.T) (tls.Certificate, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	must(t, err)
	file := filepath.Join(t.TempDir(), "ca.pem")
	must(t, os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, file
}

func TestServerVersions(t *testing.T) {
	s := qdranttest.Run(t)
	x := newIndex(t, s)
	for version, known := range map[string]bool{
		"1.17.0": true, "1.17.1": true, "1.19.2": true, "1.18.0-dev": true, "1.100": true,
		"1.16.3": false, "0.17.0": false, "2.0.0": false, "": false, "dev": false, "1": false, "1.x": false,
	} {
		s.SetVersion(version)
		if err := x.Ready(t.Context()); (err == nil) != known || err != nil && !errors.Is(err, palate.ErrUnavailable) {
			t.Errorf("version %q: got %v, want it known: %v", version, err, known)
		}
	}
}
