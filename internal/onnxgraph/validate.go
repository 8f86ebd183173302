package onnxgraph

import (
	"errors"
	"fmt"

	"github.com/palate-art/palate"
)

// Validate reports everything that is wrong with the model, as
// palate.ErrInvalid: names that are empty, defined twice, used before their
// definition or never defined (a cycle always shows as a use before the
// definition), tensors whose data don't fit their shape, attributes without a
// value, operators of domains that are not imported.
func (m *Model) Validate() error {
	v := validator{domains: map[string]bool{}}
	if m.IRVersion < 3 {
		v.wrong("IR version %d, want at least 3", m.IRVersion)
	}
	for _, o := range m.Opsets {
		if v.domains[o.Domain] || o.Version < 1 {
			v.wrong("operator set %q version %d: imported twice or below 1", o.Domain, o.Version)
		}
		v.domains[o.Domain] = true
	}
	keys := map[string]bool{}
	for _, p := range m.Metadata {
		if keys[p.Key] {
			v.wrong("metadata %q is given twice", p.Key)
		}
		keys[p.Key] = true
	}
	switch {
	case m.Graph == nil:
		v.wrong("no graph")
	case len(m.Graph.Outputs) == 0:
		v.wrong("graph %q has no output", m.Graph.Name)
	default:
		v.graph(m.Graph, nil)
	}
	if len(v.problems) > 0 {
		return fmt.Errorf("onnx model: %w: %w", palate.ErrInvalid, errors.Join(v.problems...))
	}
	return nil
}

type validator struct {
	domains  map[string]bool
	problems []error
}

func (v *validator) wrong(format string, args ...any) {
	v.problems = append(v.problems, fmt.Errorf(format, args...))
}

// scope holds what is defined so far in a graph; later, where each output
// that is still to come is made.
type scope struct {
	outer   *scope
	defined map[string]bool
	later   map[string]string
}

func (s *scope) sees(name string) bool {
	for ; s != nil; s = s.outer {
		if s.defined[name] {
			return true
		}
	}
	return false
}

// graph checks one graph; outer is nil for the model's own.
func (v *validator) graph(g *Graph, outer *scope) {
	if g.Name == "" {
		v.wrong("a graph has no name")
	}
	s := &scope{outer: outer, defined: map[string]bool{}, later: map[string]string{}}
	define := func(name, what string) {
		switch {
		case name == "":
			v.wrong("graph %q: %s has no name", g.Name, what)
		case s.sees(name):
			v.wrong("graph %q: %s %q: the name is already defined", g.Name, what, name)
		}
		s.defined[name] = true
	}
	for _, in := range g.Inputs {
		define(in.Name, "input")
		v.value(g, in, outer == nil)
	}
	for _, t := range g.Initialisers {
		define(t.Name, "initialiser")
		if err := t.validate(); err != nil {
			v.wrong("graph %q: initialiser %q: %w", g.Name, t.Name, err)
		}
	}
	for i, n := range g.Nodes {
		for _, out := range n.Outputs {
			s.later[out] = nodeText(i, n)
		}
	}
	names := map[string]bool{}
	for i, n := range g.Nodes {
		if n.Name != "" && names[n.Name] {
			v.wrong("graph %q: two nodes are called %q", g.Name, n.Name)
		}
		names[n.Name] = true
		v.node(g, n, nodeText(i, n), s)
		for _, out := range n.Outputs {
			delete(s.later, out)
			if out != "" { // an optional output may be left out
				define(out, nodeText(i, n)+": output")
			}
		}
	}
	for _, out := range g.Outputs {
		if !s.sees(out.Name) {
			v.wrong("graph %q: output %q is not defined", g.Name, out.Name)
		}
		v.value(g, out, outer == nil)
	}
	for _, value := range g.Intermediate {
		if !s.sees(value.Name) {
			v.wrong("graph %q: intermediate %q is not defined", g.Name, value.Name)
		}
		v.value(g, value, true)
	}
}

func nodeText(i int, n Node) string { return fmt.Sprintf("node %d %q (%s)", i, n.Name, n.Op) }

func (v *validator) node(g *Graph, n Node, text string, s *scope) {
	if n.Op == "" || len(n.Outputs) == 0 {
		v.wrong("graph %q: %s has no operator or no output", g.Name, text)
	}
	if !v.domains[n.Domain] {
		v.wrong("graph %q: %s is of domain %q, which is not imported", g.Name, text, n.Domain)
	}
	for _, in := range n.Inputs {
		if in == "" || s.sees(in) {
			continue
		}
		if maker, ok := s.later[in]; ok {
			v.wrong("graph %q: %s takes %q, which only %s gives: the nodes are out of order or in a cycle", g.Name, text, in, maker)
		} else {
			v.wrong("graph %q: %s takes %q, which nothing gives", g.Name, text, in)
		}
	}
	names := map[string]bool{}
	for _, a := range n.Attributes {
		if a.Name == "" || names[a.Name] {
			v.wrong("graph %q: %s: attribute %q has no name or is given twice", g.Name, text, a.Name)
		}
		names[a.Name] = true
		own, all, single, known := a.lengths()
		if !known || own != all || single && own != 1 {
			v.wrong("graph %q: %s: attribute %q of kind %d has %d values of its kind and %d of others", g.Name, text, a.Name, a.Kind, own, all-own)
		}
		for _, t := range a.Tensors {
			if err := t.validate(); err != nil {
				v.wrong("graph %q: %s: attribute %q: %w", g.Name, text, a.Name, err)
			}
		}
		for _, body := range a.Graphs {
			if body == nil {
				v.wrong("graph %q: %s: attribute %q has no graph", g.Name, text, a.Name)
				continue
			}
			v.graph(body, s)
		}
	}
}

// value checks a declaration; only those of a body may leave the type open.
func (v *validator) value(g *Graph, value Value, typed bool) {
	if _, known := elementTypes[value.Type]; !known && (typed || value.Type != 0) {
		v.wrong("graph %q: value %q: element %s is not known", g.Name, value.Name, value.Type)
	}
	for i, d := range value.Shape {
		if d.Size < 0 || d.Name != "" && d.Size != 0 {
			v.wrong("graph %q: value %q: dimension %d has size %d and name %q", g.Name, value.Name, i, d.Size, d.Name)
		}
	}
}
