package museum

import (
	"fmt"
	"strings"
)

// structureGuises are those of where a page's pictures stand and lead to.
func structureGuises() []Guise {
	pages := map[string]string{}
	for n := 1; n <= 40; n++ {
		path := fmt.Sprintf("/page/%d/", n)
		if n == 1 {
			path = "/"
		}
		next := ""
		if n < 40 {
			next = fmt.Sprintf(`<a class="next page-numbers" href=/page/%d/>Weiter →</a>`, n+1)
		}
		pages[path] = fmt.Sprintf(`<h1>Works</h1><img src=/i/%d_1200.jpg><img src=/i/%d_1200.jpg>%s`, 2*n, 2*n+1, next)
	}
	calendar := map[string]string{"/": each(3, `<img src=/i/{n}_1200.jpg>`) + `<a href=/calendar/1>Events</a>`}
	for n := 1; n < 300; n++ {
		calendar[fmt.Sprintf("/calendar/%d", n)] = fmt.Sprintf(`<h1>Month %d</h1><a href=/calendar/%d>›</a><a href=/>home</a>`, n, n+1)
	}
	const graph = `<script type=application/ld+json>{"@context":"https://schema.org","@graph":[{"@type":"WebPage","@id":"/","primaryImageOfPage":{"@id":"#p"}},
		{"@type":"ImageObject","@id":"#p","url":"/i/0_1200.jpg","contentUrl":"/i/0_1200.jpg","width":1200},{"@type":"BreadcrumbList","itemListElement":[{"@type":"ListItem","position":1,"name":"Home"}]},{"@type":"WebSite","name":"Anna"}]}</script>`
	wikiart := func(related string) string {
		return `<main><div class=wiki-layout><article><h3>Wheat {n}</h3><h5><a href="/en/anna">Anna Bell</a></h5><ul><li><s>Artist:</s> <span><a href=/en/anna>Anna Bell</a></span></li><li><s>Date:</s> <span>1889</span></li><li><s>Style:</s> <span>Realism</span></li></ul></article>
			<aside><div class=image-wrapper><img src="/i/{n}_1200.jpg" alt="Wheat {n}"></div></aside></div>` + related + `</main>`
	}
	return []Guise{
		{Name: "seo-graph", Want: 8, Width: 1200, Answers: map[string]string{
			"/": graph + `<main>` + each(8, `<figure><a href=/i/{n}_1200.jpg><img src=/i/{n}_300.jpg srcset="/i/{n}_300.jpg 300w, /i/{n}_600.jpg 600w, /i/{n}_1200.jpg 1200w"></a></figure>`) + `</main>`}},
		{Name: "series", Want: 12, Width: 1200, Answers: map[string]string{
			"/": `<h1>Harbour, a series</h1><dl><dt>Artist<dd>Anna Bell<dt>Year<dd>2019</dl>` + each(12, `<figure><img src=/i/{n}_1200.jpg><figcaption>Harbour {n}</figcaption></figure>`)}},
		{Name: "linked-elsewhere", Want: 6, Width: 1200, Answers: map[string]string{
			"/": each(6, `<a href="https://photos.example/me/{n}"><img src=/i/{n}_1200.jpg></a>`)}},
		{Name: "artist-first", Want: 10, Answers: map[string]string{
			"/":            `<ul>` + each(10, `<li><img src=/i/{n}_1200.jpg><p>Work {n} by <a href=/artist/anna>Anna</a></li>`) + `</ul>`,
			"/artist/anna": `<h1>Anna</h1><p>She was born.</p>`}},
		{Name: "artist-first-portrait", Want: 11, Answers: map[string]string{
			"/":            `<ul>` + each(10, `<li><img src=/i/{n}_1200.jpg><p>Work {n} by <a href=/artist/anna>Anna</a></li>`) + `</ul>`,
			"/artist/anna": `<h1>Anna</h1><img src=/portraits/anna_1200.jpg>`}},
		{Name: "artists-each", Want: 12, Answers: answersFor(map[string]string{
			"/": `<ul>` + each(6, `<li><img src=/i/{n}_1200.jpg alt="Work {n}"><p>Work {n} by <a href=/p{n}>Anna {n}</a></li>`) + `</ul>`},
			6, "/p{n}", `<h1>Anna {n}</h1><img src=/portraits/x{n}_1200.jpg>`)},
		{Name: "all-to-shop", Want: 10, Width: 1200, Answers: map[string]string{
			"/":     each(10, `<p><a href=/shop><img src=/i/{n}_1200.jpg></a>`),
			"/shop": `<h1>Shop</h1><p>Closed.`}},
		{Name: "shop-with-banner", Want: 11, Width: 1200, Answers: map[string]string{
			"/":     each(10, `<p><a href=/shop><img src=/i/{n}_1200.jpg></a>`),
			"/shop": `<h1>Shop</h1><img src=/banner_1200.jpg>`}},
		{Name: "news-with-one-banner", Want: 7, Width: 1200, Answers: answersFor(map[string]string{
			"/": each(6, `<p><a href=/news/{n}><img src=/i/{n}_1200.jpg></a>`)},
			6, "/news/{n}", `<h1>News {n}</h1><img src=/banner_1200.jpg>`)},
		{Name: "gone", Want: 5, Width: 1200, Lost: "page_http_404", Answers: map[string]string{
			"/": each(5, `<a href=/piece/{n}><img src=/i/{n}_1200.jpg></a>`)}},
		{Name: "nofollow", Want: 5, Width: 1200, Lost: "page_nofollow", Answers: answersFor(map[string]string{
			"/": `<meta name=robots content="index,nofollow">` + each(5, `<a href=/piece/{n}><img src=/i/{n}_1200.jpg></a>`)},
			5, "/piece/{n}", `<img src=/i/{n}_1600.jpg>`)},
		{Name: "larger-behind", Want: 5, Width: 1200, Answers: answersFor(map[string]string{
			"/": each(5, `<a href=/piece/{n}><img src=/thumbs/{n}_300.jpg alt="Harbour {n}"></a>`)},
			5, "/piece/{n}", `<h1>Harbour {n}</h1><figure><img src=/full/a{n}_1200.jpg></figure>`)},
		{Name: "seen-twice", Want: 5, Width: 1200, Answers: answersFor(map[string]string{
			"/":  each(5, `<a href=/piece/{n}><img src=/thumbs/{n}_300.jpg></a>`) + `<a href=/t>tag</a>`,
			"/t": each(5, `<a href=/piece/{n}><img src=/thumbs/{n}_300.jpg></a>`)},
			5, "/piece/{n}", `<h1>Harbour {n}</h1><figure><img src=/full/a{n}_1200.jpg></figure>`)},
		{Name: "aside", Want: 5, Width: 1200, Answers: answersFor(map[string]string{
			"/": `<ul>` + each(5, `<li><a href=/en/anna/wheat-{n}>Wheat {n}</a>`) + `</ul>`, "/en/anna": `<h1>Anna Bell</h1>`},
			5, "/en/anna/wheat-{n}", wikiart(""))},
		{Name: "aside-related", Want: 5, Width: 1200, Answers: answersFor(map[string]string{
			"/": `<ul>` + each(5, `<li><a href=/en/anna/wheat-{n}>Wheat {n}</a>`) + `</ul>`, "/en/anna": `<h1>Anna Bell</h1>`},
			5, "/en/anna/wheat-{n}", wikiart(`<section><h2>Related works</h2><ul>`+each(5, `<li><a href="/en/anna/wheat-{n}"><img src="/i/{n}_300.jpg"></a>`)+`</ul></section>`))},
		{Name: "numbered-pages", Want: 80, Width: 1200, Answers: pages},
		{Name: "calendar", Want: 3, Width: 1200, Lost: "page_endless", Requests: 40, Answers: calendar},
		{Name: "page-state", Want: 6, Width: 1200, Answers: map[string]string{
			"/": `<meta property=og:image content=/share_1200.jpg><div id=__next></div><script id=__NEXT_DATA__ type=application/json>{"props":{"pageProps":{"site":{"logo":"/logo_300.png"},"works":[` +
				strings.TrimSuffix(each(6, `{"title":"Work {n}","image":{"url":"/i/{n}_1200.jpg","width":1200},"artist":{"name":"Anna"}},`), ",") + `]}}}</script>`}},
		{Name: "window-state", Want: 6, Width: 1200, Answers: map[string]string{
			"/": `<div id=app></div><script>window.__INITIAL_STATE__ = {"works":[` + strings.TrimSuffix(each(6, `{"name":"Work {n}","thumb":"\/i\/{n}_300.jpg","full":"\/i\/{n}_1200.jpg"},`), ",") + `]};(function(){var s;})()</script>`}},
		{Name: "nuxt-state", Want: 6, Width: 1200, Answers: map[string]string{
			"/": `<div id=__nuxt></div><script>window.__NUXT__=(function(a,b){return {data:[{works:[` + strings.TrimSuffix(each(6, `{title:"Work {n}",src:"\u002Fi\u002F{n}_1200.jpg",v:a},`), ",") + `]}]}}(null,false));</script>`}},
		{Name: "by-script", Want: 0, Lost: "page_drawn_by_script", Answers: map[string]string{
			"/": `<div id=root></div><script src=/app.js></script>`}},
		{Name: "record-with-larger", Want: 4, Width: 1200, Answers: map[string]string{
			"/": `<script type=application/ld+json>{"@type":"VisualArtwork","name":"Vase","creator":{"name":"Anna"},"image":["/i/0_1200.jpg","/i/1_1200.jpg","/i/2_1200.jpg","/i/3_1200.jpg"]}</script>` +
				each(4, `<figure><img src=/i/{n}_300.jpg></figure>`)}},
		{Name: "frames", Want: 4, Width: 1200, Answers: map[string]string{
			"/": `<html><frameset cols="20%,80%"><frame src=menu.htm><frame src=show.htm></frameset></html>`, "/menu.htm": `<a href=show.htm>Show</a>`, "/show.htm": each(4, `<img src=/i/{n}_1200.jpg>`)}},
		{Name: "refresh", Want: 4, Width: 1200, Answers: map[string]string{
			"/": `<html><head><meta http-equiv=Refresh content="0; URL=/en/index.htm"></head></html>`, "/en/index.htm": each(4, `<img src=/i/{n}_1200.jpg>`)}},
		{Name: "load-more", Want: 12, Width: 1200, Answers: map[string]string{
			"/":                  `<div id=grid>` + each(6, `<figure><img src=/i/{n}_1200.jpg></figure>`) + `</div><button data-next="/works.json?page=2">More</button>`,
			"/works.json?page=2": `{"works":[` + strings.TrimSuffix(each(6, `{"title":"Work {n}","image":"/j/{n}_1200.jpg"},`), ",") + `]}`}},
		{Name: "load-more-html", Want: 12, Width: 1200, Answers: map[string]string{
			"/":         `<div id=grid>` + each(6, `<figure><img src=/i/{n}_1200.jpg></figure>`) + `</div><a class="load-more" data-url="/more?p=2" href="#">More</a>`,
			"/more?p=2": `{"html":"` + each(6, `<figure><img src=\"/j/{n}_1200.jpg\"><\/figure>`) + `","next":null}`}},
		{Name: "series-by-sid", Want: 10, Width: 1200, Answers: answersFor(map[string]string{
			"/": each(10, `<a href="/show.php?sid={n}">Series {n}</a> `)},
			10, "/show.php?sid={n}", `<h1>Series {n}</h1><img src=/i/{n}_1200.jpg>`)},
		{Name: "opt-out-header", Want: 0, Lost: "opted_out", Answers: map[string]string{
			"/": "header:X-Robots-Tag: noai, noimageai\n<h1>Mine</h1>" + each(4, `<img src=/i/{n}_1200.jpg>`)}},
		{Name: "opt-out-meta", Want: 0, Lost: "opted_out", Answers: map[string]string{
			"/": `<meta name=robots content="noimageai">` + each(4, `<img src=/i/{n}_1200.jpg>`)}},
	}
}
