package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// operation is one kind of request.
type operation struct {
	name string
	ask  request
}

// known are what requests are made of.
type known struct {
	n      int
	images []string // ids, by chance
	files  []string // of those that have a file
	deep   string   // the cursor of a page at nine tenths of the list
}

func (k known) operations() []operation {
	get := func(path string) request {
		return func(*rand.Rand) (string, string, string) { return http.MethodGet, path, "" }
	}
	one := func(of []string, path string) request {
		return func(r *rand.Rand) (string, string, string) {
			return http.MethodGet, fmt.Sprintf(path, of[r.IntN(len(of))]), ""
		}
	}
	post := func(path, body string) request {
		return func(*rand.Rand) (string, string, string) { return http.MethodPost, path, body }
	}
	return []operation{
		{"list", get("/v1/images")},
		{"deep list", get("/v1/images?cursor=" + url.QueryEscape(k.deep))},
		{"neighbours", one(k.images, "/v1/images/%s/neighbours")},
		{"scores", get("/v1/profiles/me/scores")},
		{"queue", get("/v1/profiles/me/queue")},
		{"text search", func(r *rand.Rand) (string, string, string) {
			q := strings.ToLower(words[r.IntN(len(words))])
			switch r.IntN(3) { // a frequent word, one that one image has, and none that there is
			case 0:
				q = fmt.Sprintf("no. %d", k.n-1-r.IntN(k.n*9/10))
			case 1:
				q = fmt.Sprintf("harbur %d", r.IntN(1000))
			}
			return http.MethodGet, "/v1/images?q=" + url.QueryEscape(q), ""
		}},
		{"facets", func(r *rand.Rand) (string, string, string) {
			facets := []string{"artist", "year", "licence", "site", "category", "artist?q=artist+1", "category?q=river"}
			return http.MethodGet, "/v1/facets/" + facets[r.IntN(len(facets))], ""
		}},
		{"whole list", post("/v1/profiles/me/snapshots", `{"order":"newest"}`)},
		{"collapsed list", post("/v1/profiles/me/snapshots", `{"order":"newest","collapse":true}`)},
		{"probe summary", get("/v1/profiles/me/probe")},
		{"thumbnail", one(k.files, "/v1/images/%s/thumbnail")},
	}
}

// ratings is the name of what is measured of many ratings in one request.
const ratings = "ratings"

func (o options) wants(operation string) bool {
	return o.only == "" || slices.Contains(strings.Split(o.only, ","), operation)
}

// child is a server of its own process.
type child struct {
	*client
	cmd *exec.Cmd
}

func start(ctx context.Context, folder string) (*child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, self, "--serve", folder)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return nil, errors.Join(fmt.Errorf("the server did not say where it is: %w", err), cmd.Wait())
	}
	return &child{newClient(strings.TrimSpace(line)), cmd}, nil
}

func (c *child) stop() {
	_ = c.cmd.Process.Signal(os.Interrupt)
	_ = c.cmd.Wait()
}

// measure makes a collection and measures everything of it.
func measure(ctx context.Context, o options, n int, largest bool) (m measured, err error) {
	folder := filepath.Join(o.folder, fmt.Sprint(n))
	if _, err := os.Stat(filepath.Join(folder, catalogDB)); err != nil {
		begun := time.Now()
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return m, err
		}
		if err := fill(ctx, o, n, folder); err != nil {
			return m, errors.Join(err, os.RemoveAll(folder))
		}
		fmt.Fprintf(os.Stderr, "%d images made in %v\n", n, time.Since(begun).Round(time.Second))
	}
	s, err := start(ctx, folder)
	if err != nil {
		return m, err
	}
	defer s.stop()
	k, err := s.lookAround(ctx, n)
	if err != nil {
		return m, err
	}
	m.Images, m.Ratings = n, o.ratings
	operations := k.operations()
	for _, op := range operations {
		if !o.wants(op.name) {
			continue
		}
		one, err := s.operation(ctx, o, op)
		if err != nil {
			return m, fmt.Errorf("%s: %w", op.name, err)
		}
		m.Operations = append(m.Operations, one)
		fmt.Fprintf(os.Stderr, "%d images, %s: p50 %.2f ms, p99 %.2f, %.1f times a file of %d bytes; %.2f ms of CPU\n", n, op.name, one.P50, one.P99, one.TimesOfFile, one.Bytes, one.CPU)
	}
	if o.wants(ratings) {
		if m.Bulk, err = s.bulk(ctx, o, k); err != nil {
			return m, err
		}
	}
	if largest && o.soak > 0 {
		m.Memory, err = s.soak(ctx, o, operations)
	}
	return m, err
}

// lookAround finds what requests can be made of.
func (c *client) lookAround(ctx context.Context, n int) (k known, err error) {
	k.n = n
	var page struct {
		Images []struct {
			ID    string
			Bytes int64
		}
		Next string `json:"next_cursor"`
	}
	c = &client{c.base, &http.Client{}} // unpacked
	cursor := ""
	for seen := 0; seen < n; seen += len(page.Images) {
		if seen >= n*9/10 && k.deep == "" {
			k.deep = cursor
		}
		query := url.Values{"limit": {"200"}}
		if cursor != "" {
			query.Set("cursor", cursor)
		}
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+"/v1/images?"+query.Encode(), nil)
		if err != nil {
			return k, err
		}
		answer, err := c.http.Do(r)
		if err != nil {
			return k, err
		}
		page.Images, page.Next = nil, ""
		err = errors.Join(json.NewDecoder(answer.Body).Decode(&page), answer.Body.Close())
		if err != nil || len(page.Images) == 0 {
			return k, fmt.Errorf("the list of images ends at %d of %d: %w", seen, n, err)
		}
		for i, image := range page.Images {
			if i%10 == 0 {
				k.images = append(k.images, image.ID)
			}
			if image.Bytes > 8 {
				k.files = append(k.files, image.ID)
			}
		}
		cursor = page.Next
	}
	for _, id := range k.files { // thumbnails are made when a picture is embedded
		if _, err := c.ask(ctx, http.MethodGet, "/v1/images/"+id+"/thumbnail", ""); err != nil {
			return k, err
		}
	}
	return k, nil
}

// operation measures one, in turns with a file of the size of its answers.
func (c *client) operation(ctx context.Context, o options, op operation) (m operationMeasured, err error) {
	m.Name = op.name
	random := rand.New(rand.NewPCG(o.seed, 2))
	for range 30 { // what is kept from the first request on is there
		method, path, body := op.ask(random)
		if _, err := c.ask(ctx, method, path, body); err != nil {
			return m, err
		}
	}
	most, err := c.closed(ctx, op.ask, o.clients, o.part, o.seed)
	if err != nil {
		return m, err
	}
	if o.profile {
		if err := c.profileOf(ctx, o, op, most); err != nil {
			return m, err
		}
	}
	m.Most, m.Rate = most, most/2
	var p50, p99, cpu, fileP99, fileCPU, ratio []float64
	for round := 0; round < o.rounds; {
		l, f, err := c.turn(ctx, o, op, m.Rate, o.seed+uint64(round))
		if errors.Is(err, errBehind) && m.Behind < 2*o.rounds {
			// Another program had the machine: half of the most is little. The
			// round is done again, at a lower rate, and that is told.
			m.Behind++
			m.Rate /= 2
			continue
		}
		if err != nil {
			return m, err
		}
		round++
		m.Answers, m.Bytes = m.Answers+l.answers, l.bytes
		p50, p99, cpu = append(p50, ms(l.p50)), append(p99, ms(l.p99)), append(cpu, ms(l.cpuPerRequest))
		fileP99, fileCPU, ratio = append(fileP99, ms(f.p99)), append(fileCPU, ms(f.cpuPerRequest)), append(ratio, ms(l.p99)/ms(f.p99))
	}
	m.P50, m.P99, m.CPU = quantile(p50, .5), quantile(p99, .5), quantile(cpu, .5)
	m.FileP99, m.FileCPU, m.TimesOfFile = quantile(fileP99, .5), quantile(fileCPU, .5), quantile(ratio, .5)
	return m, nil
}

// turn asks for the operation and then for the file.
func (c *client) turn(ctx context.Context, o options, op operation, rate float64, seed uint64) (l, f load, err error) {
	if l, err = c.open(ctx, op.ask, rate, o.part, seed); err != nil {
		return l, f, err
	}
	path := fmt.Sprintf("/bench/static/%d", l.bytes)
	if _, err := c.ask(ctx, http.MethodGet, path, ""); err != nil {
		return l, f, err
	}
	f, err = c.open(ctx, func(*rand.Rand) (string, string, string) { return http.MethodGet, path, "" }, rate, o.part, seed)
	return l, f, err
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// profileOf writes the server's profile under the operation's load to a file.
func (c *client) profileOf(ctx context.Context, o options, op operation, most float64) error {
	name := filepath.Join(o.folder, strings.ReplaceAll(op.name, " ", "-")+".pprof")
	done := make(chan error, 1)
	go func() {
		content, err := c.ask(ctx, http.MethodGet, fmt.Sprintf("/bench/profile?seconds=%d", max(1, int(o.part.Seconds()))), "")
		if err == nil {
			err = os.WriteFile(name, content, 0o600)
		}
		done <- err
	}()
	_, err := c.open(ctx, op.ask, most/2, o.part, o.seed)
	fmt.Fprintln(os.Stderr, "profile of", op.name, "in", name)
	return errors.Join(err, <-done)
}

// bulk compares a thousand ratings in one request with twenty requests of one,
// which are sent by turns.
func (c *client) bulk(ctx context.Context, o options, k known) (b bulkMeasured, err error) {
	said := 0
	next := func() (image, verdict string) { // never what stands
		said++
		return k.images[said%len(k.images)], []string{"like", "dislike"}[said/len(k.images)%2]
	}
	took := func(ask func() error) (wall, cpu float64, err error) {
		before, err := c.used(ctx, false)
		if err != nil {
			return 0, 0, err
		}
		begun := time.Now()
		if err := ask(); err != nil {
			return 0, 0, err
		}
		wall = ms(time.Since(begun))
		after, err := c.used(ctx, false)
		return wall, ms(after.cpu - before.cpu), err
	}
	single := func() error {
		for range 20 {
			image, verdict := next()
			if _, err := c.ask(ctx, http.MethodPut, "/v1/profiles/bulk/ratings/"+image, fmt.Sprintf(`{"verdict":%q}`, verdict)); err != nil {
				return err
			}
		}
		return nil
	}
	together := func() error {
		list := make([]string, 1000)
		for i := range list {
			image, verdict := next()
			list[i] = fmt.Sprintf(`{"image_id":%q,"verdict":%q}`, image, verdict)
		}
		_, err := c.ask(ctx, http.MethodPost, "/v1/profiles/bulk/ratings", `{"ratings":[`+strings.Join(list, ",")+`]}`)
		return err
	}
	var singles, singlesCPU, togethers, togethersCPU, times []float64
	for range 7 * o.rounds {
		one, oneCPU, err := took(single)
		if err != nil {
			return b, err
		}
		all, allCPU, err := took(together)
		if err != nil {
			return b, err
		}
		singles, togethers, times = append(singles, one), append(togethers, all), append(times, all/one)
		singlesCPU, togethersCPU = append(singlesCPU, oneCPU), append(togethersCPU, allCPU)
	}
	return bulkMeasured{
		Single20: quantile(singles, .5), Single20CPU: quantile(singlesCPU, .5), Together1000: quantile(togethers, .5), Together1000CPU: quantile(togethersCPU, .5),
		Times: quantile(times, .5),
	}, nil
}
