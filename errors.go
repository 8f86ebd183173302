package palate

import (
	"errors"
	"regexp"
)

// The kinds of error. Adapters translate what their technology says into one
// of these at their border, by wrapping; ask with errors.Is. Only api knows
// status codes.
var (
	// ErrNotFound: what was named does not exist.
	ErrNotFound = errors.New("not found")
	// ErrInvalid: the caller's input can't be used; the text says where and why.
	ErrInvalid = errors.New("invalid")
	// ErrUnavailable: something that palate depends on can't be reached now;
	// the same call may succeed later.
	ErrUnavailable = errors.New("unavailable")
	// ErrConflict: the call contradicts the present state, such as a lease
	// that another process holds or a model that differs.
	ErrConflict = errors.New("conflict")
	// ErrForbidden: the caller may not do it, whoever else may.
	ErrForbidden = errors.New("forbidden")
	// ErrUnauthenticated: nobody knows who the caller is.
	ErrUnauthenticated = errors.New("unauthenticated")
)

// kindsInTexts are the kinds that an error's text carries for programs. That
// something was not found is told to people too.
var kindsInTexts = regexp.MustCompile(`(?m): (?:conflict|invalid|unavailable|forbidden|unauthenticated)(: |; |, |\)| \(|$)`)

// missingInTexts is a tail that says once more what the sentence before it said;
// what stands in quotes is a name and says nothing.
var missingInTexts = regexp.MustCompile(`(?m)^((?:[^"\n]|"[^"\n]*")*?\b(?i:no|none|nobody|nothing|never|not)\b.*): not found( \(.*)?$`)

// partsInTexts are where a part of the program says that it was the one that
// noticed.
var partsInTexts = regexp.MustCompile(`(?m)(^|: )(?:(?:catalog|crawler|flat index|picture|probe|judge|taste|api): )+`)

// doingInTexts is what the catalog was doing. Where it looked for something that
// is not there, or refused it as it stands, the rest says all.
var doingInTexts = regexp.MustCompile(`(?m)(^|: )catalog: [a-z' ]+: (.+: (?:not found|conflict|invalid))`)

// Message is the text of an error for people: what was wrong, where, and what
// to do, without the kinds that programs ask for with errors.Is.
func Message(err error) string {
	text := doingInTexts.ReplaceAllString(err.Error(), "$1$2")
	for {
		shorter := kindsInTexts.ReplaceAllString(text, "$1")
		if shorter == text {
			text = missingInTexts.ReplaceAllString(text, "$1$2")
			return partsInTexts.ReplaceAllString(text, "$1")
		}
		text = shorter
	}
}
