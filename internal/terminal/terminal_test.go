package terminal_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/palate-art/palate/internal/terminal"
)

// heard is a terminal with what was written to it.
type heard struct {
	*terminal.Terminal
	out, errOut bytes.Buffer
}

func listen(style terminal.Style) *heard {
	h := new(heard)
	h.Terminal = terminal.New(&h.out, &h.errOut, style)
	return h
}

func names(t *terminal.Terminal, values []string) error {
	return terminal.List(t, values, "There is none.", []string{"NAME", "LENGTH"}, func(s string) []string { return []string{s, strings.Repeat("|", len(s))} })
}

func TestResultsAreForPeopleOrForPrograms(t *testing.T) {
	for _, tt := range []struct {
		name   string
		values []string
		people string
		json   string
	}{
		{"two", []string{"a", "絵画"}, "NAME  LENGTH\na     |\n絵画  ||||||\n", "[\"a\",\"絵画\"]\n"},
		{"markup", []string{"<&>"}, "NAME  LENGTH\n<&>   |||\n", "[\"<&>\"]\n"},
		{"none", nil, "There is none.\n", "[]\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			people, programs := listen(terminal.Style{}), listen(terminal.Style{JSON: true})
			for _, h := range []*heard{people, programs} {
				if err := names(h.Terminal, tt.values); err != nil {
					t.Fatal(err)
				}
			}
			if got := people.out.String(); got != tt.people {
				t.Errorf("people read\n%s, want\n%s", got, tt.people)
			}
			if got := programs.out.String(); got != tt.json {
				t.Errorf("programs read %s, want %s", got, tt.json)
			}
		})
	}
}

func TestSentencesAreNotForPrograms(t *testing.T) {
	h := listen(terminal.Style{JSON: true})
	h.Say("hello")
	if err := h.Done(map[string]int{"n": 1}, "it is %d", 1); err != nil {
		t.Fatal(err)
	}
	if got, want := h.out.String(), "{\"n\":1}\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestNotesAndProgressStayBesideTheResults(t *testing.T) {
	for _, tt := range []struct {
		name  string
		style terminal.Style
		want  string
	}{
		{"loud", terminal.Style{}, "walk …\nmind the step\nthe licence\n"},
		{"quiet", terminal.Style{Quiet: true}, "the licence\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := listen(tt.style)
			h.Progress("walk", "m", 1, 10)
			h.Progress("walk", "m", 2, 10) // too soon for another line
			h.Notef("mind the %s", "step")
			h.Note("the licence", true)
			h.EndProgress()
			if got := h.errOut.String(); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if h.out.Len() > 0 {
				t.Errorf("among the results is %q", h.out.String())
			}
		})
	}
}

func TestOnlyAClearYesConfirms(t *testing.T) {
	for _, tt := range []struct {
		answer  string
		yes     bool
		refused string
	}{
		{"y\n", false, ""},
		{" YES \n", false, ""},
		{"yes", false, ""}, // a pipe that ends without a line break
		{"", true, ""},
		{"", false, "nobody answered"},
		{"\n", false, "answered with no"},
		{"yesterday\n", false, "answered with no"},
	} {
		h := listen(terminal.Style{JSON: true})
		err := h.Confirm(strings.NewReader(tt.answer), tt.yes, "Go on?")
		if (err == nil) != (tt.refused == "") || err != nil && !strings.Contains(err.Error(), tt.refused) {
			t.Errorf("answer %q, --yes %v: got %v, want %q", tt.answer, tt.yes, err, tt.refused)
		}
		if asked := strings.Contains(h.errOut.String(), "Go on? [y/N]"); asked == tt.yes {
			t.Errorf("answer %q, --yes %v: asked %v", tt.answer, tt.yes, asked)
		}
	}
}

func TestNumbersAreSaidToPeople(t *testing.T) {
	half := .5
	for _, tt := range []struct{ got, want string }{
		{terminal.Bytes(0), ""}, {terminal.Bytes(1500), "2 kB"}, {terminal.Bytes(86e6), "86 MB"}, {terminal.Bytes(1234567890), "1.23 GB"},
		{terminal.About(0), "1 s"}, {terminal.About(90 * time.Second), "2 min"}, {terminal.About(150 * time.Minute), "2.5 h"},
		{terminal.Percent(&half), "50.0 %"}, {terminal.Percent(nil), "–"},
		{terminal.Shorten(" a\n b ", 3), "a b"}, {terminal.Shorten("nächtlich", 5), "näch…"},
		{terminal.And(nil), ""}, {terminal.And([]string{"a"}), "a"}, {terminal.And([]string{"a", "b", "c"}), "a, b and c"},
		{terminal.Counts(nil), "none"}, {terminal.Counts(map[string]int{"b": 1, "a": 1, "c": 2}), "2 c, 1 a, 1 b"},
	} {
		if tt.got != tt.want {
			t.Errorf("got %q, want %q", tt.got, tt.want)
		}
	}
}
