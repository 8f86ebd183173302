package crawler

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/palate-art/palate"
)

// siteRule says how a site is crawled whose pages are of no use to a crawler
// but which publishes its pictures otherwise, or that it can't be crawled.
type siteRule struct {
	hosts []string // registrable domains or hosts; subdomains count
	// begin gives the addresses to read instead of a seed's. None and no error
	// leave the seed as it is.
	begin func(u *url.URL) ([]string, error)
}

// siteRules are asked in this order.
var siteRules = slices.Concat(photoSites, museumSites, closedSites)

// siteSeeds are the tasks of a seed on a site with a rule of its own.
func siteSeeds(address string) ([]Task, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, nil
	}
	for _, rule := range siteRules {
		if !rule.covers(u.Hostname()) {
			continue
		}
		addresses, err := rule.begin(u)
		if err != nil {
			return nil, fmt.Errorf("crawler: seed %s: %w: %w", address, err, palate.ErrInvalid)
		}
		var out []Task
		for _, a := range addresses {
			out = append(out, Task{Kind: Page, URL: a})
		}
		return out, nil
	}
	return nil, nil
}

func (r siteRule) covers(host string) bool {
	host = strings.ToLower(host)
	return slices.ContainsFunc(r.hosts, func(h string) bool { return host == h || strings.HasSuffix(host, "."+h) })
}

// segments are the parts of an address's path.
func segments(u *url.URL) []string {
	return strings.FieldsFunc(u.Path, func(r rune) bool { return r == '/' })
}

// closedSites show their pictures only to accounts, or by an API with a key.
var closedSites = []siteRule{
	closed("instagram.com"), closed("facebook.com"), closed("pinterest.com"), closed("x.com"), closed("twitter.com"), closed("pixiv.net"), closed("behance.net"), closed("500px.com"), closed("vk.com"),
}

func closed(host string) siteRule {
	return siteRule{hosts: []string{host}, begin: func(*url.URL) ([]string, error) {
		return nil, fmt.Errorf("%s shows its pictures only to accounts or by an API with a key, which palate does not use; give the addresses of the pictures in a list instead", host)
	}}
}
