{{- define "ycm.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* The names of the release and the chart, at most 47 characters: dashboards and rules add their own name. */}}
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
app.kubernetes.io/name: {{ include "ycm.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
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

{{/* Not empty if state persists on a volume. A demo has no state. */}}
{{- define "ycm.persistent" -}}
{{- if and .Values.persistence.enabled (not .Values.demo) }}true{{ end }}
{{- end }}

{{/* The kubelet can probe plain HTTP. With TLS or passwords the exporter's own health check is used. */}}
{{- define "ycm.probe" -}}
{{- if .Values.web.existingSecret -}}
exec: {command: [/ycm_exporter, --healthcheck]}
{{- else -}}
httpGet: {path: /-/healthy, port: http}
{{- end }}
timeoutSeconds: 5
{{- end }}
