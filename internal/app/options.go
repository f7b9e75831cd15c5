// Package app is the exporter: its flags and what they start.
package app

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/alecthomas/kingpin/v2"
	"github.com/go-kit/log/level"
	toolkit "github.com/prometheus/exporter-toolkit/web"
	"github.com/prometheus/exporter-toolkit/web/kingpinflag"

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
	demoExample int64 // the id of a PBX of the demo's fleet
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

// parse reads the command line; done tells that nothing is left to do but to exit with code.
func parse(args []string, stdout, stderr io.Writer) (o options, code int, done bool) {
	app := kingpin.New("ycm_exporter", "Prometheus exporter for Yeastar Central Management (YCM): walks the whole fleet of Cloud PBXs in the background, inside the API's rate limit, and serves it to Prometheus.")
	app.UsageWriter(stdout).ErrorWriter(stderr)
	app.Terminate(func(c int) { code, done = c, true })
	app.HelpFlag.Short('h').NoEnvar()
	app.Version("ycm_exporter, version " + build())
	app.VersionFlag.NoEnvar() // Images like to have a variable of that name.
	app.DefaultEnvars()

	app.Flag("config.file", "Configuration file.").Default("config.yml").StringVar(&o.configFile)
	app.Flag("config.check", "Load and validate the configuration, print what is wrong with file, line and field, and exit with 0 or 1.").BoolVar(&o.check)
	app.Flag("config.expand-env", "Expand ${NAME} in the configuration from the environment; an unset name is an error.").BoolVar(&o.expandEnv)
	app.Flag("once", "Poll every enabled collector once, print the metrics on stdout, and exit with 0 if all succeeded, else 1.").BoolVar(&o.once)
	app.Flag("phones", "Print the phone catalogue of this account's firmware versions, and exit.").PlaceHolder("ACCOUNT").StringVar(&o.phones)
	app.Flag("phones.format", "How --phones prints: table or json.").Default("table").EnumVar(&o.phonesFormat, "table", "json")
	app.Flag("doctor", "Look at each account with at most 25 requests, print whether the exporter will work and what YCM is like there, and exit with 0 or 1. The report holds nothing secret or personal.").BoolVar(&o.doctor)
	app.Flag("doctor.format", "How --doctor prints: text or json.").Default("text").EnumVar(&o.doctorFormat, "text", "json")
	app.Flag("capture", "With --doctor or --once: write the API's answers to this file, scrubbed of names, serial numbers, addresses and secrets.").PlaceHolder("FILE").StringVar(&o.capture)
	app.Flag("healthcheck", "Ask the exporter that listens on --web.listen-address whether it is healthy, and exit with 0 or 1.").BoolVar(&o.healthcheck)
	app.Flag("demo", "Export the fleet of an embedded simulator; no account and no configuration file are needed.").BoolVar(&o.demo)
	app.Flag("demo.pbxs", "Cloud PBXs in the demo's fleet.").Default("200").IntVar(&o.demoPBXs)
	app.Flag("demo.incidents", "Let the demo's fleet show every trouble there is, instead of an ordinary day.").BoolVar(&o.incidents)
	app.Flag("demo.replay", "A file of --capture, whose answers the demo gives in the place of a simulated fleet; implies --demo.").PlaceHolder("FILE").StringVar(&o.replay)
	o.serve = kingpinflag.AddFlags(app, ":10055")
	app.Flag("web.telemetry-path", "Path under which metrics are served.").Default("/metrics").StringVar(&o.web.TelemetryPath)
	app.Flag("web.external-url", "URL under which the exporter is reached from outside, as behind a reverse proxy, for the targets of /sd and redirects. Its path is put before all paths that are served, unless --web.route-prefix says otherwise.").StringVar(&o.web.ExternalURL)
	app.Flag("web.route-prefix", "Prefix of all paths that are served; the path of --web.external-url by default, / for none.").StringVar(&o.web.RoutePrefix)
	app.Flag("web.enable-lifecycle", "Reload the configuration on POST /-/reload.").BoolVar(&o.web.Lifecycle)
	app.Flag("web.enable-pprof", "Serve profiles under /debug/pprof.").BoolVar(&o.web.Pprof)
	app.Flag("web.sd-shards", "Targets per account in /sd, each with a share of the Cloud PBXs.").Default("1").IntVar(&o.web.SDShards)
	app.Flag("storage.path", "Folder in which the last snapshots, the state of the API budget and refused logins outlive a restart; nothing is kept without one, or of a demo.").PlaceHolder("FOLDER").StringVar(&o.storagePath)
	app.Flag("log.level", "Least severity to log: debug, info, warn or error.").Default("info").EnumVar(&o.logLevel, "debug", "info", "warn", "error")
	app.Flag("log.format", "Log format: logfmt or json.").Default("logfmt").EnumVar(&o.logFormat, "logfmt", "json")

	o.web.Version = build()
	err := checkEnvironment(app)
	if err == nil {
		_, err = app.Parse(args)
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

// dispatch does the one thing that the flags ask for.
func (o options) dispatch(ctx context.Context, stdout, stderr io.Writer) error {
	logger := newLogger(stderr, o.logLevel, o.logFormat)
	defer captureStandardLog(logger)()
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
	if o.demo {
		simulated, example, stop, err := o.startDemo(ctx)
		if err != nil {
			return err
		}
		defer stop()
		o.demoExample = example
		load = func() (*config.Config, error) { return simulated, nil }
	}
	cfg, err := load()
	if err != nil {
		err = fmt.Errorf("the configuration cannot be used:\n%w", err)
	}
	if o.check {
		err = errors.Join(err, o.checkWebConfig())
	}
	if err != nil {
		return err
	}
	switch {
	case o.check:
		return o.printCheck(cfg, stdout, stderr)
	case o.phones != "":
		return o.printPhones(ctx, cfg, stdout, stderr, logger)
	case o.doctor:
		return o.captured(func(r *capture.Recorder) error { return o.examine(ctx, cfg, r, stdout, stderr) })
	case o.once:
		return o.captured(func(r *capture.Recorder) error { return pollOnce(ctx, cfg, r, stdout, stderr, logger) })
	default:
		return o.daemon(ctx, cfg, load, stdout, logger)
	}
}
