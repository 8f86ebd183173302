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

// visitParameters name a visit rather than a page; with them in an address
// every visit finds new pages.
var visitParameters = []string{
	"phpsessid", "jsessionid", "cftoken",
	"fbclid", "gclid", "msclkid", "mc_cid", "mc_eid", "_ga", "yclid",
}

// maybeSession are names that sites use for other things too, such as a
// series: their value tells.
var maybeSession = []string{"sid", "sessionid", "session_id", "session", "s", "zenid", "oscsid", "xtcsid"}

// namesVisit reports whether a parameter names a visit.
func namesVisit(name, value string, all []string) bool {
	name = strings.ToLower(name)
	switch {
	case strings.HasPrefix(name, "utm_"), strings.HasPrefix(name, "aspsessionid"), slices.Contains(visitParameters, name):
		return true
	case name == "cfid":
		return slices.ContainsFunc(all, func(part string) bool { return strings.HasPrefix(strings.ToLower(part), "cftoken=") })
	}
	return slices.Contains(maybeSession, name) && looksRandom(value)
}

// looksRandom reports values of 16 and more characters with both digits and
// letters and nothing else: a session's, or a hash.
func looksRandom(value string) bool {
	digits, letters := 0, 0
	for i := range len(value) {
		switch b := value[i]; {
		case b >= '0' && b <= '9':
			digits++
		case b >= 'a' && b <= 'z', b >= 'A' && b <= 'Z':
			letters++
		default:
			return false
		}
	}
	return digits > 2 && letters > 2 && digits+letters >= 16
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
	literal := strings.HasPrefix(c.Host, "[")
	if !ok || strings.Contains(host, ":") != literal {
		return "", false
	}
	if literal {
		host = "[" + host + "]"
	}
	switch port := c.Port(); {
	case port == "", port == "80" && c.Scheme == "http", port == "443" && c.Scheme == "https":
		c.Host = host
	default:
		c.Host = host + ":" + port
	}
	if c.Path == "" {
		c.Path = "/"
	}
	c.ForceQuery, c.RawQuery = false, escapeQuery(c.RawQuery)
	return c.String(), true
}

// visitKey is what a canonical address is told from others by: without what
// names a visit. It is not fit to be requested: a site may need the rest.
func visitKey(address string) string {
	if !strings.ContainsAny(address, "?;") {
		return address
	}
	before, query, asked := strings.Cut(address, "?")
	if i := strings.Index(strings.ToLower(before), ";jsessionid="); i >= 0 {
		before = before[:i]
	}
	if query = withoutVisit(query); asked && query != "" {
		return before + "?" + query
	}
	return before
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

// withoutVisit drops parameters and leaves the others as they are: order and
// encoding may matter to the site.
func withoutVisit(query string) string {
	all := strings.Split(query, "&")
	parts := slices.DeleteFunc(slices.Clone(all), func(part string) bool {
		name, value, _ := strings.Cut(part, "=")
		return part == "" || namesVisit(name, value, all)
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
	if end := strings.IndexAny(reference+"?", "?#"); strings.IndexByte(reference[:end], '\\') >= 0 {
		// As the URL standard has it, and as people write who know files.
		reference = strings.ReplaceAll(reference[:end], `\`, "/") + reference[end:]
	}
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
