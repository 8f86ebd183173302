package taste_test

import (
	"cmp"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/taste"
	"github.com/palate-art/palate/test/race"
)

// wantOrder is the provisional order as its definition says, over everything.
func (f *fixture) wantOrder(likes, dislikes, of []palate.ImageID) []palate.ImageID {
	mean := func(id palate.ImageID, examples []palate.ImageID) float64 {
		var products []float64
		for _, example := range examples {
			if example == id && len(examples) > 1 {
				continue
			}
			var product float64
			for j, x := range f.vector[id] {
				product += float64(x) * float64(f.vector[example][j])
			}
			products = append(products, product)
		}
		slices.Sort(products)
		products = products[max(0, len(products)-min(5, (len(examples)+7)/8)):]
		var sum float64
		for _, product := range products {
			sum += product
		}
		return sum / float64(max(1, len(products)))
	}
	score := func(id palate.ImageID) float64 {
		switch {
		case len(likes) == 0:
			return -mean(id, dislikes)
		case len(dislikes) < 15:
			return mean(id, likes)
		default:
			return mean(id, likes) - mean(id, dislikes)
		}
	}
	out := slices.Clone(of)
	slices.SortFunc(out, func(a, b palate.ImageID) int { return cmp.Compare(score(b), score(a)) })
	return out
}

func rankedIDs(r taste.Ranking) []palate.ImageID {
	ids := make([]palate.ImageID, len(r.Scores))
	for i, s := range r.Scores {
		ids[i] = s.Image
	}
	return ids
}

func (f *fixture) say(t *testing.T, p palate.Profile, verdict palate.Verdict, ids ...palate.ImageID) {
	t.Helper()
	for _, id := range ids {
		_, err := f.catalog.Rate(t.Context(), catalog.Rating{Profile: p, Image: id, Verdict: verdict, Shown: palate.ShownGallery})
		must(t, err)
	}
	f.follow(t)
}

// Likes alone, at every page, are ranked as if every image were scored.
func TestAProvisionalOrderOfLikesIsExact(t *testing.T) {
	race.Long(t)
	f := newFixture(t, 900, nil)
	random := rand.New(rand.NewPCG(7, 7))
	counts := []int{1, 2, 5, 40, 280}
	if race.Enabled {
		counts = []int{1, 40}
	}
	for _, n := range counts {
		p := palate.Profile("likes-" + string(rune('a'+n%26)))
		likes := make([]palate.ImageID, 0, n)
		for _, i := range random.Perm(len(f.ids)) {
			if id := f.ids[i]; f.style[id] < 3 && len(likes) < n {
				likes = append(likes, id)
			}
		}
		f.say(t, p, palate.Like, likes...)
		want := f.wantOrder(likes, nil, f.ids)
		whole, err := f.tastes.RankWhole(t.Context(), p, taste.RankQuery{})
		must(t, err)
		same := 0
		for i, id := range rankedIDs(whole) {
			if id == want[i] {
				same++
			}
		}
		if len(whole.Scores) != len(want) || same < len(want)*98/100 || whole.Provisional == nil {
			t.Errorf("%d likes: %d of %d places of the whole ranking agree with scoring everything", n, same, len(want))
		}
		for _, page := range []struct{ offset, limit int }{{0, 10}, {10, 90}, {450, 100}, {890, 50}} {
			got, err := f.tastes.Rank(t.Context(), p, taste.RankQuery{Limit: page.limit, Offset: page.offset})
			must(t, err)
			expected := want[page.offset:min(page.offset+page.limit, len(want))]
			agreed := 0
			for i, id := range rankedIDs(got) {
				if id == expected[i] {
					agreed++
				}
			}
			// float32 products may turn neighbours that are all but equal.
			if len(got.Scores) != len(expected) || agreed < len(expected)*98/100 {
				t.Errorf("%d likes, page at %d: %d of %d places agree with scoring everything", n, page.offset, agreed, len(expected))
			}
			if got.Provisional == nil || got.Provisional.Likes != n || got.Scores[0].Chance() != nil {
				t.Errorf("%d likes: the ranking must say that it is provisional and has no chance", n)
			}
		}
	}
}

func TestAProvisionalOrderWithDislikes(t *testing.T) {
	race.Long(t)
	f := newFixture(t, 900, nil)
	var likes, dislikes []palate.ImageID
	for _, id := range f.ids {
		switch style := f.style[id]; {
		case style == 0 && len(likes) < 20:
			likes = append(likes, id)
		case style == 4 && len(dislikes) < 20:
			dislikes = append(dislikes, id)
		}
	}
	f.say(t, "both", palate.Like, likes...)
	f.say(t, "both", palate.Dislike, dislikes...)
	f.say(t, "few", palate.Like, likes...)
	f.say(t, "few", palate.Dislike, dislikes[:4]...)
	f.say(t, "never", palate.Dislike, dislikes...)
	for p, want := range map[palate.Profile][]palate.ImageID{
		"both":  f.wantOrder(likes, dislikes, f.ids),
		"few":   f.wantOrder(likes, dislikes[:4], f.ids),
		"never": f.wantOrder(nil, dislikes, f.ids),
	} {
		got, err := f.tastes.Rank(t.Context(), p, taste.RankQuery{Limit: 100})
		must(t, err)
		found := 0
		for _, id := range rankedIDs(got) {
			if slices.Contains(want[:100], id) {
				found++
			}
		}
		if found < 99 {
			t.Errorf("%s: %d of the best 100 are found, want 99", p, found)
		}
	}
	ranking, err := f.tastes.Rank(t.Context(), "never", taste.RankQuery{Limit: 200})
	must(t, err)
	for _, id := range rankedIDs(ranking) {
		if f.style[id] == 4 {
			t.Fatalf("an image of the disliked style is among the first 200")
		}
	}
}

func TestAProvisionalOrderIsFilteredCollapsedAndGoesOn(t *testing.T) {
	f := newFixture(t, 600, nil)
	f.say(t, "me", palate.Like, f.ids[0], f.ids[6], f.ids[12])
	whole, err := f.tastes.Rank(t.Context(), "me", taste.RankQuery{Limit: 600, Filter: index.Filter{NotJudgedBy: "me"}})
	must(t, err)
	if len(whole.Scores) != 597 {
		t.Errorf("%d images are not judged, want 597", len(whole.Scores))
	}
	collapsed, err := f.tastes.Rank(t.Context(), "me", taste.RankQuery{Limit: 600, Collapse: .95})
	must(t, err)
	ids := rankedIDs(collapsed)
	for i, a := range ids[:20] {
		for _, b := range ids[:i] {
			var product float64
			for j, x := range f.vector[a] {
				product += float64(x) * float64(f.vector[b][j])
			}
			if product >= .95 {
				t.Errorf("%v and %v are alike by %.3f", a, b, product)
			}
		}
	}
	begun, err := f.tastes.Rank(t.Context(), "me", taste.RankQuery{Limit: 50})
	must(t, err)
	all, err := f.tastes.Rank(t.Context(), "me", taste.RankQuery{Limit: 100})
	must(t, err)
	f.say(t, "me", palate.Like, f.ids[1], f.ids[7])
	next, err := f.tastes.Rank(t.Context(), "me", taste.RankQuery{Limit: 50, Offset: 50, LastEntry: begun.Provisional.LastEntry})
	must(t, err)
	if !slices.Equal(rankedIDs(next), rankedIDs(all)[50:]) {
		t.Error("the second page does not go on in the order of the first")
	}
	last := begun.Scores[49]
	behind, err := f.tastes.Rank(t.Context(), "me", taste.RankQuery{Limit: 50, Offset: 3, After: &index.Hit{ID: last.Image, Score: last.Product}, LastEntry: begun.Provisional.LastEntry})
	must(t, err)
	if !slices.Equal(rankedIDs(behind), rankedIDs(all)[50:]) {
		t.Error("behind a hit, the page does not go on in the order of the first")
	}
}

func TestAProvisionalOrderHasNoChanceAndGivesWayToATaste(t *testing.T) {
	f := newFixture(t, 120, nil)
	if _, err := f.tastes.Rank(t.Context(), "me", taste.RankQuery{Limit: 5}); !errors.Is(err, palate.ErrNotFound) {
		t.Errorf("without any judgement: got %v, want ErrNotFound", err)
	}
	f.rate(t, "me", f.ids[:1]...)
	half := .5
	_, err := f.tastes.Rank(t.Context(), "me", taste.RankQuery{Limit: 5, MinProbability: &half})
	if !errors.Is(err, taste.ErrNoChance) || !errors.Is(err, palate.ErrConflict) || !strings.Contains(err.Error(), "nearness to 1 like alone") {
		t.Errorf("a least chance: got %v, want ErrNoChance with the reason", err)
	}
	reasons, err := f.tastes.Why(t.Context(), "me", f.ids[50], 3)
	must(t, err)
	if reasons.Score == nil || reasons.Score.Chance() != nil || reasons.Version != 0 {
		t.Errorf("got %+v, want a score without a chance", reasons.Score)
	}
	f.rate(t, "me", f.ids[1:60]...)
	f.train(t, "me")
	ranking, err := f.tastes.Rank(t.Context(), "me", taste.RankQuery{Limit: 5})
	must(t, err)
	if ranking.Provisional != nil || ranking.Version.Version != 1 || ranking.Scores[0].Chance() == nil {
		t.Error("a taste was learned and does not take over")
	}
}
