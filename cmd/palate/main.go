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
	var line commands
	g, err := grammar.New(&line, grammar.Config{Name: "palate", Out: out, ErrOut: errOut, Vars: grammarVars(),
		About: "Learns which art you like: crawl pictures, embed them, like some, and see the rest by your taste."})
	if err != nil {
		fmt.Fprintf(errOut, "palate: %s\n", palate.Message(err))
		return exitUsage
	}
	if len(args) == 0 {
		_, _ = io.WriteString(out, manual.Beginning)
		return exitDone
	}
	parsed, err := g.Parse(args)
	if ended := (*grammar.Ended)(nil); errors.As(err, &ended) {
		return ended.Code
	}
	if err != nil {
		fmt.Fprintf(errOut, "palate: %s\nRun \"palate --help\" for commands and flags.\n", qdrant.RedactAll(err.Error()))
		return exitUsage
	}
	if err := checkInt8Asked(parsed, &line.globals); err != nil {
		fmt.Fprintf(errOut, "palate: %s\n", palate.Message(err))
		return exitUsage
	}
	s := newSession(&line.globals, out, errOut)
	if s.decoding, err = picture.NewBudget(int64(s.DecodeMemory) << 20); err != nil {
		fmt.Fprintf(errOut, "palate: --decode-memory: %v\n", err)
		return exitUsage
	}
	err = parsed.Run(ctx, s, g)
	s.EndProgress()
	switch {
	case err == nil:
		return exitDone
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		fmt.Fprintln(errOut, "palate: interrupted; what was done is kept, run the same command to go on")
		return exitInterrupted
	case isUsage(err):
		fmt.Fprintf(errOut, "palate: %s\n", palate.Message(err))
		return exitUsage
	default:
		fmt.Fprintf(errOut, "palate: %s\n", collection.Explain(err))
	}
	return exitFailed
}
