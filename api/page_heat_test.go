package api_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/api"
	"github.com/palate-art/palate/embedder"
	"github.com/palate-art/palate/test/race"
)

// A heat map is offered where the model tells of its patches and has seen the
// picture, and nowhere else.
func TestThePageOffersAHeatMapWhereThereIsOne(t *testing.T) {
	race.Long(t)
	ctx, complaints := browser(t)
	f := newFixture(t)
	reds, blues := f.add(t, 9, red, "Roth"), f.add(t, 9, blue, "Blau")
	f.rate(t, palate.Like, reds[:8]...)
	f.rate(t, palate.Dislike, blues[:8]...)
	f.learn(t)
	late, err := f.collection.Add(t.Context(), paint(t, red, 99), palate.Source{Site: "museum.example", Address: "https://museum.example/late.jpg", Title: "Spät"})
	must(t, err)
	// The same collection by a model that tells nothing of its patches.
	plain, err := api.New(api.Services{Starter: f.jobs, Catalog: f.catalog, Store: f.store, Collection: f.collection, Index: f.index,
		Follower: f.follower, Embedder: colours{}, Tastes: f.tastes,
		Patches: func(context.Context) (embedder.PatchEmbedder, error) {
			return nil, fmt.Errorf("heat map: it tells nothing of its patches: %w", palate.ErrConflict)
		}}, api.DefaultConfig(), slog.New(slog.DiscardHandler))
	must(t, err)
	served := httptest.NewServer(plain.Handler())
	t.Cleanup(served.Close)
	step := stepping(t, ctx, complaints)
	const offered = `document.querySelector("#heat-switch").checkVisibility()`
	step("of a model with patches", chromedp.Navigate(f.url+"/#/newest?picture="+reds[0].String()), eventually(offered, "true"),
		chromedp.KeyEvent("h"), eventually(`document.querySelector("#heat").hidden`, "false"))
	step("of a picture that it has not seen", chromedp.Navigate("about:blank"), chromedp.Navigate(f.url+"/#/newest?picture="+late.ID.String()), eventually(offered, "false"),
		chromedp.KeyEvent("h"), eventually(`document.querySelector("#heat").hidden`, "true"))
	step("of a model without", chromedp.Navigate(served.URL+"/#/newest?picture="+reds[0].String()), eventually(`document.querySelectorAll("dialog .liked .strip a").length`, "4"), eventually(offered, "false"),
		chromedp.KeyEvent("h"), eventually(`document.querySelector("#heat").hidden`, "true"), chromedp.KeyEvent(kb.Escape), eventually(`document.querySelector("#viewer").open`, "false"))
	if all := complaints(); len(all) > 0 {
		t.Errorf("the page complained: %v", all)
	}
	response, err := http.Get(served.URL + "/v1/profiles/me/scores/" + reds[0].String() + "/heatmap")
	must(t, err)
	must(t, response.Body.Close())
	if response.StatusCode != http.StatusConflict {
		t.Errorf("a heat map by a model without patches: got status %d", response.StatusCode)
	}
}
