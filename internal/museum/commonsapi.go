package museum

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

const apiPath = "/w/api.php"

// imageInfosPerAnswer bounds the imageinfo in one answer, as MediaWiki
// bounds its work: the rest of the batch follows by iicontinue.
const imageInfosPerAnswer = 30

type object = map[string]any

// api answers MediaWiki's action=query. Errors come with HTTP 200, as
// MediaWiki's do.
func (m *Museum) api(r *http.Request) reply {
	if err := r.ParseForm(); err != nil {
		return failure(API, http.StatusBadRequest)
	}
	q := r.Form
	if q.Get("maxlag") != "" {
		if wait, lagged := m.faults.lag(); lagged {
			out := answerJSON(apiError("maxlag", "Waiting for a database server: 7.3 seconds lagged."))
			out.retryAfter = strconv.Itoa(seconds(wait))
			return out
		}
	}
	switch {
	case q.Get("format") != "json":
		out := failure(API, http.StatusOK) // MediaWiki shows an HTML rendering
		return out
	case q.Get("action") != "query":
		return answerJSON(apiError("badvalue", "Unrecognized value for parameter \"action\"."))
	case q.Get("meta") == "siteinfo":
		return answerJSON(m.siteInfo())
	case q.Get("generator") == "categorymembers":
		return answerJSON(m.generate(r.Context(), q))
	case q.Get("list") == "categorymembers":
		return answerJSON(m.list(q))
	case q.Get("titles") != "" || q.Get("pageids") != "":
		return answerJSON(m.named(r.Context(), q))
	}
	return answerJSON(object{"batchcomplete": true})
}

func apiError(code, info string) object {
	return object{"error": object{"code": code, "info": info, "docref": "See http://" + CommonsHost + apiPath + " for API usage."}}
}

func answerJSON(v object) reply {
	body, err := json.Marshal(v)
	if err != nil {
		panic(err) // strings, numbers and maps only
	}
	return reply{target: API, work: -1, status: http.StatusOK, contentType: "application/json; charset=utf-8", body: body}
}

// batch is a stretch of a category's members.
type batch struct {
	members []member
	next    string // the continue value of the stretch after it; empty at the end
}

// members reads the parameters of categorymembers under the prefix "cm" or
// "gcm" and gives the stretch they ask for.
func (m *Museum) members(q url.Values, prefix string) (batch, object) {
	title := q.Get(prefix + "title")
	if title == "" {
		return batch{}, apiError("missingparam", "One of the parameters \""+prefix+"title\" and \""+prefix+"pageid\" is required.")
	}
	if !strings.HasPrefix(title, "Category:") {
		return batch{}, apiError("invalidcategory", "The category name you entered is not valid.")
	}
	limit := 10
	if s := q.Get(prefix + "limit"); s == "max" {
		limit = 500
	} else if s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 {
			return batch{}, apiError("badinteger", "Invalid value for integer parameter \""+prefix+"limit\".")
		}
		limit = min(n, 500)
	}
	types := strings.Split(q.Get(prefix+"type"), "|")
	c, ok := m.categoryOf(title)
	if !ok {
		return batch{}, nil
	}
	var wanted []member
	for _, e := range c.members {
		kind := "subcat"
		if e.file {
			kind = "file"
		}
		if q.Get(prefix+"type") == "" || slices.Contains(types, kind) {
			wanted = append(wanted, e)
		}
	}
	return stretch(wanted, q.Get(prefix+"continue"), limit)
}

func stretch(wanted []member, from string, limit int) (batch, object) {
	start := 0
	if from != "" {
		parts := strings.Split(from, "|")
		id, err := strconv.Atoi(parts[len(parts)-1])
		start = slices.IndexFunc(wanted, func(e member) bool { return e.pageID == id })
		if err != nil || len(parts) != 3 || start < 0 {
			return batch{}, apiError("badcontinue", "Invalid continue param. You should pass the original value returned by the previous query.")
		}
	}
	b := batch{members: wanted[start:min(start+limit, len(wanted))]}
	if end := start + limit; end < len(wanted) {
		e := wanted[end]
		kind := "subcat"
		if e.file {
			kind = "file"
		}
		b.next = fmt.Sprintf("%s|%X|%d", kind, cutBytes(e.title, 24), e.pageID)
	}
	return b, nil
}

func namespace(e member) int {
	if e.file {
		return 6
	}
	return 14
}

// list is list=categorymembers.
func (m *Museum) list(q url.Values) object {
	b, problem := m.members(q, "cm")
	if problem != nil {
		return problem
	}
	rows := []object{}
	for _, e := range b.members {
		rows = append(rows, object{"pageid": e.pageID, "ns": namespace(e), "title": e.title})
	}
	out := object{"query": object{"categorymembers": rows}}
	if b.next == "" {
		out["batchcomplete"] = true
	} else {
		out["continue"] = object{"cmcontinue": b.next, "continue": "-||"}
	}
	return versioned(q, out)
}

// generate is generator=categorymembers with prop=imageinfo. As in
// MediaWiki, an answer may lack the imageinfo of some pages and then
// continues the same batch, by iicontinue beside gcmcontinue; batchcomplete
// says when a batch is whole.
func (m *Museum) generate(ctx context.Context, q url.Values) object {
	b, problem := m.members(q, "gcm")
	if problem != nil {
		return problem
	}
	out := object{}
	if len(b.members) == 0 {
		out["batchcomplete"] = true
		return versioned(q, out)
	}
	pages, rest := m.describe(ctx, q, b.members)
	out["query"] = object{"pages": pages}
	next := object{}
	switch {
	case rest != "":
		next["iicontinue"], next["continue"] = rest, "gcmcontinue||"
		if at := q.Get("gcmcontinue"); at != "" {
			next["gcmcontinue"] = at
		}
	case b.next != "":
		next["gcmcontinue"], next["continue"] = b.next, "gcmcontinue||"
		out["batchcomplete"] = true
	default:
		out["batchcomplete"] = true
	}
	if len(next) > 0 {
		out["continue"] = next
	}
	return versioned(q, out)
}

// named is titles=… or pageids=….
func (m *Museum) named(ctx context.Context, q url.Values) object {
	var members []member
	missing := []object{}
	all := make(map[string]member)
	for _, c := range m.categories {
		for _, e := range c.members {
			all[e.title], all[strconv.Itoa(e.pageID)] = e, e
		}
	}
	for _, name := range strings.Split(q.Get("titles")+q.Get("pageids"), "|") {
		if e, ok := all[strings.ReplaceAll(name, "_", " ")]; ok {
			members = append(members, e)
		} else {
			missing = append(missing, object{"title": name, "missing": true})
		}
	}
	pages, rest := m.describe(ctx, q, members)
	out := object{"query": object{"pages": append(pages, missing...)}}
	if rest == "" {
		out["batchcomplete"] = true
	} else {
		out["continue"] = object{"iicontinue": rest, "continue": "||"}
	}
	return versioned(q, out)
}

// versioned turns the answer into formatversion 1 where the request does
// not ask for 2: pages by id, and true as an empty string.
func versioned(q url.Values, out object) object {
	if q.Get("formatversion") == "2" {
		return out
	}
	if out["batchcomplete"] == true {
		out["batchcomplete"] = ""
	}
	query, ok := out["query"].(object)
	if !ok {
		return out
	}
	if pages, ok := query["pages"].([]object); ok {
		byID := object{}
		for i, p := range pages {
			if p["missing"] == true {
				p["missing"] = ""
				byID[strconv.Itoa(-1-i)] = p
				continue
			}
			byID[fmt.Sprint(p["pageid"])] = p
		}
		query["pages"] = byID
	}
	return out
}
