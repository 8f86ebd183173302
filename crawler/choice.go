package crawler

import (
	"cmp"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/palate-art/palate"
)

// choice is which of the addresses and pictures that a crawl meets it takes.
// What it leaves is counted as lost, like anything else.
type choice struct {
	include, exclude []*regexp.Regexp
	filters          []condition
	from, to         int // of the candidates, in the order in which they are met; to 0 is no end
}

// newChoice compiles what a configuration says. Its error is
// palate.ErrInvalid and names all that is wrong.
func newChoice(cfg Config) (*choice, error) {
	var problems []string
	compile := func(what string, texts []string) (out []*regexp.Regexp) {
		for _, text := range texts {
			re, err := regexp.Compile(text)
			if err != nil {
				problems = append(problems, fmt.Sprintf("%s %q is no regular expression: %v", what, text, err))
				continue
			}
			out = append(out, re)
		}
		return out
	}
	c := &choice{include: compile("include", cfg.Include), exclude: compile("exclude", cfg.Exclude), from: 1}
	for _, text := range cfg.Filter {
		for part := range strings.SplitSeq(text, ",") {
			condition, err := parseCondition(part)
			if err != nil {
				problems = append(problems, err.Error())
				continue
			}
			c.filters = append(c.filters, condition)
		}
	}
	if cfg.Range != "" {
		var err error
		if c.from, c.to, err = parseRange(cfg.Range); err != nil {
			problems = append(problems, err.Error())
		}
	}
	if len(problems) > 0 {
		return nil, fmt.Errorf("crawler: %s: %w", strings.Join(problems, "; "), palate.ErrInvalid)
	}
	return c, nil
}

// parseRange reads "7", "3-9", "3-" and "-9".
func parseRange(text string) (from, to int, err error) {
	first, last, isRange := strings.Cut(strings.TrimSpace(text), "-")
	if !isRange {
		last = first
	}
	from = 1
	if first != "" {
		from, err = strconv.Atoi(strings.TrimSpace(first))
	}
	if err == nil && last != "" {
		to, err = strconv.Atoi(strings.TrimSpace(last))
	}
	if err != nil || from < 1 || to < 0 || last != "" && to < from || first == "" && last == "" {
		return 0, 0, fmt.Errorf("range %q is none like 1-100, 50- or 7", text)
	}
	return from, to, nil
}

// address says why an address is left; nil if it is taken. What a person
// named is always taken.
func (c *choice) address(task Task) *failure {
	if task.Depth == 0 && task.Referer == "" || task.Kind == API || task.Refused != "" {
		return nil
	}
	for _, re := range c.exclude {
		if re.MatchString(task.URL) {
			return lose("excluded", "its address matches %q", re)
		}
	}
	if task.Kind != Page || len(c.include) == 0 {
		return nil
	}
	for _, re := range c.include {
		if re.MatchString(task.URL) {
			return nil
		}
	}
	return lose("excluded", "its address matches nothing that is included")
}

// outside says that a candidate's number is not in the range.
func (c *choice) outside(number int) *failure {
	if number >= c.from && (c.to == 0 || number <= c.to) {
		return nil
	}
	return lose("out_of_range", "it is number %d of the candidates", number)
}

// condition is one part of a filter, such as "width>=1000".
type condition struct {
	text, field, operator, value string
	number                       float64 // of the value, for fields that are numbers
}

var (
	conditionForm = regexp.MustCompile(`^\s*([a-z]+)\s*(>=|<=|!=|!~|=|~|>|<)\s*(.*?)\s*$`)
	numberFields  = []string{"width", "height", "pixels", "bytes", "aspect", "year"}
	textFields    = []string{"type", "licence", "artist", "title", "site"}
)

func parseCondition(text string) (condition, error) {
	parts := conditionForm.FindStringSubmatch(text)
	if parts == nil {
		return condition{}, fmt.Errorf("filter %q is none like width>=1000, aspect<2, type=jpeg|png, licence~CC, artist!~Anon or year>=1800", text)
	}
	c := condition{text: strings.TrimSpace(text), field: parts[1], operator: parts[2], value: parts[3]}
	if c.field == "license" {
		c.field = "licence"
	}
	switch {
	case contains(numberFields, c.field):
		number, err := strconv.ParseFloat(c.value, 64)
		if err != nil || strings.Contains(c.operator, "~") {
			return c, fmt.Errorf("filter %q: %s is a number, compared by =, !=, <, <=, > or >=", text, c.field)
		}
		c.number = number
	case contains(textFields, c.field):
		if strings.ContainsAny(c.operator, "<>") || c.value == "" {
			return c, fmt.Errorf("filter %q: %s is a text, compared by =, !=, ~ (has) or !~ (has not)", text, c.field)
		}
	default:
		return c, fmt.Errorf("filter %q: there is no %q; there are %s and %s", text, c.field, strings.Join(numberFields, ", "), strings.Join(textFields, ", "))
	}
	return c, nil
}

func contains(list []string, s string) bool {
	for _, one := range list {
		if one == s {
			return true
		}
	}
	return false
}

// filtered says which condition a find does not meet; nil if it meets all. A
// value that is not known meets no condition. With early, the find is still
// to be fetched: only what is known already is asked.
func (c *choice) filtered(f Find, early bool) *failure {
	for _, one := range c.filters {
		if met, known := one.met(f); !met && (known || !early) {
			return lose("filtered", "it does not meet %s", one.text)
		}
	}
	return nil
}

func (c condition) met(f Find) (met, known bool) {
	number, isNumber := map[string]float64{
		"width": float64(f.Width), "height": float64(f.Height), "pixels": float64(f.Width) * float64(f.Height),
		"bytes": float64(len(f.Content)), "aspect": float64(f.Width) / float64(max(f.Height, 1)), "year": float64(f.Source.Year),
	}[c.field]
	if isNumber {
		if number == 0 {
			return false, false
		}
		order := cmp.Compare(number, c.number)
		return map[string]bool{"=": order == 0, "!=": order != 0, "<": order < 0, "<=": order <= 0, ">": order > 0, ">=": order >= 0}[c.operator], true
	}
	text := map[string]string{
		"type": f.Format, "licence": f.Source.Licence, "artist": f.Source.Artist, "title": f.Source.Title, "site": f.Source.Site,
	}[c.field]
	if text == "" {
		return false, false
	}
	text = strings.ToLower(text)
	found := false
	for value := range strings.SplitSeq(strings.ToLower(c.value), "|") {
		value = strings.TrimSpace(value)
		found = found || text == value || strings.Contains(c.operator, "~") && strings.Contains(text, value)
	}
	return found != strings.HasPrefix(c.operator, "!"), true
}

// numbers gives candidates their numbers, each one once.
type numbers struct {
	next int
	of   map[int64]int // by task
}

// number is called under the run's lock.
func (n *numbers) number(task Task) int {
	if known, ok := n.of[task.ID]; ok {
		return known
	}
	n.next++
	n.of[task.ID] = n.next
	return n.next
}
