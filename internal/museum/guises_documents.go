package museum

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"strings"
)

// documentGuises are those of sites that are no pages.
func documentGuises() []Guise {
	return append(iiifGuises(), []Guise{
		{Name: "sitemap", Want: 6, Width: 1200, Seed: "/sitemap.xml", Answers: map[string]string{
			"/sitemap.xml": `<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:image="http://www.google.com/schemas/sitemap-image/1.1">` +
				each(6, `<url><loc>http://sitemap.guises.palate.test/w/{n}</loc><image:image><image:loc>http://sitemap.guises.palate.test/i/{n}_1200.jpg</image:loc><image:title>Work {n} &amp; more</image:title></image:image></url>`) + `</urlset>`}},
		{Name: "sitemap-index", Want: 4, Width: 1200, Seed: "/sitemap_index.xml", Answers: answersFor(map[string]string{
			"/sitemap_index.xml": `<?xml version="1.0"?><sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"><sitemap><loc>http://sitemap-index.guises.palate.test/works.xml.gz</loc></sitemap></sitemapindex>`,
			"/works.xml.gz":      `<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">` + each(4, `<url><loc>http://sitemap-index.guises.palate.test/w/{n}</loc></url>`) + `</urlset>`},
			4, "/w/{n}", `<h1>Work {n}</h1><img src=/i/{n}_1200.jpg>`)},
		{Name: "media-rss", Want: 5, Width: 1200, Seed: "/feed", Answers: map[string]string{
			"/feed": `<rss version="2.0" xmlns:media="http://search.yahoo.com/mrss/"><channel><title>New</title>` +
				each(5, `<item><title>Work {n}</title><link>http://media-rss.guises.palate.test/w/{n}</link><media:group><media:content url="/i/{n}_300.jpg" medium="image" width="300"/><media:content url="/i/{n}_1200.jpg" medium="image" width="1200"/></media:group><media:thumbnail url="/t/{n}_150.jpg"/><media:credit role="author">Anna</media:credit></item>`) + `</channel></rss>`}},
		{Name: "rss-text", Want: 5, Width: 1200, Seed: "/feed", Answers: map[string]string{
			"/feed": `<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel>` +
				each(5, `<item><title>Work {n}</title><link>http://rss-text.guises.palate.test/w/{n}</link><content:encoded><![CDATA[<p><a href="/w/{n}"><img src="/i/{n}_300.jpg" srcset="/i/{n}_300.jpg 300w, /i/{n}_1200.jpg 1200w"></a></p>]]></content:encoded></item>`) + `</channel></rss>`}},
		{Name: "rss-pages", Want: 4, Width: 1200, Seed: "/feed", Answers: answersFor(map[string]string{
			"/feed": `<rss version="2.0"><channel>` + each(4, `<item><title>Work {n}</title><link>http://rss-pages.guises.palate.test/w/{n}</link></item>`) + `</channel></rss>`},
			4, "/w/{n}", `<img src=/i/{n}_1200.jpg>`)},
		{Name: "atom", Want: 4, Width: 1200, Seed: "/atom", Answers: map[string]string{
			"/atom": `<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom">` +
				each(4, `<entry><title>Work {n}</title><link href="/w/{n}"/><link rel="enclosure" type="image/jpeg" href="/i/{n}_1200.jpg"/><author><name>Anna</name></author><updated>2019-05-01T00:00:00Z</updated></entry>`) + `</feed>`}},
		{Name: "json-list", Want: 6, Width: 1200, Seed: "/en/anna/all-works?json=2&page=1", Answers: map[string]string{
			"/en/anna/all-works?json=2&page=1": paintings(0, 3), "/en/anna/all-works?json=2&page=2": paintings(3, 6), "/en/anna/all-works?json=2&page=3": `{"Paintings":null,"AllPaintingsCount":7,"PageSize":3}`}},
		{Name: "json-feed", Want: 3, Width: 1200, Seed: "/feed.json", Answers: map[string]string{
			"/feed.json": `{"version":"https://jsonfeed.org/version/1.1","items":[` + strings.TrimSuffix(each(3, `{"id":"{n}","title":"Work {n}","image":"http://json-feed.guises.palate.test/i/{n}_1200.jpg"},`), ",") + `]}`}},
	}...)
}

// paintings is a list as WikiArt's pages load it.
func paintings(from, to int) string {
	var items []string
	for i := from; i < to; i++ {
		items = append(items, fmt.Sprintf(`{"id":"5772%d","title":"Work %d","year":"1889","width":300,"height":200,"artistName":"Anna Bell","image":"http://json-list.guises.palate.test/i/%d_1200.jpg!PinterestSmall.jpg","paintingUrl":"/en/anna/work-%d"}`, i, i, i, i))
	}
	return `{"Paintings":[` + strings.Join(items, ",") + `],"AllPaintingsCount":7,"PageSize":3}`
}

func iiifGuises() []Guise {
	const two, three = "http://iiif-2.guises.palate.test", "http://iiif-3.guises.palate.test"
	return []Guise{
		{Name: "iiif-2", Want: 4, Width: 1024, Seed: "/manifest", Answers: map[string]string{
			"/manifest": `{"@context":"http://iiif.io/api/presentation/2/context.json","@id":"` + two + `/manifest","@type":"sc:Manifest","label":"A book of hours","license":"https://creativecommons.org/publicdomain/mark/1.0/",
				"attribution":"<b>The library</b>","metadata":[{"label":"Artist","value":"<span>Anna Bell</span>"},{"label":[{"@value":"Date","@language":"en"}],"value":"c. 1450"}],
				"sequences":[{"@type":"sc:Sequence","canvases":[` + strings.TrimSuffix(each(4, `{"@id":"c{n}","@type":"sc:Canvas","label":"f. {n}r","height":3000,"width":4000,"images":[{"@type":"oa:Annotation","motivation":"sc:painting",
				"resource":{"@id":"`+two+`/iiif/p{n}/full/full/0/default.jpg","@type":"dctypes:Image","height":3000,"width":4000,"service":{"@context":"http://iiif.io/api/image/2/context.json","@id":"`+two+`/iiif/p{n}","profile":"http://iiif.io/api/image/2/level2.json"}}}]},`), ",") + `]}]}`}},
		{Name: "iiif-3", Want: 3, Width: 1500, Seed: "/manifest.json", Answers: answersFor(map[string]string{
			"/manifest.json": `{"@context":"http://iiif.io/api/presentation/3/context.json","id":"` + three + `/manifest.json","type":"Manifest","label":{"de":["Ein Buch"],"en":["A book"]},"rights":"http://creativecommons.org/licenses/by/4.0/",
				"requiredStatement":{"label":{"en":["Attribution"]},"value":{"en":["The museum"]}},"metadata":[{"label":{"en":["Creator"]},"value":{"none":["Anna Bell"]}}],
				"items":[` + strings.TrimSuffix(each(3, `{"id":"c{n}","type":"Canvas","height":2000,"width":3000,"items":[{"type":"AnnotationPage","items":[{"type":"Annotation","motivation":"painting","body":{"type":"Choice","items":[{"id":"`+three+`/missing/{n}.jpg","type":"Image","format":"image/jpeg","height":2000,"width":3000,"service":[{"id":"`+three+`/iiif/q{n}","type":"ImageService3","profile":"level0"}]}]}}]}]},`), ",") + `]}`},
			3, "/iiif/q{n}/info.json", `{"@context":"http://iiif.io/api/image/3/context.json","id":"`+three+`/iiif/q{n}","type":"ImageService3","protocol":"http://iiif.io/api/image","profile":"level0","width":3000,"height":2000,"sizes":[{"width":300,"height":200},{"width":1500,"height":1000},{"width":3000,"height":2000}],"tiles":[{"width":512,"scaleFactors":[1,2,4]}]}`)},
		{Name: "iiif-collection", Want: 2, Width: 1024, Seed: "/collection", Answers: answersFor(map[string]string{
			"/collection": `{"@context":"http://iiif.io/api/presentation/3/context.json","id":"x","type":"Collection","label":{"en":["All"]},"items":[{"id":"/m/0","type":"Manifest","label":{"en":["0"]}},{"id":"/inner","type":"Collection"}]}`,
			"/inner":      `{"@context":"http://iiif.io/api/presentation/2/context.json","@type":"sc:Collection","manifests":[{"@id":"/m/1","@type":"sc:Manifest"}],"collections":[{"@id":"/collection","@type":"sc:Collection"}]}`},
			2, "/m/{n}", `{"@context":"http://iiif.io/api/presentation/3/context.json","type":"Manifest","label":{"en":["Work {n}"]},"items":[{"type":"Canvas","items":[{"type":"AnnotationPage","items":[{"type":"Annotation","motivation":"painting","body":{"id":"/iiif/r{n}/full/max/0/default.jpg","type":"Image","width":2000,"height":1000,"service":[{"@id":"/iiif/r{n}","@type":"ImageService2","profile":"level1"}]}}]}]}]}`)},
		{Name: "iiif-image", Want: 1, Width: 1024, Seed: "/iiif/s/info.json", Answers: map[string]string{
			"/iiif/s/info.json": `{"@context":"http://iiif.io/api/image/2/context.json","@id":"http://iiif-image.guises.palate.test/iiif/s","protocol":"http://iiif.io/api/image","width":4000,"height":3000,"profile":["http://iiif.io/api/image/2/level2.json",{"maxWidth":2000}]}`}},
	}
}

func gzipped(plain []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write(plain); err != nil {
		panic(err)
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return out.Bytes()
}
