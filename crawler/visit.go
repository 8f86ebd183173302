package crawler

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"runtime"
	"time"

	"github.com/palate-art/palate/internal/picture"
)

// refusedTask is a picture that is lost before it can be fetched.
func refusedTask(reason, address string) Task {
	return Task{Kind: Image, URL: address, Refused: reason}
}

// visitPicture fetches a candidate unless earlier runs have dealt with it.
// content is what its address gave, where that is known.
func (r *run) visitPicture(ctx context.Context, task Task, content []byte) (result, error) {
	if refused := r.unwanted(task); refused != nil {
		return result{failed: refused}, nil
	}
	addresses := append([]string{task.URL}, task.Alternatives...)
	if res, err := r.standing(ctx, addresses); err != nil || res != nil {
		if err != nil {
			return result{}, err
		}
		return *res, nil
	}
	if r.hasAll() {
		return result{failed: lose("picture_limit", "the crawl brings in at most %d pictures over all its rounds", r.cfg.MaxPictures)}, nil
	}
	if r.cfg.DryRun {
		return result{failed: r.wouldFetch(ctx, task, addresses)}, nil
	}
	var first *failure
	for i, address := range addresses {
		if i > 0 {
			content = nil
		}
		find, failed := r.fetchFind(ctx, task, address, content)
		if failed == nil {
			if failed = r.choice.filtered(find, false); failed != nil {
				return result{failed: failed}, nil
			}
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

// hasAll reports that all rounds of the crawl together have brought in as many
// pictures as they may.
func (r *run) hasAll() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.cfg.MaxPictures > 0 && !r.cfg.EachRound && r.added >= r.cfg.MaxPictures
}

// unwanted says why a candidate is left without being fetched.
func (r *run) unwanted(task Task) *failure {
	if r.cfg.Range != "" {
		if refused := r.choice.outside(r.number(task)); refused != nil {
			return refused
		}
	}
	return r.choice.filtered(Find{Source: task.Source}, true)
}

// wouldFetch tells of a candidate in a dry run, if robots.txt lets one of its
// addresses be asked for.
func (r *run) wouldFetch(ctx context.Context, task Task, addresses []string) *failure {
	if refused := r.disallowed(ctx, addresses); refused != nil {
		return refused
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.added++ // as the crawl itself would count it
	if r.opts.Found != nil {
		r.opts.Found(task)
	}
	return lose(ReasonDryRun, "%s", task.Source.Title)
}

// disallowed says that robots.txt forbids all addresses. One that can't be read
// now forbids nothing yet.
func (r *run) disallowed(ctx context.Context, addresses []string) *failure {
	if !r.cfg.RespectRobots {
		return nil
	}
	var first *failure
	for _, address := range addresses {
		u, err := url.Parse(address)
		if err != nil {
			return nil
		}
		if _, err = r.manners.robots.check(ctx, u); !errors.Is(err, errRobots) {
			return nil
		}
		if first == nil {
			first = requestFailure(err)
		}
	}
	return first
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
	if !r.cfg.EachRound {
		find.Most = r.cfg.MaxPictures
	}
	keeping, _, err := r.keeper.Keep(context.WithoutCancel(ctx), r.name, task, find)
	if err != nil {
		return result{}, fmt.Errorf("keep %s: %w", find.Source.Address, err)
	}
	res := result{done: true}
	switch keeping {
	case KeptNew:
		res.outcome.State = Kept
		if find.Damage != "" {
			res.outcome.Reason = ReasonDamaged
		}
	case KeptKnown:
		res.outcome.State = Known
	case KeptDuplicate, KeptDeleted, KeptTooMany:
		res.outcome = Outcome{State: Lost, Reason: string(keeping)}
	default:
		return result{}, fmt.Errorf("keep %s: unknown keeping %q", find.Source.Address, keeping)
	}
	return res, nil
}

// fetchFind downloads and validates the picture at one of the task's
// addresses.
func (r *run) fetchFind(ctx context.Context, task Task, address string, content []byte) (Find, *failure) {
	file := &partial{whole: true}
	if content == nil {
		var failed *failure
		if file, failed = r.fetch(ctx, address, task.Referer); failed != nil {
			return Find{}, failed
		}
	} else {
		file.content.Write(content)
	}
	r.mu.Lock()
	r.report.Fetched++
	r.mu.Unlock()
	content, info, decoded, failed := r.validate(ctx, task, address, file)
	if failed != nil {
		return Find{}, failed
	}
	source := task.Source.Clean(time.Now()) // before what is missing is filled in
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
	return Find{Content: content, Format: info.Format, Width: info.Width, Height: info.Height, Decoded: decoded, Damage: info.Damage, Source: source}, nil
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

// validate reads a file's header and structure up to its end. The pixels
// are decoded once in a picture's life, when it is embedded. What is missing
// of a file that is cut is fetched once more; cut again, it is kept as damaged
// if it can be shown. Names and types that came with it are not asked. decoded
// says that it had to be decoded, so that info tells of its damage.
func (r *run) validate(ctx context.Context, task Task, address string, file *partial) (content []byte, info picture.Info, decoded bool, failed *failure) {
	content = file.content.Bytes()
	info, state, failed := r.inspect(content)
	if failed != nil || state == picture.Whole {
		return content, info, false, failed
	}
	if state == picture.Cut {
		again, ended, failed := r.fetchAgain(ctx, file, address, task.Referer)
		if failed != nil && (r.mayPass(task, failed) || ctx.Err() != nil) {
			return nil, info, false, failed
		}
		if failed == nil && !ended {
			second, state, failed := r.inspect(again.content.Bytes())
			if failed == nil && state == picture.Whole {
				return again.content.Bytes(), second, false, nil
			}
			if again.content.Len() > len(content) {
				content = again.content.Bytes()
			}
		}
	}
	info, failed = r.decode(ctx, content)
	return content, info, failed == nil, failed
}

// inspect judges a file without decoding it.
func (r *run) inspect(content []byte) (picture.Info, picture.Completeness, *failure) {
	info, state, err := picture.Inspect(content, r.cfg.Picture)
	if err != nil {
		return info, state, lose(firstOf(picture.Reason(err), "broken"), "%v", err)
	}
	if info.Width < r.cfg.MinWidth || info.Height < r.cfg.MinHeight {
		return info, state, lose("too_small", "%d×%d, at least %d×%d wanted", info.Width, info.Height, r.cfg.MinWidth, r.cfg.MinHeight)
	}
	return info, state, nil
}

// decode tries a file whose structure does not tell whether it is whole.
func (r *run) decode(ctx context.Context, content []byte) (picture.Info, *failure) {
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
	return info, nil
}
