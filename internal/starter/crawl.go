package starter

import (
	"context"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/crawler"
	"github.com/palate-art/palate/internal/job"
)

// crawl holds the seeds to what may be visited. A name may still stand for an
// address inside: that is refused where it is dialled.
func (s *Starter) crawl(r Request) (work, error) {
	config := s.config.Crawler
	config.DistrustSeeds, config.AllowPrivate = true, false
	var limits Crawl
	if r.Crawl != nil {
		limits = *r.Crawl
	}
	if err := s.introduce(&config, limits.Contact); err != nil {
		return nil, err
	}
	var seeds []crawler.Seed
	for _, text := range r.Seeds {
		// A seed may be a page's title as well, such as "File:X" of a wiki.
		address := strings.TrimPrefix(strings.TrimSpace(text), "html:")
		if scheme, _, is := strings.Cut(address, "://"); is && !strings.EqualFold(scheme, "http") && !strings.EqualFold(scheme, "https") {
			return nil, notCrawled(address)
		}
		seed, err := crawler.ParseSeed(text)
		if err != nil {
			return nil, err
		}
		if err := visitable(seed, config.PrivateHosts); err != nil {
			return nil, err
		}
		seeds = append(seeds, seed)
	}
	if r.MaxPages > 0 {
		config.MaxPages = min(config.MaxPages, r.MaxPages)
	}
	if r.MaxPictures > 0 && (config.MaxPictures == 0 || r.MaxPictures < config.MaxPictures) {
		config.MaxPictures = r.MaxPictures
	}
	if r.MaxDepth != nil {
		config.MaxDepth = min(config.MaxDepth, *r.MaxDepth)
	}
	limits.apply(&config)
	if err := config.Validate(); err != nil {
		return nil, err
	}
	name := r.Name
	if name == "" {
		name = strings.Join(slices.Sorted(slices.Values(r.Seeds)), " ")
	}
	if limits.DryRun {
		return func(ctx context.Context, j *job.Job) (any, error) { return s.dryRun(ctx, j, r, name, config, seeds) }, nil
	}
	return func(ctx context.Context, j *job.Job) (any, error) {
		return s.parts.Steps.CrawlAs(ctx, j, name, config, seeds)
	}, nil
}

func notCrawled(address string) error {
	return fmt.Errorf("crawl %s: only http and https are crawled: %w", address, palate.ErrForbidden)
}

// visitable refuses an address that is plainly inside.
func visitable(seed crawler.Seed, private []string) error {
	for _, address := range []string{seed.URL, seed.Page} {
		if address == "" {
			continue
		}
		u, err := url.Parse(address)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" {
			return notCrawled(address)
		}
		host := strings.ToLower(u.Hostname())
		if slices.Contains(private, host) {
			continue
		}
		ip, err := netip.ParseAddr(host)
		if err == nil && !crawler.IsPublic(ip) || host == "localhost" || strings.HasSuffix(host, ".localhost") {
			return fmt.Errorf("crawl %s: %s is no public address; the operator opens one by palate serve --crawl-private: %w", address, host, palate.ErrForbidden)
		}
	}
	return nil
}
