package crawler

import (
	"net/url"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Sites name one picture by several addresses, one for each size. What in an
// address is a size and what names the picture is told here.

// sizeWords name a size, as a folder or at the edge of a file's name.
var sizeWords = wordSet(`thumb thumbs thumbnail thumbnails small smaller medium large larger full fullsize original originals orig
	preview previews big tiny mini square smaller_square hd 4k xl xxl xs sm md lg max hires highres lowres scaled web retina
	pinterestlarge portrait halfhd`)

// sizeParameters of a query change the file, not the picture.
var sizeParameters = wordSet(`w h width height size sz s q quality format fm fit crop auto resize dpr imwidth imheight sw sh mw mh maxwidth
	maxheight max_w max_h is-pending-load ssl strip v ver itok cb fl sharp blur bg rect lossy zoom type tr name_size imgmax`)

// wordlessNames say nothing of what they name.
var wordlessNames = wordSet(`default image img images full thumb thumbnail index photo picture pic native main cover large original file
	view show get download dsc dscn dscf imgp pict scan foto bild media upload uploads work item page screenshot unnamed untitled p pxl`)

func wordSet(text string) map[string]bool {
	set := map[string]bool{}
	for word := range strings.FieldsSeq(text) {
		set[word] = true
	}
	return set
}

var (
	sizeSegment = regexp.MustCompile(`^(?:\d{2,5}x\d{0,5}|x\d{2,5}|[swhc]\d{2,5}(?:-[a-z0-9]+)*|\d{2,5}(?:px|w)|(?:w|h|c|q|f|g|ar|dpr|t|b|fl|e|ch|cw|x|y|al|lg|enc|usm|blur)_[^/]*|(?:width|height|quality|fit|format|f|w|h)=[^/]*|[!^]?\d{0,5},\d{0,5}|pct:\d+(?:\.\d+)?|maxres\w*|(?:fit|crop|resize)-\w+)$`)
	sizeSuffix  = regexp.MustCompile(`(?:[-_.]?(?:\d{2,5}x\d{0,5}|x\d{3,5})(?:[-_]?(?:crop|c)[a-z_]*)?|[-_.]\d{2,5}(?:w|px)|[-_.][wh]\d{2,5}|@\d(?:\.\d)?x|[-_]e\d{10,}|=(?:[swh]\d+)(?:-[a-z0-9]+)*)$`)
	sizePrefix  = regexp.MustCompile(`^(?:\d{2,5}(?:px|w)?[-_]|lossy-page\d+-|page\d+-|lossless-page\d+-)`)
	edgeWord    = regexp.MustCompile(`^(.*?)[-_.]([a-z0-9]+)$`)
	frontWord   = regexp.MustCompile(`^([a-z0-9]+)[-_.](.+)$`)
	lastNumber  = regexp.MustCompile(`^(.*?)[-_.=]?(\d{2,5})$`)
	photonHost  = regexp.MustCompile(`^i\d\.wp\.com$`)
)

// imprint is what is left of a picture's address without its size.
type imprint struct {
	strict string // equal for addresses that differ in nothing but a size
	loose  string // strict without a number or letter at its end that may be a size
	base   string // the file's own name; empty where that says nothing
	path   []string
}

// imprints remembers what was read last: a page asks for each of its
// addresses several times. Its values are read-only.
var imprints struct {
	sync.Mutex
	of map[string]imprint
}

const maxImprints = 1 << 14

// imprintOf reads an address. An address that carries another one, as resizing
// proxies do, is read as the one it carries.
func imprintOf(address string) imprint {
	imprints.Lock()
	im, ok := imprints.of[address]
	imprints.Unlock()
	if ok {
		return im
	}
	im = readImprint(address)
	imprints.Lock()
	defer imprints.Unlock()
	if imprints.of == nil || len(imprints.of) >= maxImprints {
		imprints.of = make(map[string]imprint, 256)
	}
	imprints.of[address] = im
	return im
}

func readImprint(address string) imprint {
	u, err := url.Parse(address)
	if err != nil {
		return imprint{strict: address, loose: address}
	}
	if inner := innerAddress(u); inner != nil {
		u = inner
	}
	host := strings.ToLower(u.Host)
	p := strings.ToLower(u.Path)
	if i := strings.IndexByte(p, '!'); i > 0 && strings.Contains(p[:i], ".") {
		p = p[:i] // "picture.jpg!Large.jpg"
	}
	segments := strings.Split(strings.Trim(p, "/"), "/")
	if photonHost.MatchString(host) && len(segments) > 1 {
		host, segments = segments[0], segments[1:]
	}
	segments = withoutSizes(segments)
	base := ""
	if n := len(segments); n > 0 {
		base = bareName(segments[n-1])
		segments[n-1] = base
	}
	query := keptQuery(u.RawQuery)
	out := imprint{path: segments, strict: host + "/" + strings.Join(segments, "/") + query}
	looseBase := withoutLastNumber(base)
	out.loose = out.strict
	if looseBase != base {
		out.loose = host + "/" + strings.Join(append(slices.Clone(segments[:len(segments)-1]), looseBase), "/") + query
	}
	if query == "" && telling(looseBase) {
		out.base = looseBase
	}
	return out
}

// innerAddress is the one in a query's url parameter or at a path's end.
func innerAddress(u *url.URL) *url.URL {
	for _, name := range []string{"url", "src", "image", "img", "u", "file"} {
		value := u.Query().Get(name)
		if value == "" {
			continue
		}
		if inner, err := u.Parse(value); err == nil && looksLikePicture(inner) {
			return inner
		}
	}
	if i := strings.LastIndex(u.Path, "/http"); i > 0 {
		text := strings.Replace(u.Path[i+1:], ":/", "://", 1)
		text = strings.Replace(text, ":///", "://", 1)
		if inner, err := url.Parse(text); err == nil && inner.Host != "" {
			return inner
		}
	}
	return nil
}

// withoutSizes drops the folders that name a size or a form.
func withoutSizes(segments []string) []string {
	out := make([]string, 0, len(segments))
	for i := 0; i < len(segments); i++ {
		s := segments[i]
		last := i == len(segments)-1
		switch {
		case s == "v1" && i+1 < len(segments) && (segments[i+1] == "fill" || segments[i+1] == "fit" || segments[i+1] == "crop"):
			return out // what follows is the form alone
		case s == "styles" && i+2 < len(segments) && !last:
			i += 1 // the style's name
		case !last && (sizeWords[s] || sizeSegment.MatchString(s)):
		case last && len(out) > 0 && strings.HasSuffix(s, out[len(out)-1]) && sizePrefix.MatchString(s):
			// ".../Wheat.jpg/300px-Wheat.jpg"
		case last && (sizeSegment.MatchString(s) || sizeWords[s]) && len(out) > 0:
		default:
			out = append(out, s)
		}
	}
	// IIIF: …/identifier/region/size/rotation/quality.format
	if n := len(out); n >= 3 && (strings.HasPrefix(out[n-1], "default.") || strings.HasPrefix(out[n-1], "native.")) {
		if _, err := strconv.ParseFloat(strings.TrimPrefix(out[n-2], "!"), 64); err == nil {
			return out[:n-2]
		}
	}
	return out
}

// bareName is a file's name without ending and sizes.
func bareName(name string) string {
	if ext := path.Ext(name); ext != "" && len(ext) <= 6 {
		name = strings.TrimSuffix(name, ext)
	}
	for range 4 {
		before := name
		if cut := sizeSuffix.ReplaceAllString(name, ""); cut != "" {
			name = cut
		}
		if m := edgeWord.FindStringSubmatch(name); m != nil && sizeWords[m[2]] && m[1] != "" {
			name = m[1]
		}
		if m := frontWord.FindStringSubmatch(name); m != nil && sizeWords[m[1]] {
			name = m[2]
		}
		if name == before {
			break
		}
	}
	return name
}

// withoutLastNumber drops what may be a width at a name's end, if what is
// left still tells it from others; a letter alone, as photo hosts have it, too.
func withoutLastNumber(name string) string {
	if n := len(name); n > 4 && (name[n-2] == '_') && name[n-1] >= 'a' && name[n-1] <= 'z' && strings.ContainsAny(name, "0123456789") {
		name = name[:n-2]
	}
	m := lastNumber.FindStringSubmatch(name)
	if m == nil || m[1] == "" || wordlessNames[strings.Trim(m[1], "-_.")] {
		return name
	}
	if strings.ContainsAny(m[1], "0123456789") && m[1] != name && len(m[0]) > len(m[1])+len(m[2]) || len(m[1]) >= 5 && len(m[0]) > len(m[1])+len(m[2]) {
		return m[1]
	}
	return name
}

func telling(name string) bool {
	return len(name) >= 3 && !wordlessNames[name] && !sizeWords[name]
}

// keptQuery drops the parameters that are sizes.
func keptQuery(query string) string {
	if query == "" {
		return ""
	}
	parts := slices.DeleteFunc(strings.Split(query, "&"), func(part string) bool {
		name, _, _ := strings.Cut(part, "=")
		return sizeParameters[strings.ToLower(name)]
	})
	if len(parts) == 0 {
		return ""
	}
	return "?" + strings.Join(parts, "&")
}

// resembles reports addresses that are likely the same picture. It is to be
// asked only where something else, such as a link, brings the two together.
func (a imprint) resembles(b imprint) bool {
	if a.strict == b.strict || a.loose == b.loose {
		return true
	}
	if a.base != "" && (a.base == b.base || slices.Contains(b.path, a.base)) {
		return true
	}
	return b.base != "" && slices.Contains(a.path, b.base)
}

var (
	widthPair      = regexp.MustCompile(`(?:^|[^0-9a-z])(\d{2,5})x(?:\d{2,5})?(?:[^0-9a-z]|$)`)
	widthMark      = regexp.MustCompile(`(?:^|[^0-9a-z])(?:[ws](\d{2,5})(?:-|$|/)|(\d{2,5})px|w_(\d{2,5})|(?:width|w)=(\d{2,5})|(\d{2,5})w(?:[^0-9a-z]|$))`)
	widthComma     = regexp.MustCompile(`/(?:!)?(\d{2,5}),(?:\d{2,5})?/`)
	widthLast      = regexp.MustCompile(`[-_](\d{2,4})$`)
	widthParameter = regexp.MustCompile(`(?:^|&)(?:w|width|imwidth|sw|mw|maxwidth|max_w|size|sz)=(\d{2,5})(?:&|$)`)
)

// widthIn is the width that an address names; 0 if it names none. A number at
// a name's end passes for one: it only orders the sizes of one picture.
func widthIn(address string) int {
	u, err := url.Parse(address)
	if err != nil {
		return 0
	}
	if m := widthParameter.FindStringSubmatch(strings.ToLower(u.RawQuery)); m != nil {
		return atoi(m[1])
	}
	if u.Query().Get("format") != "" {
		if n := atoi(strings.TrimSuffix(u.Query().Get("format"), "w")); n > 0 {
			return n // "?format=1500w"
		}
	}
	p := strings.ToLower(u.Path)
	for _, pattern := range []*regexp.Regexp{widthPair, widthComma, widthMark} {
		if m := pattern.FindStringSubmatch(p); m != nil {
			for _, number := range m[1:] {
				if number != "" {
					return atoi(number)
				}
			}
		}
	}
	name := path.Base(p)
	if ext := path.Ext(name); ext != "" {
		name = strings.TrimSuffix(name, ext)
	}
	if m := widthLast.FindStringSubmatch(name); m != nil {
		if n := atoi(m[1]); n >= 40 {
			return n
		}
	}
	return 0
}

func atoi(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		return 0
	}
	return n
}
