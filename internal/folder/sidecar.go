package folder

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/palate-art/palate"
)

// maxSidecarBytes bounds a sidecar: an editor's history is in it.
const maxSidecarBytes = 16 << 20

// Sidecars are read of two kinds: XMP, as Lightroom, darktable, digiKam and immich
// write it, named a.xmp or a.jpg.xmp; and the JSON of a Google Takeout, named
// a.jpg.json or a.jpg.supplemental-metadata.json, of whose end a part may be
// missing.
const (
	xmpEnding     = ".xmp"
	takeoutEnding = ".supplemental-metadata"
)

// sidecars are those among the names of one folder.
type sidecars struct {
	are    map[string]bool     // sidecars, which are no pictures
	byFile map[string][]string // of a.jpg, by the picture's name in small letters
	byStem map[string][]string // a.xmp, by the name without its ending
}

func sidecarsAmong(names []string) sidecars {
	s := sidecars{map[string]bool{}, map[string][]string{}, map[string][]string{}}
	there := make(map[string]bool, len(names))
	for _, name := range names {
		there[strings.ToLower(name)] = true
	}
	for _, name := range names {
		small := strings.ToLower(name)
		stem, isXMP := strings.CutSuffix(small, xmpEnding)
		switch {
		case isXMP:
			s.are[name] = true
			if there[stem] {
				s.byFile[stem] = append(s.byFile[stem], name)
			} else {
				s.byStem[stem] = append(s.byStem[stem], name)
			}
		case strings.HasSuffix(small, ".json"):
			stem := strings.TrimSuffix(small, ".json")
			file, _, _ := cutTakeout(stem)
			if there[stem] {
				file = stem
			}
			if there[file] {
				s.are[name] = true
				s.byFile[file] = append(s.byFile[file], name)
			}
		}
	}
	return s
}

// cutTakeout cuts the beginning of takeoutEnding off.
func cutTakeout(name string) (file, ending string, found bool) {
	at := strings.LastIndexByte(name, '.')
	if at < 0 || !strings.HasPrefix(takeoutEnding, name[at:]) {
		return name, "", false
	}
	return name[:at], name[at:], true
}

// of gives the sidecars of a picture, those of its whole name first.
func (s sidecars) of(name string) []string {
	small := strings.ToLower(name)
	stem := strings.TrimSuffix(small, filepath.Ext(small))
	return append(append([]string(nil), s.byFile[small]...), s.byStem[stem]...)
}

// add takes what a sidecar says where nothing was said before.
func (r *Row) add(more Row) {
	if r.Title == "" {
		r.Title = more.Title
	}
	if r.Artist == "" {
		r.Artist = more.Artist
	}
	if r.Verdict == "" && r.Stars == 0 {
		r.judgement = more.judgement
	}
}

// readSidecar reads what palate can use of a sidecar. What can't be read is
// palate.ErrInvalid and says where.
func readSidecar(files Reader, path string) (row Row, err error) {
	content, err := readBounded(files, path, maxSidecarBytes)
	if err != nil {
		return Row{}, fmt.Errorf("sidecar: %w", err)
	}
	content = bytes.TrimPrefix(content, []byte("\xef\xbb\xbf"))
	if strings.EqualFold(filepath.Ext(path), xmpEnding) {
		row, err = parseXMP(content)
	} else {
		row, err = parseTakeout(content)
	}
	if err != nil {
		return Row{}, fmt.Errorf("%s: %w: %w", path, err, palate.ErrInvalid)
	}
	if !utf8Clean(&row) {
		return Row{}, fmt.Errorf("%s: text that is not UTF-8: %w", path, palate.ErrInvalid)
	}
	var said palate.Source
	row.fill(&said)
	if err := said.Validate(time.Now()); err != nil {
		return Row{}, fmt.Errorf("%s: %w", path, err)
	}
	return row, nil
}

// The namespaces of XMP.
const (
	xmpSpace = "http://ns.adobe.com/xap/1.0/"
	dcSpace  = "http://purl.org/dc/elements/1.1/"
	rdfSpace = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
)

// parseXMP reads rating, title and creator. A simple property may be an attribute
// or an element; of several titles or creators the first counts, which for titles
// is that of x-default.
func parseXMP(content []byte) (row Row, err error) {
	decoder := xml.NewDecoder(bytes.NewReader(content))
	var within xml.Name // title or creator
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return row, nil
		}
		if err != nil {
			return Row{}, fmt.Errorf("no XMP that can be read (%w)", err)
		}
		switch element := token.(type) {
		case xml.StartElement:
			for _, a := range element.Attr {
				if a.Name == (xml.Name{Space: xmpSpace, Local: "Rating"}) {
					row.Stars, _ = parseStars(a.Value)
				}
			}
			into := row.property(element.Name, within)
			if element.Name.Space == dcSpace {
				within = element.Name
			}
			if into == nil {
				continue
			}
			var text string
			if err := decoder.DecodeElement(&text, &element); err != nil {
				return Row{}, fmt.Errorf("no XMP that can be read (%w)", err)
			}
			into(strings.TrimSpace(text))
		case xml.EndElement:
			if element.Name == within {
				within = xml.Name{}
			}
		}
	}
}

// property is what takes the text of an element.
func (r *Row) property(name, within xml.Name) func(text string) {
	first := func(field *string) func(string) {
		return func(text string) {
			if *field == "" {
				*field = text
			}
		}
	}
	switch {
	case name == xml.Name{Space: xmpSpace, Local: "Rating"}:
		return func(text string) { r.Stars, _ = parseStars(text) }
	case name != xml.Name{Space: rdfSpace, Local: "li"} || within.Space != dcSpace:
		return nil
	case within.Local == "title":
		return first(&r.Title)
	case within.Local == "creator":
		return first(&r.Artist)
	}
	return nil
}

// parseTakeout reads whether a picture is a favourite. Its title there is the
// name of its file.
func parseTakeout(content []byte) (row Row, err error) {
	if !utf8.Valid(content) {
		return Row{}, errors.New("text that is not UTF-8")
	}
	var said struct{ Favorited bool }
	if err := json.Unmarshal(content, &said); err != nil {
		return Row{}, fmt.Errorf("no JSON object that can be read (%w)", err)
	}
	if said.Favorited {
		row.Verdict = palate.Like
	}
	return row, nil
}
