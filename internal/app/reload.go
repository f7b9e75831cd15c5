package app

import (
	"errors"
	"fmt"
	"time"

	"github.com/go-kit/log/level"

	"github.com/ycm-exporter/ycm_exporter/internal/config"
)

// reloadLimit is how long a request for a reload waits for it.
const reloadLimit = 9 * time.Second

// Reload reads the configuration again and applies it. When it cannot be used, the running one stays. A reload that
// hangs, as on a file system that does, is an error after 9 s; it continues in the background, and later ones fail until it
// ends.
func (e *exporter) Reload() error {
	ended, err := giveUpAfter(reloadLimit, e.reload)
	if !ended {
		err = fmt.Errorf("the reload has not ended within %v; it continues in the background", reloadLimit)
		e.reloadSuccessful.Set(0)
		level.Error(e.logger).Log("msg", "Reload of the configuration is slow, keeping the current one for now", "err", err)
	}
	return err
}

// reload reloads the configuration, and records the outcome.
func (e *exporter) reload() error {
	select {
	case e.reloading <- struct{}{}:
		defer func() { <-e.reloading }()
	case <-time.After(reloadLimit / 2):
		return errors.New("another reload has not ended yet")
	}
	cfg, err := e.load()
	if err == nil {
		err = e.adopt(cfg)
	}
	if err != nil {
		e.reloadSuccessful.Set(0)
		level.Error(e.logger).Log("msg", "Failed to reload configuration, keeping the current one", "err", err)
		return err
	}
	level.Info(e.logger).Log("msg", "Configuration reloaded", "accounts", len(e.running()))
	return nil
}

// adopt applies a configuration and records that it is good.
func (e *exporter) adopt(cfg *config.Config) error {
	if err := e.apply(cfg); err != nil {
		return err
	}
	e.reloadSuccessful.Set(1)
	e.reloadTime.SetToCurrentTime()
	return nil
}
