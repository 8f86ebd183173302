package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/crawler"
	"github.com/palate-art/palate/internal/collection"
	"github.com/palate-art/palate/internal/museum"
	"github.com/palate-art/palate/internal/settings"
)

// The visitor of the demo.
const (
	likedStyles   = 3
	flipRate      = .08
	neighbourRank = 10
	topRank       = 10
)

type demoCommand struct {
	Once     bool   `help:"End after the report instead of serving the page."`
	Seed     int64  `help:"Draws the visitor's taste and ratings." default:"1"`
	Pictures int    `help:"Pictures in the museum." default:"420"`
	Ratings  int    `help:"Pictures that the visitor rates." default:"120"`
	Keep     bool   `help:"Use and keep the collection in --data, instead of a temporary one."`
	Addr     string `help:"Address to serve at." default:"127.0.0.1:${port}"`

	Host []string `help:"Further host name that requests may name, as for serve." placeholder:"NAME"`
}

// demoReport is what the demo found. Its keys are promised to programs.
type demoReport struct {
	crawler.Report             // the funnel: pages, candidates, fetched, kept, known, lost
	Images         int         `json:"images"`
	Embedded       int         `json:"embedded"`
	Indexed        int         `json:"indexed"`
	Model          string      `json:"model"`
	ModelID        string      `json:"model_id"`
	Provider       string      `json:"provider"`
	ImagesPerSec   float64     `json:"images_per_second"`
	Liked          []string    `json:"liked_styles"`
	Ratings        demoRatings `json:"ratings"`
	Probe          demoProbe   `json:"probe"`
	Neighbors      struct {
		PrecisionAt10 float64 `json:"precision_at_10"`
	} `json:"neighbors"`
	Top     []demoTop          `json:"top"`
	Stages  map[string]float64 `json:"stage_seconds"`
	Seconds float64            `json:"seconds"`
	stages  []stage
	visitor *museum.Visitor
}

type demoRatings struct {
	Likes    int `json:"likes"`
	Dislikes int `json:"dislikes"`
	Flipped  int `json:"flipped"`
}

// demoProbe tells how well the probe does: AUC, AUCLow, AUCHigh and
// AveragePrecision on the pictures never rated, against the true taste; the
// others by cross-validation on the ratings.
type demoProbe struct {
	AUC              float64 `json:"auc"`
	AUCLow           float64 `json:"auc_low"`
	AUCHigh          float64 `json:"auc_high"`
	AveragePrecision float64 `json:"average_precision"`
	CVAUC            float64 `json:"cv_auc"`
	CVAUCLow         float64 `json:"cv_auc_low"`
	CVAUCHigh        float64 `json:"cv_auc_high"`
	BalancedAccuracy float64 `json:"balanced_accuracy"`
	NeverRated       int     `json:"never_rated"`
}

type demoTop struct {
	ID          string  `json:"id"`
	Title       string  `json:"title"`
	Artist      string  `json:"artist"`
	Style       string  `json:"style"`
	Likes       bool    `json:"visitor_likes"`
	Probability float64 `json:"probability"`
	Rated       bool    `json:"rated"`
}

type stage struct {
	name    string
	seconds float64
}

// demo is a demo under way.
type demo struct {
	*demoCommand
	session *session
	home    *collection.Collection
	model   *collection.Model // once it is open
	closers []func() error    // in the order of opening
	museum  *museum.Museum
	styles  map[palate.ImageID]string
	report  demoReport
}

// Run does the whole job on the museum.
func (c *demoCommand) Run(ctx context.Context, s *session) error {
	profile, err := s.profile()
	if err != nil {
		return err
	}
	var listener net.Listener
	if !c.Once { // a port in use is told before the work, not after it
		if listener, err = net.Listen("tcp", c.Addr); err != nil {
			return err
		}
		defer listener.Close()
		if _, err := hostsFor(listener.Addr(), c.Host); err != nil {
			return err
		}
	}
	if !c.Keep {
		if s.Data != settings.DataFolder() {
			s.Notef("Note: the demo's collection goes when it ends; --keep puts it into %s.", s.Data)
		}
		folder, err := os.MkdirTemp("", "palate-demo-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(folder)
		s.Data, s.temporary = folder, true
	}
	h, err := openHome(ctx, s)
	if err != nil {
		return err
	}
	defer h.Close()
	d := &demo{demoCommand: c, session: s, home: h}
	defer d.close()
	if err := d.do(ctx, profile); err != nil {
		return err
	}
	if s.JSON {
		err = s.Print(d.report)
	} else {
		d.print()
	}
	if err != nil || c.Once {
		return err
	}
	return s.serve(ctx, d.model, listener, serveOptions{hosts: c.Host})
}

func (d *demo) close() {
	for i := len(d.closers) - 1; i >= 0; i-- {
		_ = d.closers[i]() // it goes with the program
	}
}

func (d *demo) openModel(ctx context.Context) (err error) {
	if d.model, err = d.home.OpenModelToEmbed(ctx); err == nil {
		d.closers = append(d.closers, d.model.Close)
	}
	return err
}

// do runs the stages one after another and times them.
func (d *demo) do(ctx context.Context, profile palate.Profile) error {
	begun := time.Now()
	for _, stage := range []struct {
		name string
		do   func(context.Context) error
	}{
		{"runtime and model", d.openModel},
		{"museum", d.openMuseum},
		{"crawl", d.crawl},
		{"embed", d.embed},
		{"index", d.index},
		{"rate", func(ctx context.Context) error { return d.rate(ctx, profile) }},
		{"train", func(ctx context.Context) error { return d.train(ctx, profile) }},
		{"look", func(ctx context.Context) error { return d.look(ctx, profile) }},
	} {
		from := time.Now()
		if err := stage.do(ctx); err != nil {
			return fmt.Errorf("demo: %s: %w", stage.name, err)
		}
		d.report.time(stage.name, time.Since(from))
	}
	d.report.Seconds = time.Since(begun).Seconds()
	return nil
}

func (r *demoReport) time(name string, took time.Duration) {
	if r.Stages == nil {
		r.Stages = make(map[string]float64)
	}
	r.Stages[name] = took.Seconds()
	r.stages = append(r.stages, stage{name, took.Seconds()})
}
