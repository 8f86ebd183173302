package collection

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/crawler"
	"github.com/palate-art/palate/internal/catalog"
)

// knownInARow is after how many known pictures in a row, with no new one
// between, a look at a subscription reads no further pages.
const knownInARow = 30

// How the time between two looks grows where they bring nothing: twice as
// long after each, from the third on, up to eight times.
const (
	quietBefore  = 2
	mostDoubling = 3
)

// NextLook is when a subscription is due again.
func NextLook(s catalog.Subscription, now time.Time) time.Time {
	return now.Add(s.Every << min(max(s.Quiet-quietBefore, 0), mostDoubling))
}

// Subscription finds one by its name.
func (c *Collection) Subscription(ctx context.Context, name string) (catalog.Subscription, error) {
	all, err := c.Catalog.ListSubscriptions(ctx)
	if err != nil {
		return catalog.Subscription{}, err
	}
	for _, one := range all {
		if one.Name == name {
			return one, nil
		}
	}
	return catalog.Subscription{}, fmt.Errorf("there is no subscription %q; \"palate subscribe list\" shows them: %w", name, palate.ErrNotFound)
}

// SubscriptionLook is what one look at a subscription came to.
type SubscriptionLook struct {
	Name    string `json:"name"`
	Kept    int    `json:"kept"`
	Known   int    `json:"known"`
	Failure string `json:"failure,omitempty"`
}

// LookAtDue looks at all subscriptions that are due, one after the other. A
// failure of one is kept with it and stops no other.
func (c *Collection) LookAtDue(ctx context.Context, version string) ([]SubscriptionLook, error) {
	return c.lookAtDue(ctx, version, SystemClock{})
}

func (c *Collection) lookAtDue(ctx context.Context, version string, clock Clock) ([]SubscriptionLook, error) {
	all, err := c.Catalog.ListSubscriptions(ctx)
	if err != nil {
		return nil, err
	}
	looks := []SubscriptionLook{}
	for _, one := range all {
		if one.Paused || one.Next.After(clock.Now()) {
			continue
		}
		report, err := c.lookAt(ctx, one, version, clock)
		if ctx.Err() != nil {
			return looks, context.Cause(ctx)
		}
		done := SubscriptionLook{Name: one.Name, Kept: report.Kept, Known: report.Known}
		if err != nil {
			done.Failure = "; " + err.Error()
		}
		looks = append(looks, done)
	}
	return looks, nil
}

// LookAt crawls a subscription once, up to what is known, and says when it is
// due again.
func (c *Collection) LookAt(ctx context.Context, one catalog.Subscription, version string) (crawler.Report, error) {
	return c.lookAt(ctx, one, version, SystemClock{})
}

func (c *Collection) lookAt(ctx context.Context, one catalog.Subscription, version string, clock Clock) (crawler.Report, error) {
	var begun CrawlSettings
	if err := json.Unmarshal([]byte(one.Settings), &begun); err != nil {
		return crawler.Report{}, fmt.Errorf("subscription %s: %w", one.Name, err)
	}
	begun.Name = one.Name
	job, err := begun.Plan(version)
	if err != nil {
		return crawler.Report{}, err
	}
	job.Config.StopAtKnown, job.Config.EachRound, job.Records, job.Alone = knownInARow, true, "", true
	report, err := c.Crawl(ctx, job)
	if ctx.Err() != nil || errors.Is(err, palate.ErrConflict) { // stopped, or another process is at it
		return report, err
	}
	one.Last, one.Brought, one.Failure = clock.Now(), report.Kept, ""
	one.Quiet++
	if report.Kept > 0 {
		one.Quiet = 0
	}
	if err != nil {
		one.Failure = err.Error()
	}
	one.Next = NextLook(one, one.Last)
	if report.Until.After(one.Next) {
		one.Next = report.Until
	}
	return report, errors.Join(err, c.Catalog.PutSubscription(context.WithoutCancel(ctx), one))
}

// lookEvery is how often a server asks which subscriptions are due.
const lookEvery = time.Minute

// keepSubscribed looks at subscriptions when they are due, while a server
// runs; what comes is embedded like anything new.
func (c *Collection) keepSubscribed(ctx context.Context, version string, clock Clock) error {
	for {
		looks, err := c.lookAtDue(ctx, version, clock)
		if err != nil && ctx.Err() == nil {
			c.logger.ErrorContext(ctx, "subscriptions could not be looked at; trying on", "error", err)
		}
		for _, l := range looks {
			c.logger.InfoContext(ctx, "looked at a subscription", "name", l.Name, "kept", l.Kept, "known", l.Known, "failure", l.Failure)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-clock.After(lookEvery):
		}
	}
}

// SubscriptionEntry is a subscription and what came of it.
type SubscriptionEntry struct {
	Name    string    `json:"name"`
	Every   string    `json:"every"`
	Paused  bool      `json:"paused"`
	Next    time.Time `json:"next"`
	Last    time.Time `json:"last,omitzero"`
	Brought int       `json:"brought"`
	Failure string    `json:"failure,omitempty"`
}

// Subscriptions lists them.
func (c *Collection) Subscriptions(ctx context.Context) ([]SubscriptionEntry, error) {
	all, err := c.Catalog.ListSubscriptions(ctx)
	entries := make([]SubscriptionEntry, len(all))
	for i, one := range all {
		entries[i] = SubscriptionEntry{one.Name, one.Every.String(), one.Paused, one.Next, one.Last, one.Brought, one.Failure}
	}
	return entries, err
}

// Subscribe looks at a crawl's addresses again and again, from now on; a
// subscription of that name is changed. The crawl is planned by CrawlSettings, of
// which neither headers nor a list from standard input can be kept.
func (c *Collection) Subscribe(ctx context.Context, job Crawl, every time.Duration) error {
	return c.Catalog.PutSubscription(ctx, catalog.Subscription{Name: job.Name, Settings: job.Settings, Every: every, Next: time.Now()})
}

// PauseSubscription looks at a subscription no more, until it is resumed.
func (c *Collection) PauseSubscription(ctx context.Context, name string) error {
	return c.changeSubscription(ctx, name, func(one *catalog.Subscription) { one.Paused = true })
}

// ResumeSubscription makes a paused subscription due.
func (c *Collection) ResumeSubscription(ctx context.Context, name string) error {
	return c.changeSubscription(ctx, name, func(one *catalog.Subscription) { one.Paused, one.Quiet, one.Next = false, 0, time.Now() })
}

func (c *Collection) changeSubscription(ctx context.Context, name string, change func(*catalog.Subscription)) error {
	one, err := c.Subscription(ctx, name)
	if err != nil {
		return err
	}
	change(&one)
	return c.Catalog.PutSubscription(ctx, one)
}

// Unsubscribe removes a subscription; its pictures stay.
func (c *Collection) Unsubscribe(ctx context.Context, name string) error {
	if _, err := c.Subscription(ctx, name); err != nil {
		return err
	}
	return c.Catalog.DeleteSubscription(ctx, name)
}
