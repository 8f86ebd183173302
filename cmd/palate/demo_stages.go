package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/crawler"
	"github.com/palate-art/palate/index"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/collection"
	"github.com/palate-art/palate/internal/museum"
	"github.com/palate-art/palate/internal/taste"
	"github.com/palate-art/palate/internal/terminal"
	"github.com/palate-art/palate/probe/judge"
)

// openMuseum draws the pictures and serves them on loopback.
func (d *demo) openMuseum(ctx context.Context) error {
	config := museum.DefaultConfig()
	config.Pictures = d.Pictures
	m, err := museum.New(config)
	if err != nil {
		return err
	}
	stop, err := m.Start("127.0.0.1:0")
	if err != nil {
		return err
	}
	d.closers = append(d.closers, stop)
	d.museum = m
	return nil
}

func (d *demo) crawl(ctx context.Context) error {
	job := collection.Crawl{Name: "demo", Config: collection.MuseumCrawl(version()), Seeds: []crawler.Seed{{URL: d.museum.GalleryURL()}}, Dial: d.museum.DialContext}
	report, err := d.home.Crawl(ctx, job)
	if err != nil {
		return err
	}
	d.report.Report = report
	artworks, err := d.museum.Artworks(ctx)
	if err != nil {
		return err
	}
	d.styles = make(map[palate.ImageID]string)
	for _, work := range artworks {
		d.styles[work.ImageID] = work.Style
	}
	d.report.Images, err = d.model.Catalog.CountImages(ctx, index.Filter{})
	return err
}

func (d *demo) embed(ctx context.Context) error {
	done, err := d.model.EmbedPending(ctx)
	if err != nil {
		return err
	}
	d.report.Embedded = done.Embedded
	d.report.ImagesPerSec = done.ImagesPerSecond
	e := d.model.Embedder
	d.report.Model, d.report.ModelID, d.report.Provider = e.Name(), string(e.Model()), e.Provider()
	return nil
}

func (d *demo) index(ctx context.Context) error {
	if err := d.model.CatchUp(ctx); err != nil {
		return err
	}
	var err error
	d.report.Indexed, err = d.model.Index.Count(ctx, index.Filter{})
	return err
}

// rate lets the visitor judge pictures drawn at random.
func (d *demo) rate(ctx context.Context, profile palate.Profile) error {
	ids := d.images()
	d.report.visitor = museum.NewVisitor(d.Seed, d.styleNames(), likedStyles, flipRate)
	d.report.Liked = d.report.visitor.Styles()
	var ratings []catalog.Rating
	for _, i := range d.report.visitor.Choose(len(ids), d.Ratings) {
		liked, flipped := d.report.visitor.Says(d.styles[ids[i]])
		verdict := palate.Dislike
		if liked {
			verdict = palate.Like
			d.report.Ratings.Likes++
		} else {
			d.report.Ratings.Dislikes++
		}
		if flipped {
			d.report.Ratings.Flipped++
		}
		ratings = append(ratings, catalog.Rating{Profile: profile, Image: ids[i], Verdict: verdict, Shown: palate.ShownGallery})
	}
	return d.model.Catalog.RateAll(ctx, ratings)
}

// images are the museum's works in the collection, in the order of ids.
func (d *demo) images() []palate.ImageID {
	ids := make([]palate.ImageID, 0, len(d.styles))
	for id := range d.styles {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(a, b palate.ImageID) int { return slices.Compare(a[:], b[:]) })
	return ids
}

func (d *demo) styleNames() []string {
	seen := make(map[string]bool)
	var names []string
	for _, style := range d.styles {
		if !seen[style] {
			seen[style] = true
			names = append(names, style)
		}
	}
	return names
}

// train learns the taste and judges it on the pictures never rated, against
// what the visitor truly likes.
func (d *demo) train(ctx context.Context, profile palate.Profile) error {
	outcome, err := d.model.Tastes.Train(ctx, profile)
	if err != nil {
		return err
	}
	if err := d.model.CatchUp(ctx); err != nil {
		return err
	}
	p := &d.report.Probe
	p.CVAUC, p.CVAUCLow, p.CVAUCHigh = outcome.Report.AUC, outcome.Report.AUCLow, outcome.Report.AUCHigh
	p.BalancedAccuracy = outcome.Report.BalancedAccuracy
	rated, err := d.model.Catalog.StandingVerdicts(ctx, profile, nil)
	if err != nil {
		return err
	}
	scores, _, err := d.model.Tastes.ScoresOf(ctx, profile, d.images())
	if err != nil {
		return err
	}
	var logits []float64
	var truth []bool
	for id, score := range scores {
		if _, seen := rated[id]; !seen {
			logits = append(logits, score.Logit)
			truth = append(truth, d.report.visitor.Likes(d.styles[id]))
		}
	}
	p.NeverRated = len(truth)
	if p.AUC, p.AUCLow, p.AUCHigh, err = judge.AUCInterval(logits, truth); err != nil {
		return err
	}
	p.AveragePrecision, err = judge.AveragePrecision(logits, truth)
	return err
}

// look ranks the collection and looks around every picture.
func (d *demo) look(ctx context.Context, profile palate.Profile) error {
	ranking, err := d.model.Tastes.Rank(ctx, profile, taste.RankQuery{Limit: topRank})
	if err != nil {
		return err
	}
	rated, err := d.model.Catalog.StandingVerdicts(ctx, profile, nil)
	if err != nil {
		return err
	}
	for _, score := range ranking.Scores {
		image, err := d.model.Catalog.Image(ctx, score.Image)
		if err != nil {
			return err
		}
		style := d.styles[score.Image]
		_, seen := rated[score.Image]
		d.report.Top = append(d.report.Top, demoTop{ID: score.Image.String(), Title: image.Title(), Artist: image.Artist(), Style: style,
			Likes: d.report.visitor.Likes(style), Probability: score.Probability, Rated: seen})
	}
	same, all := 0, 0
	for _, id := range d.images() {
		hits, err := d.model.Index.Search(ctx, index.Query{Near: &id, Limit: neighbourRank})
		if err != nil {
			return err
		}
		for _, hit := range hits {
			all++
			if d.styles[hit.ID] == d.styles[id] {
				same++
			}
		}
	}
	if all > 0 {
		d.report.Neighbors.PrecisionAt10 = float64(same) / float64(all)
	}
	return nil
}

// print shows the report to a person.
func (d *demo) print() {
	r, s := &d.report, d.session
	s.Say("")
	s.Say("The museum   %d pages -> %d candidates -> %d fetched -> %d kept, %d known, lost: %s",
		r.Pages, r.Candidates, r.Fetched, r.Kept, r.Known, terminal.Counts(r.Lost))
	s.Say("The model    %s on %s, %d of %d images embedded at %.0f a second, %d indexed", r.Model, r.Provider, r.Embedded, r.Images, r.ImagesPerSec, r.Indexed)
	s.Say("The visitor  likes %s; rated %d pictures (%d likes, %d dislikes), %d of them against the own taste",
		terminal.And(r.Liked), r.Ratings.Likes+r.Ratings.Dislikes, r.Ratings.Likes, r.Ratings.Dislikes, r.Ratings.Flipped)
	p := r.Probe
	s.Say("The probe    AUC %.3f [%.3f, %.3f] and average precision %.3f on the %d pictures never rated, against the true taste",
		p.AUC, p.AUCLow, p.AUCHigh, p.AveragePrecision, p.NeverRated)
	s.Say("             AUC %.3f [%.3f, %.3f] by cross-validation on the ratings themselves, balanced accuracy %.3f", p.CVAUC, p.CVAUCLow, p.CVAUCHigh, p.BalancedAccuracy)
	s.Say("Neighbours   %.0f %% of the nearest %d are of the same style", 100*r.Neighbors.PrecisionAt10, neighbourRank)
	s.Say("")
	s.Say("What the visitor would like best:")
	rows := [][]string{{"", "CHANCE", "STYLE", "LIKES IT", "RATED", "TITLE", "ARTIST"}}
	for i, top := range r.Top {
		rows = append(rows, []string{fmt.Sprint(i + 1), fmt.Sprintf("%.0f %%", 100*top.Probability), top.Style,
			terminal.YesNo(top.Likes), terminal.YesNo(top.Rated), terminal.Shorten(top.Title, 40), terminal.Shorten(top.Artist, 24)})
	}
	s.Table(rows...)
	s.Say("")
	line := fmt.Sprintf("Time         %.1f s:", r.Seconds)
	for _, stage := range r.stages {
		line += fmt.Sprintf(" %s %.1f,", stage.name, stage.seconds)
	}
	s.Say("%s", line[:len(line)-1])
}
