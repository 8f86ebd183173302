package palate

import (
	"fmt"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"
)

// The bounds of what is said of a picture.
const (
	// EarliestYear leaves room for the oldest paintings on rock.
	EarliestYear = -100_000

	maxSourceURL  = 4 << 10 // bytes
	maxSourceText = 4 << 10
	maxCredit     = 16 << 10
	maxCategory   = 1 << 10
	maxCategories = 1000
)

// FieldError is an ErrInvalid of one field of a Source.
type FieldError struct {
	Field   string // as JSON and forms call it
	Problem string
}

func (e *FieldError) Error() string { return e.Field + ": " + e.Problem }

// Unwrap gives ErrInvalid.
func (e *FieldError) Unwrap() error { return ErrInvalid }

// Validate is for a source that somebody gives: its error is a *FieldError of
// the first field that can't be taken. Page and LicenceURL are http or https
// addresses, since others follow them; Year is at most next year as of now;
// texts and the number of categories are bounded. Address is not looked at: it
// is never given, but made by whoever found the file.
func (s Source) Validate(now time.Time) error {
	for _, f := range s.fields(now) {
		if f.problem != "" {
			return &FieldError{f.name, f.problem}
		}
	}
	return nil
}

// Clean is for a source that was found: it returns it without the fields that
// Validate would refuse. It changes nothing that s shares.
func (s Source) Clean(now time.Time) Source {
	clean := s
	for _, f := range clean.fields(now) {
		if f.problem != "" {
			f.drop()
		}
	}
	return clean
}

type sourceField struct {
	name, problem string
	drop          func()
}

func (s *Source) fields(now time.Time) []sourceField {
	var fields []sourceField
	for _, f := range []struct {
		name    string
		value   *string
		problem func(string) string
	}{
		{"page", &s.Page, urlProblem},
		{"licence_url", &s.LicenceURL, urlProblem},
		{"title", &s.Title, textProblem(maxSourceText)},
		{"artist", &s.Artist, textProblem(maxSourceText)},
		{"date", &s.Date, textProblem(maxSourceText)},
		{"medium", &s.Medium, textProblem(maxSourceText)},
		{"licence", &s.Licence, textProblem(maxSourceText)},
		{"credit", &s.Credit, textProblem(maxCredit)},
		{"external_id", &s.ExternalID, textProblem(maxSourceText)},
		{"original_name", &s.OriginalName, textProblem(maxSourceText)},
		{"site", &s.Site, textProblem(maxSourceText)},
	} {
		fields = append(fields, sourceField{f.name, f.problem(*f.value), func() { *f.value = "" }})
	}
	year := ""
	if last := now.Year() + 1; s.Year < EarliestYear || s.Year > last {
		year = fmt.Sprintf("%d is not between %d and %d", s.Year, EarliestYear, last)
	}
	return append(fields,
		sourceField{"year", year, func() { s.Year = 0 }},
		sourceField{"categories", categoriesProblem(s.Categories), func() { s.Categories = usableCategories(s.Categories) }})
}

func urlProblem(text string) string {
	if text == "" {
		return ""
	}
	if len(text) > maxSourceURL {
		return fmt.Sprintf("it has %d bytes, want an address of at most %d", len(text), maxSourceURL)
	}
	u, err := url.Parse(text)
	if err != nil || !strings.EqualFold(u.Scheme, "http") && !strings.EqualFold(u.Scheme, "https") || u.Host == "" {
		return fmt.Sprintf("%.100q is no http or https address", text)
	}
	return ""
}

func textProblem(most int) func(string) string {
	return func(text string) string {
		if len(text) <= most {
			return ""
		}
		return fmt.Sprintf("it has %d bytes, want at most %d (it begins %q)", len(text), most, strings.ToValidUTF8(text[:40], string(utf8.RuneError)))
	}
}

func categoriesProblem(categories []string) string {
	if len(categories) > maxCategories {
		return fmt.Sprintf("there are %d, want at most %d", len(categories), maxCategories)
	}
	for _, c := range categories {
		if problem := textProblem(maxCategory)(c); problem != "" {
			return problem
		}
	}
	return ""
}

func usableCategories(categories []string) []string {
	var usable []string
	for _, c := range categories {
		if len(c) <= maxCategory && len(usable) < maxCategories {
			usable = append(usable, c)
		}
	}
	return usable
}
