package main

// The kinds of panels. All of them are in Grafana 10.0, which some builds ship without the gauge and the old graph.

// noData is what a panel shows without data, which is not the same as "none".
const noData = "–"

// panel is what all kinds share. The unit is one of Grafana's.
func panel(kind, title, description, unit string, targets []Target) Panel {
	for i := range targets {
		targets[i].RefID = string(rune('A' + i))
	}
	return Panel{
		Type: kind, Title: title, Description: description, Datasource: datasource(), Targets: targets,
		FieldConfig: &FieldConfig{
			Defaults: Field{
				Unit: unit, Color: map[string]any{"mode": "thresholds"}, Thresholds: thresholds(unknown, at(least, busy)),
				NoValue: noData, Custom: map[string]any{},
			},
			Overrides: []Override{},
		},
		Options: map[string]any{},
	}
}

// now queries the values at the end of the time range.
func now(expr string) Target { return named(expr, "") }

// named is now with a name for each series.
func named(expr, legend string) Target {
	return Target{Datasource: datasource(), Expr: expr, LegendFormat: legend, Format: "time_series", Instant: true, EditorMode: "code"}
}

// rows is now as a table, a row for each series.
func rows(expr string) Target {
	return Target{Datasource: datasource(), Expr: expr, Format: "table", Instant: true, EditorMode: "code"}
}

// over queries the values over the time range.
func over(expr, legend string) Target {
	return Target{Datasource: datasource(), Expr: expr, LegendFormat: legend, Format: "time_series", Range: true, EditorMode: "code"}
}

// latest reduces a series to its last value.
func latest() map[string]any {
	return map[string]any{"values": false, "calcs": []string{"lastNotNull"}, "fields": ""}
}

// legend shows the names of the series below the panel.
func legend() map[string]any {
	return map[string]any{"displayMode": "list", "placement": "bottom", "showLegend": true, "calcs": []string{}}
}

// stat shows the latest value of each series in large print.
func stat(title, description, unit string, targets ...Target) Panel {
	p := panel("stat", title, description, unit, targets)
	p.Options = map[string]any{
		"reduceOptions": latest(), "orientation": "auto", "textMode": "auto", "colorMode": "value",
		"graphMode": "none", "justifyMode": "auto", "text": map[string]any{"titleSize": 13, "valueSize": 32},
	}
	return p
}

// bars shows the latest value of each series, a share, as a bar from 0 to 100 %.
func bars(title, description string, targets ...Target) Panel {
	p := panel("bargauge", title, description, "percentunit", targets).limits(0, 1)
	p.Options = map[string]any{
		"reduceOptions": latest(), "orientation": "horizontal", "displayMode": "basic", "valueMode": "color",
		"showUnfilled": true, "minVizWidth": 0, "minVizHeight": 10, "text": map[string]any{"valueSize": 18},
	}
	return p
}

// timeseries draws lines over time.
func timeseries(title, description, unit string, targets ...Target) Panel {
	p := panel("timeseries", title, description, unit, targets)
	p.FieldConfig.Defaults.Color = map[string]any{"mode": "palette-classic"}
	p.FieldConfig.Defaults.Min = new(0.0)
	p.FieldConfig.Defaults.Custom = map[string]any{
		"drawStyle": "line", "lineInterpolation": "linear", "lineWidth": 1, "fillOpacity": 10, "gradientMode": "none",
		"showPoints": "auto", "pointSize": 4, "spanNulls": false, "axisPlacement": "auto", "axisLabel": "",
		"stacking": map[string]any{"mode": "none", "group": "A"}, "thresholdsStyle": map[string]any{"mode": "off"},
	}
	p.Options = map[string]any{"legend": legend(), "tooltip": map[string]any{"mode": "multi", "sort": "desc"}}
	return p
}

// timeline draws the states of each series over time, one row a series.
func timeline(title, description string, mappings []Mapping, targets ...Target) Panel {
	p := panel("state-timeline", title, description, "none", targets).mapped(mappings...)
	// Coloured by thresholds, Grafana would name the ranges between them, not what the values are mapped to.
	p.FieldConfig.Defaults.Color = map[string]any{"mode": "palette-classic"}
	p.FieldConfig.Defaults.Custom = map[string]any{"lineWidth": 0, "fillOpacity": 75, "spanNulls": false}
	p.Options = map[string]any{
		"mergeValues": true, "showValue": "auto", "alignValue": "center", "rowHeight": 0.85,
		"legend":  map[string]any{"displayMode": "list", "placement": "bottom", "showLegend": false},
		"tooltip": map[string]any{"mode": "single", "sort": "none"},
	}
	return p
}

// columnChart draws a bar for each row of a table; the field x names the rows.
func columnChart(title, description, unit, x string, targets ...Target) Panel {
	p := panel("barchart", title, description, unit, targets)
	p.FieldConfig.Defaults.Color = map[string]any{"mode": "palette-classic"}
	p.FieldConfig.Defaults.Min = new(0.0)
	p.FieldConfig.Defaults.Custom = map[string]any{
		"lineWidth": 0, "fillOpacity": 80, "gradientMode": "none", "axisPlacement": "auto", "axisLabel": "",
	}
	p.Options = map[string]any{
		"xField": x, "orientation": "vertical", "xTickLabelRotation": 0, "xTickLabelSpacing": 45, "showValue": "auto",
		"stacking": "none", "groupWidth": 0.7, "barWidth": 0.9, "barRadius": 0, "fullHighlight": false,
		"legend": legend(), "tooltip": map[string]any{"mode": "multi", "sort": "none"},
	}
	// Grafana gives names that have no room the text for what has no value.
	return p.series(x, property("noValue", " "))
}

// table shows one row for each series; see columns.
func table(title, description, unit string, targets ...Target) Panel {
	p := panel("table", title, description, unit, targets).empty("no data")
	p.FieldConfig.Defaults.Custom = map[string]any{
		"align": "auto", "cellOptions": map[string]any{"type": "auto"}, "inspect": false, "filterable": false,
	}
	p.Options = map[string]any{
		"showHeader": true, "cellHeight": "sm", "sortBy": []any{},
		"footer": map[string]any{"show": false, "reducer": []string{"sum"}, "countRows": false, "fields": ""},
	}
	// Labels are words even where they look like numbers: an id of 7738 must not be shown, or linked to, as 7,738.
	return p.override(Option{ID: "byType", Options: "string"}, property("unit", "string"), property("noValue", "–")).
		override(Option{ID: "byType", Options: "number"}, property("noValue", "–"))
}
