package museum

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"slices"

	"github.com/palate-art/palate"
)

// Hosts lists the museum's host names.
func Hosts() []string { return []string{GalleryHost, MediaHost, CommonsHost, UploadHost} }

// DialContextTo maps the museum's hosts, at any port, to the address of a
// museum that listens in another process. Every other host is refused with
// palate.ErrUnavailable; nothing is looked up.
func DialContextTo(listenAddr string) func(ctx context.Context, network, addr string) (net.Conn, error) {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		host, _, err := net.SplitHostPort(addr)
		if err != nil {
			return nil, fmt.Errorf("museum: dial %s: %w: %w", addr, palate.ErrInvalid, err)
		}
		if !slices.Contains(Hosts(), host) {
			return nil, fmt.Errorf("museum: dial %s: not a host of the museum: %w", addr, palate.ErrUnavailable)
		}
		return new(net.Dialer).DialContext(ctx, network, listenAddr)
	}
}

// DialContext is DialContextTo for this museum; it also remembers the hosts
// that it refused. Before Listen it is palate.ErrUnavailable.
func (m *Museum) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	listening := m.Addr()
	if listening == "" {
		return nil, fmt.Errorf("museum: dial %s: not listening yet: %w", addr, palate.ErrUnavailable)
	}
	if host, _, err := net.SplitHostPort(addr); err == nil && !slices.Contains(Hosts(), host) {
		m.mu.Lock()
		m.refused = append(m.refused, host)
		m.mu.Unlock()
	}
	return DialContextTo(listening)(ctx, network, addr)
}

// RefusedHosts lists the hosts outside the museum that DialContext was
// asked for, one entry per attempt: a crawler that stays on the site leaves
// it empty.
func (m *Museum) RefusedHosts() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.refused)
}

// Client is an HTTP client that reaches the museum and nothing else. Close
// its idle connections when done.
func (m *Museum) Client() *http.Client {
	return &http.Client{Transport: &http.Transport{DialContext: m.DialContext}}
}
