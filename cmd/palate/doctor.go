package main

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/palate-art/palate/internal/collection"
	"github.com/palate-art/palate/internal/doctor"
	"github.com/palate-art/palate/internal/terminal"
)

type doctorCommand struct{}

// Run looks at everything and fails if anything is wrong.
func (c *doctorCommand) Run(ctx context.Context, s *session) error {
	used, err := s.collectionModels(ctx)
	if err != nil { // it is told with the collection
		used = nil
	}
	d := doctor.Look(ctx, doctor.Subject{Version: version(), Config: s.collectionConfig(), Loader: s.loader(), Used: used,
		Open: func(ctx context.Context) (*collection.Collection, error) { return openHome(ctx, s) }})
	if err := s.Show(d, func() { s.printDiagnosis(d) }); err != nil {
		return err
	}
	if len(d.Problems) > 0 {
		return fmt.Errorf("%d problem(s) found", len(d.Problems))
	}
	return nil
}

func (s *session) printDiagnosis(d doctor.Diagnosis) {
	s.Say("%s", d.Head())
	rows := [][]string{{"SOURCE", "ANSWER", "WHERE"}}
	for _, a := range d.Runtime.Sources {
		rows = append(rows, []string{a.Source, terminal.Shorten(cmp.Or(a.Reason, "found"), 70), terminal.Shorten(a.Where, 70)})
	}
	s.Table(rows...)
	s.Say("")
	rows = [][]string{{"EXECUTION PROVIDER", "USABLE", "WHY NOT"}}
	for _, p := range d.Runtime.Providers {
		rows = append(rows, []string{p.Name, terminal.YesNo(p.Available), p.Why})
	}
	s.Table(rows...)
	s.Say("")
	rows = [][]string{{"MODEL", "SIZE", "STATE", "WHERE"}}
	for _, m := range d.Models.Here {
		rows = append(rows, []string{m.Name, terminal.Bytes(m.Bytes), m.StateText(), cmp.Or(m.File, m.Source)})
	}
	s.Table(rows...)
	s.Say("")
	hub := d.Models.Endpoint
	if d.Models.Offline {
		hub += " (offline)"
	}
	s.Say("Models read  %s; of .onnx, .safetensors, .pth and .bin files", strings.Join(d.Models.Families, ", "))
	s.Say("Model hub    %s, its cache is %s", hub, d.Models.HubCache)
	if m := d.Model; m != nil {
		s.Say("Model        %s (%.12s), %d values on %s", m.Name, m.ID, m.Dim, m.Provider)
		if m.Advice != "" {
			s.Say("             %s", m.Advice)
		}
	}
	if c := d.Collection; c != nil {
		s.sayAll(c.Words())
	} else {
		s.Say("Collection   none in %s yet", s.Data)
	}
	for _, problem := range d.Problems {
		s.Say("\nPROBLEM  %s", problem)
	}
	if len(d.Problems) == 0 {
		s.Say("\nNothing is wrong with what was looked at: %s.", d.Looked())
	}
}
