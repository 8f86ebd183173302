package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/collection"
	"github.com/palate-art/palate/internal/terminal"
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
	return s.withHome(ctx, func(h *collection.Collection) error {
		subscription := catalog.Subscription{Name: job.Name, Settings: job.Settings, Every: c.Every, Next: time.Now()}
		if err := h.Catalog.PutSubscription(ctx, subscription); err != nil {
			return err
		}
		s.Say("Subscribed to %s, every %v. \"palate serve\" looks at it while it runs; \"palate subscribe check\" does so now.", job.Name, c.Every)
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
			last, next := "never", terminal.Minute(one.Next)
			if !one.Last.IsZero() {
				last = terminal.Minute(one.Last)
			}
			if one.Paused {
				next = "paused"
			}
			table = append(table, []string{terminal.Shorten(one.Name, 60), one.Every.String(), last, fmt.Sprint(one.Brought), next, terminal.Shorten(one.Failure, 80)})
		}
		if s.JSON {
			return s.Print(map[string]any{"subscriptions": rows})
		}
		if len(rows) == 0 {
			s.Say("There is no subscription yet: \"palate subscribe ADDRESS --every 24h\" makes one.")
			return nil
		}
		s.Table(table...)
		return nil
	})
}

// changeSubscription changes one by its name.
func (s *session) changeSubscription(ctx context.Context, name, done string, change func(*catalog.Subscription)) error {
	return s.withHome(ctx, func(h *collection.Collection) error {
		one, err := h.Subscription(ctx, name)
		if err != nil {
			return err
		}
		change(&one)
		if err := h.Catalog.PutSubscription(ctx, one); err != nil {
			return err
		}
		s.Say(done, name)
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
		if _, err := h.Subscription(ctx, c.Name); err != nil {
			return err
		}
		if err := h.Catalog.DeleteSubscription(ctx, c.Name); err != nil {
			return err
		}
		s.Say("Removed the subscription %s. Its pictures stay.", c.Name)
		return nil
	})
}

type checkSubscription struct {
	Name string `arg:"" help:"Name of the subscription."`
}

// Run looks at one subscription, paused or not.
func (c *checkSubscription) Run(ctx context.Context, s *session) error {
	return s.withHome(ctx, func(h *collection.Collection) error {
		one, err := h.Subscription(ctx, c.Name)
		if err != nil {
			return err
		}
		report, err := h.LookAt(ctx, one, version())
		return errors.Join(err, s.printFunnel(report))
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
