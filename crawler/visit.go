package crawler

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"time"

	"github.com/palate-art/palate/internal/picture"
)

// refusedScheme begins the address of a candidate that is lost before it can
// be fetched, followed by the reason and its address. So it passes through
// the frontier like any other and is counted once a round.
const refusedScheme = "refused:"

func refusedTask(reason, address string) Task {
	return Task{Kind: Image, URL: refusedScheme + reason + ":" + address}
}

// visitPicture fetches a candidate unless earlier runs have dealt with it.
func (r *run) visitPicture(ctx context.Context, task Task) (result, error) {
	if refused, ok := strings.CutPrefix(task.URL, refusedScheme); ok {
		reason, address, _ := strings.Cut(refused, ":")
		return result{failed: lose(reason, "%s", address)}, nil
	}
	addresses := append([]string{task.URL}, task.Alternatives...)
	standings, err := r.keeper.Standing(ctx, addresses)
	if err != nil {
		return result{}, fmt.Errorf("standing of %s: %w", task.URL, err)
	}
	deleted := false
	for _, s := range standings {
		if s == StandingKept {
			return result{outcome: Outcome{State: Known}}, nil
		}
		deleted = deleted || s == StandingDeleted
	}
	if deleted {
		return result{failed: lose("deleted", "it was deleted from the collection with a reason")}, nil
	}
	var first *failure
	for _, address := range addresses {
		find, failed := r.fetchFind(ctx, task, address)
		if failed == nil {
			return r.keep(ctx, task, find)
		}
		if ctx.Err() != nil || r.mayPass(task, failed) {
			return result{failed: failed}, nil
		}
		if first == nil {
			first = failed
		}
	}
	return result{failed: first}, nil
}

// keep hands a valid picture over. It is not given up when the crawl is
// stopped meanwhile: it would have to be fetched again.
func (r *run) keep(ctx context.Context, task Task, find Find) (result, error) {
	keeping, _, err := r.keeper.Keep(context.WithoutCancel(ctx), r.name, task, find)
	if err != nil {
		return result{}, fmt.Errorf("keep %s: %w", find.Source.Address, err)
	}
	res := result{done: true}
	switch keeping {
	case KeptNew:
		res.outcome.State = Kept
	case KeptKnown:
		res.outcome.State = Known
	case KeptDuplicate, KeptDeleted:
		res.outcome = Outcome{State: Lost, Reason: string(keeping)}
	default:
		return result{}, fmt.Errorf("keep %s: unknown keeping %q", find.Source.Address, keeping)
	}
	return res, nil
}

// fetchFind downloads and validates the picture at one of the task's
// addresses.
func (r *run) fetchFind(ctx context.Context, task Task, address string) (Find, *failure) {
	content, failed := r.fetch(ctx, address, task.Referer)
	if failed != nil {
		return Find{}, failed
	}
	r.mu.Lock()
	r.report.Fetched++
	r.mu.Unlock()
	info, failed := r.validate(ctx, content)
	if failed != nil {
		return Find{}, failed
	}
	source := task.Source
	source.Address, source.RetrievedAt = address, time.Now().UTC()
	if source.Page == "" {
		source.Page = task.Referer
	}
	if source.Site == "" {
		source.Site = hostOf(firstOf(source.Page, address))
	}
	if source.OriginalName == "" {
		source.OriginalName = fileName(address)
	}
	return Find{Content: content, Format: info.Format, Width: info.Width, Height: info.Height, Source: source}, nil
}

func firstOf(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

// fetch downloads one address whole. Redirects lead where they lead; what
// comes is judged by validate.
func (r *run) fetch(ctx context.Context, address, referer string) ([]byte, *failure) {
	ctx = withTraffic(ctx, traffic{media: true, maxBytes: r.cfg.Picture.MaxBytes, trusted: true})
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, lose("bad_address", "%v", err)
	}
	req.Header.Set("User-Agent", r.cfg.userAgent())
	// Kinds that can't be read are not asked for.
	req.Header.Set("Accept", "image/jpeg,image/png,image/webp,image/gif,image/tiff;q=0.8,image/*;q=0.5")
	if referer != "" && !(strings.HasPrefix(referer, "https:") && req.URL.Scheme == "http") {
		req.Header.Set("Referer", referer) // hotlink rules ask for it
	}
	resp, err := r.client.Do(req)
	if err != nil {
		return nil, requestFailure(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if failed := statusFailure(resp.StatusCode, resp.Header, time.Now()); failed != nil {
		return nil, failed
	}
	var content bytes.Buffer
	if resp.ContentLength > 0 {
		content.Grow(int(resp.ContentLength) + bytes.MinRead)
	}
	if _, err := io.Copy(&content, resp.Body); err != nil {
		return nil, requestFailure(err)
	}
	return content.Bytes(), nil
}

// decoders is how many pictures are decoded at a time: each may take several
// bytes a pixel.
func decoders() int { return min(4, runtime.GOMAXPROCS(0)) }

// validate decodes the whole file: only that shows a truncated or broken
// one. Names and types that came with it are not asked.
func (r *run) validate(ctx context.Context, content []byte) (picture.Info, *failure) {
	select {
	case r.decoding <- struct{}{}:
		defer func() { <-r.decoding }()
	case <-ctx.Done():
		return picture.Info{}, requestFailure(context.Cause(ctx))
	}
	info, err := r.cfg.Decoding.Check(ctx, content, picture.Terms{Limits: r.cfg.Picture})
	if ctx.Err() != nil {
		return picture.Info{}, requestFailure(context.Cause(ctx))
	}
	if err != nil {
		return info, lose(firstOf(picture.Reason(err), "broken"), "%v", err)
	}
	if info.Width < r.cfg.MinWidth || info.Height < r.cfg.MinHeight {
		return info, lose("too_small", "%d×%d, at least %d×%d wanted", info.Width, info.Height, r.cfg.MinWidth, r.cfg.MinHeight)
	}
	return info, nil
}
