package crawler

import (
	"fmt"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/net/idna"
)

// Longer addresses of pages come from traps. Pictures' may be longer: a
// title of 240 bytes in UTF-8 is 720 when percent-encoded, and thumbnails
// name it twice.
const (
	maxPageAddress    = 2048
	maxPictureAddress = 8192
)

// sessionParameters name a visit rather than a page; with them in an address
// every visit finds new pages.
var sessionParameters = []string{
	"phpsessid", "jsessionid", "sessionid", "session_id", "aspsessionid", "cfid", "cftoken",
	"fbclid", "gclid", "msclkid", "mc_cid", "mc_eid", "_ga", "yclid",
}

// canonical gives the one form of an address that a crawl goes by; ok is
// false for what can't be visited at all.
func canonical(u *url.URL) (address string, ok bool) {
	if u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.Opaque != "" {
		return "", false
	}
	c := *u
	c.Fragment, c.RawFragment, c.User = "", "", nil
	host, ok := asciiHost(c.Hostname())
	if !ok {
		return "", false
	}
	c.Host = strings.Replace(c.Host, c.Hostname(), host, 1)
	if port := c.Port(); port == "80" && c.Scheme == "http" || port == "443" && c.Scheme == "https" {
		c.Host = strings.TrimSuffix(c.Host, ":"+port)
	}
	if c.Path == "" {
		c.Path = "/"
	}
	if i := strings.Index(strings.ToLower(c.Path), ";jsessionid="); i >= 0 {
		c.Path, c.RawPath = c.Path[:i], ""
	}
	c.ForceQuery, c.RawQuery = false, escapeQuery(withoutSession(c.RawQuery))
	return c.String(), true
}

// asciiHost is the form of a host name that is looked up. IDNA refuses some
// that exist, such as those with an underscore.
func asciiHost(host string) (string, bool) {
	if !strings.ContainsFunc(host, func(r rune) bool { return r > unicode.MaxASCII }) {
		return strings.ToLower(host), true
	}
	ascii, err := idna.Lookup.ToASCII(host)
	return ascii, err == nil
}

// escapeQuery percent-encodes what may not stand in a query, which url.URL
// leaves as the page has it.
func escapeQuery(query string) string {
	var out strings.Builder
	for i := range len(query) {
		if b := query[i]; b <= ' ' || b >= 0x7f || b == '"' || b == '<' || b == '>' {
			fmt.Fprintf(&out, "%%%02X", b)
		} else {
			out.WriteByte(b)
		}
	}
	return out.String()
}

// withoutSession drops parameters and leaves the others as they are: order
// and encoding may matter to the site.
func withoutSession(query string) string {
	if query == "" {
		return ""
	}
	parts := slices.DeleteFunc(strings.Split(query, "&"), func(part string) bool {
		name, value, _ := strings.Cut(part, "=")
		name = strings.ToLower(name)
		if name == "sid" && len(value) >= 16 {
			return true // a token; what is short names a series, or a story
		}
		return part == "" || strings.HasPrefix(name, "utm_") || slices.Contains(sessionParameters, name)
	})
	return strings.Join(parts, "&")
}

// resolve reads a reference in a page. An empty one names nothing: resolved,
// it would be the page itself.
func resolve(base *url.URL, reference string) (*url.URL, bool) {
	reference = strings.TrimFunc(reference, func(r rune) bool { return unicode.IsSpace(r) || r == 0 })
	if reference == "" || strings.HasPrefix(reference, "#") {
		return nil, false
	}
	reference = strings.Map(func(r rune) rune {
		if r == '\n' || r == '\r' || r == '\t' {
			return -1 // as the URL standard has it
		}
		return r
	}, reference)
	u, err := base.Parse(strings.ReplaceAll(reference, " ", "%20"))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return nil, false
	}
	return u, true
}

var pictureExtensions = []string{
	".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".gif", ".webp", ".bmp", ".tif", ".tiff", ".avif", ".heic", ".heif", ".jxl", ".svg",
}

// otherExtensions are of files that are neither pages nor pictures.
var otherExtensions = []string{
	".pdf", ".zip", ".gz", ".tar", ".rar", ".7z", ".mp3", ".mp4", ".webm", ".ogg", ".oga", ".ogv", ".wav", ".mov", ".avi", ".mkv",
	".css", ".js", ".mjs", ".json", ".xml", ".rss", ".atom", ".txt", ".csv", ".doc", ".docx", ".xls", ".xlsx", ".ppt", ".pptx",
	".epub", ".djvu", ".exe", ".dmg", ".apk", ".iso", ".ics", ".woff", ".woff2", ".ttf", ".ico",
}

// namespaced is a wiki's page with a namespace, such as "File:Wheat.jpg":
// a page, whatever it ends in.
var namespaced = regexp.MustCompile(`^[\p{L}_ ]+:.`)

// looksLikePicture goes by the ending of the path, all that can be known
// before a visit.
func looksLikePicture(u *url.URL) bool {
	name := path.Base(u.Path)
	return slices.Contains(pictureExtensions, strings.ToLower(path.Ext(name))) && !namespaced.MatchString(name)
}

func looksLikeOtherFile(u *url.URL) bool {
	name := path.Base(u.Path)
	return slices.Contains(otherExtensions, strings.ToLower(path.Ext(name))) && !namespaced.MatchString(name)
}

// looksLikeTrap reports addresses that sites make without end.
func looksLikeTrap(address string, u *url.URL) bool {
	if len(address) > maxPageAddress {
		return true
	}
	times := map[string]int{}
	for segment := range strings.SplitSeq(u.Path, "/") {
		if times[segment]++; segment != "" && times[segment] > 3 {
			return true
		}
	}
	return false
}

func withoutWWW(host string) string { return strings.TrimPrefix(strings.ToLower(host), "www.") }

// sameSite reports whether pages of the host to are followed from pages of
// the host from.
func (r *run) sameSite(from, to string) bool {
	return withoutWWW(from) == withoutWWW(to) || r.hosts[withoutWWW(to)]
}

// fileName is the name at the end of an address, as a person reads it.
func fileName(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	if name := path.Base(u.Path); name != "/" && name != "." {
		return strings.ToValidUTF8(name, "\uFFFD")
	}
	return ""
}

func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Hostname()
}
