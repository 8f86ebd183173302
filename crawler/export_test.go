package crawler

import (
	"context"
	"net/url"
	"time"
)

// What only fuzzing reaches without a site around it.
var StripHTML = stripHTML

// SrcsetAddresses gives the addresses of a srcset attribute.
func SrcsetAddresses(text string) []string {
	var out []string
	for _, s := range parseSrcset(text) {
		out = append(out, s.address)
	}
	return out
}

// Canonical gives the one form of a reference in the page at base.
func Canonical(base *url.URL, reference string) (string, bool) {
	u, ok := resolve(base, reference)
	if !ok {
		return "", false
	}
	return canonical(u)
}

// ReadPage reads one document without fetching anything, and gives how many
// candidates it has.
func ReadPage(ctx context.Context, address string, body []byte) (int, error) {
	tasks, err := ReadTasks(ctx, address, body)
	n := 0
	for _, t := range tasks {
		if t.Kind == Image {
			n++
		}
	}
	return n, err
}

// ReadTasks reads one document and gives what it leads to.
func ReadTasks(ctx context.Context, address string, body []byte) ([]Task, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	cfg := DefaultConfig()
	cfg.AllowNoContact = true
	r := newRun(&Crawler{cfg: cfg}, "test", nil)
	d := document{at: u, body: body}
	for _, one := range readers {
		if one.recognises(d) {
			got, err := one.read(ctx, r, Task{Kind: Page, URL: address}, d)
			return got.found, err
		}
	}
	return nil, nil
}

// RobotsAllow reads a robots.txt for an agent and asks it about a path.
func RobotsAllow(text, agent, path string) (bool, time.Duration) {
	rules := parseRobots(text, agent)
	return rules.allows(path), rules.delay
}

// NormalEscapes is the form in which robots.txt and paths are compared.
var NormalEscapes = normalEscapes

// Unpack undoes an encoding within bounds.
var Unpack = unpack

// RefusePrivate judges an address that is dialled.
var RefusePrivate = refusePrivate

// SeedTasks gives the first tasks of a seed.
func SeedTasks(s Seed) ([]Task, error) { return tasks(DefaultConfig(), []Seed{s}) }
