package export_test

import (
	"errors"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/export"
)

const someImage, otherImage = "2c26b46b-68ff-886f-b9b3-3c1b0f3e3c6a", "2C26B46B-68FF-886F-B9B3-3C1B0F3E3C6B"

func TestVerdictsOfAFile(t *testing.T) {
	for name, tt := range map[string]struct {
		format  export.Format
		text    string
		want    int
		problem string // part of the error's text
	}{
		"lines":              {export.NDJSON, `{"image_id":"` + someImage + `","verdict":"like","title":"夜","year":1900}` + "\n\n" + `{"image_id":"` + otherImage + `"}` + "\n" + `{"image_id":"` + otherImage + `","verdict":"skip"}`, 2, ""},
		"no line":            {export.NDJSON, "", 0, "empty"},
		"half a line":        {export.NDJSON, `{"image_id":"` + someImage + `","verdict":"like"}` + "\n{", 0, "line 2"},
		"another verdict":    {export.NDJSON, `{"image_id":"` + someImage + `","verdict":"love"}`, 0, "line 1"},
		"a verdict as stars": {export.NDJSON, `{"image_id":"` + someImage + `","verdict":5}`, 0, "line 1"},
		"stars alone":        {export.NDJSON, `{"image_id":"` + someImage + `","stars":2}` + "\n" + `{"image_id":"` + otherImage + `","verdict":"like","stars":null}`, 2, ""},
		"no stars":           {export.NDJSON, `{"image_id":"` + someImage + `","stars":0}`, 0, "line 1"},
		"half a star":        {export.NDJSON, `{"image_id":"` + someImage + `","stars":3.5}`, 0, "line 1"},
		"six stars":          {export.NDJSON, `{"image_id":"` + someImage + `","verdict":"like","stars":6}`, 0, "line 1"},
		"stars in words":     {export.CSV, "image_id,verdict,stars\n" + someImage + ",like,many\n", 0, "row 2"},
		"a table of stars":   {export.CSV, "image_id,stars\n" + someImage + ",5.0\n" + otherImage + ",\n", 1, ""},
		"no id":              {export.NDJSON, `{"verdict":"like"}`, 0, "line 1"},
		"a long line":        {export.NDJSON, `{"image_id":"` + strings.Repeat("x", 2<<20), 0, "longer"},
		"a table":            {export.CSV, "title,verdict,image_id\n\"a, \"\"b\"\"\",dislike," + someImage + "\n,," + otherImage + "\n", 1, ""},
		"no row":             {export.CSV, "image_id,verdict\n", 0, ""},
		"an empty table":     {export.CSV, "", 0, "empty"},
		"no names":           {export.CSV, someImage + ",like\n", 0, "first row"},
		"a short row":        {export.CSV, "image_id,verdict\n" + someImage + "\n", 0, "row 2"},
		"a quote":            {export.CSV, "image_id,verdict\n\"" + someImage + ",like\n", 0, "row 2"},
		"half a Parquet":     {export.Parquet, "PAR1", 0, "Parquet"},
		"no Parquet":         {export.Parquet, "", 0, "empty"},
		"no zip":             {export.NPZ, "image_id", 0, "no zip"},
		"no tar":             {export.Clip, strings.Repeat("x", 600), 0, "no tar"},
		"an empty tar":       {export.Clip, strings.Repeat("\x00", 1024), 0, "metadata"},
		"another format":     {"xlsx", "", 0, "not read from xlsx"},
	} {
		got, err := export.Verdicts(strings.NewReader(tt.text), tt.format)
		switch {
		case tt.problem == "" && (err != nil || len(got) != tt.want):
			t.Errorf("%s: got %v, %v, want %d", name, got, err, tt.want)
		case tt.problem != "" && (!errors.Is(err, palate.ErrInvalid) || !strings.Contains(err.Error(), tt.problem)):
			t.Errorf("%s: got %v, want an error of %q", name, err, tt.problem)
		}
		broken := errors.New("the line is down")
		if _, err := export.Verdicts(iotest.ErrReader(broken), tt.format); tt.format != "xlsx" && !errors.Is(err, broken) {
			t.Errorf("%s: got %v, want the reader's error", name, err)
		}
	}
}

func FuzzVerdicts(f *testing.F) {
	f.Add(`{"image_id":"`+someImage+`","verdict":"like"}`, true)
	f.Add("image_id,verdict\n"+someImage+",like\n", false)
	f.Fuzz(func(t *testing.T, text string, lines bool) {
		format := export.CSV
		if lines {
			format = export.NDJSON
		}
		said, err := export.Verdicts(strings.NewReader(text), format)
		if err != nil && (!errors.Is(err, palate.ErrInvalid) || said != nil) {
			t.Errorf("got %v, %v", said, err)
		}
		for _, s := range said {
			if _, err := palate.ParseVerdict(string(s.Verdict)); err != nil || s.Image.IsZero() && !strings.Contains(text, "0000") {
				t.Errorf("got %+v", s)
			}
		}
	})
}
