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
	Help     string // a sentence
	Argument string // what follows it, as a summary writes it: "<image> ..."
	Flags    []Flag // its own, not those of its parents
	Commands []Command
}

// Flag is one flag; Value is a placeholder, empty where it takes none.
type Flag struct {
	Name, Value, Help string
	Short             rune // 0: none
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

func bash(w io.Writer, program Command) error {
	var cases strings.Builder
	program.visit(nil, nil, func(path []string, c Command, flags []Flag) {
		var words, names []string
		for _, below := range c.Commands {
			words = append(words, below.Name)
		}
		for _, f := range flags {
			names = append(names, "--"+f.Name)
		}
		pattern := " " + strings.Join(append(path, ""), " ")
		fmt.Fprintf(&cases, "\t%q*) words=%q; flags=%q;;\n", pattern, strings.Join(words, " "), strings.Join(names, " "))
	})
	_, err := fmt.Fprintf(w, `_%[1]s() {
	local cur=${COMP_WORDS[COMP_CWORD]} path=" " words= flags= i
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in -*) ;; *) path="$path${COMP_WORDS[i]} ";; esac
	done
	case "$path" in
%[2]s	esac
	case $cur in -*) words=$flags;; esac
	COMPREPLY=($(compgen -W "$words" -- "$cur"))
	[ ${#COMPREPLY[@]} -gt 0 ] || COMPREPLY=($(compgen -f -- "$cur"))
}
complete -o filenames -F _%[1]s %[1]s
`, program.Name, cases.String())
	return err
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
		for _, f := range c.Flags {
			line := "complete -c " + program.Name
			if len(seen) > 0 {
				line += " -n '" + strings.Join(seen, "; and ") + "'"
			}
			line += " -l " + f.Name
			if f.Short != 0 {
				line += " -s " + string(f.Short)
			}
			if f.Value != "" {
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
	_, err := io.WriteString(w, out.String())
	return err
}

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
