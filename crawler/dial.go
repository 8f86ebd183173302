package crawler

import (
	"bytes"
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
	guard := &dialGuard{allow: cfg.AllowPrivate, trusted: trusted, through: cfg.Proxy}
	t.DialContext = guard.dial
	t.Proxy = guard.proxy
	return t
}

type dialGuard struct {
	allow   bool
	trusted map[string]bool
	through *url.URL // nil: as the environment says

	mu      sync.Mutex
	proxies map[string]bool // hosts that the environment names
}

// proxy follows the configuration, else the environment, and trusts the host
// that it names.
func (g *dialGuard) proxy(req *http.Request) (*url.URL, error) {
	u, err := g.through, error(nil)
	if u == nil {
		u, err = http.ProxyFromEnvironment(req)
	}
	if err == nil && u != nil {
		if err := g.refuseLiteral(req.URL); err != nil {
			return nil, err
		}
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

// notPublic are not public though netip does not call them private: RFC
// 6598, 2544, 6890, 5737, 3849, 4380, 8215 and 3879.
var notPublic = []netip.Prefix{
	netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("240.0.0.0/4"), netip.MustParsePrefix("192.0.2.0/24"),
	netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("2001:db8::/32"),
	netip.MustParsePrefix("2001::/32"), netip.MustParsePrefix("64:ff9b:1::/48"), netip.MustParsePrefix("fec0::/10"), netip.MustParsePrefix("::/96"),
}

// Addresses of IPv6 that stand for one of IPv4, which is what is reached.
var (
	nat64   = netip.MustParsePrefix("64:ff9b::/96") // RFC 6052: the last four bytes
	sixTo4  = netip.MustParsePrefix("2002::/16")    // RFC 3056: bytes two to five
	isatapA = []byte{0, 0, 0x5e, 0xfe}              // RFC 5214: before the last four bytes
)

func refusePrivate(address string) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%s: %w: %w", address, errPrivate, err)
	}
	if ip := at.Addr(); !isPublic(ip) {
		return fmt.Errorf("%s: %w", ip, errPrivate)
	}
	return nil
}

// IsPublic reports whether an address is one of the public Internet, which a
// crawl may visit whoever names it.
func IsPublic(ip netip.Addr) bool { return isPublic(ip) }

func isPublic(ip netip.Addr) bool {
	ip = ip.Unmap().WithZone("")
	if !ip.IsGlobalUnicast() || ip.IsPrivate() {
		return false
	}
	for _, p := range notPublic {
		if p.Contains(ip) {
			return false
		}
	}
	if !ip.Is6() {
		return true
	}
	b := ip.As16()
	switch {
	case nat64.Contains(ip):
		return isPublic(netip.AddrFrom4([4]byte(b[12:])))
	case sixTo4.Contains(ip):
		return isPublic(netip.AddrFrom4([4]byte(b[2:6])))
	case bytes.Equal(b[8:12], isatapA), b[8] == 2 && bytes.Equal(b[9:12], isatapA[1:]):
		return isPublic(netip.AddrFrom4([4]byte(b[12:])))
	}
	return true
}

// refuseLiteral judges an address in a URL that nobody looks up here: a proxy
// does.
func (g *dialGuard) refuseLiteral(u *url.URL) error {
	ip, err := netip.ParseAddr(u.Hostname())
	if err != nil || g.allow || g.trusted[u.Hostname()] || isPublic(ip) {
		return nil
	}
	return fmt.Errorf("%s: %w", ip, errPrivate)
}
