package museum

import (
	"net/http"
	"strings"
)

// WikiGuise says how the museum's wiki differs from Wikimedia Commons. The
// zero value is Commons.
type WikiGuise struct {
	// APIPath is where api.php is; empty is /w/api.php. Others answer 404.
	APIPath string
	// NoEditURI leaves out the link to it from the pages' heads.
	NoEditURI bool
	// German gives the namespaces their German names, as de.wikipedia.org
	// does; the English ones are understood too.
	German bool
}

func (g WikiGuise) apiPath() string {
	if g.APIPath != "" {
		return g.APIPath
	}
	return apiPath
}

func (g WikiGuise) editURI() string {
	if g.NoEditURI {
		return ""
	}
	return "//" + CommonsHost + g.apiPath() + "?action=rsd"
}

func (m *Museum) wikiGuise() WikiGuise { return m.faults.behaviour().Wiki }

// english gives a title under the English name of its namespace.
func (g WikiGuise) english(title string) string {
	if !g.German {
		return title
	}
	for german, english := range map[string]string{"Kategorie:": "Category:", "Datei:": "File:"} {
		if rest, ok := strings.CutPrefix(title, german); ok {
			return english + rest
		}
	}
	return title
}

// siteInfo is meta=siteinfo, as far as clients read it.
func (m *Museum) siteInfo() object {
	file, category := "File", "Category"
	if m.wikiGuise().German {
		file, category = "Datei", "Kategorie"
	}
	return object{"batchcomplete": true, "query": object{
		"general": object{
			"mainpage": "Main Page", "base": "http://" + CommonsHost + "/wiki/Main_Page", "sitename": "Palate Commons",
			"generator": "MediaWiki 1.44.0-wmf.8", "articlepath": "/wiki/$1", "scriptpath": "/w", "script": "/w/index.php",
			"server": "//" + CommonsHost, "wikiid": "palatecommons",
		},
		"namespaces": object{
			"0":  object{"id": 0, "case": "first-letter", "name": "", "content": true},
			"6":  object{"id": 6, "case": "first-letter", "name": file, "canonical": "File"},
			"14": object{"id": 14, "case": "first-letter", "name": category, "canonical": "Category"},
		},
		"namespacealiases": []object{{"id": 6, "alias": "Image"}},
	}}
}

// commonsRobots has the lines of Wikimedia Commons that speak to every
// crawler, and the form of those above them that speak to others.
const commonsRobots = `# Advertising-related bots:
User-agent: Mediapartners-Google*
Disallow: /

User-agent: HTTrack
Disallow: /

User-agent: ia_archiver
Allow: /*&action=raw

User-agent: *
Allow: /w/api.php?action=mobileview&
Allow: /w/load.php?
Allow: /api/rest_v1/?doc
Disallow: /w/
Disallow: /api/
Disallow: /trap/
Disallow: /wiki/Special:
Disallow: /wiki/Spezial:
Disallow: /wiki/Spesial:
Disallow: /wiki/Special%3A
Disallow: /wiki/Spezial%3A
Disallow: /wiki/Spesial%3A
`

func (m *Museum) isAPI(r *http.Request) bool { return r.URL.Path == m.wikiGuise().apiPath() }
