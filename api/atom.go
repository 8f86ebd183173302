package api

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/palate-art/palate"
)

const atomType = "application/atom+xml"

// atomFeed is a feed as RFC 4287 has it, with pictures by the Media RSS module
// beside them in the content: readers differ in which they show.
type atomFeed struct {
	XMLName  xml.Name    `xml:"http://www.w3.org/2005/Atom feed"`
	Media    string      `xml:"xmlns:media,attr"`
	ID       string      `xml:"id"`
	Title    string      `xml:"title"`
	Subtitle string      `xml:"subtitle"`
	Updated  time.Time   `xml:"updated"`
	Author   atomPerson  `xml:"author"`
	Links    []atomLink  `xml:"link"`
	Entries  []atomEntry `xml:"entry"`

	base    string // of addresses
	key     string // what opens the feed, for its pictures too
	profile palate.Profile
	catalog string
}

type atomPerson struct {
	Name string `xml:"name"`
}

type atomLink struct {
	Rel  string `xml:"rel,attr"`
	Type string `xml:"type,attr,omitempty"`
	Href string `xml:"href,attr"`
}

type atomEntry struct {
	ID        string      `xml:"id"`
	Title     string      `xml:"title"`
	Published time.Time   `xml:"published"`
	Updated   time.Time   `xml:"updated"`
	Author    *atomPerson `xml:"author"`
	Rights    string      `xml:"rights,omitempty"`
	Links     []atomLink  `xml:"link"`
	Thumbnail struct {
		URL string `xml:"url,attr"`
	} `xml:"media:thumbnail"`
	Content struct {
		Type string `xml:"type,attr"`
		HTML string `xml:",chardata"`
	} `xml:"content"`
}

// feedAt is the feed of a profile as it is asked for, without entries.
func feedAt(r *http.Request, profile palate.Profile, identity string) *atomFeed {
	f := &atomFeed{
		Media: "http://search.yahoo.com/mrss/", ID: stableID(identity, string(profile)), Title: "New for " + string(profile),
		Subtitle: "What crawls and subscriptions brought lately, what will be liked most first", Updated: time.Unix(0, 0).UTC(), Author: atomPerson{"palate"},
		base: baseOf(r), key: r.URL.Query().Get(feedKey), profile: profile, catalog: identity,
	}
	f.Links = []atomLink{{Rel: "self", Type: atomType, Href: f.base + r.URL.RequestURI()}, {Rel: "alternate", Type: "text/html", Href: f.base + "/"}}
	return f
}

// picture is the address of a picture that opens with the feed.
func (f *atomFeed) picture(image string) string {
	address := f.base + "/v1/profiles/" + string(f.profile) + "/feed-pictures/" + image
	if f.key != "" {
		address += "?" + url.Values{feedKey: {f.key}}.Encode()
	}
	return address
}

// page is where a person looks at a picture and judges it.
func (f *atomFeed) page(image string) string {
	return f.base + "/#/newest?" + url.Values{"profile": {string(f.profile)}, "picture": {image}}.Encode()
}

// entryPage is the content of an entry.
var entryPage = template.Must(template.New("entry").Parse(
	`<p><a href="{{.Page}}"><img src="{{.Picture}}" alt="{{.Title}}"></a></p>
<p>{{with .Chance}}{{.}} likely to be liked.{{end}}{{with .Artist}} By {{.}}{{with $.Date}}, {{.}}{{end}}.{{end}}{{with .Licence}} {{.}}.{{end}}{{with .Source}} <a href="{{.}}">Where it comes from</a>.{{end}}</p>
{{if .Likes}}<p>You like what looks most like it:</p>
<p>{{range .Likes}}<a href="{{.Page}}"><img src="{{.Picture}}" alt="{{.Title}}" width="160"></a> {{end}}</p>
{{end}}`))

type entryShown struct {
	Page, Picture, Title                  string
	Chance, Artist, Date, Licence, Source string
	Likes                                 []entryShown
}

// add puts a picture into the feed. Its chance changes with every learning,
// so that its time is that at which it came: no reader shows it twice.
func (f *atomFeed) add(e snapshotEntry, image Image, likes []Hit) {
	shown := entryShown{Page: f.page(image.ID), Picture: f.picture(image.ID), Title: titleOf(image), Artist: image.Artist}
	if e.chance != noChance {
		shown.Chance = fmt.Sprintf("%d %%", e.chance)
	}
	for _, like := range likes {
		shown.Likes = append(shown.Likes, entryShown{Page: f.page(like.Image.ID), Picture: f.picture(like.Image.ID), Title: titleOf(like.Image)})
	}
	entry := atomEntry{ID: stableID(f.catalog, string(f.profile), image.ID), Title: titleOf(image), Published: image.AddedAt, Updated: image.AddedAt,
		Links: []atomLink{{Rel: "alternate", Type: "text/html", Href: shown.Page}}}
	if image.Artist != "" {
		entry.Author, entry.Title = &atomPerson{image.Artist}, entry.Title+" – "+image.Artist
	}
	for _, source := range image.Sources {
		shown.Date, shown.Licence = firstOf(shown.Date, valueOr(source.Date, "")), firstOf(shown.Licence, valueOr(source.Licence, ""))
		if at := firstOf(valueOr(source.Page, ""), source.Address); shown.Source == "" && isWeb(at) {
			shown.Source = at
			entry.Links = append(entry.Links, atomLink{Rel: "via", Href: at})
		}
	}
	entry.Rights, entry.Thumbnail.URL = shown.Licence, shown.Picture
	var content strings.Builder
	_ = entryPage.Execute(&content, shown) // a builder takes everything
	entry.Content.Type, entry.Content.HTML = "html", content.String()
	f.Entries = append(f.Entries, entry)
	if image.AddedAt.After(f.Updated) {
		f.Updated = image.AddedAt
	}
}

// titleOf is never empty, as Atom and readers want it.
func titleOf(image Image) string { return firstOf(image.Title, "Untitled") }

func firstOf(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// isWeb reports an address that may be followed.
func isWeb(address string) bool {
	u, err := url.Parse(address)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != ""
}

// VisitGetFeedResponse sends the feed.
func (f *atomFeed) VisitGetFeedResponse(w http.ResponseWriter) error {
	out := bytes.NewBufferString(xml.Header)
	encoder := xml.NewEncoder(out)
	encoder.Indent("", " ")
	if err := encoder.Encode(f); err != nil {
		return err
	}
	w.Header().Set("Content-Type", atomType+"; charset=utf-8")
	_, err := w.Write(out.Bytes())
	return err
}
