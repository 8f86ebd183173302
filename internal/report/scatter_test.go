package report_test

import (
	"bytes"
	"fmt"
	"html"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/palate-art/palate/internal/report"
)

// close together are spots of many models that are about as good as each other
// at about the same cost.
func closeTogether(n int) []report.Spot {
	var all []report.Spot
	for i := range n {
		y := .9 + .002*float64(i%4)
		all = append(all, report.Spot{Name: fmt.Sprintf("a-model-with-a-long-name-%d, finetune last:2 <b>", i), X: .2 * (1 + .01*float64(i)), Y: y, Low: y - .05, High: y + .04, Unlike: i%3 == 0})
	}
	return append(all, report.Spot{Name: "none", X: 0, Y: .5, Low: .4, High: .6}, report.Spot{Name: "dear", X: 4000, Y: .95, Low: .9, High: 1})
}

var number = regexp.MustCompile(`<text x="([-0-9.]+)" y="([-0-9.]+)"[^>]*>([0-9]+)</text>`)

// Names stand below the plot, as text; in it are their numbers, none of which
// covers another.
func TestSpotsAreNumberedWithoutCoveringEachOther(t *testing.T) {
	spots := closeTogether(14)
	var page bytes.Buffer
	if err := (report.Page{Title: "t", Summary: "s", X: "seconds", Y: "AUC", Spots: spots}).Write(&page); err != nil {
		t.Fatal(err)
	}
	for _, s := range spots {
		if want := "<li>" + html.EscapeString(s.Name) + ": "; !strings.Contains(page.String(), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	places := make(map[int][2]float64)
	for _, m := range number.FindAllStringSubmatch(page.String(), -1) {
		x, _ := strconv.ParseFloat(m[1], 64)
		y, _ := strconv.ParseFloat(m[2], 64)
		n, _ := strconv.Atoi(m[3])
		if n >= 1 && n <= len(spots) && !strings.HasPrefix(m[3], "0") {
			if _, twice := places[n]; !twice || n > 9 {
				places[n] = [2]float64{x, y}
			}
		}
	}
	for n := range len(spots) {
		if _, there := places[n+1]; !there {
			t.Fatalf("spot %d has no number in the plot: got %v", n+1, places)
		}
	}
	for a, p := range places {
		for b, q := range places {
			if a < b && math.Abs(p[0]-q[0]) < 4 && math.Abs(p[1]-q[1]) < 6 {
				t.Errorf("the numbers %d at %v and %d at %v cover each other", a, p, b, q)
			}
		}
	}
}
