package crawler

import (
	"regexp"
	"slices"
	"strings"
)

// Answers of programs name the sizes of one picture by keys of their own:
// file_url, sample_url and preview_url, or a list of variants.

var (
	// roleKeys say which size of its object's picture an address is of.
	roleKeys = regexp.MustCompile(`(?i)^(?:o:)?(?:(?:file|sample|preview|jpeg|jpg|original|orig|full(?:size)?|large|medium|small|thumb(?:nail)?|square|display|image|img|photo|native|source|high_?res|low_?res|big|tiny|regular|raw|actual|edm)_?)*(?:urls?|src|uri|href|image|thumb(?:nail)?|native|details|asset|by|preview)$`)
	// variantKeys hold the sizes of one picture, each with its address.
	variantKeys = regexp.MustCompile(`(?i)^(?:variants|resolutions|renditions|derivatives|formats|media_asset|media_details)$`)
	// recordKeys name the files of a record, which is asked for them.
	recordKeys = regexp.MustCompile(`(?i)^(?:o:)?(?:files?|media|images?|primary_media)$`)
	fileKeys   = regexp.MustCompile(`(?i)^(?:original_?)?(?:file|name|file_?name|basename|key)$`)
)

func rankOfKey(key string) int {
	if fileKeys.MatchString(key) {
		return 1
	}
	return 0
}

// isObjects reports an object, or a list of nothing else.
func isObjects(v any) bool {
	switch v := v.(type) {
	case map[string]any:
		return true
	case []any:
		return !slices.ContainsFunc(v, func(item any) bool { _, ok := item.(map[string]any); return !ok })
	}
	return false
}

// oneOf makes one picture of those that were just found: the one that was filed
// first, which others may have hold of.
func (r *jsonReader) oneOf(found []*jsonPicture) []*jsonPicture {
	if len(found) < 2 {
		return found
	}
	first := found[0]
	for _, g := range found {
		if g.filed < first.filed {
			first = g
		}
	}
	for _, g := range found {
		r.merge(first, g)
	}
	return []*jsonPicture{first}
}

// merge takes a picture for further sizes of another.
func (r *jsonReader) merge(into, from *jsonPicture) {
	if into == from {
		return
	}
	if len(into.sizes) < 8*maxAlternatives {
		into.sizes = append(into.sizes, from.sizes...)
	}
	for _, s := range from.sizes {
		r.byStrict[imprintOf(s.address).strict] = into
	}
	for i := len(r.found) - 1; i >= 0; i-- {
		if r.found[i] == from {
			r.found = slices.Delete(r.found, i, i+1)
			return
		}
	}
}

// nameWidth takes the width that stands beside an address under its key's
// name: sample_width beside sample_url.
func (r *jsonReader) nameWidth(v map[string]any, key string, g *jsonPicture) {
	if len(g.sizes) != 1 || g.sizes[0].width > 0 {
		return
	}
	role := strings.TrimRight(strings.TrimSuffix(strings.TrimSuffix(strings.ToLower(key), "url"), "file_"), "_")
	width := number(v[role+"_width"])
	if role == "" || role == "file" || strings.HasPrefix(role, "orig") {
		width = max(width, number(v["width"]), number(v["image_width"]))
	}
	if width > 0 && width <= 1<<15 {
		g.sizes[0].width = width
	}
}

// jsonRecord is an object whose files another answer names.
type jsonRecord struct {
	reference string
	pictures  []*jsonPicture // its smaller ones, that it shows itself
}

const maxRecords = 2000

// noteRecord keeps where the one file of an object is described.
func (r *jsonReader) noteRecord(v map[string]any, pictures []*jsonPicture) {
	if len(pictures) > 1 || len(r.records) >= maxRecords {
		return
	}
	var references []string
	for k, value := range v {
		if !recordKeys.MatchString(k) {
			continue
		}
		items, _ := value.([]any)
		if items == nil {
			items = []any{value}
		}
		for _, item := range items {
			object, _ := item.(map[string]any)
			for _, name := range []string{"@id", "url", "href"} {
				if text, ok := object[name].(string); ok && isReference(text) && len(object) <= 4 {
					references = append(references, text)
					break
				}
			}
		}
	}
	slices.Sort(references)
	for _, reference := range slices.Compact(references) {
		r.records = append(r.records, jsonRecord{reference, pictures})
		pictures = nil // the first has them
	}
}

// ask leaves the pictures of a list to the answers that describe them, where
// those are of the same site, and gives the tasks that ask for them.
func (r *jsonReader) ask() []Task {
	p := r.page
	var out []Task
	for _, record := range r.records {
		u, ok := resolve(p.base, record.reference)
		if !ok || looksLikePicture(u) || looksLikeOtherFile(u) || !p.run.sameSite(p.at.Hostname(), u.Hostname()) || p.task.Depth >= p.run.cfg.MaxDepth {
			continue
		}
		address, ok := canonical(u)
		if !ok || address == p.self {
			continue
		}
		t := Task{Kind: Page, URL: address, Referer: p.self, Depth: p.task.Depth + 1}
		for _, g := range record.pictures {
			i := slices.Index(r.found, g)
			c := p.newCandidate(g.sizes, g.source)
			if i < 0 || c == nil {
				continue
			}
			r.found = slices.Delete(r.found, i, i+1)
			t.Leads = append(t.Leads, Lead{
				Addresses: append([]string{c.task.URL}, c.task.Alternatives...), Around: true, Width: c.width,
				Caption: c.task.Source.Title, Source: c.task.Source, Depth: p.task.Depth,
			})
		}
		p.run.trail.offer(address)
		out = append(out, t)
	}
	return out
}
