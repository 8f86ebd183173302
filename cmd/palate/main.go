// Palate learns which art a person likes. See README.md.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index/qdrant"
	"github.com/palate-art/palate/internal/collection"
	"github.com/palate-art/palate/internal/grammar"
	"github.com/palate-art/palate/internal/manual"
	"github.com/palate-art/palate/internal/picture"
	"github.com/palate-art/palate/internal/terminal"
)

// The exit codes.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2

	exitInterrupted = 130 // as shells have it: 128 and the number of the signal
)

func main() {
	picture.DecodeIfAsked()
	ctx, cancel := context.WithCancel(context.Background())
	// A reader that has seen enough, such as head, is a failed write: work that
	// is under way is not cut by it.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go endOn(signals, cancel)
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// endOn asks the program to end at the first signal, and ends it at the
// second whatever it is waiting for.
func endOn(signals <-chan os.Signal, cancel func()) {
	<-signals
	cancel()
	<-signals
	fmt.Fprintln(os.Stderr, "palate: interrupted a second time: ended at once; what was written is kept")
	os.Exit(exitInterrupted)
}

// run is the whole program: arguments in, results on out, progress and
// messages on errOut, an exit code back.
func run(ctx context.Context, args []string, out, errOut io.Writer) int {
	result := terminal.NewWriter(out)
	code, message := answer(ctx, args, result, errOut)
	if failed := result.Err(); failed != nil && (code == exitDone || code == exitUsage) {
		code, message = exitFailed, "the result could not be written: "+failed.Error()
	}
	if errors.Is(result.Err(), syscall.EPIPE) { // whoever read it has seen enough
		message = ""
	}
	if message != "" {
		fmt.Fprintf(errOut, "%s %s\n", terminal.Name(errOut, "palate:"), message)
	}
	return code
}

// answer does what a command line asks for, and says what is to be said of a
// failure.
func answer(ctx context.Context, args []string, out, errOut io.Writer) (code int, message string) {
	var line commands
	g, err := grammar.New(&line, grammar.Config{Name: "palate", Out: out, ErrOut: errOut, Vars: grammarVars(),
		About: "Learns which art you like: crawl pictures, embed them, like some, and see the rest by your taste."})
	if err != nil {
		return exitUsage, palate.Message(err)
	}
	if len(args) == 0 {
		_, _ = io.WriteString(out, manual.Beginning) // out remembers a failure
		return exitDone, ""
	}
	parsed, err := g.Parse(args)
	if ended := (*grammar.Ended)(nil); errors.As(err, &ended) {
		return ended.Code, ""
	}
	if wrong := (*grammar.FileError)(nil); errors.As(err, &wrong) {
		return exitUsage, qdrant.RedactAll(wrong.Error())
	}
	if err != nil {
		return exitUsage, qdrant.RedactAll(err.Error()) + "\nRun \"palate --help\" for commands and flags."
	}
	if err := checkInt8Asked(parsed, &line.globals); err != nil {
		return exitUsage, told(parsed, palate.Message(err))
	}
	s := newSession(&line.globals, out, errOut)
	if s.decoding, err = picture.NewBudget(int64(s.DecodeMemory) << 20); err != nil {
		return exitUsage, told(parsed, fmt.Sprintf("--decode-memory: %v", err))
	}
	err = parsed.Run(ctx, s, g)
	s.EndProgress()
	switch {
	case err == nil:
		return exitDone, ""
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		return exitInterrupted, "interrupted; what was done is kept, run the same command to go on"
	case isUsage(err):
		return exitUsage, told(parsed, palate.Message(err))
	}
	return exitFailed, collection.Explain(err)
}

// told adds to a message about flags where those come from that were not typed.
func told(line *grammar.Line, message string) string {
	if origin := line.Origin(message); origin != "" {
		return message + " (" + origin + ")"
	}
	return message
}
