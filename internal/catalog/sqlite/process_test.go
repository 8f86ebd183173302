package sqlite_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/catalog/sqlite"
)

// childVariable makes the test binary a writer on the catalog at its value.
const childVariable = "PALATE_TEST_CATALOG"

func TestMain(m *testing.M) {
	if path := os.Getenv(childVariable); path != "" {
		if err := writeImages(path, os.Args[1:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// writeImages is the child: it holds the lease "child", adds the images from
// one number to another, rates each, and prints a number once its two writes
// are acknowledged.
func writeImages(path string, args []string) error {
	ctx := context.Background()
	c, err := sqlite.Open(ctx, path, sqlite.DefaultConfig())
	if err != nil {
		return err
	}
	if _, err := c.AcquireLease(ctx, "child "+args[0]); err != nil {
		return err
	}
	first, _ := strconv.Atoi(args[0])
	last, _ := strconv.Atoi(args[1])
	for n := first; n < last; n++ {
		_, added := c.AddImage(ctx, picture(n), sourceOf(n), nil)
		_, rated := c.Rate(ctx, catalog.Rating{Profile: "me", Image: picture(n).ID, Verdict: palate.Like, Shown: palate.ShownAPI})
		if err := errors.Join(added, rated); err != nil {
			return err
		}
		fmt.Println(n)
	}
	return c.Close()
}

type child struct {
	*exec.Cmd
	acknowledged *bufio.Scanner
	stderr       *strings.Builder
}

func startChild(t *testing.T, path string, first, last int) child {
	t.Helper()
	cmd := exec.Command(os.Args[0], strconv.Itoa(first), strconv.Itoa(last))
	cmd.Env = append(os.Environ(), childVariable+"="+path)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	return child{cmd, bufio.NewScanner(io.Reader(out)), &stderr}
}

func TestProcessesWriteAtOnce(t *testing.T) {
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "catalog.db")
	const processes, each = 3, 40
	var children []child
	for n := range processes {
		children = append(children, startChild(t, path, n*each, (n+1)*each))
	}
	c := open(t, path)
	var seen []catalog.Change
	for running := len(children); running > 0; {
		var after uint64
		if len(seen) > 0 {
			after = seen[len(seen)-1].Number
		}
		// The order matters: what a child wrote before it ended is found.
		if done := !children[running-1].acknowledged.Scan(); done {
			running--
		}
		got, err := c.ChangesAfter(ctx, after, 1000)
		if err != nil {
			t.Fatal(err)
		}
		seen = append(seen, got...)
	}
	for _, child := range children {
		if err := child.Wait(); err != nil {
			t.Errorf("child: %v: %s", err, child.stderr)
		}
	}
	all, err := c.ChangesAfter(ctx, 0, 10_000)
	if err != nil || len(all) != processes*each*2 {
		t.Fatalf("got %d changes and error %v, want %d", len(all), err, processes*each*2)
	}
	for i := range all {
		if i >= len(seen) || seen[i] != all[i] {
			t.Fatalf("change %d was not seen in its place", i)
		}
	}
	if count, err := c.CountImages(ctx, index.Filter{LikedBy: "me"}); err != nil || count != processes*each {
		t.Errorf("got %d liked images and error %v, want %d", count, err, processes*each)
	}
}

func TestAKilledProcessLosesNoAcknowledgedWrite(t *testing.T) {
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "catalog.db")
	r := rand.New(rand.NewPCG(7, 8))
	acknowledged := map[int]bool{}
	for round := range 6 {
		first := round * 10_000
		child := startChild(t, path, first, first+10_000)
		for left := 1 + r.IntN(60); left > 0 && child.acknowledged.Scan(); left-- {
			n, err := strconv.Atoi(child.acknowledged.Text())
			if err != nil {
				t.Fatal(err)
			}
			acknowledged[n] = true
		}
		if err := child.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		for child.acknowledged.Scan() { // what it had printed when it died
			if n, err := strconv.Atoi(child.acknowledged.Text()); err == nil {
				acknowledged[n] = true
			}
		}
		if err := child.Wait(); err == nil {
			t.Error("the child ended by itself, want killed")
		}

		c := open(t, path)
		verdicts, err := c.StandingVerdicts(ctx, "me", nil)
		if err != nil {
			t.Fatal(err)
		}
		for n := range acknowledged {
			if verdicts[picture(n).ID] != palate.Like {
				t.Errorf("round %d: image %d was acknowledged and is lost", round, n)
			}
		}
		if problems, err := c.Check(ctx); err != nil || len(problems) > 0 {
			t.Errorf("round %d: got problems %q and error %v", round, problems, err)
		}
		// The system gave the dead process's lease back.
		lease, err := c.AcquireLease(ctx, fmt.Sprint("child ", first))
		if err != nil {
			t.Errorf("round %d: lease of the dead process: %v", round, err)
		} else if err := lease.Release(); err != nil {
			t.Error(err)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
	if len(acknowledged) < 6 {
		t.Errorf("only %d writes were acknowledged; the test proves nothing", len(acknowledged))
	}
}

func TestALeaseNamesTheProcessThatHoldsIt(t *testing.T) {
	path := filepath.Join(t.TempDir(), "catalog.db")
	c := open(t, path)
	child := startChild(t, path, 5, 1_000_000)
	defer func() { _ = child.Process.Kill(); _ = child.Wait() }()
	child.acknowledged.Scan()
	_, err := c.AcquireLease(t.Context(), "child 5")
	wantError(t, err, palate.ErrConflict, fmt.Sprintf("process %d ", child.Process.Pid))
}
