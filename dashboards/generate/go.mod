module github.com/ycm-exporter/ycm_exporter/dashboards/generate

go 1.26.0
