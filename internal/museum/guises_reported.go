package museum

import (
	"net/http"
	"net/url"
	"strings"
)

// reportedGuises are ways in which sites refuse and answer that users of other
// crawlers have reported. The markup is ours.
func reportedGuises() []Guise {
	own := func(r *http.Request) bool {
		u, err := url.Parse(r.Referer())
		return err == nil && u.Hostname() == hostOf(r)
	}
	isPicture := func(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, "/i/") }
	cookie := func(r *http.Request, name string) bool { _, err := r.Cookie(name); return err == nil }
	return []Guise{
		// gallery-dl pull request 2317 and issue 3956: pictures want the page as Referer.
		{Name: "hotlink-refused", Want: 4, Width: 1200, Answers: map[string]string{"/": each(4, `<img src=/i/{n}_1200.jpg>`)},
			Instead: func(r *http.Request) string {
				if isPicture(r) && !own(r) {
					return "403"
				}
				return ""
			}},
		{Name: "hotlink-placeholder", Want: 4, Width: 1200, Answers: map[string]string{"/": each(4, `<img src=/i/{n}_1200.jpg>`)},
			Instead: func(r *http.Request) string {
				if isPicture(r) && !own(r) {
					return "picture 320"
				}
				return ""
			}},
		// gallery-dl issue 4686: a host of pictures refuses those that name another site as Referer.
		{Name: "no-foreign-referer", Want: 4, Width: 1200, Answers: map[string]string{"/": each(4, `<img src="http://pictures.no-foreign-referer.guises.palate.test/i/{n}_1200.jpg">`)},
			Instead: func(r *http.Request) string {
				if isPicture(r) && r.Referer() != "" && !own(r) {
					return "403"
				}
				return ""
			}},
		// scrapy issue 3852: pictures want the cookie that their page set.
		{Name: "session-cookie", Want: 4, Width: 1200, Answers: map[string]string{"/": "header:Set-Cookie: visit=1; Path=/\n" + each(4, `<img src=/i/{n}_1200.jpg>`)},
			Instead: func(r *http.Request) string {
				if isPicture(r) && !cookie(r, "visit") {
					return "403"
				}
				return ""
			}},
		{Name: "consent", Want: 4, Width: 1200, Answers: map[string]string{"/": each(4, `<img src=/i/{n}_1200.jpg>`),
			"/consent?to=%2F": `<h1>Before you go on</h1><p>We use cookies. <a href="/agree?to=%2F">I agree</a>`,
			"/agree?to=%2F":   "header:Set-Cookie: agreed=1; Path=/\nto /"},
			Instead: func(r *http.Request) string {
				if (r.URL.Path == "/" || isPicture(r)) && !cookie(r, "agreed") {
					return "to /consent?to=%2F"
				}
				return ""
			}},
		{Name: "consent-for-pictures", Want: 0, Lost: "not_an_image", Answers: map[string]string{"/": each(4, `<img src=/i/{n}_1200.jpg>`), "/consent": `<h1>Before you go on</h1><form method=post><button>I agree</button></form>`},
			Instead: func(r *http.Request) string {
				if isPicture(r) {
					return "to /consent"
				}
				return ""
			}},
		// scrapy issues 2004 and 3995: pictures are redirected.
		{Name: "redirected-pictures", Want: 4, Width: 1200, Answers: answersFor(map[string]string{"/": each(4, `<img src=/get/{n}>`)}, 4, "/get/{n}", "to /i/{n}_1200.jpg")},
		{Name: "length-too-large", Want: 3, Width: 1200, Answers: answersFor(map[string]string{"/": each(3, `<img src=/p/{n}.png>`)}, 3, "/p/{n}.png", "header:Content-Length: 900000\npicture 1200")},
		{Name: "length-too-small", Want: 0, Lost: "cut_short", Answers: answersFor(map[string]string{"/": each(3, `<img src=/p/{n}.png>`)}, 3, "/p/{n}.png", "header:Content-Length: 300\npicture 1200")},
	}
}

// answerGuises are lists of JSON in the shapes that the programs and services
// of these names are known to publish. The content is ours, none was recorded;
// some shapes are from general knowledge, not from a document.
func answerGuises() []Guise {
	list := func(n int, item string) string { return strings.TrimSuffix(each(n, item+","), ",") }
	json := func(name, path string, want, width int, text string) Guise {
		text = strings.ReplaceAll(text, "{host}", "http://"+name+"."+GuiseDomain)
		return Guise{Name: name, Seed: path, Want: want, Width: width, Answers: map[string]string{path: text}}
	}
	guises := []Guise{
		json("danbooru", "/posts.json?tags=harbour", 4, 2000, `[`+list(4, `{"id":{n},"image_width":2000,"image_height":1500,"file_ext":"jpg","tag_string_artist":"anna_bell","source":"https://elsewhere.example/{n}","media_asset":{"variants":[{"type":"180x180","url":"{host}/180/a{n}_180.jpg","width":180,"height":135,"file_ext":"jpg"},{"type":"original","url":"{host}/o/a{n}_2000.jpg","width":2000,"height":1500,"file_ext":"jpg"}]},"file_url":"{host}/o/a{n}_2000.jpg","large_file_url":"{host}/sample/sample-a{n}_850.jpg","preview_file_url":"{host}/180/a{n}_180.jpg"}`)+`]`),
		json("moebooru", "/post.json?limit=4", 4, 1500, `[`+list(4, `{"id":{n},"tags":"harbour","width":2000,"height":1500,"file_url":"{host}/image/a{n}_2000.png","jpeg_url":"{host}/jpeg/a{n}_1500.jpg","jpeg_width":1500,"jpeg_height":1125,"sample_url":"{host}/sample/a{n}_850.jpg","sample_width":850,"sample_height":638,"preview_url":"{host}/data/preview/a{n}_150.jpg","preview_width":75,"actual_preview_width":150}`)+`]`),
		json("gelbooru", "/index.php?page=dapi&s=post&q=index&json=1", 4, 2000, `{"@attributes":{"limit":4,"offset":0,"count":4},"post":[`+list(4, `{"id":{n},"width":2000,"height":1500,"file_url":"{host}/images/a{n}_2000.jpg","sample_url":"{host}/samples/sample_a{n}_850.jpg","preview_url":"{host}/thumbnails/thumbnail_a{n}_250.jpg","sample_width":850,"title":""}`)+`]}`),
		json("europeana", "/record/v2/search.json", 4, 1200, `{"success":true,"items":[`+list(4, `{"id":"/9/{n}","type":"IMAGE","title":["Harbour {n}"],"dcCreator":["Anna Bell"],"edmPreview":["{host}/thumbnail/v2/url.json?uri=x{n}"],"edmIsShownBy":["{host}/i/{n}_1200.jpg"],"edmIsShownAt":["https://provider.example/{n}"],"rights":["http://creativecommons.org/publicdomain/mark/1.0/"],"guid":"{host}/item/{n}"}`)+`]}`),
		json("smk", "/api/v1/art/search", 4, 1200, `{"offset":0,"found":4,"items":[`+list(4, `{"id":"{n}","titles":[{"title":"Harbour {n}"}],"artist":["Anna Bell"],"has_image":true,"image_width":1200,"image_thumbnail":"{host}/t/{n}_400.jpg","image_native":"{host}/i/{n}_1200.jpg","public_domain":true}`)+`]}`),
		json("wordpress-media", "/wp-json/wp/v2/media", 4, 1024, `[`+list(4, `{"id":{n},"title":{"rendered":"Harbour {n}"},"media_type":"image","mime_type":"image/jpeg","media_details":{"width":2560,"height":1600,"file":"2024/{n}.jpg","sizes":{"medium":{"file":"{n}_300.jpg","width":300,"height":188,"source_url":"{host}/u/{n}_300.jpg"},"large":{"width":1024,"height":640,"source_url":"{host}/u/{n}_1024.jpg"},"full":{"width":2560,"height":1600,"source_url":"{host}/u/{n}_2560.jpg"}}},"source_url":"{host}/u/{n}_2560.jpg"}`)+`]`),
		json("shop-products", "/products.json", 6, 1200, `{"products":[`+list(3, `{"id":{n},"title":"Print {n}","images":[{"id":1,"width":1200,"height":900,"src":"{host}/p/a{n}_1200.jpg?v=17"},{"id":2,"width":1200,"height":900,"src":"{host}/p/b{n}_1200.jpg?v=17"}]}`)+`]}`),
		json("mastodon", "/api/v1/accounts/1/statuses", 4, 1600, `[`+list(4, `{"id":"{n}","content":"<p>New<\/p>","account":{"display_name":"Anna","avatar":"{host}/avatars/me_400.jpg","header":"{host}/headers/me_1500.jpg"},"media_attachments":[{"id":"1","type":"image","url":"{host}/original/{n}_1600.jpg","preview_url":"{host}/small/{n}_480.jpg","meta":{"original":{"width":1600,"height":1200,"size":"1600x1200"},"small":{"width":480}},"description":"Harbour"}]}`)+`]`),
		json("activity", "/users/anna/outbox?page=true", 4, 1600, `{"@context":"https://www.w3.org/ns/activitystreams","type":"OrderedCollectionPage","orderedItems":[`+list(4, `{"type":"Create","object":{"type":"Note","content":"<p>x<\/p>","attachment":[{"type":"Document","mediaType":"image/jpeg","url":"{host}/media/{n}_1600.jpg","name":"Harbour","width":1600,"height":1200}]}}`)+`]}`),
		json("artstation-project", "/projects/a.json", 4, 1920, `{"title":"Harbour","user":{"full_name":"Anna","medium_avatar_url":"{host}/avatars/a_400.jpg"},"cover_url":"{host}/assets/000/large/c0_1920.jpg","assets":[`+list(4, `{"id":{n},"asset_type":"image","has_image":true,"width":1920,"height":1080,"image_url":"{host}/assets/00{n}/large/c{n}_1920.jpg?17"}`)+`]}`),
		json("share-links", "/r/art/new.json", 4, 1600, `{"kind":"Listing","data":{"after":null,"children":[`+list(4, `{"kind":"t3","data":{"title":"Harbour {n}","author":"anna","thumbnail":"{host}/t/{n}_140.jpg","url_overridden_by_dest":"{host}/full/ab3xk{n}q_1600.jpg","preview":{"images":[{"source":{"url":"{host}/preview/ab3xk{n}q_1600.jpg?auto=webp&amp;s=ab","width":1600,"height":1200},"resolutions":[{"url":"{host}/preview/ab3xk{n}q_320.jpg?width=320&amp;s=cd","width":320,"height":240}]}]}}}`)+`]}}`),
	}
	for i := range guises { // its cover is its first picture once more
		if guises[i].Name == "artstation-project" {
			guises[i].Lost = "duplicate"
		}
	}
	return append(guises,
		Guise{Name: "harvard", Seed: "/object?page=1", Want: 3, Answers: answersFor(map[string]string{
			"/object?page=1": `{"info":{"page":1,"pages":1},"records":[` + list(3, `{"objectid":{n},"title":"Harbour {n}","dated":"1889","people":[{"name":"Anna Bell","role":"Artist"}],"primaryimageurl":"http://harvard.guises.palate.test/urn-3:HUAM:{n}_dynmc","images":[{"imageid":1,"width":2550,"height":2154,"baseimageurl":"http://harvard.guises.palate.test/urn-3:HUAM:{n}_dynmc"}]}`) + `]}`},
			3, "/urn-3:HUAM:{n}_dynmc", "picture 1200")},
		Guise{Name: "omeka-s", Seed: "/api/items", Want: 3, Width: 1200, Answers: answersFor(map[string]string{
			"/api/items": `[` + list(3, `{"@context":"http://omeka-s.guises.palate.test/api-context","@id":"http://omeka-s.guises.palate.test/api/items/{n}","@type":"o:Item","o:id":{n},"o:title":"Harbour {n}","thumbnail_display_urls":{"large":"http://omeka-s.guises.palate.test/files/large/h{n}_800.jpg","medium":"http://omeka-s.guises.palate.test/files/medium/h{n}_200.jpg","square":"http://omeka-s.guises.palate.test/files/square/h{n}_200.jpg"},"o:primary_media":{"@id":"http://omeka-s.guises.palate.test/api/media/{n}","o:id":{n}},"o:media":[{"@id":"http://omeka-s.guises.palate.test/api/media/{n}","o:id":{n}}]}`) + `]`},
			3, "/api/media/{n}", `{"@context":"http://omeka-s.guises.palate.test/api-context","@type":"o:Media","o:id":{n},"o:media_type":"image/jpeg","o:original_url":"http://omeka-s.guises.palate.test/files/original/h{n}_1200.jpg","o:thumbnail_urls":{"large":"http://omeka-s.guises.palate.test/files/large/h{n}_800.jpg","medium":"http://omeka-s.guises.palate.test/files/medium/h{n}_200.jpg"}}`)},
		Guise{Name: "omeka-classic", Seed: "/api/items?page=1", Want: 3, Width: 1200, Answers: answersFor(map[string]string{
			"/api/items?page=1": `[` + list(3, `{"id":{n},"url":"http://omeka-classic.guises.palate.test/api/items/{n}","public":true,"files":{"count":1,"url":"http://omeka-classic.guises.palate.test/api/files?item={n}","resource":"files"},"element_texts":[{"text":"Harbour {n}","element":{"name":"Title"}}]}`) + `]`},
			3, "/api/files?item={n}", `[{"id":{n},"file_urls":{"original":"http://omeka-classic.guises.palate.test/files/original/h{n}_1200.jpg","fullsize":"http://omeka-classic.guises.palate.test/files/fullsize/h{n}_800.jpg","thumbnail":"http://omeka-classic.guises.palate.test/files/thumbnails/h{n}_200.jpg","square_thumbnail":"http://omeka-classic.guises.palate.test/files/square_thumbnails/h{n}_200.jpg"},"mime_type":"image/jpeg"}]`)},
	)
}

// scriptGuises are pages whose galleries are put together by scripts of names
// that their users have asked other tools about.
func scriptGuises() []Guise {
	return []Guise{
		{Name: "json-parse", Want: 4, Width: 1200, Answers: map[string]string{ // as CONTENTdm has it
			"/": `<div id=root></div><script>window.__INITIAL_STATE__ = JSON.parse('{\"items\":[` + strings.TrimSuffix(each(4, `{\"title\":\"Work {n}\",\"imageUri\":\"\/i\/{n}_1200.jpg\",\"thumbnailUri\":\"\/i\/{n}_300.jpg\"},`), ",") + `]}');</script>`}},
		{Name: "streamed-state", Want: 4, Width: 1200, Answers: map[string]string{
			"/": `<div id=x></div>` + each(4, `<script>self.__next_f.push([1,"1{n}:{\"title\":\"Work {n}\",\"image\":{\"url\":\"/i/{n}_1200.jpg\",\"width\":1200}}\n"])</script>`)}},
		{Name: "nanogallery", Want: 4, Width: 1200, Answers: map[string]string{
			"/": `<div data-nanogallery2='{"itemsBaseURL":"/"}'>` + each(4, `<a href="/i/{n}_1200.jpg" data-ngthumb="/i/{n}_300.jpg" data-ngdesc="x">Work {n}</a>`) + `</div>`}},
		{Name: "full-size-attribute", Want: 4, Width: 1200, Answers: map[string]string{ // hes-gallery, issue 2
			"/": `<div class=hes-gallery>` + each(4, `<img src="/i/{n}_300.jpg" data-fullsize="/i/{n}_1200.jpg">`) + `</div>`}},
		{Name: "sizes-by-width-attributes", Want: 4, Width: 1366, Answers: map[string]string{ // baguetteBox
			"/": each(4, `<a href="/g/{n}_600.jpg" data-at-450="/g/{n}_450.jpg" data-at-800="/g/{n}_800.jpg" data-at-1366="/g/{n}_1366.jpg"><img src="/g/{n}_200.jpg"></a>`)}},
		{Name: "gallery-in-attribute", Want: 4, Width: 1200, Answers: map[string]string{
			"/": `<div class=gallery data-items='[` + strings.TrimSuffix(each(4, `{"src":"/i/{n}_1200.jpg","thumb":"/i/{n}_300.jpg","subHtml":"Work {n}"},`), ",") + `]'></div>`}},
		{Name: "preloaded", Want: 2, Width: 1200, Answers: map[string]string{
			"/": each(2, `<link rel=preload as=image href=/i/{n}_600.jpg imagesrcset="/i/{n}_600.jpg 600w, /i/{n}_1200.jpg 1200w">`) + `<h1>Works</h1><p>Two paintings of the harbour, as it was seen from the pier in the year that it was built.` + each(2, `<img src=/i/{n}_600.jpg>`)}},
		{Name: "amp", Want: 4, Width: 1200, Answers: map[string]string{
			"/": each(4, `<amp-img src="/i/{n}_600.jpg" srcset="/i/{n}_600.jpg 600w, /i/{n}_1200.jpg 1200w" width=600 height=400></amp-img>`)}},
		{Name: "objects", Want: 4, Width: 1200, Answers: map[string]string{
			"/": each(2, `<object data="/i/{n}_1200.jpg" type="image/jpeg"></object>`) + each(2, `<embed src="/j/{n}_1200.jpg" type="image/jpeg">`)}},
		{Name: "light-box-by-target", Want: 4, Width: 1200, Answers: map[string]string{
			"/": each(4, `<a href="#l{n}"><img src=/i/{n}_300.jpg></a>`) + each(4, `<div id=l{n} class=lightbox><img src=/i/{n}_1200.jpg></div>`)}},
		{Name: "attachment-pages", Want: 4, Width: 1200, Answers: answersFor(map[string]string{
			"/": each(4, `<dl class=gallery-item><dt><a href="/?attachment_id={n}"><img src=/u/h{n}-300x200_300.jpg></a></dl>`)},
			4, "/?attachment_id={n}", `<h1>h{n}</h1><p class=attachment><a href="/u/h{n}_1200.jpg"><img src="/u/h{n}-600x400_600.jpg"></a>`)},
		{Name: "escaped-relative", Want: 4, Width: 1024, Answers: map[string]string{ // as Flickr's pages have it
			"/": `<div id=app></div><script>var model = {"photos":[` + strings.TrimSuffix(each(4, `{"title":"Work {n}","sizes":{"m":{"url":"\/\/escaped-relative.guises.palate.test\/6\/{n}_ab_240.jpg","width":"240"},"b":{"displayUrl":"\/\/escaped-relative.guises.palate.test\/6\/{n}_ab_1024.jpg","width":1024}}},`), ",") + `]};</script>`}},
		{Name: "sizes-in-path", Want: 4, Width: 1280, Answers: answersFor(answersFor(map[string]string{ // as Tumblr has it
			"/": each(4, `<img src="/ab{n}/s540x810/c.png" srcset="/ab{n}/s540x810/c.png 540w, /ab{n}/s1280x1920/d.png 1280w">`)},
			4, "/ab{n}/s540x810/c.png", "picture 540"), 4, "/ab{n}/s1280x1920/d.png", "picture 1280")},
	}
}
