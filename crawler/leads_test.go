package crawler_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

func keptAddresses[T any](kept map[string]T) []string { return slices.Sorted(maps.Keys(kept)) }

// Whether a page is read before or after the list whose thumbnails link to it
// makes no difference: each work is kept once, as its page shows it.
func TestThumbnailsThatComeAfterTheirPagesAreNotKeptBesideThem(t *testing.T) {
	for name, first := range map[string]string{"the list first": "/list", "the pages first": "/index", "both from the start": ""} {
		t.Run(name, func(t *testing.T) {
			f := files{}
			var list, index strings.Builder
			want := []string{}
			for i := range 6 {
				title := [6]string{"Ash", "Birch", "Cedar", "Dogwood", "Elm", "Fir"}[i]
				thumb, whole, caption := fmt.Sprintf("/t/%c.png", 'q'+i), fmt.Sprintf("/files/%x/whole.png", 7919*i+3), ""
				if i%2 == 0 {
					caption = title // the others have no name: the link is taken at its word
				}
				fmt.Fprintf(&list, `<li><a href="/piece/%d"><img src="%s" alt="%s"></a></li>`, i, thumb, caption)
				fmt.Fprintf(&index, `<li><a href="/piece/%d">No. %d</a></li>`, i, i)
				f[fmt.Sprintf("site.test/piece/%d", i)] = fmt.Sprintf(`<main><h1>%s</h1><img src="%s"></main>`, title, whole)
				f["site.test"+thumb], f["site.test"+whole] = "png 300x240", fmt.Sprintf("png %dx600", 800+i)
				want = append(want, "http://site.test"+whole)
			}
			f["site.test/list"] = "<ul>" + list.String() + "</ul>"
			f["site.test/index"] = "<ul>" + index.String() + `</ul><a href="/deeper">more</a>`
			f["site.test/deeper"] = `<a href="/deepest">on</a>`
			f["site.test/deepest"] = `<a href="/list">all</a>`
			f["site.test/"] = map[string]string{
				"/list": `<a href="/list">all</a>`, "/index": `<a href="/index">index</a>`, "": `<a href="/list">all</a> <a href="/index">index</a>`,
			}[first]
			kept, report := crawlFiles(t, quick(), f)
			slices.Sort(want)
			if got := keptAddresses(kept); !slices.Equal(got, want) {
				t.Errorf("kept %v, want %v: %+v", got, want, report)
			}
		})
	}
}

// A picture in the frame of a site's pages stands for none of the works that
// link to them; nor does a page that two different pictures link to.
func TestPicturesThatNoPageShowsAreKeptInWhateverOrder(t *testing.T) {
	for name, start := range map[string]string{
		"the list first":  `<a href="/list">all</a>`,
		"the pages first": `<a href="/about/1">1</a><a href="/about/2">2</a><a href="/about/3">3</a><a href="/shop">shop</a><a href="/deeper">more</a>`,
	} {
		t.Run(name, func(t *testing.T) {
			f := files{
				"site.test/":        start,
				"site.test/deeper":  `<a href="/deepest">on</a>`,
				"site.test/deepest": `<a href="/list">all</a>`,
				"site.test/other":   `<a href="/shop"><img src="/t/shop-b.png"></a>`,
				"site.test/shop":    `<main><h1>The shop</h1><img src="/files/counter.png"></main>`,
				"site.test/list":    `<a href="/other">other</a><a href="/shop"><img src="/t/shop-a.png"></a>`,
			}
			want := []string{"http://site.test/files/banner.png", "http://site.test/files/counter.png"}
			for i := range 3 {
				f["site.test/list"] += fmt.Sprintf(`<li><a href="/about/%d"><img src="/t/%c.png"></a></li>`, i+1, 'q'+i)
				f[fmt.Sprintf("site.test/about/%d", i+1)] = `<main><h1>About us</h1><img src="/files/banner.png"></main>`
				want = append(want, fmt.Sprintf("http://site.test/t/%c.png", 'q'+i))
			}
			want = append(want, "http://site.test/t/shop-a.png", "http://site.test/t/shop-b.png")
			for _, address := range want {
				f[strings.TrimPrefix(address, "http://")] = fmt.Sprintf("png 4%02dx300", len(address))
			}
			kept, report := crawlFiles(t, quick(), f)
			slices.Sort(want)
			if got := keptAddresses(kept); !slices.Equal(got, want) {
				t.Errorf("kept %v, want %v: %+v", got, want, report)
			}
		})
	}
}

// Two pages that leave a picture to each other do not lose it.
func TestPagesThatLinkToEachOtherLoseNothing(t *testing.T) {
	kept, report := crawlFiles(t, quick(), files{
		"site.test/":          `<a href="/grid">grid</a>`,
		"site.test/grid":      `<p>grid</p><ul><li><a href="/rows"><img src="/i/ash.png" alt="Ash"></a></li><li><a href="/rows"><img src="/i/elm.png" alt="Elm"></a></li></ul>`,
		"site.test/rows":      `<p>rows</p><ul><li><a href="/grid"><img src="/i/ash.png" alt="Ash"></a></li><li><a href="/grid"><img src="/i/elm.png" alt="Elm"></a></li></ul>`,
		"site.test/i/ash.png": "png 400x300", "site.test/i/elm.png": "png 401x300",
	})
	if want := []string{"http://site.test/i/ash.png", "http://site.test/i/elm.png"}; !slices.Equal(keptAddresses(kept), want) {
		t.Errorf("kept %v, want %v: %+v", keptAddresses(kept), want, report)
	}
}
