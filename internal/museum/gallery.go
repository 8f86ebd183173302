package museum

import (
	"bytes"
	"fmt"
	"html/template"
	"net/http"
	"strconv"
	"strings"
)

// thumbWidth is that of the gallery's thumbnails; srcset offers twice it.
const thumbWidth = 160

// gallery serves the HTML gallery's host.
func (m *Museum) gallery(r *http.Request) reply {
	path := strings.Trim(r.URL.Path, "/")
	first, rest, _ := strings.Cut(path, "/")
	switch first {
	case "":
		return m.listPage(1)
	case "page":
		if n, err := strconv.Atoi(rest); err == nil && n > 1 && n <= m.pages() {
			return m.listPage(n)
		}
	case "works":
		if i, ok := m.index(rest); ok && m.works[i].ListMarkup != "jpg-page" {
			return m.workPage(i)
		}
	case "wiki":
		if i, ok := m.byTitle(rest); ok && m.works[i].ListMarkup == "jpg-page" {
			return m.workPage(i)
		}
	case "media":
		if i, ok := m.index(rest); ok {
			return redirect(Redirects, i, m.works[i].ImageURL)
		}
		return notFound(Redirects)
	case "pictures":
		if number, name, ok := strings.Cut(rest, "/"); ok {
			return m.numbered(number, name)
		}
		return notFound(Pictures)
	case "artists":
		return m.artistPage(rest)
	case "calendar":
		return m.calendarPage(rest)
	case "about":
		return page(render(aboutTemplate, m.frame("About")))
	case "private":
		return page(render(aboutTemplate, m.frame("Private rooms")))
	case "static":
		return static(rest)
	}
	return notFound(Pages)
}

// byTitle finds a work by the title of its file's page.
func (m *Museum) byTitle(title string) (int, bool) {
	name, ok := strings.CutPrefix(strings.ReplaceAll(title, "_", " "), "File:")
	if !ok {
		return 0, false
	}
	i, ok := m.byName[name]
	return i, ok
}

func (m *Museum) pages() int { return (len(m.works) + m.cfg.PageSize - 1) / m.cfg.PageSize }

// frame is what every page of the gallery shows.
type frame struct {
	Heading string
	Year    int
}

func (m *Museum) frame(heading string) frame { return frame{Heading: heading, Year: calendarYear} }

// shown is a work as a page shows it.
type shown struct {
	Work
	Kind   string // the markup
	Path   string // of its page
	Thumb  string
	Full   string
	Set    template.Srcset
	JSONLD map[string]any
}

func (m *Museum) shown(i int, kind string) shown {
	w := m.works[i]
	s := shown{
		Work: w, Kind: kind, Path: workPath(w), Full: w.ImageURL,
		Thumb: fmt.Sprintf("http://%s/thumbs/%d/%04d.jpg", MediaHost, thumbWidth, i),
	}
	large := fmt.Sprintf("http://%s/thumbs/%d/%04d.jpg", MediaHost, 2*thumbWidth, i)
	s.Set = template.Srcset(fmt.Sprintf("%s %dw, %s %dw, %s %dw", s.Thumb, thumbWidth, large, 2*thumbWidth, s.Full, max(w.Width, 2*thumbWidth+1)))
	return s
}

type listView struct {
	frame
	Works          []shown
	Previous, Next string
	Numbers        []int
	Number         int
}

func listPath(n int) string {
	if n == 1 {
		return "/"
	}
	return fmt.Sprintf("/page/%d", n)
}

func (m *Museum) listPage(n int) reply {
	v := listView{frame: m.frame("The collection"), Number: n}
	for i := (n - 1) * m.cfg.PageSize; i < min(n*m.cfg.PageSize, len(m.works)); i++ {
		v.Works = append(v.Works, m.shown(i, m.works[i].ListMarkup))
	}
	if n > 1 {
		v.Previous = listPath(n - 1)
	}
	if n < m.pages() {
		v.Next = listPath(n + 1)
	}
	for k := max(n-2, 2); k <= min(n+2, m.pages()); k++ {
		v.Numbers = append(v.Numbers, k)
	}
	return page(render(listTemplate, v))
}

type workView struct {
	frame
	shown
	Artist     int // its number
	Name       string
	Calendar   string
	Microdata  bool
	OtherIndex int
}

func (m *Museum) workPage(i int) reply {
	w := m.works[i]
	v := workView{frame: m.frame(w.Title), shown: m.shown(i, w.PageMarkup), Name: w.Artist, Microdata: i%3 == 1}
	for k, a := range artists {
		if a.name == w.Artist {
			v.Artist = k
		}
	}
	switch w.PageMarkup {
	case "redirect":
		v.Full = fmt.Sprintf("/media/%d", i)
	case "relative":
		v.Full = fmt.Sprintf("../pictures/%04d/%s", i, pathEscape(w.FileName))
	}
	if w.PageMarkup == "json-ld" || i%3 == 0 {
		v.JSONLD = map[string]any{
			"@context": "https://schema.org", "@type": "VisualArtwork", "name": w.Title,
			"creator": map[string]any{"@type": "Person", "name": w.Artist}, "dateCreated": strconv.Itoa(w.Year),
			"artMedium": w.Medium, "license": w.LicenceURL, "identifier": w.ExternalID, "genre": w.Categories,
		}
		if w.PageMarkup == "json-ld" {
			v.JSONLD["image"] = map[string]any{"@type": "ImageObject", "contentUrl": w.ImageURL, "width": w.Width, "height": w.Height}
		}
	}
	out := page(render(workTemplate, v))
	out.work = i
	return out
}

type artistView struct {
	frame
	Artists []artist
	Works   []shown
}

// Names gives the artists' names, in order of their numbers.
func (v artistView) Names() []string {
	names := make([]string, len(v.Artists))
	for i, a := range v.Artists {
		names[i] = a.name
	}
	return names
}

func (m *Museum) artistPage(number string) reply {
	if number == "" {
		return page(render(artistTemplate, artistView{frame: m.frame("Artists"), Artists: artists}))
	}
	k, err := strconv.Atoi(number)
	if err != nil || k < 0 || k >= len(artists) {
		return notFound(Pages)
	}
	v := artistView{frame: m.frame(artists[k].name)}
	for i, w := range m.works {
		if w.Artist == artists[k].name {
			v.Works = append(v.Works, m.shown(i, "text"))
		}
	}
	return page(render(artistTemplate, v))
}

const calendarYear = 1912

type calendarView struct {
	frame
	Month int
	Links []string
}

// calendarPage is the trap of sites whose calendar links to the next month.
func (m *Museum) calendarPage(rest string) reply {
	var year, month int
	if _, err := fmt.Sscanf(rest, "%d/%d", &year, &month); err != nil || month < 1 || month > 12 || year < calendarYear {
		return notFound(Pages)
	}
	v := calendarView{frame: m.frame(fmt.Sprintf("Exhibitions, %d/%d", month, year)), Month: month}
	if !m.faults.behaviour().EndlessPages {
		if year != calendarYear {
			return notFound(Pages)
		}
		v.Links = []string{fmt.Sprintf("/calendar/%d/%d", year, month%12+1), fmt.Sprintf("/calendar/%d/%d", year, (month+10)%12+1)}
		return page(render(calendarTemplate, v))
	}
	for k := 1; k <= 12; k++ {
		v.Links = append(v.Links, fmt.Sprintf("/calendar/%d/%d", year+(month+k-1)/12, (month+k-1)%12+1))
	}
	return page(render(calendarTemplate, v))
}

// render panics on an error: the templates and their views are this
// package's own.
func render(t *template.Template, view any) []byte {
	var out bytes.Buffer
	if err := t.Execute(&out, view); err != nil {
		panic(err)
	}
	return out.Bytes()
}
