package indextest

import (
	"fmt"
	"slices"

	"github.com/palate-art/palate/index"
)

// describe writes attributes so that equal ones read alike: lists have no
// order, and an empty one is like none.
func describe(a index.Attributes) string {
	sorted := func(list []string) []string { return slices.Sorted(slices.Values(list)) }
	var verdicts []string
	for profile, verdict := range a.Verdicts {
		verdicts = append(verdicts, fmt.Sprint(profile, " ", verdict))
	}
	return fmt.Sprintf("%q %q %q %q %v %q", sorted(a.Artists), sorted(a.Licences), sorted(a.Sites), sorted(a.Categories),
		slices.Sorted(slices.Values(a.Years)), sorted(verdicts))
}
