package api_test

import (
	"bytes"
	"crypto/sha256"
	"net/http"
	"strings"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
)

// What an upload says that can't be taken is refused, by its field, before the
// picture is kept.
func TestUploadedFieldsAreBounded(t *testing.T) {
	f := newFixture(t)
	for _, tc := range []struct{ field, value, named string }{
		{"page", "javascript:alert(1)", "http or https"},
		{"page", "file:///etc/passwd", "http or https"},
		{"licence_url", "data:text/html,<script>alert(1)</script>", "http or https"},
		{"year", "1000000000", "-100000"},
		{"title", strings.Repeat("x", 60_000), "4096"},
		{"credit", strings.Repeat("x", 60_000), "16384"},
	} {
		kind, body := form(t, paint(t, red, 1), tc.field, tc.value)
		a := f.do(t, "POST", "/v1/images", body, "Content-Type", kind)
		if a.status != http.StatusBadRequest || !bytes.Contains(a.body, []byte(`"`+tc.field+`"`)) || !bytes.Contains(a.body, []byte(tc.named)) {
			t.Errorf("%s=%.40q: got %d %.300s, want 400 that names the field and says %s", tc.field, tc.value, a.status, a.body, tc.named)
		}
	}
	kind, body := form(t, paint(t, red, 1), "title", strings.Repeat("x", 1<<20))
	if a := f.do(t, "POST", "/v1/images", body, "Content-Type", kind); a.status != http.StatusRequestEntityTooLarge {
		t.Errorf("a title of a megabyte: got %d %.300s, want 413", a.status, a.body)
	}
	kind, body = form(t, paint(t, red, 1), "page", "https://a.example/p", "year", "-480")
	if a := f.do(t, "POST", "/v1/images", body, "Content-Type", kind); a.status != http.StatusCreated {
		t.Errorf("got %d %s, want it to be new: none of the others kept it", a.status, a.body)
	}
}

// A catalog that was restored, or is older than the bounds, may hold anything:
// it is not handed on.
func TestWhatACatalogHoldsIsNotHandedOn(t *testing.T) {
	f := newFixture(t)
	sum := sha256.Sum256([]byte("x"))
	image := catalog.Image{ID: palate.NewImageID(sum), SHA256: sum, Bytes: 1, Format: "png", Width: 1, Height: 1}
	_, err := f.catalog.AddImage(t.Context(), image, palate.Source{Address: "https://a.example/a.png", Site: "a.example", Title: strings.Repeat("long", 1<<18),
		Artist: "Artist", Page: "javascript:alert(1)", LicenceURL: "data:text/html,x", Year: 1e9}, nil)
	must(t, err)
	a := f.do(t, "GET", "/v1/images/"+image.ID.String(), "")
	if a.status != http.StatusOK || !bytes.Contains(a.body, []byte(`"Artist"`)) {
		t.Fatalf("got %d %.300s, want the image", a.status, a.body)
	}
	for _, never := range []string{"javascript:", "data:", "1000000000", "longlong"} {
		if bytes.Contains(a.body, []byte(never)) {
			t.Errorf("the answer has %s: %.300s", never, a.body)
		}
	}
}

// An upload is described to who sent it: by the verdict of the profile that it
// names, whoever else rated the picture.
func TestAnUploadIsDescribedForItsProfile(t *testing.T) {
	f := newFixture(t)
	picture := paint(t, red, 77)
	kind, body := form(t, picture)
	a := f.do(t, "POST", "/v1/images", body, "Content-Type", kind)
	id := palate.NewImageID(sha256.Sum256(picture))
	if a.status != http.StatusCreated {
		t.Fatalf("got %d %s", a.status, a.body)
	}
	for profile, verdict := range map[palate.Profile]palate.Verdict{"me": palate.Like, "anna": palate.Dislike} {
		_, err := f.catalog.Rate(t.Context(), catalog.Rating{Profile: profile, Image: id, Verdict: verdict, Shown: palate.ShownAPI})
		must(t, err)
	}
	for _, tc := range []struct {
		fields []string
		want   string
	}{{[]string{"profile", "anna"}, `"verdict":"dislike"`}, {[]string{"profile", "me"}, `"verdict":"like"`}, {nil, `"verdict":"like"`}} {
		kind, body := form(t, picture, tc.fields...)
		if a := f.do(t, "POST", "/v1/images", body, "Content-Type", kind); a.status != http.StatusOK || !bytes.Contains(a.body, []byte(tc.want)) {
			t.Errorf("%v: got %d %s, want 200 with %s", tc.fields, a.status, a.body, tc.want)
		}
	}
	kind, body = form(t, picture, "profile", "No Such Name")
	if a := f.do(t, "POST", "/v1/images", body, "Content-Type", kind); a.status != http.StatusBadRequest || !bytes.Contains(a.body, []byte("profile")) {
		t.Errorf("a name that is none: got %d %s, want 400 that names it", a.status, a.body)
	}
	kind, body = form(t, picture, "profile", "nobody")
	if a := f.do(t, "POST", "/v1/images", body, "Content-Type", kind); a.status != http.StatusOK || bytes.Contains(a.body, []byte(`"verdict":"`)) {
		t.Errorf("who has rated nothing: got %d %s, want no verdict", a.status, a.body)
	}
}
