package crawler

import (
	"encoding/json"
	"strings"

	"golang.org/x/net/html"
)

// pushed takes a piece of the state that a page's scripts put together.
func (r *jsonReader) pushed(text string) {
	for _, part := range strings.Split(text, "__next_f.push(")[1:] {
		var piece []any
		if json.NewDecoder(strings.NewReader(part)).Decode(&piece) == nil && len(piece) > 1 {
			if text, ok := piece[1].(string); ok {
				r.stream.WriteString(text)
			}
		}
	}
}

// pieces reads the state when it is whole: lines of a number, a colon and JSON.
func (r *jsonReader) pieces() {
	for line := range strings.Lines(r.stream.String()) {
		_, text, _ := strings.Cut(line, ":")
		var v any
		if start := strings.IndexAny(text, "[{"); start >= 0 && json.Unmarshal([]byte(text[start:]), &v) == nil {
			r.walk(v, "", 0, 0)
		}
	}
}

// galleries reads the lists of pictures that attributes hold for scripts.
func (p *page) galleries(r *jsonReader) {
	for _, root := range p.doc.Nodes {
		p.eachElement(root, func(n *html.Node) {
			for _, a := range n.Attr {
				if v, ok := listIn(a.Val); ok && len(a.Val) <= maxState {
					r.walk(v, "", 0, 0)
				}
			}
		})
	}
}

// listIn is the JSON of an attribute that has a list of objects.
func listIn(text string) (v any, ok bool) {
	text = strings.TrimSpace(text)
	if len(text) < 16 || text[0] != '[' && text[0] != '{' || !strings.Contains(text, "[") {
		return nil, false
	}
	return v, json.Unmarshal([]byte(text), &v) == nil
}
