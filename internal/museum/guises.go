package museum

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// GuiseDomain is what the hosts of all guises end in: "lazy.guises.palate.test".
const GuiseDomain = "guises.palate.test"

// Guise is a small site that shows its pictures in one of the ways in which
// sites of the world do. The markup is ours. Some were met on sites, some in
// reports of other crawlers' users or in published documents, which are then
// named beside them, and some are variations that we thought of.
type Guise struct {
	Name  string // the first label of its host
	Want  int    // distinct pictures that it has
	Width int    // of each, in the size that is to be taken; 0 is not said
	// Answers by path with query. What does not begin with "<", "{", "[" or
	// "header:" names a status ("404"), a redirect ("to /there") or is text.
	// Pictures are not listed: every path that ends in _WIDTH and an ending,
	// or in that without an ending, is one of that width.
	Answers map[string]string
	// Lost is the reason by which what can't be had is counted, if any.
	Lost string
	// Requests is the most that a crawl of it may send, robots.txt aside; 0
	// is not said.
	Requests int
	Seed     string // the path to begin at; "/" where empty
	// Instead is what a request is answered with, in the form of Answers; ""
	// is as usual. It may be nil.
	Instead func(*http.Request) string
}

// URL is where a crawl of the guise begins.
func (g Guise) URL() string {
	seed := g.Seed
	if seed == "" {
		seed = "/"
	}
	return "http://" + g.Host() + seed
}

// Host is the guise's own.
func (g Guise) Host() string { return g.Name + "." + GuiseDomain }

// Guises lists them all. They are shared: treat them as read-only.
var Guises = sync.OnceValue(func() []Guise {
	return slices.Concat(markupGuises(), structureGuises(), documentGuises(), furtherGuises(), reportedGuises(), answerGuises(), scriptGuises())
})

// GuiseHandler answers for the hosts of all guises, by the Host header.
func GuiseHandler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := guise(r)
		if answer.location != "" {
			w.Header().Set("Location", answer.location)
		}
		w.Header().Set("Content-Type", answer.contentType)
		for name, value := range answer.header {
			w.Header().Set(name, value)
		}
		w.WriteHeader(answer.status)
		_, _ = w.Write(answer.body)
	})
}

type guiseReply struct {
	reply
	header map[string]string
}

func guise(r *http.Request) guiseReply {
	host := hostOf(r)
	if r.URL.Path == "/robots.txt" {
		return guiseReply{reply: notFound(RobotsFile)}
	}
	for _, g := range Guises() {
		if g.Host() == host || strings.HasSuffix(host, "."+g.Host()) {
			return g.answer(r)
		}
	}
	return guiseReply{reply: failure(Pages, http.StatusMisdirectedRequest)}
}

var guisePicture = regexp.MustCompile(`_(\d{2,4})x?(?:\.(?i:jpe?g|png|webp|gif))?$|=[sw](\d{2,4})(?:-h\d+)?$|/full/(\d{2,4}),\d*/0/default\.jpg$`)

func (g Guise) answer(r *http.Request) guiseReply {
	path := r.URL.RequestURI()
	text, ok := g.Answers[path]
	if g.Instead != nil {
		if instead := g.Instead(r); instead != "" {
			text, ok = instead, true
		}
	}
	if !ok {
		name := r.URL.Path
		if id := r.URL.Query().Get("id"); id != "" && (strings.HasSuffix(name, "picture.php") || strings.HasSuffix(name, "thumb.php")) {
			width := map[bool]string{true: "300", false: "1200"}[strings.HasSuffix(name, "thumb.php")]
			name = "/i/" + id + "_" + width + ".jpg"
		}
		if m := guisePicture.FindStringSubmatch(name); m != nil && !strings.Contains(path, "missing") {
			width, _ := strconv.Atoi(m[1] + m[2] + m[3])
			return guiseReply{reply: reply{target: Pictures, work: -1, status: http.StatusOK, contentType: "image/png", body: guisePaint(g.Name+guiseName(name), width)}}
		}
		return guiseReply{reply: notFound(Pages)}
	}
	header := map[string]string{}
	for strings.HasPrefix(text, "header:") {
		line, rest, _ := strings.Cut(strings.TrimPrefix(text, "header:"), "\n")
		name, value, _ := strings.Cut(line, ":")
		header[strings.TrimSpace(name)], text = strings.TrimSpace(value), rest
	}
	out := guiseReply{reply: page([]byte(text)), header: header}
	switch {
	case strings.HasPrefix(text, "to "):
		out.reply = redirect(Pages, -1, strings.TrimPrefix(text, "to "))
	case len(text) == 3:
		status, _ := strconv.Atoi(text)
		out.reply = failure(Pages, status)
	case strings.HasPrefix(text, "picture "):
		width, _ := strconv.Atoi(strings.TrimPrefix(text, "picture "))
		out.reply = reply{target: Pictures, work: -1, status: http.StatusOK, contentType: "image/png", body: guisePaint(g.Name+path, width)}
	case strings.HasPrefix(text, "{") || strings.HasPrefix(text, "["):
		out.contentType = "application/json"
	case strings.HasPrefix(text, "<?xml") || strings.HasPrefix(text, "<rss") || strings.HasPrefix(text, "<feed"):
		out.contentType = "application/xml"
	case !strings.HasPrefix(text, "<"):
		out.contentType = "text/plain; charset=utf-8"
	}
	if strings.HasSuffix(r.URL.Path, ".gz") {
		out.contentType, out.body = "application/gzip", gzipped(out.body)
	}
	return out
}

// guiseName is a picture's name without its width: all sizes look the same.
func guiseName(path string) string {
	return guisePicture.ReplaceAllString(path, "")
}

// guisePaint draws a picture of its own colours, quickly and alike at every
// size.
func guisePaint(name string, width int) []byte {
	var sum uint32 = 2166136261
	for _, b := range []byte(name) {
		sum = (sum ^ uint32(b)) * 16777619
	}
	height := max(210, width/5)
	img := image.NewPaletted(image.Rect(0, 0, max(1, width), height), color.Palette{
		color.RGBA{uint8(sum), uint8(sum >> 8), uint8(sum >> 16), 255}, color.RGBA{uint8(sum >> 24), uint8(sum >> 4), uint8(sum >> 12), 255},
	})
	for y := range height {
		for x := range width {
			if (x*8/max(1, width)+y*8/height+int(sum>>uint((x*8/max(1, width)*4)%28)))%2 == 0 {
				img.Pix[y*img.Stride+x] = 1
			}
		}
	}
	// The name itself, so that no two files are the same.
	for i := range 32 {
		img.Pix[i] = uint8(sum>>uint(i)) & 1
	}
	var out bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestSpeed}
	if err := encoder.Encode(&out, img); err != nil {
		panic(err)
	}
	return out.Bytes()
}

// each repeats a text for the numbers from 0, put in at every "{n}".
func each(n int, text string) string {
	var out strings.Builder
	for i := range n {
		out.WriteString(strings.ReplaceAll(text, "{n}", strconv.Itoa(i)))
	}
	return out.String()
}

// answersFor gives answers for the numbers from 0.
func answersFor(answers map[string]string, n int, path, text string) map[string]string {
	for i := range n {
		number := strconv.Itoa(i)
		answers[strings.ReplaceAll(path, "{n}", number)] = strings.ReplaceAll(text, "{n}", number)
	}
	return answers
}
