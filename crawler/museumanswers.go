package crawler

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/palate-art/palate"
)

// The answers of museums' APIs, each by a function of its own.

// museumReaders read the answers of one host.
var museumReaders = map[string]func(a *museumAnswer, v map[string]any){
	"collectionapi.metmuseum.org":     (*museumAnswer).met,
	"api.artic.edu":                   (*museumAnswer).chicago,
	"openaccess-api.clevelandart.org": (*museumAnswer).cleveland,
	"data.rijksmuseum.nl":             (*museumAnswer).rijks,
	"id.rijksmuseum.nl":               (*museumAnswer).rijks,
}

func looksLikeMuseum(d document) bool {
	return museumReaders[strings.ToLower(d.at.Hostname())] != nil && looksLikeJSON(d)
}

// museumAnswer is one answer as it is read.
type museumAnswer struct {
	run   *run
	task  Task
	at    *url.URL
	found []Task
	lost  *failure
}

func readMuseum(_ context.Context, r *run, task Task, d document) (reading, error) {
	var v map[string]any
	if err := json.Unmarshal(d.body, &v); err != nil {
		return reading{}, err
	}
	a := &museumAnswer{run: r, task: task, at: d.at}
	museumReaders[strings.ToLower(d.at.Hostname())](a, v)
	if len(a.found) == 0 && a.lost == nil {
		a.lost = lose("no_picture", "the museum's answer has no public picture and no further record")
	}
	return reading{found: a.found, lost: a.lost}, nil
}

func (a *museumAnswer) page(address string, depth int) {
	u, ok := resolve(a.at, address)
	if !ok {
		return
	}
	if clean, ok := canonical(u); ok {
		a.found = append(a.found, Task{Kind: Page, URL: clean, Referer: a.task.URL, Depth: depth, Source: a.task.Source})
	}
}

func (a *museumAnswer) picture(sizes []size, s palate.Source) {
	p := &page{run: a.run, base: a.at}
	s.Site = firstOf(s.Site, strings.ToLower(a.at.Hostname()))
	s.Year = yearOf(s.Date)
	if addresses := chooseSizes(p.resolved(sizes, ""), a.run.cfg.Want, a.run.cfg.MinWidth); len(addresses) > 0 {
		a.found = append(a.found, Task{
			Kind: Image, URL: addresses[0], Alternatives: addresses[1:], Referer: firstOf(s.Page, a.task.URL), Depth: a.task.Depth, Source: s,
		})
	}
}

const cc0 = "https://creativecommons.org/publicdomain/zero/1.0/"

// plainText is a text of an answer without markup.
func plainText(v map[string]any, key string) string {
	switch t := v[key].(type) {
	case string:
		return stripHTML(t)
	case float64:
		return strconv.FormatFloat(t, 'f', -1, 64)
	}
	return ""
}

// met reads a search, whose answer is numbers of objects, or one object.
func (a *museumAnswer) met(v map[string]any) {
	if ids, ok := v["objectIDs"].([]any); ok {
		for _, id := range ids {
			if n, ok := id.(float64); ok {
				a.page(metAPI+"objects/"+strconv.Itoa(int(n)), a.task.Depth)
			}
		}
		return
	}
	s := palate.Source{
		ExternalID: plainText(v, "objectID"), Page: plainText(v, "objectURL"), Title: plainText(v, "title"), Artist: plainText(v, "artistDisplayName"),
		Date: plainText(v, "objectDate"), Medium: plainText(v, "medium"), Credit: plainText(v, "creditLine"),
		Categories: cleanList([]string{plainText(v, "department"), plainText(v, "classification")}),
	}
	if v["isPublicDomain"] == true {
		s.Licence, s.LicenceURL = "CC0", cc0
	} else {
		s.Licence = plainText(v, "rightsAndReproduction")
	}
	if whole := plainText(v, "primaryImage"); whole != "" {
		sizes := []size{{address: whole, density: 1, whole: true}}
		if small := plainText(v, "primaryImageSmall"); small != "" {
			sizes = append(sizes, size{address: small, width: 500, density: 1})
		}
		a.picture(sizes, s)
	}
	for _, more := range plainTexts(v["additionalImages"]) {
		a.picture([]size{{address: more, density: 1, whole: true}}, s)
	}
}

// chicago reads a list of artworks or one.
func (a *museumAnswer) chicago(v map[string]any) {
	config, _ := v["config"].(map[string]any)
	iiif := firstOf(firstText(config["iiif_url"]), "https://www.artic.edu/iiif/2")
	for _, w := range objects(v["data"]) {
		if w["image_id"] == nil && w["api_link"] != nil && w["title"] != nil && w["is_public_domain"] == nil {
			a.page(firstText(w["api_link"])+"?fields="+chicagoFields, a.task.Depth)
			continue
		}
		id := plainText(w, "id")
		s := palate.Source{
			ExternalID: firstOf(plainText(w, "main_reference_number"), id), Page: "https://www.artic.edu/artworks/" + id, Title: plainText(w, "title"),
			Artist: firstOf(plainText(w, "artist_title"), plainText(w, "artist_display")), Date: plainText(w, "date_display"),
			Medium: plainText(w, "medium_display"), Credit: plainText(w, "credit_line"), Categories: cleanList(plainTexts(w["category_titles"])),
		}
		most := 843 // of what is in copyright
		if w["is_public_domain"] == true {
			s.Licence, s.LicenceURL, most = "CC0", cc0, 1686
		} else {
			s.Licence = plainText(w, "copyright_notice")
		}
		for _, image := range append(plainTexts(w["image_id"]), plainTexts(w["alt_image_ids"])...) {
			var sizes []size
			for _, width := range []int{843, 1686} {
				if width <= most {
					sizes = append(sizes, size{address: fmt.Sprintf("%s/%s/full/%d,/0/default.jpg", iiif, image, width), width: width, density: 1})
				}
			}
			a.picture(sizes, s)
		}
	}
	pagination, _ := v["pagination"].(map[string]any)
	if next := firstText(pagination["next_url"]); next != "" {
		a.page(next, a.task.Depth)
	} else if current, total := number(pagination["current_page"]), number(pagination["total_pages"]); current > 0 && current < total && current < 100 {
		a.step("page", current+1)
	}
}

// step asks for the same list from another place on.
func (a *museumAnswer) step(parameter string, value int) {
	query := a.at.Query()
	query.Set(parameter, strconv.Itoa(value))
	next := *a.at
	next.RawQuery = query.Encode()
	a.page(next.String(), a.task.Depth)
}

// cleveland reads a list of artworks or one.
func (a *museumAnswer) cleveland(v map[string]any) {
	works := objects(v["data"])
	for _, w := range works {
		var artists []string
		for _, c := range objects(w["creators"]) {
			artists = append(artists, plainText(c, "description"))
		}
		s := palate.Source{
			ExternalID: plainText(w, "accession_number"), Page: plainText(w, "url"), Title: plainText(w, "title"), Artist: strings.Join(artists, "; "),
			Date: plainText(w, "creation_date"), Medium: plainText(w, "technique"), Credit: plainText(w, "creditline"),
			Categories: cleanList([]string{plainText(w, "department"), plainText(w, "type")}), Licence: plainText(w, "share_license_status"),
		}
		if strings.EqualFold(s.Licence, "CC0") {
			s.LicenceURL = cc0
		}
		images, _ := w["images"].(map[string]any)
		var sizes []size
		for _, name := range []string{"web", "print", "full"} {
			if image, ok := images[name].(map[string]any); ok && firstText(image["url"]) != "" {
				sizes = append(sizes, size{address: firstText(image["url"]), width: number(image["width"]), density: 1})
			}
		}
		if len(sizes) > 0 {
			a.picture(sizes, s)
		}
	}
	info, _ := v["info"].(map[string]any)
	if skip := atoi(a.at.Query().Get("skip")); len(works) > 0 && skip+len(works) < number(info["total"]) {
		a.step("skip", skip+len(works))
	}
}

// rijks reads a search, or a record in Linked Art: the object, what it shows,
// and the file of that, each of which leads to the next.
// https://data.rijksmuseum.nl/docs/
func (a *museumAnswer) rijks(v map[string]any) {
	for _, item := range objects(v["orderedItems"]) {
		a.page(iiifID(item), a.task.Depth)
	}
	if next, ok := v["next"].(map[string]any); ok {
		a.page(iiifID(next), a.task.Depth)
	}
	if iiifType(v) == "HumanMadeObject" {
		a.task.Source = linkedArtSource(v)
		a.task.Source.Page = firstOf(a.task.Source.Page, iiifID(v))
	}
	for _, key := range []string{"shows", "digitally_shown_by"} {
		for _, o := range objects(v[key]) {
			a.page(iiifID(o), a.task.Depth)
		}
	}
	for _, point := range objects(v["access_point"]) {
		address := iiifID(point)
		sizes := []size{{address: address, density: 1, whole: true}}
		if folder, ok := strings.CutSuffix(address, "/full/max/0/default.jpg"); ok {
			info := imageInfo{id: folder, version: 3, level: 2}
			sizes = nil
			for _, request := range info.addresses(a.run.cfg.Want) {
				sizes = append(sizes, size{address: request, density: 1})
			}
		}
		for _, licence := range objects(v["subject_to"]) {
			for _, class := range objects(licence["classified_as"]) {
				a.task.Source.LicenceURL = firstOf(a.task.Source.LicenceURL, iiifID(class))
			}
		}
		a.picture(sizes, a.task.Source)
	}
}

// linkedArtSource reads the names of an object. https://linked.art/model/
func linkedArtSource(v map[string]any) palate.Source {
	var s palate.Source
	for _, name := range objects(v["identified_by"]) {
		switch iiifType(name) {
		case "Name":
			s.Title = firstOf(s.Title, plainText(name, "content"))
		case "Identifier":
			s.ExternalID = firstOf(s.ExternalID, plainText(name, "content"))
		}
	}
	made, _ := v["produced_by"].(map[string]any)
	for _, event := range append([]map[string]any{made}, objects(made["part"])...) {
		span, _ := event["timespan"].(map[string]any)
		for _, name := range objects(span["identified_by"]) {
			s.Date = firstOf(s.Date, plainText(name, "content"))
		}
		for _, said := range objects(event["referred_to_by"]) {
			s.Artist = firstOf(s.Artist, plainText(said, "content"))
		}
		for _, by := range objects(event["carried_out_by"]) {
			for _, name := range objects(by["identified_by"]) {
				s.Artist = firstOf(plainText(name, "content"), s.Artist)
			}
			s.Artist = firstOf(s.Artist, plainText(by, "_label"))
		}
	}
	return s
}
