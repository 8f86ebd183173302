package main

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// confirm asks a question and reads the answer, unless yes says it already.
// Without a clear yes it is a usage error that names the flag.
func (s *session) confirm(in io.Reader, yes bool, question string) error {
	if yes {
		return nil
	}
	s.finishProgress()
	fmt.Fprintf(s.errOut, "%s [y/N] ", question)
	answer, err := bufio.NewReader(in).ReadString('\n')
	if err != nil && answer == "" {
		fmt.Fprintln(s.errOut)
		return usagef("nobody answered; --yes says yes")
	}
	switch strings.ToLower(strings.TrimSpace(answer)) {
	case "y", "yes":
		return nil
	}
	return usagef("answered with no; nothing was changed")
}
