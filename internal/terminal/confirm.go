package terminal

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Confirm asks a question and reads the answer, unless yes says it already.
// Anything but a clear yes is an error, which says what was answered.
func (t *Terminal) Confirm(in io.Reader, yes bool, question string) error {
	if yes {
		return nil
	}
	t.EndProgress()
	fmt.Fprintf(t.errOut, "%s [y/N] ", question)
	answer, err := bufio.NewReader(in).ReadString('\n')
	if err != nil && answer == "" {
		fmt.Fprintln(t.errOut)
		return errors.New("nobody answered; --yes says yes")
	}
	switch strings.ToLower(strings.TrimSpace(answer)) {
	case "y", "yes":
		return nil
	}
	return errors.New("answered with no; nothing was changed")
}
