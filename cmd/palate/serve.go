package main

import (
	"context"
	"fmt"
	"net"

	"github.com/palate-art/palate/api"
	"github.com/palate-art/palate/internal/backup"
	"github.com/palate-art/palate/internal/collection"
	"github.com/palate-art/palate/internal/starter"
)

// defaultPort is where palate serves: 7-2-5-2-8-3 is "palate" on the keys of a
// telephone.
const defaultPort = 7252

type serveCommand struct {
	Addr string   `help:"Address to listen at. On loopback nobody is asked who is there; beyond it everybody is." default:"127.0.0.1:${port}"`
	Host []string `help:"Further host name that requests may name, such as the one that a proxy serves; may be repeated. The names of loopback always may be named, and beyond it this machine's addresses and name." placeholder:"NAME"`
	guardFlags
	NoEmbed bool `help:"Leave embedding to another process."`

	ImportRoot   []string `help:"Folder that the API may import from, with what is below it; none by default." placeholder:"DIR" type:"path"`
	Contact      string   `help:"Your e-mail address or page, which crawls that the API starts introduce themselves with. Without it a crawl needs a contact of its own, and with --insecure none is started." placeholder:"ADDRESS"`
	CrawlPrivate []string `help:"Host on a private address that crawls which the API starts may visit." placeholder:"HOST"`
	BackupFolder string   `help:"Folder that backups which the API starts go into, as palate backup makes them; without it none is started." placeholder:"DIR" type:"path"`
	BackupKeep   int      `help:"How many backups stay in that folder: older ones are removed, with the pictures that only they have. 0 keeps all." default:"0" placeholder:"N"`
}

// guardFlags say whom a server lets in.
type guardFlags struct {
	Insecure    bool     `help:"Let everybody in who reaches the server, also beyond loopback: whoever comes can rate, delete and start crawls."`
	SignIn      bool     `help:"Ask who is there on loopback too, as behind a proxy on this machine."`
	CorsOrigin  []string `help:"Origin of other pages that may ask, with a token, such as https://art.example; may be repeated." placeholder:"ORIGIN"`
	OpenMetrics bool     `help:"Let /metrics ask nobody who is there."`
}

func (f guardFlags) guard() collection.Guard {
	return collection.Guard{Insecure: f.Insecure, SignIn: f.SignIn, Origins: f.CorsOrigin, OpenMetrics: f.OpenMetrics}
}

// Run serves until interrupted.
func (c *serveCommand) Run(ctx context.Context, s *session) error {
	listener, err := net.Listen("tcp", c.Addr)
	if err != nil {
		return err
	}
	defer listener.Close()
	if _, err := collection.HostsFor(listener.Addr(), c.Host); err != nil {
		return err
	}
	if _, err := c.guard().Asks(listener.Addr()); err != nil {
		return err
	}
	if err := c.checkBackups(); err != nil {
		return err
	}
	s.fills = true
	return withModelToEmbed(ctx, s, func(h *collection.Model) error {
		if err := h.MayBackUpTo(c.BackupFolder); c.BackupFolder != "" && err != nil {
			return err
		}
		if !c.NoEmbed {
			if err := h.TellInt8(ctx); err != nil {
				return err
			}
		}
		return s.serve(ctx, h, listener, serveOptions{hosts: c.Host, guard: c.guard(), embed: !c.NoEmbed, opened: c.opened()})
	})
}

func (c *serveCommand) checkBackups() error {
	switch {
	case c.BackupKeep < 0:
		return usagef("--backup-keep is %d, want 0 or more", c.BackupKeep)
	case c.BackupKeep > 0 && c.BackupFolder == "":
		return usagef("--backup-keep goes with --backup-folder")
	case backup.IsArchive(c.BackupFolder):
		return usagef("--backup-folder is %s, want a folder, to which each backup adds what is new", c.BackupFolder)
	}
	return nil
}

type serveOptions struct {
	hosts  []string
	guard  collection.Guard
	embed  bool
	opened starter.Config // what the API may start jobs on
}

// opened is what the flags open to whoever reaches the API.
func (c *serveCommand) opened() starter.Config {
	config := starter.DefaultConfig()
	config.ImportRoots = c.ImportRoot
	config.Crawler.Contact, config.Crawler.Version, config.Crawler.PrivateHosts = c.Contact, version(), c.CrawlPrivate
	config.CallersContact = !c.Insecure // strangers could crawl in anybody's name
	config.BackupFolder, config.Backup = c.BackupFolder, backup.Options{Program: version(), Keep: c.BackupKeep}
	return config
}

// serve answers on the listener with the page and the API until ctx is done.
func (s *session) serve(ctx context.Context, h *collection.Model, listener net.Listener, options serveOptions) error {
	config := api.DefaultConfig()
	config.Version = version()
	var err error
	if config.Hosts, err = collection.HostsFor(listener.Addr(), options.hosts); err != nil {
		return err
	}
	tell, err := h.Guard(ctx, options.guard, &config, listener.Addr())
	if err != nil {
		return err
	}
	return h.Serve(ctx, listener, collection.ServeOptions{
		Embed:   options.embed,
		Version: version(),
		Answer:  collection.AnswerByAPI(config, options.opened, s.logger),
		Ready: func() {
			s.EndProgress()
			if config.Accounts == nil {
				collection.WarnOfListening(s.logger, listener.Addr(), config.Hosts)
			}
			fmt.Fprintf(s.errOut, "Serving the page and the API at %s — interrupt (Ctrl-C) to stop.\n", collection.Browsable(listener.Addr()))
			if tell != "" {
				fmt.Fprintln(s.errOut, tell)
			}
		},
	})
}
