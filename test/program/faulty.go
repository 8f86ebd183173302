package program

import (
	"os"
	"strings"
	"testing"
	"time"
)

// The fault suite makes real faults happen to a real program: faults_*_test.go,
// one file for each theme, tests named TestFault…. PALATE_FAULTS_BINARY names
// another program to try them on, such as a former release, which has to fail
// them (with -count=1: the test cache does not see it, as it is read before the
// tests clear the environment).
var FaultsBinary = os.Getenv("PALATE_FAULTS_BINARY")

// StartFaulty starts the program under test.
func StartFaulty(t *testing.T, args ...string) *Process {
	t.Helper()
	return StartProgram(t, FaultsBinary, nil, args...)
}

// MustRefuse waits for a program that has to end with an error that contains
// the texts; one that serves instead is a failure.
func (p *Process) MustRefuse(texts ...string) {
	p.T.Helper()
	for deadline := time.Now().Add(Patience); ; time.Sleep(20 * time.Millisecond) {
		select {
		case <-p.Ended:
			r := p.Wait()
			if r.Code == ExitDone {
				p.T.Errorf("palate %s: succeeded, want a refusal", strings.Join(p.Args, " "))
			}
			for _, text := range texts {
				if !strings.Contains(r.Err+r.Out, text) {
					said := r.Out + r.Err
					p.T.Errorf("palate %s: got … %q, want %q in it", strings.Join(p.Args, " "), said[max(0, len(said)-300):], text)
				}
			}
			return
		default:
		}
		if strings.Contains(p.ErrOut.String(), "Serving the page") {
			p.Kill()
			p.T.Errorf("palate %s: it serves, want a refusal", strings.Join(p.Args, " "))
			return
		}
		if time.Now().After(deadline) {
			p.T.Fatalf("palate %s: neither refused nor served within %v", strings.Join(p.Args, " "), Patience)
		}
	}
}
