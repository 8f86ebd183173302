package sqlite

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
)

// mend makes describing text storable.
func mend(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

// checkName refuses a name that could not be told from another once mended.
func checkName(what, s string) error {
	if s == "" {
		return fmt.Errorf("%s is empty: %w", what, palate.ErrInvalid)
	}
	if !utf8.ValidString(s) {
		return fmt.Errorf("%s %q is not UTF-8: %w", what, s, palate.ErrInvalid)
	}
	return nil
}

func checkJSON(what string, raw json.RawMessage) error {
	if raw != nil && (!json.Valid(raw) || !utf8.Valid(raw)) {
		return fmt.Errorf("%s is no JSON: %w", what, palate.ErrInvalid)
	}
	return nil
}

// nullJSON stores nothing for nothing.
func nullJSON(raw json.RawMessage) any {
	if raw == nil {
		return nil
	}
	return string(raw)
}

// fold makes texts comparable letter case aside, in any script, whether their
// accents are composed or not.
func fold(s string) string {
	return norm.NFC.String(cases.Fold().String(norm.NFC.String(mend(s))))
}

// searchText is what a search looks through: of a source without a title, what
// its file's name gives for one. The separator keeps a search from matching the
// end of a title with the beginning of a name.
func searchText(title, originalName, artist string) string {
	if title == "" {
		title = catalog.FileTitle(originalName)
	}
	return fold(title) + "\x00" + fold(artist)
}

// Lists travel as one parameter, at any length: a JSON array of hexadecimal
// strings, because SQLite's JSON ends a string at a NUL.
const (
	idsIn   = "(SELECT unhex(value) FROM json_each(?))"
	textsIn = "(SELECT CAST(unhex(value) AS TEXT) FROM json_each(?))"
)

func idList(ids []palate.ImageID) string {
	var b strings.Builder
	b.Grow(2 + 35*len(ids))
	b.WriteByte('[')
	for i, id := range ids {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteByte('"')
		b.WriteString(hex.EncodeToString(id[:]))
		b.WriteByte('"')
	}
	b.WriteByte(']')
	return b.String()
}

func textList(texts []string) string {
	encoded := make([]string, len(texts))
	for i, s := range texts {
		encoded[i] = hex.EncodeToString([]byte(mend(s)))
	}
	return `["` + strings.Join(encoded, `","`) + `"]`
}
