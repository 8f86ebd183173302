package crawler

import (
	"regexp"
	"strconv"
	"strings"
)

// backgroundsOf are the pictures that the declarations of a style put behind
// an element, each with its sizes: an image-set is one picture, and so is what
// a later declaration of the same property replaces.
func backgroundsOf(style string) [][]size {
	layers := map[string][][]size{}
	var names []string
	for _, declaration := range splitCSS(style, ';') {
		name, value, ok := strings.Cut(declaration, ":")
		name = strings.ToLower(strings.TrimSpace(name))
		switch {
		case !ok || !strings.Contains(value, "url(") && !strings.Contains(value, "image-set("):
			continue
		case name == "background", name == "background-image":
			name = "background"
		case !strings.HasPrefix(name, "--"):
			continue
		}
		if layers[name] == nil {
			names = append(names, name)
		}
		for i, layer := range splitCSS(value, ',') {
			if i == len(layers[name]) {
				layers[name] = append(layers[name], nil)
			}
			layers[name][i] = append(layers[name][i], layerSizes(layer)...)
			if i == maxLayers {
				break
			}
		}
	}
	var out [][]size
	for _, name := range names {
		for _, sizes := range layers[name] {
			if len(sizes) > 0 {
				out = append(out, sizes)
			}
		}
	}
	return out
}

const maxLayers = 15

var (
	cssString  = regexp.MustCompile(`^\s*(?:"([^"]*)"|'([^']*)')`)
	cssDensity = regexp.MustCompile(`(?:^|[\s)])([0-9]+(?:\.[0-9]+)?)(x|dppx|dpi)\b`)
	cssType    = regexp.MustCompile(`type\(\s*["']([^"']*)["']\s*\)`)
)

// layerSizes are the addresses of one layer.
func layerSizes(layer string) []size {
	_, inner, set := strings.Cut(layer, "image-set(")
	if !set {
		return cssAddresses(layer)
	}
	var out []size
	for _, option := range splitCSS(inner, ',') {
		if m := cssType.FindStringSubmatch(option); m != nil && isUnreadableType(m[1]) {
			continue
		}
		found := cssAddresses(option)
		if m := cssString.FindStringSubmatch(option); m != nil && len(found) == 0 {
			if address := firstOf(m[1], m[2]); isReference(address) {
				found = []size{{address: address, density: 1}}
			}
		}
		if m := cssDensity.FindStringSubmatch(option); m != nil && len(found) > 0 {
			if f, err := strconv.ParseFloat(m[1], 64); err == nil && f > 0 {
				if m[2] == "dpi" {
					f /= 96
				}
				found[0].density = min(f, 100)
			}
		}
		out = append(out, found...)
	}
	return out
}

// splitCSS cuts at a separator outside of strings and brackets.
func splitCSS(text string, separator byte) []string {
	var out []string
	depth, begin := 0, 0
	var quote byte
	for i := 0; i < len(text); i++ {
		switch b := text[i]; {
		case b == '\\':
			i++
		case quote != 0:
			if b == quote {
				quote = 0
			}
		case b == '"' || b == '\'':
			quote = b
		case b == '(':
			depth++
		case b == ')':
			depth--
		case b == separator && depth <= 0:
			out = append(out, text[begin:i])
			begin, depth = i+1, 0
		}
	}
	return append(out, text[begin:])
}
