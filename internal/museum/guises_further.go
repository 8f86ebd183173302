package museum

// furtherGuises are variations that we thought of: of style sheets, old
// scripts, addresses as people type them, and hosts that resize.
func furtherGuises() []Guise {
	return []Guise{
		{Name: "image-set", Want: 4, Width: 1200, Answers: map[string]string{
			"/": each(4, `<div style="background-image: image-set('/i/{n}_600.jpg' 1x, '/i/{n}_1200.jpg' 2x)"></div>`)}},
		{Name: "image-set-in-style", Want: 4, Width: 1200, Answers: map[string]string{
			"/": `<style>` + each(4, `#w{n} { background-image: url(/i/{n}_600.jpg); background-image: -webkit-image-set(url("/i/{n}_600.jpg") 1x, url("/i/{n}_1200.jpg") 2x) } `) + `</style>` + each(4, `<a id=w{n}></a>`)}},
		{Name: "picture-types", Want: 4, Width: 1200, Answers: map[string]string{
			"/": each(4, `<picture><source type="image/avif" srcset="/i/{n}_1200.avif"><source type="image/webp" srcset="/i/{n}_600.webp 600w,/i/{n}_1200.webp 1200w"><img src=/i/{n}_300.jpg></picture>`)}},
		{Name: "avif-by-name", Want: 4, Width: 1200, Answers: map[string]string{
			"/": each(4, `<picture><source srcset="/i/{n}_1200.avif"><img src=/i/{n}_1200.jpg></picture>`)}},
		{Name: "share-secure-url", Want: 1, Width: 1200, Answers: map[string]string{
			"/": `<meta property="og:title" content="Harbour"><meta property="og:image:secure_url" content="/i/0_1200.jpg"><meta property="og:image:width" content="1200"><h1>Harbour</h1><p>A painting of the harbour at dusk, seen from the northern pier, with boats.`}},
		{Name: "image-src-link", Want: 1, Width: 1200, Answers: map[string]string{
			"/": `<link rel="image_src" href="/i/0_1200.jpg"><h1>Harbour</h1><p>A painting of the harbour at dusk, seen from the northern pier, with boats.`}},
		{Name: "base", Want: 5, Width: 1200, Answers: map[string]string{
			"/": `<base href="/gallery/2020/index.html">` + each(5, `<a href="../i/{n}_1200.jpg"><img src="../i/{n}_300.jpg"></a>`)}},
		{Name: "blanks-in-addresses", Want: 5, Width: 1200, Answers: map[string]string{
			"/": each(5, `<a href=" /i/Work No {n}_1200.jpg
"><img src="/i/Work No {n}_300.jpg"></a>`)}},
		{Name: "backslashes", Want: 5, Width: 1200, Answers: map[string]string{
			"/": each(5, `<a href="images\full\{n}_1200.JPG"><img src="images\small\{n}_300.JPG"></a>`)}},
		{Name: "letters-of-all-kinds", Want: 5, Width: 1200, Answers: map[string]string{
			"/": each(5, `<a href="/Größe/Œuvre n° {n}_1200.jpg"><img src="/Gr%C3%B6%C3%9Fe/Œuvre n° {n}_300.jpg"></a>`)}},
		{Name: "xn--bcher-kva", Want: 4, Width: 1200, Answers: map[string]string{
			"/": each(2, `<img src="http://BÜCHER.guises.palate.test/i/{n}_1200.jpg">`) + each(2, `<img src="//bücher.guises.palate.test/j/{n}_1200.jpg">`)}},
		{Name: "commas-in-srcset", Want: 4, Width: 1200, Answers: map[string]string{
			"/": each(4, `<img srcset="/c_fill,w_300,q_80/{n}_300.jpg 300w, /c_fill,w_1200,q_80/{n}_1200.jpg 1200w,/c_fill,w_600,q_80/{n}_600.jpg 600w" src="/c_fill,w_300,q_80/{n}_300.jpg">`)}},
		{Name: "script-links", Want: 5, Width: 1200, Answers: map[string]string{
			"/": each(5, `<a href="javascript:popup('/i/{n}_1200.jpg',800,600)"><img src=/i/{n}_300.jpg></a>`)}},
		{Name: "script-links-by-click", Want: 5, Width: 1200, Answers: map[string]string{
			"/": each(5, `<a href="#" onclick="window.open(&quot;/i/{n}_1200.jpg&quot;, 'w', 'width=800'); return false"><img src=/i/{n}_300.jpg></a>`)}},
		{Name: "script-links-to-pages", Want: 5, Width: 1200, Answers: answersFor(map[string]string{
			"/": each(5, `<a href="javascript:openWin('work.php?no={n}')"><img src=/t/{n}_150.jpg></a>`)},
			5, "/work.php?no={n}", `<h1>Harbour {n}</h1><img src=/i/{n}_1200.jpg>`)},
		{Name: "sent-on-by-script", Want: 4, Width: 1200, Answers: map[string]string{
			"/":         `<html><head><script>window.location.replace("/welcome");</script></head><body></body></html>`,
			"/welcome":  `<script>top.location.href = '/en/works'</script><noscript>Please turn on JavaScript.</noscript>`,
			"/en/works": each(4, `<img src=/i/{n}_1200.jpg>`)}},
		{Name: "shadow-root", Want: 4, Width: 1200, Answers: map[string]string{
			"/": each(4, `<art-card><template shadowrootmode="open"><img src=/i/{n}_1200.jpg></template></art-card>`)}},
		{Name: "micro-data", Want: 1, Width: 1200, Answers: map[string]string{
			"/": `<div itemscope itemtype="https://schema.org/VisualArtwork"><h1 itemprop=name>Harbour</h1><meta itemprop="image" content="/i/0_1200.jpg"><p>A painting of the harbour at dusk, seen from the northern pier, with boats.</div>`}},
		{Name: "light-box-sizes", Want: 4, Width: 1200, Lost: "page_http_404", Answers: map[string]string{
			"/": each(4, `<a href="/piece/{n}" data-pswp-src="/i/{n}_1200.jpg" data-pswp-width="1200" data-pswp-height="900"><img src=/i/{n}_300.jpg></a>`)}},
		{Name: "octet-stream", Want: 4, Width: 1200, Answers: answersFor(answersFor(map[string]string{
			"/": each(2, `<img src="/file/{n}.jpg">`) + each(2, `<a href="/get?f={n}"><img src="/t/{n}_150.jpg"></a>`)},
			2, "/file/{n}.jpg", "header:Content-Type: application/octet-stream\npicture 1200"), 2, "/get?f={n}", "header:Content-Type: binary/octet-stream\npicture 1200")},
		{Name: "opt-out-of-pictures", Want: 2, Width: 1200, Lost: "opted_out", Answers: answersFor(map[string]string{
			"/": each(2, `<img src="/i/{n}_1200.jpg">`) + each(3, `<img src="/own/{n}.jpg">`)},
			3, "/own/{n}.jpg", "header:X-Robots-Tag: otherbot: nofollow, noimageai\npicture 1200")},
		{Name: "gone-with-200", Want: 4, Width: 300, Answers: answersFor(map[string]string{
			"/": each(4, `<a href="/i/soft{n}.jpg"><img src="/i/{n}_300.jpg"></a>`)},
			4, "/i/soft{n}.jpg", `<html><title>Not found</title><h1>We looked everywhere</h1></html>`)},
		{Name: "next-by-header", Want: 4, Width: 1200, Seed: "/works.json", Answers: map[string]string{
			"/works.json":        "header:Link: </works.json?page=2>; rel=\"next\", </works.json?page=2>; rel=\"last\"\n" + `[{"title":"A","image":"/i/0_1200.jpg"},{"title":"B","image":"/i/1_1200.jpg"}]`,
			"/works.json?page=2": `[{"title":"C","image":"/i/2_1200.jpg"},{"title":"D","image":"/i/3_1200.jpg"}]`}},
		{Name: "page-chooser", Want: 6, Width: 1200, Answers: map[string]string{
			"/":        each(2, `<img src=/i/{n}_1200.jpg>`) + `<select name=page onchange="location=this.value"><option value="/">1<option value="/?page=2">2<option value="/?page=3">3</select>`,
			"/?page=2": each(2, `<img src=/j/{n}_1200.jpg>`), "/?page=3": each(2, `<img src=/k/{n}_1200.jpg>`)}},
		{Name: "frame-text", Want: 3, Width: 1200, Answers: map[string]string{
			"/": `<iframe srcdoc="` + each(3, `&lt;img src=/i/{n}_1200.jpg&gt;`) + `"></iframe>`}},
	}
}
