package crawler

import "net/url"

// What only fuzzing reaches without a site around it.
var StripHTML = stripHTML

// SrcsetAddresses gives the addresses of a srcset attribute.
func SrcsetAddresses(text string) []string {
	var out []string
	for _, s := range parseSrcset(text) {
		out = append(out, s.address)
	}
	return out
}

// Canonical gives the one form of a reference in the page at base.
func Canonical(base *url.URL, reference string) (string, bool) {
	u, ok := resolve(base, reference)
	if !ok {
		return "", false
	}
	return canonical(u)
}
