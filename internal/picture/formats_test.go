package picture_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/picture"
	"github.com/palate-art/palate/test/race"
)

var update = flag.Bool("update", false, "write docs/formats.md and the figures of testdata/formats.json as they are now")

const (
	formatsJSON = "testdata/formats.json"
	formatsPage = "../../docs/formats.md"
)

// formatCase is one row of docs/formats.md: a file, and what becomes of it.
type formatCase struct {
	Kind string `json:"kind"`
	Case string `json:"case"`
	// Input is a file under testdata, of which only the share Cut is taken if
	// it is not zero.
	Input string  `json:"input"`
	Cut   float64 `json:"cut,omitempty"`
	// Want are the pixels that By gives; without them the file is refused.
	Want string `json:"want,omitempty"`
	By   string `json:"by,omitempty"`

	// The figures that are written by -update: the largest difference and the
	// mean one in levels, rounded up to a twentieth; what is missing; and the
	// sentence of a refusal.
	Largest int     `json:"largest,omitempty"`
	Mean    float64 `json:"mean,omitempty"`
	Damage  string  `json:"damage,omitempty"`
	Refused string  `json:"refused,omitempty"`
}

// measured is c with the figures of now.
func (c formatCase) measured(t *testing.T) formatCase {
	t.Helper()
	file, err := os.ReadFile(filepath.Join("testdata", c.Input))
	if err != nil {
		t.Fatal(err)
	}
	if c.Cut != 0 {
		file = file[:int(c.Cut*float64(len(file)))]
	}
	c.Largest, c.Mean, c.Damage, c.Refused = 0, 0, "", ""
	m, info, err := picture.Decode(bytes.NewReader(file), picture.DefaultLimits())
	if err != nil {
		if c.Refused = palate.Message(err); !errors.Is(err, palate.ErrInvalid) {
			t.Errorf("%s: got %v, want palate.ErrInvalid", c.Input, err)
		}
		return c
	}
	c.Damage = info.Damage
	if c.Want == "" {
		t.Errorf("%s, %s: it is shown, and nothing says what is to be seen", c.Kind, c.Case)
		return c
	}
	var mean float64
	c.Largest, mean = difference(t, m, readPNG(t, filepath.Join("testdata", c.Want)))
	c.Mean = math.Ceil(mean*20) / 20
	return c
}

// says is what the page says of a case.
func (c formatCase) says() string {
	said := "the same pixels"
	switch {
	case c.Refused != "":
		return "refused: “" + c.Refused + "”"
	case c.Largest > 0:
		levels := "level"
		if c.Largest > 1 {
			levels = "levels"
		}
		said = fmt.Sprintf("within %d %s, %.2f on average", c.Largest, levels, c.Mean)
	}
	if c.Damage != "" {
		said = "shown and marked as damaged (“" + c.Damage + "”): " + said
	}
	return said
}

const formatsIntro = `# What palate does with picture files

This page is written by a program (` + "`go test ./internal/picture -run TestFormatsTable -update`" + `), and a test holds it
against what palate does. Every row is a file in ` + "`internal/picture/testdata`" + `. "The same pixels" means that every
channel of every pixel of the upright picture, with transparency over white, is what the decoder in the third column gives.
Levels are of 255. Where chroma is sampled in HEIC and AVIF, palate interpolates it as libjpeg does for JPEG; others do it in
ways of their own, and the differences are there.

A picture that is imported may have 200 megapixels, one that is uploaded 50; ` + "`--max-pixels`" + ` allows more. One that a crawl finds
may have 120.
`

func formatsText(cases []formatCase) string {
	var b strings.Builder
	b.WriteString(formatsIntro)
	kind := ""
	for _, c := range cases {
		if c.Kind != kind {
			kind = c.Kind
			fmt.Fprintf(&b, "\n## %s\n\n| Case | What palate does | Compared with | File |\n|---|---|---|---|\n", kind)
		}
		by, file := c.By, c.Input
		if c.Want == "" {
			by = "–"
		}
		if c.Cut != 0 {
			file = fmt.Sprintf("the first %.0f %% of %s", 100*c.Cut, file)
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", c.Case, c.says(), by, file)
	}
	b.WriteString("\n## Kinds that are not read\n\nThey are known by their content, whatever the file's name says, and refused by name.\nOf a kind that a table above names, this is what is said of a layout that is not read.\n\n| Kind | What palate says |\n|---|---|\n")
	for _, row := range unreadRows() {
		b.WriteString(row)
	}
	return b.String()
}

// unreadRows are those of the kinds that are not read.
func unreadRows() []string {
	said := make(map[string]string)
	add := func(kind, file string) {
		_, _, err := picture.Decode(strings.NewReader(file), picture.DefaultLimits())
		var unsupported *picture.UnsupportedError
		if !errors.As(err, &unsupported) || unsupported.Kind != kind {
			said[kind] = fmt.Sprintf("NOT REFUSED BY NAME: %v", err)
			return
		}
		if said[kind] == "" {
			said[kind] = palate.Message(err)
		}
	}
	for _, f := range unreadFiles() {
		add(f.kind, f.file)
	}
	kinds, beginnings := picture.UnreadBeginnings()
	for i, kind := range kinds {
		add(kind, beginnings[i]+strings.Repeat("\x00", 32))
	}
	var rows []string
	for kind, sentence := range said {
		rows = append(rows, fmt.Sprintf("| %s | “%s” |\n", kind, sentence))
	}
	slices.SortFunc(rows, func(a, b string) int { return strings.Compare(strings.ToLower(a), strings.ToLower(b)) })
	return rows
}

// docs/formats.md is true: what it says of every file is what is measured, and
// there is no file with known pixels that it leaves out.
func TestFormatsTable(t *testing.T) {
	race.Long(t)
	var cases []formatCase
	readJSON(t, formatsJSON, &cases)
	told := make(map[string]bool)
	for i, c := range cases {
		told[c.Input] = true
		got := c.measured(t)
		if *update {
			cases[i] = got
			continue
		}
		if got.Largest > c.Largest || got.Mean > c.Mean || got.Damage != c.Damage || got.Refused != c.Refused {
			t.Errorf("%s (%s, %s): now it is %s; the page says %s", c.Input, c.Kind, c.Case, got.says(), c.says())
		}
	}
	if *update {
		var lines [][]byte
		for _, c := range cases {
			var line bytes.Buffer
			encoder := json.NewEncoder(&line)
			encoder.SetEscapeHTML(false)
			if err := encoder.Encode(c); err != nil {
				t.Fatal(err)
			}
			lines = append(lines, bytes.TrimSpace(line.Bytes()))
		}
		for name, content := range map[string][]byte{formatsJSON: []byte("[\n" + string(bytes.Join(lines, []byte(",\n"))) + "\n]\n"), formatsPage: []byte(formatsText(cases))} {
			if err := os.WriteFile(name, content, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	page, err := os.ReadFile(formatsPage)
	if err != nil {
		t.Fatal(err)
	}
	if text := formatsText(cases); string(page) != text {
		t.Error("docs/formats.md is not what testdata/formats.json says; run the test with -update and look at what changes")
	} else if strings.Contains(text, "NOT REFUSED") {
		t.Error("a kind that is not read is not refused by name")
	}
	wanted, err := filepath.Glob("testdata/*/*.want.png")
	if err != nil || len(wanted) < 150 {
		t.Fatalf("%d files with known pixels, %v", len(wanted), err)
	}
	for _, w := range wanted {
		if name := strings.TrimSuffix(strings.TrimPrefix(filepath.ToSlash(w), "testdata/"), ".want.png"); !told[name] {
			t.Errorf("%s has known pixels and no row in %s", name, path.Base(formatsJSON))
		}
	}
}
