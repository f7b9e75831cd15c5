// Package cli is the command line: the flags, and the one-shot commands that are not the daemon of package app.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/alecthomas/kingpin/v2"
	"github.com/go-kit/log/level"
	toolkit "github.com/prometheus/exporter-toolkit/web"
	"github.com/prometheus/exporter-toolkit/web/kingpinflag"

	"github.com/ycm-exporter/ycm_exporter/internal/app"
	"github.com/ycm-exporter/ycm_exporter/internal/capture"
	"github.com/ycm-exporter/ycm_exporter/internal/config"
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
	demoFast    bool // polls every 3 seconds
	incidents   bool
	healthcheck bool
	logLevel    string
	logFormat   string
	storagePath string
	web         web.Options
	serve       *toolkit.FlagConfig

	phones       string // an account's name
	phonesFormat string
	doctor       bool
	doctorFormat string
	capture      string // a file
	replay       string // a file
}

// Run is the whole program: it returns the exit code when the work is done or ctx ends.
func Run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	return run(ctx, args, stdout, stderr, func(*options) {})
}

// run is Run with options that have no flag.
func run(ctx context.Context, args []string, stdout, stderr io.Writer, set func(*options)) int {
	o, code, done := parse(args, stdout, stderr)
	if done {
		return code
	}
	set(&o)
	if err := o.dispatch(ctx, stdout, stderr); err != nil {
		fmt.Fprintf(stderr, "ycm_exporter: %v\n", err)
		return 1
	}
	return 0
}

// parse reads the command line; done tells that nothing is left to do but to exit with code.
func parse(args []string, stdout, stderr io.Writer) (o options, code int, done bool) {
	flags := kingpin.New("ycm_exporter", "Prometheus exporter for Yeastar Central Management (YCM): walks the whole fleet of Cloud PBXs in the background, inside the API's rate limit, and serves it to Prometheus.")
	flags.UsageWriter(stdout).ErrorWriter(stderr)
	flags.Terminate(func(c int) { code, done = c, true })
	flags.HelpFlag.Short('h').NoEnvar()
	flags.Version("ycm_exporter, version " + build())
	flags.VersionFlag.NoEnvar() // Images like to have a variable of that name.
	flags.DefaultEnvars()

	flags.Flag("config.file", "Configuration file.").Default("config.yml").StringVar(&o.configFile)
	flags.Flag("config.check", "Load and validate the configuration, print what is wrong with file, line and field, and exit with 0 or 1.").BoolVar(&o.check)
	flags.Flag("config.expand-env", "Expand ${NAME} in the configuration from the environment; an unset name is an error.").BoolVar(&o.expandEnv)
	flags.Flag("once", "Poll every enabled collector once, print the metrics on stdout, and exit with 0 if all succeeded, else 1.").BoolVar(&o.once)
	flags.Flag("phones", "Print the phone catalogue of this account's firmware versions, and exit.").PlaceHolder("ACCOUNT").StringVar(&o.phones)
	flags.Flag("phones.format", "How --phones prints: table or json.").Default("table").EnumVar(&o.phonesFormat, "table", "json")
	flags.Flag("doctor", "Look at each account with at most 25 requests, print whether the exporter will work and what YCM is like there, and exit with 0 or 1. The report holds nothing secret or personal.").BoolVar(&o.doctor)
	flags.Flag("doctor.format", "How --doctor prints: text or json.").Default("text").EnumVar(&o.doctorFormat, "text", "json")
	flags.Flag("capture", "With --doctor or --once: write the API's answers to this file, scrubbed of names, serial numbers, addresses and secrets.").PlaceHolder("FILE").StringVar(&o.capture)
	flags.Flag("healthcheck", "Ask the exporter that listens on --web.listen-address whether it is healthy, and exit with 0 or 1.").BoolVar(&o.healthcheck)
	flags.Flag("demo", "Export the fleet of an embedded simulator; no account and no configuration file are needed.").BoolVar(&o.demo)
	flags.Flag("demo.pbxs", "Cloud PBXs in the demo's fleet.").Default("200").IntVar(&o.demoPBXs)
	flags.Flag("demo.incidents", "Let the demo's fleet show every trouble there is, instead of an ordinary day.").BoolVar(&o.incidents)
	flags.Flag("demo.replay", "A file of --capture, whose answers the demo gives in the place of a simulated fleet; implies --demo.").PlaceHolder("FILE").StringVar(&o.replay)
	o.serve = kingpinflag.AddFlags(flags, ":10055")
	flags.Flag("web.telemetry-path", "Path under which metrics are served.").Default("/metrics").StringVar(&o.web.TelemetryPath)
	flags.Flag("web.external-url", "URL under which the exporter is reached from outside, as behind a reverse proxy, for the targets of /sd and redirects. Its path is put before all paths that are served, unless --web.route-prefix says otherwise.").StringVar(&o.web.ExternalURL)
	flags.Flag("web.route-prefix", "Prefix of all paths that are served; the path of --web.external-url by default, / for none.").StringVar(&o.web.RoutePrefix)
	flags.Flag("web.enable-lifecycle", "Reload the configuration on POST /-/reload.").BoolVar(&o.web.Lifecycle)
	flags.Flag("web.enable-pprof", "Serve profiles under /debug/pprof.").BoolVar(&o.web.Pprof)
	flags.Flag("web.sd-shards", "Targets per account in /sd, each with a share of the Cloud PBXs.").Default("1").IntVar(&o.web.SDShards)
	flags.Flag("storage.path", "Directory for persistent state (last snapshots, refused logins). Persistence is disabled if unset and in demo mode.").PlaceHolder("FOLDER").StringVar(&o.storagePath)
	flags.Flag("log.level", "Least severity to log: debug, info, warn or error.").Default("info").EnumVar(&o.logLevel, "debug", "info", "warn", "error")
	flags.Flag("log.format", "Log format: logfmt or json.").Default("logfmt").EnumVar(&o.logFormat, "logfmt", "json")

	o.web.Version = build()
	err := checkEnvironment(flags)
	if err == nil {
		_, err = flags.Parse(args)
	}
	if done {
		return o, code, true
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

// validate checks what kingpin cannot: values that fit their type but make no sense.
func (o options) validate() error {
	if _, err := o.web.Site(); err != nil {
		return err
	}
	if o.web.SDShards < 1 || o.web.SDShards > exposition.MaxShards {
		return fmt.Errorf("--web.sd-shards is %d, but must be from 1 to %d", o.web.SDShards, exposition.MaxShards)
	}
	if o.demo && (o.demoPBXs < 1 || o.demoPBXs > 1_000_000) {
		return fmt.Errorf("--demo.pbxs is %d, but must be from 1 to 1000000", o.demoPBXs)
	}
	if o.demo && o.check {
		return errors.New("--config.check and --demo exclude each other: the demo has no configuration file")
	}
	if o.phones != "" && (o.once || o.check || o.doctor) || o.doctor && (o.once || o.check) {
		return errors.New("--phones, --once, --doctor and --config.check each do one thing: give one of them")
	}
	if o.capture != "" && !o.once && !o.doctor {
		return errors.New("--capture writes what is asked with --doctor or --once: give one of them")
	}
	return nil
}

// dispatch runs the command that the flags select.
func (o options) dispatch(ctx context.Context, stdout, stderr io.Writer) error {
	logger := app.NewLogger(stderr, o.logLevel, o.logFormat)
	defer app.CaptureStandardLog(logger)()
	if o.healthcheck {
		return o.checkHealth(ctx, stdout)
	}
	load := func() (*config.Config, error) {
		cfg, err := config.Load(ctx, o.configFile, o.expandEnv)
		if err == nil && !o.check {
			for _, w := range cfg.Warnings {
				level.Warn(logger).Log("msg", "Configuration warning", "warning", w.Error())
			}
		}
		return cfg, err
	}
	listening := func() {}
	if o.demo {
		demo, err := o.startDemo(ctx)
		if err != nil {
			return err
		}
		defer demo.stop()
		load = func() (*config.Config, error) { return demo.config, nil }
		welcome, err := o.welcome(demo)
		if err != nil {
			return err
		}
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
		for _, w := range cfg.Warnings {
			fmt.Fprintf(stderr, "ycm_exporter: warning: %v\n", w)
		}
		fmt.Fprintf(stdout, "%s is fine: %d account(s)\n", o.configFile, len(cfg.Accounts))
		return nil
	case o.phones != "":
		return o.printPhones(ctx, cfg, stdout, stderr, logger)
	case o.doctor:
		return o.captured(func(r *capture.Recorder) error { return o.examine(ctx, cfg, r, stdout, stderr) })
	case o.once:
		return o.captured(func(r *capture.Recorder) error { return pollOnce(ctx, cfg, r, stdout, stderr, logger) })
	default:
		return app.Run(ctx, app.Options{Web: o.web, Serve: o.serve, StoragePath: o.storagePath, Listening: listening}, cfg, load, logger)
	}
}
