package palate_test

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"regexp"
	"strings"
	"testing"

	"github.com/palate-art/palate"
)

func TestAnImageIDIsAUUIDOfItsFile(t *testing.T) {
	// RFC 9562: the version in the high bits of octet 6, the variant in those
	// of octet 8, whatever the hash is.
	form := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	seen := map[palate.ImageID]bool{}
	sums := [][sha256.Size]byte{{}, [sha256.Size]byte([]byte(strings.Repeat("\xff", sha256.Size)))}
	for n := range 1000 {
		sums = append(sums, sha256.Sum256(fmt.Append(nil, n)))
	}
	for _, sum := range sums {
		id := palate.NewImageID(sum)
		if !form.MatchString(id.String()) {
			t.Errorf("got %s, want a UUID of version 8", id)
		}
		if seen[id] || id.IsZero() {
			t.Errorf("id %s was given twice, or names no image", id)
		}
		seen[id] = true
		for i := range id { // all other bits are the hash's
			if i != 6 && i != 8 && id[i] != sum[i] || i == 6 && id[i]&0x0f != sum[i]&0x0f || i == 8 && id[i]&0x3f != sum[i]&0x3f {
				t.Fatalf("octet %d of %s is not the hash's", i, id)
			}
		}
	}
	// The bits are for ever: files and points are named by them.
	if got := palate.NewImageID(sha256.Sum256([]byte("palate"))).String(); got != fixedID {
		t.Errorf("got %s, want %s as on the first day", got, fixedID)
	}
}

// fixedID names the file whose content is "palate".
const fixedID = "137e0926-7207-8e0b-8f11-8791148cdeb2"

func TestParseImageIDReadsTheCanonicalFormAlone(t *testing.T) {
	id := palate.NewImageID(sha256.Sum256([]byte("palate")))
	for _, s := range []string{id.String(), strings.ToUpper(id.String())} {
		if got, err := palate.ParseImageID(s); err != nil || got != id {
			t.Errorf("%q: got %v and %v, want %v", s, got, err, id)
		}
	}
	s := id.String()
	for _, bad := range []string{
		"", " " + s, s + "\n", s[:35], s + "0", strings.ReplaceAll(s, "-", ""), strings.ReplaceAll(s, "-", ":"), "{" + s + "}", "urn:uuid:" + s,
		"g" + s[1:], s[:9] + "-" + s[10:], s[:34] + "é", "../" + s[3:], "\x00" + s[1:],
	} {
		if got, err := palate.ParseImageID(bad); !errors.Is(err, palate.ErrInvalid) || !got.IsZero() {
			t.Errorf("%q: got %v and %v, want ErrInvalid", bad, got, err)
		}
	}
	var object map[palate.ImageID]palate.ImageID
	text := fmt.Sprintf(`{%q:%q}`, s, s)
	if err := json.Unmarshal([]byte(text), &object); err != nil || object[id] != id {
		t.Errorf("JSON: got %v and %v, want %v", object, err, id)
	}
	if back, err := json.Marshal(object); err != nil || string(back) != text {
		t.Errorf("JSON: got %s and %v, want %s", back, err, text)
	}
	if err := json.Unmarshal([]byte(`{"x":"y"}`), &object); !errors.Is(err, palate.ErrInvalid) {
		t.Errorf("JSON: got %v, want ErrInvalid", err)
	}
}

func FuzzParseImageID(f *testing.F) {
	f.Add(fixedID)
	f.Add("00000000-0000-0000-0000-00000000000g")
	f.Fuzz(func(t *testing.T, s string) {
		id, err := palate.ParseImageID(s)
		if (err == nil) != strings.EqualFold(id.String(), s) {
			t.Errorf("%q: got %s and %v", s, id, err)
		}
	})
}

func TestAnEmbeddingIsValidatedForEverythingThatCanBeWrong(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(-1))
	for name, c := range map[string]struct {
		e    palate.Embedding
		says string // "" if it is valid
	}{
		"a unit vector":      {palate.Embedding{0.6, 0, -0.8}, ""},
		"rounded":            {palate.Embedding{0.6004, 0, -0.8}, ""},
		"too long a vector":  {palate.Embedding{0.61, 0, -0.8}, "norm 1.00603, want 1"},
		"too short a vector": {palate.Embedding{0.59, 0, -0.8}, "norm"},
		"no direction":       {palate.Embedding{0, 0, 0}, "norm 0, want 1"},
		"huge values":        {palate.Embedding{math.MaxFloat32, math.MaxFloat32, 0}, "norm"},
		"a value too many":   {palate.Embedding{0.6, 0, -0.8, 0}, "has 4 values, the model gives 3"},
		"nothing":            {nil, "has 0 values"},
		"not a number":       {palate.Embedding{1, nan, 0}, "value 1 is NaN"},
		"infinite":           {palate.Embedding{1, 0, inf}, "value 2 is -Inf"},
	} {
		err := c.e.Validate(3)
		if c.says == "" && err != nil || c.says != "" && (!errors.Is(err, palate.ErrInvalid) || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("%s: got %v, want %q", name, err, c.says)
		}
	}
}

func TestWordsAreParsedOrRefused(t *testing.T) {
	parse := map[string]func(string) (string, error){
		"verdict": func(s string) (string, error) { v, err := palate.ParseVerdict(s); return string(v), err },
		"shown":   func(s string) (string, error) { v, err := palate.ParseShown(s); return string(v), err },
		"profile": func(s string) (string, error) { v, err := palate.ParseProfile(s); return string(v), err },
	}
	good := map[string][]string{
		"verdict": {"like", "dislike", "skip"},
		"shown":   {"gallery", "queue:uncertain", "queue:explore", "queue:top", "import", "api"},
		"profile": {"me", "0", "a_b-c", strings.Repeat("p", 63), string(palate.DefaultProfile)},
	}
	bad := map[string][]string{
		"verdict": {"", "Like", "like ", "undo", "likes"},
		"shown":   {"", "queue", "queue:", "Gallery", "queue:top\n"},
		"profile": {"", "Me", "-a", "_a", "a.b", "a b", "me\n", "é", strings.Repeat("p", 64), "a/b", "a[0]"},
	}
	for kind, words := range good {
		for _, s := range words {
			if got, err := parse[kind](s); err != nil || got != s {
				t.Errorf("%s %q: got %q and %v", kind, s, got, err)
			}
		}
		for _, s := range bad[kind] {
			if got, err := parse[kind](s); !errors.Is(err, palate.ErrInvalid) || got != "" || !strings.Contains(err.Error(), kind) {
				t.Errorf("%s %q: got %q and %v, want ErrInvalid", kind, s, got, err)
			}
		}
	}
}

func TestModelIDsAreShortenedForPeople(t *testing.T) {
	for id, want := range map[palate.ModelID]string{"": "", "abc": "abc", palate.ModelID(strings.Repeat("0123456789", 6) + "abcd"): "012345678901"} {
		if got := id.Short(); got != want {
			t.Errorf("%q: got %q, want %q", id, got, want)
		}
	}
}

func TestStarsMeanAVerdict(t *testing.T) {
	for stars, want := range map[palate.Stars]palate.Verdict{0: "", 1: palate.Dislike, 2: palate.Dislike, 3: palate.Skip, 4: palate.Like, 5: palate.Like} {
		if got := stars.Verdict(); got != want {
			t.Errorf("%d stars: got %q, want %q", stars, got, want)
		}
		if err := stars.Validate(); err != nil {
			t.Errorf("%d stars: %v", stars, err)
		}
	}
	for _, stars := range []palate.Stars{-1, 6} {
		if err := stars.Validate(); !errors.Is(err, palate.ErrInvalid) {
			t.Errorf("%d stars: got %v, want %v", stars, err, palate.ErrInvalid)
		}
	}
}
