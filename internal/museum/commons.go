package museum

import (
	"crypto/sha1"
	"fmt"
	"html/template"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A contact is an address or an e-mail in parentheses.
var contact = regexp.MustCompile(`\([^()]*(https?://|@)[^()]*\)`)

func namesContact(userAgent string) bool { return contact.MatchString(userAgent) }

// commons serves MediaWiki's host.
func (m *Museum) commons(r *http.Request) reply {
	switch path := r.URL.Path; {
	case m.isAPI(r):
		return m.api(r)
	case path == "/":
		return redirect(Pages, -1, m.CommonsCategoryURL())
	case path == "/w/index.php":
		return m.categoryPage(r.URL.Query().Get("title"), r.URL.Query().Get("filefrom"))
	case strings.HasPrefix(m.wikiGuise().english(strings.TrimPrefix(path, "/wiki/")), "Category:"):
		return m.categoryPage(m.wikiGuise().english(strings.TrimPrefix(path, "/wiki/")), "")
	case strings.HasPrefix(path, "/wiki/File:"):
		if i, ok := m.byTitle(strings.TrimPrefix(path, "/wiki/")); ok {
			return m.filePage(i)
		}
	}
	return notFound(Pages)
}

// upload serves MediaWiki's pictures.
func (m *Museum) upload(r *http.Request) reply {
	path, ok := strings.CutPrefix(r.URL.Path, "/originals/")
	if !ok {
		return notFound(Pictures)
	}
	if rest, ok := strings.CutPrefix(path, "thumb/"); ok {
		return m.uploadThumb(rest)
	}
	if path == audioName() {
		return reply{target: Static, work: -1, status: http.StatusOK, contentType: "application/ogg", body: []byte(audioGuide)}
	}
	if i, ok := m.hashed(path); ok {
		return m.full(i)
	}
	return notFound(Pictures)
}

// hashed finds a work by "a/ab/Name.jpg".
func (m *Museum) hashed(path string) (int, bool) {
	parts := strings.SplitN(path, "/", 3)
	if len(parts) != 3 {
		return 0, false
	}
	name := strings.ReplaceAll(parts[2], "_", " ")
	i, ok := m.byName[name]
	return i, ok && hashFolders(name) == parts[0]+"/"+parts[1]+"/"
}

// uploadThumb serves "a/ab/Name.jpg/500px-Name.jpg".
func (m *Museum) uploadThumb(path string) reply {
	cut := strings.LastIndexByte(path, '/')
	if cut < 0 {
		return notFound(Thumbnails)
	}
	i, ok := m.hashed(path[:cut])
	number, _, isThumb := strings.Cut(path[cut+1:], "px-")
	width, err := strconv.Atoi(number)
	if !ok || !isThumb || err != nil {
		return notFound(Thumbnails)
	}
	if !slices.Contains(ThumbWidths, width) || width >= m.works[i].Width {
		return failure(Thumbnails, http.StatusBadRequest)
	}
	return m.small(i, width)
}

func (m *Museum) sha1(i int) (string, error) {
	data, err := m.File(i)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%x", sha1.Sum(data)), nil
}

// audioGuide is the one sound file, too short to hold any sound.
const audioGuide = "OggS\x00\x02no sound at all"

func audioName() string {
	name := extras[2].name
	return hashFolders(name) + strings.ReplaceAll(name, " ", "_")
}

func audioPath() string { return hashFolders(extras[2].name) + wikiEscape(extras[2].name) }

type categoryView struct {
	Title, Next string
	EditURI     string
	Subs        []link
	Files       []fileLink
}

type link struct{ Path, Text string }

type fileLink struct {
	link
	Thumb string
}

func (m *Museum) categoryPage(title, from string) reply {
	c, ok := m.categoryOf(title)
	if !ok {
		return notFound(Pages)
	}
	v := categoryView{Title: "Category:" + c.name, EditURI: m.wikiGuise().editURI()}
	var files []member
	for _, e := range c.members {
		if e.file {
			files = append(files, e)
		} else {
			v.Subs = append(v.Subs, link{"/wiki/" + wikiEscape(e.title), strings.TrimPrefix(e.title, "Category:")})
		}
	}
	start := 0
	if from != "" {
		start = slices.IndexFunc(files, func(e member) bool { return e.title == "File:"+from })
		if start < 0 {
			return notFound(Pages)
		}
	}
	end := min(start+m.cfg.PageSize, len(files))
	for _, e := range files[start:end] {
		l := fileLink{link: link{"/wiki/" + wikiEscape(e.title), strings.TrimPrefix(e.title, "File:")}}
		if e.work >= 0 {
			l.Thumb, _, _ = thumbOf(m.works[e.work], 120)
		}
		v.Files = append(v.Files, l)
	}
	if end < len(files) {
		v.Next = fmt.Sprintf("/w/index.php?title=%s&filefrom=%s#mw-category-media",
			template.URLQueryEscaper(v.Title), template.URLQueryEscaper(strings.TrimPrefix(files[end].title, "File:")))
	}
	return page(render(categoryTemplate, v))
}

type fileView struct {
	Work
	Thumb       string
	Width       int
	CreatorPath string
	Categories  []link
}

func (m *Museum) filePage(i int) reply {
	w := m.works[i]
	v := fileView{Work: w, CreatorPath: "/wiki/" + wikiEscape("Creator:"+w.Artist)}
	v.Thumb, v.Width, _ = thumbOf(w, 500)
	for _, name := range w.Categories {
		v.Categories = append(v.Categories, link{"/wiki/" + wikiEscape("Category:"+name), name})
	}
	out := page(render(fileTemplate, v))
	out.work = i
	return out
}
