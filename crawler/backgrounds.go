package crawler

import (
	"regexp"
	"strings"

	"golang.org/x/net/html"
)

// Backgrounds stand in style attributes and in the page's style elements.

var (
	styleRule  = regexp.MustCompile(`([^{}]{1,200})\{([^{}]{0,1000})\}`)
	backGround = regexp.MustCompile(`(?i)background(?:-image)?\s*:[^;]*(?:url|image-set)\(`)
	lastSimple = regexp.MustCompile(`([#.][A-Za-z_][\w-]*)(?:::?[\w-]+)?\s*$`)
)

// maxStyleRules bounds the rules of a page's own styles that are looked at.
const maxStyleRules = 4096

// readStyles files the backgrounds that the page's style elements give to an
// id or a class.
func (w *walker) readStyles(n *html.Node) {
	if n.Type == html.ElementNode && n.Data == "style" && n.FirstChild != nil {
		for _, m := range styleRule.FindAllStringSubmatch(n.FirstChild.Data, maxStyleRules) {
			if !backGround.MatchString(m[2]) {
				continue
			}
			pictures := w.page.resolvedEach(backgroundsOf(m[2]))
			if len(pictures) == 0 {
				continue
			}
			for selector := range strings.SplitSeq(m[1], ",") {
				if s := lastSimple.FindStringSubmatch(selector); s != nil {
					w.rules[s[1]] = pictures
				}
			}
		}
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if c.Type == html.ElementNode {
			w.readStyles(c)
		}
	}
}

// backgrounds are those of one element, each with its sizes.
func (w *walker) backgrounds(n *html.Node) [][]size {
	var out [][]size
	if style := attribute(n, "style"); style != "" && len(style) <= maxAttribute {
		out = w.page.resolvedEach(backgroundsOf(style))
	}
	if len(w.rules) == 0 {
		return out
	}
	if id := attribute(n, "id"); id != "" {
		out = append(out, w.rules["#"+id]...)
	}
	for class := range strings.FieldsSeq(attribute(n, "class")) {
		out = append(out, w.rules["."+class]...)
	}
	return out
}

func (p *page) resolvedEach(pictures [][]size) [][]size {
	var out [][]size
	for _, sizes := range pictures {
		if sizes = p.resolved(sizes, ""); len(sizes) > 0 {
			out = append(out, sizes)
		}
	}
	return out
}
