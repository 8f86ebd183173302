package ort

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// check compares what goes into a Run with what the model declares.
func (s *Session) check(inputs map[string]Tensor, outputs []string) error {
	var errs []error
	named := map[string]int64{}
	for _, info := range s.inputs {
		t, ok := inputs[info.Name]
		if !ok {
			errs = append(errs, fmt.Errorf("input %q is missing", info.Name))
			continue
		}
		if err := info.accepts(t, named); err != nil {
			errs = append(errs, fmt.Errorf("input %q: %w", info.Name, err))
		}
	}
	for name := range inputs {
		if !slices.ContainsFunc(s.inputs, func(i IOInfo) bool { return i.Name == name }) {
			errs = append(errs, fmt.Errorf("the model has no input %q, it has %q", name, ioNames(s.inputs)))
		}
	}
	for _, name := range outputs {
		i := slices.IndexFunc(s.outputs, func(i IOInfo) bool { return i.Name == name })
		if i < 0 {
			errs = append(errs, fmt.Errorf("the model has no output %q, it has %q", name, ioNames(s.outputs)))
		} else if t := s.outputs[i].ElementType; t != Float32 {
			errs = append(errs, fmt.Errorf("output %q is %s, only float32 can be read", name, t))
		}
	}
	return errors.Join(errs...)
}

// accepts reports whether t fits the declaration; named holds the sizes that
// earlier inputs gave to named dimensions.
func (info IOInfo) accepts(t Tensor, named map[string]int64) error {
	if !slices.Contains([]string{Float32, Float16, Uint8}, info.ElementType) {
		return fmt.Errorf("the model wants %s, only float32, float16 and uint8 can be given", info.ElementType)
	}
	if len(t.Shape) == 0 {
		return errors.New("the tensor has no dimensions")
	}
	elements := int64(1)
	for _, n := range t.Shape {
		if n < 0 {
			return fmt.Errorf("shape %v has a negative dimension", t.Shape)
		}
		if n > 0 && elements > math.MaxInt64/n {
			return fmt.Errorf("shape %v is too large", t.Shape)
		}
		elements *= n
	}
	if elements != int64(len(t.Data)) {
		return fmt.Errorf("shape %v holds %d values, there are %d", t.Shape, elements, len(t.Data))
	}
	if !info.shaped {
		return nil
	}
	if len(t.Shape) != len(info.Shape) {
		return fmt.Errorf("shape %v, the model wants %v", t.Shape, info.Shape)
	}
	for i, want := range info.Shape {
		if want >= 0 && t.Shape[i] != want {
			return fmt.Errorf("shape %v, the model wants %v", t.Shape, info.Shape)
		}
		name := info.dimNames[i]
		if want >= 0 || name == "" {
			continue
		}
		if size, ok := named[name]; ok && size != t.Shape[i] {
			return fmt.Errorf("dimension %s is %d here and %d in another input", name, t.Shape[i], size)
		}
		named[name] = t.Shape[i]
	}
	return nil
}

// checkInto compares what a Run is to write into with what the model declares.
func (s *Session) checkInto(into map[string]Tensor) error {
	var errs []error
	for name, t := range into {
		i := slices.IndexFunc(s.outputs, func(i IOInfo) bool { return i.Name == name })
		if i < 0 {
			errs = append(errs, fmt.Errorf("the model has no output %q, it has %q", name, ioNames(s.outputs)))
			continue
		}
		info := s.outputs[i]
		fixed := info.shaped && !slices.ContainsFunc(info.Shape, func(n int64) bool { return n < 0 })
		if info.ElementType != Float32 || !fixed {
			errs = append(errs, fmt.Errorf("output %q can't be written into given memory: that takes float32 and a shape that is all known", name))
		} else if err := info.accepts(t, nil); err != nil {
			errs = append(errs, fmt.Errorf("output %q: %w", name, err))
		}
	}
	return errors.Join(errs...)
}
