package taste

// ScoreWholeUpTo changes up to how many images a ranking by neighbours scores
// all of them.
func (t *Tastes) ScoreWholeUpTo(images int) { t.wholeUpTo = images }
