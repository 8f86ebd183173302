package main

import (
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/palate-art/palate/crawler"
)

// crawlFlags say how a crawl behaves. They are kept with the crawl, to resume
// it; headers are not, since they may hold what is secret.
type crawlFlags struct {
	Contact     string `help:"Your e-mail address or page: sites want to know whom to ask. Goes into the User-Agent." placeholder:"ADDRESS" json:"contact,omitempty"`
	MaxPages    int    `help:"Pages to visit at most." default:"0" placeholder:"N" json:"max_pages,omitempty"`
	MaxPictures int    `help:"Pictures to have at most, those of an interrupted run and known ones included." default:"0" placeholder:"N" json:"max_pictures,omitempty"`
	MaxDepth    int    `help:"Links to follow from the first page at most." default:"-1" placeholder:"N" json:"max_depth"`

	Want     string   `help:"Width of the pictures wanted, in pixels: of the sizes a site has, the smallest that is not smaller; or \"largest\"." default:"1024" placeholder:"N|largest" json:"want,omitempty"`
	Host     []string `help:"Further host whose pages are followed; pictures may come from anywhere." placeholder:"HOST" json:"host,omitempty"`
	Include  []string `help:"Follow only pages whose address matches; the first page always is." placeholder:"REGEXP" sep:"none" json:"include,omitempty"`
	Exclude  []string `help:"Leave pages and pictures whose address matches." placeholder:"REGEXP" sep:"none" json:"exclude,omitempty"`
	Filter   []string `help:"Take only pictures that meet all of this, such as \"width>=1000, aspect<2, type=jpeg|png, licence~CC, artist!~Anon, year>=1800, title~harbour\"." placeholder:"CONDITIONS" sep:"none" json:"filter,omitempty"`
	Range    string   `help:"Take only these of the pictures in the order in which they are met, such as 1-100." placeholder:"FROM-TO" json:"range,omitempty"`
	OptedOut bool     `help:"Take pictures although their site forbids to learn from them (noai, noimageai)." name:"opted-out" json:"opted_out,omitempty"`

	Delay     *time.Duration `help:"Pause between two requests to a site (default: 250ms). Less than 100ms is for sites of your own: on this machine, or at a private address that you name." placeholder:"DURATION" json:"delay,omitempty"`
	Parallel  int            `help:"Requests to a site at a time (default: 2; more than 8 for sites of your own)." placeholder:"N" json:"parallel,omitempty"`
	LimitRate string         `help:"Bytes a second from a site at most, such as 500K or 2M." placeholder:"RATE" json:"limit_rate,omitempty"`
	Site      []string       `help:"Other limits for one site: \"HOST delay=2s parallel=1 rate=1M\"." placeholder:"LIMITS" sep:"none" json:"site,omitempty"`
	Retries   int            `help:"Further tries after a failure that may pass." default:"-1" placeholder:"N" json:"retries"`
	Timeout   time.Duration  `help:"How long a site may be silent." default:"0s" placeholder:"DURATION" json:"timeout,omitempty"`
	Cookies   string         `help:"File of cookies as browsers' add-ons and curl write it (cookies.txt)." placeholder:"FILE" type:"path" json:"cookies,omitempty"`
	Header    []string       `help:"Header for the sites that you name, such as \"X-Token: abc\"." placeholder:"NAME:VALUE" sep:"none" json:"-"`
	Proxy     string         `help:"Proxy to go through, http, https or socks5 (default: as the environment says)." placeholder:"URL" json:"proxy,omitempty"`
}

// the slowest pace that strangers' sites must put up with.
const (
	leastDelay   = 100 * time.Millisecond
	mostParallel = 8
)

// apply changes a configuration. seeds decide whether the pace may be off.
func (f *crawlFlags) apply(config *crawler.Config, seeds []crawler.Seed) error {
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

func (f *crawlFlags) applyPace(config *crawler.Config, seeds []crawler.Seed) (err error) {
	if f.Delay != nil {
		config.Site.Delay = *f.Delay
	}
	if f.Parallel != 0 {
		config.Site.Parallelism = f.Parallel
		config.Workers = max(config.Workers, min(f.Parallel, 64))
	}
	if f.LimitRate != "" {
		if config.Site.BytesPerSecond, err = parseRate(f.LimitRate); err != nil {
			return usagef("--limit-rate: %v", err)
		}
	}
	if stranger := firstStranger(seeds); stranger != "" && (f.Delay != nil && *f.Delay < leastDelay || f.Parallel > mostParallel) {
		return usagef("--delay below %v and --parallel above %d are for sites of your own (on this machine, or at a private address that you name), and %s is none", leastDelay, mostParallel, stranger)
	}
	for _, text := range f.Site {
		if config.Sites == nil {
			config.Sites = map[string]crawler.SiteLimits{}
		}
		host, limits, err := parseSite(text, config.Site)
		if err != nil {
			return usagef("--site %q: %v", text, err)
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

func (f *crawlFlags) applyRequests(config *crawler.Config) error {
	if f.Cookies != "" {
		file, err := os.Open(f.Cookies)
		if err != nil {
			return usagef("--cookies: %v", err)
		}
		defer func() { _ = file.Close() }()
		if config.Cookies, err = crawler.ReadCookies(file); err != nil {
			return usage(err)
		}
	}
	for _, text := range f.Header {
		name, value, found := strings.Cut(text, ":")
		if !found || strings.TrimSpace(name) == "" {
			return usagef("--header: want a name, a colon and a value, such as \"X-Token: abc\"")
		}
		if config.Header == nil {
			config.Header = http.Header{}
		}
		config.Header.Add(strings.TrimSpace(name), strings.TrimSpace(value))
	}
	if f.Proxy != "" {
		u, err := url.Parse(f.Proxy)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" && u.Scheme != "socks5" {
			return usagef("--proxy is no address of a proxy, such as http://proxy.example:3128 or socks5://127.0.0.1:1080")
		}
		config.Proxy = u
	}
	return nil
}
