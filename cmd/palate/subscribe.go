package main

import (
	"context"
	"errors"
	"time"

	"github.com/palate-art/palate/internal/collection"
	"github.com/palate-art/palate/internal/show"
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

type addSubscription struct {
	Every time.Duration `help:"How often to look; less often while it brings nothing." default:"24h" placeholder:"DURATION"`

	beginCrawl `embed:""`
}

// Run adds a subscription, or changes the one of that name.
func (c *addSubscription) Run(ctx context.Context, s *session) error {
	if c.Input == collection.StandardInput {
		return usagef("a subscription can't read standard input again: write the list to a file and give --input its name")
	}
	job, err := c.plan()
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
	s.fills = true
	return s.withHome(ctx, func(h *collection.Collection) error {
		if err := h.Subscribe(ctx, job, c.Every); err != nil {
			return err
		}
		s.Say("Subscribed to %s, every %v. \"palate serve\" looks at it while it runs; \"palate subscribe check\" does so now.", job.Name, c.Every)
		return nil
	})
}

type listSubscriptions struct{}

// Run lists the subscriptions.
func (c *listSubscriptions) Run(ctx context.Context, s *session) error {
	return s.withHome(ctx, func(h *collection.Collection) error {
		all, err := h.Subscriptions(ctx)
		if err != nil {
			return err
		}
		return show.Subscriptions(s.Terminal, all)
	})
}

// changed does something to a subscription, and says so.
func (s *session) changed(ctx context.Context, name, done string, change func(*collection.Collection, context.Context, string) error) error {
	return s.withHome(ctx, func(h *collection.Collection) error {
		if err := change(h, ctx, name); err != nil {
			return err
		}
		s.Say(done, name)
		return nil
	})
}

// oneSubscription names one.
type oneSubscription struct {
	Name string `arg:"" help:"Name of the subscription."`
}

type pauseSubscription struct{ oneSubscription }

// Run pauses a subscription.
func (c *pauseSubscription) Run(ctx context.Context, s *session) error {
	return s.changed(ctx, c.Name, "Paused %s.", (*collection.Collection).PauseSubscription)
}

type resumeSubscription struct{ oneSubscription }

// Run makes a paused subscription due.
func (c *resumeSubscription) Run(ctx context.Context, s *session) error {
	return s.changed(ctx, c.Name, "%s is looked at again.", (*collection.Collection).ResumeSubscription)
}

type removeSubscription struct{ oneSubscription }

// Run removes a subscription.
func (c *removeSubscription) Run(ctx context.Context, s *session) error {
	return s.changed(ctx, c.Name, "Removed the subscription %s. Its pictures stay.", (*collection.Collection).Unsubscribe)
}

type checkSubscription struct{ oneSubscription }

// Run looks at one subscription, paused or not.
func (c *checkSubscription) Run(ctx context.Context, s *session) error {
	return s.withHome(ctx, func(h *collection.Collection) error {
		one, err := h.Subscription(ctx, c.Name)
		if err != nil {
			return err
		}
		report, err := h.LookAt(ctx, one, version())
		return errors.Join(err, show.Funnel(s.Terminal, report))
	})
}

type runSubscriptions struct{}

// Run looks at whatever is due.
func (c *runSubscriptions) Run(ctx context.Context, s *session) error {
	return s.withHome(ctx, func(h *collection.Collection) error {
		looks, err := h.LookAtDue(ctx, version())
		if s.JSON {
			return errors.Join(err, s.Print(map[string]any{"looks": looks}))
		}
		for _, l := range looks {
			s.Say("%s: %d new, %d known%s", l.Name, l.Kept, l.Known, l.Failure)
		}
		if len(looks) == 0 && err == nil {
			s.Say("No subscription is due.")
		}
		return err
	})
}
