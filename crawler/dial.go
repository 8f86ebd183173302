package crawler

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"sync"
	"syscall"
	"time"
)

type dialFunc = func(ctx context.Context, network, addr string) (net.Conn, error)

// newTransport reaches the network. Unless allowed, only trusted hosts (the
// seeds', which the operator named) may be on addresses that are not public:
// a page or a redirect must not make the crawler knock at doors inside.
func newTransport(cfg Config, dial dialFunc, trusted map[string]bool) *http.Transport {
	t := &http.Transport{
		ForceAttemptHTTP2:      true,
		MaxIdleConnsPerHost:    cfg.Workers,
		IdleConnTimeout:        90 * time.Second,
		TLSHandshakeTimeout:    15 * time.Second,
		MaxResponseHeaderBytes: 256 << 10,
	}
	if dial != nil {
		t.DialContext = dial
		return t
	}
	guard := &dialGuard{allow: cfg.AllowPrivate, trusted: trusted}
	t.DialContext = guard.dial
	t.Proxy = guard.proxy
	return t
}

type dialGuard struct {
	allow   bool
	trusted map[string]bool

	mu      sync.Mutex
	proxies map[string]bool // hosts that the environment names
}

// proxy follows the environment and trusts the host that it names.
func (g *dialGuard) proxy(req *http.Request) (*url.URL, error) {
	u, err := http.ProxyFromEnvironment(req)
	if err == nil && u != nil {
		g.mu.Lock()
		defer g.mu.Unlock()
		if g.proxies == nil {
			g.proxies = map[string]bool{}
		}
		g.proxies[u.Hostname()] = true
	}
	return u, err
}

func (g *dialGuard) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	d := net.Dialer{Timeout: 15 * time.Second, KeepAlive: 30 * time.Second}
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	g.mu.Lock()
	free := g.allow || g.trusted[host] || g.proxies[host]
	g.mu.Unlock()
	if !free {
		// Asked of the address that is dialled in the end, after the name
		// has been looked up.
		d.Control = func(_, address string, _ syscall.RawConn) error { return refusePrivate(address) }
	}
	return d.DialContext(ctx, network, addr)
}

// sharedSpace and others are not public though netip does not call them
// private: RFC 6598, 2544, 6890 and 6052.
var notPublic = []netip.Prefix{
	netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("240.0.0.0/4"), netip.MustParsePrefix("64:ff9b::/96"),
}

func refusePrivate(address string) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%s: %w: %w", address, errPrivate, err)
	}
	ip := at.Addr().Unmap().WithZone("")
	bad := !ip.IsGlobalUnicast() || ip.IsPrivate()
	for _, p := range notPublic {
		bad = bad || p.Contains(ip)
	}
	if bad {
		return fmt.Errorf("%s: %w", ip, errPrivate)
	}
	return nil
}
