package features_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/features"
	"github.com/palate-art/palate/probe"
)

func TestRatings(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	names := []string{"a/one.jpg", "b/two.jpg", `c\three.jpg`, "b/one.jpg"}
	want := []probe.Rating{{Rater: "ann", Row: 1, Grade: 4}, {Rater: "7", Row: 2, Grade: 2.5}}
	type line struct {
		Rater  string  `parquet:"rater"`
		Rating float64 `parquet:"rating"`
		Row    int64   `parquet:"row"`
	}
	inParquet := filepath.Join(dir, "p.parquet")
	if err := parquet.WriteFile(inParquet, []line{{"ann", 4, 1}, {"7", 2.5, 2}}); err != nil {
		t.Fatal(err)
	}
	for name, path := range map[string]string{
		"rows":       write("rows.csv", "rater,row,rating\nann,1,4\n7,2,2.5\n"),
		"paths":      write("paths.csv", "\xef\xbb\xbfRating,Image,Rater\r\n4,b/two.jpg,ann\r\n2.5,three.jpg,7\r\n"),
		"FLICKR-AES": write("worker.csv", " worker, imagePair, score\nann, two.jpg, 4\n7, three.jpg, 2.5\n"),
		"NDJSON":     write("n.ndjson", "{\"rater\":\"ann\",\"image\":\"x/two.jpg\",\"rating\":4}\n\n{\"rater\":7,\"row\":2,\"rating\":\"2.5\",\"tags\":[1]}\n"),
		"Parquet":    inParquet,
	} {
		got, err := features.Ratings(path, 4, names)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: got %v, %v, want %v", name, got, err, want)
		}
	}
	for name, tt := range map[string]struct{ path, says string }{
		"no rater":        {write("1.csv", "row,rating\n1,2\n"), "line 2: there is no column rater"},
		"no rating":       {write("2.csv", "rater,row\na,2\n"), "no column rating"},
		"no image":        {write("3.csv", "rater,rating\na,2\n"), "no column row or image"},
		"a word":          {write("4.csv", "rater,row,rating\na,1,2\na,2,good\n"), `line 3, column rating: "good" is no number`},
		"NaN":             {write("5.csv", "rater,row,rating\na,1,NaN\n"), "line 2, column rating"},
		"a row beyond":    {write("6.csv", "rater,row,rating\na,4,1\n"), "line 2, column row: \"4\" is none of the rows 0 to 3"},
		"no such image":   {write("7.csv", "rater,image,rating\na,four.jpg,1\n"), "line 2, column image"},
		"two such images": {write("8.csv", "rater,image,rating\na,one.jpg,1\n"), "several rows"},
		"nobody":          {write("9.csv", "rater,row,rating\n,1,1\n"), "line 2, column rater: it is empty"},
		"uneven":          {write("10.csv", "rater,row,rating\na,1\n"), "line 2"},
		"nothing":         {write("11.csv", ""), "no ratings"},
		"no object":       {write("12.ndjson", "{\"rater\":1,\"row\":1,\"rating\":1}\n[1]\n"), "line 2: no JSON object"},
		"no Parquet":      {write("13.parquet", "rater"), "no Parquet"},
		"another kind":    {write("14.txt", "a"), "none of .csv"},
	} {
		_, err := features.Ratings(tt.path, 4, names)
		if !errors.Is(err, palate.ErrInvalid) || !strings.Contains(err.Error(), tt.says) || !strings.Contains(err.Error(), tt.path) && name != "no Parquet" {
			t.Errorf("%s: got %v, want ErrInvalid with %q", name, err, tt.says)
		}
	}
	if _, err := features.Ratings(write("15.csv", "rater,image,rating\na,b/two.jpg,1\n"), 4, nil); !errors.Is(err, palate.ErrInvalid) || !strings.Contains(err.Error(), "have no names") {
		t.Errorf("without names: got %v", err)
	}
}
