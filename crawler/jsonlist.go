package crawler

import (
	"bytes"
	"context"
	"encoding/json"
	"net/url"
	"strconv"
	"strings"

	"github.com/PuerkitoBio/goquery"
	"golang.org/x/net/html"
)

// Answers of JSON of any shape: what galleries drawn by scripts, and buttons
// for more, load.

func looksLikeJSON(d document) bool {
	text := bytes.TrimLeft(d.body, " \t\r\n")
	return len(text) > 1 && (text[0] == '{' || text[0] == '[') && json.Valid(text)
}

// readJSONList takes the pictures of a JSON answer, those of the HTML in its
// strings, and its following part.
func readJSONList(ctx context.Context, r *run, task Task, d document) (reading, error) {
	var v any
	if err := json.Unmarshal(d.body, &v); err != nil {
		return reading{}, err
	}
	p := newPage(r, task, d.at, goquery.NewDocumentFromNode(&html.Node{Type: html.DocumentNode}).Selection)
	p.info = record{page: p.self, site: strings.ToLower(d.at.Hostname())}
	if task.Referer != "" {
		p.info.page = task.Referer
	}
	p.withdrawn = r.cfg.withdrawn(d.header)
	reader := &jsonReader{page: p, byStrict: map[string]*jsonPicture{}}
	reader.walk(v, "", 0, 0)
	if len(reader.fragments) > 0 {
		root, err := html.ParseWithOptions(strings.NewReader("<main>"+strings.Join(reader.fragments, "\n")+"</main>"), html.ParseOptionEnableScripting(false))
		if err != nil {
			return reading{}, err
		}
		p.doc = goquery.NewDocumentFromNode(root).Selection
	}
	pictures := len(reader.found)
	asked := reader.ask()
	got, err := p.readWith(ctx, reader.found)
	if err != nil {
		return reading{}, err
	}
	if got.lost == nil || got.lost.reason != "opted_out" {
		got.found = append(got.found, asked...)
	}
	p.fruitful = p.fruitful || len(asked) > 0
	for _, next := range reader.next {
		if u, ok := resolve(p.base, next); ok {
			got.found = append(got.found, p.nextPart(u)...)
		}
	}
	if len(reader.next) == 0 && p.fruitful {
		got.found = append(got.found, p.nextPart(followingPart(d.at, v, pictures))...)
	}
	return got, nil
}

// nextPart is the task of a list's following part, if it is on this site.
func (p *page) nextPart(u *url.URL) []Task {
	if u == nil || !p.run.sameSite(p.at.Hostname(), u.Hostname()) || looksLikePicture(u) {
		return nil
	}
	address, ok := canonical(u)
	if !ok || address == p.self || !p.run.trail.offer(address) {
		return nil
	}
	return []Task{{Kind: Page, URL: address, Referer: firstOf(p.task.Referer, p.self), Depth: p.task.Depth}}
}

// followingPart is the address of a list's next page where only its own
// number and how many there are is said; nil where nothing says that there
// are more.
func followingPart(at *url.URL, v any, pictures int) *url.URL {
	object, ok := v.(map[string]any)
	if !ok || pictures == 0 {
		return nil
	}
	query := at.Query()
	for _, name := range []string{"page", "p", "pg", "paged"} {
		number, err := strconv.Atoi(query.Get(name))
		if err != nil || number < 0 {
			continue
		}
		more := false
		for key, value := range object {
			total := 0
			if n, ok := value.(float64); ok {
				total = int(n)
			}
			switch lower := strings.ToLower(key); {
			case strings.Contains(lower, "hasmore") || strings.Contains(lower, "has_more") || strings.Contains(lower, "has_next") || lower == "hasnextpage":
				more = more || value == true
			case strings.Contains(lower, "pages") || strings.Contains(lower, "last_page") || strings.Contains(lower, "lastpage"):
				more = more || total > number
			case strings.Contains(lower, "count") || strings.Contains(lower, "total"):
				more = more || total > pictures*max(1, number)
			}
		}
		if !more {
			return nil
		}
		query.Set(name, strconv.Itoa(number+1))
		next := *at
		next.RawQuery = query.Encode()
		return &next
	}
	return nil
}
