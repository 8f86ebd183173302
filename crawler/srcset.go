package crawler

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// unreadable kinds of <source> are passed over, and with them AVIF and HEIC,
// which are read: a page that offers them so has the picture in another kind
// too, which is decoded in a hundredth of the time.
var unreadable = []string{"image/avif", "image/heic", "image/heif", "image/jxl", "image/svg+xml", "video/"}

func isUnreadableType(kind string) bool {
	return slices.ContainsFunc(unreadable, func(u string) bool { return strings.HasPrefix(kind, u) })
}

// size is one address of a picture with what the page says of it.
type size struct {
	address     string
	width       int     // 0 is not said
	density     float64 // by an x descriptor, 1 if not said
	whole       bool    // said to be the whole file
	placeholder bool    // stands for the picture until a script has run
}

var (
	onlyDescriptor  = regexp.MustCompile(`^[0-9]+(?:\.[0-9]+)?[wxh]$`)
	describesSrcset = regexp.MustCompile(`\s[0-9]+(?:\.[0-9]+)?[wx]\s*(?:,|$)`)
)

// parseSrcset reads the attribute by the rules of HTML, "Parsing a srcset
// attribute": an address may hold commas, but neither begins nor ends with
// one. A descriptor without its address is passed over.
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
					if n, err := strconv.Atoi(value); err == nil && n > 0 && n <= 1<<16 {
						s.width = n
					}
				case 'x':
					if f, err := strconv.ParseFloat(value, 64); err == nil && f > 0 && f < 100 {
						s.density = f
					}
				}
			}
		}
		if !strings.HasPrefix(s.address, "data:") && !onlyDescriptor.MatchString(s.address) {
			out = append(out, s)
		}
	}
}
