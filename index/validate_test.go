package index_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
)

func TestQueryValidate(t *testing.T) {
	id := palate.ImageID{1}
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for _, tt := range []struct {
		name string
		q    index.Query
		want []string // parts of the error; none if it is valid
	}{
		{"vector", index.Query{Vector: []float32{0, 2}, Limit: 1}, nil},
		{"near", index.Query{Near: &id, Limit: index.MaxLimit, Offset: index.MaxOffset}, nil},
		{"examples", index.Query{Examples: &index.Examples{Positive: []palate.ImageID{id}}, Limit: 1}, nil},
		{"infinite threshold", index.Query{Near: &id, Limit: 1, Threshold: &inf}, nil},
		{"collapse", index.Query{Near: &id, Limit: 1, Collapse: index.MaxCollapse}, nil},
		{"least collapse", index.Query{Near: &id, Limit: 1, Collapse: index.MinCollapse}, nil},
		{"nothing", index.Query{}, []string{"0 of Vector, Near and Examples", "limit is 0"}},
		{"all at once", index.Query{Vector: []float32{1, 0}, Near: &id, Examples: &index.Examples{}, Limit: -1, Offset: -2, Threshold: &nan, Collapse: 1},
			[]string{"3 of Vector", "without a positive one", "limit is -1", "offset is -2", "threshold is NaN", "collapse is 1"}},
		{"length", index.Query{Vector: []float32{1}, Limit: 1}, []string{"has 1 values, the index has 2"}},
		{"NaN", index.Query{Vector: []float32{1, nan}, Limit: 1}, []string{"vector value 1 is NaN"}},
		{"infinity", index.Query{Vector: []float32{inf, 1}, Limit: 1}, []string{"vector value 0 is +Inf"}},
		{"zero", index.Query{Vector: []float32{0, 0}, Limit: 1}, []string{"vector is zero"}},
		{"too many", index.Query{Near: &id, Limit: index.MaxLimit + 1, Offset: index.MaxOffset + 1}, []string{"limit is 1001", "offset is 10001"}},
		{"collapse NaN", index.Query{Near: &id, Limit: 1, Collapse: nan}, []string{"collapse is NaN"}},
	} {
		err := tt.q.Validate(2)
		if len(tt.want) == 0 {
			if err != nil {
				t.Errorf("%s: got %v, want no error", tt.name, err)
			}
			continue
		}
		if !errors.Is(err, palate.ErrInvalid) {
			t.Errorf("%s: got %v, want ErrInvalid", tt.name, err)
			continue
		}
		for _, part := range tt.want {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%s: %q does not say %q", tt.name, err, part)
			}
		}
		if lines := strings.Count(err.Error(), "\n") + 1; lines != len(tt.want) {
			t.Errorf("%s: %d problems are reported, want %d: %v", tt.name, lines, len(tt.want), err)
		}
	}
}

func TestValidatePoints(t *testing.T) {
	good := index.Point{ID: palate.ImageID{1}, Embedding: palate.Embedding{1, 0}}
	bad := index.Point{ID: palate.ImageID{2}, Embedding: palate.Embedding{1, 1}}
	if err := index.ValidatePoints([]index.Point{good, good}, 2); err != nil {
		t.Errorf("good points: %v", err)
	}
	err := index.ValidatePoints([]index.Point{good, bad}, 2)
	if !errors.Is(err, palate.ErrInvalid) || !strings.Contains(err.Error(), bad.ID.String()) {
		t.Errorf("got %v, want ErrInvalid that names %s", err, bad.ID)
	}
}
