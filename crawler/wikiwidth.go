package crawler

// wikimediaSteps are the widths that Wikimedia makes thumbnails in, pixels;
// others are refused.
// https://www.mediawiki.org/wiki/Common_thumbnail_sizes
var wikimediaSteps = []int{20, 40, 60, 120, 250, 330, 500, 960, 1280, 1920, 3840}

// wikiWidth is the width to ask a MediaWiki for: the step at or above the
// wanted one. Where that is the largest there is, the file itself is taken
// first, and this is the width of what can't be read as it is.
func (c Config) wikiWidth() int {
	for _, step := range wikimediaSteps {
		if c.Want > 0 && step >= c.Want {
			return step
		}
	}
	return wikimediaSteps[len(wikimediaSteps)-1]
}
