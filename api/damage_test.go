package api_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/palate-art/palate/api/client"
	"github.com/palate-art/palate/test/race"
)

// cut is a picture whose file ends early.
func cut(t *testing.T, seed int) []byte {
	t.Helper()
	whole := paint(t, red, seed)
	return whole[:len(whole)*93/100]
}

func TestADamagedPictureSaysWhatIsLost(t *testing.T) {
	f := newFixture(t)
	f.add(t, 2, blue, "Blau")
	c, err := client.NewClientWithResponses(f.url)
	must(t, err)
	kind, body := form(t, cut(t, 400), "title", "The half of it")
	added, err := c.UploadImageWithBodyWithResponse(t.Context(), nil, kind, strings.NewReader(body))
	must(t, err)
	if added.StatusCode() != http.StatusCreated || added.JSON201.Damage == nil || !strings.HasPrefix(*added.JSON201.Damage, "its data end after ") {
		t.Fatalf("the upload of a cut picture: %d, %s; want 201 and what is lost", added.StatusCode(), added.Body)
	}
	for _, test := range []struct {
		damaged *bool
		want    int
	}{{nil, 3}, {pointer(false), 3}, {pointer(true), 1}} {
		list, err := c.ListImagesWithResponse(t.Context(), &client.ListImagesParams{Damaged: test.damaged})
		must(t, err)
		if list.JSON200 == nil || len(list.JSON200.Images) != test.want {
			t.Fatalf("damaged=%v: %s, want %d images", test.damaged, list.Body, test.want)
		}
		for _, image := range list.JSON200.Images {
			if (image.Damage != nil) != (image.ID == added.JSON201.ID) {
				t.Errorf("%s has the damage %v", image.ID, image.Damage)
			}
		}
	}
	both, err := c.ListImagesWithResponse(t.Context(), &client.ListImagesParams{ExternalID: pointer("M/1"), Damaged: pointer(true)})
	must(t, err)
	if both.StatusCode() != http.StatusBadRequest {
		t.Errorf("damaged with external_id: %d, want 400", both.StatusCode())
	}
}

func TestThePageShowsWhichPicturesCameDamaged(t *testing.T) {
	race.Long(t)
	ctx, complaints := browser(t)
	f := newFixture(t)
	f.add(t, 1, blue, "Blau")
	kind, body := form(t, cut(t, 401), "title", "The half of it")
	response, err := http.Post(f.url+"/v1/images", kind, strings.NewReader(body))
	must(t, err)
	must(t, response.Body.Close())
	f.embed(t) // so that Teach asks about it
	const badge = `document.querySelectorAll(".card .damaged")`
	err = chromedp.Do(ctx, chromedp.Navigate(f.url), eventually(`document.querySelectorAll(".card").length`, "2"),
		eventually(badge+`[0].checkVisibility()`, "true"), eventually(badge+`[0].title.startsWith("Damaged: its data end after ")`, "true"),
		eventually(badge+`[1].checkVisibility()`, "false"),
		chromedp.Click(`.card > img`), chromedp.WaitVisible(`dialog figcaption .damaged`),
		eventually(`document.querySelector("dialog figcaption .damaged").textContent.endsWith("the rest is grey.")`, "true"),
		chromedp.KeyEvent(kb.Escape), chromedp.Click(`[data-view=teach]`), chromedp.WaitVisible(`#teach img`),
		eventually(`document.querySelector("#teach .title").textContent === "The half of it" || (document.querySelector("#teach [data-verdict=skip]").click(), false)`, "true"),
		eventually(`document.querySelector("#teach .damaged").checkVisibility() && document.querySelector("#teach .damaged").textContent.endsWith("the rest is grey.")`, "true"))
	if err != nil || len(complaints()) > 0 {
		t.Errorf("%v; the page complained: %v", err, complaints())
	}
}
