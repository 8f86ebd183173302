package crawler

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/palate-art/palate/internal/picture"
)

// partial is a file as far as it has come.
type partial struct {
	content   bytes.Buffer
	total     int64  // as the site says; -1 is not known
	validator string // an ETag or a date that names this version; may be empty
	whole     bool   // the site does not go on in the middle
	ended     bool   // the site says that there is no more
}

// fetch downloads one address whole. Redirects lead where they lead; what
// comes is judged by validate.
func (r *run) fetch(ctx context.Context, address, referer string) (*partial, *failure) {
	p := &partial{total: -1}
	return p, r.goOn(ctx, p, address, referer)
}

// goOn fetches what is missing of a file. A body that breaks off is gone on
// with (RFC 9110, section 14) where the site allows, as long as that brings
// more.
func (r *run) goOn(ctx context.Context, p *partial, address, referer string) *failure {
	for tries := 0; ; tries++ {
		before := p.content.Len()
		failed := r.fetchInto(ctx, p, address, referer)
		switch {
		case failed == nil, failed.broken && r.isWhole(p.content.Bytes()): // it said that there was more
			return nil
		case failed.reason == "forbidden" && referer != "" && p.content.Len() == 0 && hostOf(referer) != hostOf(address) && ctx.Err() == nil:
			referer = "" // some hosts refuse whoever comes from another site
			continue
		case ctx.Err() != nil, !failed.broken, p.whole, p.content.Len() <= before, tries >= r.cfg.Retries:
			return failed
		}
		r.opts.Logger.Debug("goes on in the middle", "url", address, "have", p.content.Len(), "of", p.total)
	}
}

// fetchAgain asks for a file that came without its end: for the rest, where
// the site goes on in the middle, else for the whole. ended is that the site
// has no more than came.
func (r *run) fetchAgain(ctx context.Context, p *partial, address, referer string) (again *partial, ended bool, failed *failure) {
	if p.content.Len() > 0 && !p.whole {
		rest := &partial{total: p.total, validator: p.validator}
		rest.content.Write(p.content.Bytes())
		switch failed := r.goOn(ctx, rest, address, referer); {
		case failed == nil:
			return rest, rest.ended, nil
		case ctx.Err() != nil || !failed.changed:
			return nil, false, failed
		}
	}
	again, failed = r.fetch(ctx, address, referer)
	return again, false, failed
}

// isWhole reports a picture that has all its parts.
func (r *run) isWhole(content []byte) bool {
	_, state, err := picture.Inspect(content, r.cfg.Picture)
	return err == nil && state == picture.Whole
}

// fetchInto adds to what has come.
func (r *run) fetchInto(ctx context.Context, p *partial, address, referer string) *failure {
	ctx = withTraffic(ctx, traffic{media: true, maxBytes: r.cfg.Picture.MaxBytes, trusted: true})
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return lose("bad_address", "%v", err)
	}
	req.Header.Set("User-Agent", r.cfg.userAgent())
	// Kinds that can't be read are not asked for.
	req.Header.Set("Accept", "image/jpeg,image/png,image/webp,image/gif,image/tiff;q=0.8,image/*;q=0.5")
	setReferer(req, referer)
	have := int64(p.content.Len())
	if have > 0 {
		req.Header.Set("Range", "bytes="+strconv.FormatInt(have, 10)+"-")
		if p.validator != "" {
			req.Header.Set("If-Range", p.validator)
		}
	}
	resp, err := r.client.Do(req)
	if err != nil {
		return requestFailure(err)
	}
	defer func() { _ = resp.Body.Close() }()
	switch {
	case have > 0 && resp.StatusCode == http.StatusPartialContent && p.continues(resp.Header, have):
	case have > 0 && resp.StatusCode == http.StatusRequestedRangeNotSatisfiable && p.endsAt(resp.Header, have):
		p.ended = true
		return nil
	case have > 0 && (resp.StatusCode == http.StatusPartialContent || resp.StatusCode == http.StatusRequestedRangeNotSatisfiable):
		p.content.Reset()
		p.whole = true
		return &failure{reason: "cut_short", detail: "the file changed while it was fetched", passes: true, changed: true}
	default:
		if failed := statusFailure(resp.StatusCode, resp.Header, time.Now()); failed != nil {
			return failed
		}
		if r.cfg.withdrawn(resp.Header) {
			return lose("opted_out", "its X-Robots-Tag forbids to learn from it: %s", strings.Join(resp.Header.Values("X-Robots-Tag"), ", "))
		}
		p.begin(resp)
		p.whole = p.whole || have > 0
	}
	if _, err := io.Copy(&p.content, resp.Body); err != nil {
		failed := requestFailure(err)
		failed.broken = failed.passes && failed.held.IsZero()
		return failed
	}
	if int64(p.content.Len()) > r.cfg.Picture.MaxBytes {
		return requestFailure(fmt.Errorf("%d bytes, at most %d allowed: %w", p.content.Len(), r.cfg.Picture.MaxBytes, errTooLarge))
	}
	return nil
}

// setReferer names the page, which hotlink rules ask for; never to a
// connection that others can read if the page came by one that they can't.
func setReferer(req *http.Request, referer string) {
	if referer != "" && !(strings.HasPrefix(referer, "https:") && req.URL.Scheme == "http") {
		req.Header.Set("Referer", referer)
	}
}

// begin takes a whole answer.
func (p *partial) begin(resp *http.Response) {
	p.content.Reset()
	p.total, p.validator = resp.ContentLength, ""
	if p.total > 0 {
		p.content.Grow(int(p.total) + bytes.MinRead)
	}
	_, unpacked := resp.Body.(*unpackedBody)
	p.whole = unpacked || strings.EqualFold(resp.Header.Get("Accept-Ranges"), "none")
	if etag := resp.Header.Get("ETag"); etag != "" && !strings.HasPrefix(etag, "W/") {
		p.validator = etag
	} else if date := resp.Header.Get("Last-Modified"); date != "" && etag == "" {
		p.validator = date
	}
	if p.validator == "" && p.total < 0 {
		p.whole = true // nothing shows that the rest is of the same file
	}
}

// continues reports whether a partial answer is the rest of what has come.
func (p *partial) continues(header http.Header, have int64) bool {
	var from, to, total int64
	if n, err := fmt.Sscanf(header.Get("Content-Range"), "bytes %d-%d/%d", &from, &to, &total); err != nil || n != 3 {
		return false
	}
	return from == have && to == total-1 && (p.total < 0 || p.total == total)
}

// endsAt reports that a refusal of a range says that the file has ended.
func (p *partial) endsAt(header http.Header, have int64) bool {
	var total int64
	n, err := fmt.Sscanf(header.Get("Content-Range"), "bytes */%d", &total)
	return err == nil && n == 1 && total == have && (p.total < 0 || p.total == have)
}
