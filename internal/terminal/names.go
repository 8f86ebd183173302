package terminal

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os/exec"
	"runtime"
	"strings"
)

// Names gives the names that were typed; "-" among them stands for the lines
// of in, of which the empty ones are passed by.
func Names(typed []string, in io.Reader) (names []string, err error) {
	for _, name := range typed {
		if name != "-" {
			names = append(names, name)
			continue
		}
		lines := bufio.NewScanner(in)
		for lines.Scan() {
			if line := strings.TrimSpace(lines.Text()); line != "" {
				names = append(names, line)
			}
		}
		if err := lines.Err(); err != nil {
			return nil, fmt.Errorf("standard input can't be read as names, one on each line: %w", err)
		}
	}
	return names, nil
}

// Open shows a file with the program that the system has for its kind.
func Open(ctx context.Context, path string) error {
	name, args := "xdg-open", []string{path}
	switch runtime.GOOS {
	case "darwin":
		name = "open"
	case "windows":
		name, args = "rundll32", []string{"url.dll,FileProtocolHandler", path}
	}
	if err := exec.CommandContext(ctx, name, args...).Run(); err != nil {
		return fmt.Errorf("%s, which opens files here, did not show %s: %w", name, path, err)
	}
	return nil
}
