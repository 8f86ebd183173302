package crawler

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/PuerkitoBio/goquery"
)

const (
	// A picture wider than this is taken only where nothing smaller is.
	widestWanted = 4096
	// A size narrower than this is no substitute for one that failed.
	narrowestAlternative = 480
)

// lazyAttributes hold the address where src has a placeholder.
var lazyAttributes = []string{
	"data-full", "data-full-src", "data-original", "data-lazy-src", "data-src", "data-lazy", "data-original-src", "data-hi-res-src",
}

var lazySets = []string{"srcset", "data-srcset", "data-lazy-srcset"}

// unreadable kinds of <source> are passed over.
var unreadable = []string{"image/avif", "image/heic", "image/heif", "image/jxl", "image/svg+xml", "video/"}

// size is one address of a picture with what its srcset says of it.
type size struct {
	address string
	width   int     // by a w descriptor; 0 is not said
	density float64 // by an x descriptor, 1 if not said
}

// sizes gives the addresses of an img element's picture, the best first, and
// the largest width that is claimed for one.
func (p *page) sizes(img *goquery.Selection) (addresses []string, width int) {
	var sets []size
	elements := img
	if picture := img.Closest("picture"); picture.Length() > 0 {
		elements = picture.Find("source").FilterFunction(func(_ int, s *goquery.Selection) bool {
			kind := strings.ToLower(s.AttrOr("type", ""))
			return !slices.ContainsFunc(unreadable, func(u string) bool { return strings.HasPrefix(kind, u) })
		}).AddSelection(img)
	}
	elements.Each(func(_ int, s *goquery.Selection) {
		for _, name := range lazySets {
			sets = append(sets, parseSrcset(s.AttrOr(name, ""))...)
		}
	})
	slices.SortStableFunc(sets, func(a, b size) int {
		return cmp.Or(cmp.Compare(b.rank(), a.rank()), cmp.Compare(b.density, a.density))
	})
	add := func(reference string) {
		u, ok := resolve(p.base, reference)
		if !ok {
			return
		}
		if a, ok := canonical(u); ok && !slices.Contains(addresses, a) {
			addresses = append(addresses, a)
		}
	}
	small := map[string]bool{}
	for i, s := range sets {
		if i > 0 && s.width > 0 && s.width < narrowestAlternative {
			small[s.address] = true
			continue
		}
		width = max(width, s.width)
		add(s.address)
	}
	lazy := false
	for _, name := range lazyAttributes {
		if reference := img.AttrOr(name, ""); reference != "" {
			lazy = true
			add(reference)
		}
	}
	// Beside a lazy address, src is a placeholder.
	if src := img.AttrOr("src", ""); !lazy && !small[src] {
		add(src)
	}
	if declared, err := strconv.Atoi(strings.TrimSuffix(img.AttrOr("width", ""), "px")); err == nil {
		width = max(width, declared)
	}
	return addresses, width
}

// rank orders by width, those that are too wide last.
func (s size) rank() int {
	if s.width > widestWanted {
		return -s.width
	}
	return s.width
}

// parseSrcset reads the attribute by the rules of HTML, "Parsing a srcset
// attribute": an address may hold commas, but neither begins nor ends with
// one.
func parseSrcset(text string) []size {
	var out []size
	for {
		text = strings.TrimLeft(text, " \t\r\n\f,")
		if text == "" {
			return out
		}
		end := strings.IndexAny(text, " \t\r\n\f")
		if end < 0 {
			end = len(text)
		}
		s := size{address: text[:end], density: 1}
		text = text[end:]
		if trimmed := strings.TrimRight(s.address, ","); trimmed != s.address {
			s.address = trimmed
		} else {
			var descriptors string
			descriptors, text, _ = strings.Cut(text, ",")
			for d := range strings.FieldsSeq(descriptors) {
				switch value := d[:len(d)-1]; d[len(d)-1] {
				case 'w':
					if n, err := strconv.Atoi(value); err == nil && n > 0 {
						s.width = n
					}
				case 'x':
					if f, err := strconv.ParseFloat(value, 64); err == nil && f > 0 {
						s.density = f
					}
				}
			}
		}
		if !strings.HasPrefix(s.address, "data:") {
			out = append(out, s)
		}
	}
}
