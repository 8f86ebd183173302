package crawler

import (
	"bytes"
	"context"
	"fmt"
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
// content is what its address gave, where that is known.
func (r *run) visitPicture(ctx context.Context, task Task, content []byte) (result, error) {
	if refused, ok := strings.CutPrefix(task.URL, refusedScheme); ok {
		reason, address, _ := strings.Cut(refused, ":")
		return result{failed: lose(reason, "%s", address)}, nil
	}
	addresses := append([]string{task.URL}, task.Alternatives...)
	if res, err := r.standing(ctx, addresses); err != nil || res != nil {
		if err != nil {
			return result{}, err
		}
		return *res, nil
	}
	var first *failure
	for i, address := range addresses {
		if i > 0 {
			content = nil
		}
		find, failed := r.fetchFind(ctx, task, address, content)
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

// standing is what earlier runs made of a picture; nil if nothing.
func (r *run) standing(ctx context.Context, addresses []string) (*result, error) {
	keys := make([]string, len(addresses))
	for i, a := range addresses {
		keys[i] = visitKey(a)
	}
	standings, err := r.keeper.Standing(ctx, keys)
	if err != nil {
		return nil, fmt.Errorf("standing of %s: %w", addresses[0], err)
	}
	deleted := false
	for _, s := range standings {
		if s == StandingKept {
			return &result{outcome: Outcome{State: Known}, picture: true}, nil
		}
		deleted = deleted || s == StandingDeleted
	}
	if deleted {
		return &result{failed: lose("deleted", "it was deleted from the collection with a reason"), picture: true}, nil
	}
	return nil, nil
}

// pageIsPicture deals with an address that did not show that it is a
// picture's: what has come of it is the picture. It is fetched once, and not
// again by a later crawl.
func (r *run) pageIsPicture(ctx context.Context, task Task, content []byte) (result, error) {
	task.Kind = Image
	refused, err := r.enter(ctx, task)
	switch {
	case err != nil:
		return result{}, err
	case refused != nil:
		return result{failed: refused, picture: true}, nil
	}
	defer r.leave(task)
	res, err := r.visitPicture(ctx, task, content)
	res.picture = true
	return res, err
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
func (r *run) fetchFind(ctx context.Context, task Task, address string, content []byte) (Find, *failure) {
	if content == nil {
		var failed *failure
		if content, failed = r.fetch(ctx, address, task.Referer); failed != nil {
			return Find{}, failed
		}
	}
	r.mu.Lock()
	r.report.Fetched++
	r.mu.Unlock()
	info, failed := r.validate(ctx, content)
	if failed != nil {
		return Find{}, failed
	}
	source := task.Source
	// A session ends; what is left of the address names the picture.
	source.Address, source.RetrievedAt = visitKey(address), time.Now().UTC()
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
	_, info, err := picture.Decode(bytes.NewReader(content), r.cfg.Picture)
	if err != nil {
		return info, lose(firstOf(picture.Reason(err), "broken"), "%v", err)
	}
	if info.Width < r.cfg.MinWidth || info.Height < r.cfg.MinHeight {
		return info, lose("too_small", "%d×%d, at least %d×%d wanted", info.Width, info.Height, r.cfg.MinWidth, r.cfg.MinHeight)
	}
	return info, nil
}
