package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/crawler"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/collection"
)

type subscribeCommand struct {
	Add    addSubscription    `cmd:"" default:"withargs" help:"Look at addresses again and again (this is what \"palate subscribe ADDRESS\" does)."`
	List   listSubscriptions  `cmd:"" help:"The subscriptions, when each was last looked at, and what that brought."`
	Pause  pauseSubscription  `cmd:"" help:"Look at a subscription no more, until it is resumed."`
	Resume resumeSubscription `cmd:"" help:"Look at a paused subscription again."`
	Check  checkSubscription  `cmd:"" help:"Look at a subscription now."`
	Remove removeSubscription `cmd:"" help:"Remove a subscription; its pictures stay."`
	Run    runSubscriptions   `cmd:"" help:"Look at all that are due, then end: for cron, where no server runs. \"palate embed\" afterwards embeds what came."`
}

// knownInARow is after how many known pictures in a row, with no new one
// between, a look at a subscription reads no further pages.
const knownInARow = 30

// How the time between two looks grows where they bring nothing: twice as
// long after each, from the third on, up to eight times.
const (
	quietBefore  = 2
	mostDoubling = 3
)

// nextLook is when a subscription is due again.
func nextLook(s catalog.Subscription, now time.Time) time.Time {
	return now.Add(s.Every << min(max(s.Quiet-quietBefore, 0), mostDoubling))
}

type addSubscription struct {
	Every time.Duration `help:"How often to look; less often while it brings nothing." default:"24h" placeholder:"DURATION"`

	beginCrawl `embed:""`
}

// Run adds a subscription, or changes the one of that name.
func (c *addSubscription) Run(ctx context.Context, s *session) error {
	job, err := c.job()
	switch {
	case err != nil:
		return err
	case c.Every < time.Minute:
		return usagef("--every %v is too often: a minute at least", c.Every)
	case c.DryRun:
		return usagef("--dry-run goes with \"palate crawl\"")
	case len(c.Header) > 0:
		return usagef("--header is not kept with a subscription; give cookies by --cookies FILE")
	}
	return s.withHome(ctx, func(h *collection.Collection) error {
		subscription := catalog.Subscription{Name: job.name, Settings: job.settings, Every: c.Every, Next: time.Now()}
		if err := h.Catalog.PutSubscription(ctx, subscription); err != nil {
			return err
		}
		s.say("Subscribed to %s, every %v. \"palate serve\" looks at it while it runs; \"palate subscribe check\" does so now.", job.name, c.Every)
		return nil
	})
}

type subscriptionRow struct {
	Name    string    `json:"name"`
	Every   string    `json:"every"`
	Paused  bool      `json:"paused"`
	Next    time.Time `json:"next"`
	Last    time.Time `json:"last,omitzero"`
	Brought int       `json:"brought"`
	Failure string    `json:"failure,omitempty"`
}

type listSubscriptions struct{}

// Run lists the subscriptions.
func (c *listSubscriptions) Run(ctx context.Context, s *session) error {
	return s.withHome(ctx, func(h *collection.Collection) error {
		all, err := h.Catalog.ListSubscriptions(ctx)
		if err != nil {
			return err
		}
		rows := []subscriptionRow{}
		table := [][]string{{"NAME", "EVERY", "LAST", "BROUGHT", "NEXT", ""}}
		for _, one := range all {
			rows = append(rows, subscriptionRow{one.Name, one.Every.String(), one.Paused, one.Next, one.Last, one.Brought, one.Failure})
			last, next := "never", one.Next.Local().Format("2006-01-02 15:04")
			if !one.Last.IsZero() {
				last = one.Last.Local().Format("2006-01-02 15:04")
			}
			if one.Paused {
				next = "paused"
			}
			table = append(table, []string{shorten(one.Name, 60), one.Every.String(), last, fmt.Sprint(one.Brought), next, shorten(one.Failure, 80)})
		}
		if s.JSON {
			return s.print(map[string]any{"subscriptions": rows})
		}
		if len(rows) == 0 {
			s.say("There is no subscription yet: \"palate subscribe ADDRESS --every 24h\" makes one.")
			return nil
		}
		s.table(table...)
		return nil
	})
}

// subscription finds one by its name.
func subscriptionNamed(ctx context.Context, h *collection.Collection, name string) (catalog.Subscription, error) {
	all, err := h.Catalog.ListSubscriptions(ctx)
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

// changeSubscription changes one by its name.
func (s *session) changeSubscription(ctx context.Context, name, done string, change func(*catalog.Subscription)) error {
	return s.withHome(ctx, func(h *collection.Collection) error {
		one, err := subscriptionNamed(ctx, h, name)
		if err != nil {
			return err
		}
		change(&one)
		if err := h.Catalog.PutSubscription(ctx, one); err != nil {
			return err
		}
		s.say(done, name)
		return nil
	})
}

type pauseSubscription struct {
	Name string `arg:"" help:"Name of the subscription."`
}

// Run pauses a subscription.
func (c *pauseSubscription) Run(ctx context.Context, s *session) error {
	return s.changeSubscription(ctx, c.Name, "Paused %s.", func(one *catalog.Subscription) { one.Paused = true })
}

type resumeSubscription struct {
	Name string `arg:"" help:"Name of the subscription."`
}

// Run makes a paused subscription due.
func (c *resumeSubscription) Run(ctx context.Context, s *session) error {
	return s.changeSubscription(ctx, c.Name, "%s is looked at again.", func(one *catalog.Subscription) {
		one.Paused, one.Quiet, one.Next = false, 0, time.Now()
	})
}

type removeSubscription struct {
	Name string `arg:"" help:"Name of the subscription."`
}

// Run removes a subscription.
func (c *removeSubscription) Run(ctx context.Context, s *session) error {
	return s.withHome(ctx, func(h *collection.Collection) error {
		if _, err := subscriptionNamed(ctx, h, c.Name); err != nil {
			return err
		}
		if err := h.Catalog.DeleteSubscription(ctx, c.Name); err != nil {
			return err
		}
		s.say("Removed the subscription %s. Its pictures stay.", c.Name)
		return nil
	})
}

type checkSubscription struct {
	Name string `arg:"" help:"Name of the subscription."`
}

// Run looks at one subscription, paused or not.
func (c *checkSubscription) Run(ctx context.Context, s *session) error {
	return s.withHome(ctx, func(h *collection.Collection) error {
		one, err := subscriptionNamed(ctx, h, c.Name)
		if err != nil {
			return err
		}
		report, err := s.lookAt(ctx, h, one)
		return errors.Join(err, s.printFunnel(report))
	})
}

type runSubscriptions struct{}

// Run looks at whatever is due.
func (c *runSubscriptions) Run(ctx context.Context, s *session) error {
	return s.withHome(ctx, func(h *collection.Collection) error {
		looks, err := s.lookAtDue(ctx, h)
		if s.JSON {
			return errors.Join(err, s.print(map[string]any{"looks": looks}))
		}
		for _, l := range looks {
			s.say("%s: %d new, %d known%s", l.Name, l.Kept, l.Known, l.Failure)
		}
		if len(looks) == 0 && err == nil {
			s.say("No subscription is due.")
		}
		return err
	})
}

// subscriptionLook is what one look at a subscription came to.
type subscriptionLook struct {
	Name    string `json:"name"`
	Kept    int    `json:"kept"`
	Known   int    `json:"known"`
	Failure string `json:"failure,omitempty"`
}

// lookAtDue looks at all subscriptions that are due, one after the other. A
// failure of one is kept with it and stops no other.
func (s *session) lookAtDue(ctx context.Context, h *collection.Collection) ([]subscriptionLook, error) {
	all, err := h.Catalog.ListSubscriptions(ctx)
	if err != nil {
		return nil, err
	}
	looks := []subscriptionLook{}
	for _, one := range all {
		if one.Paused || one.Next.After(time.Now()) {
			continue
		}
		report, err := s.lookAt(ctx, h, one)
		if ctx.Err() != nil {
			return looks, context.Cause(ctx)
		}
		done := subscriptionLook{Name: one.Name, Kept: report.Kept, Known: report.Known}
		if err != nil {
			done.Failure = "; " + err.Error()
		}
		looks = append(looks, done)
	}
	return looks, nil
}

// lookAt crawls a subscription once, up to what is known, and says when it is
// due again.
func (s *session) lookAt(ctx context.Context, h *collection.Collection, one catalog.Subscription) (crawler.Report, error) {
	var begun beginCrawl
	if err := json.Unmarshal([]byte(one.Settings), &begun); err != nil {
		return crawler.Report{}, fmt.Errorf("subscription %s: %w", one.Name, err)
	}
	begun.Name = one.Name
	job, err := begun.job()
	if err != nil {
		return crawler.Report{}, err
	}
	job.config.StopAtKnown = knownInARow
	report, err := s.crawl(ctx, h, job)
	if ctx.Err() != nil || errors.Is(err, palate.ErrConflict) { // stopped, or another process is at it
		return report, err
	}
	one.Last, one.Brought, one.Failure = time.Now(), report.Kept, ""
	one.Quiet++
	if report.Kept > 0 {
		one.Quiet = 0
	}
	if err != nil {
		one.Failure = err.Error()
	}
	one.Next = nextLook(one, one.Last)
	if report.Until.After(one.Next) {
		one.Next = report.Until
	}
	return report, errors.Join(err, h.Catalog.PutSubscription(context.WithoutCancel(ctx), one))
}

// lookEvery is how often a server asks which subscriptions are due.
const lookEvery = time.Minute

// keepSubscribed looks at subscriptions when they are due, while a server
// runs; what comes is embedded like anything new.
func (s *session) keepSubscribed(ctx context.Context, h *collection.Collection) error {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		looks, err := s.lookAtDue(ctx, h)
		if err != nil && ctx.Err() == nil {
			s.logger.ErrorContext(ctx, "subscriptions could not be looked at; trying on", "error", err)
		}
		for _, l := range looks {
			s.logger.InfoContext(ctx, "looked at a subscription", "name", l.Name, "kept", l.Kept, "known", l.Known, "failure", l.Failure)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}
