package museum

import (
	"math/rand/v2"
	"slices"
)

// Visitor is a simulated person with a taste: some styles are liked, the
// others are not. What the visitor says differs from the taste now and then,
// as with people.
type Visitor struct {
	likes    map[string]bool
	flipRate float64
	random   *rand.Rand
}

// NewVisitor draws the styles that the visitor likes. flipRate is the share
// of ratings that say the opposite of the taste. The seed draws both.
func NewVisitor(seed int64, styles []string, liked int, flipRate float64) *Visitor {
	random := rand.New(rand.NewPCG(uint64(seed), 0x9e3779b97f4a7c15))
	styles = slices.Sorted(slices.Values(styles))
	random.Shuffle(len(styles), func(i, j int) { styles[i], styles[j] = styles[j], styles[i] })
	likes := make(map[string]bool)
	for _, style := range styles[:min(liked, len(styles))] {
		likes[style] = true
	}
	return &Visitor{likes: likes, flipRate: flipRate, random: random}
}

// Likes reports the visitor's true taste.
func (v *Visitor) Likes(style string) bool { return v.likes[style] }

// Styles are the liked styles in the order of names.
func (v *Visitor) Styles() []string {
	var styles []string
	for style := range v.likes {
		styles = append(styles, style)
	}
	slices.Sort(styles)
	return styles
}

// Says rates a picture of that style: the taste, flipped now and then.
func (v *Visitor) Says(style string) (liked, flipped bool) {
	flipped = v.random.Float64() < v.flipRate
	return v.likes[style] != flipped, flipped
}

// Choose draws n of the numbers 0 to total-1 without repetition: the
// pictures that the visitor looks at.
func (v *Visitor) Choose(total, n int) []int {
	return v.random.Perm(total)[:min(n, total)]
}
