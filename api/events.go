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
)

// FollowEvents answers with a stream of what happens to jobs.
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
	at     int64 // the last change that the client has seen; -1 is none
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
		e.endDead(ctx) // the server that the client listened to may be among them
	}
	for {
		err := e.advance(ctx)
		if errors.Is(err, palate.ErrConflict) { // what came then is forgotten, or of another catalog
			err = e.begin(ctx)
		}
		if err != nil {
			return err
		}
		waiting, cancel := context.WithTimeout(ctx, beat)
		_, err = c.Wait(waiting, uint64(e.at))
		silent := waiting.Err() != nil
		cancel()
		switch {
		case silent && ctx.Err() == nil:
			err = e.write(": still here\n\n")
		case ctx.Err() != nil:
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
	}
}

// endDead ends the jobs of dead processes.
func (e *eventStream) endDead(ctx context.Context) {
	if _, err := e.server.services.Catalog.EndDeadRuns(ctx); err != nil { // of a collection that can't be written
		e.server.logger.DebugContext(ctx, "jobs of dead processes were not ended", "error", err)
	}
}

// begin tells of the jobs that run.
func (e *eventStream) begin(ctx context.Context) error {
	c := e.server.services.Catalog
	last, err := c.LastChange(ctx)
	if err != nil {
		return err
	}
	e.endDead(ctx)
	runs, err := c.ListRuns(ctx, 0, runsListed)
	if err != nil {
		return err
	}
	e.at = int64(last)
	if err := e.write(": jobs as they stand\n\n"); err != nil {
		return err
	}
	for _, run := range slices.Backward(runs) {
		if run.State == catalog.Running {
			if err := e.tell(run); err != nil {
				return err
			}
		}
	}
	return nil
}

// advance tells of the jobs that something has happened to since.
func (e *eventStream) advance(ctx context.Context) error {
	c := e.server.services.Catalog
	for {
		changes, err := c.ChangesAfter(ctx, uint64(e.at), eventsPage)
		if err != nil || len(changes) == 0 {
			return err
		}
		e.at = int64(changes[len(changes)-1].Number)
		var told []int64
		for _, change := range changes {
			if change.Kind == catalog.RunChanged && !slices.Contains(told, change.Run) {
				told = append(told, change.Run)
			}
		}
		for _, id := range told {
			run, err := c.RunByID(ctx, id)
			if err == nil {
				err = e.tell(run)
			}
			if err != nil {
				return err
			}
		}
	}
}

func (e *eventStream) tell(run catalog.Run) error {
	stands, err := jobOf(run)
	if err != nil {
		return err
	}
	data, err := json.Marshal(stands)
	if err != nil {
		return err
	}
	return e.write(fmt.Sprintf("id: %d\nevent: job\ndata: %s\n\n", e.at, data))
}

func (e *eventStream) write(text string) error {
	if _, err := fmt.Fprint(e.out, text); err != nil {
		return err
	}
	return e.flush()
}
