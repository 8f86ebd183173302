package crawler_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/palate-art/palate/crawler"
)

// tooLong bounds the reading of a document of a few kilobytes, on a machine
// that is busy with fuzzing: whatever takes longer grows faster than its input.
const tooLong = 5 * time.Second

// readAnything reads a text as it may come from an address, and holds what is
// found against what every task has to be.
func readAnything(t *testing.T, address, text string) {
	t.Helper()
	if len(text) > 1<<16 {
		return
	}
	began := time.Now()
	found, err := crawler.ReadTasks(t.Context(), address, []byte(text))
	if took := time.Since(began); took > tooLong {
		t.Errorf("%d bytes took %v: %.200q", len(text), took, text)
	}
	if err == nil {
		checkTasks(t, text, found)
	}
}

func checkTasks(t *testing.T, text string, found []crawler.Task) {
	t.Helper()
	for _, task := range found {
		if task.Refused == "" {
			for _, address := range append([]string{task.URL}, task.Alternatives...) {
				checkAddress(t, text, address)
			}
		}
		for _, l := range task.Leads {
			if len(l.Addresses) == 0 {
				t.Errorf("%.200q gave a lead without an address", text)
			}
			for _, address := range l.Addresses {
				checkAddress(t, text, address)
			}
		}
		if task.Depth < 0 {
			t.Errorf("%.200q gave the depth %d", text, task.Depth)
		}
		source := task.Source.Clean(time.Now())
		source.Address = "http://site.test/a"
		if err := source.Validate(time.Now()); err != nil {
			t.Errorf("%.200q gave a source that can't be kept: %v", text, err)
		}
	}
}

func checkAddress(t *testing.T, text, address string) {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		t.Errorf("%.200q gave the address %q (%v)", text, address, err)
	}
	if strings.ContainsFunc(address, func(r rune) bool { return r >= utf8.RuneSelf || r <= ' ' }) {
		t.Errorf("%.200q gave the address %q, which is no plain ASCII", text, address)
	}
}

func FuzzHTML(f *testing.F) {
	for _, seed := range []string{
		thumbnailSeed,
		`<base href=/x/><a href=//c.test/a=s1600><img src=//c.test/a=w400-h300></a><a rel=next href=?page=2>›</a>`,
		`<img srcset="a 1w, b 2x" data-x='{"a":"b.jpg"}' style="background:url(c.png)"><noscript><img src=d.jpg></noscript>`,
		`<picture><source type=image/webp srcset="a.webp 2x"><img src=b.jpg width=3 height=4></picture><meta property=og:image content=c.jpg>`,
		`<frameset><frame src=a><frame src=b></frameset><meta http-equiv=refresh content="0;url=c"><iframe srcdoc="&lt;img src=x&gt;">`,
		`<style>@media print{#a{background:image-set("a.jpg" 1x)}}</style><div id=a><template shadowrootmode=open><img src=z.png></template></div>`,
		`<select onchange="location=this.value"><option value=/?p=2>2</select><button data-next=/m.json>more</button><a href="javascript:open('a.jpg')">x</a>`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) { readAnything(t, "http://site.test/p/", "<html>"+text) })
}

func FuzzJSONLD(f *testing.F) {
	for _, seed := range []string{
		`{"@graph":[{"@type":"Painting","image":["a.jpg",{"contentUrl":"b.jpg","width":"9 px"}],"name":"x","creator":[{"name":"A"}],"dateCreated":1889}]}`,
		`[{"@type":["VisualArtwork","Product"],"image":{"@list":["/a.jpg"]},"license":{"@id":"l"}}]`,
		`{"@type":"ItemList","itemListElement":[{"@type":"ListItem","item":{"@type":"ImageObject","url":"c.jpg"}}]}`,
		`{"@type":"WebPage","primaryImageOfPage":{"@id":"#p"}}`, `{"a":` + strings.Repeat("[", 300), "\x00{}", `{"image":1e999}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		readAnything(t, "http://site.test/p/", `<script type="application/ld+json">`+text+`</script><figure><img src=/a.jpg alt=x></figure>`)
	})
}

func FuzzPageState(f *testing.F) {
	for _, seed := range []string{
		`window.__INITIAL_STATE__ = {"works":[{"thumb":"\/a_300.jpg","full":"\/a_1200.jpg"}]};f()`,
		`__NUXT__=(function(a){return {w:[{src:"\u002Fa.jpg",v:a}]}}(1))`, `self.__next_f.push([1,"{\"url\":\"/a.jpg\"}"])`,
		`var x='{"a":\'b.jpg\'}'`, `{"props":{"image":{"url":"/i.jpg","width":12,"height":4}}}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		readAnything(t, "http://site.test/p/", `<div id=app></div><script>`+text+`</script><script id=__NEXT_DATA__ type=application/json>`+text+`</script>`)
	})
}

func FuzzManifest(f *testing.F) {
	for _, seed := range []string{
		`{"@context":"http://iiif.io/api/presentation/2/context.json","@type":"sc:Manifest","label":[{"@value":"x"}],"sequences":[{"canvases":[{"images":[{"resource":{"@id":"a.jpg","service":{"@id":"s","profile":"level2"}}}]}]}]}`,
		`{"@context":["x","http://iiif.io/api/presentation/3/context.json"],"type":"Manifest","label":{"en":["x"]},"items":[{"items":[{"items":[{"motivation":["painting"],"body":[{"type":"Choice","items":[{"id":"b.jpg","service":[{"id":"q","profile":"level0","sizes":[{"width":1}]}]}]}]}]}]}]}`,
		`{"@context":"http://iiif.io/api/image/2/context.json","@id":"http://x/s","width":4000,"height":3,"sizes":[{"width":1}],"tiles":[{"width":512,"scaleFactors":[1,0,-2]}],"profile":["level0",{"maxArea":5,"maxWidth":-1}]}`,
		`{"@context":"http://iiif.io/api/presentation/3/context.json","type":"Collection","items":[{"id":"/m","type":"Manifest"},{"id":"//","type":"Collection"}]}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) { readAnything(t, "https://lib.test/manifest.json", text) })
}

func FuzzFeed(f *testing.F) {
	for _, seed := range []string{
		`<rss><channel><item><title>x</title><link>/p</link><media:group><media:content url="a.jpg" width="9"/></media:group><description>&lt;img src=b.jpg&gt;</description></item></channel></rss>`,
		`<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom"><entry><title type="html">x</title><link rel="enclosure" type="image/jpeg" href="a.jpg"/><content type="xhtml"><div><img src="c.jpg"/></div></content><updated>2019-13-41</updated></entry><link rel="next" href="?2"/></feed>`,
		`<rdf:RDF><item rdf:about="/a"><title>t</title><content:encoded><![CDATA[<img src=q.png>]]></content:encoded></item></rdf:RDF>`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) { readAnything(t, "http://site.test/feed", text) })
}

func FuzzSitemap(f *testing.F) {
	for _, seed := range []string{
		`<urlset><url><loc>/a</loc><image:image><image:loc>b.jpg</image:loc><image:title>x &amp; y</image:title></image:image></url></urlset>`,
		`<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"><sitemap><loc> http://site.test/w.xml.gz </loc><lastmod>x</lastmod></sitemap></sitemapindex>`,
		`<?xml version="1.0" encoding="latin1"?><urlset><url><loc><![CDATA[http://h/ü]]></loc></url>`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) { readAnything(t, "http://site.test/sitemap.xml", text) })
}

func FuzzJSONList(f *testing.F) {
	for _, seed := range []string{
		`{"works":[{"title":"a","image":{"url":"/i.jpg","width":3}}],"next":"/n"}`, `{"Paintings":[{"image":"a.jpg!Large.jpg"}],"PageSize":1,"AllPaintingsCount":9}`,
		`[{"file_url":"/a.png","preview_file_url":"/t.jpg","image_width":900,"tag_string_artist":"x"}]`, `{"html":"<img src=\"a.jpg\">","page":1,"pages":2}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) { readAnything(t, "http://site.test/list.json?page=1", text) })
}

func FuzzMuseumAnswer(f *testing.F) {
	for _, seed := range []string{
		`{"objectIDs":[1,2],"total":2}`, `{"objectID":1,"isPublicDomain":true,"primaryImage":"https://x/a.jpg","additionalImages":["https://x/b.jpg"],"title":"t","objectBeginDate":-40}`,
		`{"data":[{"id":1,"image_id":"ab-c","title":"t","artist_title":"A"}],"config":{"iiif_url":"https://x/iiif/2"},"pagination":{"next_url":"https://api.artic.edu/n","current_page":1,"total_pages":3}}`,
		`{"info":{"total":9},"data":[{"images":{"web":{"url":"https://x/w.jpg","width":"900"},"print":{"url":"p.jpg"}},"creators":[{"description":"A"}]}]}`,
		`{"@context":"https://linked.art/ns/v1/linked-art.json","type":"HumanMadeObject","shows":[{"id":"https://id.rijksmuseum.nl/2"}],"orderedItems":[{"id":"https://id.rijksmuseum.nl/1"}],"next":{"id":"n"}}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, address := range []string{"https://collectionapi.metmuseum.org/public/collection/v1/search", "https://api.artic.edu/api/v1/artworks?page=1", "https://openaccess-api.clevelandart.org/api/artworks?skip=1", "https://id.rijksmuseum.nl/1"} {
			readAnything(t, address, text)
		}
	})
}

func FuzzWikiAnswer(f *testing.F) {
	for _, seed := range []string{
		`{"continue":{"gcmcontinue":"a|b","continue":"-||"},"query":{"pages":[{"title":"File:A.jpg","imagerepository":"local","imageinfo":[{"url":"https://u/A.jpg","thumburl":"https://u/t/960px-A.jpg","width":2000,"height":1000,"size":9,"mime":"image/jpeg","mediatype":"BITMAP","extmetadata":{"Artist":{"value":"<a href=x>A</a>"},"DateTimeOriginal":{"value":"c. 1889"},"Categories":{"value":"a|b"}}}]}]}}`,
		`{"query":{"categorymembers":[{"title":"Category:B"},{"title":""}],"pages":[{"title":"File:B","missing":true},{"title":"File:C.ogv","imageinfo":[{"mime":"video/ogg"}]},{"imageinfo":[{"mime":"/","url":":"}]}]}}`,
		`{"error":{"code":"maxlag","info":"x"}}`, `{"query":{"pages":null},"continue":{"a":[1]}}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if found, err := crawler.ReadWikiAnswer([]byte(text)); err == nil {
			checkTasks(t, text, found)
		}
	})
}

func FuzzAddressList(f *testing.F) {
	for _, seed := range []string{
		"http://a.test/1.jpg\n# x\n\nb.test/2\n", "url,title,artist\nhttp://a.test/1.jpg,\"A, b\",C\n", "\xef\xbb\xbfURL;caption\nhttp://ü.test/x;y\n", "image_url\tyear\nhttp://a\t1889\n", "url,title\n\"http://a\n", "commons:Category:A\r\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		seeds, err := crawler.ReadAddresses(strings.NewReader(text))
		if err != nil {
			return
		}
		for _, s := range seeds {
			if found, err := crawler.SeedTasks(s); err == nil {
				checkTasks(t, text, found)
			}
		}
	})
}

// A row of a Parquet list is names and values.
func FuzzAddressRow(f *testing.F) {
	f.Add("url|TEXT|WIDTH", "http://a.test/1.jpg|x|9")
	f.Add("image_url|year", "//a|1889.0")
	f.Add("a", "b|c")
	f.Fuzz(func(t *testing.T, names, values string) {
		columns, row := strings.Split(names, "|"), strings.Split(values, "|")
		row = append(row, make([]string, max(0, len(columns)-len(row)))...)[:len(columns)]
		seed, err := crawler.SeedFromRow(columns, row)
		if err != nil {
			return
		}
		if found, err := crawler.SeedTasks(seed); err == nil {
			checkTasks(t, names+values, found)
		}
	})
}

func FuzzSeed(f *testing.F) {
	for _, seed := range []string{
		"commons:Category:Vedute", "commons:search:a b", "https://commons.wikimedia.org/wiki/Category:A?x#y", "gallery.example", "https://www.flickr.com/photos/a/", "https://www.metmuseum.org/art/collection/search?q=%zz",
		"http://[::1]/", "ftp://x", "https://wiki.test/index.php?title=Datei:A.jpg", "https://anna.tumblr.com/tagged/x", "https://www.deviantart.com/anna/favourites/1/x", "https://www.artic.edu/artworks/27992/x",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		seed, err := crawler.ParseSeed(text)
		if err != nil {
			return
		}
		if found, err := crawler.SeedTasks(seed); err == nil {
			checkTasks(t, text, found)
		}
	})
}

func FuzzRetryAfter(f *testing.F) {
	now := time.Date(2024, 5, 1, 12, 0, 0, 0, time.UTC)
	for _, seed := range []string{"120", " 3 ", "-1", "1.5", "99999999999999999999", "Wed, 01 May 2024 12:00:30 GMT", "Wednesday, 01-May-24 12:00:30 GMT", "Fri, 31 Dec 9999 23:59:59 GMT"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		got := crawler.RetryAfter(value, now)
		if got < 0 {
			t.Errorf("Retry-After: %q is %v", value, got)
		}
		if at, err := http.ParseTime(strings.TrimSpace(value)); err == nil && at.After(now) && got == 0 {
			t.Errorf("Retry-After: %q is no wait", value)
		}
	})
}

func FuzzContentRange(f *testing.F) {
	f.Add("bytes 5-9/10", int64(5), int64(10))
	f.Add("bytes 0-9/*", int64(0), int64(-1))
	f.Add("bytes 5-3/4", int64(5), int64(-1))
	f.Add("bytes 5-9223372036854775807/-9223372036854775808", int64(5), int64(-1))
	f.Fuzz(func(t *testing.T, value string, have, total int64) {
		if have < 1 || total < -1 || !crawler.Continues(value, have, total) {
			return
		}
		// What is taken on names the place, ends where the file does, and is not empty.
		if !strings.HasPrefix(value, "bytes ") || total >= 0 && total <= have {
			t.Errorf("Content-Range: %q goes on after %d of %d", value, have, total)
		}
	})
}

func FuzzLinkHeader(f *testing.F) {
	for _, seed := range []string{`</b?page=2>; rel="next"`, `<a>; rel=prev, <c>; rel="last next"`, `<<>>;rel=next`, `<//x>; rel=next; title="a, <b>"`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		for _, address := range crawler.NextByHeader(value) {
			checkAddress(t, value, address)
			if u, err := url.Parse(address); err == nil && u.Hostname() != "site.test" {
				t.Errorf("Link: %q leads to %s", value, address)
			}
		}
	})
}

func FuzzCookieFile(f *testing.F) {
	f.Add("# Netscape HTTP Cookie File\n.a.test\tTRUE\t/\tFALSE\t0\tn\tsecret\n#HttpOnly_b.test\tFALSE\t/x\tTRUE\t99999999999\tm\n")
	f.Add("a\tb\tc")
	f.Fuzz(func(t *testing.T, text string) {
		cookies, err := crawler.ReadCookies(strings.NewReader(text))
		for _, c := range cookies {
			if err == nil && (c.Host == "" || c.Name == "" || !strings.HasPrefix(c.Path, "/")) {
				t.Errorf("%q gave the cookie %+v", text, c)
			}
		}
	})
}
