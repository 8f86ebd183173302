package crawler

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/publicsuffix"

	"github.com/palate-art/palate"
)

// What a site may set: RFC 6265, section 6.1 asks for at least 50 cookies of
// a domain and 4096 bytes each.
const (
	maxCookies     = 100
	maxCookieBytes = 4096
)

// jar carries cookies from pages to pictures within a run. A site can't fill
// it without end. It is safe for concurrent use.
type jar struct {
	*cookiejar.Jar
	mu    sync.Mutex
	names map[string]map[string]bool // by site
}

// newJar holds the operator's cookies at first.
func newJar(cookies []Cookie) *jar {
	inner, err := cookiejar.New(&cookiejar.Options{PublicSuffixList: publicsuffix.List})
	if err != nil {
		panic(err) // no options can be wrong
	}
	j := &jar{Jar: inner, names: map[string]map[string]bool{}}
	for _, c := range cookies {
		u := &url.URL{Scheme: "https", Host: c.Host, Path: c.Path}
		out := &http.Cookie{Name: c.Name, Value: c.Value, Path: c.Path, Secure: c.Secure, Expires: c.Expires}
		if c.Subdomains {
			out.Domain = c.Host
		}
		inner.SetCookies(u, []*http.Cookie{out})
	}
	return j
}

// SetCookies implements http.CookieJar.
func (j *jar) SetCookies(u *url.URL, cookies []*http.Cookie) {
	site := siteOf(u.Hostname())
	j.mu.Lock()
	names := j.names[site]
	if names == nil {
		names = map[string]bool{}
		j.names[site] = names
	}
	var taken []*http.Cookie
	for _, c := range cookies {
		name := c.Name + ";" + c.Path + ";" + c.Domain
		if len(c.Name)+len(c.Value) > maxCookieBytes || len(names) >= maxCookies && !names[name] {
			continue
		}
		names[name] = true
		taken = append(taken, c)
	}
	j.mu.Unlock()
	j.Jar.SetCookies(u, taken)
}

// Cookie is one cookie that the operator gives along, such as of an account.
// It goes to its own host alone.
type Cookie struct {
	Host        string
	Subdomains  bool // it goes to those of the host too
	Path        string
	Secure      bool      // it goes over https alone
	Expires     time.Time // zero is never
	Name, Value string
}

// ReadCookies reads the cookies.txt of Netscape, which browsers' add-ons,
// curl and yt-dlp write: seven fields by tabs, "#HttpOnly_" before some, other
// lines that begin with # are comments. Its error is palate.ErrInvalid and
// names the line; it never holds a cookie's value.
func ReadCookies(r io.Reader) ([]Cookie, error) {
	var out []Cookie
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimPrefix(strings.TrimRight(lines.Text(), "\r"), "\xef\xbb\xbf")
		line = strings.TrimPrefix(line, "#HttpOnly_")
		if strings.TrimSpace(line) == "" || strings.HasPrefix(line, "#") {
			continue
		}
		fields := strings.Split(line, "\t")
		if len(fields) == 6 {
			fields = append(fields, "") // an empty value is often lost
		}
		if len(fields) != 7 {
			return nil, fmt.Errorf("crawler: cookies, line %d has %d fields, want 7 with tabs between them: %w", n, len(fields), palate.ErrInvalid)
		}
		seconds, err := strconv.ParseFloat(strings.TrimSpace(fields[4]), 64)
		host := strings.ToLower(strings.TrimPrefix(fields[0], "."))
		if err != nil || host == "" || fields[5] == "" || !strings.HasPrefix(fields[2], "/") {
			return nil, fmt.Errorf("crawler: cookies, line %d is none of host, subdomains, path, secure, expiry, name and value: %w", n, palate.ErrInvalid)
		}
		c := Cookie{
			Host: host, Subdomains: strings.EqualFold(fields[1], "TRUE") || strings.HasPrefix(fields[0], "."), Path: fields[2],
			Secure: strings.EqualFold(fields[3], "TRUE"), Name: fields[5], Value: fields[6],
		}
		if seconds > 0 {
			c.Expires = time.Unix(int64(min(seconds, 1<<40)), 0)
		}
		out = append(out, c)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("crawler: cookies: %w: %w", palate.ErrInvalid, err)
	}
	return out, nil
}
