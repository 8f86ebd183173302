package crawler

import (
	"net/url"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/net/html"
)

// pageLink is a link to a page, as it is decided on.
type pageLink struct {
	address string
	next    bool // it goes on with the same list, or belongs to this page
}

// links are the pages that this one leads to, in its order. A link that is
// not followed gives back the pictures that were left to its page.
func (p *page) links() []Task {
	found := p.pageLinks()
	if robots, _ := p.doc.Find(`meta[name="robots" i]`).Attr("content"); strings.Contains(strings.ToLower(robots), "nofollow") || strings.EqualFold(strings.TrimSpace(robots), "none") {
		return p.unfollowed(found)
	}
	gave := GavePictures
	if !p.fruitful {
		gave = GaveNothing
		if p.leadsElsewhere(found) {
			p.fruitful, gave = true, GaveLinks
		}
	}
	verdict := p.run.endless.read(p.task, p.self, gave)
	p.gave = verdict.gave
	var out []Task
	followed := map[string]bool{}
	for _, l := range found {
		t := Task{Kind: Page, URL: l.address, Referer: p.self, Depth: p.task.Depth + 1}
		if l.next {
			t.Depth = p.task.Depth
		}
		leads := p.leads[l.address]
		switch {
		case t.Depth > p.run.cfg.MaxDepth:
			if !p.run.trail.offered(l.address) {
				out = append(out, refusedPage("too_deep", l.address))
			}
			continue
		case verdict.endless(l.address):
			if !p.run.trail.offered(l.address) {
				out = append(out, refusedPage("endless", l.address))
			}
			continue
		}
		followed[l.address] = true
		p.run.trail.offer(l.address)
		t.Leads = leads[:min(len(leads), maxLeads)]
		p.given = append(p.given, candidatesOf(leads[len(t.Leads):])...)
		out = append(out, t)
	}
	for _, address := range p.leadOrder {
		if followed[address] {
			continue
		}
		p.given = append(p.given, candidatesOf(p.leads[address])...)
	}
	return out
}

// unfollowed counts the links of a page that asks not to follow any, and
// gives back the pictures that were left to their pages.
func (p *page) unfollowed(found []pageLink) []Task {
	var out []Task
	for _, l := range found {
		if !p.run.trail.offered(l.address) {
			out = append(out, refusedPage("nofollow", l.address))
		}
	}
	for _, address := range p.leadOrder {
		p.given = append(p.given, candidatesOf(p.leads[address])...)
	}
	p.leads, p.leadOrder = map[string][]Lead{}, nil
	return out
}

// pageLinks are the page's links to pages of this crawl, each once. One that
// goes on with a list anywhere goes on with it everywhere.
func (p *page) pageLinks() []pageLink {
	var out []pageLink
	at := map[string]int{}
	add := func(u *url.URL, next bool) {
		address, ok := p.follows(u)
		if !ok || address == p.self || p.pictures[address] {
			return
		}
		if i, seen := at[address]; seen {
			out[i].next = out[i].next || next
			return
		}
		at[address] = len(out)
		out = append(out, pageLink{address, next})
	}
	addReference := func(reference string, next bool) {
		if u, ok := resolve(p.base, reference); ok {
			add(u, next)
		}
	}
	for _, root := range p.linkScope().Nodes {
		p.eachElement(root, func(n *html.Node) {
			switch n.Data {
			case "a", "area":
				if u := p.linkOf(n); u != nil {
					add(u, isNextLink(n, p))
				}
			case "option":
				if value := attribute(n, "value"); isReference(value) && strings.ContainsAny(value, "/?") {
					if u, ok := resolve(p.base, value); ok {
						add(u, isNumber(textIn(n), u, p))
					}
				}
			case "script":
				if address := p.sentOn(n); address != "" {
					p.sent = true
					addReference(address, true)
				}
			case "link":
				if containsWord(attribute(n, "rel"), "next") {
					addReference(attribute(n, "href"), true)
				}
			case "frame", "iframe":
				addReference(attribute(n, "src"), true)
			case "meta":
				if strings.EqualFold(attribute(n, "http-equiv"), "refresh") {
					addReference(refreshAddress(attribute(n, "content")), true)
				}
			default:
				if address := clickAddress(n); address != "" {
					addReference(address, false)
				}
			}
			p.loadMore(n, func(u *url.URL) {
				if address, ok := canonical(u); ok && address != p.self && p.run.sameSite(p.at.Hostname(), u.Hostname()) && !looksLikePicture(u) {
					if i, seen := at[address]; seen {
						out[i].next = true
						return
					}
					at[address] = len(out)
					out = append(out, pageLink{address, true})
				}
			})
		})
	}
	for _, address := range p.info.listed {
		addReference(address, false)
	}
	return out
}

func (p *page) eachElement(n *html.Node, visit func(*html.Node)) {
	if n.Type == html.ElementNode {
		visit(n)
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		p.eachElement(c, visit)
	}
}

var refresh = regexp.MustCompile(`(?i)^\s*[\d.]*\s*[;,]?\s*(?:url\s*=)?\s*["']?([^"'\s]+)`)

// refreshAddress is where a page that shows nothing itself sends its readers.
func refreshAddress(content string) string {
	if m := refresh.FindStringSubmatch(content); m != nil && strings.ContainsAny(m[1], "/.?") {
		return m[1]
	}
	return ""
}

var moreAttribute = regexp.MustCompile(`^data-(?:next|(?:[\w-]*(?:load-?more|next|infinite|more|page|pagination|ajax|endpoint|feed|fetch|src-?url)[\w-]*)|url|href|source|src|remote|path|api)$`)
var moreElement = regexp.MustCompile(`(?i)more|next|pagin|infinite|load|lazy|endless|feed|ajax|scroll`)

// loadMore gives the addresses from which scripts load the following part of
// a list.
func (p *page) loadMore(n *html.Node, add func(*url.URL)) {
	for _, a := range n.Attr {
		name := strings.ToLower(a.Key)
		value := strings.TrimSpace(a.Val)
		if value == "" || !strings.HasPrefix(name, "data-") && !strings.HasPrefix(name, "hx-get") || !isReference(value) || strings.ContainsAny(value, "{}") {
			continue
		}
		named := name == "hx-get" || moreAttribute.MatchString(name)
		if !named || !strings.ContainsAny(value, "/?") {
			continue
		}
		plain := name == "data-url" || name == "data-href" || name == "data-source" || name == "data-src" || name == "data-remote" || name == "data-path" || name == "data-api"
		if plain && n.Data != "button" && !moreElement.MatchString(attribute(n, "class")+" "+attribute(n, "id")) {
			continue
		}
		if isPictureElement(n) || n.Data == "iframe" || n.Data == "script" {
			continue
		}
		if u, ok := resolve(p.base, value); ok && !looksLikeStatic(u) {
			add(u)
		}
	}
}

// looksLikeStatic reports files that belong to the page's own machinery.
func looksLikeStatic(u *url.URL) bool {
	name := strings.ToLower(u.Path)
	return slices.ContainsFunc([]string{".js", ".mjs", ".css", ".woff", ".woff2", ".mp4", ".webm", ".pdf", ".zip", ".svg"}, func(ext string) bool { return strings.HasSuffix(name, ext) })
}

// follows reports whether a link leads to a page of this crawl.
func (p *page) follows(u *url.URL) (string, bool) {
	address, ok := canonical(u)
	if !ok || !p.run.sameSite(p.at.Hostname(), u.Hostname()) || looksLikePicture(u) || looksLikeOtherFile(u) || looksLikeTrap(address, u) {
		return "", false
	}
	return address, true
}

// nextWords say "next" or "more" where they are all that a link says.
var nextWords = wordSet(`next older more weiter nächste nächster naechste vor ältere mehr suivant suivante suivants plus siguiente siguientes
	más próxima próximo proxima proximo próximos seguinte seguintes mais successivo successiva successivi avanti prossima altri volgende
	meer nästa äldre fler neste næste flere seuraava lisää następna następny następne dalej więcej další následující ďalšia ďalší több
	következő următor următoarea următorul înainte следующая следующий следующие вперед вперёд далее дальше ещё наступна наступний далі
	επόμενη επόμενο επόμενα sonraki ileri التالي التالية הבא הבאה بعدی अगला ถัดไป tiếp 次 次へ 次のページ 次頁 もっと見る 下一页 下一頁
	下页 下頁 下一张 后页 更多 加载更多 다음 더보기 berikutnya selanjutnya seterusnya sljedeća sledeća следваща järgmine nākamā kitas`)

// pageWords may stand beside them.
var pageWords = wordSet(`page pages seite page: página pagina strona strana sida side sivu oldal страница сторінка sayfa الصفحة posts post results
	works items entries images load show view all beiträge articles entrées entradas resultaten the to go zur zu`)

const arrows = "→»›❯➔➜➡▶►⟩⇒>〉＞▸⏵⮕"

// isNextLink reports links to the following part of the same list, which is
// no deeper than this one, in whatever language.
func isNextLink(a *html.Node, p *page) bool {
	if containsWord(attribute(a, "rel"), "next") {
		return true
	}
	classes := strings.ToLower(attribute(a, "class") + " " + attribute(a, "id"))
	for class := range strings.FieldsSeq(classes) {
		if class == "next" || strings.HasPrefix(class, "next-") || strings.HasSuffix(class, "-next") || strings.HasSuffix(class, "_next") ||
			strings.Contains(class, "next-page") || strings.Contains(class, "nextpage") || strings.Contains(class, "load-more") || strings.Contains(class, "loadmore") || strings.HasSuffix(class, "older-posts") {
			return true
		}
	}
	if isNextText(textIn(a)) || isNextText(attribute(a, "aria-label")) || isNextText(attribute(a, "title")) {
		return true
	}
	return isNumberedPage(a, p)
}

func isNextText(text string) bool {
	text = strings.ToLower(tidy(text))
	if text == "" || len(text) > 80 {
		return false
	}
	bare := strings.Trim(text, " ()[]."+arrows)
	if bare == "" {
		return strings.ContainsAny(text, arrows)
	}
	if nextWords[bare] {
		return true
	}
	words := strings.Fields(bare)
	if len(words) > 4 {
		return false
	}
	said := false
	for _, w := range words {
		switch w = strings.Trim(w, "()[].:…"); {
		case nextWords[w]:
			said = true
		case pageWords[w], w == "", atoi(w) > 0:
		default:
			return false
		}
	}
	return said
}

var digits = regexp.MustCompile(`\d+`)

// isNumberedPage reports links that say a number which their address has
// where this page's has another, or none.
func isNumberedPage(a *html.Node, p *page) bool {
	text := tidy(textIn(a))
	if text == "" || len(text) > 5 || strings.Trim(text, "0123456789") != "" {
		return false
	}
	u := p.linkOf(a)
	if u == nil {
		return false
	}
	if !isNumber(text, u, p) {
		return false
	}
	around := a.Parent
	for range 3 {
		if around == nil {
			return false
		}
		name := strings.ToLower(attribute(around, "class") + " " + attribute(around, "id") + " " + attribute(around, "aria-label"))
		if strings.Contains(name, "pag") || strings.Contains(name, "seite") {
			return true
		}
		around = around.Parent
	}
	address, _ := canonical(u)
	return shapeOf(address) == shapeOf(p.self) && address != p.self
}

// isNumber reports a text that is a number which an address has.
func isNumber(text string, u *url.URL, p *page) bool {
	text = tidy(text)
	if text == "" || len(text) > 5 || strings.Trim(text, "0123456789") != "" {
		return false
	}
	address, ok := canonical(u)
	return ok && slices.Contains(digits.FindAllString(strings.TrimPrefix(address, u.Scheme+"://"+u.Host), -1), text)
}

func containsWord(text, word string) bool {
	for w := range strings.FieldsSeq(text) {
		if strings.EqualFold(w, word) {
			return true
		}
	}
	return false
}

func hostHasLabel(host string, labels map[string]bool) bool {
	for label := range strings.SplitSeq(strings.ToLower(host), ".") {
		if labels[label] {
			return true
		}
	}
	return false
}

func refusedPage(reason, address string) Task {
	return Task{Kind: Page, URL: address, Refused: reason}
}
