package config

import (
	"bytes"
	"cmp"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"

	promconfig "github.com/prometheus/common/config"

	"github.com/ycm-exporter/ycm_exporter/secret"
)

// maxFile bounds the files that the configuration names: secrets, certificates and headers.
const maxFile = 1 << 20

func source(text secret.Text, file string) secret.Source {
	if file != "" {
		return secret.File(file)
	}
	return secret.Static(text)
}

// checkCredentials checks what an account or a PBX logs in with, and joins a relative file name to the configuration's folder.
func (p place) checkCredentials(id *string, text secret.Text, file *string) {
	*id = strings.TrimSpace(*id)
	p.key("client_id").needText(*id, "copy it from the page that switches the API on")

	inline, inFile := p.key("client_secret"), p.key("client_secret_file")
	if !inline.given() {
		inFile.need("name the file that holds the secret, or write client_secret")
	}
	if inline.given() && inFile.given() {
		inFile.problem("stands beside client_secret; keep one of the two")
	}
	inline.must(!text.Empty(), "is empty; write the secret, or name its file with client_secret_file")

	inFile.must(*file != "", "is empty; name the file that holds the secret")
	*file = promconfig.JoinDir(p.doc.dir, *file)
	if inFile.sound() {
		if content, ok := inFile.readFile(*file); ok {
			inFile.must(len(bytes.TrimSpace(content)) > 0, "the file is empty; write the secret into it")
		}
	}
}

// readFile reads a file that the configuration names here, or reports why it cannot. The name is not shown: it may be a
// secret that was written into the wrong field.
func (p place) readFile(name string) ([]byte, bool) {
	// Opening a pipe could wait for ever, so look before.
	info, err := os.Stat(name)
	switch {
	case err != nil:
		p.problem("the file cannot be read: %s; a relative name is looked for in %s", cause(err), p.doc.dir)
		return nil, false
	case !info.Mode().IsRegular():
		p.problem("this is no regular file; name one that can be read again and again")
		return nil, false
	case info.Size() > maxFile:
		p.problem("the file is larger than %d MiB; is it the right one?", maxFile>>20)
		return nil, false
	}
	content, err := os.ReadFile(name)
	if err != nil {
		p.problem("the file cannot be read: %s", cause(err))
		return nil, false
	}
	return content, true
}

// checkURL reports all that is wrong with the address of a YCM or a PBX, and brings it into one form: a host in lower
// case, no default port, and no slash at the end.
func (p place) checkURL(u *url.URL) {
	if !p.sound() {
		return
	}
	loopback := u.Hostname() == "localhost" || net.ParseIP(u.Hostname()).IsLoopback()
	port, _ := strconv.Atoi(cmp.Or(u.Port(), "443"))
	for _, rule := range []struct {
		broken  bool
		message string
	}{
		{u.Scheme != "https" && (u.Scheme != "http" || !loopback), "must begin with https:// (http:// is for localhost alone)"},
		{u.Hostname() == "", "has no host; write https:// and the host"},
		{strings.HasSuffix(u.Host, ":") || port < 1 || port > 65535, "has a port that is not between 1 and 65535"},
		{u.User != nil, "must not hold a user name or a password; leave out what is before the @"},
		{u.RawQuery != "" || u.ForceQuery, "must not have a query; leave out what begins with ?"},
		{u.Fragment != "", "must not have a fragment; leave out what begins with #"},
	} {
		if rule.broken {
			p.problem("%s", rule.message)
		}
	}
	u.Host = strings.ToLower(u.Host)
	if u.Scheme == "https" {
		u.Host = strings.TrimSuffix(u.Host, ":443")
	}
	u.Path, u.RawPath = strings.TrimRight(u.Path, "/"), strings.TrimRight(u.RawPath, "/")
}
