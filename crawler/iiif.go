package crawler

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/palate-art/palate"
)

// IIIF: manifests and collections of the Presentation API 2 and 3, and the
// image information of the Image API 1 to 3.
// https://iiif.io/api/presentation/3.0/ https://iiif.io/api/image/3.0/

var iiifMark = regexp.MustCompile(`"(?:@context|protocol|@type|type)"\s*:\s*(?:\[\s*)?"(?:[^"]*iiif\.io/api/|[^"]*library\.stanford\.edu/iiif|sc:(?:Manifest|Collection)|Manifest"|iiif:)`)

func looksLikeIIIF(d document) bool {
	return looksLikeJSON(d) && iiifMark.Match(d.body[:min(len(d.body), 64<<10)])
}

// iiifReader reads one answer.
type iiifReader struct {
	run    *run
	task   Task
	at     *url.URL
	source palate.Source // of the manifest as a whole
	found  []Task
	title  string
	canvas int // how many there are
}

func readIIIF(ctx context.Context, r *run, task Task, d document) (reading, error) {
	var v map[string]any
	decoder := json.NewDecoder(bytes.NewReader(d.body))
	if err := decoder.Decode(&v); err != nil {
		return reading{}, err
	}
	if r.cfg.withdrawn(d.header) {
		return reading{lost: lose("opted_out", "its X-Robots-Tag forbids to learn from it")}, nil
	}
	i := &iiifReader{run: r, task: task, at: d.at}
	if context, _ := json.Marshal(v["@context"]); v["protocol"] != nil || bytes.Contains(context, []byte("/api/image/")) || iiifType(v) == "ImageService2" || iiifType(v) == "ImageService3" || v["width"] != nil && v["height"] != nil && v["items"] == nil {
		i.image(v)
	} else {
		i.resource(v)
	}
	if ctx.Err() != nil {
		return reading{}, context.Cause(ctx)
	}
	if len(i.found) == 0 {
		return reading{lost: lose("no_picture", "the IIIF document names no picture and no further document")}, nil
	}
	return reading{found: i.found}, nil
}

func iiifType(v map[string]any) string {
	kind := firstOf(firstText(v["type"]), firstText(v["@type"]))
	return kind[strings.LastIndexByte(kind, ':')+1:]
}

func iiifID(v map[string]any) string { return firstOf(firstText(v["id"]), firstText(v["@id"])) }

func firstText(v any) string {
	for _, item := range list(v) {
		if text, ok := item.(string); ok {
			return text
		}
	}
	return ""
}

func objects(v any) []map[string]any {
	var out []map[string]any
	for _, item := range list(v) {
		if object, ok := item.(map[string]any); ok {
			out = append(out, object)
		}
	}
	return out
}

// resource reads a manifest or a collection.
func (i *iiifReader) resource(v map[string]any) {
	if iiifType(v) == "Collection" || iiifType(v) == "AnnotationCollection" || iiifType(v) == "OrderedCollection" {
		i.collection(v)
		return
	}
	i.describe(v)
	var canvases []map[string]any
	for _, sequence := range objects(v["sequences"]) {
		canvases = append(canvases, objects(sequence["canvases"])...)
	}
	canvases = append(canvases, objects(v["items"])...)
	if kind := iiifType(v); kind == "Canvas" || kind == "Sequence" {
		canvases = append(objects(v["canvases"]), v)
	}
	i.canvas = len(canvases)
	for _, c := range canvases {
		i.readCanvas(c)
	}
}

// collection follows its manifests and collections, inline or by address, on
// whatever host they are.
func (i *iiifReader) collection(v map[string]any) {
	for _, key := range []string{"manifests", "members", "collections", "items", "orderedItems"} {
		for _, m := range objects(v[key]) {
			if len(objects(m["sequences"])) > 0 || iiifType(m) == "Manifest" && len(objects(m["items"])) > 0 {
				inner := &iiifReader{run: i.run, task: i.task, at: i.at}
				inner.resource(m)
				i.found = append(i.found, inner.found...)
				continue
			}
			i.follow(iiifID(m), i.task.Depth+1)
		}
		for _, address := range plainTexts(v[key]) {
			i.follow(address, i.task.Depth+1)
		}
	}
	for _, key := range []string{"next", "first"} {
		address := firstText(v[key])
		if object, ok := v[key].(map[string]any); ok {
			address = iiifID(object)
		}
		i.follow(address, i.task.Depth)
	}
}

func (i *iiifReader) follow(address string, depth int) {
	u, ok := resolve(i.at, address)
	if !ok {
		return
	}
	clean, ok := canonical(u)
	switch {
	case !ok:
	case depth > i.run.cfg.MaxDepth:
		i.found = append(i.found, refusedPage("too_deep", clean))
	default:
		i.found = append(i.found, Task{Kind: Page, URL: clean, Referer: i.task.URL, Depth: depth})
	}
}

// describe reads what a manifest says of the work.
func (i *iiifReader) describe(v map[string]any) {
	var rec record
	for _, pair := range objects(v["metadata"]) {
		if f, ok := labels[normalLabel(stripHTML(iiifText(pair["label"])))]; ok {
			rec.put(f, stripHTML(iiifText(pair["value"])))
		}
	}
	i.title = stripHTML(iiifText(v["label"]))
	s := rec.source
	s.Title = firstOf(s.Title, i.title)
	s.Year = yearOf(s.Date)
	for _, licence := range []string{firstText(v["rights"]), firstText(v["license"])} {
		if strings.HasPrefix(licence, "http") && s.LicenceURL == "" {
			s.LicenceURL = licence
		} else {
			s.Licence = firstOf(s.Licence, stripHTML(licence))
		}
	}
	statement, _ := v["requiredStatement"].(map[string]any)
	s.Credit = firstOf(s.Credit, stripHTML(iiifText(statement["value"])), stripHTML(iiifText(v["attribution"])))
	for _, key := range []string{"homepage", "related"} {
		for _, page := range list(v[key]) {
			address := firstText(page)
			if object, ok := page.(map[string]any); ok {
				address = iiifID(object)
			}
			if strings.HasPrefix(address, "http") {
				s.Page = firstOf(s.Page, address)
			}
		}
	}
	s.Page = firstOf(s.Page, iiifID(v), i.task.URL)
	s.Site = strings.ToLower(i.at.Hostname())
	i.source = s
}

// iiifText is a text in whatever form: plain, with a language, a list of
// these, or by languages.
func iiifText(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case []any:
		var out []string
		for _, item := range v {
			if t := iiifText(item); t != "" {
				out = append(out, t)
			}
			if object, ok := item.(map[string]any); ok && object["@language"] != nil {
				break // the others say the same in other languages
			}
		}
		return strings.Join(out, ", ")
	case map[string]any:
		if value, ok := v["@value"]; ok {
			return iiifText(value)
		}
		for _, language := range []string{"en", "none", "@none"} {
			if t := iiifText(v[language]); t != "" {
				return t
			}
		}
		keys := make([]string, 0, len(v))
		for k := range v {
			keys = append(keys, k)
		}
		slices.Sort(keys)
		for _, k := range keys {
			if t := iiifText(v[k]); t != "" {
				return t
			}
		}
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return ""
}

func (i *iiifReader) readCanvas(c map[string]any) {
	source := i.source
	if label := stripHTML(iiifText(c["label"])); label != "" && i.canvas > 1 {
		source.Title = strings.TrimPrefix(source.Title+", "+label, ", ")
	}
	if i.canvas > 1 {
		source.ExternalID = "" // it is the whole's
	}
	var bodies []any
	for _, image := range objects(c["images"]) {
		bodies = append(bodies, image["resource"])
	}
	for _, page := range objects(c["items"]) {
		for _, annotation := range objects(page["items"]) {
			if motivation := firstText(annotation["motivation"]); motivation == "" || strings.HasSuffix(motivation, "painting") {
				bodies = append(bodies, list(annotation["body"])...)
			}
		}
	}
	for _, body := range bodies {
		if object, ok := body.(map[string]any); ok {
			i.body(object, source, 0)
		}
	}
}

// body makes a candidate of what is painted on a canvas. Of a choice it is
// the first.
func (i *iiifReader) body(b map[string]any, source palate.Source, depth int) {
	if depth > 4 {
		return
	}
	switch kind := iiifType(b); {
	case kind == "Choice" || b["default"] != nil:
		for _, choice := range append(objects(b["default"]), objects(b["items"])...) {
			i.body(choice, source, depth+1)
			return
		}
		return
	case kind == "SpecificResource":
		for _, inner := range append(objects(b["source"]), objects(b["full"])...) {
			i.body(inner, source, depth+1)
		}
		return
	case kind == "Video" || kind == "Sound" || kind == "Text" || kind == "TextualBody":
		if id := iiifID(b); id != "" {
			i.found = append(i.found, refusedTask("unsupported_"+strings.ToLower(kind), id))
		}
		return
	}
	own := iiifID(b)
	for _, service := range objects(b["service"]) {
		if i.fromService(service, own, number(b["width"]), number(b["height"]), source) {
			return
		}
	}
	i.candidate([]string{own}, source)
}

// fromService chooses a size from what the manifest says of the image
// service. Where it says too little, the service's own information is read.
func (i *iiifReader) fromService(service map[string]any, own string, width, height int, source palate.Source) bool {
	id := strings.TrimSuffix(strings.TrimSuffix(iiifID(service), "/info.json"), "/")
	kind := iiifType(service)
	profile := strings.ToLower(firstText(service["profile"]))
	context := strings.ToLower(firstText(service["@context"]))
	isImage := strings.HasPrefix(kind, "ImageService") || strings.Contains(context, "image") || strings.Contains(profile, "image") || strings.HasPrefix(profile, "level")
	if id == "" || !isImage {
		return false
	}
	info := imageInfo{id: id, version: versionOf(kind, context, profile), level: levelOf(profile)}
	info.read(service)
	if info.width == 0 {
		info.width, info.height = width, height
	}
	if info.level >= 1 || len(info.sizes) > 0 {
		i.candidate(append(info.addresses(i.run.cfg.Want), own), source)
		return true
	}
	// The information says which sizes there are; the painted file is what is
	// left if it can't be had.
	u, ok := resolve(i.at, id+"/info.json")
	if !ok {
		return false
	}
	address, ok := canonical(u)
	if !ok {
		return false
	}
	t := Task{Kind: Page, URL: address, Referer: i.task.URL, Depth: i.task.Depth, Source: source}
	if clean := i.clean([]string{own}); len(clean) > 0 {
		t.Leads = []Lead{{Addresses: clean, Around: true, Source: source, Depth: i.task.Depth}}
	}
	i.found = append(i.found, t)
	return true
}

// image reads image information that was asked for itself.
func (i *iiifReader) image(v map[string]any) {
	id := strings.TrimSuffix(firstOf(iiifID(v), strings.TrimSuffix(i.task.URL, "/info.json")), "/")
	profile := strings.ToLower(firstText(v["profile"]))
	info := imageInfo{id: id, version: versionOf(iiifType(v), strings.ToLower(iiifText(v["@context"])), profile), level: levelOf(profile)}
	info.read(v)
	source := i.task.Source
	if licence := firstOf(firstText(v["rights"]), firstText(v["license"])); strings.HasPrefix(licence, "http") {
		source.LicenceURL = firstOf(source.LicenceURL, licence)
	}
	source.Credit = firstOf(source.Credit, stripHTML(iiifText(v["attribution"])))
	source.Site = firstOf(source.Site, strings.ToLower(i.at.Hostname()))
	addresses := info.addresses(i.run.cfg.Want)
	for _, l := range i.task.Leads {
		addresses = append(addresses, l.Addresses...)
	}
	i.candidate(addresses, source)
}

func (i *iiifReader) clean(addresses []string) []string {
	var out []string
	for _, a := range addresses {
		if u, ok := resolve(i.at, a); ok {
			if clean, ok := canonical(u); ok && len(clean) <= maxPictureAddress && !slices.Contains(out, clean) {
				out = append(out, clean)
			}
		}
	}
	return out
}

func (i *iiifReader) candidate(addresses []string, source palate.Source) {
	clean := i.clean(addresses)
	if len(clean) == 0 {
		return
	}
	i.found = append(i.found, Task{
		Kind: Image, URL: clean[0], Alternatives: clean[1:], Referer: i.task.URL, Depth: i.task.Depth, Source: source,
	})
}

// imageInfo is what is known of an image service.
type imageInfo struct {
	id            string
	version       int
	level         int // -1 is not said
	width, height int
	sizes         [][2]int
	maxWidth      int
	maxHeight     int
	maxArea       int
}

func versionOf(kind, context, profile string) int {
	for _, text := range []string{kind, context, profile} {
		switch {
		case strings.Contains(text, "ImageService3") || strings.Contains(text, "image/3"):
			return 3
		case strings.Contains(text, "ImageService1") || strings.Contains(text, "image-api/1") || strings.Contains(text, "image/1") || strings.Contains(text, "image-api/compliance") || strings.Contains(text, "library.stanford.edu"):
			return 1
		}
	}
	return 2
}

func levelOf(profile string) int {
	for level := range 3 {
		if strings.Contains(profile, "level"+strconv.Itoa(level)) {
			return level
		}
	}
	return -1
}

func (info *imageInfo) read(v map[string]any) {
	info.width, info.height = number(v["width"]), number(v["height"])
	for _, s := range objects(v["sizes"]) {
		if w, h := number(s["width"]), number(s["height"]); w > 0 {
			info.sizes = append(info.sizes, [2]int{w, h})
		}
	}
	for _, o := range append(objects(v["profile"]), v) {
		info.maxWidth = max(info.maxWidth, number(o["maxWidth"]))
		info.maxHeight = max(info.maxHeight, number(o["maxHeight"]))
		if area, ok := o["maxArea"].(float64); ok && area > 0 && area < 1<<40 {
			info.maxArea = int(area)
		}
	}
	slices.SortFunc(info.sizes, func(a, b [2]int) int { return a[0] - b[0] })
}

// addresses are the requests for the picture, the wanted size first: one that
// the service has ready if that is wide enough, else one that it makes.
func (info imageInfo) addresses(want int) []string {
	file := "default.jpg"
	if info.version == 1 {
		file = "native.jpg"
	}
	request := func(size string) string { return fmt.Sprintf("%s/full/%s/0/%s", info.id, size, file) }
	most := info.mostWidth()
	var out []string
	ready := func(s [2]int) {
		if info.version == 3 && s[1] > 0 {
			out = append(out, request(fmt.Sprintf("%d,%d", s[0], s[1])), request(fmt.Sprintf("%d,", s[0])))
			return
		}
		out = append(out, request(fmt.Sprintf("%d,", s[0])))
		if s[1] > 0 {
			out = append(out, request(fmt.Sprintf("%d,%d", s[0], s[1])))
		}
	}
	whole := func() {
		if info.version == 3 {
			out = append(out, request("max"))
		} else {
			out = append(out, request("full"), request("max"))
		}
	}
	for _, s := range info.sizes {
		if want > 0 && s[0] >= want && (most == 0 || s[0] <= most) && s[0] < 2*want {
			ready(s)
			break
		}
	}
	switch {
	case want > 0 && info.level != 0 && (most == 0 && info.width == 0 || want < most):
		out = append(out, request(fmt.Sprintf("%d,", want)))
	case want > 0 && info.level != 0 && most > 0 && most < info.width:
		out = append(out, request(fmt.Sprintf("%d,", most)))
	}
	if info.level != 0 || len(info.sizes) == 0 {
		whole()
	}
	for _, s := range slices.Backward(info.sizes) {
		if len(out) < maxAlternatives-1 {
			ready(s)
		}
	}
	if info.level == 0 && len(info.sizes) > 0 {
		whole()
	}
	return out
}

// mostWidth is the widest picture that the service gives; 0 is not known.
func (info imageInfo) mostWidth() int {
	most := info.width
	limit := func(w int) {
		if w > 0 && (most == 0 || w < most) {
			most = w
		}
	}
	limit(info.maxWidth)
	if info.width > 0 && info.height > 0 {
		if info.maxWidth > 0 && info.maxHeight == 0 {
			limit(info.maxWidth * info.width / max(info.width, info.height))
		}
		if info.maxHeight > 0 {
			limit(info.maxHeight * info.width / info.height)
		}
		if info.maxArea > 0 && info.width*info.height > info.maxArea {
			w := info.width
			for w > 1 && w*(w*info.height/info.width) > info.maxArea {
				w = w * 9 / 10
			}
			limit(w)
		}
	}
	return most
}
