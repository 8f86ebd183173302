package qdrant

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/qdrant/go-client/qdrant"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/palate-art/palate"
)

// caller gives every call its deadline and its retries. All calls of this
// package may be repeated: writes name points by their IDs and set, not add.
//
// A server that hangs is told from one that is merely slow by asking it whether
// it is well: who reads does not wait for one that does not even say that, and
// for a while is told so at once.
type caller struct {
	config Config
	hung   *atomic.Int64 // when that was found last, in nanoseconds; 0 if it answers
}

// The first attempt of who reads is short, unless it is many searches at a time;
// a question after health is shorter.
// While a server is known to hang, it is asked after its health before each read.
const (
	firstTry  = 2 * time.Second
	healthTry = time.Second
	hungFor   = 5 * time.Second
)

// timeout is how long a call may take, retries included.
func (c caller) timeout(method string) time.Duration {
	service, name, _ := strings.Cut(strings.TrimPrefix(method, "/qdrant."), "/")
	switch {
	case service == "Qdrant":
		return c.config.HealthTimeout
	case reads(method):
		return c.config.SearchTimeout
	case service != "Points" || name == "CreateFieldIndex":
		return c.config.AdminTimeout
	}
	return c.config.WriteTimeout
}

// reads reports whether a method only reads, as searches do.
func reads(method string) bool {
	switch method {
	case qdrant.Collections_ListAliases_FullMethodName, qdrant.Collections_Get_FullMethodName, qdrant.Collections_CollectionExists_FullMethodName,
		qdrant.Points_Query_FullMethodName, qdrant.Points_QueryBatch_FullMethodName, qdrant.Points_Get_FullMethodName, qdrant.Points_Count_FullMethodName, qdrant.Points_Scroll_FullMethodName:
		return true
	}
	return false
}

func (c caller) intercept(ctx context.Context, method string, request, reply any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, options ...grpc.CallOption) error {
	timeout := c.timeout(method)
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	looksWell := func(within time.Duration) bool {
		short, cancel := context.WithTimeout(ctx, within)
		defer cancel()
		return invoke(short, qdrant.Qdrant_HealthCheck_FullMethodName, new(qdrant.HealthCheckRequest), new(qdrant.HealthCheckReply), conn) == nil
	}
	if reads(method) && time.Since(time.Unix(0, c.hung.Load())) < hungFor && !looksWell(min(healthTry, timeout/4)/2) {
		return status.Error(codes.Unavailable, "no answer in time, a moment ago and now")
	}
	for attempt := 1; ; attempt++ {
		var trailer metadata.MD
		patience := timeout / 2
		if attempt == 1 && reads(method) && method != qdrant.Points_QueryBatch_FullMethodName {
			patience = min(patience, firstTry)
		}
		limited, cancel := context.WithTimeout(ctx, patience)
		err := invoke(limited, method, request, reply, conn, append(options, grpc.Trailer(&trailer))...)
		// The server's clock may end the attempt an instant before ours does.
		late := (limited.Err() != nil || status.Code(err) == codes.DeadlineExceeded) && ctx.Err() == nil
		cancel()
		switch {
		case err == nil:
			c.hung.Store(0)
		case late && reads(method) && !looksWell(min(healthTry, timeout/4)) && ctx.Err() == nil:
			c.hung.Store(time.Now().UnixNano())
			return status.Error(codes.Unavailable, "no answer in time")
		}
		if err == nil || !retryable(method, status.Code(err)) || attempt >= c.config.Attempts {
			return err
		}
		wait := c.wait(attempt, trailer)
		if deadline, _ := ctx.Deadline(); time.Until(deadline) < wait {
			return err
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return err // says more than that time is up
		case <-timer.C:
		}
	}
}

// wait is how long to wait after an attempt that failed: what the server asks
// for, or at random up to a bound that doubles.
func (c caller) wait(attempt int, trailer metadata.MD) time.Duration {
	if asked := trailer.Get("retry-after"); len(asked) == 1 {
		if seconds, err := strconv.Atoi(asked[0]); err == nil && seconds > 0 {
			return time.Duration(seconds) * time.Second
		}
	}
	return rand.N(c.config.RetryWait << min(attempt-1, 10))
}

// retryable reports whether the same call may succeed a moment later. A node
// that comes back to its cluster answers reads with "Local shard not found",
// as Internal, until it has its shards again; another node has them.
func retryable(method string, code codes.Code) bool {
	switch code {
	case codes.Unavailable, codes.DeadlineExceeded, codes.ResourceExhausted, codes.Aborted:
		return true
	case codes.Internal:
		return reads(method)
	}
	return false
}

// clockSkew is how much earlier than here the server may find that the
// caller's time is up.
const clockSkew = 50 * time.Millisecond

// failed says what was being done and of which kind its error is.
func (x *Index) failed(ctx context.Context, what string, err error) error {
	if cause := ctx.Err(); cause != nil {
		return fmt.Errorf("qdrant: %s: %w", what, cause)
	}
	var limited *qdrant.QdrantResourceExhaustedError
	if errors.As(err, &limited) {
		return fmt.Errorf("qdrant: %s: %s asks to come back in %d s: %w", what, x.config.server(), limited.RetryAfterS, palate.ErrUnavailable)
	}
	var answer interface{ GRPCStatus() *status.Status }
	if !errors.As(err, &answer) {
		return fmt.Errorf("qdrant: %s: %w", what, err)
	}
	code, said := answer.GRPCStatus().Code(), answer.GRPCStatus().Message()
	if deadline, ok := ctx.Deadline(); ok && code == codes.DeadlineExceeded && time.Until(deadline) < clockSkew {
		return fmt.Errorf("qdrant: %s: %w", what, context.DeadlineExceeded)
	}
	kind := palate.ErrUnavailable
	switch code {
	case codes.NotFound:
		kind = palate.ErrNotFound
	case codes.InvalidArgument, codes.OutOfRange, codes.FailedPrecondition:
		// What a caller may get wrong was looked at before; this is the server's
		// own rule, such as one of its strict mode.
		said = "the server refuses it: " + said
	case codes.Unavailable:
		said = unreachable(said)
	case codes.AlreadyExists:
		kind = palate.ErrConflict
	case codes.Unauthenticated, codes.PermissionDenied:
		said = "the server does not accept the API key"
	case codes.DeadlineExceeded:
		said = "no answer in time"
	}
	return fmt.Errorf("qdrant: %s: %s: %s: %w", what, x.config.server(), said, kind)
}

// unreachable says in a few words why a server could not be reached. The text is
// gRPC's, or the server's own.
func unreachable(said string) string {
	for _, known := range []struct{ text, means string }{
		{"connection refused", "nothing listens there"},
		{"no such host", "its name is not known"},
		{"first record does not look like a TLS handshake", "it does not speak TLS: leave tls=1 out of the address"},
		{"x509:", "its certificate is not trusted: ca=FILE in the address names who signed it"},
		{"tls:", "it can't be talked to over TLS"},
		{"i/o timeout", "no answer in time"},
		{"deadline exceeded", "no answer in time"},
		{"connection error", "the connection broke off"},
		{"error reading from server", "the connection broke off"},
		{"transport", "the connection broke off"},
		{"resolver", "its name is not known"},
	} {
		if strings.Contains(said, known.text) {
			return known.means
		}
	}
	return said
}
