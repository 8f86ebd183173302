package museum

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/palate-art/palate"
)

// Museum is a synthetic art site. It is safe for concurrent use.
type Museum struct {
	cfg        Config
	works      []Work
	styleIndex []int // of each work, in painters
	files      []file
	byName     map[string]int // FileName -> index
	categories map[string]*category
	log        *accessLog
	faults     *faults

	mu       sync.Mutex
	listener net.Listener
	addr     string   // of the listener, kept after it is closed
	refused  []string // hosts that DialContext refused
}

// New plans the museum; it draws nothing and starts nothing. Its error is
// palate.ErrInvalid.
func New(cfg Config) (*Museum, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	m := &Museum{
		cfg:    cfg,
		works:  plan(cfg),
		files:  make([]file, cfg.Pictures),
		byName: make(map[string]int, cfg.Pictures),
		log:    newAccessLog(cfg.AccessLogWriter),
		faults: newFaults(cfg.Behaviour),
	}
	styles := Styles()
	for i, w := range m.works {
		m.styleIndex = append(m.styleIndex, slices.Index(styles, w.Style))
		m.byName[w.FileName] = i
	}
	m.categories = planCategories(m.works)
	return m, nil
}

// Works gives the truth about every picture, in order of Index, without
// drawing any. The slice is the caller's; its Categories are shared.
func (m *Museum) Works() []Work { return slices.Clone(m.works) }

// Artworks gives every work with its file's hash. It draws what was not
// asked for yet, some 15 ms a picture, on all processors; its error is ctx's
// or an encoder's. Called before a museum is visited, it makes every answer
// quick.
func (m *Museum) Artworks(ctx context.Context) ([]Artwork, error) {
	indices := make([]int, len(m.works))
	for i := range indices {
		indices[i] = i
	}
	if err := m.drawAhead(ctx, indices); err != nil {
		return nil, err
	}
	all := make([]Artwork, len(m.works))
	for i := range all {
		a, err := m.Artwork(i)
		if err != nil {
			return nil, err
		}
		all[i] = a
	}
	return all, nil
}

// drawAhead draws the works on all processors.
func (m *Museum) drawAhead(ctx context.Context, indices []int) error {
	var next atomic.Int64
	var workers sync.WaitGroup
	errs := make([]error, runtime.GOMAXPROCS(0))
	for k := range errs {
		workers.Go(func() {
			for ctx.Err() == nil && errs[k] == nil {
				at := int(next.Add(1)) - 1
				if at >= len(indices) {
					return
				}
				_, errs[k] = m.original(indices[at])
			}
		})
	}
	workers.Wait()
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("museum: draw pictures: %w", err)
	}
	return errors.Join(errs...)
}

// GalleryURL is the gallery's start page.
func (m *Museum) GalleryURL() string { return "http://" + GalleryHost + "/" }

// CommonsAPIURL is the address of MediaWiki's API.
func (m *Museum) CommonsAPIURL() string { return "http://" + CommonsHost + "/w/api.php" }

// CommonsCategory is the category, with its namespace, below which every
// work lies.
func (m *Museum) CommonsCategory() string { return "Category:" + rootCategory }

// CommonsCategoryURL is that category's HTML page.
func (m *Museum) CommonsCategoryURL() string {
	return "http://" + CommonsHost + "/wiki/" + wikiEscape(m.CommonsCategory())
}

// AccessLog gives every request since the last ClearLog in order of
// arrival, those still being answered included.
func (m *Museum) AccessLog() []Access { return m.log.snapshot() }

// ClearLog forgets all requests.
func (m *Museum) ClearLog() { m.log.clear() }

// SetBehaviour changes how requests are answered from now on and begins the
// counts of Rule.First anew. Its error is palate.ErrInvalid.
func (m *Museum) SetBehaviour(b Behaviour) error {
	if err := b.Validate(); err != nil {
		return err
	}
	m.faults.set(b)
	return nil
}

// Listen takes the address, "127.0.0.1:0" for a free port on loopback.
// Nothing is answered before Run. Its error is palate.ErrConflict when the
// museum listens already and palate.ErrUnavailable when the address can't
// be had.
func (m *Museum) Listen(addr string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.listener != nil {
		return fmt.Errorf("museum: already listening on %s: %w", m.addr, palate.ErrConflict)
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return fmt.Errorf("museum: listen on %s: %w: %w", addr, palate.ErrUnavailable, err)
	}
	m.listener, m.addr = l, l.Addr().String()
	return nil
}

// Addr is the address taken by Listen, "host:port"; empty before.
func (m *Museum) Addr() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.addr
}

// Run answers until ctx is done, then ends all connections and returns nil
// after the last request. It listens on a free port of loopback if Listen
// was not called.
func (m *Museum) Run(ctx context.Context) error {
	if m.Addr() == "" {
		if err := m.Listen("127.0.0.1:0"); err != nil {
			return err
		}
	}
	m.mu.Lock()
	listener := m.listener
	m.mu.Unlock()
	if listener == nil {
		return fmt.Errorf("museum: closed: %w", palate.ErrConflict)
	}
	var active sync.WaitGroup
	handler := m.Handler()
	server := &http.Server{
		// Hijacked connections are not the server's any more, so requests
		// are counted here.
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			active.Add(1)
			defer active.Done()
			handler.ServeHTTP(w, r)
		}),
		ReadHeaderTimeout: 10 * time.Second,
		BaseContext:       func(net.Listener) context.Context { return ctx },
	}
	stop := context.AfterFunc(ctx, func() { server.Close() })
	defer stop()
	err := server.Serve(listener)
	active.Wait()
	m.mu.Lock()
	m.listener = nil
	m.mu.Unlock()
	if errors.Is(err, http.ErrServerClosed) || ctx.Err() != nil {
		return nil
	}
	return fmt.Errorf("museum: serve: %w", err)
}

// Start listens and answers in the background until stop is called, which
// waits for the end and may be called once.
func (m *Museum) Start(addr string) (stop func() error, err error) {
	if err := m.Listen(addr); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- m.Run(ctx) }()
	return func() error {
		cancel()
		return <-done
	}, nil
}
