package collection

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/palate-art/palate/api"
	"github.com/palate-art/palate/internal/atlas"
	"github.com/palate-art/palate/internal/ingest"
	"github.com/palate-art/palate/internal/starter"
)

// AnswerByAPI answers with the page and the REST API, and runs the jobs that
// callers start within what is opened to them.
func AnswerByAPI(config api.Config, opened starter.Config, logger *slog.Logger) Answer {
	return func(m *Model) (func(context.Context, net.Listener) error, error) {
		jobs := starter.New(starter.Parts{Catalog: m.Catalog, Tastes: m.Tastes, Steps: m}, opened, logger)
		server, err := api.New(api.Services{Catalog: m.Catalog, Store: m.Store, Collection: m.Pictures, Index: m.Index,
			Follower: m.Follower, Embedder: m.Embedder, Tastes: m.Tastes, Patches: m.Patches, Starter: jobs, Map: atlas.NewKept(m.mapFile()).Map,
			FreeSpace: func() (uint64, bool) { return ingest.FreeSpace(m.Folder()) }}, config, logger)
		if err != nil {
			return nil, err
		}
		return func(ctx context.Context, listener net.Listener) error {
			group, ctx := errgroup.WithContext(ctx)
			group.Go(func() error { return server.Run(ctx, listener) })
			group.Go(func() error { return jobs.Run(ctx) })
			return group.Wait()
		}, nil
	}
}

// beyondLoopback reports whether others than this machine may reach the
// listener.
func beyondLoopback(address net.Addr) bool {
	tcp, ok := address.(*net.TCPAddr)
	return !ok || !tcp.IP.IsLoopback()
}

// Browsable is the listener's address as a browser can open it: one that
// listens everywhere is opened on loopback. "0.0.0.0" is told as "[::]" where
// the system listens for both kinds of address at once, so that 127.0.0.1
// answers for either.
func Browsable(address net.Addr) string {
	if tcp, ok := address.(*net.TCPAddr); ok && tcp.IP.IsUnspecified() {
		return fmt.Sprintf("http://127.0.0.1:%d", tcp.Port)
	}
	return "http://" + address.String()
}

// HostsFor are the host names that a server at the address answers for, sorted:
// those of loopback, the given ones, and, where others may reach it, the
// addresses and the name of this machine. What is no host name is an AskedError.
func HostsFor(address net.Addr, given []string) ([]string, error) {
	hosts := api.DefaultConfig().Hosts
	for _, name := range given {
		if name == "" { // PALATE_HOST that is set to nothing
			continue
		}
		host, err := parseHost(name)
		if err != nil {
			return nil, err
		}
		hosts = append(hosts, host)
	}
	if beyondLoopback(address) {
		hosts = append(hosts, machineNames()...)
	}
	slices.Sort(hosts)
	return slices.Compact(hosts), nil
}

// parseHost reads what --host was given: a name or an IP address alone.
func parseHost(name string) (string, error) {
	host := strings.TrimSuffix(strings.ToLower(strings.TrimSpace(name)), ".")
	if ip, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return ip.Unmap().WithZone("").String(), nil
	}
	if host == "" || strings.ContainsAny(host, "/:@*?#[] \t") {
		return "", askedf("--host is %q, want a host name or an IP address, without http:// and without a port", name)
	}
	return host, nil
}

// machineNames are this machine's addresses and names, as far as it knows
// them; what it doesn't know is given.
func machineNames() []string {
	var names []string
	if addresses, err := net.InterfaceAddrs(); err == nil {
		for _, address := range addresses {
			if prefix, err := netip.ParsePrefix(address.String()); err == nil {
				names = append(names, prefix.Addr().Unmap().WithZone("").String())
			}
		}
	}
	if name, err := os.Hostname(); err == nil && name != "" {
		name = strings.ToLower(name)
		if names = append(names, name); !strings.Contains(name, ".") {
			names = append(names, name+".local") // how its own network finds it
		}
	}
	return names
}

// WarnOfListening says once what it means to listen beyond this machine and ask
// nobody, if the address does.
func WarnOfListening(logger *slog.Logger, address net.Addr, hosts []string) {
	if !beyondLoopback(address) {
		return
	}
	logger.Warn("The server listens beyond this machine and, by --insecure, asks nobody who is there: whoever reaches it can rate, delete and start crawls. "+
		"Leave --insecure out, put a proxy that asks in front of it, or listen at 127.0.0.1; from a container publish the port to this machine alone, as docker-compose.yml does.",
		"address", address.String(), "answers_for", strings.Join(hosts, ","), "more_names", "--host NAME")
}
