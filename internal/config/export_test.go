package config

import "time"

func init() { patience = time.Minute }
