package probe_test

import (
	"errors"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/probe"
)

func TestParseClassWeights(t *testing.T) {
	for text, want := range map[string]probe.ClassWeights{"balanced": probe.Balanced(), "none": probe.Unweighted(), "2:1": {Like: 2, Dislike: 1}, "0.5:3": {Like: .5, Dislike: 3}} {
		if got, err := probe.ParseClassWeights(text); err != nil || got != want {
			t.Errorf("%s: got %+v, %v, want %+v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "2", "2:", ":1", "a:b", "1:2:3", "Balanced"} {
		if _, err := probe.ParseClassWeights(text); !errors.Is(err, palate.ErrInvalid) {
			t.Errorf("%q: got %v, want palate.ErrInvalid", text, err)
		}
	}
}
