package qdrant

import (
	"regexp"
	"strings"
)

// hidden stands for what isn't shown.
const hidden = "…"

// schemePattern is what may be shown of an address; a key that stands where a
// scheme should is longer, or has other characters.
var schemePattern = regexp.MustCompile(`^[a-z]{2,10}$`)

// Redact is what may be shown of an address that was not understood: its
// scheme. Where the key ends can't be told in a misspelt address, so that
// nothing after the scheme is shown.
func Redact(address string) string {
	scheme, _, found := strings.Cut(address, "://")
	if !found || !schemePattern.MatchString(scheme) {
		return hidden
	}
	return scheme + "://" + hidden
}

// addressPattern is a flag's name, which may be shown, and a word that may be
// an address, also one without a scheme.
var addressPattern = regexp.MustCompile(`(--[a-z0-9-]+=)?["']?(\S*(?::/|@)\S*)`)

// RedactAll redacts every word of a text that may be the address of an index.
// It is for the messages of a command line's parser, which repeat what they
// were given.
func RedactAll(text string) string {
	return addressPattern.ReplaceAllStringFunc(text, func(word string) string {
		parts := addressPattern.FindStringSubmatch(word)
		return parts[1] + Redact(parts[2])
	})
}
