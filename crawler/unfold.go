package crawler

import (
	"regexp"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// unfold puts into a document what its reader sees and its tree does not
// have: the text of a frame that stands in an attribute, and the content of a
// shadow root that is declared.
func unfold(n *html.Node) {
	if n.Type == html.ElementNode {
		switch {
		case n.Data == "template" && (attribute(n, "shadowrootmode") != "" || attribute(n, "shadowroot") != ""):
			n.Data, n.DataAtom = "div", atom.Div
		case n.Data == "iframe" && attribute(n, "srcdoc") != "":
			unfoldFrame(n)
		}
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		unfold(c)
	}
}

func unfoldFrame(frame *html.Node) {
	text := attribute(frame, "srcdoc")
	if len(text) > maxAttribute {
		return
	}
	around := &html.Node{Type: html.ElementNode, Data: "div", DataAtom: atom.Div}
	nodes, err := html.ParseFragmentWithOptions(strings.NewReader(text), around, html.ParseOptionEnableScripting(false))
	if err != nil {
		return
	}
	for c := frame.FirstChild; c != nil; c = frame.FirstChild {
		frame.RemoveChild(c) // what readers without frames see
	}
	for _, n := range nodes {
		if n.Data != "iframe" { // one frame in another is enough
			frame.AppendChild(n)
		}
	}
}

var (
	goesElsewhere = regexp.MustCompile(`(?i)(?:location|open|popup|win|show|view|zoom|enlarge)\w*\s*(?:\.\w+\s*)?[(=]`)
	scriptString  = regexp.MustCompile(`'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"`)
	pageEnding    = regexp.MustCompile(`(?i)\.(?:[sx]?html?|php\d?|aspx?|jsp|cfm|cgi|pl)(?:$|[?#])`)
	sendsOn       = regexp.MustCompile(`(?i)\blocation(?:\.href)?\s*(?:=|\.(?:replace|assign)\s*\()\s*(?:'([^']+)'|"([^"]+)")`)
)

// scriptAddress is where a script of an element leads that opens a window or
// goes to another page when it is clicked; empty if it does not.
func scriptAddress(script string) string {
	if script == "" || len(script) > maxPictureAddress {
		return ""
	}
	opens := goesElsewhere.MatchString(script)
	for _, m := range scriptString.FindAllStringSubmatch(script, 8) {
		value := strings.TrimSpace(firstOf(m[1], m[2]))
		if value == "" || !isReference(value) || strings.HasPrefix(value, "#") {
			continue
		}
		bare, _, _ := strings.Cut(value, "?")
		if wholeEnding.MatchString(bare) || opens && (pageEnding.MatchString(value) || strings.HasPrefix(value, "/") || strings.Contains(value, "://")) {
			return value
		}
	}
	return ""
}

// clickAddress is where an element leads by its script where it leads nowhere
// without it.
func clickAddress(n *html.Node) string {
	href := strings.TrimSpace(attribute(n, "href"))
	const scheme = "javascript:"
	switch {
	case len(href) >= len(scheme) && strings.EqualFold(href[:len(scheme)], scheme):
		return firstOf(scriptAddress(href[len(scheme):]), scriptAddress(attribute(n, "onclick")))
	case href == "" || strings.HasPrefix(href, "#"):
		return scriptAddress(attribute(n, "onclick"))
	}
	return ""
}

// sentOn is where the script of a page that shows nothing sends its readers.
func (p *page) sentOn(script *html.Node) string {
	if script.FirstChild == nil || len(script.FirstChild.Data) > maxAttribute {
		return ""
	}
	m := sendsOn.FindStringSubmatch(script.FirstChild.Data)
	if m == nil || !isDrawnByScript(p.doc) {
		return ""
	}
	return firstOf(m[1], m[2])
}
