package index_test

import (
	"math"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
)

func TestFilterMatch(t *testing.T) {
	id, other := palate.ImageID{1}, palate.ImageID{2}
	wave := index.Attributes{
		Artists: []string{"Hokusai", "北斎"}, Licences: []string{"CC0"}, Sites: []string{"a.example"}, Categories: []string{"prints", "sea"},
		Years: []int{1831, 1890}, Verdicts: map[palate.Profile]palate.Verdict{"me": palate.Like, "you": palate.Dislike},
	}
	none := index.Attributes{}
	for _, tt := range []struct {
		name       string
		f          index.Filter
		wave, none bool
	}{
		{"zero", index.Filter{}, true, true},
		{"empty lists", index.Filter{Artists: []string{}, NotIDs: []palate.ImageID{}}, true, true},
		{"artist", index.Filter{Artists: []string{"x", "北斎"}}, true, false},
		{"letter case", index.Filter{Artists: []string{"hokusai"}}, false, false},
		{"another field's value", index.Filter{Sites: []string{"CC0"}}, false, false},
		{"all fields", index.Filter{Artists: []string{"Hokusai"}, Licences: []string{"CC0"}, Sites: []string{"a.example"}, Categories: []string{"sea"}}, true, false},
		{"all fields but one", index.Filter{Artists: []string{"Hokusai"}, Licences: []string{"CC0"}, Categories: []string{"land"}}, false, false},
		{"from", index.Filter{YearFrom: 1890}, true, false},
		{"to", index.Filter{YearTo: 1831}, true, false},
		{"both bounds by different years", index.Filter{YearFrom: 1840, YearTo: 1880}, false, false},
		{"one year", index.Filter{YearFrom: 1831, YearTo: 1831}, true, false},
		{"judged", index.Filter{JudgedBy: "you"}, true, false},
		{"not judged", index.Filter{NotJudgedBy: "you"}, false, true},
		{"not judged by a stranger", index.Filter{NotJudgedBy: "stranger"}, true, true},
		{"liked", index.Filter{LikedBy: "me"}, true, false},
		{"liked by who dislikes", index.Filter{LikedBy: "you"}, false, false},
		{"disliked", index.Filter{DislikedBy: "you"}, true, false},
		{"ids", index.Filter{IDs: []palate.ImageID{other, id}}, true, true},
		{"other ids", index.Filter{IDs: []palate.ImageID{other}}, false, false},
		{"no ids", index.Filter{IDs: []palate.ImageID{}}, false, false},
		{"not ids", index.Filter{NotIDs: []palate.ImageID{id}}, false, false},
		{"not other ids", index.Filter{NotIDs: []palate.ImageID{other}}, true, true},
	} {
		m := tt.f.Matcher()
		if got := m.Match(id, wave); got != tt.wave {
			t.Errorf("%s: Match(wave) = %v, want %v", tt.name, got, tt.wave)
		}
		if got := m.Match(id, none); got != tt.none {
			t.Errorf("%s: Match(none) = %v, want %v", tt.name, got, tt.none)
		}
		if tt.f.IsZero() && !(tt.wave && tt.none) {
			t.Errorf("%s: IsZero, and yet it does not pass all", tt.name)
		}
	}
	if (index.Filter{IDs: []palate.ImageID{}}).IsZero() {
		t.Error("a filter that passes no id is said to pass everything")
	}
}

func TestCollapser(t *testing.T) {
	at := func(angle float64) palate.Embedding {
		return palate.Embedding{float32(math.Cos(angle)), float32(math.Sin(angle))}
	}
	within := math.Acos(.99)
	query := []float32{3, 0} // at any length
	c := index.NewCollapser(.99, query)
	for _, tt := range []struct {
		angle float64
		want  bool
	}{
		{0, true},
		{.5 * within, false},
		{-.9 * within, false},
		{1.1 * within, true},  // far enough from the one kept
		{-1.1 * within, true}, // the other side scores the same
		{1.8 * within, false}, // near the second, not the first
		{2.3 * within, true},
		{math.Pi / 2, true},
		{math.Pi/2 + .5*within, false},
		{math.Pi, true},
	} {
		e := at(tt.angle)
		if got := c.Keep(3*e[0], e); got != tt.want {
			t.Errorf("at %.2f of the angle: Keep = %v, want %v", tt.angle/within, got, tt.want)
		}
	}
}
