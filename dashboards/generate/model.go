package main

import (
	"bytes"
	"encoding/json"
)

// schemaVersion is that of Grafana 10.0; newer Grafanas migrate it when they load the dashboard.
const schemaVersion = 38

// Dashboard is the part of Grafana's dashboard model that these dashboards use.
type Dashboard struct {
	UID           string      `json:"uid"`
	Title         string      `json:"title"`
	Description   string      `json:"description"`
	Tags          []string    `json:"tags"`
	Links         []Link      `json:"links"`
	Time          TimeRange   `json:"time"`
	Refresh       string      `json:"refresh"`
	Timezone      string      `json:"timezone"`
	Editable      bool        `json:"editable"`
	GraphTooltip  int         `json:"graphTooltip"`
	SchemaVersion int         `json:"schemaVersion"`
	Templating    Templating  `json:"templating"`
	Annotations   Annotations `json:"annotations"`
	Panels        []Panel     `json:"panels"`
}

// TimeRange is what a dashboard shows when it is opened.
type TimeRange struct {
	From string `json:"from"`
	To   string `json:"to"`
}

// Annotations are marks on the panels over time.
type Annotations struct {
	List []Annotation `json:"list"`
}

// Annotation marks the times for which a query has series.
type Annotation struct {
	Name        string      `json:"name"`
	Enable      bool        `json:"enable"`
	Hide        bool        `json:"hide"` // the switch for it, above the panels
	IconColor   string      `json:"iconColor"`
	Datasource  *Datasource `json:"datasource"`
	Expr        string      `json:"expr"`
	Step        string      `json:"step"`
	TitleFormat string      `json:"titleFormat"`
	TextFormat  string      `json:"textFormat"`
}

// Templating holds a dashboard's variables, in the order they depend on each other.
type Templating struct {
	List []Variable `json:"list"`
}

// Variable is a drop-down above the panels.
type Variable struct {
	Name        string      `json:"name"`
	Label       string      `json:"label"`
	Description string      `json:"description"`
	Type        string      `json:"type"`
	Datasource  *Datasource `json:"datasource,omitempty"`
	Definition  string      `json:"definition,omitempty"`
	Query       any         `json:"query"`
	Regex       string      `json:"regex"`
	Refresh     int         `json:"refresh"`
	Sort        int         `json:"sort"`
	Multi       bool        `json:"multi"`
	IncludeAll  bool        `json:"includeAll"`
	AllValue    string      `json:"allValue,omitempty"`
	Current     any         `json:"current"`
	Options     []any       `json:"options"`
	Hide        int         `json:"hide"`
	SkipURLSync bool        `json:"skipUrlSync"`
}

// Datasource names the data source of a panel, a target or a variable.
type Datasource struct {
	Type string `json:"type"`
	UID  string `json:"uid"`
}

// Link leads from a dashboard, a panel or a table cell to another page.
type Link struct {
	Title       string   `json:"title"`
	URL         string   `json:"url"`
	Type        string   `json:"type,omitempty"`
	Icon        string   `json:"icon,omitempty"`
	Tooltip     string   `json:"tooltip,omitempty"`
	Tags        []string `json:"tags,omitempty"`
	IncludeVars bool     `json:"includeVars,omitempty"`
	KeepTime    bool     `json:"keepTime,omitempty"`
	TargetBlank bool     `json:"targetBlank,omitempty"`
	AsDropdown  bool     `json:"asDropdown,omitempty"`
}

// Panel is a visualization, or a row with a title.
type Panel struct {
	ID              int              `json:"id"`
	Type            string           `json:"type"`
	Title           string           `json:"title"`
	Description     string           `json:"description,omitempty"`
	GridPos         GridPos          `json:"gridPos"`
	Datasource      *Datasource      `json:"datasource,omitempty"`
	Targets         []Target         `json:"targets,omitempty"`
	FieldConfig     *FieldConfig     `json:"fieldConfig,omitempty"`
	Options         map[string]any   `json:"options,omitempty"`
	Transformations []Transformation `json:"transformations,omitempty"`
	Links           []Link           `json:"links,omitempty"`
	TimeFrom        string           `json:"timeFrom,omitempty"`
	Interval        string           `json:"interval,omitempty"`
	MaxDataPoints   int              `json:"maxDataPoints,omitempty"`
	Collapsed       bool             `json:"collapsed,omitempty"`
	Panels          []Panel          `json:"panels,omitempty"` // of a collapsed row

	list string // the title of the table that the panel's value opens
}

// GridPos is a panel's place on the dashboard, which is 24 columns wide.
type GridPos struct {
	H int `json:"h"`
	W int `json:"w"`
	X int `json:"x"`
	Y int `json:"y"`
}

// Target is one PromQL query of a panel.
type Target struct {
	RefID        string      `json:"refId"`
	Datasource   *Datasource `json:"datasource"`
	Expr         string      `json:"expr"`
	LegendFormat string      `json:"legendFormat"`
	Format       string      `json:"format"`
	Instant      bool        `json:"instant"`
	Range        bool        `json:"range"`
	EditorMode   string      `json:"editorMode"`
}

// FieldConfig says how the values of a panel are shown: all of them, and those that an override matches.
type FieldConfig struct {
	Defaults  Field      `json:"defaults"`
	Overrides []Override `json:"overrides"`
}

// Field is how a value is shown.
type Field struct {
	DisplayName string         `json:"displayName,omitempty"`
	Unit        string         `json:"unit,omitempty"`
	Decimals    *int           `json:"decimals,omitempty"`
	Min         *float64       `json:"min,omitempty"`
	Max         *float64       `json:"max,omitempty"`
	NoValue     string         `json:"noValue,omitempty"`
	Color       map[string]any `json:"color,omitempty"`
	Thresholds  *Thresholds    `json:"thresholds,omitempty"`
	Mappings    []Mapping      `json:"mappings,omitempty"`
	Custom      map[string]any `json:"custom,omitempty"`
	Links       []Link         `json:"links,omitempty"`
}

// Thresholds colour a value by its size.
type Thresholds struct {
	Mode  string `json:"mode"`
	Steps []Step `json:"steps"`
}

// Step is the colour from Value on; the first step has none.
type Step struct {
	Color string   `json:"color"`
	Value *float64 `json:"value"`
}

// Mapping gives words and colours to values.
type Mapping struct {
	Type    string `json:"type"`
	Options any    `json:"options"`
}

// Override changes how the fields that Matcher names are shown.
type Override struct {
	Matcher    Option   `json:"matcher"`
	Properties []Option `json:"properties"`
}

// Option is a setting of an override: which fields it is for, or one thing that it changes.
type Option struct {
	ID      string `json:"id"`
	Options any    `json:"options,omitempty"`
	Value   any    `json:"value,omitempty"`
}

// Transformation reshapes what the queries gave before it is drawn.
type Transformation struct {
	ID      string         `json:"id"`
	Options map[string]any `json:"options"`
}

// all are the panels of the dashboard, those in collapsed rows included.
func (d Dashboard) all() []*Panel {
	var found []*Panel
	for i := range d.Panels {
		found = append(found, &d.Panels[i])
		for j := range d.Panels[i].Panels {
			found = append(found, &d.Panels[i].Panels[j])
		}
	}
	return found
}

// encode writes the dashboard as the JSON that is kept beside the generator.
func (d Dashboard) encode() ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(d); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
