package crawler

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/net/html/charset"
)

// element is one of an XML document.
type element struct {
	space, name string
	attributes  map[string]string // by local name
	text        string
	children    []*element
}

const (
	maxElements = 500_000
	maxNesting  = 64
)

// parseXML reads a document leniently, in bounds. What is broken at its end
// is left out.
func parseXML(body []byte) (*element, error) {
	decoder := xml.NewDecoder(bytes.NewReader(body))
	decoder.Strict, decoder.Entity = false, xml.HTMLEntity
	decoder.CharsetReader = charset.NewReaderLabel
	root := &element{}
	stack := []*element{root}
	for n := 0; ; {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) || err != nil && len(root.children) > 0 {
			break
		}
		if err != nil {
			return nil, err
		}
		top := stack[len(stack)-1]
		switch t := token.(type) {
		case xml.StartElement:
			if n++; n > maxElements || len(stack) > maxNesting {
				return nil, fmt.Errorf("more than %d elements, or %d in one another", maxElements, maxNesting)
			}
			e := &element{space: t.Name.Space, name: strings.ToLower(t.Name.Local)}
			if len(t.Attr) > 0 {
				e.attributes = map[string]string{}
				for _, a := range t.Attr {
					e.attributes[strings.ToLower(a.Name.Local)] = strings.TrimSpace(a.Value)
				}
			}
			top.children = append(top.children, e)
			stack = append(stack, e)
		case xml.EndElement:
			if len(stack) > 1 {
				stack = stack[:len(stack)-1]
			}
		case xml.CharData:
			if len(top.text) < 1<<20 {
				top.text += string(t)
			}
		}
	}
	if len(root.children) == 0 {
		return nil, errors.New("there is no element in it")
	}
	return root.children[len(root.children)-1], nil
}

// rootName is the name of a document's first element; empty if it is no XML.
func rootName(d document) string {
	text := d.body[:min(len(d.body), 4096)]
	for {
		at := bytes.IndexByte(text, '<')
		if at < 0 || at+1 >= len(text) {
			return ""
		}
		text = text[at+1:]
		if text[0] == '?' || text[0] == '!' {
			continue
		}
		end := bytes.IndexAny(text, " \t\r\n/>")
		if end < 0 {
			return ""
		}
		name := strings.ToLower(string(text[:end]))
		return name[strings.LastIndexByte(name, ':')+1:]
	}
}

// all are the children of that name.
func (e *element) all(name string) []*element {
	var out []*element
	for _, c := range e.children {
		if c.name == name {
			out = append(out, c)
		}
	}
	return out
}

// below are the elements of that name at any depth, e left out.
func (e *element) below(name string) []*element {
	var out []*element
	for _, c := range e.children {
		if c.name == name {
			out = append(out, c)
		}
		out = append(out, c.below(name)...)
	}
	return out
}

// value is the text of the first child of one of the names.
func (e *element) value(names ...string) string {
	for _, name := range names {
		for _, c := range e.all(name) {
			if t := strings.TrimSpace(c.text); t != "" {
				return t
			}
		}
	}
	return ""
}
