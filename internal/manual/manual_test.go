package manual_test

import (
	"bytes"
	"errors"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/manual"
)

var program = manual.Command{Name: "palate", Help: "It's a taste.", Flags: []manual.Flag{{Name: "json", Help: "As JSON."}},
	Commands: []manual.Command{
		{Name: "crawl", Help: "Collect.", Commands: []manual.Command{
			{Name: "list", Help: "Lists."},
			{Name: "begin", Argument: "[<url> ...]", Help: ".begins with a dot \\ and-dash", Flags: []manual.Flag{{Name: "max-pages", Value: "N", Help: "Pages."}}},
		}},
		{Name: "rate", Help: "Rates.", Flags: []manual.Flag{{Name: "profile", Short: 'p', Value: "NAME", Help: "Whose."}}},
		{Name: "sort", Help: "Sorts.", Words: []string{"up", "down"}, Flags: []manual.Flag{{Name: "how", Short: 'w', Value: "WAY", Help: "How.", Words: []string{"copy", "move"}}}},
	}}

// The script is read by a bash, and asked as a person would press Tab.
func TestBashCompletesWhatIsTyped(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("opt-in: there is no bash here")
	}
	var script bytes.Buffer
	if err := manual.Complete(&script, "bash", program); err != nil {
		t.Fatal(err)
	}
	for typed, want := range map[string]string{
		"palate ": "crawl rate sort", "palate cr": "crawl", "palate crawl ": "list begin", "palate crawl b": "begin",
		"palate crawl begin --m": "--max-pages", "palate --json rate --": "--json --profile", "palate crawl begin http://x --": "--json --max-pages",
		"palate rate --profile crawl --": "--json --profile", "palate rate --profile = crawl --": "--json --profile", "palate rate -p crawl --": "--json --profile",
		"palate sort ": "up down", "palate sort --how ": "copy move", "palate sort --how = m": "move", "palate sort --how =": "copy move", "palate sort -w c": "copy", "palate sort --how=m": "--how=move",
		"palate sort --how move d": "down",
	} {
		words := strings.Split(typed, " ")
		ask := script.String() + "\nCOMP_WORDS=(" + "'" + strings.Join(words, "' '") + "'); COMP_CWORD=" + string(rune('0'+len(words)-1)) + "; _palate; echo \"${COMPREPLY[*]}\""
		out, err := exec.Command(bash, "--norc", "-c", ask).CombinedOutput()
		if err != nil || strings.TrimSpace(string(out)) != want {
			t.Errorf("%q completes to %q (%v), want %q", typed, out, err, want)
		}
	}
}

func TestOtherShells(t *testing.T) {
	var fish, zsh bytes.Buffer
	if err := errors.Join(manual.Complete(&fish, "fish", program), manual.Complete(&zsh, "zsh", program)); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		`complete -c palate -f -n '__fish_seen_subcommand_from crawl; and not __fish_seen_subcommand_from list begin' -a begin -d '.begins with a dot \\ and-dash'`,
		`complete -c palate -n '__fish_seen_subcommand_from rate' -l profile -s p -r -d 'Whose.'`,
		`complete -c palate -n '__fish_seen_subcommand_from sort' -l how -s w -x -a 'copy move' -d 'How.'`,
		`complete -c palate -l json -d 'As JSON.'`,
	} {
		if !slices.Contains(strings.Split(fish.String(), "\n"), line) {
			t.Errorf("fish lacks %s:\n%s", line, fish.String())
		}
	}
	if !strings.HasPrefix(zsh.String(), "#compdef palate\n") {
		t.Errorf("zsh begins with %.40q", zsh.String())
	}
	if err := manual.Complete(&zsh, "tcsh", program); !errors.Is(err, palate.ErrInvalid) {
		t.Errorf("tcsh: %v", err)
	}
}

func TestPageHasEveryCommand(t *testing.T) {
	var page bytes.Buffer
	if err := manual.Page(&page, program, "v1"); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{".TH PALATE 1", `.SS "crawl begin [<url> ...]"`, `\&.begins with a dot \e and\-dash`, `\fB\-p\fR, \fB\-\-profile\fR=\fINAME\fR`, ".SH FLAGS OF ALL COMMANDS"} {
		if !strings.Contains(page.String(), text) {
			t.Errorf("the page lacks %s:\n%s", text, page.String())
		}
	}
}

// Every line of the page is one that troff knows.
func TestTroffReadsThePage(t *testing.T) {
	groff, err := exec.LookPath("groff")
	if err != nil {
		t.Skip("opt-in: there is no groff here")
	}
	var page bytes.Buffer
	if err := manual.Page(&page, program, "v1"); err != nil {
		t.Fatal(err)
	}
	read := exec.Command(groff, "-man", "-Tascii", "-ww")
	var told bytes.Buffer
	read.Stdin, read.Stderr = &page, &told
	out, err := read.Output()
	if err != nil || told.Len() > 0 || !strings.Contains(string(out), "130 for interrupted") {
		t.Errorf("got %v, %s\n%s", err, told.String(), out)
	}
}
