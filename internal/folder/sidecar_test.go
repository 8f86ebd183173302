package folder_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/folder"
)

// xmp is a packet as photo programs write it, of a description with these
// attributes and elements.
func xmp(attributes, elements string) string {
	return "<?xpacket begin=\"\ufeff\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n" + `<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="XMP Core 5.6">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/" ` + attributes + `>` + elements + `</rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>`
}

type judged struct {
	verdict       palate.Verdict
	stars         int
	title, artist string
}

func scanned(t *testing.T, files map[string]string) (map[string]judged, folder.Listing) {
	t.Helper()
	dir := tree(t, files)
	listing, err := folder.Scan(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]judged{}
	for _, f := range listing.Files {
		rel, err := filepath.Rel(dir, f.Path)
		if err != nil {
			t.Fatal(err)
		}
		got[filepath.ToSlash(rel)] = judged{f.Verdict, f.Stars, f.Source.Title, f.Source.Artist}
	}
	return got, listing
}

func want(t *testing.T, got, want map[string]judged) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("got %v, want %v", got, want)
	}
	for name, w := range want {
		if g := got[name]; g != w {
			t.Errorf("%s: got %+v, want %+v", name, g, w)
		}
	}
}

func TestSidecarsSayStarsTitlesAndFavourites(t *testing.T) {
	got, listing := scanned(t, map[string]string{
		"attribute.jpg": "", "attribute.xmp": xmp(`xmp:Rating="4" xmp:CreatorTool="Adobe Photoshop Lightroom Classic"`, ""),
		"element.JPG": "", "element.JPG.xmp": "\ufeff" + xmp("", `<xmp:Rating> 5 </xmp:Rating>`),
		"rejected.jpg": "", "rejected.jpg.XMP": xmp(`xmp:Rating="-1"`, ""),
		"decimal.png": "", "decimal.xmp": xmp(`xmp:Rating="3.0"`, ""),
		"none.png": "", "none.xmp": xmp(`xmp:Rating="0" xmp:Label="Red"`, ""),
		"other space.png": "", "other space.xmp": strings.ReplaceAll(xmp(`xmp:Rating="4"`, ""), "ns.adobe.com/xap/1.0/", "example.org/"),
		"named.jpg": "", "named.xmp": xmp(`xmp:Rating="2"`, `
   <dc:title><rdf:Alt><rdf:li xml:lang="x-default">Großer &amp; kleiner</rdf:li><rdf:li xml:lang="en">Big</rdf:li></rdf:Alt></dc:title>
   <dc:subject><rdf:Bag><rdf:li>Iceland</rdf:li></rdf:Bag></dc:subject>
   <dc:creator><rdf:Seq><rdf:li>Ōkubo</rdf:li><rdf:li>another</rdf:li></rdf:Seq></dc:creator>`),
		"takeout.jpg": "", "takeout.jpg.json": `{"title": "takeout.jpg", "favorited": true, "photoTakenTime": {"timestamp": "1"}}`,
		"long.jpg": "", "long.jpg.supplemental-metadata.json": `{"title": "long.jpg", "favorited": true}`,
		"cut.jpg": "", "cut.jpg.supplemen.json": `{"favorited": true}`,
		"plain.jpg": "", "plain.jpg.json": `{"title": "plain.jpg"}`,
		"raw.xmp":   xmp(`xmp:Rating="4"`, ""),
		"page.json": `{}`,
	})
	want(t, got, map[string]judged{
		"attribute.jpg": {stars: 4}, "element.JPG": {stars: 5}, "rejected.jpg": {verdict: palate.Dislike, stars: folder.Rejected}, "decimal.png": {stars: 3},
		"none.png": {}, "other space.png": {}, "named.jpg": {stars: 2, title: "Großer & kleiner", artist: "Ōkubo"},
		"takeout.jpg": {verdict: palate.Like}, "long.jpg": {verdict: palate.Like}, "cut.jpg": {verdict: palate.Like}, "plain.jpg": {}, "page.json": {},
	})
	if len(listing.Problems) > 0 {
		t.Errorf("got problems %q, want none", listing.Problems)
	}
}

// A sidecar that can't be read costs what it says and nothing else.
func TestSidecarsThatCanNotBeReadAreTold(t *testing.T) {
	got, listing := scanned(t, map[string]string{
		"a.jpg": "", "a.xmp": "<x:xmpmeta", "b.jpg": "", "b.jpg.json": "[1", "c.jpg": "", "c.xmp": xmp(`xmp:Rating="4"`, ""),
		"e.jpg": "", "e.xmp": xmp("", "<dc:title><rdf:Alt><rdf:li>"+strings.Repeat("long ", 2000)+"</rdf:li></rdf:Alt></dc:title>"),
		"d.jpg": "", "d.jpg.json": "{\"favorited\": true, \"title\": \"\xff\"}",
	})
	want(t, got, map[string]judged{"a.jpg": {}, "b.jpg": {}, "c.jpg": {stars: 4}, "d.jpg": {}, "e.jpg": {}})
	if len(listing.Problems) != 4 || !strings.Contains(listing.Problems[0], "a.xmp") || !strings.Contains(listing.Problems[1], "b.jpg.json") || !strings.Contains(listing.Problems[2], "d.jpg.json") {
		t.Errorf("got %q, want one problem for each of four sidecars", listing.Problems)
	}
}

// One table says what is in the folders below it; the nearest table wins, and a
// verdict in it over the name of a folder.
func TestMetadataNamesFilesBelowIt(t *testing.T) {
	got, listing := scanned(t, map[string]string{
		"metadata.csv":        "file,title,verdict\na.jpg,A,like\nsub/b.jpg,B,dislike\nsub\\deeper\\c.jpg,C,\n./sub/d.jpg,far,like\ngood/e.jpg,E,no\nsub/none.jpg,N,\n",
		"a.jpg":               "",
		"sub/b.jpg":           "",
		"sub/deeper/c.jpg":    "",
		"sub/d.jpg":           "",
		"good/e.jpg":          "",
		"good/f.jpg":          "",
		"sub/metadata.csv":    "file,title\nd.jpg,near\n",
		"sub/deeper/good.jpg": "",
	})
	want(t, got, map[string]judged{
		"a.jpg": {verdict: palate.Like, title: "A"}, "sub/b.jpg": {verdict: palate.Dislike, title: "B"}, "sub/deeper/c.jpg": {title: "C"},
		"sub/d.jpg": {title: "near"}, "good/e.jpg": {verdict: palate.Dislike, title: "E"}, "good/f.jpg": {verdict: palate.Like}, "sub/deeper/good.jpg": {},
	})
	if len(listing.Unmatched) != 1 || !strings.HasSuffix(listing.Unmatched[0], "sub/none.jpg") {
		t.Errorf("got unmatched %q, want the row without a file", listing.Unmatched)
	}
}

func TestRatingsAreReadAsPeopleWriteThem(t *testing.T) {
	for text, w := range map[string]judged{
		"file,rating\na.jpg,5\n": {stars: 5}, "file,Stars\na.jpg,4.0\n": {stars: 4}, "file,rating\na.jpg,-1\n": {verdict: palate.Dislike, stars: -1},
		"file,rating\na.jpg,\n": {}, "file,rating\na.jpg,0\n": {}, "file,rating\na.jpg,Love\n": {verdict: palate.Like}, "file,verdict\na.jpg,skip\n": {verdict: palate.Skip},
		"file,isFavorite\na.jpg,true\n": {verdict: palate.Like}, "file,favourite\na.jpg,false\n": {}, "file,liked\na.jpg,1\n": {verdict: palate.Like},
	} {
		got, listing := scanned(t, map[string]string{"a.jpg": "", "metadata.csv": text})
		want(t, got, map[string]judged{"a.jpg": w})
		if len(listing.Problems) > 0 {
			t.Errorf("%q: got %q", text, listing.Problems)
		}
	}
	for text, w := range map[string]judged{
		`[{"file":"a.jpg","favorite":true,"liked":false}]`: {verdict: palate.Like}, `[{"file":"a.jpg","isFavorite":false}]`: {},
		`{"a.jpg":{"rating":4,"stars":4}}`: {stars: 4}, `[{"file":"a.jpg","rating":null}]`: {},
	} {
		got, listing := scanned(t, map[string]string{"a.jpg": "", "metadata.json": text})
		want(t, got, map[string]judged{"a.jpg": w})
		if len(listing.Problems) > 0 {
			t.Errorf("%s: got %q", text, listing.Problems)
		}
	}
	// What other programs mean by such a column stops nothing.
	got, listing := scanned(t, map[string]string{"a.jpg": "", "metadata.json": `[{"file":"a.jpg","title":"A","rating":{"average":4.5}}]`})
	want(t, got, map[string]judged{"a.jpg": {title: "A"}})
	if len(listing.Problems) != 1 || !strings.Contains(listing.Problems[0], "entry 1: rating: want a text") {
		t.Errorf("got %q", listing.Problems)
	}
	// Another scale is left out, and said with its place.
	got, listing = scanned(t, map[string]string{"a.jpg": "", "metadata.csv": "file,title,rating\na.jpg,A,8.5\n"})
	want(t, got, map[string]judged{"a.jpg": {title: "A"}})
	if len(listing.Problems) != 1 || !strings.Contains(listing.Problems[0], `metadata.csv:2: rating "8.5" is none of 1 to 5 stars`) {
		t.Errorf("got %q", listing.Problems)
	}
}

func FuzzSidecars(f *testing.F) {
	f.Add(xmp(`xmp:Rating="4"`, `<dc:title><rdf:Alt><rdf:li>x</rdf:li></rdf:Alt></dc:title>`), `{"favorited":true}`)
	f.Add("<a><b></a>", "[]")
	f.Add("\xff\xfe<", `{"favorited":"x"}`)
	f.Fuzz(func(t *testing.T, x, j string) {
		_, listing := scanned(t, map[string]string{"a.jpg": "", "a.xmp": x, "b.jpg": "", "b.jpg.json": j})
		for _, file := range listing.Files {
			if file.Stars < folder.Rejected || file.Stars > folder.MostStars || len(listing.Files) != 2 {
				t.Errorf("got %+v", listing.Files)
			}
		}
	})
}
