// Package cli is the command line: the flags, and the one-shot commands that are not the daemon of package app.
package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	stdlog "log"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"syscall"

	"github.com/alecthomas/kingpin/v2"
	"github.com/go-kit/log/level"
	"github.com/prometheus/common/version"
	toolkit "github.com/prometheus/exporter-toolkit/web"
	"github.com/prometheus/exporter-toolkit/web/kingpinflag"

	"github.com/ycm-exporter/ycm_exporter/internal/app"
	"github.com/ycm-exporter/ycm_exporter/internal/config"
	"github.com/ycm-exporter/ycm_exporter/internal/doctor"
	"github.com/ycm-exporter/ycm_exporter/internal/exposition"
	"github.com/ycm-exporter/ycm_exporter/internal/web"
)

// options are the command line, parsed.
type options struct {
	configFile  string
	check       bool
	expandEnv   bool
	once        bool
	demo        bool
	demoPBXs    int
	incidents   bool
	healthcheck bool
	logLevel    string
	logFormat   string
	storagePath string
	web         web.Options
	site        web.Site // what web says of the paths
	serve       *toolkit.FlagConfig

	phones       string // an account's name
	phonesFormat string
	doctor       bool
	doctorFormat string
	capture      string // a file
	replay       string // a file
}

// Run is the whole program: it returns the exit code when the work is done, ctx ends or a signal ends it.
func Run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	ctx, restore := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer restore()
	signal.Ignore(syscall.SIGPIPE) // A closed pipe is an error of the write.
	stdlog.SetOutput(io.Discard)   // The HTTP client writes there what a server sent, tokens and all.
	o, code, done := parse(args, stdout, stderr)
	if done {
		return code
	}
	if err := o.dispatch(ctx, stdout, stderr); err != nil {
		fmt.Fprintf(stderr, "ycm_exporter: %v\n", err)
		return 1
	}
	return 0
}

// parse reads the command line; done is whether nothing is left to do but to exit with code.
func parse(args []string, stdout, stderr io.Writer) (o options, code int, done bool) {
	flags := kingpin.New("ycm_exporter", "Prometheus exporter for Yeastar Central Management (YCM). Polls all Cloud PBXs in the background, within the rate limit of the API.")
	flags.UsageWriter(stdout).ErrorWriter(stderr)
	flags.Terminate(func(c int) { code, done = c, true })
	flags.HelpFlag.Short('h').NoEnvar()
	flags.Version(fmt.Sprintf("ycm_exporter, version %s (revision: %s, %s, %s/%s)", app.Version(), version.GetRevision(), runtime.Version(), runtime.GOOS, runtime.GOARCH))
	flags.VersionFlag.NoEnvar() // Images like to have a variable of that name.
	flags.DefaultEnvars()

	flags.Flag("config.file", "Configuration file.").Default("config.yml").StringVar(&o.configFile)
	flags.Flag("config.check", "Validate the configuration, print every error with file, line and field, and exit with 0 or 1.").BoolVar(&o.check)
	flags.Flag("config.expand-env", "Replace ${NAME} in the configuration by environment variables. A variable that is not set is an error.").BoolVar(&o.expandEnv)
	flags.Flag("once", "Poll every enabled collector once, print the metrics, and exit with 0 if all succeeded, else 1.").BoolVar(&o.once)
	flags.Flag("phones", "Print the phone catalogue of each firmware version of this account, and exit.").PlaceHolder("ACCOUNT").StringVar(&o.phones)
	flags.Flag("phones.format", "Output format of --phones. One of: [table, json]").Default("table").EnumVar(&o.phonesFormat, "table", "json")
	flags.Flag("doctor", "Run compatibility checks against each account (at most 25 requests), print a report without secret or personal data, and exit with 0 if it finds no problem, else 1.").BoolVar(&o.doctor)
	flags.Flag("doctor.format", "Output format of --doctor. One of: [text, json]").Default("text").EnumVar(&o.doctorFormat, "text", "json")
	flags.Flag("capture", "With --doctor or --once: write the API's responses to this file, scrubbed of names, serial numbers, addresses and secrets.").PlaceHolder("FILE").StringVar(&o.capture)
	flags.Flag("healthcheck", "Query the health of the exporter that listens on --web.listen-address, and exit with 0 or 1.").BoolVar(&o.healthcheck)
	flags.Flag("demo", "Export a simulated fleet. Needs no account and no configuration file.").BoolVar(&o.demo)
	flags.Flag("demo.pbxs", "Number of simulated Cloud PBXs.").Default("200").IntVar(&o.demoPBXs)
	flags.Flag("demo.incidents", "Simulate every kind of incident instead of normal operation.").BoolVar(&o.incidents)
	flags.Flag("demo.replay", "Replay a file written by --capture instead of simulating a fleet. Implies --demo.").PlaceHolder("FILE").StringVar(&o.replay)
	o.serve = kingpinflag.AddFlags(flags, ":10055")
	flags.Flag("web.telemetry-path", "Path under which metrics are served.").Default("/metrics").StringVar(&o.web.TelemetryPath)
	flags.Flag("web.external-url", "The URL under which the exporter is externally reachable (for example, if served via a reverse proxy). Used for the targets of /sd and redirects. Its path is the prefix of all HTTP endpoints, unless --web.route-prefix is set.").PlaceHolder("URL").StringVar(&o.web.ExternalURL)
	flags.Flag("web.route-prefix", "Prefix for the paths of all HTTP endpoints. Defaults to the path of --web.external-url.").PlaceHolder("PATH").StringVar(&o.web.RoutePrefix)
	flags.Flag("web.enable-lifecycle", "Enable reloading the configuration via POST /-/reload.").BoolVar(&o.web.Lifecycle)
	flags.Flag("web.enable-pprof", "Enable profiling via /debug/pprof.").BoolVar(&o.web.Pprof)
	flags.Flag("web.sd-shards", "Number of targets per account in /sd, each with a part of the Cloud PBXs.").Default("1").IntVar(&o.web.SDShards)
	flags.Flag("storage.path", "Directory for persistent state (last snapshots, refused logins). Persistence is disabled if unset and in demo mode.").PlaceHolder("DIRECTORY").StringVar(&o.storagePath)
	flags.Flag("log.level", "Only log messages with the given severity or above. One of: [debug, info, warn, error]").Default("info").EnumVar(&o.logLevel, "debug", "info", "warn", "error")
	flags.Flag("log.format", "Output format of log messages. One of: [logfmt, json]").Default("logfmt").EnumVar(&o.logFormat, "logfmt", "json")

	o.web.Version = app.Version()
	_, err := flags.Parse(args)
	if done {
		return o, code, true
	}
	if err != nil {
		err = cmp.Or(wrongValue(flags, args), err)
	}
	o.demo = o.demo || o.replay != ""
	if o.demo {
		o.storagePath = "" // Each demo has another fleet. The image sets the path in the environment, whatever is run in it.
	}
	if err == nil {
		err = o.validate()
	}
	if err != nil {
		fmt.Fprintf(stderr, "ycm_exporter: %v; see --help\n", err)
		return o, 1, true
	}
	return o, 0, false
}

// wrongValue reports a value, of the command line or the environment, that does not fit its flag: kingpin's own errors name neither
// the flag nor the variable.
func wrongValue(flags *kingpin.Application, args []string) error {
	for _, arg := range args {
		name, _, hasValue := strings.Cut(arg, "=")
		on := strings.TrimPrefix(strings.TrimPrefix(name, "--"), "no-")
		if flag := flags.GetFlag(on); hasValue && flag != nil && flag.Model().IsBoolFlag() {
			return fmt.Errorf("%s takes no value; write --%s or --no-%[2]s", name, on)
		}
	}
	given := map[string]*string{}
	line, _ := flags.ParseContext(args) // An error of it was returned already.
	for _, element := range line.Elements {
		if clause, ok := element.Clause.(*kingpin.FlagClause); ok {
			given[clause.Model().Name] = element.Value
		}
	}
	for _, flag := range flags.Model().Flags {
		name, value := "--"+flag.Name, os.Getenv(flag.Envar)
		if g := given[flag.Name]; g != nil {
			value = *g
		} else if value == "" {
			continue
		} else {
			name = flag.Envar + " (" + name + ")"
		}
		if err := flag.Value.Set(value); err != nil {
			return fmt.Errorf("%s cannot be %q: %w", name, value, cmp.Or(errors.Unwrap(err), err))
		}
	}
	return nil
}

// validate checks what kingpin cannot: values that fit their type but make no sense.
func (o *options) validate() (err error) {
	if o.site, err = o.web.Site(); err != nil {
		return err
	}
	if o.web.SDShards < 1 || o.web.SDShards > exposition.MaxShards {
		return fmt.Errorf("--web.sd-shards is %d, but must be from 1 to %d", o.web.SDShards, exposition.MaxShards)
	}
	if o.demo && (o.demoPBXs < 1 || o.demoPBXs > 1_000_000) {
		return fmt.Errorf("--demo.pbxs is %d, but must be from 1 to 1000000", o.demoPBXs)
	}
	if o.demo && o.check {
		return errors.New("--config.check and --demo are mutually exclusive: the demo has no configuration file")
	}
	if o.phones != "" && (o.once || o.check || o.doctor) || o.doctor && (o.once || o.check) {
		return errors.New("--phones, --once, --doctor and --config.check are mutually exclusive; use one of them")
	}
	if o.capture != "" && !o.once && !o.doctor {
		return errors.New("--capture needs --doctor or --once")
	}
	return nil
}

// dispatch runs the command that the flags select.
func (o options) dispatch(ctx context.Context, stdout, stderr io.Writer) error {
	logger := app.NewLogger(stderr, o.logLevel, o.logFormat)
	if o.healthcheck {
		return o.checkHealth(ctx, stdout)
	}
	if !o.check && !o.once && !o.doctor && o.phones == "" {
		signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP) // The daemon is about to read the configuration anyway.
	}
	load := func() (*config.Config, error) {
		cfg, err := config.Load(ctx, o.configFile, o.expandEnv)
		if err == nil {
			for _, w := range cfg.Warnings {
				level.Warn(logger).Log("msg", "Configuration warning", "warning", w.Error())
			}
		}
		return cfg, err
	}
	listening := func() {}
	if o.demo {
		cfg, welcome, stop, err := o.startDemo(ctx)
		if err != nil {
			return err
		}
		defer stop()
		load = func() (*config.Config, error) { return cfg, nil }
		listening = func() { fmt.Fprint(stdout, welcome) }
	}
	cfg, err := load()
	if err != nil {
		err = fmt.Errorf("the configuration cannot be used:\n%w", err)
	}
	if o.check {
		err = errors.Join(err, app.CheckWebConfig(*o.serve.WebConfigFile))
	}
	if err != nil {
		return err
	}
	switch {
	case o.check:
		fmt.Fprintf(stdout, "%s is valid: %s.\n", o.configFile, doctor.Count(len(cfg.Accounts), "account"))
		return nil
	case o.phones != "":
		return o.withClients(ctx, cfg, logger, func(c app.Clients) error { return o.printPhones(ctx, cfg, c, stdout, stderr, logger) })
	case o.doctor:
		return o.withClients(ctx, cfg, logger, func(c app.Clients) error { return o.examine(ctx, cfg, c, stdout, stderr) })
	case o.once:
		return o.withClients(ctx, cfg, logger, func(c app.Clients) error { return pollOnce(ctx, cfg, c, stdout, stderr, logger) })
	default:
		return app.Run(ctx, app.Options{Web: o.web, Serve: o.serve, StoragePath: o.storagePath, Listening: listening}, cfg, load, logger)
	}
}
