package crawler

import (
	"net/url"
	"time"
)

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

// RobotsAllow reads a robots.txt for an agent and asks it about a path.
func RobotsAllow(text, agent, path string) (bool, time.Duration) {
	rules := parseRobots(text, agent)
	return rules.allows(path), rules.delay
}

// NormalEscapes is the form in which robots.txt and paths are compared.
var NormalEscapes = normalEscapes

// Unpack undoes an encoding within bounds.
var Unpack = unpack

// RefusePrivate judges an address that is dialled.
var RefusePrivate = refusePrivate
