package crawler

import (
	"cmp"
	"html"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/palate-art/palate"
)

// Pages and answers carry their pictures as JSON of any shape. What is a
// picture there is told by the addresses; what belongs to it, by the object
// that they stand in.

// jsonPicture is one picture in JSON, in all its sizes.
type jsonPicture struct {
	sizes   []size
	source  palate.Source
	page    string // the reference of its own page
	imprint imprint
	sized   bool // a width or height stands beside it
	listed  int  // which array it stands in; 0 is none
	filed   int  // how many came before it, and it
}

var (
	// unwantedKeys hold pictures of people and pages, not works.
	unwantedKeys = regexp.MustCompile(`(?i)avatar|logo|icon|favicon|profile_?(?:image|pic)|userpic|sprite|badge|flag|placeholder|tracking|pixel|og_?image|social|share_?image|seo|^ads?$|advert|sponsor|navigation|^nav$|footer|header|breadcrumb|gravatar|emoji|currency`)
	peopleKeys   = regexp.MustCompile(`(?i)^(?:author|user|owner|creator|artist|artists|photographer|publisher|profile|member|account)$`)
	sizeKeys     = regexp.MustCompile(`(?i)thumb|small|medium|large|preview|full|orig|hi_?res|square|tiny|big|max|sizes|variants|formats|renditions|srcset|urls|sources|resolutions|derivatives|x\d|\d+x|^[mbhlosqtz]$|^\d+$|^w\d+$`)
	titleKeys    = []string{"title", "name", "caption", "headline", "label", "alt", "altText", "alt_text", "image_alt"}
	artistKeys   = []string{"artistName", "artist_name", "artist", "artists", "artistDisplayName", "artist_display", "artist_title", "creator", "creators", "author", "author_name", "photographer", "maker", "principalOrFirstMaker", "username", "user", "owner"}
	dateKeys     = []string{"year", "date", "dated", "objectDate", "date_display", "creation_date", "dateCreated", "completitionYear", "completionYear", "yearAsString", "created"}
	pageKeys     = []string{"paintingUrl", "permalink", "page_url", "pageUrl", "url", "href", "link", "web_url", "webUrl", "slug", "path"}
)

const (
	maxJSONDepth    = 64
	maxJSONPictures = 20_000
)

// jsonReader walks one value.
type jsonReader struct {
	page     *page
	found    []*jsonPicture
	byStrict map[string]*jsonPicture
	arrays   int
	filed    int
	// fragments are strings of HTML, as answers of "load more" have them.
	fragments []string
	next      []string // references of the following part of a list
	records   []jsonRecord
	stream    strings.Builder // what scripts push of a page's state, piece by piece
}

// jsonPictures are the pictures of a JSON value, in its order.
func (p *page) jsonPictures(v any) []*jsonPicture {
	r := &jsonReader{page: p, byStrict: map[string]*jsonPicture{}}
	r.walk(v, "", 0, 0)
	return r.found
}

// walk gives the pictures of a value and files them.
func (r *jsonReader) walk(v any, key string, array, depth int) []*jsonPicture {
	if depth > maxJSONDepth || len(r.found) >= maxJSONPictures {
		return nil
	}
	switch v := v.(type) {
	case string:
		return r.text(v, key, array)
	case []any:
		r.arrays++
		own := r.arrays
		var out []*jsonPicture
		for _, item := range v {
			out = append(out, r.walk(item, key, own, depth+1)...)
		}
		return out
	case map[string]any:
		return r.object(v, array, depth)
	}
	return nil
}

func (r *jsonReader) text(v, key string, array int) []*jsonPicture {
	if strings.Contains(v, "<img") || strings.Contains(v, "<figure") || strings.Contains(v, "<picture") {
		if len(r.fragments) < 256 {
			r.fragments = append(r.fragments, v)
		}
		return nil
	}
	if describesSrcset.MatchString(v) {
		return r.file(r.page.resolved(parseSrcset(v), ""), array)
	}
	if strings.Contains(v, "&amp;") {
		v = html.UnescapeString(v) // it was made to stand in a page
	}
	if !isReference(v) {
		return nil
	}
	u, ok := resolve(r.page.base, v)
	if !ok || !looksLikePicture(u) && !isPictureKey(key, v) {
		return nil
	}
	return r.file(r.page.resolved([]size{{address: v, density: 1}}, key), array)
}

var imageKey = regexp.MustCompile(`(?i)^(?:image|img|(?:primary|base|main|hero|cover|lead)?_?image_?(?:url|uri|src)|img_?url|src|content_?url|original_?url|full_?url|large_?url|display_?url|photo_?url|media_?url|download_?url)$`)

// isPictureKey reports addresses without an ending whose key says that they
// are pictures.
func isPictureKey(key, value string) bool {
	return imageKey.MatchString(key) && (strings.HasPrefix(value, "http") || strings.HasPrefix(value, "/")) && !strings.HasSuffix(value, ".html")
}

// file puts sizes to the picture that they are of, or makes a new one.
func (r *jsonReader) file(sizes []size, array int) []*jsonPicture {
	if len(sizes) == 0 {
		return nil
	}
	im := imprintOf(sizes[0].address)
	if g := r.byStrict[im.strict]; g != nil {
		g.sizes = append(g.sizes, sizes...)
		return []*jsonPicture{g}
	}
	r.filed++
	g := &jsonPicture{sizes: sizes, imprint: im, listed: array, filed: r.filed}
	r.byStrict[im.strict] = g
	r.found = append(r.found, g)
	return []*jsonPicture{g}
}

func (r *jsonReader) object(v map[string]any, array, depth int) []*jsonPicture {
	keys := make([]string, 0, len(v))
	for k := range v {
		keys = append(keys, k)
	}
	// Names of files come last: without an address beside them they may be one.
	slices.SortFunc(keys, func(a, b string) int {
		return cmp.Or(cmp.Compare(rankOfKey(a), rankOfKey(b)), cmp.Compare(a, b))
	})
	var out []*jsonPicture
	var main *jsonPicture
	roles := 0
	for _, k := range keys {
		if unwantedKeys.MatchString(k) {
			continue
		}
		text, isText := v[k].(string)
		if !isText && peopleKeys.MatchString(k) || isText && len(out) > 0 && rankOfKey(k) > 0 && !strings.Contains(text, "://") {
			continue
		}
		r.noteNext(k, v[k])
		_, inList := v[k].([]any)
		found := r.walk(v[k], k, array, depth+1)
		if roleKeys.MatchString(k) && (!inList || len(found) == 1) || variantKeys.MatchString(k) && isObjects(v[k]) {
			found = r.oneOf(found)
			if roles++; len(found) == 1 {
				r.nameWidth(v, k, found[0])
			}
			if roles > 1 && len(found) == 1 && main != nil && len(out) == 1 {
				r.merge(main, found[0])
				continue
			}
		}
		for _, g := range found {
			switch {
			case main == nil:
				main = g
				out = append(out, g)
			case g == main || slices.Contains(out, g):
			case (sizeKeys.MatchString(k) && !inList || main.imprint.resembles(g.imprint)) && len(out) == 1 && r.isLast(g):
				main.sizes = append(main.sizes, g.sizes...)
				r.byStrict[g.imprint.strict] = main
				r.found = r.found[:len(r.found)-1]
			default:
				out = append(out, g)
			}
		}
	}
	r.describe(v, out)
	r.noteRecord(v, out)
	return out
}

// isLast reports a picture that has just been found and can be taken back.
func (r *jsonReader) isLast(g *jsonPicture) bool {
	return len(r.found) > 0 && r.found[len(r.found)-1] == g
}

// describe gives the pictures of an object what it says of them.
func (r *jsonReader) describe(v map[string]any, pictures []*jsonPicture) {
	if len(pictures) == 0 {
		return
	}
	width := max(number(v["width"]), number(v["w"]), number(v["imageWidth"]), number(v["image_width"]))
	title, artist, date := textOf(v, titleKeys), textOf(v, artistKeys), textOf(v, dateKeys)
	licence := textOf(v, []string{"licence", "license", "rights", "copyright", "share_license_status"})
	credit := textOf(v, []string{"credit", "creditLine", "credit_line", "attribution"})
	page := ""
	for _, k := range pageKeys {
		if text, ok := v[k].(string); ok && isReference(text) {
			if u, ok := resolve(r.page.base, text); ok && !looksLikePicture(u) && !looksLikeOtherFile(u) && k != "url" {
				page = text
				break
			}
		}
	}
	for _, g := range pictures {
		if width > 0 && width <= 1<<15 {
			g.sized = true
			if len(g.sizes) == 1 && g.sizes[0].width == 0 {
				g.sizes[0].width = width
			}
		}
		if len(pictures) == 1 {
			g.source.Title = firstOf(g.source.Title, title)
			g.page = firstOf(g.page, page)
		}
		g.source.Artist = firstOf(g.source.Artist, artist)
		if g.source.Date == "" && date != "" {
			g.source.Date, g.source.Year = date, yearOf(date)
		}
		if strings.HasPrefix(licence, "http") {
			g.source.LicenceURL = firstOf(g.source.LicenceURL, licence)
		} else {
			g.source.Licence = firstOf(g.source.Licence, licence)
		}
		g.source.Credit = firstOf(g.source.Credit, credit)
	}
}

// textOf is the first of the keys that holds a text, or an object with a name.
func textOf(v map[string]any, keys []string) string {
	for _, k := range keys {
		switch value := v[k].(type) {
		case string:
			if t := stripHTML(value); t != "" && !strings.HasPrefix(value, "/") && (!isReference(value) || strings.Contains(value, " ") || !strings.Contains(value, "/")) {
				return t
			}
			if strings.HasPrefix(k, "licen") || k == "rights" {
				return value
			}
		case float64:
			return strconv.FormatFloat(value, 'f', -1, 64)
		case map[string]any:
			if t := textOf(value, []string{"name", "title", "rendered", "fullName", "full_name", "displayName", "username", "description"}); t != "" {
				return t
			}
		case []any:
			if t := texts(value); len(t) > 0 {
				return stripHTML(strings.Join(t, ", "))
			}
		}
	}
	return ""
}

func number(v any) int {
	switch v := v.(type) {
	case float64:
		if v > 0 && v < 1<<20 {
			return int(v)
		}
	case string:
		return atoi(strings.TrimSuffix(v, "px"))
	}
	return 0
}

var nextKey = regexp.MustCompile(`(?i)^(?:next|next_?page|next_?(?:page_?)?url|next_?link|next_?href|load_?more(?:_?url)?|more_?url)$`)

// noteNext keeps the address of a list's following part.
func (r *jsonReader) noteNext(key string, v any) {
	if !nextKey.MatchString(key) {
		return
	}
	switch v := v.(type) {
	case string:
		if isReference(v) && !slices.Contains(r.next, v) && len(r.next) < 4 {
			r.next = append(r.next, v)
		}
	case map[string]any:
		for _, k := range []string{"href", "url"} {
			if text, ok := v[k].(string); ok {
				r.noteNext(key, text)
			}
		}
	}
}
