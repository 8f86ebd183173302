package ort_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/ort"
)

func TestMalformedModelsAreErrors(t *testing.T) {
	r := load(t)
	whole := doubling()
	refused := func(name string, model []byte) {
		t.Helper()
		s, err := r.NewSession(model, ort.DefaultSessionConfig())
		if err == nil {
			s.Close()
		}
		if !errors.Is(err, palate.ErrInvalid) {
			t.Errorf("%s: got %v, want ErrInvalid", name, err)
		}
	}
	refused("nothing", nil)
	refused("text", []byte("this is no model"))
	refused("a picture", []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"))
	refused("ONNX Runtime's own format", append([]byte("\x18\x00\x00\x00ORTM"), make([]byte, 64)...))
	refused("unknown operator", model(node("NoSuchOperator", []string{"X"}, "Y"), tensorValue(11, "X", 1, 1), tensorValue(12, "Y", 1, 1)))
	refused("an output that nothing computes", model(node("Identity", []string{"X"}, "W"), tensorValue(11, "X", 1, 1), tensorValue(12, "Y", 1, 1)))
	refused("a node without its input", model(node("Identity", []string{"Q"}, "Y"), tensorValue(11, "X", 1, 1), tensorValue(12, "Y", 1, 1)))
	refused("a cycle", model(node("Identity", []string{"Y"}, "Z"), node("Add", []string{"Z", "X"}, "Y"), tensorValue(11, "X", 1, 1), tensorValue(12, "Y", 1, 1)))
	refused("two graphs", append(slices.Clone(whole), whole...))
	for n := range whole {
		refused(fmt.Sprintf("the first %d of %d bytes", n, len(whole)), whole[:n])
	}
}

// Some changed bytes leave a model that is fine; none may bring the process
// down, neither at loading nor at running.
func TestChangedModelsNeverCrash(t *testing.T) {
	r := load(t)
	whole := doubling()
	random := rand.New(rand.NewPCG(1, 2))
	refused := 0
	for range 1500 {
		changed := slices.Clone(whole)
		for range 1 + random.IntN(3) {
			changed[random.IntN(len(changed))] ^= byte(1 + random.IntN(255))
		}
		s, err := r.NewSession(changed, ort.DefaultSessionConfig())
		if err != nil {
			refused++
			if !errors.Is(err, palate.ErrInvalid) {
				t.Errorf("got %v, want ErrInvalid", err)
			}
			continue
		}
		inputs := map[string]ort.Tensor{}
		for _, in := range s.Inputs() {
			inputs[in.Name] = ramp(2, 3, 1)
		}
		_, _ = s.Run(context.Background(), inputs, nil) // any answer but a crash will do
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	if refused < 500 {
		t.Errorf("only %d of 1500 changed models were refused; are they changed at all?", refused)
	}
}

func FuzzNewSession(f *testing.F) {
	f.Add(doubling())
	f.Add(model(node("Identity", []string{"X"}, "Y"), tensorValue(11, "X", 7, "N"), tensorValue(12, "Y", 7, "N")))
	f.Add([]byte("\x3a\xff\xff\xff\xff\xff\xff\xff\xff\x7f"))
	f.Add([]byte("\x3a\x00"))
	r := load(f)
	f.Fuzz(func(t *testing.T, model []byte) {
		s, err := r.NewSession(model, ort.DefaultSessionConfig())
		if err != nil {
			if !errors.Is(err, palate.ErrInvalid) {
				t.Errorf("got %v, want ErrInvalid", err)
			}
			return
		}
		if len(s.Inputs()) == 0 || len(s.Outputs()) == 0 {
			t.Error("a session without inputs or outputs")
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}
