package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
)

const (
	// beat is how often a silent stream says that it is there, so that no
	// proxy takes it for dead, and notices a client that has gone.
	beat = 15 * time.Second

	// eventsPage is how many changes are read at a time, runsListed among how
	// many of the newest jobs those that run are looked for.
	eventsPage = 1000
	runsListed = 200

	// calm is how long images are gathered before they are told of again: a
	// crawl and its embedding would be an event a picture otherwise.
	calm = time.Second
)

// FollowEvents answers with a stream of what happens to jobs, images and tastes.
func (s *Server) FollowEvents(ctx context.Context, request FollowEventsRequestObject) (FollowEventsResponseObject, error) {
	if r := requestOf(ctx); r != nil && r.Method == http.MethodHead { // which has no body to wait for
		return streamed(func(w http.ResponseWriter) error {
			w.Header().Set("Content-Type", "text/event-stream")
			w.WriteHeader(http.StatusOK)
			return nil
		}), nil
	}
	stream := &eventStream{server: s, at: -1}
	if request.Params.LastEventID != nil {
		stream.at = *request.Params.LastEventID
	}
	return streamed(func(w http.ResponseWriter) error { return stream.serve(ctx, w) }), nil
}

// streamed is an answer that is written as it happens.
type streamed func(http.ResponseWriter) error

// VisitFollowEventsResponse writes it.
func (f streamed) VisitFollowEventsResponse(w http.ResponseWriter) error { return f(w) }

// eventStream is one answer: every event is flushed, and nothing bounds how
// long it lasts but the client and the server's end.
type eventStream struct {
	server *Server
	at     int64                   // the last change that the client has seen; -1 is none
	images map[palate.ImageID]bool // that are still to be told of
	told   time.Time               // when images were told of
	out    http.ResponseWriter
	flush  func() error
}

// serve writes the stream until its end, which is no error.
func (e *eventStream) serve(ctx context.Context, w http.ResponseWriter) error {
	control := http.NewResponseController(w)
	if err := control.SetWriteDeadline(time.Time{}); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	header := w.Header()
	header.Set("Content-Type", "text/event-stream")
	header.Set("Cache-Control", "no-store, no-transform")
	header.Set("X-Accel-Buffering", "no") // nginx holds answers back otherwise
	w.WriteHeader(http.StatusOK)
	e.out, e.flush = w, control.Flush
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		select {
		case <-e.server.closing:
			stop()
		case <-ctx.Done():
		}
	}()
	err := e.run(ctx)
	if ctx.Err() != nil { // the client has gone, or the server ends
		return nil
	}
	// The status is sent: the client comes again by itself.
	e.server.logger.WarnContext(ctx, "a stream of events broke off", "error", err)
	return nil
}

// run sends events until it fails or ctx is done, and returns why.
func (e *eventStream) run(ctx context.Context) error {
	c := e.server.services.Catalog
	if e.at < 0 {
		if err := e.begin(ctx); err != nil {
			return err
		}
	} else {
		e.server.endDead(ctx) // the server that the client listened to may be among them
	}
	for {
		err := e.advance(ctx)
		if errors.Is(err, palate.ErrConflict) { // what came then is forgotten, or of another catalog
			err = e.begin(ctx)
		}
		if err != nil {
			return err
		}
		patience := beat
		if len(e.images) > 0 {
			patience = max(time.Until(e.told.Add(calm)), 0)
		}
		waiting, cancel := context.WithTimeout(ctx, patience)
		_, err = c.Wait(waiting, uint64(e.at))
		silent := waiting.Err() != nil
		cancel()
		switch {
		case ctx.Err() != nil:
			err = ctx.Err()
		case silent && len(e.images) > 0:
			err = e.tellImages()
		case silent:
			e.server.endDead(ctx)
			err = e.write(fmt.Sprintf(": still here\nid: %d\n\n", e.at))
		}
		if err != nil {
			return err
		}
	}
}

// endDead ends the jobs of dead processes, so that none is told of as if it ran.
func (s *Server) endDead(ctx context.Context) {
	if _, err := s.services.Catalog.EndDeadRuns(ctx); err != nil { // of a collection that can't be written
		s.logger.DebugContext(ctx, "jobs of dead processes were not ended", "error", err)
	}
}

// begin tells of the jobs that run.
func (e *eventStream) begin(ctx context.Context) error {
	c := e.server.services.Catalog
	last, err := c.LastChange(ctx)
	if err != nil {
		return err
	}
	e.server.endDead(ctx)
	runs, err := c.ListRuns(ctx, 0, runsListed)
	if err != nil {
		return err
	}
	e.at = int64(last)
	e.images = nil
	if err := e.write(fmt.Sprintf(": jobs as they stand\nid: %d\n\n", e.at)); err != nil {
		return err
	}
	for _, run := range slices.Backward(runs) {
		if run.State == catalog.Running {
			if err := e.tell(ctx, run); err != nil {
				return err
			}
		}
	}
	return nil
}

// advance tells of the jobs that something has happened to since, of tastes that
// began to serve, and of images.
func (e *eventStream) advance(ctx context.Context) error {
	c := e.server.services.Catalog
	for {
		changes, err := c.ChangesAfter(ctx, uint64(e.at), eventsPage)
		if err != nil {
			return err
		}
		if len(changes) == 0 {
			if len(e.images) > 0 && time.Since(e.told) >= calm {
				return e.tellImages()
			}
			return nil
		}
		e.at = int64(changes[len(changes)-1].Number)
		if err := e.tellChanges(ctx, changes); err != nil {
			return err
		}
	}
}

// tellChanges tells of a page of changes, of each thing once.
func (e *eventStream) tellChanges(ctx context.Context, changes []catalog.Change) error {
	model, caller := e.server.services.Embedder.Model(), palate.CallerOf(ctx)
	var runs []int64
	var tastes []palate.Profile
	for _, change := range changes {
		switch change.Kind {
		case catalog.RunChanged:
			if !slices.Contains(runs, change.Run) {
				runs = append(runs, change.Run)
			}
		case catalog.ProbeChanged:
			// Of a profile that was deleted nothing is known but that.
			if p := change.Profile; p != "" && (change.Model == "" || change.Model == model) && caller.May(p) && !slices.Contains(tastes, p) {
				tastes = append(tastes, p)
			}
		case catalog.ImageChanged, catalog.EmbeddingChanged:
			if change.Kind == catalog.ImageChanged || change.Model == model {
				if e.images == nil {
					e.images = map[palate.ImageID]bool{}
				}
				e.images[change.Image] = true
			}
		}
	}
	// An event's id says that what came before it was told.
	if len(e.images) > 0 && len(runs)+len(tastes) > 0 {
		if err := e.tellImages(); err != nil {
			return err
		}
	}
	for _, profile := range tastes {
		if err := e.send("taste", map[string]palate.Profile{"profile": profile}); err != nil {
			return err
		}
	}
	for _, id := range runs {
		run, err := e.server.services.Catalog.RunByID(ctx, id)
		if err == nil {
			err = e.tell(ctx, run)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// tellImages tells how many images came, were changed or were embedded.
func (e *eventStream) tellImages() error {
	count := len(e.images)
	e.images, e.told = nil, time.Now()
	return e.send("images", map[string]int{"count": count})
}

func (e *eventStream) tell(ctx context.Context, run catalog.Run) error {
	stands, err := jobOf(ctx, run)
	if err != nil {
		return err
	}
	return e.send("job", stands)
}

func (e *eventStream) send(event string, value any) error {
	data, err := json.Marshal(value)
	if err != nil {
		return err
	}
	return e.write(fmt.Sprintf("id: %d\nevent: %s\ndata: %s\n\n", e.at, event, data))
}

func (e *eventStream) write(text string) error {
	if _, err := fmt.Fprint(e.out, text); err != nil {
		return err
	}
	return e.flush()
}
