{{- define "ycm.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* The release's name and the chart's; at most 47 characters, as the dashboards' and rules' names go behind it. */}}
{{- define "ycm.fullname" -}}
{{- $name := include "ycm.name" . }}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 47 | trimSuffix "-" }}
{{- else if contains $name .Release.Name }}
{{- .Release.Name | trunc 47 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 47 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "ycm.selector" -}}
app.kubernetes.io/name: {{ include "ycm.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "ycm.labels" -}}
{{ include "ycm.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "ycm.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}
{{- end }}

{{/* Plain HTTP can be asked by the kubelet; TLS and passwords need the exporter's own health check. */}}
{{- define "ycm.probe" -}}
{{- if .Values.web.existingSecret -}}
exec: {command: [/ycm_exporter, --healthcheck]}
{{- else -}}
httpGet: {path: /-/healthy, port: http}
{{- end }}
{{- end }}
