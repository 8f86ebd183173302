package crawler

import (
	"encoding/json"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/net/html"
)

// Scripts that load pictures late have dozens of names for the attribute that
// holds the address. So an attribute is judged by its value; its name counts
// only where an address without an ending might be something else.

// plainAttributes never hold the address of a picture in another size.
var plainAttributes = wordSet(`href alt title class id style width height sizes srcdoc d content name type rel target role lang dir value
	itemprop itemtype itemscope itemid action formaction cite usemap loading decoding tabindex crossorigin integrity referrerpolicy`)

var (
	pictureName    = regexp.MustCompile(`src|img|image|orig|full|large|zoom|hi-?res|high-?res|big|max|photo|picture|lazy|retina|echo|bg|background|thumb|poster|actual|media|file|url|bild|foto|pic`)
	otherName      = regexp.MustCompile(`link|href|page|class|target|api|ajax|action|next|prev|json|sizes|alt$|title|caption|meta|aspect|width|height|srcdoc|video|audio|iframe|share|tweet|pin-(?:desc|url)|script|template|module|manifest|tile`)
	backgroundName = regexp.MustCompile(`src|img|image|bg|background|photo|picture|full|large|orig|zoom`)
	widthTemplate  = regexp.MustCompile(`(?i)(?:\{\{?|%7B|\[)\s*(?:width|w|size)\s*(?:\}?\}|%7D|\])`)
	heightTemplate = regexp.MustCompile(`(?i)x?(?:\{\{?|%7B)\s*(?:height|h)\s*(?:\}?\}|%7D)`)
	wholeName      = regexp.MustCompile(`full|orig|large|zoom|hi-?res|high-?res|big|max|actual`)
	smallName      = regexp.MustCompile(`thumb|small|tiny|lqip|low|blur|placeholder|preview`)
)

// maxAttribute bounds the attributes that are read as lists or JSON.
const maxAttribute = 256 << 10

// attributeSizes are the addresses of pictures that one attribute of an
// element holds. own says that the element is itself a picture.
func (p *page) attributeSizes(n *html.Node, a html.Attribute, own bool) []size {
	name, value := strings.ToLower(a.Key), strings.TrimSpace(a.Val)
	if value == "" || len(value) > maxAttribute || plainAttributes[name] || strings.HasPrefix(name, "on") || strings.HasPrefix(name, "aria-") {
		return nil
	}
	switch {
	case strings.Contains(name, "srcset") || describesSrcset.MatchString(value):
		return p.resolved(parseSrcset(value), "")
	case value[0] == '{' || value[0] == '[':
		return p.jsonSizes(value)
	case strings.HasPrefix(value, "url("):
		return p.resolved(cssAddresses(value), name)
	case widthTemplate.MatchString(value):
		return p.templateSizes(n, value)
	case !isReference(value):
		return nil
	}
	u, ok := resolve(p.base, value)
	if !ok {
		return nil
	}
	if !looksLikePicture(u) {
		switch {
		case name == "src":
			if !own {
				return nil
			}
		case looksLikeOtherFile(u), otherName.MatchString(name):
			return nil
		case own && pictureName.MatchString(name):
		case !own && backgroundName.MatchString(name):
		default:
			return nil
		}
		if strings.Contains(name, "url") && name != "data-src-url" && !backgroundName.MatchString(name) {
			return nil // more likely the page's
		}
	}
	return p.resolved([]size{{address: value, density: 1}}, name)
}

// isReference reports values that may be addresses: one word with a path.
func isReference(value string) bool {
	if strings.ContainsAny(value, " \t\r\n<>\"'{}|\\^`") && !strings.Contains(value, "://") || len(value) > maxPictureAddress {
		return false
	}
	if strings.HasPrefix(value, "data:") || strings.HasPrefix(value, "blob:") || strings.HasPrefix(value, "javascript:") {
		return false
	}
	return strings.ContainsAny(value, "/.") || strings.Contains(value, "?")
}

// resolved gives the sizes with canonical addresses; what can't be visited is
// left out. name is of the attribute they stood in.
func (p *page) resolved(sizes []size, name string) []size {
	out := make([]size, 0, len(sizes))
	for _, s := range sizes {
		if strings.ContainsAny(s.address, "{}") {
			continue // a template that only its script can fill
		}
		u, ok := resolve(p.base, s.address)
		if !ok {
			continue
		}
		address, ok := canonical(u)
		if !ok || len(address) > maxPictureAddress {
			continue
		}
		s.address = address
		if bare, ok := withoutForm(address); ok {
			out = append(out, size{address: bare, density: 1, whole: true})
		}
		if name != "src" && name != "" && wholeName.MatchString(name) && !smallName.MatchString(name) {
			s.whole = true
		}
		out = append(out, s)
	}
	return out
}

// withoutForm is the whole file of an address that names a form of it behind
// an exclamation mark: "picture.jpg!Large.jpg".
func withoutForm(address string) (string, bool) {
	i := strings.LastIndexByte(address, '!')
	if i < 0 || !wholeEnding.MatchString(address[:i]) {
		return "", false
	}
	return address[:i], true
}

var wholeEnding = regexp.MustCompile(`(?i)\.(?:jpe?g|png|webp|gif)$`)

// templateSizes fills "{width}" with the widths that stand beside it, or with
// usual ones.
func (p *page) templateSizes(n *html.Node, value string) []size {
	widths := []int{}
	for _, name := range []string{"data-widths", "data-sizes", "data-srcset-widths", "data-available-widths"} {
		for number := range strings.FieldsFuncSeq(attribute(n, name), func(r rune) bool { return r < '0' || r > '9' }) {
			if w := atoi(number); w > 0 && w <= 1<<15 && len(widths) < 64 {
				widths = append(widths, w)
			}
		}
	}
	if len(widths) == 0 {
		widths = []int{600, max(1024, p.run.cfg.Want), 2048}
	}
	var out []size
	for _, w := range widths {
		address := heightTemplate.ReplaceAllString(widthTemplate.ReplaceAllString(value, strconv.Itoa(w)), "")
		out = append(out, size{address: address, width: w, density: 1})
	}
	return p.resolved(out, "")
}

// jsonSizes are the addresses of an attribute that holds JSON.
func (p *page) jsonSizes(value string) []size {
	var v any
	if json.Unmarshal([]byte(value), &v) != nil {
		return nil
	}
	found := p.jsonPictures(v)
	if len(found) != 1 {
		return nil // a list is no picture's sizes, see galleries
	}
	return found[0].sizes
}

var cssURL = regexp.MustCompile(`url\(\s*(?:"([^"]*)"|'([^']*)'|([^)"']*))\s*\)`)

// cssAddresses are those of a style's url() values.
func cssAddresses(style string) []size {
	var out []size
	for _, m := range cssURL.FindAllStringSubmatch(style, 16) {
		if address := firstOf(m[1], m[2], strings.TrimSpace(m[3])); address != "" && isReference(address) {
			out = append(out, size{address: address, density: 1})
		}
	}
	return out
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if strings.EqualFold(a.Key, name) {
			return a.Val
		}
	}
	return ""
}
