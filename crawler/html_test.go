package crawler_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/palate-art/palate"
)

func TestPagesGiveTheirPictures(t *testing.T) {
	const pixel = "data:image/gif;base64,R0lGODlhAQABAAAAACw="
	for name, test := range map[string]struct {
		site files
		want []string // addresses kept
		lost map[string]int
	}{
		"an img without a link": {
			files{"site.test/": `<p><img src="a.png"></p>`, "site.test/a.png": "png 300x300"},
			[]string{"http://site.test/a.png"}, nil,
		},
		"a picture on another host, by a redirect to a third": {
			files{"site.test/": `<img src="//img.test/a">`, "img.test/a": "to http://cdn.test/a.png", "cdn.test/a.png": "png 300x300"},
			[]string{"http://img.test/a"}, nil,
		},
		"the base element": {
			files{"site.test/": `<base href="/deep/"><img src="a.png">`, "site.test/deep/a.png": "png 300x300"},
			[]string{"http://site.test/deep/a.png"}, nil,
		},
		"a missing address is no address": {
			files{"site.test/": `<img src=""><img alt="x"><img src="#"><a href=""><img src="  "></a><img src="a.png">`, "site.test/a.png": "png 300x300"},
			[]string{"http://site.test/a.png"}, nil,
		},
		"the largest of a srcset with commas in it": {
			files{
				"site.test/":          `<img src="s.png" srcset="s.png 200w, /x,y/l.png 900w, m.png 600w">`,
				"site.test/x,y/l.png": "png 900x300", "site.test/m.png": "png 600x300", "site.test/s.png": "png 200x200",
			},
			[]string{"http://site.test/x,y/l.png"}, nil,
		},
		"the next size where the largest is gone": {
			files{"site.test/": `<img src="s.png" srcset="l.png 900w, m.png 600w, s.png 200w">`, "site.test/m.png": "png 600x300", "site.test/s.png": "png 200x200"},
			[]string{"http://site.test/m.png"}, nil,
		},
		"the smaller size where the larger is gone": {
			files{"site.test/": `<img src="s.png" srcset="l.png 900w, s.png 240w">`, "site.test/s.png": "png 240x240"},
			[]string{"http://site.test/s.png"}, nil,
		},
		"no icon in the place of a large size": {
			files{"site.test/": `<img src="s.png" srcset="l.png 900w, s.png 120w">`, "site.test/s.png": "png 240x240"},
			[]string{}, map[string]int{"http_404": 1},
		},
		"the smallest size that is not smaller than wanted": {
			files{
				"site.test/":      `<img src="s.png" srcset="s.png 300w, l.png 1200w, m.png 1024w, xl.png 3000w">`,
				"site.test/m.png": "png 1024x300", "site.test/l.png": "png 1200x300", "site.test/xl.png": "png 3000x300", "site.test/s.png": "png 300x300",
			},
			[]string{"http://site.test/m.png"}, nil,
		},
		"a source that can be read": {
			files{
				"site.test/":      `<picture><source type="image/avif" srcset="a.avif"><source type="image/png" srcset="b.png 800w"><img src="c.png"></picture>`,
				"site.test/b.png": "png 800x300", "site.test/c.png": "png 300x300",
			},
			[]string{"http://site.test/b.png"}, nil,
		},
		"lazy loading with its noscript": {
			files{
				"site.test/":      `<img src="` + pixel + `" data-src="a.png"><noscript><img src="a.png"></noscript><noscript><img src="b.png"></noscript>`,
				"site.test/a.png": "png 300x300", "site.test/b.png": "png 301x300",
			},
			[]string{"http://site.test/a.png", "http://site.test/b.png"}, nil,
		},
		"the link around a thumbnail": {
			files{"site.test/": `<a href="full.png"><img src="t.png"></a>`, "site.test/full.png": "png 900x900", "site.test/t.png": "png 250x250"},
			[]string{"http://site.test/full.png"}, nil,
		},
		"the thumbnail where the link lied": {
			files{"site.test/": `<a href="full.png"><img src="t.png"></a>`, "site.test/full.png": "<h1>Viewer</h1>", "site.test/t.png": "png 250x250"},
			[]string{"http://site.test/t.png"}, nil,
		},
		"a wiki's page that ends like a picture": {
			files{
				"site.test/":                `<a href="/wiki/File:X.jpg"><img src="t.png"></a>`,
				"site.test/wiki/File:X.jpg": `<div class="fullImageLink"><a href="/X.png"><img src="/m.png"></a></div>`,
				"site.test/X.png":           "png 900x900", "site.test/m.png": "png 500x500", "site.test/t.png": "png 250x250",
			},
			[]string{"http://site.test/X.png"}, nil,
		},
		"a thumbnail where its page shows nothing": {
			files{"site.test/": `<a href="view?id=3"><img src="t.png" alt="Wheat"></a>`, "site.test/view?id=3": `<script src="viewer.js"></script>`, "site.test/t.png": "png 250x250"},
			[]string{"http://site.test/t.png"}, nil,
		},
		"a thumbnail where its page is gone": {
			files{"site.test/": `<a href="view"><img src="t.png"></a>`, "site.test/t.png": "png 250x250"},
			[]string{"http://site.test/t.png"}, map[string]int{"page_http_404": 1},
		},
		"og:image where scripts draw the page": {
			files{"site.test/": `<meta property="og:image" content="/a.png"><div id="app"></div>`, "site.test/a.png": "png 300x300"},
			[]string{"http://site.test/a.png"}, nil,
		},
		"no og:image of a list": {
			files{
				"site.test/":  `<meta property="og:image" content="/banner.png"><a href="w"><img src="t.png"></a>`,
				"site.test/w": `<img src="a.png">`, "site.test/banner.png": "png 900x300", "site.test/a.png": "png 300x300",
			},
			[]string{"http://site.test/a.png"}, nil,
		},
		"works of a JSON-LD list": {
			files{
				"site.test/":  `<script type="application/ld+json">{"@type":"ItemList","itemListElement":[{"@type":"ListItem","url":"/1"},{"@type":"ListItem","url":"/2"}]}</script>`,
				"site.test/1": `<img src="a.png">`, "site.test/2": `<img src="b.png">`, "site.test/a.png": "png 300x300", "site.test/b.png": "png 300x300",
			},
			[]string{"http://site.test/a.png", "http://site.test/b.png"}, nil,
		},
		"furniture, icons and advertisements": {
			files{
				"site.test/": `<header><img src="logo.png"></header><img width=1 height=1 src="count.png"><a href="http://ads.test/"><img src="ad.png"></a>
					<article><header><img src="a.png"></header><p><a href="/about">about</a></p></article><footer><img src="foot.png"></footer>`,
				"site.test/about": "<p>about", "site.test/a.png": "png 300x300", "site.test/logo.png": "png 300x300",
				"site.test/ad.png": "png 300x300", "site.test/foot.png": "png 300x300", "site.test/count.png": "png 300x300",
			},
			[]string{"http://site.test/a.png"}, map[string]int{"advertisement": 1},
		},
		"a work's own file, and what else its page shows": {
			files{
				"site.test/": `<table><tr><th>Artist</th><td>A</td></tr><tr><th>Date</th><td>c. 1889</td></tr></table>
					<img src="decor.png"><figure><img src="a.png" width=900></figure><a href="download.png">Download</a>`,
				"site.test/decor.png": "png 400x400", "site.test/a.png": "png 900x900", "site.test/download.png": "png 1200x1200",
			},
			[]string{"http://site.test/decor.png", "http://site.test/download.png"}, nil,
		},
		"links that are no pages of the site": {
			files{
				"site.test/":      `<a href="mailto:a@site.test">m</a><a href="javascript:x()">j</a><a href="ftp://site.test/">f</a><a href="http://other.test/">o</a><a href="#x">x</a><a href="doc.pdf">p</a><a href="/p;jsessionid=1?PHPSESSID=2&utm_source=3#y">s</a><img src="a.png">`,
				"site.test/a.png": "png 300x300", "site.test/p;jsessionid=1?PHPSESSID=2&utm_source=3": `<a href="/p;jsessionid=4?PHPSESSID=5">again</a><a href="/a/a/a/a/a">trap</a>`,
			},
			[]string{"http://site.test/a.png"}, nil,
		},
		"a link that turns out to be a picture": {
			files{"site.test/": `<a href="/download?id=7">original</a>`, "site.test/download?id=7": "png 300x300"},
			[]string{"http://site.test/download?id=7"}, nil,
		},
		"an error page is never kept": {
			files{"site.test/": `<img src="a.jpg"><img src="b.png">`, "site.test/a.jpg": "<h1>Sorry</h1>", "site.test/b.png": "png 300x300"},
			[]string{"http://site.test/b.png"}, map[string]int{"not_an_image": 1},
		},
		"the same file twice": {
			files{"site.test/": `<img src="a.png"><img src="b.png">`, "site.test/a.png": "png 300x300", "site.test/b.png": "to /a.png"},
			nil, map[string]int{"duplicate": 1},
		},
		"a page that redirects to another site": {
			files{"site.test/": `<img src="a.png"><a href="/out">out</a>`, "site.test/a.png": "png 300x300", "site.test/out": "to http://other.test/", "other.test/": `<img src="b.png">`, "other.test/b.png": "png 300x300"},
			[]string{"http://site.test/a.png"}, map[string]int{"page_off_site": 1},
		},
	} {
		t.Run(name, func(t *testing.T) {
			kept, report := crawlFiles(t, quick(), test.site)
			got := slices.Sorted(maps.Keys(kept))
			if test.want != nil && !slices.Equal(got, test.want) {
				t.Errorf("kept %q, want %q; lost %v %v", got, test.want, report.Lost, report.Examples)
			}
			if !maps.Equal(report.Lost, test.lost) {
				t.Errorf("lost %v, want %v: %v", report.Lost, test.lost, report.Examples)
			}
		})
	}
}

func TestRecordIsReadHoweverItIsWritten(t *testing.T) {
	want := palate.Source{
		Address: "http://site.test/a.png", Page: "http://site.test/", Site: "site.test", OriginalName: "a.png",
		Title: "Wheat & Crows", Artist: "Ana Müller", Date: "c. 1889–1890", Year: 1889, Medium: "oil on canvas",
		Licence: "CC BY 4.0", LicenceURL: "https://creativecommons.org/licenses/by/4.0/", ExternalID: "A-17",
		Categories: []string{"landscapes", "birds"}, Credit: "Gift, 1950",
	}
	for name, text := range map[string]string{
		"JSON-LD": `<script type="application/ld+json">{"@graph":[{"@type":"WebSite","name":"Site"},{"@type":["Painting"],"name":"Wheat & Crows","creator":[{"@type":"Person","name":"Ana Müller"}],
			"dateCreated":"c. 1889–1890","artMedium":"oil on canvas","license":"https://creativecommons.org/licenses/by/4.0/","identifier":{"@type":"PropertyValue","value":"A-17"},
			"keywords":"landscapes, birds","creditText":"Gift, 1950","image":{"@type":"ImageObject","contentUrl":"a.png"}}]}</script><a rel="license" href="x">CC BY 4.0</a>`,
		"microdata": `<div itemscope itemtype="https://schema.org/Painting"><img itemprop="image" src="a.png"><h2 itemprop="name">Wheat &amp; Crows</h2>
			<span itemprop="creator" itemscope itemtype="https://schema.org/Person"><b itemprop="name">Ana Müller</b></span><i itemprop="dateCreated">c. 1889–1890</i>
			<p itemprop="artMedium">oil on canvas</p><a itemprop="license" href="https://creativecommons.org/licenses/by/4.0/">CC BY 4.0</a><meta itemprop="identifier" content="A-17">
			<meta itemprop="keywords" content="landscapes"><meta itemprop="keywords" content="birds"><p itemprop="creditText">Gift, 1950</p></div>`,
		"a table": `<img src="a.png"><table><tr><td>Title:</td><td>Wheat &amp; Crows</td></tr><tr><th>Painter</th><td>Ana
			Müller</td></tr><tr><th>Date</th><td>c. 1889–1890</td></tr><tr><th>Technique</th><td>oil on canvas</td></tr><tr><th>License</th><td><a href="https://creativecommons.org/licenses/by/4.0/">CC BY 4.0</a></td></tr>
			<tr><th>Inventory number</th><td>A-17</td></tr><tr><th>Tags</th><td>landscapes; birds</td></tr><tr><th>Credit line</th><td>Gift, 1950</td></tr></table>`,
		"a definition list": `<img src="a.png"><h1>Wheat &amp; Crows</h1><dl><dt>Artist</dt><dd>Ana Müller</dd><dt>Year</dt><dd>c. 1889–1890</dd><dt>Medium</dt><dd>oil on canvas</dd>
			<dt>Rights</dt><dd><a href="https://creativecommons.org/licenses/by/4.0/">CC BY 4.0</a></dd><dt>Object number</dt><dd>A-17</dd><dt>Categories</dt><dd>landscapes, birds</dd><dt>Credit</dt><dd>Gift, 1950</dd></dl>`,
	} {
		t.Run(name, func(t *testing.T) {
			kept, report := crawlFiles(t, quick(), files{"site.test/": `<meta charset="utf-8">` + text, "site.test/a.png": "png 300x300"})
			if len(kept) != 1 {
				t.Fatalf("kept %v; lost %v", slices.Sorted(maps.Keys(kept)), report.Examples)
			}
			got := kept[want.Address].Source
			if got.RetrievedAt.IsZero() {
				t.Error("the time of retrieval is missing")
			}
			got.RetrievedAt = want.RetrievedAt
			if !slices.Equal(got.Categories, want.Categories) {
				t.Errorf("categories %q, want %q", got.Categories, want.Categories)
			}
			a, b := got, want
			a.Categories, b.Categories = nil, nil
			for _, f := range [][2]string{{a.Address, b.Address}, {a.Page, b.Page}, {a.Site, b.Site}, {a.OriginalName, b.OriginalName}, {a.Title, b.Title}, {a.Artist, b.Artist}, {a.Date, b.Date}, {a.Medium, b.Medium}, {a.Licence, b.Licence}, {a.LicenceURL, b.LicenceURL}, {a.ExternalID, b.ExternalID}, {a.Credit, b.Credit}} {
				if f[0] != f[1] {
					t.Errorf("got %q, want %q", f[0], f[1])
				}
			}
			equal(t, 0, "year", a.Year, b.Year)
		})
	}
}

func TestPagesAreReadInTheirOwnCharset(t *testing.T) {
	kept, _ := crawlFiles(t, quick(), files{
		"site.test/":      "<meta charset=\"iso-8859-1\"><h1>Caf\xe9</h1><img src=\"a.png\">",
		"site.test/a.png": "png 300x300",
	})
	if got := kept["http://site.test/a.png"].Source.Title; got != "Café" {
		t.Errorf("title %q, want Café", got)
	}
}
