// Package manual writes what shells and man show of a command line: completion
// for bash, zsh and fish, and a manual page in troff.
package manual

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/palate-art/palate"
)

// Command is a command with its flags and what comes below it.
type Command struct {
	Name     string
	Help     string   // a sentence
	Argument string   // what follows it, as a summary writes it: "<image> ..."
	Words    []string // which may follow it first, where nothing else may
	Flags    []Flag   // its own, not those of its parents
	Commands []Command
}

// Flag is one flag; Value is a placeholder, empty where it takes none.
type Flag struct {
	Name, Value, Help string
	Short             rune     // 0: none
	Words             []string // that it takes, where it takes nothing else
}

// Shells are those that Complete knows.
var Shells = []string{"bash", "zsh", "fish"}

// Complete writes a script that a shell reads to complete the command line of
// a program. Another shell is palate.ErrInvalid.
func Complete(w io.Writer, shell string, program Command) error {
	switch shell {
	case "bash":
		return bash(w, program)
	case "zsh":
		if _, err := fmt.Fprintf(w, "#compdef %s\nautoload -U +X bashcompinit && bashcompinit\n", program.Name); err != nil {
			return err
		}
		return bash(w, program)
	case "fish":
		return fish(w, program)
	}
	return fmt.Errorf("%q is none of the shells that are known, %s: %w", shell, strings.Join(Shells, ", "), palate.ErrInvalid)
}

// visit calls do with every command and the names that lead to it, a command
// after those below it.
func (c Command) visit(path []string, flags []Flag, do func(path []string, c Command, flags []Flag)) {
	flags = append(slices.Clone(flags), c.Flags...)
	for _, below := range c.Commands {
		below.visit(append(slices.Clone(path), below.Name), flags, do)
	}
	do(path, c, flags)
}

// bash writes a function that finds the command in what was typed, past flags
// and their values. Bash breaks a word at "=", so that a value may be two words
// away from its flag's name; zsh does not.
func bash(w io.Writer, program Command) error {
	var cases, choices strings.Builder
	var taking []string
	program.visit(nil, nil, func(path []string, c Command, flags []Flag) {
		words, names := slices.Clone(c.Words), []string(nil)
		for _, below := range c.Commands {
			words = append(words, below.Name)
		}
		for _, f := range flags {
			names = append(names, "--"+f.Name)
		}
		pattern := " " + strings.Join(append(path, ""), " ")
		fmt.Fprintf(&cases, "\t%q*) words=%q; flags=%q;;\n", pattern, strings.Join(words, " "), strings.Join(names, " "))
		for _, f := range c.Flags {
			if f.Value == "" {
				continue
			}
			for _, name := range f.names() {
				if !slices.Contains(taking, name) {
					taking = append(taking, name)
				}
				if len(f.Words) > 0 {
					fmt.Fprintf(&choices, "\t%q*) words=%q;;\n", pattern+"|"+name+" ", strings.Join(f.Words, " "))
				}
			}
		}
	})
	_, err := fmt.Fprintf(w, `_%[1]s() {
	local cur=${COMP_WORDS[COMP_CWORD]} path=" " words= flags= value= before= i
	[ "$cur" != = ] || cur=
	for ((i = 1; i < COMP_CWORD; i++)); do
		if [ -n "$value" ]; then
			[ "${COMP_WORDS[i]}" = = ] || value=
			continue
		fi
		case " %[4]s " in *" ${COMP_WORDS[i]} "*) value=${COMP_WORDS[i]}; continue;; esac
		case ${COMP_WORDS[i]} in -*) ;; *) path="$path${COMP_WORDS[i]} ";; esac
	done
	case $cur in --*=*) value=${cur%%%%=*}; before=$value=; cur=${cur#*=};; esac
	if [ -n "$value" ]; then
		case "$path|$value " in
%[3]s		esac
	else
		case "$path" in
%[2]s		esac
		case $cur in -*) words=$flags;; esac
	fi
	COMPREPLY=($(compgen -P "$before" -W "$words" -- "$cur"))
	[ ${#COMPREPLY[@]} -gt 0 ] || COMPREPLY=($(compgen -P "$before" -f -- "$cur"))
}
complete -o filenames -F _%[1]s %[1]s
`, program.Name, cases.String(), choices.String(), strings.Join(taking, " "))
	return err
}

// names are the ways in which a flag is typed.
func (f Flag) names() []string {
	if f.Short == 0 {
		return []string{"--" + f.Name}
	}
	return []string{"--" + f.Name, "-" + string(f.Short)}
}

func fish(w io.Writer, program Command) error {
	var out strings.Builder
	program.visit(nil, nil, func(path []string, c Command, _ []Flag) {
		var seen []string
		for _, name := range path {
			seen = append(seen, "__fish_seen_subcommand_from "+name)
		}
		var names []string
		for _, below := range c.Commands {
			names = append(names, below.Name)
		}
		for _, below := range c.Commands {
			condition := append(slices.Clone(seen), "not __fish_seen_subcommand_from "+strings.Join(names, " "))
			fmt.Fprintf(&out, "complete -c %s -f -n '%s' -a %s -d %s\n", program.Name, strings.Join(condition, "; and "), below.Name, quoted(below.Help))
		}
		if len(c.Words) > 0 {
			condition := append(slices.Clone(seen), "not __fish_seen_subcommand_from "+strings.Join(c.Words, " "))
			fmt.Fprintf(&out, "complete -c %s -f -n '%s' -a '%s'\n", program.Name, strings.Join(condition, "; and "), strings.Join(c.Words, " "))
		}
		for _, f := range c.Flags {
			line := "complete -c " + program.Name
			if len(seen) > 0 {
				line += " -n '" + strings.Join(seen, "; and ") + "'"
			}
			line += " -l " + f.Name
			if f.Short != 0 {
				line += " -s " + string(f.Short)
			}
			switch {
			case len(f.Words) > 0:
				line += " -x -a '" + strings.Join(f.Words, " ") + "'"
			case f.Value != "":
				line += " -r"
			}
			fmt.Fprintf(&out, "%s -d %s\n", line, quoted(f.Help))
		}
	})
	_, err := io.WriteString(w, out.String())
	return err
}

func quoted(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + "'"
}

// Page writes a manual page of section 1.
func Page(w io.Writer, program Command, version string) error {
	var out strings.Builder
	name := strings.ToUpper(program.Name)
	fmt.Fprintf(&out, ".TH %s 1 \"\" %q\n.SH NAME\n%s \\- %s\n.SH SYNOPSIS\n.B %[3]s\n.I command\n[\\fIflags\\fR]\n.SH COMMANDS\n",
		name, program.Name+" "+version, program.Name, troff(program.Help))
	program.visit(nil, nil, func(path []string, c Command, _ []Flag) {
		if len(path) == 0 || len(c.Commands) > 0 {
			return
		}
		fmt.Fprintf(&out, ".SS %q\n%s\n", strings.TrimSpace(strings.Join(path, " ")+" "+c.Argument), troff(c.Help))
		flagsOf(&out, c.Flags)
	})
	out.WriteString(".SH FLAGS OF ALL COMMANDS\n")
	flagsOf(&out, program.Flags)
	fmt.Fprintf(&out, ending, name, program.Name)
	_, err := io.WriteString(w, out.String())
	return err
}

// ending is what the page says after the flags.
const ending = `.SH ENVIRONMENT
Every flag may be given as \fB%[1]s_\fR and its name in capitals with _ for \-. The command line wins over the environment, that over the configuration file.
.PP
.B NO_COLOR
set to anything keeps colours out; \fBCLICOLOR_FORCE\fR asks for them where there is no terminal.
.SH FILES
.I %[2]s/config.json
in the user's configuration folder: a JSON object of flag names to values.
.SH EXIT STATUS
0 for done, 1 for failed, 2 for wrong usage, 130 for interrupted.
`

func flagsOf(out *strings.Builder, flags []Flag) {
	for _, f := range flags {
		text := `\fB\-\-` + strings.ReplaceAll(f.Name, "-", `\-`) + `\fR`
		if f.Short != 0 {
			text = `\fB\-` + string(f.Short) + `\fR, ` + text
		}
		if f.Value != "" {
			text += `=\fI` + troff(f.Value) + `\fR`
		}
		fmt.Fprintf(out, ".TP\n%s\n%s\n", text, troff(f.Help))
	}
}

// troff writes a text so that nothing in it is a request or an escape.
func troff(s string) string {
	s = strings.NewReplacer(`\`, `\e`, "\n", " ", "-", `\-`).Replace(s)
	if strings.HasPrefix(s, ".") || strings.HasPrefix(s, "'") {
		s = `\&` + s
	}
	return s
}

// Beginning is what palate says without a command.
const Beginning = `palate learns which art you like.

Begin with one of these:
  demo       try everything on a synthetic museum, in your browser:  palate demo
  crawl      collect pictures from a site:  palate crawl ADDRESS --contact you@example.org
  import     or take your own; good/ and bad/ in it are likes and dislikes:  palate import FOLDER
  embed      let a model see them:  palate embed
  serve      like and dislike on a page, which learns meanwhile:  palate serve
Or without the page:
  rate       like or dislike pictures:  palate rate like IMAGE…
  train      learn the taste:  palate train
  scores     see what you will like:  palate scores --unrated
  similar    see what is like a picture:  palate similar IMAGE
  sort       sort a folder:  palate sort FOLDER
When something is amiss:
  doctor     says what is there, and what is wrong
  version    says which palate this is

palate help lists all commands, palate help COMMAND explains one.
`
