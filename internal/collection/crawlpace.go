package collection

import (
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/palate-art/palate/crawler"
	"github.com/palate-art/palate/internal/regular"
)

// the slowest pace that strangers' sites must put up with.
const (
	leastDelay   = 100 * time.Millisecond
	mostParallel = 8
)

// apply changes a configuration. seeds decide whether the pace may be off.
func (f *CrawlBehaviour) apply(config *crawler.Config, seeds []crawler.Seed) error {
	if f.Contact != "" {
		config.Contact = f.Contact
	}
	if f.MaxPages > 0 {
		config.MaxPages = f.MaxPages
	}
	if f.MaxPictures > 0 {
		config.MaxPictures = f.MaxPictures
	}
	if f.MaxDepth >= 0 {
		config.MaxDepth = f.MaxDepth
	}
	if f.Retries >= 0 {
		config.Retries = f.Retries
	}
	if f.Timeout > 0 {
		config.Timeout, config.MaxTime = f.Timeout, max(config.MaxTime, f.Timeout)
	}
	config.Hosts, config.Include, config.Exclude = f.Host, f.Include, f.Exclude
	config.Filter, config.Range, config.IgnoreOptOut = f.Filter, f.Range, f.OptedOut
	width, err := wantedWidth(f.Want)
	if err != nil {
		return err
	}
	config.Want = width
	if err := f.applyPace(config, seeds); err != nil {
		return err
	}
	return f.applyRequests(config)
}

// keeping is how many pictures may be judged and kept beside the requests that
// a site allows at a time.
const keeping = 4

func (f *CrawlBehaviour) applyPace(config *crawler.Config, seeds []crawler.Seed) (err error) {
	if f.Delay != nil {
		config.Site.Delay = *f.Delay
	}
	if f.Parallel != 0 {
		config.Site.Parallelism = f.Parallel
		// A site's allowance is used while others' answers are being kept.
		config.Workers = max(config.Workers, min(f.Parallel+keeping, 64))
	}
	if f.LimitRate != "" {
		if config.Site.BytesPerSecond, err = parseRate(f.LimitRate); err != nil {
			return askedf("--limit-rate: %v", err)
		}
	}
	if stranger := firstStranger(seeds); stranger != "" && (f.Delay != nil && *f.Delay < leastDelay || f.Parallel > mostParallel) {
		return askedf("--delay below %v and --parallel above %d are for sites of your own (on this machine, or at a private address that you name), and %s is none", leastDelay, mostParallel, stranger)
	}
	for _, text := range f.Site {
		if config.Sites == nil {
			config.Sites = map[string]crawler.SiteLimits{}
		}
		host, limits, err := parseSite(text, config.Site)
		if err != nil {
			return askedf("--site %q: %v", text, err)
		}
		config.Sites[host] = limits
	}
	return nil
}

// firstStranger is the first host of the seeds that is not the operator's by
// its address; empty if there is none.
func firstStranger(seeds []crawler.Seed) string {
	for _, seed := range seeds {
		u, err := url.Parse(seed.URL)
		if err != nil || !isOwnHost(u.Hostname()) {
			return u.Hostname()
		}
	}
	return ""
}

func isOwnHost(host string) bool {
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && (ip.IsLoopback() || ip.IsPrivate())
}

// parseRate reads "500K", "2M" and plain bytes, a second.
func parseRate(text string) (int64, error) {
	number, unit := strings.ToUpper(strings.TrimSpace(text)), int64(1)
	for suffix, size := range map[string]int64{"K": 1 << 10, "M": 1 << 20, "G": 1 << 30} {
		if rest, ok := strings.CutSuffix(number, suffix); ok {
			number, unit = rest, size
		}
	}
	n, err := strconv.ParseFloat(number, 64)
	if err != nil || n <= 0 || n*float64(unit) > 1e15 || n*float64(unit) < 1 {
		return 0, fmt.Errorf("%q is no rate such as 500K or 2M", text)
	}
	return int64(n * float64(unit)), nil
}

// parseSite reads "example.org delay=2s parallel=1 rate=1M".
func parseSite(text string, usual crawler.SiteLimits) (host string, limits crawler.SiteLimits, err error) {
	words := strings.Fields(text)
	if len(words) < 2 {
		return "", usual, fmt.Errorf("want a host and its limits, such as \"example.org delay=2s parallel=1 rate=1M\"")
	}
	limits = usual
	for _, word := range words[1:] {
		name, value, _ := strings.Cut(word, "=")
		switch name {
		case "delay":
			limits.Delay, err = time.ParseDuration(value)
		case "parallel":
			limits.Parallelism, err = strconv.Atoi(value)
		case "rate":
			limits.BytesPerSecond, err = parseRate(value)
		default:
			err = fmt.Errorf("there is no %q; there are delay, parallel and rate", name)
		}
		if err != nil {
			return "", usual, err
		}
	}
	host = strings.ToLower(words[0])
	if !isOwnHost(host) && (limits.Delay < leastDelay || limits.Parallelism > mostParallel) {
		return "", usual, fmt.Errorf("a delay below %v or more than %d at a time are for sites of your own", leastDelay, mostParallel)
	}
	return host, limits, nil
}

func (f *CrawlBehaviour) applyRequests(config *crawler.Config) error {
	if f.Cookies != "" {
		file, err := regular.Open(f.Cookies)
		if err != nil {
			return askedf("--cookies: %v", err)
		}
		defer func() { _ = file.Close() }()
		if config.Cookies, err = crawler.ReadCookies(file); err != nil {
			return asked(err)
		}
	}
	for _, text := range f.Header {
		name, value, found := strings.Cut(text, ":")
		if !found || strings.TrimSpace(name) == "" {
			return askedf("--header: want a name, a colon and a value, such as \"X-Token: abc\"")
		}
		if config.Header == nil {
			config.Header = http.Header{}
		}
		config.Header.Add(strings.TrimSpace(name), strings.TrimSpace(value))
	}
	if f.Proxy != "" {
		u, err := url.Parse(f.Proxy)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" && u.Scheme != "socks5" {
			return askedf("--proxy is no address of a proxy, such as http://proxy.example:3128 or socks5://127.0.0.1:1080")
		}
		config.Proxy = u
	}
	return nil
}

// wantedWidth reads --want.
func wantedWidth(text string) (int, error) {
	switch text {
	case "":
		return crawler.DefaultConfig().Want, nil
	case "largest":
		return 0, nil
	}
	width, err := strconv.Atoi(text)
	if err != nil || width < 1 {
		return 0, askedf("--want is %q: give a width in pixels, such as 1024, or \"largest\"", text)
	}
	return width, nil
}
