package crawler_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/crawler"
)

func TestMuseumAnswersGivePicturesWithTheirRecords(t *testing.T) {
	for name, test := range map[string]struct {
		address, body string
		want          []string // addresses of pictures, then of pages, in order
		source        palate.Source
	}{
		"the Met's search": {
			"https://collectionapi.metmuseum.org/public/collection/v1/search?q=wheat", `{"total":2,"objectIDs":[436535,459055]}`,
			[]string{"https://collectionapi.metmuseum.org/public/collection/v1/objects/436535", "https://collectionapi.metmuseum.org/public/collection/v1/objects/459055"}, palate.Source{},
		},
		"the Met's object": {
			"https://collectionapi.metmuseum.org/public/collection/v1/objects/436535",
			`{"objectID":436535,"isPublicDomain":true,"primaryImage":"https://images.metmuseum.org/CRDImages/ep/original/DT1567.jpg","primaryImageSmall":"https://images.metmuseum.org/CRDImages/ep/web-large/DT1567.jpg",
			"additionalImages":["https://images.metmuseum.org/CRDImages/ep/original/LC-1567_1.jpg"],"title":"Wheat Field with Cypresses","artistDisplayName":"Vincent van Gogh","objectDate":"1889","medium":"Oil on canvas","creditLine":"Purchase, 1993","objectURL":"https://www.metmuseum.org/art/collection/search/436535"}`,
			[]string{"https://images.metmuseum.org/CRDImages/ep/original/DT1567.jpg", "https://images.metmuseum.org/CRDImages/ep/original/LC-1567_1.jpg"},
			palate.Source{Title: "Wheat Field with Cypresses", Artist: "Vincent van Gogh", Year: 1889, Licence: "CC0", ExternalID: "436535"},
		},
		"Chicago's list": {
			"https://api.artic.edu/api/v1/artworks?page=1&limit=1",
			`{"pagination":{"total":2,"limit":1,"current_page":1,"total_pages":2,"next_url":"https://api.artic.edu/api/v1/artworks?page=2&limit=1"},"data":[{"id":27992,"title":"A Sunday on La Grande Jatte","artist_title":"Georges Seurat","date_display":"1884–86","is_public_domain":true,"image_id":"2d484387-2509-5e8e-2c43-22f9981972eb","main_reference_number":"1926.224"}],"config":{"iiif_url":"https://www.artic.edu/iiif/2"}}`,
			[]string{"https://www.artic.edu/iiif/2/2d484387-2509-5e8e-2c43-22f9981972eb/full/1686,/0/default.jpg", "https://api.artic.edu/api/v1/artworks?page=2&limit=1"},
			palate.Source{Title: "A Sunday on La Grande Jatte", Artist: "Georges Seurat", Year: 1884, Licence: "CC0", ExternalID: "1926.224"},
		},
		"Cleveland's list": {
			"https://openaccess-api.clevelandart.org/api/artworks/?limit=1&skip=0",
			`{"info":{"total":3},"data":[{"id":94979,"accession_number":"1915.534","share_license_status":"CC0","title":"Nathaniel Hurd","creation_date":"c. 1765","creators":[{"description":"John Singleton Copley (American, 1738–1815)"}],"technique":"oil on canvas","creditline":"Gift","url":"https://clevelandart.org/art/1915.534",
			"images":{"web":{"url":"https://openaccess-cdn.clevelandart.org/1915.534/1915.534_web.jpg","width":"752","height":"900"},"print":{"url":"https://openaccess-cdn.clevelandart.org/1915.534/1915.534_print.jpg","width":"2844","height":"3400"}}}]}`,
			[]string{"https://openaccess-cdn.clevelandart.org/1915.534/1915.534_print.jpg", "https://openaccess-api.clevelandart.org/api/artworks/?limit=1&skip=1"},
			palate.Source{Title: "Nathaniel Hurd", Artist: "John Singleton Copley (American, 1738–1815)", Year: 1765, Licence: "CC0", ExternalID: "1915.534"},
		},
		"the Rijksmuseum's search": {
			"https://data.rijksmuseum.nl/search/collection?title=night", `{"type":"OrderedCollectionPage","orderedItems":[{"id":"https://id.rijksmuseum.nl/200107928","type":"HumanMadeObject"}],"next":{"id":"https://data.rijksmuseum.nl/search/collection?title=night&pageToken=x"}}`,
			[]string{"https://id.rijksmuseum.nl/200107928", "https://data.rijksmuseum.nl/search/collection?title=night&pageToken=x"}, palate.Source{},
		},
		"the Rijksmuseum's file": {
			"https://id.rijksmuseum.nl/500", `{"type":"DigitalObject","access_point":[{"id":"https://iiif.micr.io/PJEZO/full/max/0/default.jpg","type":"DigitalObject"}]}`,
			[]string{"https://iiif.micr.io/PJEZO/full/1024,/0/default.jpg"}, palate.Source{},
		},
	} {
		t.Run(name, func(t *testing.T) {
			found, err := crawler.ReadTasks(t.Context(), test.address, []byte(test.body))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, task := range found {
				got = append(got, task.URL)
			}
			if strings.Join(got, " ") != strings.Join(test.want, " ") {
				t.Fatalf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(test.want, "\n"))
			}
			if s, want := found[0].Source, test.source; s.Title != want.Title || s.Artist != want.Artist || s.Year != want.Year || s.Licence != want.Licence || s.ExternalID != want.ExternalID {
				t.Errorf("source %+v, want %+v", s, want)
			}
		})
	}
}

func TestManifestGivesTheRecord(t *testing.T) {
	const manifest = `{"@context":"http://iiif.io/api/presentation/3/context.json","id":"https://lib.example/m","type":"Manifest","label":{"en":["Harbour"]},"rights":"http://creativecommons.org/licenses/by/4.0/",
		"requiredStatement":{"label":{"en":["Attribution"]},"value":{"en":["<b>The museum</b> &amp; friends"]}},"homepage":[{"id":"https://lib.example/harbour","type":"Text"}],
		"metadata":[{"label":{"en":["Creator"]},"value":{"none":["<span>Anna Bell</span>"]}},{"label":{"en":["Date"]},"value":{"none":["c. 1889"]}}],
		"items":[{"type":"Canvas","items":[{"type":"AnnotationPage","items":[{"type":"Annotation","motivation":"painting","body":{"id":"https://lib.example/a.jpg","type":"Image"}}]}]}]}`
	found, err := crawler.ReadTasks(t.Context(), "https://lib.example/m", []byte(manifest))
	if err != nil || len(found) != 1 {
		t.Fatalf("%d tasks and error %v, want 1", len(found), err)
	}
	s := found[0].Source
	want := palate.Source{Title: "Harbour", Artist: "Anna Bell", Date: "c. 1889", Year: 1889, LicenceURL: "http://creativecommons.org/licenses/by/4.0/", Credit: "The museum & friends", Page: "https://lib.example/harbour"}
	if s.Title != want.Title || s.Artist != want.Artist || s.Date != want.Date || s.Year != want.Year || s.LicenceURL != want.LicenceURL || s.Credit != want.Credit || s.Page != want.Page {
		t.Errorf("got %+v, want %+v", s, want)
	}
}

func TestSitesAreReadAsTheyPublish(t *testing.T) {
	for seed, want := range map[string]string{
		"https://www.metmuseum.org/art/collection/search/436532":        "https://collectionapi.metmuseum.org/public/collection/v1/objects/436532",
		"https://www.metmuseum.org/art/collection/search?q=wheat+field": "https://collectionapi.metmuseum.org/public/collection/v1/search?hasImages=true&q=wheat+field",
		"https://www.clevelandart.org/art/1958.31":                      "https://openaccess-api.clevelandart.org/api/artworks/1958.31",
		"https://www.rijksmuseum.nl/en/collection/SK-C-5":               "https://data.rijksmuseum.nl/search/collection?imageAvailable=true&objectNumber=SK-C-5",
		"https://www.wikiart.org/en/vincent-van-gogh":                   "https://www.wikiart.org/en/vincent-van-gogh/all-works?json=2&layout=new&page=1&resultType=masonry",
		"https://www.flickr.com/photos/12345678@N00/":                   "https://www.flickr.com/services/feeds/photos_public.gne?format=rss_200&id=12345678%40N00",
		"https://www.deviantart.com/anna/gallery":                       "https://backend.deviantart.com/rss.xml?type=deviation&q=gallery%3Aanna",
		"https://anna.tumblr.com/":                                      "https://anna.tumblr.com/rss",
		"https://www.tumblr.com/anna":                                   "https://anna.tumblr.com/rss",
		"https://www.artstation.com/anna":                               "https://www.artstation.com/anna.rss",
		"https://www.instagram.com/anna/":                               "",
		"https://www.pixiv.net/en/users/11":                             "",
		"https://www.flickr.com/search/?text=harbour":                   "",
		"https://www.artstation.com/search?q=harbour":                   "",
	} {
		got, err := crawler.SeedTasks(crawler.Seed{URL: seed})
		switch {
		case want == "" && (!errors.Is(err, palate.ErrInvalid) || !strings.Contains(err.Error(), "account") && !strings.Contains(err.Error(), "key")):
			t.Errorf("%s: tasks %v and error %v, want a refusal that says why", seed, got, err)
		case want != "" && (err != nil || len(got) != 1 || got[0].URL != want):
			t.Errorf("%s: tasks %v and error %v, want %s", seed, got, err, want)
		}
	}
}

func TestWikisListSearchesAndUploads(t *testing.T) {
	for text, want := range map[string]string{
		"commons:search:harbour at dusk":                                          "generator=search&gsrlimit=50&gsrnamespace=6&gsrsearch=harbour+at+dusk",
		"commons:user:Anna":                                                       "gaisort=timestamp&gaiuser=Anna&generator=allimages",
		"https://commons.wikimedia.org/wiki/Special:ListFiles/Anna":               "gaisort=timestamp&gaiuser=Anna&generator=allimages",
		"https://commons.wikimedia.org/wiki/Special:MediaSearch?search=harbour":   "gsrsearch=harbour",
		"https://commons.wikimedia.org/w/index.php?title=Special:Search&search=x": "gsrsearch=x",
	} {
		seed, err := crawler.ParseSeed(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		got, err := crawler.SeedTasks(seed)
		if err != nil || len(got) != 1 || !strings.Contains(got[0].URL, "/w/api.php?") || !strings.Contains(got[0].URL, want) {
			t.Errorf("%s: tasks %v and error %v, want a request with %s", text, got, err, want)
		}
	}
}

// FuzzDocumentsAreReadWithoutHarm reads anything as any kind of document: no
// panic, no candidate without an address that can be asked for, nothing that
// goes on for ever.
func FuzzDocumentsAreReadWithoutHarm(f *testing.F) {
	for _, seed := range []string{
		thumbnailSeed, `<rss><channel><item><title>x</title><media:content url="a.jpg" width="9"/><description>&lt;img src=b.jpg&gt;</description></item></channel></rss>`,
		`<urlset><url><loc>/a</loc><image:image><image:loc>b.jpg</image:loc></image:image></url></urlset>`,
		`{"@context":"http://iiif.io/api/presentation/2/context.json","@type":"sc:Manifest","sequences":[{"canvases":[{"images":[{"resource":{"@id":"a.jpg","service":{"@id":"s","profile":"level2"}}}]}]}]}`,
		`{"@context":"http://iiif.io/api/image/2/context.json","@id":"http://x/s","width":4000,"height":3,"sizes":[{"width":1}],"profile":["level0",{"maxArea":5}]}`,
		`{"works":[{"title":"a","image":{"url":"/i.jpg","width":3}}],"next":"/n"}`,
		`<script type=application/ld+json>{"@graph":[{"@type":"Painting","image":["a.jpg"],"name":"x"}]}</script><script>window.x={"a":"\/b.jpg"}</script>`,
		`<img srcset="a 1w, b 2x" data-x='{"a":"b.jpg"}' style="background:url(c.png)">`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, host := range []string{"http://site.test/p/", "https://collectionapi.metmuseum.org/x", "https://api.artic.edu/x", "https://openaccess-api.clevelandart.org/x?skip=1", "https://id.rijksmuseum.nl/1"} {
			found, err := crawler.ReadTasks(t.Context(), host, []byte(text))
			if err != nil {
				continue
			}
			for _, task := range found {
				if !strings.HasPrefix(task.URL, "http") {
					t.Errorf("%q at %s gave a task for %q", text, host, task.URL)
				}
				for _, l := range task.Leads {
					if len(l.Addresses) == 0 {
						t.Errorf("%q gave a lead without an address", text)
					}
				}
			}
		}
	})
}

const thumbnailSeed = `<main><ul><li><a href="/w/1"><img src="t.jpg" alt="x"></a><p>by <a href=/a>A</a></ul><figure><img data-src=b_{width}.jpg data-widths="[1,2]"></figure></main>`
