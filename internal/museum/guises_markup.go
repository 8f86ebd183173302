package museum

import (
	"strconv"
	"strings"
)

// lazyNames are attributes in which scripts of the world keep a picture's
// address, by name alone of no use to whoever keeps a list of them.
var lazyNames = strings.Fields(`data-src data-original data-lazy data-lazy-src data-echo data-url data-img data-image data-bg data-full
	data-large data-hires data-hi-res-src data-zoom-image data-zoom data-big data-highres data-retina data-src-retina data-orig-file
	data-large-file data-actual data-image-src data-img-url data-imgsrc data-media data-photo data-picture data-thumb data-file
	data-original-src data-fullsrc data-full-url data-max data-flickity-lazyload data-splide-lazy data-pagespeed-lazy-src data-cfsrc
	data-ll-src data-delayed-url data-wpfc-original-src nitro-lazy-src lay-src v-lazy`)

// markupGuises are those of a picture's own element.
func markupGuises() []Guise {
	var lazy strings.Builder
	for i, name := range lazyNames {
		lazy.WriteString(`<p><img src="data:image/gif;base64,R0lGODlhAQABAAAAACw=" ` + name + `="/i/w` + strconv.Itoa(i) + `_1200.jpg">`)
	}
	return []Guise{
		{Name: "lightbox-data", Want: 6, Width: 1200, Answers: map[string]string{
			"/": `<div>` + each(6, `<a class=item data-src=/i/{n}_1200.jpg data-sub-html="<h4>Work {n}</h4>"><img src=/i/{n}_300.jpg></a>`) + `</div>`}},
		{Name: "noscript", Want: 6, Width: 1706, Answers: map[string]string{
			"/": each(6, `<p><img src=/i/{n}_300.jpg data-full-url=/i/{n}_1706.jpg data-lazy-src="/i/{n}_682.jpg?is-pending-load=1"
				data-lazy-srcset="/i/{n}_682.jpg 682w, /i/{n}_300.jpg 300w, /i/{n}_1706.jpg 1706w" srcset="data:image/gif;base64,R0lGODlhAQABAAAAACw="><noscript><img src=/i/{n}_682.jpg></noscript></p>`)}},
		{Name: "noscript-only-descriptors", Want: 6, Width: 1706, Answers: map[string]string{
			"/": each(6, `<p><img src=/i/{n}_300.jpg data-full-url=/i/{n}_1706.jpg data-lazy-src=/i/{n}_682.jpg?is-pending-load=1 data-lazy-srcset="682w, 300w, 1706w"
				srcset="data:,x"><noscript><img src=/i/{n}_682.jpg></noscript>`)}},
		{Name: "lazy-names", Want: len(lazyNames), Width: 1200, Answers: map[string]string{"/": lazy.String()}},
		{Name: "width-template", Want: 5, Width: 1080, Answers: map[string]string{
			"/": each(5, `<div><img src=/cdn/{n}_300x.jpg data-src="/cdn/{n}_{width}x.jpg" data-widths="[180,360,540,720,900,1080,1296]" data-sizes=auto></div>`)}},
		{Name: "backgrounds", Want: 6, Width: 1200, Answers: map[string]string{
			"/": each(6, `<div style="background-image:url('/i/{n}_1200.jpg')"></div>`)}},
		{Name: "backgrounds-in-style", Want: 6, Width: 1200, Answers: map[string]string{
			"/": `<style>` + each(6, `.grid #w{n} { color: red; background: #fff url("/i/{n}_1200.jpg") no-repeat } `) + ` .sprite { background: url(/sprite_1200.png) }</style>` + each(6, `<a id=w{n}></a>`)}},
		{Name: "blog-host", Want: 6, Width: 1600, Answers: map[string]string{
			"/": each(6, `<div class=separator><a href="//blog-host.guises.palate.test/img/a/AVvX{n}=s1600"><img src="//blog-host.guises.palate.test/img/a/AVvX{n}=w400-h300"></a></div>`)}},
		{Name: "blog-host-folders", Want: 6, Width: 1600, Answers: answersFor(answersFor(map[string]string{
			"/": each(6, `<a href="/-x/AA{n}/s1600/name.jpg"><img src="/-x/AA{n}/s320/name.jpg"></a>`)},
			6, "/-x/AA{n}/s1600/name.jpg", "picture 1600"), 6, "/-x/AA{n}/s320/name.jpg", "picture 320")},
		{Name: "no-endings", Want: 6, Width: 1200, Requests: 7, Answers: map[string]string{
			"/": each(6, `<a href="picture.php?id={n}"><img src="thumb.php?id={n}"></a>`)}},
		{Name: "sizes-in-json", Want: 5, Width: 1200, Answers: map[string]string{
			"/": each(5, `<div class=cell data-image='{"src":"\/i\/{n}_1200.jpg","width":1200}'><img src="/i/{n}_300.jpg"></div>`)}},
		{Name: "figures-with-data", Want: 5, Width: 1200, Answers: map[string]string{
			"/": each(5, `<figure data-hires="/big/a{n}_1200.jpg"><div><img src="/small/b{n}_300.jpg" alt="Work {n}"></div></figure>`)}},
		{Name: "proxy", Want: 4, Width: 1080, Answers: answersFor(map[string]string{
			"/": each(4, `<img src="/_next/image?url=%2Fi%2F{n}.jpg&amp;w=640&amp;q=75" srcset="/_next/image?url=%2Fi%2F{n}.jpg&amp;w=640&amp;q=75 1x, /_next/image?url=%2Fi%2F{n}.jpg&amp;w=1080&amp;q=75 2x" width=540>`)},
			4, "/_next/image?url=%2Fi%2F{n}.jpg&w=1080&q=75", "picture 1080")},
		{Name: "larger-is-gone", Want: 4, Width: 300, Answers: map[string]string{
			"/": each(4, `<a href="/missing/{n}_1200.jpg"><img src="/i/{n}_300.jpg"></a>`)}},
		{Name: "svg-image", Want: 3, Width: 1200, Answers: map[string]string{
			"/": `<svg>` + each(3, `<image xlink:href="/i/{n}_1200.jpg"/>`) + `</svg>`}},
	}
}
