package collection

import "github.com/palate-art/palate"

// OfOtherWeights are models whose weights are others than those that are here.
func OfOtherWeights(used []Used) []Used {
	others := append([]Used(nil), used...)
	for i := range others {
		others[i].id = palate.ModelID("0000" + string(others[i].id)[4:])
	}
	return others
}
