#!/bin/sh
# Prints the manual page of a binary: its options as the binary prints them, and the other sections.
set -eu
binary=$1
version=$2

cat <<EOF
.TH ycm_exporter 1 "" "ycm_exporter $version" "User Commands"
.\\" Long flags and addresses: neither spread their lines over the whole width, nor hyphenate them.
.ad l
.nh
.SH "NAME"
ycm_exporter \\- Prometheus exporter for Yeastar Central Management
EOF
# Commands contain minus signs, not hyphens. A URL may break after each slash.
"$binary" --help-man | sed -n '/^\.SH "SYNOPSIS"/,$ { s/-/\\-/g; /https:/s#\([a-z]\)/#\1/\\:#g; p; }'
cat <<'EOF'
.SH "ENVIRONMENT"
.TP
\fBYCM_EXPORTER_\fR\fIFLAG\fR
Each flag can also be set by an environment variable: its name in upper case, with _ instead of . and \-: \fBYCM_EXPORTER_WEB_LISTEN_ADDRESS\fR
sets \fB\-\-web.listen\-address\fR. Flags take precedence over environment variables.
.SH "FILES"
Installed by the packages:
.TP
\fI/etc/ycm_exporter/config.yml\fR
The configuration of the service.
.TP
\fI/etc/ycm_exporter/secrets/\fR\fINAME\fR
Secrets, readable only by root. The service reads them as
\fI/run/credentials/\:ycm_exporter.service/\:secrets_\fR\fINAME\fR, copied when it starts.
.TP
\fI/etc/default/ycm_exporter\fR
Flags of the service, as environment variables.
.TP
\fI/var/lib/ycm_exporter\fR
State that persists across restarts.
.TP
\fI/usr/share/ycm_exporter\fR
Alerting rules, Grafana dashboards and an example configuration with every key.
.SH "SIGNALS"
.TP
\fBSIGHUP\fR
Reload the configuration. If it is invalid, the error is logged and the current one is kept.
.TP
\fBSIGTERM\fR, \fBSIGINT\fR
Finish the scrapes in flight and exit, within 10 seconds.
.SH "EXIT STATUS"
0 on success. 1 on failure, with the cause on standard error.
.SH "SEE ALSO"
https://github.com/ycm\-exporter/ycm_exporter
EOF
