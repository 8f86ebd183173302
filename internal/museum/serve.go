package museum

import (
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
)

// reply is what a well-behaved site would answer; send makes it hostile
// where a rule says so.
type reply struct {
	target      Target
	work        int // whose address this is; -1 for none
	status      int
	contentType string
	location    string
	retryAfter  string
	etag        string
	body        []byte
}

func page(html []byte) reply {
	return reply{target: Pages, work: -1, status: http.StatusOK, contentType: "text/html; charset=utf-8", body: html}
}

func failure(target Target, status int) reply {
	text := fmt.Sprintf("<!DOCTYPE html>\n<title>%d</title>\n<h1>%d %s</h1>\n", status, status, http.StatusText(status))
	return reply{target: target, work: -1, status: status, contentType: "text/html; charset=utf-8", body: []byte(text)}
}

func notFound(target Target) reply { return failure(target, http.StatusNotFound) }

func redirect(target Target, work int, to string) reply {
	return reply{target: target, work: work, status: http.StatusFound, location: to}
}

func hostOf(r *http.Request) string {
	host := strings.ToLower(r.Host)
	if h, _, err := net.SplitHostPort(host); err == nil {
		return h
	}
	return host
}

// Handler answers for all hosts, by the Host header; an unknown one gets
// 421. It logs every request.
func (m *Museum) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		entry := m.log.begin(r)
		defer m.log.end(entry)
		answer := m.answer(r)
		if answer.target == Pictures && answer.status == http.StatusOK {
			m.log.change(func() { entry.Work = answer.work })
		}
		m.send(&recorder{ResponseWriter: w, log: m.log, entry: entry}, r, answer)
	})
}

// answer routes by host.
func (m *Museum) answer(r *http.Request) reply {
	host := hostOf(r)
	site, known := map[string]func(*http.Request) reply{
		GalleryHost: m.gallery, MediaHost: m.media, CommonsHost: m.commons, UploadHost: m.upload,
	}[host]
	switch {
	case !known:
		return failure(Pages, http.StatusMisdirectedRequest)
	case r.URL.Path == "/robots.txt":
		return m.robots(host)
	case strings.HasPrefix(r.URL.Path, "/loop/"):
		return m.loop(r)
	case r.Method != http.MethodGet && r.Method != http.MethodHead && !m.isAPI(r):
		return failure(Pages, http.StatusMethodNotAllowed)
	case (host == CommonsHost || host == UploadHost) && m.cfg.CheckUserAgent && !namesContact(r.UserAgent()):
		return failure(Pages, http.StatusForbidden)
	}
	return site(r)
}

// loop is where RedirectLoop leads: two addresses that lead to each other.
func (m *Museum) loop(r *http.Request) reply {
	n, _ := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/loop/"))
	return redirect(Static, -1, fmt.Sprintf("/loop/%d", n^1))
}

// robots gives robots.txt. The gallery's private rooms and MediaWiki's
// special pages are closed, and linked to, at all times.
func (m *Museum) robots(host string) reply {
	b := m.faults.behaviour().Robots
	if b.Status >= 300 {
		return failure(RobotsFile, b.Status)
	}
	body := b.Body
	if body == "" {
		var text strings.Builder
		switch host {
		case GalleryHost:
			text.WriteString("User-agent: *\nDisallow: /private/\n")
		case CommonsHost:
			text.WriteString(commonsRobots)
		default:
			text.WriteString("User-agent: *\n")
		}
		for _, path := range b.Disallow {
			text.WriteString("Disallow: " + path + "\n")
		}
		if b.CrawlDelay > 0 {
			fmt.Fprintf(&text, "Crawl-delay: %g\n", b.CrawlDelay.Seconds())
		}
		body = text.String()
	}
	return reply{target: RobotsFile, work: -1, status: max(b.Status, http.StatusOK), contentType: "text/plain; charset=utf-8", body: []byte(body)}
}

// media serves the gallery's picture host.
func (m *Museum) media(r *http.Request) reply {
	parts := strings.Split(strings.TrimPrefix(r.URL.Path, "/"), "/")
	if len(parts) == 3 && parts[0] == "originals" {
		return m.numbered(parts[1], parts[2])
	}
	if len(parts) == 3 && parts[0] == "thumbs" {
		width, err := strconv.Atoi(parts[1])
		i, ok := m.index(strings.TrimSuffix(parts[2], ".jpg"))
		if err == nil && ok && (width == thumbWidth || width == 2*thumbWidth) {
			return m.small(i, width)
		}
	}
	return notFound(Static)
}

// index reads the number of a work.
func (m *Museum) index(s string) (int, bool) {
	i, err := strconv.Atoi(s)
	return i, err == nil && i >= 0 && i < len(m.works)
}

// numbered serves an original under its number and name.
func (m *Museum) numbered(number, name string) reply {
	if i, ok := m.index(number); ok && m.works[i].FileName == name {
		return m.full(i)
	}
	return notFound(Pictures)
}

func (m *Museum) full(i int) reply {
	f, err := m.original(i)
	if err != nil {
		return failure(Pictures, http.StatusInternalServerError)
	}
	return reply{
		target: Pictures, work: i, status: http.StatusOK, contentType: m.works[i].ContentType,
		etag: fmt.Sprintf(`"%x"`, f.sum[:8]), body: f.data,
	}
}

func (m *Museum) small(i, width int) reply {
	data, err := m.thumbnail(i, width)
	if err != nil {
		return failure(Thumbnails, http.StatusInternalServerError)
	}
	return reply{target: Thumbnails, work: i, status: http.StatusOK, contentType: "image/jpeg", body: data}
}
